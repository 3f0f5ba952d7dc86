package state

import (
	"encoding/binary"
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Window is a window store whose values have a timestamp: Kafka's TimestampedWindowStore without duplicates.
type Window[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	buf   []byte
}

// NewWindow types an open store. topic is its changelog's name, for the serdes.
func NewWindow[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (*Window[K, V], error) {
	if h.Kind != TimestampedWindow {
		return nil, fmt.Errorf("state: store %s is a %s store, not a timestamped-window one", h.Name, h.Kind)
	}
	return &Window[K, V]{h: h, topic: topic, key: key, value: value}, nil
}

// Handle is the store at the level of bytes.
func (s *Window[K, V]) Handle() *Handle { return s.h }

func (s *Window[K, V]) encode(k K, start int64) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(start))
	s.buf = append(s.buf, 0, 0, 0, 0) // the sequence of a store without duplicates
	return nil
}

// Fetch returns the value of a key's window and its timestamp; ok is false where there is none, or it has expired.
func (s *Window[K, V]) Fetch(k K, start int64) (v V, ts int64, ok bool, err error) {
	if err := s.encode(k, start); err != nil {
		return v, 0, false, err
	}
	b, err := s.h.Top.Get(s.buf)
	if err != nil || b == nil {
		return v, 0, false, err
	}
	v, ts, err = decodeTimestamped(s.value, s.topic, b)
	return v, ts, err == nil, err
}

// Put sets the value of a key's window.
func (s *Window[K, V]) Put(k K, start int64, v V, ts int64) error {
	if err := s.encode(k, start); err != nil {
		return err
	}
	b, err := appendTimestamped(s.value, s.topic, v, ts)
	if err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, b)
}

// Delete removes a key's window.
func (s *Window[K, V]) Delete(k K, start int64) error {
	if err := s.encode(k, start); err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, nil)
}

// DecodeKey reads a key as Flushed and Rows give it. The window's end is start + the spec's WindowSize.
func (s *Window[K, V]) DecodeKey(b []byte) (serde.Windowed[K], error) {
	k, start, err := DecodeWindowKey(b, s.topic, s.key)
	return serde.Windowed[K]{Key: k, Window: serde.Window{Start: start, End: serde.WindowEnd(start, s.h.WindowSize)}}, err
}

// DecodeValue reads a value with its timestamp as Flushed gives it.
func (s *Window[K, V]) DecodeValue(b []byte) (V, int64, error) {
	return decodeTimestamped(s.value, s.topic, b)
}

// DecodeWindowKey reads the key and the window's start out of a window store's key.
func DecodeWindowKey[K any](b []byte, topic string, s serde.Serde[K]) (k K, start int64, err error) {
	if len(b) < 12 {
		return k, 0, fmt.Errorf("state: a window key has 12 bytes or more, not %d", len(b))
	}
	n := len(b) - 12
	k, err = s.Decode(topic, b[:n:n])
	return k, WindowTime(b), err
}

// ScanStarts calls f with each window that starts in [from, to], of all keys, in order of starts. The spec must have ByTime. f must not
// change the store.
func (s *Window[K, V]) ScanStarts(from, to int64, f func(k serde.Windowed[K], v V, ts int64) error) error {
	return scanTimes(s.h, from, to, func(key, value []byte) error {
		k, err := s.DecodeKey(key)
		if err != nil {
			return err
		}
		v, ts, err := s.DecodeValue(value)
		if err != nil {
			return err
		}
		return f(k, v, ts)
	})
}
