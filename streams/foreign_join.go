package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// TableJoined configures a foreign-key join.
type TableJoined[K, KF any] struct {
	// Name begins the names of the join's steps, topics and store; empty: they are generated.
	Name string
	// Partition and ForeignPartition choose the partitions of the left and of the right table's keys, where the tables' topics were written
	// with a partitioner of one's own: each must choose as that one did. A negative result, and no function, choose Kafka's hash of the
	// key's bytes. Rows without a foreign key may go to any partition, and are not asked about.
	Partition        func(topic string, k K, partitions int32) (int32, error)
	ForeignPartition func(topic string, k KF, partitions int32) (int32, error)
}

// JoinForeign joins each row of the left table with the row of the right table that foreignKey names: KTable.join and leftJoin with a
// foreign-key extractor. A null foreign key names no row. The tables need not have equally many partitions: rows meet through two internal
// topics, so that a result comes a little later than the change that led to it, and a tombstone may come for a key that had no result.
// Of the Materialized option, StepName is not used: the step has its name of TableJoined.
func JoinForeign[K, V, KF, VF, R any](kind JoinKind, left *KTable[K, V], right *KTable[KF, VF], foreignKey func(k K, v V) (KF, error), join Joiner[K, V, VF, R],
	o TableJoined[K, KF], opts ...Materialized[K, R]) *KTable[K, R] {
	b := left.b
	if kind == OuterJoin {
		b.illegal("a foreign-key join has no outer form: inner and left are known")
	}
	right.from.sendOld(true)
	left.from.sendOld(true)
	j := newForeignJoin(left, right, o)
	j.subscribe(left, foreignKey, kind == LeftJoin)
	j.answer(right)
	return resolve(j, left, join, kind == LeftJoin, first(opts))
}

// foreignJoin is a foreign-key join while it is built: the names of its parts, in the order in which they are given.
type foreignJoin[K, V, KF, VF any] struct {
	b         *Builder
	o         TableJoined[K, KF]
	keys      operator.ForeignKeys[K, KF]
	value     serde.Serde[V]
	foreign   serde.Serde[VF]
	requests  *graph.Node // the source of the registration topic
	responses *graph.Node // the source of the response topic
}

// name is a part's: what the user gave with a suffix, or a generated one.
func (j *foreignJoin[K, V, KF, VF]) name(suffix, prefix string) string {
	n := j.b.suffixed(j.o.Name, suffix, prefix)
	j.b.check(n)
	return n
}

const foreignPrefix = "KTABLE-FK-JOIN-SUBSCRIPTION-"

func newForeignJoin[K, V, KF, VF any](left *KTable[K, V], right *KTable[KF, VF], o TableJoined[K, KF]) *foreignJoin[K, V, KF, VF] {
	b := left.b
	j := &foreignJoin[K, V, KF, VF]{b: b, o: o}
	j.keys.Registration = j.name("-subscription-registration", foreignPrefix+"REGISTRATION-") + "-topic"
	step := j.keys.Registration
	j.keys.Primary = need(b, left.key, b.DefaultKeySerde, step, "key")
	j.keys.Foreign = need(b, right.key, b.DefaultKeySerde, step, "foreign key")
	j.value = need(b, left.value, b.DefaultValueSerde, step, "value")
	j.foreign = need(b, right.value, b.DefaultValueSerde, step, "foreign value")
	return j
}

// step adds a step that is one processor.
func (j *foreignJoin[K, V, KF, VF]) step(name string, make func() processor.Instance, then func(tb *topology.Builder), parent *graph.Node) *graph.Node {
	return j.b.g.Add(&graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: make})
		if then != nil {
			then(tb)
		}
	}}, parent)
}

// through adds a sink and the source behind it.
func (j *foreignJoin[K, V, KF, VF]) through(sink, source, topic string, write, read func() processor.Instance, parents ...*graph.Node) *graph.Node {
	out := j.b.g.Add(&graph.Node{Name: sink, Write: func(tb *topology.Builder, parents []string) {
		tb.AddRepartition(topology.Repartition{Topic: topic})
		tb.Add(&topology.Node{Kind: topology.SinkNode, Name: sink, Parents: parents, Topic: topic, New: write})
	}}, parents...)
	return j.b.g.Add(&graph.Node{Name: source, Write: func(tb *topology.Builder, _ []string) {
		tb.Add(&topology.Node{Kind: topology.SourceNode, Name: source, Topics: []string{topic}, New: read})
	}}, out)
}

// subscribe adds the steps that tell the right half of foreign keys.
func (j *foreignJoin[K, V, KF, VF]) subscribe(left *KTable[K, V], foreignKey func(k K, v V) (KF, error), isLeft bool) {
	type wrapper = operator.Subscription[K]
	send := j.name("-subscription-registration-processor", foreignPrefix+"REGISTRATION-")
	node := j.step(send, func() processor.Instance {
		return &operator.SubscriptionSend[K, V, KF]{Node: send, Keys: j.keys, ForeignKey: foreignKey, Value: j.value, Left: isLeft, Versioned: left.node.GivesVersions()}
	}, nil, left.node)
	partition := partitionBy[KF, wrapper](j.o.ForeignPartition)
	sink := j.name("-subscription-registration-sink", "KTABLE-SINK-")
	source := j.name("-subscription-registration-source", "KTABLE-SOURCE-")
	j.requests = j.through(sink, source, j.keys.Registration, func() processor.Instance {
		return &processor.Sink[KF, wrapper]{Topic: j.keys.Registration, Key: j.keys.Foreign, Value: operator.SubscriptionSerde(j.keys.Primary), Partition: partition, Node: sink}
	}, func() processor.Instance {
		return &processor.Source[KF, wrapper]{Key: j.keys.Foreign, Value: operator.SubscriptionSerde(j.keys.Primary)}
	}, node)
}

// partitionBy is a sink's partitioner by key; nil is none.
func partitionBy[K, V any](f func(topic string, k K, partitions int32) (int32, error)) func(string, *Record[K, V], int32) (int32, error) {
	if f == nil {
		return nil
	}
	return func(topic string, r *Record[K, V], partitions int32) (int32, error) {
		if r.NullKey {
			return -1, nil
		}
		return f(topic, r.Key, partitions)
	}
}

// answer adds the steps that keep subscriptions, and answer them with right rows.
func (j *foreignJoin[K, V, KF, VF]) answer(right *KTable[KF, VF]) {
	j.b.g.Copartition(union(right.sources, []*graph.Node{j.requests}))
	j.keys.Store = j.name("-subscription-store", foreignPrefix+"STATE-STORE-")
	spec := &state.Spec{Name: j.keys.Store, Kind: state.TimestampedKeyValue, InMemory: j.b.InMemory, Logging: true, Internal: true}
	receive := j.name("-subscription-receive", foreignPrefix+"PROCESSOR-")
	received := j.step(receive, func() processor.Instance {
		return &operator.SubscriptionReceive[K, KF]{Node: receive, Keys: j.keys}
	}, func(tb *topology.Builder) { tb.AddStore(spec, receive) }, j.requests)
	rows := right.from.viewer()
	lookUp := j.name("-subscription-join-foreign", foreignPrefix+"PROCESSOR-")
	looked := j.step(lookUp, func() processor.Instance {
		return &operator.SubscriptionJoin[K, KF, VF]{Table: rows}
	}, func(tb *topology.Builder) { tb.Connect(lookUp, rows.Stores...) }, received)
	tell := j.name("-foreign-join-subscription", foreignPrefix+"PROCESSOR-")
	told := j.step(tell, func() processor.Instance {
		return &operator.ForeignTableJoin[K, KF, VF]{Node: tell, Keys: j.keys, Versioned: right.node.GivesVersions()}
	}, func(tb *topology.Builder) { tb.AddStore(spec, tell) }, right.node)
	topic := j.name("-subscription-response", foreignPrefix+"RESPONSE-") + "-topic"
	sink := j.name("-subscription-response-sink", "KTABLE-SINK-")
	source := j.name("-subscription-response-source", "KTABLE-SOURCE-")
	j.responses = j.through(sink, source, topic, func() processor.Instance {
		return &processor.Sink[K, operator.Response[VF]]{Topic: topic, Key: j.keys.Primary, Value: operator.ResponseSerde(j.foreign), Partition: j.back(), Node: sink}
	}, func() processor.Instance {
		return &processor.Source[K, operator.Response[VF]]{Key: j.keys.Primary, Value: operator.ResponseSerde(j.foreign)}
	}, looked, told)
}

// back chooses the partition of a response: the one that the subscription came from.
func (j *foreignJoin[K, V, KF, VF]) back() func(string, *Record[K, operator.Response[VF]], int32) (int32, error) {
	if j.o.Partition != nil {
		return partitionBy[K, operator.Response[VF]](j.o.Partition)
	}
	return func(_ string, r *Record[K, operator.Response[VF]], _ int32) (int32, error) {
		return r.Value.Partition, nil
	}
}

// resolve adds the steps that join answers with left rows: the result.
func resolve[K, V, KF, VF, R any](j *foreignJoin[K, V, KF, VF], left *KTable[K, V], join Joiner[K, V, VF, R], isLeft bool, m Materialized[K, R]) *KTable[K, R] {
	sources := union(left.sources, []*graph.Node{j.responses})
	j.b.g.Copartition(sources)
	rows := left.from.viewer()
	resolver := j.name("-subscription-response-resolver", foreignPrefix+"RESPONSE-RESOLVER-PROCESSOR-")
	resolved := j.step(resolver, func() processor.Instance {
		return &operator.ResponseJoin[K, V, VF, R]{Node: resolver, Registration: j.keys.Registration, Table: rows, Value: j.value, Join: join, Left: isLeft}
	}, func(tb *topology.Builder) { tb.Connect(resolver, rows.Stores...) }, j.responses)
	step := j.name("-result", "KTABLE-FK-JOIN-OUTPUT-")
	m = inherit(m, left.key, nil)
	t := newKept(j.b, m, "KTABLE-FK-JOIN-OUTPUT-STATE-STORE-")
	t.step = step
	n := j.step(step, func() processor.Instance { return &operator.TableSource[K, R]{Stored: t.half(), Node: step} }, t.write, resolved)
	n.Versioned = t.versions()
	return &KTable[K, R]{b: j.b, node: n, name: step, key: left.key, value: m.Value, queryable: m.Name, sources: sources, from: sourceTable[K, R]{t}}
}
