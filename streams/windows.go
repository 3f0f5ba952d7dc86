package streams

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Windows are how a stream is cut into windows: made by TumblingWindows, HoppingWindows, SlidingWindows, SessionWindows or
// UnlimitedWindows.
type Windows struct {
	w    operator.Windows
	kind windowKind
}

type windowKind int8

const (
	aligned  windowKind = iota // tumbling, hopping, unlimited
	sliding                    // w.Size is the time difference
	sessions                   // w.Size is the inactivity gap
)

// TumblingWindows are adjacent windows of size; a window takes records until stream time reaches its end plus grace.
func TumblingWindows(size, grace time.Duration) Windows { return HoppingWindows(size, size, grace) }

// HoppingWindows are windows of size that begin at every multiple of advance.
func HoppingWindows(size, advance, grace time.Duration) Windows {
	return Windows{operator.Windows{Size: size.Milliseconds(), Advance: advance.Milliseconds(), Grace: grace.Milliseconds()}, aligned}
}

// SlidingWindows are windows as long as difference, both ends included, that begin or end at the records themselves: two records of a key
// that are at most difference apart share one. A window takes records until stream time is past its end plus grace.
func SlidingWindows(difference, grace time.Duration) Windows {
	return Windows{operator.Windows{Size: difference.Milliseconds(), Grace: grace.Milliseconds()}, sliding}
}

// SessionWindows are runs of records of a key that are at most gap apart, from the first to the last, both included. A record that comes
// between two sessions makes one of them. A session takes records until stream time is past its end plus gap plus grace.
func SessionWindows(gap, grace time.Duration) Windows {
	return Windows{operator.Windows{Size: gap.Milliseconds(), Grace: grace.Milliseconds()}, sessions}
}

// UnlimitedWindows is one window from start (ms since the epoch) on.
func UnlimitedWindows(start int64) Windows {
	return Windows{operator.Windows{Unlimited: true, Start: start}, aligned}
}

func (w Windows) check(b *Builder) {
	switch o := w.w; {
	case o.Unlimited && o.Start < 0:
		b.illegal("unlimited windows start at %d: the start cannot be negative", o.Start)
	case o.Unlimited:
	case w.kind == sliding && o.Size < 0:
		b.illegal("time difference %d ms of sliding windows: it cannot be negative", o.Size)
	case w.kind == sessions && o.Size < 0:
		b.illegal("inactivity gap %d ms of sessions: it cannot be negative", o.Size)
	case w.kind == aligned && o.Size <= 0:
		b.illegal("window size %d ms: it must be larger than 0", o.Size)
	case w.kind == aligned && (o.Advance <= 0 || o.Advance > o.Size):
		b.illegal("window advance %d ms: it must be larger than 0 and at most the size, %d ms", o.Advance, o.Size)
	case o.Grace < 0:
		b.illegal("window grace %d ms: it cannot be negative", o.Grace)
	}
}

// retention is how long a store must keep windows.
func (w Windows) retention() int64 {
	switch {
	case w.w.Unlimited:
		return 1<<63 - 1
	case w.kind == sliding:
		return 2*w.w.Size + w.w.Grace
	}
	return w.w.Size + w.w.Grace
}

// grace is how long after a window's end it takes records.
func (w Windows) grace() int64 {
	if w.kind == sessions {
		return w.w.Size + w.w.Grace
	}
	return w.w.Grace
}

// size is the length of a window; the largest int64 where it has no end, and 0 for sessions, which have no fixed one.
func (w Windows) size() int64 {
	switch {
	case w.w.Unlimited:
		return 1<<63 - 1
	case w.kind == sessions:
		return 0
	}
	return w.w.Size
}

// EmitStrategy says when the results of windows are sent on.
type EmitStrategy int8

// The strategies.
const (
	// OnWindowUpdate sends each update, or the last one between two flushes of the store's cache.
	OnWindowUpdate EmitStrategy = iota
	// OnWindowClose sends one result of each window, when it is closed and a record comes.
	OnWindowClose
)

// emit refuses a strategy that the windows cannot have.
func (w Windows) emit(b *Builder, e EmitStrategy) {
	if e == OnWindowClose && w.w.Unlimited {
		b.illegal("unlimited windows never close: they cannot emit on window close")
	}
}

// WindowedKStream is a grouped stream cut into windows: TimeWindowedKStream, SessionWindowedKStream.
type WindowedKStream[K, V any] struct {
	g *KGroupedStream[K, V]
	w Windows
	e EmitStrategy
}

// WindowedBy cuts the stream into windows.
func (g *KGroupedStream[K, V]) WindowedBy(w Windows) *WindowedKStream[K, V] {
	w.check(g.s.b)
	return &WindowedKStream[K, V]{g: g, w: w}
}

// EmitStrategy is the same stream with another strategy; OnWindowUpdate is the default.
func (t *WindowedKStream[K, V]) EmitStrategy(e EmitStrategy) *WindowedKStream[K, V] {
	t.w.emit(t.g.s.b, e)
	return &WindowedKStream[K, V]{t.g, t.w, e}
}

// Grouping is a grouped stream, with windows or without: KGroupedStream or WindowedKStream. KR is the key of its aggregates: K, or
// serde.Windowed[K].
type Grouping[K, V, KR any] interface {
	grouping() (g *KGroupedStream[K, V], w *windowing[K, KR])
}

// windowing is how windows are cut, and how keys with a window are made and written; nil: there are no windows.
type windowing[K, KR any] struct {
	Windows
	emit  EmitStrategy
	key   func(serde.Windowed[K]) KR
	plain func(KR) serde.Windowed[K]
	serde func(inner serde.Serde[K]) serde.Serde[KR]
}

func (g *KGroupedStream[K, V]) grouping() (*KGroupedStream[K, V], *windowing[K, K]) {
	return g, nil
}

func (t *WindowedKStream[K, V]) grouping() (*KGroupedStream[K, V], *windowing[K, serde.Windowed[K]]) {
	return t.g, plainWindows[K](t.w, t.e)
}

func plainWindows[K any](w Windows, e EmitStrategy) *windowing[K, serde.Windowed[K]] {
	same := func(k serde.Windowed[K]) serde.Windowed[K] { return k }
	return &windowing[K, serde.Windowed[K]]{w, e, same, same, windowedSerde[K](w)}
}

// windowedSerde is the serde of keys with such windows.
func windowedSerde[K any](w Windows) func(inner serde.Serde[K]) serde.Serde[serde.Windowed[K]] {
	return func(inner serde.Serde[K]) serde.Serde[serde.Windowed[K]] {
		if w.kind == sessions {
			return serde.SessionWindowed(inner)
		}
		return serde.TimeWindowed(inner, w.size())
	}
}

// windowStore is what keeps the windows: its spec, and the option with what does not go together switched off.
func windowStore[K, KR, A any](b *Builder, w *windowing[K, KR], m Materialized[K, A]) (state.Spec, Materialized[K, A]) {
	spec := state.Spec{Kind: state.TimestampedWindow, Retention: m.Retention.Milliseconds(), WindowSize: w.size(), ByTime: w.emit == OnWindowClose}
	if w.kind == sessions {
		spec.Kind = state.SessionStore
	}
	if m.versioned() && b.missing == nil {
		b.missing = &WindowHistoryError{m.Name}
	}
	if m.Retention != 0 && spec.Retention == 0 {
		spec.Retention = -1 // less than a millisecond, and not the default
	}
	if least := w.retention(); spec.Retention == 0 {
		spec.Retention = least
	} else if spec.Retention < least {
		b.illegal("the retention of window store %q is %d ms: these windows need %d ms, or more", m.Name, spec.Retention, least)
	}
	if w.emit == OnWindowClose && w.kind != aligned {
		m.NoCaching = true
	}
	return spec, m
}

// WindowHistoryError is a windowed table that is to be versioned.
type WindowHistoryError struct{ Store string }

func (e *WindowHistoryError) Error() string {
	return fmt.Sprintf("streams: store %q is one of windows, and cannot be versioned: leave History out", e.Store)
}

// Class is Kafka's name of the error kind.
func (e *WindowHistoryError) Class() string { return "java.lang.ClassCastException" }

// windowAggregator makes the nodes that aggregate windows into a store, and the viewer of their table.
func windowAggregator[K, V, KR, A any](w *windowing[K, KR], f aggregation[K, V, A], node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A], old *bool) (func() aggregator[K, V], operator.Viewer[KR, A]) {
	final, o := w.emit == OnWindowClose, w.w
	if w.kind == sessions {
		open := func(h *state.Handle, topic string) (*state.Session[K, A], error) {
			return state.NewSession(h, topic, key, value)
		}
		return func() aggregator[K, V] {
			return &operator.SessionAggregate[K, V, A, KR]{Key: w.key, Node: node, Store: spec.Name, Open: open, Gap: o.Size, Grace: o.Grace,
				Initializer: f.init, Fold: f.fold, Merge: f.merge, SendOld: *old, Final: final}
		}, operator.SessionViewer(spec.Name, open, w.plain)
	}
	open := func(h *state.Handle, topic string) (*state.Window[K, A], error) {
		return state.NewWindow(h, topic, key, value)
	}
	return func() aggregator[K, V] {
		t := operator.WindowTable[K, A, KR]{Key: w.key, Node: node, Store: spec.Name, Open: open, Size: w.size(), SendOld: *old, Final: final}
		if w.kind == sliding {
			return &operator.SlidingAggregate[K, V, A, KR]{WindowTable: t, Grace: o.Grace, Initializer: f.init, Fold: f.fold}
		}
		return &operator.WindowAggregate[K, V, A, KR]{WindowTable: t, Windows: o, Initializer: f.init, Fold: f.fold}
	}, operator.WindowViewer(spec.Name, open, w.plain)
}

// aggregator is a node that aggregates records.
type aggregator[K, V any] interface {
	processor.Instance
	processor.Processor[K, V]
}

func aggregateWindows[K, V, KR, A any](g *KGroupedStream[K, V], w *windowing[K, KR], m Materialized[K, A], prefix string, f aggregation[K, V, A]) *KTable[KR, A] {
	b := g.s.b
	spec, m := windowStore(b, w, m)
	of := aggregateTable[KR, A]{old: new(bool)}
	n, from, _ := plan(g, m, prefix, spec, func(node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A]) func() processor.Instance {
		instance, view := windowAggregator(w, f, node, spec, key, value, of.old)
		of.view = view
		return func() processor.Instance { return instance() }
	})
	grace := w.grace()
	n.Grace = &grace
	table := &KTable[KR, A]{b: b, node: n, name: n.Name, value: m.Value, queryable: m.Name, sources: from.sources, from: of}
	if key := keyOf(b, m.Key); key != nil {
		table.key = w.serde(key)
	}
	return table
}

// AggregateSessions is Aggregate for sessions: merge makes one aggregate of two, when a record joins their sessions.
func AggregateSessions[K, V, KR, A any](in Grouping[K, V, KR], init func() (A, error), f func(k K, v V, agg A) (A, error), merge func(k K, left, right A) (A, error), opts ...Materialized[K, A]) *KTable[KR, A] {
	g, w := in.grouping()
	if w == nil || w.kind != sessions {
		g.s.b.illegal("nothing but sessions is merged: use Aggregate")
	}
	return aggregate(in, first(opts), "KSTREAM-AGGREGATE-", aggregation[K, V, A]{init, folded(f), merged(merge)})
}

func merged[K, A any](f func(k K, left, right A) (A, error)) operator.Merge[K, A] {
	return func(k K, left A, _ bool, right A) (A, error) { return f(k, left, right) }
}

// mergeReduced merges sessions of a reduce.
func mergeReduced[K, V any](f func(agg, v V) (V, error)) operator.Merge[K, V] {
	return func(_ K, left V, has bool, right V) (V, error) {
		if !has {
			return right, nil
		}
		return f(left, right)
	}
}

func sum[K any](_ K, x int64, _ bool, y int64) (int64, error) { return x + y, nil }
