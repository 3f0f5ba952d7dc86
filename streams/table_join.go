package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// Joiner makes a joined value of a row of each side. A side that is missing (in a left or outer join) is the zero value; its flag tells
// that from a value.
type Joiner[K, V1, V2, R any] = operator.Joiner[K, V1, V2, R]

// JoinKind is the kind of a join.
type JoinKind int8

// The kinds.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	OuterJoin
)

func (k JoinKind) sides() (left, right operator.Side) {
	switch k {
	case InnerJoin:
		return operator.InnerSide, operator.InnerSide
	case LeftJoin:
		return operator.LeftSide, operator.RightSide
	}
	return operator.OuterSide, operator.OuterSide
}

// joinTable is the result of a table-table join.
type joinTable[K, V1, V2, R any] struct {
	*keptTable[K, R]
	kind  JoinKind
	left  tableNode[K, V1]
	right tableNode[K, V2]
	join  Joiner[K, V1, V2, R]
	sides *bool // the inputs of the join send old values
}

func (t joinTable[K, V1, V2, R]) viewer() operator.Viewer[K, R] {
	if t.kept {
		return operator.StoreViewer(t.spec.Name, t.open)
	}
	side, _ := t.kind.sides()
	return operator.JoinViewer(side, t.left.viewer(), t.right.viewer(), t.join)
}

func (t joinTable[K, V1, V2, R]) sendOld(bool) bool {
	t.left.sendOld(true)
	t.right.sendOld(true)
	*t.sides, t.old = true, true
	return true
}

// JoinTables joins two tables by key: KTable.join, leftJoin, outerJoin. Their topics must have equally many partitions.
func JoinTables[K, V1, V2, R any](kind JoinKind, left *KTable[K, V1], right *KTable[K, V2], join Joiner[K, V1, V2, R], opts ...Materialized[K, R]) *KTable[K, R] {
	b := left.b
	m := first(opts)
	given := len(opts) > 0 && !m.onlyNamed()
	m = inherit(m, left.key, nil)
	t := &keptTable[K, R]{}
	if given {
		t = newKept(b, m, "KTABLE-MERGE-STATE-STORE-")
		t.kept = true
	}
	t.b, t.key, t.value = b, m.Key, m.Value
	t.step = b.named(m.StepName, "KTABLE-MERGE-")
	this, other := b.suffixed(m.StepName, "-join-this", "KTABLE-JOINTHIS-"), b.suffixed(m.StepName, "-join-other", "KTABLE-JOINOTHER-")
	if kind != InnerJoin {
		left.from.sendOld(true)
	}
	if kind == OuterJoin {
		right.from.sendOld(true)
	}
	lv, rv := left.from.viewer(), right.from.viewer()
	sides := new(bool)
	leftSide, rightSide := kind.sides()
	swapped := func(k K, v2 V2, has2 bool, v1 V1, has1 bool) (R, error) { return join(k, v1, has1, v2, has2) }
	n := b.g.Add(&graph.Node{Name: t.step, Versioned: t.versions(), Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: this, Parents: parents[:1], New: func() processor.Instance {
			return &operator.TableJoin[K, V1, V2, R]{Node: this, Side: leftSide, Other: rv, Join: join, SendOld: *sides, Versioned: left.node.GivesVersions()}
		}})
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: other, Parents: parents[len(parents)-1:], New: func() processor.Instance {
			return &operator.TableJoin[K, V2, V1, R]{Node: other, Side: rightSide, Other: lv, Join: swapped, SendOld: *sides, Versioned: right.node.GivesVersions()}
		}})
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: t.step, Parents: []string{this, other}, New: func() processor.Instance {
			return &operator.TableMerge[K, R]{Stored: t.half()}
		}})
		tb.Connect(this, rv.Stores...)
		tb.Connect(other, lv.Stores...)
		t.write(tb)
	}}, left.node, right.node)
	b.g.Copartition(union(left.sources, right.sources))
	return &KTable[K, R]{b: b, node: n, name: t.step, key: m.Key, value: m.Value, queryable: m.Name, sources: union(left.sources, right.sources),
		from: joinTable[K, V1, V2, R]{t, kind, left.from, right.from, join, sides}}
}

// suffixed is a name derived from the user's, or a generated one. A number is used up in any case.
func (b *Builder) suffixed(user, suffix, prefix string) string {
	generated := b.g.NewName(prefix)
	if user != "" {
		return user + suffix
	}
	return generated
}

// union is all of these nodes, each once.
func union(sides ...[]*graph.Node) []*graph.Node {
	var out []*graph.Node
	seen := map[*graph.Node]bool{}
	for _, s := range sides {
		for _, n := range s {
			if !seen[n] {
				seen[n] = true
				out = append(out, n)
			}
		}
	}
	return out
}
