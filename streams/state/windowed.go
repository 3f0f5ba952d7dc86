package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// PlainWindow is a window store whose values have no timestamp: Kafka's WindowStore, with duplicates or without.
type PlainWindow[K, V any] struct {
	windowed[K, V]
	seq *int64
}

// NewPlainWindow types an open store. seq is the number of the last row of a store with duplicates; the caller keeps it with the task, so
// that rows written after a restart never take the place of those before it.
func NewPlainWindow[K, V any](h *Handle, topic string, key serde.Serde[K], value serde.Serde[V], seq *int64) (*PlainWindow[K, V], error) {
	if h.Kind != WindowStore {
		return nil, &KindError{h.Name, h.Kind, WindowStore}
	}
	return &PlainWindow[K, V]{windowed[K, V]{h, topic, key, value}, seq}, nil
}

// windowKey is the key of a window: the key, its start, and a number that is 0 without duplicates.
func (s windowed[K, V]) windowKey(k K, start int64, seq uint32) ([]byte, error) {
	b, err := s.key.Append(nil, s.topic, k)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint64(b, uint64(start)), seq), err
}

func (s *PlainWindow[K, V]) next(k K, start int64) ([]byte, error) {
	if !s.h.Duplicates {
		return s.windowKey(k, start, 0)
	}
	*s.seq = (*s.seq + 1) & 0x7fffffff
	return s.windowKey(k, start, uint32(*s.seq))
}

// Put sets the value of a key's window, or adds one where the store has duplicates.
func (s *PlainWindow[K, V]) Put(k K, start int64, v V) error {
	key, err := s.next(k, start)
	if err != nil {
		return err
	}
	b, err := s.value.Append([]byte{}, s.topic, v)
	if err != nil {
		return err
	}
	return s.h.Top.Put(key, b)
}

// Delete removes a key's window. A store with duplicates keeps it, and tells only its changelog, as in Kafka.
func (s *PlainWindow[K, V]) Delete(k K, start int64) error {
	key, err := s.next(k, start)
	if err != nil {
		return err
	}
	if s.h.Duplicates {
		return s.h.LogNull(key)
	}
	return s.h.Top.Put(key, nil)
}

// Get returns the value of a key's window; ok is false where there is none, or it has expired. It is for stores without duplicates.
func (s *PlainWindow[K, V]) Get(k K, start int64) (v V, ok bool, err error) {
	key, err := s.windowKey(k, start, 0)
	if err != nil {
		return v, false, err
	}
	b, err := s.h.Top.Get(key)
	if err != nil || b == nil {
		return v, false, err
	}
	v, err = s.value.Decode(s.topic, b)
	return v, err == nil, err
}

// windowed is what the window stores have in common: walks over several windows.
type windowed[K, V any] struct {
	h     *Handle
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
}

func (s *Window[K, V]) common() windowed[K, V] { return windowed[K, V]{s.h, s.topic, s.key, s.value} }

// Windows walks over the windows of a key that start in [from, to], in order of starts.
func (s *Window[K, V]) Windows(k K, from, to int64, reverse bool) (*Rows[K, V], error) {
	return s.common().windows(k, from, to, Span{Reverse: reverse})
}

// WindowsByRange is Windows, asked for as Kafka's sliding windows do: as a range of keys that is one key.
func (s *Window[K, V]) WindowsByRange(k K, from, to int64, reverse bool) (*Rows[K, V], error) {
	return s.common().windows(k, from, to, Span{Reverse: reverse, Wide: true})
}

// Range walks over the windows of the keys within bounds that start in [from, to].
func (s *Window[K, V]) Range(b Bounds[K], from, to int64) (*Rows[K, V], error) {
	return s.common().Range(b, from, to)
}

// Windows walks over the windows of a key that start in [from, to], in order of starts, then of puts.
func (s windowed[K, V]) Windows(k K, from, to int64, reverse bool) (*Rows[K, V], error) {
	return s.windows(k, from, to, Span{Reverse: reverse})
}

// windows is Windows in the way that sp says.
func (s windowed[K, V]) windows(k K, from, to int64, sp Span) (*Rows[K, V], error) {
	from = max(from, 0)
	lo, err := s.windowKey(k, from, 0)
	if err != nil {
		return nil, err
	}
	if to < from {
		return &Rows[K, V]{it: &rowsIter{}}, nil
	}
	hi := binary.BigEndian.AppendUint64(slices.Clone(lo[:len(lo)-12]), uint64(to)+1)
	sp.From, sp.To, sp.FromTime, sp.ToTime, sp.Key = lo, hi, from, to, lo[:len(lo)-12]
	it := s.h.Top.Scan(sp)
	return &Rows[K, V]{it: it, decode: s.row(func(key []byte) bool { return len(key) == len(lo) })}, nil
}

// Range walks over the windows of the keys within bounds that start in [from, to]. As in Kafka, a store in memory goes by start, then key; a
// persistent one segment by segment, each by key.
func (s windowed[K, V]) Range(b Bounds[K], from, to int64) (*Rows[K, V], error) {
	sp, err := b.span(s.key, s.topic)
	if err != nil {
		return nil, err
	}
	lo, hi := sp.From, sp.To
	sp.To = nil // longer keys that begin with the last one sort between its windows
	sp.FromTime, sp.ToTime = max(from, 0), to
	it := s.h.Top.Scan(sp)
	if s.h.InMemory {
		if it, err = byTime(it, WindowTime, b.Reverse); err != nil {
			return nil, err
		}
	}
	return &Rows[K, V]{it: it, decode: s.row(func(key []byte) bool {
		k := key[:len(key)-12]
		return (lo == nil || bytes.Compare(k, lo) >= 0) && (hi == nil || bytes.Compare(k, hi) < 0)
	})}, nil
}

// byTime reads rows and orders them by a time in their keys.
func byTime(it Iterator, time func(key []byte) int64, reverse bool) (Iterator, error) {
	rows := &rowsIter{}
	for it.Next() {
		rows.rows = append(rows.rows, op{key: slices.Clone(it.Key()), value: it.Value()})
	}
	err := it.Err()
	if err2 := it.Close(); err == nil {
		err = err2
	}
	slices.SortStableFunc(rows.rows, func(a, b op) int {
		c := cmp.Compare(time(a.key), time(b.key))
		if reverse {
			c = -c
		}
		return c
	})
	return rows, err
}

func (s windowed[K, V]) row(wanted func(key []byte) bool) func(k, v []byte) (Entry[K, V], bool, error) {
	return func(k, v []byte) (e Entry[K, V], ok bool, err error) {
		if !wanted(k) {
			return e, false, nil
		}
		e.Time = -1
		if s.h.Kind.Timestamped() {
			e.Time, v = int64(binary.BigEndian.Uint64(v)), v[8:]
		}
		if e.Key, e.Window.Start, err = DecodeWindowKey(slices.Clone(k), s.topic, s.key); err != nil {
			return e, false, err
		}
		e.Window.End = serde.WindowEnd(e.Window.Start, s.h.WindowSize)
		e.Value, err = s.value.Decode(s.topic, v)
		return e, err == nil, err
	}
}
