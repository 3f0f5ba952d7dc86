// Package graph is for the logical plan that the DSL builds: one node a step, written to the topology in the order of the calls once
// all parents are written. It is Kafka's InternalStreamsBuilder with its graph nodes; optimisations rewrite it before it is written.
package graph

import (
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// Node is a step of the plan.
type Node struct {
	// Name is the topology node in which the step ends: what children attach to.
	Name     string
	parents  []*Node
	children []*Node
	priority int
	written  bool
	// Write adds the step to the topology, below the topology nodes in which its parents end.
	Write func(b *topology.Builder, parents []string)
	// Topics, for a source: two sources of the same topics become one. Reset is its reset policy.
	// Pattern stands for topics that are found out later: two sources of the same pattern become one.
	Topics  []string
	Pattern string
	Reset   string
	// Source is the topology node that reads the topics, where it is not the one in which the step ends.
	Source string
	into   *Node // the source that this one has become
	// KeyChanging and ValueChanging: what the step does to records. Merge: it is a merge of streams.
	KeyChanging, ValueChanging, Merge bool
	// OtherSide, for a stream-stream join: the step that keeps the records of its second input. Where both inputs are one stream and
	// SelfJoins is on, that step is left out, and SelfJoin is set.
	OtherSide *Node
	SelfJoin  bool
	// NullKeys: the step is a join that takes records without a key.
	NullKeys bool
	// Grace, of an aggregation over windows: how long after a window's end its records are taken; nil: there are no windows.
	Grace *int64
	// Versioned says whether the step gives a versioned table; nil: as its parents do.
	Versioned *bool
	// Repartition, for a repartition topic that may be merged with others.
	Repartition *Repartition
	// steps are the labels of the user's steps that made the node: the one under which it was added, and those merged into it.
	steps []string
}

// Graph is the plan of one builder.
type Graph struct {
	root  *Node
	count int // steps
	index int // generated names
	// Step labels what is added from now on: the user's step.
	Step string
	// MergeRepartitions is the optimisation merge.repartition.topics.
	MergeRepartitions bool
	// SelfJoins is the optimisation single.store.self.join.
	SelfJoins    bool
	changers     []*Node // key-changing steps, in order
	merges       []*Node
	together     [][]*Node
	repartitions map[*Node][]*Node // by the key-changing step above: those that may be merged
}

// New returns an empty plan.
func New() *Graph { return &Graph{root: &Node{written: true}, repartitions: map[*Node][]*Node{}} }

// NewName returns the next generated name with this prefix: the prefix and ten digits. Processors and stores share one count.
func (g *Graph) NewName(prefix string) string {
	name := fmt.Sprintf("%s%010d", prefix, g.index)
	g.index++
	return name
}

// Named is user, or a generated name where that is empty. The count moves on in either case, so that naming one step does not
// rename others.
func (g *Graph) Named(user, prefix string) string {
	generated := g.NewName(prefix)
	if user != "" {
		return user
	}
	return generated
}

// Root is the parent of sources.
func (g *Graph) Root() *Node { return g.root }

// Add adds a step below its parents. A step that is there already is written later for it.
func (g *Graph) Add(n *Node, parents ...*Node) *Node {
	g.count++
	n.priority = g.count
	if g.Step != "" {
		n.steps = append(n.steps, g.Step)
	}
	for _, p := range parents {
		link(p, n)
	}
	g.note(n)
	return n
}

// NullKeysBelow says whether a join that takes records without a key is somewhere below the step: then a repartition topic keeps them.
func (n *Node) NullKeysBelow() bool {
	return slices.ContainsFunc(n.children, func(c *Node) bool { return c.NullKeys || c.NullKeysBelow() })
}

// WindowGrace is the grace period of the windows above the step, the longest of several; ok is false where on some way up there are none.
func (n *Node) WindowGrace() (grace int64, ok bool) {
	if n.Grace != nil {
		return *n.Grace, true
	}
	for _, p := range n.parents {
		g, ok := p.WindowGrace()
		if !ok {
			return 0, false
		}
		grace = max(grace, g)
	}
	return grace, len(n.parents) > 0
}

// GivesVersions says whether the step gives a versioned table.
func (n *Node) GivesVersions() bool {
	if n.Versioned != nil {
		return *n.Versioned
	}
	return len(n.parents) > 0 && !slices.ContainsFunc(n.parents, func(p *Node) bool { return !p.GivesVersions() })
}

// Copartition demands that the topics of these sources have equally many partitions.
func (g *Graph) Copartition(sources []*Node) { g.together = append(g.together, sources) }

// sourceName is the topology node that reads the topics of a source.
func (n *Node) sourceName() string {
	for n.into != nil {
		n = n.into
	}
	if n.Source != "" {
		return n.Source
	}
	return n.Name
}

// link makes c a child of p, once.
func link(p, c *Node) {
	if !slices.Contains(p.children, c) {
		p.children = append(p.children, c)
	}
	if !slices.Contains(c.parents, p) {
		c.parents = append(c.parents, p)
	}
}

func unlink(p, c *Node) {
	p.children = slices.DeleteFunc(p.children, func(x *Node) bool { return x == c })
	c.parents = slices.DeleteFunc(c.parents, func(x *Node) bool { return x == p })
}

// Build writes the plan.
func (g *Graph) Build() (*topology.Topology, error) {
	if err := g.mergeSources(); err != nil {
		return nil, err
	}
	if g.MergeRepartitions {
		if err := g.mergeRepartitions(); err != nil {
			return nil, err
		}
	}
	if g.SelfJoins {
		g.root.rewriteSelfJoins(map[*Node]bool{})
	}
	b := topology.NewBuilder()
	queue := []*Node{g.root}
	for len(queue) > 0 {
		i := 0
		for j := range queue {
			if queue[j].priority < queue[i].priority {
				i = j
			}
		}
		n := queue[i]
		queue = slices.Delete(queue, i, i+1)
		if !n.written && n.ready() {
			b.Steps = n.steps
			n.Write(b, n.parentNames())
			n.written = true
		}
		for _, c := range n.children {
			if !c.written {
				queue = append(queue, c)
			}
		}
	}
	for _, sources := range g.together {
		var names []string
		for _, n := range sources {
			names = append(names, n.sourceName())
		}
		b.Copartition(names...)
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	return b.Build()
}

// rewriteSelfJoins lets joins of a stream with itself do with one store.
func (n *Node) rewriteSelfJoins(seen map[*Node]bool) {
	seen[n] = true
	if n.OtherSide != nil && len(n.parents) == 1 {
		unlink(n.parents[0], n.OtherSide)
		n.SelfJoin = true
	}
	for _, c := range slices.Clone(n.children) {
		if !seen[c] {
			c.rewriteSelfJoins(seen)
		}
	}
}

func (n *Node) ready() bool {
	return !slices.ContainsFunc(n.parents, func(p *Node) bool { return !p.written })
}

func (n *Node) parentNames() []string {
	var names []string
	for _, p := range n.parents {
		if p.Name != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// mergeSources makes one source of those that read the same topics, or by the same pattern: the children of the later ones move to the first.
func (g *Graph) mergeSources() error {
	byTopic := map[string]*Node{}
	for _, n := range slices.Clone(g.root.children) {
		topics := n.Topics
		if n.Pattern != "" {
			topics = []string{"/" + n.Pattern} // no topic's name has a slash
		}
		for _, t := range topics {
			first := byTopic[t]
			if first == nil {
				byTopic[t] = n
				continue
			}
			if first == n {
				continue
			}
			if first.Pattern != n.Pattern || !slices.Equal(first.Topics, n.Topics) {
				return &topology.Error{Text: "Two source nodes are subscribed to overlapping but not equal input topics"}
			}
			if first.Reset != n.Reset {
				return &topology.Error{Text: "Can't configure different offset reset policies on the same input topic(s)"}
			}
			for _, c := range slices.Clone(n.children) {
				replaceParent(c, n, first)
			}
			unlink(g.root, n)
			n.into = first
			first.steps = append(first.steps, n.steps...)
			break
		}
	}
	return nil
}

// replaceParent hangs c below to instead of below from, in the same place among its parents.
func replaceParent(c, from, to *Node) {
	i := slices.Index(c.parents, from)
	unlink(from, c)
	if !slices.Contains(c.parents, to) {
		c.parents = slices.Insert(c.parents, i, to)
	}
	if !slices.Contains(to.children, c) {
		to.children = append(to.children, c)
	}
}
