package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// GlobalKTable is a table of which each instance has all partitions. It is fed by a thread of its own, and is not in step with the streams.
type GlobalKTable[K, V any] struct {
	b    *Builder
	view operator.Viewer[K, V]
}

// GlobalTable reads a topic as a global table: StreamsBuilder.globalTable. Its store has no changelog: the topic is that. A store that is
// configured must have a name, as in Kafka.
func GlobalTable[K, V any](b *Builder, topic string, c Consumed[K, V], opts ...Materialized[K, V]) *GlobalKTable[K, V] {
	m := first(opts)
	nameless := m.configured() && m.Name == ""
	m = inherit(m, c.Key, c.Value)
	if m.versioned() {
		b.fail("GlobalTables cannot be versioned.")
	}
	t := newKept(b, m, topic+"-STATE-STORE-")
	t.kept, t.spec.Logging, t.spec.Global = true, false, true
	g := globalSource(b, topic, c)
	t.step = g.step
	b.g.Add(&graph.Node{Name: g.step, Write: func(tb *topology.Builder, _ []string) {
		if nameless { // Kafka then has no store to give to the node
			tb.Fail(&ArgumentError{"the store of global table " + g.step + " is configured, and has no name"})
		}
		g.write(tb, func() processor.Instance { return &operator.TableSource[K, V]{Stored: t.half(), Node: g.step} })
		t.write(tb)
	}}, b.g.Root())
	return &GlobalKTable[K, V]{b, operator.Viewer[K, V]{Open: func(task processor.Task) (operator.View[K, V], error) {
		return operator.GlobalView(task, t.spec.Name, t.open)
	}}}
}

// AddGlobalStore keeps a store on each instance that a processor makes of all partitions of a topic: StreamsBuilder.addGlobalStore. The
// processor runs also when the store is filled at the start; it cannot forward. The store has no changelog.
func AddGlobalStore[K, V any](b *Builder, s *StoreBuilder, topic string, c Consumed[K, V], supplier ProcessorSupplier[K, V, any, any]) {
	s.finish(b)
	s.spec.Logging, s.spec.Global = false, true
	g := globalSource(b, topic, c)
	b.g.Add(&graph.Node{Name: g.step, Write: func(tb *topology.Builder, _ []string) {
		g.write(tb, func() processor.Instance {
			return &operator.Custom[K, V, any, any]{Node: g.step, Stores: []string{s.spec.Name}, Supplier: supplier}
		})
		s.write(tb)
		tb.Connect(g.step, s.spec.Name)
	}}, b.g.Root())
}

// globalNodes are the two nodes that feed a global store.
type globalNodes struct {
	source, step, topic string
	read                func() processor.Instance
}

func globalSource[K, V any](b *Builder, topic string, c Consumed[K, V]) *globalNodes {
	g := &globalNodes{topic: topic, source: b.suffixed(c.Name, "-source", "KSTREAM-SOURCE-")}
	g.step = b.named(c.Name, "KTABLE-SOURCE-")
	if topic == "" {
		b.fail("global store %s has no topic", g.step)
	}
	key := need(b, c.Key, b.DefaultKeySerde, g.source, "key")
	value := need(b, c.Value, b.DefaultValueSerde, g.source, "value")
	g.read = func() processor.Instance {
		return &processor.Source[K, V]{Key: key, Value: value, Extract: c.Timestamp}
	}
	return g
}

func (g *globalNodes) write(tb *topology.Builder, make func() processor.Instance) {
	tb.Add(&topology.Node{Kind: topology.SourceNode, Global: true, Name: g.source, Topics: []string{g.topic}, New: g.read})
	tb.Add(&topology.Node{Kind: topology.ProcessorNode, Global: true, Name: g.step, Parents: []string{g.source}, New: make})
}

// JoinGlobal looks each record of a stream up in a global table, by the key that lookup gives: KStream.join(GlobalKTable), leftJoin. has says
// whether the table has that key; it is true in an inner join. Nothing is repartitioned.
func JoinGlobal[K, V, KG, VG, R any](s *KStream[K, V], kind JoinKind, g *GlobalKTable[KG, VG], lookup func(k K, v V) (KG, error), join func(k K, v V, vg VG, has bool) (R, error), name ...Named) *KStream[K, R] {
	b := s.b
	if kind == OuterJoin {
		b.illegal("a stream and a global table have no outer join: inner and left are known")
	}
	node := b.named(string(first(name)), "KSTREAM-LEFTJOIN-")
	null := processor.NullTest[KG]()
	key := func(r *processor.Record[K, V]) (KG, bool, error) {
		k, err := lookup(r.Key, r.Value)
		return k, err == nil && null(&k), err
	}
	n := step(s, node, func() processor.Instance {
		return &operator.StreamTableJoin[K, V, KG, VG, R]{Node: node, LookUp: key, Table: g.view, Join: join, Left: kind == LeftJoin}
	}, keeps)
	n.NullKeys = kind == LeftJoin
	return changed[K, V, K, R](s, n, s.key, nil, false)
}
