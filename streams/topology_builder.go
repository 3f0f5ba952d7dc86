package streams

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// The Processor API by itself: nodes that are put together by their names, as with Kafka's class Topology. They may stand beside steps of the DSL,
// and below them. A node's parents must be there before it, and a record's type must be the same on both ends of an edge: that is found
// out when a task is made. What is wrong with names, parents and stores is told by Build, as a TopologyException.

// physical adds nodes in the order of the calls.
func (b *Builder) physical(write func(tb *topology.Builder)) {
	b.g.Add(&graph.Node{Write: func(tb *topology.Builder, _ []string) { write(tb) }}, b.g.Root())
}

// AddSource adds a source of topics: Topology.addSource. Its name is the argument; Consumed.Name is not used.
func AddSource[K, V any](b *Builder, name string, topics []string, c Consumed[K, V]) {
	addSource(b, name, topics, nil, c)
}

// AddSourcePattern adds a source of all topics that match: see StreamPattern.
func AddSourcePattern[K, V any](b *Builder, name, pattern string, c Consumed[K, V]) {
	p, err := topology.NewPattern(pattern)
	if err != nil && b.err == nil {
		b.err = err
	}
	addSource(b, name, nil, p, c)
}

func addSource[K, V any](b *Builder, name string, topics []string, pattern *topology.Pattern, c Consumed[K, V]) {
	b.mustName(name)
	if pattern == nil && (len(topics) == 0 || slices.Contains(topics, "")) {
		b.fail("source %s has no topic, or an empty one", name)
	}
	key := need(b, c.Key, b.DefaultKeySerde, name, "key")
	value := need(b, c.Value, b.DefaultValueSerde, name, "value")
	b.physical(func(tb *topology.Builder) {
		tb.Add(&topology.Node{Kind: topology.SourceNode, Name: name, Topics: topics, Pattern: pattern, Reset: c.Reset, New: func() processor.Instance {
			return &processor.Source[K, V]{Key: key, Value: value, Extract: c.Timestamp}
		}})
	})
}

// mustName refuses a name that cannot be, or none.
func (b *Builder) mustName(name string) {
	if err := CheckName(name); err != nil && b.err == nil {
		b.err = err
	}
}

// AddProcessor adds a processor below its parents: Topology.addProcessor. Its name is the argument; the stores of o are connected.
func AddProcessor[K, V, KO, VO any](b *Builder, name string, supplier ProcessorSupplier[K, V, KO, VO], o ProcessOptions, parents ...string) {
	b.mustName(name)
	b.mustFollow(name, parents)
	for _, s := range o.Add {
		s.finish(b)
	}
	b.physical(func(tb *topology.Builder) {
		for _, s := range o.Add {
			s.write(tb)
		}
		n := &topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, Stores: o.stores()}
		n.New = func() processor.Instance {
			return &operator.Custom[K, V, KO, VO]{Node: name, Stores: n.Stores, Supplier: supplier}
		}
		tb.Add(n)
	})
}

func (b *Builder) mustFollow(name string, parents []string) {
	if len(parents) == 0 {
		b.fail("%s must have at least one parent", name)
	}
}

// AddSink adds a sink below its parents: Topology.addSink. Its name is the argument; Produced.Name is not used.
func AddSink[K, V any](b *Builder, name, topic string, p Produced[K, V], parents ...string) {
	if topic == "" {
		b.fail("sink %s has no topic", name)
	}
	addSink(b, name, topic, nil, "", p, parents)
}

// AddSinkDynamic adds a sink that writes each record to the topic that choose names. text stands for choose in Describe.
func AddSinkDynamic[K, V any](b *Builder, name string, choose func(r *Record[K, V], ctx *RecordContext) (string, error), text string, p Produced[K, V], parents ...string) {
	addSink(b, name, "", choose, text, p, parents)
}

func addSink[K, V any](b *Builder, name, topic string, choose func(*Record[K, V], *RecordContext) (string, error), text string, p Produced[K, V], parents []string) {
	b.mustName(name)
	b.mustFollow(name, parents)
	key := need(b, p.Key, b.DefaultKeySerde, name, "key")
	value := need(b, p.Value, b.DefaultValueSerde, name, "value")
	b.physical(func(tb *topology.Builder) {
		tb.Add(&topology.Node{Kind: topology.SinkNode, Name: name, Parents: parents, Topic: topic, Extractor: text, New: func() processor.Instance {
			return &processor.Sink[K, V]{Topic: topic, Dynamic: choose, Key: key, Value: value, Partition: p.Partition, Multicast: p.Multicast, Node: name}
		}})
	})
}

// ConnectStores connects a processor, which must be there, to stores that are added before Build: Topology.connectProcessorAndStateStores.
func (b *Builder) ConnectStores(node string, stores ...string) {
	b.physical(func(tb *topology.Builder) { tb.Connect(node, stores...) })
}

// AddReadOnlyStore adds a store that a processor makes of a topic, which is the store's changelog too: Topology.addReadOnlyStateStore. The processor
// must put each record as it is, under its key: after a restart the store is filled from the topic without it.
func AddReadOnlyStore[K, V any](b *Builder, s *StoreBuilder, source, topic string, c Consumed[K, V], node string, supplier ProcessorSupplier[K, V, any, any]) {
	s.spec.Logging, s.spec.Source = false, topic
	AddSource(b, source, []string{topic}, c)
	AddProcessor(b, node, supplier, ProcessOptions{Add: []*StoreBuilder{s}}, source)
}
