package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// KTable is a table: the latest value of each key, and its changes.
type KTable[K, V any] struct {
	b       *Builder
	node    *graph.Node
	name    string
	key     serde.Serde[K]
	value   serde.Serde[V]
	sources []*graph.Node
	from    tableNode[K, V]
	// queryable is the name that the user gave to the table's store.
	queryable string
}

// QueryableStoreName is the name of the table's store, if the user has named it: KTable.queryableStoreName. It is empty for others.
func (t *KTable[K, V]) QueryableStoreName() string { return t.queryable }

// ToStream is the table's changes as records of new values; a deletion is a null value.
func (t *KTable[K, V]) ToStream(name ...Named) *KStream[K, V] {
	n := t.b.named(string(first(name)), "KTABLE-TOSTREAM-")
	node := t.b.g.Add(&graph.Node{Name: n, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: n, Parents: parents, New: func() processor.Instance { return &operator.ToStream[K, V]{} }})
	}}, t.node)
	return &KStream[K, V]{b: t.b, node: node, name: n, key: t.key, value: t.value, sources: t.sources}
}
