package state

import (
	"encoding/binary"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Bounds select the keys of a store, both ends inclusive, in the order of their bytes. The zero value selects all.
type Bounds[K any] struct {
	From, To *K // nil: open
	Reverse  bool
}

// span is bounds as a Span of keys that are nothing but the serialized K.
func (b Bounds[K]) span(s serde.Serde[K], topic string) (sp Span, err error) {
	sp = AllTime(Span{Reverse: b.Reverse})
	if b.From != nil {
		if sp.From, err = s.Append([]byte{}, topic, *b.From); err != nil {
			return sp, err
		}
	}
	if b.To != nil {
		if sp.To, err = s.Append([]byte{}, topic, *b.To); err != nil {
			return sp, err
		}
		sp.To = append(sp.To, 0) // the first key after it
	}
	return sp, nil
}

// Rows walks over the rows of a store. It starts before the first; close it. Rows that are put while it is open may or may not be seen.
type Rows[K, V any] struct {
	it     Iterator
	decode func(key, value []byte) (Entry[K, V], bool, error)
	row    Entry[K, V]
	err    error
}

// Entry is a row with everything that a store may know of it: Window for windowed stores, Time for values that have a timestamp (-1: none).
type Entry[K, V any] struct {
	Key    K
	Value  V
	Window serde.Window
	Time   int64
}

// Next moves to the next row; false at the end and after an error.
func (r *Rows[K, V]) Next() bool {
	for r.err == nil && r.it.Next() {
		var ok bool
		if r.row, ok, r.err = r.decode(r.it.Key(), r.it.Value()); ok && r.err == nil {
			return true
		}
	}
	return false
}

// Row is the row that Next moved to.
func (r *Rows[K, V]) Row() Entry[K, V] { return r.row }

// Key is the row's key.
func (r *Rows[K, V]) Key() K { return r.row.Key }

// Value is the row's value.
func (r *Rows[K, V]) Value() V { return r.row.Value }

// Err is what ended the walk early, or nil.
func (r *Rows[K, V]) Err() error {
	if r.err != nil {
		return r.err
	}
	return r.it.Err()
}

// Close ends the walk. It returns what Err does, or the error of closing.
func (r *Rows[K, V]) Close() error {
	err := r.Err()
	if err2 := r.it.Close(); err == nil {
		err = err2
	}
	return err
}

// All reads the rest of the rows, and closes.
func (r *Rows[K, V]) All() ([]Entry[K, V], error) {
	var out []Entry[K, V]
	for r.Next() {
		out = append(out, r.row)
	}
	return out, r.Close()
}

// plainRow reads rows whose keys are nothing but the serialized K.
func plainRow[K, V any](key serde.Serde[K], value serde.Serde[V], topic string, timestamped bool) func(k, v []byte) (Entry[K, V], bool, error) {
	return func(k, v []byte) (r Entry[K, V], ok bool, err error) {
		r.Time = -1
		if timestamped {
			r.Time, v = int64(binary.BigEndian.Uint64(v)), v[8:]
		}
		if r.Key, err = key.Decode(topic, k); err != nil {
			return r, false, err
		}
		r.Value, err = value.Decode(topic, v)
		return r, err == nil, err
	}
}
