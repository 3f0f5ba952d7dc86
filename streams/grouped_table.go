package streams

import (
	"bytes"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// KGroupedTable is a table whose rows are together by another key.
type KGroupedTable[K, V any] struct {
	b    *Builder
	node *graph.Node
	key  serde.Serde[K]
	// value is the grouped rows' serde.
	value   serde.Serde[V]
	name    string
	through *graph.Node
}

// GroupTableBy groups a table's rows by a new key, with new values. A row that changes leaves its old group and enters its new one; the
// changes go through a repartition topic.
func GroupTableBy[K, V, K2, V2 any](t *KTable[K, V], f func(k K, v V) (K2, V2, error), opts ...Grouped[K2, V2]) *KGroupedTable[K2, V2] {
	o := first(opts)
	b := t.b
	name := b.named(o.Name, "KTABLE-SELECT-")
	key := need(b, o.Key, b.DefaultKeySerde, name, "key")
	equal := func(x, y K2) (bool, error) {
		xb, err := key.Append(nil, "", x)
		if err != nil {
			return false, err
		}
		yb, err := key.Append(nil, "", y)
		return bytes.Equal(xb, yb), err
	}
	n := b.g.Add(&graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance {
			return &operator.TableRegroup[K, V, K2, V2]{F: f, Equal: equal, Apart: b.OldChanges, Versioned: t.node.GivesVersions()}
		}})
	}}, t.node)
	t.from.sendOld(true)
	return &KGroupedTable[K2, V2]{b: b, node: n, key: o.Key, value: o.Value, name: o.Name}
}

// repartitioned is the source behind the grouping's repartition topic. Aggregations of one named grouping share it.
func (g *KGroupedTable[K, V]) repartitioned(step Named, store string, generated bool) *graph.Node {
	b := g.b
	sink, source := b.g.NewName("KSTREAM-SINK-"), b.g.NewName("KSTREAM-SOURCE-")
	if step != "" {
		sink, source = string(step)+"-sink", string(step)+"-source"
	}
	base := g.name
	if base == "" {
		base = store
		if generated {
			b.unnamed("repartition topic", store+"-repartition")
		}
	}
	if g.through == nil || g.name == "" {
		topic := base + "-repartition"
		key := need(b, g.key, b.DefaultKeySerde, sink, "key")
		value := need(b, g.value, b.DefaultValueSerde, sink, "value")
		g.through = &graph.Node{Name: source, Write: func(tb *topology.Builder, parents []string) {
			changes := operator.ChangeSerde(value)
			tb.AddRepartition(topology.Repartition{Topic: topic})
			tb.Add(&topology.Node{Kind: topology.SinkNode, Name: sink, Parents: parents, Topic: topic, New: func() processor.Instance {
				return &processor.Sink[K, processor.Change[V]]{Topic: topic, Key: key, Value: changes, Node: sink}
			}})
			tb.Add(&topology.Node{Kind: topology.SourceNode, Name: source, Topics: []string{topic}, New: func() processor.Instance {
				return &processor.Source[K, processor.Change[V]]{Key: key, Value: changes}
			}})
		}}
	}
	b.g.Add(g.through, g.node)
	return g.through
}

// CountTable counts the rows of each group.
func CountTable[K, V any](g *KGroupedTable[K, V], opts ...Materialized[K, int64]) *KTable[K, int64] {
	m := first(opts)
	if m.Value == nil {
		m.Value = serde.Long()
	}
	return aggregateTableOf(g, m, "KTABLE-AGGREGATE-", zero,
		func(_ K, _ V, n int64) (int64, error) { return n + 1, nil },
		func(_ K, _ V, n int64) (int64, error) { return n - 1, nil })
}

// ReduceTable combines the values of each group: add takes a value in, remove takes one out again.
func ReduceTable[K, V any](g *KGroupedTable[K, V], add, remove func(agg, v V) (V, error), opts ...Materialized[K, V]) *KTable[K, V] {
	return aggregateTableOf(g, inherit(first(opts), nil, g.value), "KTABLE-REDUCE-", nil,
		func(_ K, v V, agg V) (V, error) { return add(agg, v) },
		func(_ K, v V, agg V) (V, error) { return remove(agg, v) })
}

// AggregateTable folds the rows of each group into an aggregate that begins as init says: add takes a row in, remove takes one out
// again.
func AggregateTable[K, V, A any](g *KGroupedTable[K, V], init func() (A, error), add, remove func(k K, v V, agg A) (A, error), opts ...Materialized[K, A]) *KTable[K, A] {
	return aggregateTableOf(g, first(opts), "KTABLE-AGGREGATE-", init, add, remove)
}

func aggregateTableOf[K, V, A any](g *KGroupedTable[K, V], m Materialized[K, A], prefix string, init func() (A, error), add, remove func(k K, v V, agg A) (A, error)) *KTable[K, A] {
	b := g.b
	m = inherit(m, g.key, nil)
	t := newKept(b, m, "KTABLE-AGGREGATE-STATE-STORE-")
	t.kept = true
	through := g.repartitioned(Named(m.StepName), t.spec.Name, m.Name == "")
	t.step = b.named(m.StepName, prefix)
	n := b.g.Add(&graph.Node{Name: t.step, Versioned: t.versions(), Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: t.step, Parents: parents, New: func() processor.Instance {
			return &operator.TableAggregate[K, V, A]{Stored: t.half(), Initializer: init, Add: add, Remove: remove}
		}})
		t.write(tb)
	}}, through)
	return &KTable[K, A]{b: b, node: n, name: t.step, key: m.Key, value: m.Value, queryable: m.Name, sources: []*graph.Node{through}, from: sourceTable[K, A]{t}}
}
