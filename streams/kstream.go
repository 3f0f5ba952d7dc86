package streams

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// KStream is a stream of records.
type KStream[K, V any] struct {
	b    *Builder
	node *graph.Node
	name string
	// key and value are the inherited serdes, or nil.
	key   serde.Serde[K]
	value serde.Serde[V]
	// repartition: the key may have changed, so the next step that needs records together by key goes through a topic first.
	repartition bool
	sources     []*graph.Node
	joined      *graph.Node // the repartition topic of its joins, once there is one
}

// RecordContext is where the record in hand came from.
type RecordContext = processor.RecordContext

// Record is a record on its way through a topology.
type Record[K, V any] = processor.Record[K, V]

// effect is what a step does to records, as far as it matters for repartitioning.
type effect int8

const (
	keeps effect = iota
	rekeys
	revalues
)

// step adds a stateless step below a stream.
func step[K, V any](s *KStream[K, V], name string, make func() processor.Instance, e effect) *graph.Node {
	return s.b.g.Add(&graph.Node{Name: name, KeyChanging: e == rekeys, ValueChanging: e == revalues, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: make})
	}}, s.node)
}

func (s *KStream[K, V]) then(node *graph.Node) *KStream[K, V] {
	out := *s
	out.node, out.name, out.joined = node, node.Name, nil
	return &out
}

// changed is a stream of other types below s. The serdes that can be kept are given.
func changed[K, V, K2, V2 any](s *KStream[K, V], node *graph.Node, key serde.Serde[K2], value serde.Serde[V2], rekeyed bool) *KStream[K2, V2] {
	return &KStream[K2, V2]{b: s.b, node: node, name: node.Name, key: key, value: value, repartition: s.repartition || rekeyed, sources: s.sources}
}

// Filter keeps the records for which where says true.
func (s *KStream[K, V]) Filter(where func(k K, v V) (bool, error), name ...Named) *KStream[K, V] {
	return s.filter(where, false, name)
}

// FilterNot keeps the others.
func (s *KStream[K, V]) FilterNot(where func(k K, v V) (bool, error), name ...Named) *KStream[K, V] {
	return s.filter(where, true, name)
}

func (s *KStream[K, V]) filter(where func(k K, v V) (bool, error), not bool, name []Named) *KStream[K, V] {
	return s.then(step(s, s.b.named(string(first(name)), "KSTREAM-FILTER-"), func() processor.Instance {
		return &operator.Filter[K, V]{Where: where, Not: not}
	}, keeps))
}

// Map gives each record a new key and value.
func Map[K, V, K2, V2 any](s *KStream[K, V], f func(k K, v V) (K2, V2, error), name ...Named) *KStream[K2, V2] {
	n := step(s, s.b.named(string(first(name)), "KSTREAM-MAP-"), func() processor.Instance { return &operator.Map[K, V, K2, V2]{F: f} }, rekeys)
	return changed[K, V, K2, V2](s, n, nil, nil, true)
}

// MapValues gives each record a new value.
func MapValues[K, V, V2 any](s *KStream[K, V], f func(k K, v V) (V2, error), name ...Named) *KStream[K, V2] {
	n := step(s, s.b.named(string(first(name)), "KSTREAM-MAPVALUES-"), func() processor.Instance { return &operator.MapValues[K, V, V2]{F: f} }, revalues)
	return changed[K, V, K, V2](s, n, s.key, nil, false)
}

// Pair is a key and a value.
type Pair[K, V any] = operator.Pair[K, V]

// FlatMap gives any number of records for each.
func FlatMap[K, V, K2, V2 any](s *KStream[K, V], f func(k K, v V) ([]Pair[K2, V2], error), name ...Named) *KStream[K2, V2] {
	n := step(s, s.b.named(string(first(name)), "KSTREAM-FLATMAP-"), func() processor.Instance { return &operator.FlatMap[K, V, K2, V2]{F: f} }, rekeys)
	return changed[K, V, K2, V2](s, n, nil, nil, true)
}

// FlatMapValues gives any number of values for each.
func FlatMapValues[K, V, V2 any](s *KStream[K, V], f func(k K, v V) ([]V2, error), name ...Named) *KStream[K, V2] {
	n := step(s, s.b.named(string(first(name)), "KSTREAM-FLATMAPVALUES-"), func() processor.Instance { return &operator.FlatMapValues[K, V, V2]{F: f} }, revalues)
	return changed[K, V, K, V2](s, n, s.key, nil, false)
}

// SelectKey gives each record a new key.
func SelectKey[K, V, K2 any](s *KStream[K, V], f func(k K, v V) (K2, error), name ...Named) *KStream[K2, V] {
	n := step(s, s.b.named(string(first(name)), "KSTREAM-KEY-SELECT-"), func() processor.Instance { return &operator.SelectKey[K, V, K2]{F: f} }, rekeys)
	return changed[K, V, K2, V](s, n, nil, s.value, true)
}

// Peek shows each record to f.
func (s *KStream[K, V]) Peek(f func(k K, v V) error, name ...Named) *KStream[K, V] {
	return s.then(step(s, s.b.named(string(first(name)), "KSTREAM-PEEK-"), func() processor.Instance { return &operator.Peek[K, V]{F: f} }, keeps))
}

// Foreach shows each record to f, and ends there.
func (s *KStream[K, V]) Foreach(f func(k K, v V) error, name ...Named) {
	step(s, s.b.named(string(first(name)), "KSTREAM-FOREACH-"), func() processor.Instance { return &operator.Peek[K, V]{F: f} }, keeps)
}

// Branched is one branch of Branch. A nil Where is the default branch, which must come last.
type Branched[K, V any] struct {
	Where func(k K, v V) (bool, error)
	// Name is the suffix of the branch's node; empty: its number, from 1; the default branch's is 0.
	Name string
}

// Branch splits a stream: each record goes to the first branch whose predicate says true, and nowhere if there is none. The result has
// a stream for each branch, in order.
func (s *KStream[K, V]) Branch(branches []Branched[K, V], name ...Named) []*KStream[K, V] {
	splitter := s.b.named(string(first(name)), "KSTREAM-BRANCH-")
	var kids []string
	var where []func(k K, v V) (bool, error)
	for i, br := range branches {
		suffix := br.Name
		if suffix == "" {
			suffix = strconv.Itoa(i + 1)
			if br.Where == nil {
				suffix = "0"
			}
		}
		s.b.g.NewName("") // each branch uses up a number
		if br.Where == nil && i != len(branches)-1 {
			s.b.fail("branch %d of %s has no predicate, and only the last may be the default", i, splitter)
		}
		kids, where = append(kids, splitter+suffix), append(where, br.Where)
	}
	split := s.then(step(s, splitter, func() processor.Instance { return &operator.Branch[K, V]{Children: kids, Where: where} }, keeps))
	var out []*KStream[K, V]
	for _, kid := range kids {
		out = append(out, split.then(step(split, kid, func() processor.Instance { return &operator.Pass[K, V]{} }, keeps)))
	}
	return out
}

// Merge is this stream and another as one. Records of one input keep their order.
func (s *KStream[K, V]) Merge(o *KStream[K, V], name ...Named) *KStream[K, V] {
	n := s.b.named(string(first(name)), "KSTREAM-MERGE-")
	node := s.b.g.Add(&graph.Node{Name: n, Merge: true, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: n, Parents: parents, New: func() processor.Instance { return &operator.Pass[K, V]{} }})
	}}, s.node, o.node)
	out := changed[K, V, K, V](s, node, nil, nil, o.repartition)
	out.sources = append(append([]*graph.Node(nil), s.sources...), o.sources...)
	return out
}

// Produced says how a topic is written. Zero serdes are inherited from the stream.
type Produced[K, V any] struct {
	Key   serde.Serde[K]
	Value serde.Serde[V]
	// Partition chooses the partition. Nil: Kafka's hash of the key's bytes (of the inner key, for a windowed one).
	Partition func(topic string, r *Record[K, V], partitions int32) (int32, error)
	// Multicast chooses the partitions that each get the record; with none it is dropped. It comes before Partition.
	Multicast func(topic string, r *Record[K, V], partitions int32) ([]int32, error)
	Name      string
}

// To writes the stream to a topic, which must exist.
func (s *KStream[K, V]) To(topic string, opts ...Produced[K, V]) {
	if topic == "" {
		s.b.fail("a sink below %s has no topic", s.name)
	}
	s.to(topic, nil, "", first(opts))
}

// ToDynamic writes each record to the topic that choose names: TopicNameExtractor. text stands for choose in Describe.
func (s *KStream[K, V]) ToDynamic(choose func(r *Record[K, V], ctx *RecordContext) (string, error), text string, opts ...Produced[K, V]) {
	s.to("", choose, text, first(opts))
}

func (s *KStream[K, V]) to(topic string, choose func(*Record[K, V], *RecordContext) (string, error), text string, p Produced[K, V]) {
	b := s.b
	name := b.named(p.Name, "KSTREAM-SINK-")
	if p.Key == nil {
		p.Key = s.key
	}
	if p.Value == nil {
		p.Value = s.value
	}
	key := need(b, p.Key, b.DefaultKeySerde, name, "key")
	value := need(b, p.Value, b.DefaultValueSerde, name, "value")
	b.g.Add(&graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.SinkNode, Name: name, Parents: parents, Topic: topic, Extractor: text, New: func() processor.Instance {
			return &processor.Sink[K, V]{Topic: topic, Dynamic: choose, Key: key, Value: value, Partition: p.Partition, Multicast: p.Multicast, Node: name}
		}})
	}}, s.node)
}

// Repartitioned configures a repartition topic. The value serde is inherited, the key serde is not.
type Repartitioned[K, V any] struct {
	Key        serde.Serde[K]
	Value      serde.Serde[V]
	Partitions int32 // 0: as many as the most of the sources
	// Partition is as in Produced.
	Partition func(topic string, r *Record[K, V], partitions int32) (int32, error)
	Name      string
}

// Repartition sends the stream through an internal topic, so that records of one key meet in one task.
func (s *KStream[K, V]) Repartition(opts ...Repartitioned[K, V]) *KStream[K, V] {
	o := first(opts)
	name := o.Name // which Kafka does not look at
	if name == "" {
		name = s.b.g.NewName("KSTREAM-REPARTITION-")
		s.b.unnamed("repartition topic", name)
	}
	if o.Value == nil {
		o.Value = s.value
	}
	node := s.through(name, o.Key, o.Value, o.Partitions, o.Partition)
	s.b.g.Add(node, s.node)
	return &KStream[K, V]{b: s.b, node: node, name: node.Name, key: o.Key, value: o.Value, sources: []*graph.Node{node}}
}

// generated are the names of steps and stores that the builder gives to streams.
var generated = regexp.MustCompile(`^KSTREAM.*-[0-9]{10}$`)

// repartitionNames are the names of sink, filter and source of a repartition topic. Three numbers are used up in any case.
func (b *Builder) repartitionNames(base, topic string) (sink, filter, source string) {
	sink, filter, source = b.g.NewName("KSTREAM-SINK-"), b.g.NewName("KSTREAM-FILTER-"), b.g.NewName("KSTREAM-SOURCE-")
	if !generated.MatchString(base) {
		sink, filter, source = topic+"-sink", topic+"-filter", topic+"-source"
	}
	return sink, filter, source
}

// through makes the node of a repartition topic of this base name. It is not in the plan yet.
func (s *KStream[K, V]) through(base string, key serde.Serde[K], value serde.Serde[V], partitions int32, partition func(string, *Record[K, V], int32) (int32, error)) *graph.Node {
	b := s.b
	topic := base
	if !strings.HasSuffix(topic, "-repartition") {
		topic += "-repartition"
	}
	sink, filter, source := b.repartitionNames(base, topic)
	k := need(b, key, b.DefaultKeySerde, sink, "key")
	v := need(b, value, b.DefaultValueSerde, sink, "value")
	n := &graph.Node{Name: source}
	n.Write = func(tb *topology.Builder, parents []string) {
		tb.AddRepartition(topology.Repartition{Topic: topic, Partitions: partitions})
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: filter, Parents: parents, New: func() processor.Instance {
			return &operator.RepartitionFilter[K, V]{AllowNull: n.NullKeysBelow()}
		}})
		tb.Add(&topology.Node{Kind: topology.SinkNode, Name: sink, Parents: []string{filter}, Topic: topic, New: func() processor.Instance {
			return &processor.Sink[K, V]{Topic: topic, Key: k, Value: v, Partition: partition, Node: sink}
		}})
		tb.Add(&topology.Node{Kind: topology.SourceNode, Name: source, Topics: []string{topic}, New: func() processor.Instance {
			return &processor.Source[K, V]{Key: k, Value: v}
		}})
	}
	return n
}

// mergeable is through for a topic that merge.repartition.topics may merge with others.
func (s *KStream[K, V]) mergeable(base string, key serde.Serde[K], value serde.Serde[V]) *graph.Node {
	n := s.through(base, key, value, 0, nil)
	r := &graph.Repartition{Topic: strings.TrimSuffix(base, "-repartition") + "-repartition", Make: func(topic string, key, value any) *graph.Node {
		k, _ := key.(serde.Serde[K])
		v, _ := value.(serde.Serde[V])
		return s.through(topic, k, v, 0, nil)
	}}
	if key != nil {
		r.Key = key
	}
	if value != nil {
		r.Value = value
	}
	n.Repartition = r
	return n
}

// Serdes are those that the stream has from its steps so far; nil where it has none, and the builder's default would be taken.
func (s *KStream[K, V]) Serdes() (key serde.Serde[K], value serde.Serde[V]) { return s.key, s.value }

func (s *KStream[K, V]) String() string { return fmt.Sprintf("KStream(%s)", s.name) }
