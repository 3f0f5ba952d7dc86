package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Joined configures a stream-table join: the serdes of the stream's repartition topic, where it needs one, and the name.
type Joined[K, V any] struct {
	Key   serde.Serde[K]
	Value serde.Serde[V]
	Name  string
}

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
	view := t.from.viewer()
	key := func(r *processor.Record[K, V]) (K, bool, error) { return r.Key, r.NullKey, nil }
	n := b.g.Add(&graph.Node{Name: name, NullKeys: kind == LeftJoin, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance {
			return &operator.StreamTableJoin[K, V, K, VT, R]{Node: name, LookUp: key, Table: view, Join: join, Left: kind == LeftJoin}
		}})
		tb.Connect(name, view.Stores...)
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
