package operator

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Windows are aligned windows of Size ms, one every Advance ms (tumbling when they are equal), with a grace period.
type Windows struct {
	Size, Advance, Grace int64
	// Unlimited: one window from Start on, which never ends.
	Unlimited bool
	Start     int64
}

// first is the start of the first window that contains ts.
func (w Windows) first(ts int64) int64 {
	return max(0, ts-w.Size+w.Advance) / w.Advance * w.Advance
}

// Metadata keys under which an operator's own numbers are committed with its task. They follow the processor metadata of Kafka's
// offset commits: a name of ours beside the store names that Kafka uses.
const (
	TimeKey = "kstreamlab.stream-time." // + node: the operator's observed stream time
	DropKey = "kstreamlab.dropped."     // + node: records dropped so far
)

// WindowTable is the half of an aggregation over windows that keeps the table, and sends its changes on: at once, when the cache is
// flushed, or when windows close.
//
// Its stream time is the highest timestamp that this node has seen. In Kafka that starts again at -1 with every restart or move of
// the task; here it is committed with the task's offsets.
//
// KR is the key of the results: serde.Windowed[K], or an interface that holds one. Key makes it.
type WindowTable[K, A, KR any] struct {
	updates[KR, A]
	Key   func(serde.Windowed[K]) KR
	Node  string
	Store string
	Open  OpenWindows[K, A]
	// Size is the windows' size; the largest int64: they never end.
	Size    int64
	SendOld bool
	Final   bool // emit when windows close

	store *state.Window[K, A]
	windowing
}

// Init implements processor.Instance.
func (n *WindowTable[K, A, KR]) Init(t processor.Task) (err error) {
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

func (n *WindowTable[K, A, KR]) flushed(key, value, old []byte) error {
	k, err := n.store.DecodeKey(key)
	if err != nil {
		return err
	}
	k.Window.End = serde.WindowEnd(k.Window.Start, n.Size)
	c, ts, err := decodeChange(n.store.DecodeValue, value, old, n.ctx.Timestamp)
	if err != nil {
		return err
	}
	return n.emit(n.Key(k), c, ts, n.ctx.Headers)
}

// put writes the change of one key's window, and sends it on where that is done at once.
func (n *WindowTable[K, A, KR]) put(k K, start int64, c processor.Change[A], ts int64, headers []broker.Header) (err error) {
	if c.NullNew {
		err = n.store.Delete(k, start)
	} else {
		err = n.store.Put(k, start, c.New, ts)
	}
	if err != nil || n.cached {
		return err
	}
	return n.emit(n.Key(serde.Windowed[K]{Key: k, Window: serde.Window{Start: start, End: serde.WindowEnd(start, n.Size)}}), c, ts, headers)
}

// emitFinal sends on the windows that start in [from, to].
func (n *WindowTable[K, A, KR]) emitFinal(from, to, closed int64, headers []broker.Header) error {
	err := n.store.ScanStarts(from, to, func(k serde.Windowed[K], v A, ts int64) error {
		k.Window.End = serde.WindowEnd(k.Window.Start, n.Size)
		return n.emit(n.Key(k), processor.Change[A]{New: v, NullOld: true}, ts, headers)
	})
	*n.finals.last = closed
	return err
}

// WindowAggregate is count, reduce and aggregate over aligned windows: KStreamWindowAggregate.
type WindowAggregate[K, V, A, KR any] struct {
	WindowTable[K, A, KR]
	Windows     Windows
	Initializer func() (A, error) // nil: a reduce
	Fold        Fold[K, V, A]
}

// Process implements processor.Processor.
func (n *WindowAggregate[K, V, A, KR]) Process(r *processor.Record[K, V]) error {
	if r.NullKey {
		n.Task().Drop(n.Node, "null key")
		return nil
	}
	*n.time = max(*n.time, r.Timestamp)
	if n.Windows.Unlimited {
		if r.Timestamp < n.Windows.Start {
			return nil
		}
		return n.update(r, n.Windows.Start)
	}
	closed := *n.time - n.Windows.Grace
	for start := n.Windows.first(r.Timestamp); start <= r.Timestamp; start += n.Windows.Advance {
		if end := start + n.Windows.Size; end <= closed {
			n.Task().Drop(n.Node, fmt.Sprintf("window [%d,%d) closed at stream time %d", start, end, *n.time))
			continue
		}
		if err := n.update(r, start); err != nil {
			return err
		}
	}
	if n.Final {
		return n.close(closed, r.Headers)
	}
	return nil
}

func (n *WindowAggregate[K, V, A, KR]) update(r *processor.Record[K, V], start int64) error {
	old, oldTime, has, err := n.store.Fetch(r.Key, start)
	if err != nil {
		return err
	}
	c, ts, err := n.fold(n.Initializer, has, old, oldTime, r.Timestamp, func(agg A) (A, error) { return n.Fold(r.Key, r, agg, has) })
	if err != nil {
		return err
	}
	return n.put(r.Key, start, c, ts, r.Headers)
}

// close emits the windows that have closed since the last time.
func (n *WindowAggregate[K, V, A, KR]) close(closed int64, headers []broker.Header) error {
	if !n.finals.due(closed) {
		return nil
	}
	w, last := n.Windows, *n.finals.last
	from, to := int64(0), closed-w.Size
	if to < 0 {
		return nil
	}
	if last != -1 {
		before := max(0, last-w.Size)
		if w.first(to) == w.first(before) && to/w.Advance == before/w.Advance {
			return nil // no other windows have closed
		}
		from = before + 1
	}
	return n.emitFinal(from, to, closed, headers)
}

// OpenWindows types an open window store.
type OpenWindows[K, V any] func(h *state.Handle, changelog string) (*state.Window[K, V], error)

// WindowViewer is the viewer of a table of windows; plain takes its keys apart.
func WindowViewer[K, V, KR any](store string, open OpenWindows[K, V], plain func(KR) serde.Windowed[K]) Viewer[KR, V] {
	return Viewer[KR, V]{Stores: []string{store}, Open: func(t processor.Task) (View[KR, V], error) {
		s, err := open(t.Store(store), t.Changelog(store))
		return windowView[K, V, KR]{s, plain}, err
	}}
}

type windowView[K, V, KR any] struct {
	s     *state.Window[K, V]
	plain func(KR) serde.Windowed[K]
}

func (v windowView[K, V, KR]) Get(k KR) (out Valued[V], err error) {
	w := v.plain(k)
	out.Value, out.Time, out.Has, err = v.s.Fetch(w.Key, w.Window.Start)
	return out, err
}

// ToStream turns a table's changes into records of their new values: KTable.toStream.
type ToStream[K, V any] struct {
	processor.Output[K, V]
	out processor.Record[K, V]
}

// Process implements processor.Processor.
func (n *ToStream[K, V]) Process(r *processor.Record[K, processor.Change[V]]) error {
	n.out = processor.Record[K, V]{Key: r.Key, NullKey: r.NullKey, Value: r.Value.New, NullValue: r.Value.NullNew, Timestamp: r.Timestamp, Headers: r.Headers}
	return n.Forward(&n.out)
}
