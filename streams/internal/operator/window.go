package operator

import (
	"fmt"

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

// WindowAggregate is count, reduce and aggregate over aligned windows: KStreamWindowAggregate with emit on update.
//
// Its stream time is the highest timestamp that this node has seen. In Kafka that starts again at -1 with every restart or move of
// the task; here it is committed with the task's offsets.
//
// KR is the key of the results: serde.Windowed[K], or an interface that holds one. Key makes it.
type WindowAggregate[K, V, A, KR any] struct {
	updates[KR, A]
	Key         func(serde.Windowed[K]) KR
	Node        string
	Store       string
	Open        func(h *state.Handle, changelog string) (*state.Window[K, A], error)
	Windows     Windows
	Initializer func() (A, error) // nil: a reduce
	Fold        Fold[K, V, A]
	SendOld     bool

	store *state.Window[K, A]
	ctx   *processor.RecordContext
	time  *int64
}

// Init implements processor.Instance.
func (n *WindowAggregate[K, V, A, KR]) Init(t processor.Task) (err error) {
	n.sendOld = n.SendOld
	h := t.Store(n.Store)
	if n.store, err = n.Open(h, t.Changelog(n.Store)); err != nil {
		return err
	}
	n.ctx = t.Context()
	n.time = t.Metadata(TimeKey+n.Node, -1)
	if h.Cache != nil {
		n.cached = true
		h.Cache.WantOld = n.SendOld
		h.Cache.OnFlush(n.flushed)
	}
	return n.init(t)
}

func (n *WindowAggregate[K, V, A, KR]) flushed(key, value, old []byte) error {
	k, err := n.store.DecodeKey(key)
	if err != nil {
		return err
	}
	k.Window.End = n.end(k.Window.Start)
	c, ts, err := decodeChange(n.store.DecodeValue, value, old, n.ctx.Timestamp)
	if err != nil {
		return err
	}
	return n.emit(n.Key(k), c, ts, n.ctx.Headers)
}

func (n *WindowAggregate[K, V, A, KR]) end(start int64) int64 {
	if n.Windows.Unlimited {
		return serde.WindowEnd(start, 1<<63-1)
	}
	return serde.WindowEnd(start, n.Windows.Size)
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
	if c.NullNew {
		err = n.store.Delete(r.Key, start)
	} else {
		err = n.store.Put(r.Key, start, c.New, ts)
	}
	if err != nil || n.cached {
		return err
	}
	return n.emit(n.Key(serde.Windowed[K]{Key: r.Key, Window: serde.Window{Start: start, End: n.end(start)}}), c, ts, r.Headers)
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
