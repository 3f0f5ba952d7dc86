package streamstest

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// StoreView is a store of the topology at the level of bytes.
type StoreView struct {
	Name string
	Kind state.Kind
	// Key and Value are the store's serdes: each a serde.Serde of the type that the topology gave it.
	Key, Value any
	// WindowSize is the length of its windows in ms, where it has some.
	WindowSize int64
	// Internal: the store is an operator's own.
	Internal bool
	// Rows are what is in it, caches included, in the order of the store.
	Rows []Row
}

// Row is a row of a store. Key is without the window; Timestamp is -1 in a store that keeps none.
type Row struct {
	Key, Value []byte
	Window     serde.Window // windowed stores
	Timestamp  int64
}

// Open opens a store of the topology, for streams.KeyValueStoreOf and its like: streams.StoreContext. What is put is told to the changelog, with the
// context of the record before; a global store can be written too. Of several partitions it is the first one's.
func (d *Driver) Open(store string) (*operator.Opened, error) {
	for _, t := range d.all() {
		if t.Store(store) != nil {
			return operator.OpenedOf(t, t.Store(store)), nil
		}
	}
	return nil, fmt.Errorf("streamstest: the topology has no store %s", store)
}

// Stores are all stores of the topology, in the order of the topology. The rows of several partitions follow one another.
func (d *Driver) Stores() ([]StoreView, error) {
	var out []StoreView
	for _, t := range d.all() {
		views, err := d.storesOf(t)
		if err != nil {
			return nil, err
		}
		for _, v := range views {
			if i := slices.IndexFunc(out, func(o StoreView) bool { return o.Name == v.Name }); i >= 0 {
				out[i].Rows = append(out[i].Rows, v.Rows...)
			} else {
				out = append(out, v)
			}
		}
	}
	return out, nil
}

func (d *Driver) storesOf(t *task.Task) (out []StoreView, err error) {
	for _, h := range t.Handles() {
		v := StoreView{Name: h.Name, Kind: h.Kind, WindowSize: h.WindowSize, Internal: h.Internal}
		s := d.plan.StoreSerdes(h.Name)
		v.Key, v.Value = s.Key, s.Value
		if h.Kind == state.Versioned {
			out = append(out, v)
			continue // what it holds depends on the time that is asked for
		}
		it := h.Top.Scan(state.AllTime(state.Span{}))
		for it.Next() {
			v.Rows = append(v.Rows, row(h, slices.Clone(it.Key()), it.Value()))
		}
		err := it.Err()
		if err2 := it.Close(); err == nil {
			err = err2
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func row(h *state.Handle, key, value []byte) Row {
	r := Row{Key: key, Value: value, Timestamp: -1}
	switch {
	case h.Kind == state.SessionStore:
		r.Window = state.SessionWindow(key)
		r.Key = key[: len(key)-16 : len(key)-16]
	case h.Kind.Windowed():
		r.Window.Start = state.WindowTime(key)
		r.Window.End = serde.WindowEnd(r.Window.Start, h.WindowSize)
		r.Key = key[: len(key)-12 : len(key)-12]
	}
	if h.Kind.Timestamped() {
		r.Timestamp, r.Value = int64(binary.BigEndian.Uint64(value)), value[8:]
	}
	return r
}

// StoreEntry is a typed row. Window is that of a windowed store.
type StoreEntry[K, V any] struct {
	Key       K
	Value     V
	Window    serde.Window
	Timestamp int64
}

// StoreEntries reads all rows of a store.
func StoreEntries[K, V any](d *Driver, store string, key serde.Serde[K], value serde.Serde[V]) ([]StoreEntry[K, V], error) {
	all, err := d.Stores()
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, func(v StoreView) bool { return v.Name == store })
	if i < 0 {
		var names []string
		for _, v := range all {
			names = append(names, v.Name)
		}
		return nil, fmt.Errorf("streamstest: the topology has no store %q: it has %v", store, names)
	}
	var out []StoreEntry[K, V]
	for _, r := range all[i].Rows {
		e := StoreEntry[K, V]{Window: r.Window, Timestamp: r.Timestamp}
		if e.Key, err = key.Decode(store, r.Key); err != nil {
			return nil, err
		}
		if e.Value, err = value.Decode(store, r.Value); err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}
