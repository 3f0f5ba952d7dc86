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
	// Topics, for a source: two sources of the same topics become one.
	Topics []string
}

// Graph is the plan of one builder.
type Graph struct {
	root  *Node
	count int // steps
	index int // generated names
}

// New returns an empty plan.
func New() *Graph { return &Graph{root: &Node{written: true}} }

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

// Add adds a step below its parents. A step may be added again below another parent.
func (g *Graph) Add(n *Node, parents ...*Node) *Node {
	g.count++
	n.priority = g.count
	for _, p := range parents {
		p.children = append(p.children, n)
		n.parents = append(n.parents, p)
	}
	return n
}

// Build writes the plan.
func (g *Graph) Build() (*topology.Topology, error) {
	g.mergeSources()
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
			n.Write(b, n.parentNames())
			n.written = true
		}
		for _, c := range n.children {
			if !c.written {
				queue = append(queue, c)
			}
		}
	}
	if err := b.Err(); err != nil {
		return nil, err
	}
	return b.Build()
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

// mergeSources makes one source of those that read the same topics: the children of the later ones move to the first.
func (g *Graph) mergeSources() {
	for i := 0; i < len(g.root.children); i++ {
		first := g.root.children[i]
		if first.Topics == nil {
			continue
		}
		for j := i + 1; j < len(g.root.children); j++ {
			other := g.root.children[j]
			if !slices.Equal(first.Topics, other.Topics) {
				continue
			}
			for _, c := range other.children {
				c.parents[slices.Index(c.parents, other)] = first
				first.children = append(first.children, c)
			}
			g.root.children = slices.Delete(g.root.children, j, j+1)
			j--
		}
	}
}
