package operator

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Merge is how two sessions' aggregates become one. Without has, left is null.
type Merge[K, A any] func(k K, left A, has bool, right A) (A, error)

// OpenSessions types an open session store.
type OpenSessions[K, V any] func(h *state.Handle, changelog string) (*state.Session[K, V], error)

// SessionAggregate is count, reduce and aggregate over sessions: KStreamSessionWindowAggregate. A session is a run of records no more
// than Gap apart; a record that comes between two makes one of them. The result's timestamp is the session's end.
//
// Its stream time is committed with the task, as a WindowTable's is. KR and Key are as there.
type SessionAggregate[K, V, A, KR any] struct {
	updates[KR, A]
	Key         func(serde.Windowed[K]) KR
	Node        string
	Store       string
	Open        OpenSessions[K, A]
	Gap, Grace  int64
	Initializer func() (A, error) // nil: a reduce
	Fold        Fold[K, V, A]
	Merge       Merge[K, A]
	SendOld     bool
	Final       bool // emit when sessions close

	store *state.Session[K, A]
	windowing
}

// Init implements processor.Instance.
func (n *SessionAggregate[K, V, A, KR]) Init(t processor.Task) (err error) {
	n.sendOld = n.SendOld
	h := t.Store(n.Store)
	if n.store, err = n.Open(h, t.Changelog(n.Store)); err != nil {
		return err
	}
	if n.windowing.start(t, n.Node); n.Final {
		n.cached = true // nothing is sent on at once
		n.finals.init(t, n.Store)
	} else {
		n.keep(h, n.flushed)
	}
	return n.init(t)
}

func (n *SessionAggregate[K, V, A, KR]) flushed(key, value, old []byte) error {
	k, err := n.store.DecodeKey(key)
	if err != nil {
		return err
	}
	c := processor.Change[A]{NullNew: value == nil, NullOld: old == nil}
	if value != nil {
		if c.New, err = n.store.DecodeValue(value); err != nil {
			return err
		}
	}
	if old != nil {
		if c.Old, err = n.store.DecodeValue(old); err != nil {
			return err
		}
	}
	return n.emit(n.Key(k), c, k.Window.End, n.ctx.Headers)
}

// Process implements processor.Processor.
func (n *SessionAggregate[K, V, A, KR]) Process(r *processor.Record[K, V]) error {
	if r.NullKey {
		n.Task().Drop(n.Node, "null key")
		return nil
	}
	*n.time = max(*n.time, r.Timestamp)
	closed := *n.time - n.Grace - n.Gap
	found, w, agg, has, err := n.merged(r)
	if err != nil {
		return err
	}
	if w.End < closed {
		n.Task().Drop(n.Node, fmt.Sprintf("session [%d,%d] closed at stream time %d", w.Start, w.End, *n.time))
	} else {
		if w.Start != r.Timestamp || w.End != r.Timestamp {
			if err := n.retract(r.Key, found); err != nil {
				return err
			}
		}
		if err := n.put(r, w, agg, has); err != nil {
			return err
		}
	}
	if n.Final {
		return n.close(closed, r.Headers)
	}
	return nil
}

// merged is the session that the record is in, without the record itself, and the ones that it is made of.
func (n *SessionAggregate[K, V, A, KR]) merged(r *processor.Record[K, V]) (found []state.Found[A], w serde.Window, agg A, has bool, err error) {
	w = serde.Window{Start: r.Timestamp, End: r.Timestamp}
	if n.Initializer != nil {
		if agg, err = n.Initializer(); err != nil {
			return found, w, agg, has, err
		}
		has = !n.nullValue(&agg)
	}
	if found, err = n.store.Find(r.Key, r.Timestamp-n.Gap, r.Timestamp+n.Gap); err != nil {
		return found, w, agg, has, err
	}
	for i := range found {
		if agg, err = n.Merge(r.Key, agg, has, found[i].Value); err != nil {
			return found, w, agg, has, err
		}
		has = !n.nullValue(&agg)
		w.Start, w.End = min(w.Start, found[i].Window.Start), max(w.End, found[i].Window.End)
	}
	return found, w, agg, has, nil
}

// retract deletes sessions that have become part of another.
func (n *SessionAggregate[K, V, A, KR]) retract(k K, found []state.Found[A]) error {
	for i := range found {
		w := found[i].Window
		if err := n.store.Remove(k, w); err != nil {
			return err
		}
		key := n.Key(serde.Windowed[K]{Key: k, Window: w})
		if err := n.forward(key, processor.Change[A]{Old: found[i].Value, NullNew: true}, w.End, nil); err != nil {
			return err
		}
	}
	return nil
}

func (n *SessionAggregate[K, V, A, KR]) put(r *processor.Record[K, V], w serde.Window, agg A, has bool) (err error) {
	c := processor.Change[A]{NullOld: true}
	if c.New, err = n.Fold(r.Key, r, agg, has); err != nil {
		return err
	}
	if c.NullNew = n.nullValue(&c.New); c.NullNew {
		err = n.store.Remove(r.Key, w)
	} else {
		err = n.store.Put(r.Key, w, c.New)
	}
	if err != nil {
		return err
	}
	return n.forward(n.Key(serde.Windowed[K]{Key: r.Key, Window: w}), c, w.End, nil)
}

// close emits the sessions that have closed since the last time.
func (n *SessionAggregate[K, V, A, KR]) close(closed int64, headers []broker.Header) error {
	if !n.finals.due(closed) || closed < 1 {
		return nil
	}
	from := max(0, *n.finals.last)
	if closed-1 < from {
		return nil
	}
	err := n.store.ScanEnds(from, closed-1, func(k serde.Windowed[K], v A) error {
		return n.emit(n.Key(k), processor.Change[A]{New: v, NullOld: true}, k.Window.End, headers)
	})
	*n.finals.last = closed
	return err
}

// SessionViewer is the viewer of a table of sessions; plain takes its keys apart.
func SessionViewer[K, V, KR any](store string, open OpenSessions[K, V], plain func(KR) serde.Windowed[K]) Viewer[KR, V] {
	return Viewer[KR, V]{Stores: []string{store}, Open: func(t processor.Task) (View[KR, V], error) {
		s, err := open(t.Store(store), t.Changelog(store))
		return sessionView[K, V, KR]{s, plain}, err
	}}
}

type sessionView[K, V, KR any] struct {
	s     *state.Session[K, V]
	plain func(KR) serde.Windowed[K]
}

func (v sessionView[K, V, KR]) Get(k KR) (out Valued[V], err error) {
	w := v.plain(k)
	out.Time = w.Window.End
	out.Value, out.Has, err = v.s.Fetch(w.Key, w.Window)
	return out, err
}
