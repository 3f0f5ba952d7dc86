package topology

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf16"
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
	if s.Global {
		b.WriteString(" for global store (will not generate tasks)")
	}
	b.WriteByte('\n')
	for _, n := range d.nodes {
		n.write(b)
	}
	if !s.Global {
		b.WriteByte('\n')
	}
}

func itoa(i int32) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// described is a node while it is described. Kafka keeps neighbours in sets that are ordered by the size of the subtree at the moment of
// insertion, larger first, then by name; sizes grow while edges are added.
type described struct {
	*Node
	size         int
	before, next treeSet
}

type describer struct{ nodes []*described }

// newDescriber connects the nodes in the order in which Kafka does: that of a Java hash map over their names.
func newDescriber(s *Subtopology) *describer {
	byName := map[string]*described{}
	var names []string
	for _, n := range s.Nodes {
		byName[n.Name] = &described{Node: n, size: 1}
		names = append(names, n.Name)
	}
	d := &describer{}
	for _, name := range hashOrder(names, 16) {
		n := byName[name]
		d.nodes = append(d.nodes, n)
		for _, p := range n.Parents {
			parent := byName[p]
			n.before.add(parent)
			parent.next.add(n)
			parent.grow(n.size)
		}
	}
	slices.SortStableFunc(d.nodes, compareDescribed)
	return d
}

func compareDescribed(a, b *described) int {
	if c := cmp.Compare(b.size, a.size); c != 0 {
		return c
	}
	return strings.Compare(a.Name, b.Name)
}

func (n *described) grow(by int) {
	n.size += by
	for _, p := range n.before.list() {
		p.grow(by)
	}
}

func names(nodes []*described) string {
	if len(nodes) == 0 {
		return "none"
	}
	var out []string
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return strings.Join(out, ", ")
}

// hashOrder is the order in which a Java hash map or set gives these texts, which were put into it in this order: by bucket of a table
// that starts with size buckets and doubles when it is more than three quarters full, and in order of insertion within a bucket.
func hashOrder(texts []string, size int) []string {
	for len(texts)*4 > size*3 {
		size *= 2
	}
	bucket := func(s string) int {
		var h uint32
		for _, c := range utf16.Encode([]rune(s)) {
			h = 31*h + uint32(c)
		}
		return int((h ^ h>>16) & uint32(size-1))
	}
	out := slices.Clone(texts)
	slices.SortStableFunc(out, func(a, b string) int { return cmp.Compare(bucket(a), bucket(b)) })
	return out
}

// setText is a Java HashSet that was copied from these texts, as text.
func setText(texts []string) string {
	size := 16
	for size < len(texts)*4/3+1 {
		size *= 2
	}
	return "[" + strings.Join(hashOrder(texts, size), ", ") + "]"
}

func (n *described) write(b *strings.Builder) {
	line := func(parts ...string) {
		for _, p := range parts {
			b.WriteString(p)
		}
		b.WriteByte('\n')
	}
	switch n.Kind {
	case SourceNode:
		topics := setText(n.Topics)
		if n.Pattern != nil {
			topics = n.Pattern.String()
		}
		line("    Source: ", n.Name, " (topics: ", topics, ")")
		line("      --> ", names(n.next.list()))
	case ProcessorNode:
		line("    Processor: ", n.Name, " (stores: ", setText(n.Stores), ")")
		line("      --> ", names(n.next.list()))
		line("      <-- ", names(n.before.list()))
	case SinkNode:
		if n.Topic != "" {
			line("    Sink: ", n.Name, " (topic: ", n.Topic, ")")
		} else {
			line("    Sink: ", n.Name, " (extractor class: ", n.Extractor, ")")
		}
		line("      <-- ", names(n.before.list()))
	}
}
