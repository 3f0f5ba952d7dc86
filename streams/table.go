package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// tableNode is how the steps below a table use it: KTableProcessorSupplier.
type tableNode[K, V any] interface {
	// viewer is how its values are read. Asking makes a source keep a store.
	viewer() operator.Viewer[K, V]
	// sendOld asks for old values in its changes; without force a table that would have to be kept for that alone refuses.
	sendOld(force bool) bool
}

// keptTable is a table that may have a store of its own: the state that a step's Write and its nodes look at when everything else is
// known.
type keptTable[K, V any] struct {
	b    *Builder
	step string
	spec state.Spec
	// kept says that there is a store: it was named, or something below needs it.
	kept bool
	old  bool
	// key and value are the store's serdes; where they are nil the defaults stand in.
	key   serde.Serde[K]
	value serde.Serde[V]
}

// open types the table's store.
func (t *keptTable[K, V]) open(h *state.Handle, topic string) (*state.Timestamped[K, V], error) {
	return state.NewTimestamped(h, topic, t.key, t.value)
}

// store is the store's name in a node: empty when there is none.
func (t *keptTable[K, V]) store() string {
	if !t.kept {
		return ""
	}
	return t.spec.Name
}

// half is the node's part that keeps the table.
func (t *keptTable[K, V]) half() operator.Stored[K, V] {
	return operator.Stored[K, V]{Store: t.store(), Open: t.open, SendOld: t.old}
}

// write adds the store to the topology, below its node.
func (t *keptTable[K, V]) write(tb *topology.Builder) {
	if !t.kept {
		return
	}
	t.key = need(t.b, t.key, t.b.DefaultKeySerde, t.step, "key")
	t.value = need(t.b, t.value, t.b.DefaultValueSerde, t.step, "value")
	tb.AddStore(&t.spec, t.step)
	tb.StoreSerdes(t.spec.Name, t.key, t.value)
}

// kept begins a table whose store, if it gets one, is configured by m.
func newKept[K, V any](b *Builder, m Materialized[K, V], generated string) *keptTable[K, V] {
	b.check(m.Name)
	t := &keptTable[K, V]{b: b, kept: m.Name != "", key: m.Key, value: m.Value}
	t.spec = state.Spec{Name: m.Name, Kind: m.kind(), History: m.History.Milliseconds(), InMemory: m.InMemory || b.InMemory && !m.Persistent, Caching: !m.NoCaching,
		Logging: !m.NoLogging, LogConfig: m.LogConfig}
	if t.spec.Name == "" && generated != "" {
		t.spec.Name = b.g.NewName(generated)
		b.unnamed("store", t.spec.Name) // as in Kafka whether or not it is kept
	}
	return t
}

// versions says whether the table's step gives a versioned table: for one that is configured at all, else it is as its parents'.
func (t *keptTable[K, V]) versions() *bool {
	yes := t.spec.Kind == state.Versioned
	return &yes
}

// inherited is versions of a step that has a store only where the user configures it.
func (t *keptTable[K, V]) inherited(configured bool) *bool {
	if !configured {
		return nil
	}
	return t.versions()
}

// sourceTable is a table made of a topic or a stream: it keeps a store when something needs one.
type sourceTable[K, V any] struct{ *keptTable[K, V] }

func (t sourceTable[K, V]) viewer() operator.Viewer[K, V] {
	t.keep()
	return operator.StoreViewer(t.spec.Name, t.open)
}

func (t sourceTable[K, V]) sendOld(force bool) bool {
	if !force && !t.kept {
		return false
	}
	t.keep()
	t.old = true
	return true
}

func (t sourceTable[K, V]) keep() {
	t.kept = true
}

// aggregateTable is the result of an aggregation: it always has a store.
type aggregateTable[K, V any] struct {
	view operator.Viewer[K, V]
	old  *bool
}

func (t aggregateTable[K, V]) viewer() operator.Viewer[K, V] { return t.view }

func (t aggregateTable[K, V]) sendOld(bool) bool {
	*t.old = true
	return true
}

// Table reads a topic as a table: StreamsBuilder.table. It keeps a store when it is named or needed below.
func Table[K, V any](b *Builder, topic string, c Consumed[K, V], opts ...Materialized[K, V]) *KTable[K, V] {
	m := inherit(first(opts), c.Key, c.Value)
	t := newKept(b, m, topic+"-STATE-STORE-")
	source := b.g.NewName("KSTREAM-SOURCE-")
	if c.Name != "" {
		b.check(c.Name)
		source = c.Name + "-source"
	}
	t.step = b.named(c.Name, "KTABLE-SOURCE-")
	if topic == "" {
		b.fail("table %s has no topic", t.step)
	}
	key := need(b, c.Key, b.DefaultKeySerde, source, "key")
	value := need(b, c.Value, b.DefaultValueSerde, source, "value")
	n := b.g.Add(&graph.Node{Name: t.step, Source: source, Versioned: t.versions(), Write: func(tb *topology.Builder, _ []string) {
		tb.Add(&topology.Node{Kind: topology.SourceNode, Name: source, Topics: []string{topic}, Reset: c.Reset, New: func() processor.Instance {
			return &processor.Source[K, V]{Key: key, Value: value, Extract: c.Timestamp}
		}})
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: t.step, Parents: []string{source}, New: func() processor.Instance {
			return &operator.TableSource[K, V]{Stored: t.half(), Node: t.step}
		}})
		if b.ReuseSources {
			t.spec.Logging, t.spec.Source = false, topic
		}
		t.write(tb)
	}}, b.g.Root())
	return &KTable[K, V]{b: b, node: n, name: t.step, key: c.Key, value: c.Value, queryable: m.Name, sources: []*graph.Node{n}, from: sourceTable[K, V]{t}}
}

// ToTable makes a table of a stream: the latest value of each key. The records go through a repartition topic where the key may have
// changed. StepName in the option names the step.
func (s *KStream[K, V]) ToTable(opts ...Materialized[K, V]) *KTable[K, V] {
	b := s.b
	m := inherit(first(opts), s.key, s.value)
	step := b.named(m.StepName, "KSTREAM-TOTABLE-")
	t := newKept(b, m, "KSTREAM-TOTABLE-STATE-STORE-")
	t.step = step
	from, sources := s.node, s.sources
	if s.repartition {
		from = s.mergeable(step, m.Key, m.Value)
		b.g.Add(from, s.node)
		sources = []*graph.Node{from}
	}
	n := b.g.Add(&graph.Node{Name: step, Versioned: t.versions(), Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: step, Parents: parents, New: func() processor.Instance {
			return &operator.TableSource[K, V]{Stored: t.half(), Node: step}
		}})
		t.write(tb)
	}}, from)
	return &KTable[K, V]{b: b, node: n, name: step, key: m.Key, value: m.Value, queryable: m.Name, sources: sources, from: sourceTable[K, V]{t}}
}

// derived is a table computed from another, row by row: it has a store only where the user names one.
type derived[K, V, V2 any] struct {
	*keptTable[K, V2]
	parent tableNode[K, V]
	value  func(k K, v operator.Valued[V]) (operator.Valued[V2], error)
}

func (t derived[K, V, V2]) viewer() operator.Viewer[K, V2] {
	if t.kept {
		return operator.StoreViewer(t.spec.Name, t.open)
	}
	return operator.MappedViewer(t.parent.viewer(), t.value)
}

func (t derived[K, V, V2]) sendOld(force bool) bool {
	if t.kept || t.parent.sendOld(force) {
		t.old = true
	}
	return t.old
}

// deriving names the step of a table operation, and its store if there is one. An option without a name uses up a number, as in Kafka.
func deriving[K, V any](b *Builder, opts []Materialized[K, V], prefix string) *keptTable[K, V] {
	m := first(opts)
	if len(opts) > 0 && !m.onlyNamed() {
		burn(b, m.Name)
	}
	t := newKept(b, m, "")
	t.step = b.named(m.StepName, prefix)
	return t
}

// Filter keeps the rows for which where says true. A row that no longer passes is deleted.
func (t *KTable[K, V]) Filter(where func(k K, v V) (bool, error), opts ...Materialized[K, V]) *KTable[K, V] {
	return t.filter(where, false, opts)
}

// FilterNot keeps the others.
func (t *KTable[K, V]) FilterNot(where func(k K, v V) (bool, error), opts ...Materialized[K, V]) *KTable[K, V] {
	return t.filter(where, true, opts)
}

func (t *KTable[K, V]) filter(where func(k K, v V) (bool, error), not bool, opts []Materialized[K, V]) *KTable[K, V] {
	k := deriving(t.b, opts, "KTABLE-FILTER-")
	m := inherit(first(opts), t.key, t.value) // the table inherits serdes; its store does not, as in Kafka
	d := derived[K, V, V]{k, t.from, func(key K, v operator.Valued[V]) (operator.Valued[V], error) {
		x, null, err := operator.FilterValue(where, not, key, v.Value, !v.Has)
		return operator.Valued[V]{Value: x, Has: !null, Time: v.Time}, err
	}}
	// a parent that knows old values spares the tombstones of rows that never passed
	k.old = t.from.sendOld(false)
	n := t.below(k.step, k.write, func() processor.Instance {
		return &operator.TableFilter[K, V]{Stored: k.half(), Where: where, Not: not, Versioned: t.node.GivesVersions()}
	})
	n.Versioned = k.inherited(len(opts) > 0 && !opts[0].onlyNamed())
	return &KTable[K, V]{b: t.b, node: n, name: k.step, key: m.Key, value: m.Value, queryable: m.Name, sources: t.sources, from: d}
}

// below adds a table step below t.
func (t *KTable[K, V]) below(name string, store func(*topology.Builder), make func() processor.Instance) *graph.Node {
	return t.b.g.Add(&graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: make})
		store(tb)
	}}, t.node)
}

// MapTableValues gives each row a new value.
func MapTableValues[K, V, V2 any](t *KTable[K, V], f func(k K, v V) (V2, error), opts ...Materialized[K, V2]) *KTable[K, V2] {
	k := deriving(t.b, opts, "KTABLE-MAPVALUES-")
	m := inherit(first(opts), t.key, nil)
	null := processor.NullTest[V2]()
	d := derived[K, V, V2]{k, t.from, func(key K, v operator.Valued[V]) (operator.Valued[V2], error) {
		x, isNull, err := operator.MapValue(f, null, key, v.Value, !v.Has)
		return operator.Valued[V2]{Value: x, Has: !isNull, Time: v.Time}, err
	}}
	n := t.below(k.step, k.write, func() processor.Instance { return &operator.TableMapValues[K, V, V2]{Stored: k.half(), F: f} })
	n.Versioned = k.inherited(len(opts) > 0 && !opts[0].onlyNamed())
	return &KTable[K, V2]{b: t.b, node: n, name: k.step, key: m.Key, value: m.Value, queryable: m.Name, sources: t.sources, from: d}
}
