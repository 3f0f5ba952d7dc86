package state

import "github.com/kstreamlab/kstreamlab/streams/serde"

// Versions is a store of versions: Kafka's VersionedKeyValueStore.
type Versions[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	buf   []byte
}

// NewVersions types an open store. topic is its changelog's name, for the serdes.
func NewVersions[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (*Versions[K, V], error) {
	if h.Kind != Versioned {
		return nil, &KindError{h.Name, h.Kind, Versioned}
	}
	return &Versions[K, V]{h: h, topic: topic, key: key, value: value}, nil
}

// VersionOf is a version of a key.
type VersionOf[V any] struct {
	Value     V
	Timestamp int64
	ValidTo   int64 // the time of the next one; IsLatest: there is none
}

// Get returns the latest version of a key; nil when there is none, or it is a deletion.
func (s *Versions[K, V]) Get(k K) (_ *VersionOf[V], err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return nil, err
	}
	return s.typed(s.h.History.Get(s.buf))
}

// GetAsOf returns the version of a key that was valid at a time; nil when there was none, it was a deletion, or the time is before the
// store's history, unless the latest version is as old as that.
func (s *Versions[K, V]) GetAsOf(k K, at int64) (_ *VersionOf[V], err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return nil, err
	}
	return s.typed(s.h.History.GetAsOf(s.buf, at))
}

// Put adds a version, or replaces the one of the same time. It returns until when it is valid: IsLatest, the time of the next version, or
// NotPut when ts is before the store's history.
func (s *Versions[K, V]) Put(k K, v V, ts int64) (validTo int64, err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return 0, err
	}
	b, err := s.value.Append([]byte{}, s.topic, v)
	if err != nil {
		return 0, err
	}
	return s.h.History.Put(s.buf, b, ts)
}

// PutNull is Put of a deletion.
func (s *Versions[K, V]) PutNull(k K, ts int64) (validTo int64, err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return 0, err
	}
	return s.h.History.Put(s.buf, nil, ts)
}

// Delete adds a deletion, and returns the version that was valid then.
func (s *Versions[K, V]) Delete(k K, ts int64) (_ *VersionOf[V], err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return nil, err
	}
	return s.typed(s.h.History.Delete(s.buf, ts))
}

func (s *Versions[K, V]) typed(x *Version, err error) (*VersionOf[V], error) {
	if err != nil || x == nil {
		return nil, err
	}
	v, err := s.value.Decode(s.topic, x.Value)
	return &VersionOf[V]{v, x.Timestamp, x.ValidTo}, err
}
