package streams

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Grouped configures a grouping. Given at all, it replaces both inherited serdes, also by nothing, as in Kafka.
type Grouped[K, V any] struct {
	Key   serde.Serde[K]
	Value serde.Serde[V]
	Name  string // of the repartition topic, where there is one
}

// KGroupedStream is a stream whose records are together by key.
type KGroupedStream[K, V any] struct {
	s     *KStream[K, V]
	key   serde.Serde[K]
	value serde.Serde[V]
	name  string
	// through is the repartition topic, once there is one: later aggregations share it where it is named.
	through *graph.Node
}

// GroupByKey groups by the key as it is.
func (s *KStream[K, V]) GroupByKey(opts ...Grouped[K, V]) *KGroupedStream[K, V] {
	g := &KGroupedStream[K, V]{s: s, key: s.key, value: s.value}
	if len(opts) > 0 {
		g.key, g.value, g.name = opts[0].Key, opts[0].Value, opts[0].Name
	}
	return g
}

// GroupBy groups by a new key; the records go through a repartition topic.
func GroupBy[K, V, K2 any](s *KStream[K, V], f func(k K, v V) (K2, error), opts ...Grouped[K2, V]) *KGroupedStream[K2, V] {
	o := first(opts)
	n := step(s, s.b.named(o.Name, "KSTREAM-KEY-SELECT-"), func() processor.Instance { return &operator.SelectKey[K, V, K2]{F: f} }, rekeys)
	re := changed[K, V, K2, V](s, n, nil, s.value, true)
	g := &KGroupedStream[K2, V]{s: re, value: s.value}
	if len(opts) > 0 {
		g.key, g.value, g.name = o.Key, o.Value, o.Name
	}
	return g
}

// Materialized configures a store. The zero value is Kafka's default: named by the builder, persistent, cached and logged.
type Materialized[K, V any] struct {
	Name     string
	Key      serde.Serde[K]
	Value    serde.Serde[V]
	InMemory bool
	// Persistent: on disk, whatever the builder's default is.
	Persistent bool
	NoCaching  bool
	NoLogging  bool
	LogConfig  map[string]string // settings of the changelog topic
	Retention  time.Duration     // windowed stores; 0: size + grace
	// StepName names the node: Kafka's Named beside Materialized.
	StepName string
}

// Windows are aligned windows: TimeWindows and UnlimitedWindows.
type Windows struct{ w operator.Windows }

// TumblingWindows are adjacent windows of size; a window takes records until stream time reaches its end plus grace.
func TumblingWindows(size, grace time.Duration) Windows { return HoppingWindows(size, size, grace) }

// HoppingWindows are windows of size that begin at every multiple of advance.
func HoppingWindows(size, advance, grace time.Duration) Windows {
	return Windows{operator.Windows{Size: size.Milliseconds(), Advance: advance.Milliseconds(), Grace: grace.Milliseconds()}}
}

// UnlimitedWindows is one window from start (ms since the epoch) on.
func UnlimitedWindows(start int64) Windows {
	return Windows{operator.Windows{Unlimited: true, Start: start}}
}

func (w Windows) check(b *Builder) {
	switch o := w.w; {
	case o.Unlimited && o.Start < 0:
		b.illegal("unlimited windows start at %d: the start cannot be negative", o.Start)
	case o.Unlimited:
	case o.Size <= 0:
		b.illegal("window size %d ms: it must be larger than 0", o.Size)
	case o.Advance <= 0 || o.Advance > o.Size:
		b.illegal("window advance %d ms: it must be larger than 0 and at most the size, %d ms", o.Advance, o.Size)
	case o.Grace < 0:
		b.illegal("window grace %d ms: it cannot be negative", o.Grace)
	}
}

// TimeWindowedKStream is a grouped stream cut into windows.
type TimeWindowedKStream[K, V any] struct {
	g *KGroupedStream[K, V]
	w Windows
}

// WindowedBy cuts the stream into windows.
func (g *KGroupedStream[K, V]) WindowedBy(w Windows) *TimeWindowedKStream[K, V] {
	w.check(g.s.b)
	return &TimeWindowedKStream[K, V]{g, w}
}

// Grouping is a grouped stream, with windows or without: KGroupedStream or TimeWindowedKStream. KR is the key of its aggregates: K, or
// serde.Windowed[K].
type Grouping[K, V, KR any] interface {
	grouping() (g *KGroupedStream[K, V], w *windowing[K, KR])
}

// windowing is how windows are cut, and how keys with a window are made and written; nil: there are no windows.
type windowing[K, KR any] struct {
	Windows
	key   func(serde.Windowed[K]) KR
	plain func(KR) serde.Windowed[K]
	serde func(inner serde.Serde[K], size int64) serde.Serde[KR]
}

func (g *KGroupedStream[K, V]) grouping() (*KGroupedStream[K, V], *windowing[K, K]) {
	return g, nil
}

func (t *TimeWindowedKStream[K, V]) grouping() (*KGroupedStream[K, V], *windowing[K, serde.Windowed[K]]) {
	same := func(k serde.Windowed[K]) serde.Windowed[K] { return k }
	return t.g, &windowing[K, serde.Windowed[K]]{t.w, same, same, serde.TimeWindowed[K]}
}

// Count counts the records of each key (and window). Without windows, records with a null value do not count, as in Kafka.
func Count[K, V, KR any](in Grouping[K, V, KR], opts ...Materialized[K, int64]) *KTable[KR, int64] {
	g, _ := in.grouping()
	return aggregate(in, countOption(g.s.b, opts), "KSTREAM-AGGREGATE-", zero, count[K, V])
}

// Reduce combines the values of each key (and window); the first value stands as it is.
func Reduce[K, V, KR any](in Grouping[K, V, KR], f func(agg, v V) (V, error), opts ...Materialized[K, V]) *KTable[KR, V] {
	g, _ := in.grouping()
	return aggregate(in, inherit(first(opts), nil, g.value), "KSTREAM-REDUCE-", nil, reduce[K](f))
}

// Aggregate folds the values of each key (and window) into an aggregate that begins as init says.
func Aggregate[K, V, KR, A any](in Grouping[K, V, KR], init func() (A, error), f func(k K, v V, agg A) (A, error), opts ...Materialized[K, A]) *KTable[KR, A] {
	return aggregate(in, first(opts), "KSTREAM-AGGREGATE-", init, folded(f))
}

// countOption burns a number where a Materialized without a name is given, as Kafka's count does.
func countOption[K any](b *Builder, opts []Materialized[K, int64]) Materialized[K, int64] {
	m := first(opts)
	if len(opts) > 0 && !m.onlyNamed() {
		burn(b, m.Name)
	}
	if m.Value == nil {
		m.Value = serde.Long()
	}
	return m
}

// onlyNamed says that there is nothing but a name for the step: Kafka's form with Named and without Materialized.
func (m *Materialized[K, V]) onlyNamed() bool {
	return m.StepName != "" && m.Name == "" && m.Key == nil && m.Value == nil && !m.InMemory && !m.Persistent && !m.NoCaching && !m.NoLogging &&
		m.LogConfig == nil && m.Retention == 0
}

func burn(b *Builder, store string) {
	if store == "" {
		b.g.NewName("")
	}
}

func inherit[K, V any](m Materialized[K, V], key serde.Serde[K], value serde.Serde[V]) Materialized[K, V] {
	if m.Key == nil {
		m.Key = key
	}
	if m.Value == nil {
		m.Value = value
	}
	return m
}

func zero() (int64, error) { return 0, nil }

func count[K, V any](_ K, _ *processor.Record[K, V], n int64, _ bool) (int64, error) {
	return n + 1, nil
}

func reduce[K, V any](f func(agg, v V) (V, error)) operator.Fold[K, V, V] {
	return func(_ K, r *processor.Record[K, V], agg V, has bool) (V, error) {
		if !has {
			return r.Value, nil
		}
		return f(agg, r.Value)
	}
}

func folded[K, V, A any](f func(k K, v V, agg A) (A, error)) operator.Fold[K, V, A] {
	return func(k K, r *processor.Record[K, V], agg A, _ bool) (A, error) { return f(k, r.Value, agg) }
}

// plan names store and node, inserts the repartition topic where one is due, and adds the stateful step.
func plan[K, V, A any](g *KGroupedStream[K, V], m Materialized[K, A], prefix string, spec state.Spec, make func(node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A]) func() processor.Instance) (*graph.Node, *KStream[K, V], *state.Spec) {
	b := g.s.b
	b.check(m.Name)
	spec.Name = m.Name
	if spec.Name == "" {
		spec.Name = b.g.NewName(prefix + "STATE-STORE-")
		b.unnamed("store", spec.Name)
	}
	spec.InMemory, spec.Caching, spec.Logging, spec.LogConfig = m.InMemory || b.InMemory && !m.Persistent, !m.NoCaching, !m.NoLogging, m.LogConfig
	node := b.named(m.StepName, prefix)
	from := g.grouped(spec.Name, m.Name == "")
	key := need(b, m.Key, b.DefaultKeySerde, node, "key")
	value := need(b, m.Value, b.DefaultValueSerde, node, "value")
	instance := make(node, &spec, key, value)
	n := b.g.Add(&graph.Node{Name: node, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: node, Parents: parents, New: instance})
		tb.AddStore(&spec, node)
		tb.StoreSerdes(spec.Name, key, value)
	}}, from.node)
	return n, from, &spec
}

// grouped is the stream to aggregate: behind a repartition topic, where the key may have changed. The topic is named after the grouping,
// or else after the store. Aggregations of one named grouping share it; the numbers of its nodes are used up each time, as in Kafka.
func (g *KGroupedStream[K, V]) grouped(store string, generated bool) *KStream[K, V] {
	if !g.s.repartition {
		return g.s
	}
	base := g.name
	if base == "" {
		base = store
		if generated {
			g.s.b.unnamed("repartition topic", store+"-repartition")
		}
	}
	if g.through == nil || g.name == "" {
		g.through = g.s.mergeable(base, g.key, g.value)
	} else {
		g.s.b.repartitionNames(base, base)
	}
	g.s.b.g.Add(g.through, g.s.node)
	return &KStream[K, V]{b: g.s.b, node: g.through, name: g.through.Name, key: g.key, value: g.value, sources: []*graph.Node{g.through}}
}

func aggregate[K, V, KR, A any](in Grouping[K, V, KR], m Materialized[K, A], prefix string, init func() (A, error), fold operator.Fold[K, V, A]) *KTable[KR, A] {
	g, w := in.grouping()
	m = inherit(m, g.key, nil)
	if w != nil {
		return aggregateWindows(g, w, m, prefix, init, fold)
	}
	return any(aggregateKeys(g, m, prefix, init, fold)).(*KTable[KR, A]) // without windows KR is K
}

func aggregateKeys[K, V, A any](g *KGroupedStream[K, V], m Materialized[K, A], prefix string, init func() (A, error), fold operator.Fold[K, V, A]) *KTable[K, A] {
	table := aggregateTable[K, A]{old: new(bool)}
	n, from, _ := plan(g, m, prefix, state.Spec{Kind: state.TimestampedKeyValue}, func(node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A]) func() processor.Instance {
		open := func(h *state.Handle, topic string) (*state.Timestamped[K, A], error) {
			return state.NewTimestamped(h, topic, key, value)
		}
		table.view = operator.StoreViewer(spec.Name, open)
		return func() processor.Instance {
			return &operator.Aggregate[K, V, A]{Node: node, Store: spec.Name, Initializer: init, Fold: fold, Open: open, SendOld: *table.old}
		}
	})
	return &KTable[K, A]{b: g.s.b, node: n, name: n.Name, key: m.Key, value: m.Value, sources: from.sources, from: table}
}

func aggregateWindows[K, V, KR, A any](g *KGroupedStream[K, V], wk *windowing[K, KR], m Materialized[K, A], prefix string, init func() (A, error), fold operator.Fold[K, V, A]) *KTable[KR, A] {
	b, w := g.s.b, wk.w
	spec := state.Spec{Kind: state.TimestampedWindow, Retention: m.Retention.Milliseconds(), WindowSize: w.Size}
	if w.Unlimited {
		spec.Retention, spec.WindowSize = 1<<63-1, 1<<63-1
	}
	if least := w.Size + w.Grace; spec.Retention == 0 {
		spec.Retention = least
	} else if spec.Retention < least {
		b.illegal("the retention of window store %q is %d ms: it must be no smaller than window size plus grace, %d ms", m.Name, spec.Retention, least)
	}
	of := aggregateTable[KR, A]{old: new(bool)}
	n, from, made := plan(g, m, prefix, spec, func(node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A]) func() processor.Instance {
		open := func(h *state.Handle, topic string) (*state.Window[K, A], error) {
			return state.NewWindow(h, topic, key, value)
		}
		of.view = operator.WindowViewer(spec.Name, open, wk.plain)
		return func() processor.Instance {
			return &operator.WindowAggregate[K, V, A, KR]{Key: wk.key, Node: node, Store: spec.Name, Windows: w, Initializer: init, Fold: fold, Open: open,
				SendOld: *of.old}
		}
	})
	table := &KTable[KR, A]{b: b, node: n, name: n.Name, value: m.Value, sources: from.sources, from: of}
	if m.Key != nil {
		table.key = wk.serde(m.Key, made.WindowSize)
	}
	return table
}
