package state

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Timestamped is a key-value store whose values have a timestamp: Kafka's TimestampedKeyValueStore. Over a versioned store it shows the
// latest versions, as tables need it.
type Timestamped[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	buf   []byte
}

// NewTimestamped types an open store. topic is its changelog's name, for the serdes.
func NewTimestamped[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (*Timestamped[K, V], error) {
	if h.Kind != TimestampedKeyValue && h.Kind != Versioned {
		return nil, &KindError{h.Name, h.Kind, TimestampedKeyValue}
	}
	return &Timestamped[K, V]{h: h, topic: topic, key: key, value: value}, nil
}

// Handle is the store at the level of bytes.
func (s *Timestamped[K, V]) Handle() *Handle { return s.h }

// Get returns the value of a key and its timestamp; ok is false where there is none.
func (s *Timestamped[K, V]) Get(k K) (v V, ts int64, ok bool, err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return v, 0, false, err
	}
	if s.h.History != nil {
		return s.version(s.h.History.Get(s.buf))
	}
	b, err := s.h.Top.Get(s.buf)
	if err != nil || b == nil {
		return v, 0, false, err
	}
	v, ts, err = decodeTimestamped(s.value, s.topic, b)
	return v, ts, err == nil, err
}

// GetAsOf is Get of the version that was valid at a time, from a versioned store.
func (s *Timestamped[K, V]) GetAsOf(k K, at int64) (v V, ts int64, ok bool, err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return v, 0, false, err
	}
	return s.version(s.h.History.GetAsOf(s.buf, at))
}

func (s *Timestamped[K, V]) version(x *Version, err error) (v V, ts int64, ok bool, _ error) {
	if err != nil || x == nil {
		return v, 0, false, err
	}
	v, err = s.value.Decode(s.topic, x.Value)
	return v, x.Timestamp, err == nil, err
}

// Versioned says whether the store is a versioned one.
func (s *Timestamped[K, V]) Versioned() bool { return s.h.History != nil }

// PutVersion is Put or, of a null, Delete, and returns what a versioned store's Put does: IsLatest, until when the version is valid, or NotPut.
// Another store always has the latest afterwards.
func (s *Timestamped[K, V]) PutVersion(k K, v V, null bool, ts int64) (validTo int64, err error) {
	switch {
	case s.h.History == nil && null:
		return IsLatest, s.Delete(k)
	case s.h.History == nil:
		return IsLatest, s.Put(k, v, ts)
	}
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return 0, err
	}
	var b []byte
	if !null {
		if b, err = s.value.Append([]byte{}, s.topic, v); err != nil {
			return 0, err
		}
	}
	return s.h.History.Put(s.buf, b, ts)
}

// Put sets the value of a key.
func (s *Timestamped[K, V]) Put(k K, v V, ts int64) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	b, err := appendTimestamped(s.value, s.topic, v, ts)
	if err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, b)
}

// Delete removes a key.
func (s *Timestamped[K, V]) Delete(k K) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, nil)
}

// DecodeKey reads a key as Flushed and Rows give it.
func (s *Timestamped[K, V]) DecodeKey(b []byte) (K, error) { return s.key.Decode(s.topic, b) }

// DecodeValue reads a value with its timestamp as Flushed gives it.
func (s *Timestamped[K, V]) DecodeValue(b []byte) (V, int64, error) {
	return decodeTimestamped(s.value, s.topic, b)
}

func decodeTimestamped[V any](s serde.Serde[V], topic string, b []byte) (v V, ts int64, err error) {
	if len(b) < 8 {
		return v, 0, fmt.Errorf("state: a value of %d bytes has no timestamp", len(b))
	}
	v, err = s.Decode(topic, b[8:])
	return v, int64(binary.BigEndian.Uint64(b)), err
}

func appendTimestamped[V any](s serde.Serde[V], topic string, v V, ts int64) ([]byte, error) {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 16), uint64(ts))
	return s.Append(b, topic, v)
}

func formatRetention(retention, additional int64) string {
	return strconv.FormatInt(serde.WindowEnd(retention, additional), 10) // saturates like a window's end
}
