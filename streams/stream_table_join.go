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

// Joined configures a stream-table join: the serdes of the stream's repartition topic, where it needs one, and the name.
type Joined[K, V any] struct {
	Key   serde.Serde[K]
	Value serde.Serde[V]
	Name  string
	// Grace holds records back until the time of the stream has moved on by that much, so that they find the table's versions of their
	// time. The table must be versioned, with a history of at least that; nil: records are joined at once.
	Grace *time.Duration
}

// NullKeyError is a null key where a store needs one.
type NullKeyError = operator.NullKeyError

// JoinTable looks each record of a stream up in a table: KStream.join(KTable), leftJoin. has says whether the table has the key; it is true
// in an inner join. Their topics must have equally many partitions.
func JoinTable[K, V, VT, R any](s *KStream[K, V], kind JoinKind, t *KTable[K, VT], join func(k K, v V, vt VT, has bool) (R, error), opts ...Joined[K, V]) *KStream[K, R] {
	o := first(opts)
	b := s.b
	if kind == OuterJoin {
		b.illegal("a stream and a table have no outer join: inner and left are known")
	}
	s = s.forJoin(o.Name, o.Key, o.Value)
	prefix := "KSTREAM-JOIN-"
	if kind == LeftJoin {
		prefix = "KSTREAM-LEFTJOIN-"
	}
	name := b.named(o.Name, prefix)
	var held *state.Spec
	if o.Grace != nil {
		if v := t.node.Versioned; v != nil && !*v { // of a table without a store of its own Build knows
			b.illegal(noVersions)
		}
		held = &state.Spec{Name: name + "-Buffer", Kind: state.KeyValue, Logging: true, Internal: true, Untimed: true}
		b.g.Add(&graph.Node{Write: func(tb *topology.Builder, _ []string) { tb.AddStore(held) }}, b.g.Root())
	}
	view := t.from.viewer()
	key := func(r *processor.Record[K, V]) (K, bool, error) { return r.Key, r.NullKey, nil }
	n := b.g.Add(&graph.Node{Name: name, NullKeys: kind == LeftJoin, Write: func(tb *topology.Builder, parents []string) {
		one := operator.StreamTableJoin[K, V, K, VT, R]{Node: name, LookUp: key, Table: view, Join: join, Left: kind == LeftJoin}
		if held == nil {
			tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance {
				n := one
				return &n
			}})
			tb.Connect(name, view.Stores...)
			return
		}
		checkGrace(tb, view.Stores, *o.Grace)
		key, value := need(b, s.joinKey(o), b.DefaultKeySerde, name, "key"), need(b, s.joinValue(o), b.DefaultValueSerde, name, "value")
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance {
			return &operator.PatientJoin[K, V, K, VT, R]{StreamTableJoin: one, Store: held.Name, Key: key, Value: value, Grace: o.Grace.Milliseconds()}
		}})
		tb.Connect(name, append([]string{held.Name}, view.Stores...)...)
	}}, s.node)
	b.g.Copartition(union(s.sources, t.sources))
	out := changed[K, V, K, R](s, n, s.key, nil, false)
	if o.Key != nil {
		out.key = o.Key
	}
	out.repartition = false
	out.sources = union(s.sources, t.sources)
	return out
}

// joinKey and joinValue are the serdes of records that a join holds back.
func (s *KStream[K, V]) joinKey(o Joined[K, V]) serde.Serde[K] {
	if o.Key != nil {
		return o.Key
	}
	return s.key
}

func (s *KStream[K, V]) joinValue(o Joined[K, V]) serde.Serde[V] {
	if o.Value != nil {
		return o.Value
	}
	return s.value
}

const noVersions = "KTable must be versioned to use a grace period in a stream table join."

// checkGrace demands that the stores of a table have versions, as far back as a join waits.
func checkGrace(tb *topology.Builder, stores []string, grace time.Duration) {
	for _, name := range stores {
		switch s := tb.Store(name); {
		case s == nil || s.Kind != state.Versioned:
			tb.Fail(&ArgumentError{noVersions})
		case grace.Milliseconds() > s.History:
			tb.Fail(&ArgumentError{"History retention must be at least grace period."})
		}
	}
}

// forJoin is the stream behind a repartition topic, where its key may have changed: named after the join, or else after the stream's last
// step. Joins of one stream without names share it.
func (s *KStream[K, V]) forJoin(name string, key serde.Serde[K], value serde.Serde[V]) *KStream[K, V] {
	if !s.repartition {
		return s
	}
	b := s.b
	base := name
	if base == "" {
		base = s.name
		if generated.MatchString(base) {
			b.unnamed("repartition topic", base+"-repartition")
		}
	}
	if key == nil {
		key = s.key
	}
	if value == nil {
		value = s.value
	}
	if s.joined == nil || base != s.name {
		s.joined = s.mergeable(base, key, value)
		b.g.Add(s.joined, s.node)
	} else {
		b.repartitionNames(base, base)
	}
	return &KStream[K, V]{b: b, node: s.joined, name: s.joined.Name, key: key, value: value, sources: []*graph.Node{s.joined}}
}
