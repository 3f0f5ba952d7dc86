package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// JoinWindow keeps the records of one side of a stream-stream join: a window store that retains duplicates, each row with a number of its
// own: Kafka's WindowStore with retainDuplicates.
type JoinWindow[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	seq   *int64
	buf   []byte
}

// NewJoinWindow types an open store. seq is the number of the last row; the caller keeps it with the task, so that rows written after a
// restart never take the place of those before it.
func NewJoinWindow[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V], seq *int64) (*JoinWindow[K, V], error) {
	if h.Kind != WindowStore || !h.Duplicates {
		return nil, fmt.Errorf("state: store %s is a %s store, not a window store with duplicates", h.Name, h.Kind)
	}
	return &JoinWindow[K, V]{h: h, topic: topic, key: key, value: value, seq: seq}, nil
}

// Put adds a row. A null adds none, but the changelog is told of it, under a number of its own, as in Kafka.
func (s *JoinWindow[K, V]) Put(k K, ts int64, v V, null bool) (err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return err
	}
	*s.seq = (*s.seq + 1) & 0x7fffffff
	s.buf = binary.BigEndian.AppendUint64(s.buf, uint64(ts))
	s.buf = binary.BigEndian.AppendUint32(s.buf, uint32(*s.seq))
	if null {
		return s.h.LogNull(s.buf)
	}
	b, err := s.value.Append(nil, s.topic, v)
	if err != nil {
		return err
	}
	if b == nil {
		b = []byte{}
	}
	return s.h.Top.Put(s.buf, b)
}

// Row is a row of a join window.
type Row[V any] struct {
	Time  int64
	Value V
}

// Fetch returns a key's rows with times in [from, to], in order of time, then of Put.
func (s *JoinWindow[K, V]) Fetch(k K, from, to int64) (rows []Row[V], err error) {
	if s.buf, err = s.key.Append(s.buf[:0], s.topic, k); err != nil {
		return nil, err
	}
	n := len(s.buf)
	lo := binary.BigEndian.AppendUint64(slices.Clone(s.buf), uint64(from))
	hi := append(binary.BigEndian.AppendUint64(slices.Clone(s.buf), uint64(to)), 0xff, 0xff, 0xff, 0xff, 0xff)
	it := s.h.Top.Scan(Span{From: lo, To: hi, FromTime: from, ToTime: to})
	defer it.Close()
	for it.Next() {
		key := it.Key()
		if len(key) != n+12 {
			continue // a longer key that starts alike
		}
		v, err := s.value.Decode(s.topic, it.Value())
		if err != nil {
			return nil, err
		}
		rows = append(rows, Row[V]{WindowTime(key), v})
	}
	return rows, it.Err()
}

// Unmatched keeps the records of a left or outer stream-stream join that have found no match yet, in order of time, then side (right
// first), then key: Kafka's outer-join store, a list store over TimestampedKeyAndJoinSide.
type Unmatched[K, V1, V2 any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	left  serde.Serde[V1]
	right serde.Serde[V2]
	list  serde.Serde[[][]byte]
}

// NewUnmatched types an open store.
func NewUnmatched[K, V1, V2 any](h *Handle, topic string, key serde.Serde[K], left serde.Serde[V1], right serde.Serde[V2]) (*Unmatched[K, V1, V2], error) {
	if h.Kind != KeyValue {
		return nil, fmt.Errorf("state: store %s is a %s store, not a key-value one", h.Name, h.Kind)
	}
	return &Unmatched[K, V1, V2]{h, topic, key, left, right, serde.List(serde.Bytes())}, nil
}

// Waiting is an unmatched record, or several of one key, time and side.
type Waiting[K, V1, V2 any] struct {
	raw    []byte
	Time   int64
	IsLeft bool
	Key    K
	Left   []V1
	Right  []V2
}

func (s *Unmatched[K, V1, V2]) encode(k K, ts int64, left bool) ([]byte, error) {
	b := binary.BigEndian.AppendUint64(nil, uint64(ts))
	side := byte(0)
	if left {
		side = 1
	}
	return s.key.Append(append(b, side), s.topic, k)
}

// PutLeft adds a record of the left side.
func (s *Unmatched[K, V1, V2]) PutLeft(k K, ts int64, v V1) error {
	b, err := s.left.Append([]byte{1}, s.topic, v)
	if err != nil {
		return err
	}
	return s.add(k, ts, true, b)
}

// PutRight adds a record of the right side.
func (s *Unmatched[K, V1, V2]) PutRight(k K, ts int64, v V2) error {
	b, err := s.right.Append([]byte{0}, s.topic, v)
	if err != nil {
		return err
	}
	return s.add(k, ts, false, b)
}

func (s *Unmatched[K, V1, V2]) add(k K, ts int64, left bool, value []byte) error {
	key, err := s.encode(k, ts, left)
	if err != nil {
		return err
	}
	var list [][]byte
	old, err := s.h.Top.Get(key)
	if err != nil {
		return err
	}
	if old != nil {
		if list, err = s.list.Decode(s.topic, old); err != nil {
			return err
		}
	}
	b, err := s.list.Append(nil, s.topic, append(list, value))
	if err != nil {
		return err
	}
	return s.h.Top.Put(key, b)
}

// Remove drops what waits of a key, time and side, if anything does.
func (s *Unmatched[K, V1, V2]) Remove(k K, ts int64, left bool) error {
	key, err := s.encode(k, ts, left)
	if err != nil {
		return err
	}
	old, err := s.h.Top.Get(key)
	if err != nil || old == nil {
		return err
	}
	return s.h.Top.Put(key, nil)
}

// Delete drops one that All gave.
func (s *Unmatched[K, V1, V2]) Delete(w *Waiting[K, V1, V2]) error { return s.h.Top.Put(w.raw, nil) }

// All gives what waits, in order, until yield says no.
func (s *Unmatched[K, V1, V2]) All(yield func(w *Waiting[K, V1, V2]) (more bool, err error)) error {
	it := s.h.Top.Scan(Span{})
	defer it.Close()
	for it.Next() {
		w, err := s.decode(it.Key(), it.Value())
		if err != nil {
			return err
		}
		more, err := yield(w)
		if err != nil || !more {
			return err
		}
	}
	return it.Err()
}

func (s *Unmatched[K, V1, V2]) decode(key, value []byte) (*Waiting[K, V1, V2], error) {
	if len(key) < 9 {
		return nil, fmt.Errorf("state: a key of store %s has %d bytes, 9 or more are expected", s.h.Name, len(key))
	}
	w := &Waiting[K, V1, V2]{raw: slices.Clone(key), Time: int64(binary.BigEndian.Uint64(key)), IsLeft: key[8] == 1}
	var err error
	if w.Key, err = s.key.Decode(s.topic, w.raw[9:]); err != nil {
		return nil, err
	}
	list, err := s.list.Decode(s.topic, value)
	if err != nil {
		return nil, err
	}
	for _, b := range list {
		if len(b) == 0 {
			return nil, fmt.Errorf("state: a value of store %s has no side", s.h.Name)
		}
		if b[0] == 1 {
			v, err := s.left.Decode(s.topic, b[1:])
			if err != nil {
				return nil, err
			}
			w.Left = append(w.Left, v)
		} else {
			v, err := s.right.Decode(s.topic, b[1:])
			if err != nil {
				return nil, err
			}
			w.Right = append(w.Right, v)
		}
	}
	return w, nil
}
