package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// SessionTime is the end in a session store's key: key, 8 bytes of end, 8 of start. A session expires by its end.
func SessionTime(key []byte) int64 {
	return int64(binary.BigEndian.Uint64(key[len(key)-16:]))
}

// SessionWindow is the window in a session store's key.
func SessionWindow(key []byte) serde.Window {
	return serde.Window{Start: int64(binary.BigEndian.Uint64(key[len(key)-8:])), End: SessionTime(key)}
}

// Session is a store of sessions: Kafka's SessionStore. Its values have no timestamp.
type Session[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	buf   []byte
	until []byte
	found []Found[V]
}

// Found is a session of a key.
type Found[V any] struct {
	Window serde.Window
	Value  V
}

// NewSession types an open store. topic is its changelog's name, for the serdes.
func NewSession[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (*Session[K, V], error) {
	if h.Kind != SessionStore {
		return nil, fmt.Errorf("state: store %s is a %s store, not a session one", h.Name, h.Kind)
	}
	return &Session[K, V]{h: h, topic: topic, key: key, value: value}, nil
}

// Handle is the store at the level of bytes.
func (s *Session[K, V]) Handle() *Handle { return s.h }

func (s *Session[K, V]) encode(k K, w serde.Window) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(w.End))
	s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(w.Start))
	return nil
}

// Find returns the sessions of a key that end at earliestEnd or later and start at latestStart or earlier, in order of their ends. The
// slice is the store's again at the next call.
func (s *Session[K, V]) Find(k K, earliestEnd, latestStart int64) (_ []Found[V], err error) {
	earliestEnd = max(earliestEnd, 0)
	if err := s.encode(k, serde.Window{End: earliestEnd}); err != nil {
		return nil, err
	}
	n := len(s.buf)
	s.until = append(append(s.until[:0], s.buf[:n-16]...), 0x80) // ends are not negative
	it := s.h.Top.Scan(Span{From: s.buf, To: s.until, FromTime: earliestEnd, ToTime: math.MaxInt64, Key: s.buf[:n-16]})
	s.found = s.found[:0]
	for it.Next() {
		key := it.Key()
		if len(key) != n {
			continue // of a longer key that begins alike
		}
		w := SessionWindow(key)
		if w.Start > latestStart {
			continue
		}
		v, err := s.value.Decode(s.topic, it.Value())
		if err != nil {
			it.Close()
			return nil, err
		}
		s.found = append(s.found, Found[V]{w, v})
	}
	if err = it.Err(); err != nil {
		it.Close()
		return nil, err
	}
	return s.found, it.Close()
}

// Range walks over the sessions of the keys within bounds that end at earliestEnd or later and start at latestStart or earlier: findSessions
// and fetch of a range of keys. As in Kafka, a store in memory goes by end, then key, then start; a persistent one segment by segment, each by
// key, end and start.
func (s *Session[K, V]) Range(b Bounds[K], earliestEnd, latestStart int64) (*Rows[K, V], error) {
	sp, err := b.span(s.key, s.topic)
	if err != nil {
		return nil, err
	}
	lo, hi := sp.From, sp.To
	sp.To = nil // longer keys that begin with the last one sort between its sessions
	sp.FromTime = max(earliestEnd, 0)
	it := s.h.Top.Scan(sp)
	if s.h.InMemory {
		if it, err = byTime(it, SessionTime, b.Reverse); err != nil {
			return nil, err
		}
	}
	return &Rows[K, V]{it: it, decode: func(k, v []byte) (e Entry[K, V], ok bool, err error) {
		key, w := k[:len(k)-16], SessionWindow(k)
		if w.End < earliestEnd || w.Start > latestStart || lo != nil && bytes.Compare(key, lo) < 0 || hi != nil && bytes.Compare(key, hi) >= 0 {
			return e, false, nil
		}
		e.Time, e.Window = -1, w
		if e.Key, err = s.key.Decode(s.topic, slices.Clone(key)); err != nil {
			return e, false, err
		}
		e.Value, err = s.value.Decode(s.topic, v)
		return e, err == nil, err
	}}, nil
}

// Fetch returns one session's value; ok is false where there is none, or it has expired.
func (s *Session[K, V]) Fetch(k K, w serde.Window) (v V, ok bool, err error) {
	if err := s.encode(k, w); err != nil {
		return v, false, err
	}
	b, err := s.h.Top.Get(s.buf)
	if err != nil || b == nil {
		return v, false, err
	}
	v, err = s.value.Decode(s.topic, b)
	return v, err == nil, err
}

// Put sets a session's value.
func (s *Session[K, V]) Put(k K, w serde.Window, v V) error {
	if err := s.encode(k, w); err != nil {
		return err
	}
	b, err := s.value.Append(make([]byte, 0, 16), s.topic, v)
	if err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, b)
}

// Remove deletes a session.
func (s *Session[K, V]) Remove(k K, w serde.Window) error {
	if err := s.encode(k, w); err != nil {
		return err
	}
	return s.h.Top.Put(s.buf, nil)
}

// DecodeKey reads a key as Flushed and Rows give it.
func (s *Session[K, V]) DecodeKey(b []byte) (w serde.Windowed[K], err error) {
	if len(b) < 16 {
		return w, fmt.Errorf("state: a session key has 16 bytes or more, not %d", len(b))
	}
	n := len(b) - 16
	w.Window = SessionWindow(b)
	w.Key, err = s.key.Decode(s.topic, b[:n:n])
	return w, err
}

// DecodeValue reads a value as Flushed gives it.
func (s *Session[K, V]) DecodeValue(b []byte) (V, error) { return s.value.Decode(s.topic, b) }

// ScanEnds calls f with each session that ends in [from, to], in order of ends. The spec must have ByTime. f must not change the store.
func (s *Session[K, V]) ScanEnds(from, to int64, f func(k serde.Windowed[K], v V) error) error {
	return scanTimes(s.h, from, to, func(key, value []byte) error {
		k, err := s.DecodeKey(key)
		if err != nil {
			return err
		}
		v, err := s.DecodeValue(value)
		if err != nil {
			return err
		}
		return f(k, v)
	})
}

func scanTimes(h *Handle, from, to int64, f func(key, value []byte) error) error {
	it := h.ScanTimes(from, to)
	for it.Next() {
		if err := f(it.Key(), it.Value()); err != nil {
			it.Close()
			return err
		}
	}
	if err := it.Err(); err != nil {
		it.Close()
		return err
	}
	return it.Close()
}
