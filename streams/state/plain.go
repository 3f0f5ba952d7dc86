package state

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Plain is a key-value store whose values have no timestamp: Kafka's KeyValueStore. An LRU store is one too.
type Plain[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	buf   []byte
}

// NewPlain types an open store. topic is its changelog's name, for the serdes.
func NewPlain[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (*Plain[K, V], error) {
	if h.Kind != KeyValue {
		return nil, &KindError{h.Name, h.Kind, KeyValue}
	}
	return &Plain[K, V]{h: h, topic: topic, key: key, value: value}, nil
}

// KindError is a store of another kind than the one that is asked for.
type KindError struct {
	Store     string
	Have, Ask Kind
}

func (e *KindError) Error() string {
	return fmt.Sprintf("state: store %s is a %s store, not a %s one", e.Store, e.Have, e.Ask)
}

// Class is Kafka's name of the error kind: it has a ClassCastException, and tells it as this.
func (e *KindError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// Get returns the value of a key; ok is false where there is none.
func (s *Plain[K, V]) Get(k K) (v V, ok bool, err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return v, false, err
	}
	b, err := s.h.Top.Get(s.buf)
	if err != nil || b == nil {
		return v, false, err
	}
	v, err = s.value.Decode(s.topic, b)
	return v, err == nil, err
}

// Put sets the value of a key.
func (s *Plain[K, V]) Put(k K, v V) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	b, err := s.value.Append([]byte{}, s.topic, v)
	if err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, b)
}

// PutIfAbsent sets the value of a key that has none, and returns the one that it has.
func (s *Plain[K, V]) PutIfAbsent(k K, v V) (have V, ok bool, err error) {
	if have, ok, err = s.Get(k); err != nil || ok {
		return have, ok, err
	}
	return have, false, s.Put(k, v)
}

// Delete removes a key, and returns the value that it had.
func (s *Plain[K, V]) Delete(k K) (old V, ok bool, err error) {
	if old, ok, err = s.Get(k); err != nil {
		return old, ok, err
	}
	return old, ok, s.h.Top.Put(s.buf, nil)
}

// Range walks over the rows within bounds, in order of keys.
func (s *Plain[K, V]) Range(b Bounds[K]) (*Rows[K, V], error) {
	sp, err := b.span(s.key, s.topic)
	if err != nil {
		return nil, err
	}
	return &Rows[K, V]{it: s.h.Top.Scan(sp), decode: plainRow(s.key, s.value, s.topic, false)}, nil
}

// Prefix walks over the rows whose key bytes start with prefix.
func (s *Plain[K, V]) Prefix(prefix []byte) *Rows[K, V] {
	return &Rows[K, V]{it: s.h.Top.Scan(AllTime(Span{From: prefix, To: PrefixEnd(prefix)})), decode: plainRow(s.key, s.value, s.topic, false)}
}

// Range walks over the rows within bounds, in order of keys.
func (s *Timestamped[K, V]) Range(b Bounds[K]) (*Rows[K, V], error) {
	sp, err := b.span(s.key, s.topic)
	if err != nil {
		return nil, err
	}
	return &Rows[K, V]{it: s.h.Top.Scan(sp), decode: plainRow(s.key, s.value, s.topic, true)}, nil
}

// Prefix walks over the rows whose key bytes start with prefix.
func (s *Timestamped[K, V]) Prefix(prefix []byte) *Rows[K, V] {
	return &Rows[K, V]{it: s.h.Top.Scan(AllTime(Span{From: prefix, To: PrefixEnd(prefix)})), decode: plainRow(s.key, s.value, s.topic, true)}
}
