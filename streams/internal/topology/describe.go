package topology

import (
	"cmp"
	"slices"
	"strings"
)

// Describe is the text of Kafka's Topology.describe(), to the character.
func (t *Topology) Describe() string {
	var b strings.Builder
	b.WriteString("Topologies:\n ")
	for _, s := range t.Subs {
		s.describe(&b)
	}
	return b.String()
}

func (s *Subtopology) describe(b *strings.Builder) {
	d := newDescriber(s)
	b.WriteString("  Sub-topology: ")
	b.WriteString(itoa(s.ID))
	b.WriteByte('\n')
	for _, n := range d.order(s.Nodes) {
		d.node(b, n)
	}
	b.WriteByte('\n')
}

func itoa(i int32) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// describer knows the order of nodes: larger subtrees first, then by name.
type describer struct {
	size   map[string]int
	byName map[string]*Node
}

func newDescriber(s *Subtopology) *describer {
	d := &describer{map[string]int{}, map[string]*Node{}}
	for _, n := range s.Nodes {
		d.size[n.Name] = 1
		d.byName[n.Name] = n
	}
	for _, n := range s.Nodes { // parents come first, so what a node adds to its ancestors is final when it is added
		for _, p := range n.Parents {
			d.grow(p, d.size[n.Name])
		}
	}
	return d
}

func (d *describer) grow(name string, by int) {
	d.size[name] += by
	for _, p := range d.byName[name].Parents {
		d.grow(p, by)
	}
}

func (d *describer) order(nodes []*Node) []*Node {
	out := slices.Clone(nodes)
	slices.SortStableFunc(out, func(a, b *Node) int {
		if c := cmp.Compare(d.size[b.Name], d.size[a.Name]); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

func (d *describer) names(nodes []*Node) string {
	if len(nodes) == 0 {
		return "none"
	}
	var names []string
	for _, n := range d.order(nodes) {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ")
}

func (d *describer) node(b *strings.Builder, n *Node) {
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	var parents []*Node
	for _, p := range n.Parents {
		parents = append(parents, d.byName[p])
	}
	switch n.Kind {
	case SourceNode:
		line("    Source: ", n.Name, " (topics: [", strings.Join(slices.Sorted(slices.Values(n.Topics)), ", "), "])")
		line("      --> ", d.names(n.Children))
	case ProcessorNode:
		line("    Processor: ", n.Name, " (stores: [", strings.Join(slices.Sorted(slices.Values(n.Stores)), ", "), "])")
		line("      --> ", d.names(n.Children))
		line("      <-- ", d.names(parents))
	case SinkNode:
		if n.Topic != "" {
			line("    Sink: ", n.Name, " (topic: ", n.Topic, ")")
		} else {
			line("    Sink: ", n.Name, " (extractor class: ", n.Extractor, ")")
		}
		line("      <-- ", d.names(parents))
	}
}
