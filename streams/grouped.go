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
	// History makes it a versioned store, whose earlier versions can be seen that far back; 0: it is not versioned, unless Versioned says so.
	// It has no cache then.
	History time.Duration
	// Versioned makes it a versioned store also where History is 0: one that takes nothing older than the newest record it has seen.
	Versioned bool
	// Configured is Kafka's form with Materialized also where no other field is set but StepName: a store with a generated name.
	Configured bool
	// StepName names the node: Kafka's Named beside Materialized.
	StepName string
}

// Count counts the records of each key (and window). Without windows, records with a null value do not count, as in Kafka.
func Count[K, V, KR any](in Grouping[K, V, KR], opts ...Materialized[K, int64]) *KTable[KR, int64] {
	g, w := in.grouping()
	return aggregate(in, countOption(g.s.b, opts, burns(w)), "KSTREAM-AGGREGATE-", aggregation[K, V, int64]{zero, count[K, V], sum[K]})
}

// Reduce combines the values of each key (and window); the first value stands as it is.
func Reduce[K, V, KR any](in Grouping[K, V, KR], f func(agg, v V) (V, error), opts ...Materialized[K, V]) *KTable[KR, V] {
	g, _ := in.grouping()
	return aggregate(in, inherit(first(opts), nil, g.value), "KSTREAM-REDUCE-", aggregation[K, V, V]{nil, reduce[K](f), mergeReduced[K](f)})
}

// Aggregate folds the values of each key (and window) into an aggregate that begins as init says. For sessions see AggregateSessions.
func Aggregate[K, V, KR, A any](in Grouping[K, V, KR], init func() (A, error), f func(k K, v V, agg A) (A, error), opts ...Materialized[K, A]) *KTable[KR, A] {
	g, w := in.grouping()
	if w != nil && w.kind == sessions {
		g.s.b.illegal("sessions merge, and Aggregate does not know how: use AggregateSessions")
	}
	return aggregate(in, first(opts), "KSTREAM-AGGREGATE-", aggregation[K, V, A]{init: init, fold: folded(f)})
}

// countOption burns a number where a Materialized without a name is given, as Kafka's count does.
func countOption[K any](b *Builder, opts []Materialized[K, int64], burns bool) Materialized[K, int64] {
	m := first(opts)
	if burns && len(opts) > 0 && !m.onlyNamed() {
		burn(b, m.Name)
	}
	if m.Value == nil {
		m.Value = serde.Long()
	}
	return m
}

// onlyNamed says that there is nothing but a name for the step: Kafka's form with Named and without Materialized.
func (m *Materialized[K, V]) onlyNamed() bool {
	return m.StepName != "" && !m.configured()
}

// configured says that there is anything about the store.
func (m *Materialized[K, V]) configured() bool {
	return m.Configured || m.Name != "" || m.Key != nil || m.Value != nil || m.InMemory || m.Persistent || m.NoCaching || m.NoLogging ||
		m.LogConfig != nil || m.Retention != 0 || m.versioned()
}

// versioned says that the store is a versioned one.
func (m *Materialized[K, V]) versioned() bool { return m.Versioned || m.History != 0 }

// kind is that of the store of a table without windows.
func (m *Materialized[K, V]) kind() state.Kind {
	if m.versioned() {
		return state.Versioned
	}
	return state.TimestampedKeyValue
}

// burns says whether Kafka's count burns a number: that of sliding windows, which came later, does not.
func burns[K, KR any](w *windowing[K, KR]) bool { return w == nil || w.kind != sliding }

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
	versions := spec.Kind == state.Versioned
	n := b.g.Add(&graph.Node{Name: node, Versioned: &versions, Write: func(tb *topology.Builder, parents []string) {
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

// aggregation is what an aggregating step does: without init it is a reduce; merge is for sessions.
type aggregation[K, V, A any] struct {
	init  func() (A, error)
	fold  operator.Fold[K, V, A]
	merge operator.Merge[K, A]
}

func aggregate[K, V, KR, A any](in Grouping[K, V, KR], m Materialized[K, A], prefix string, f aggregation[K, V, A]) *KTable[KR, A] {
	g, w := in.grouping()
	m = inherit(m, g.key, nil)
	if w != nil {
		return aggregateWindows(g, w, m, prefix, f)
	}
	return any(aggregateKeys(g, m, prefix, f)).(*KTable[KR, A]) // without windows KR is K
}

func aggregateKeys[K, V, A any](g *KGroupedStream[K, V], m Materialized[K, A], prefix string, f aggregation[K, V, A]) *KTable[K, A] {
	table := aggregateTable[K, A]{old: new(bool)}
	n, from, _ := plan(g, m, prefix, state.Spec{Kind: m.kind(), History: m.History.Milliseconds()}, func(node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A]) func() processor.Instance {
		open := openKeys(key, value)
		table.view = operator.StoreViewer(spec.Name, open)
		return func() processor.Instance { return keyAggregator(f, node, spec, open, *table.old) }
	})
	return &KTable[K, A]{b: g.s.b, node: n, name: n.Name, key: m.Key, value: m.Value, queryable: m.Name, sources: from.sources, from: table}
}

func openKeys[K, A any](key serde.Serde[K], value serde.Serde[A]) operator.OpenStore[K, A] {
	return func(h *state.Handle, topic string) (*state.Timestamped[K, A], error) {
		return state.NewTimestamped(h, topic, key, value)
	}
}

func keyAggregator[K, V, A any](f aggregation[K, V, A], node string, spec *state.Spec, open operator.OpenStore[K, A], old bool) *operator.Aggregate[K, V, A] {
	return &operator.Aggregate[K, V, A]{Node: node, Store: spec.Name, Initializer: f.init, Fold: f.fold, Open: open, SendOld: old}
}
