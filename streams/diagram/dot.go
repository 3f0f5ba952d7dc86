package diagram

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// DOT is the topology in Graphviz' language. The result depends on nothing but d.
func DOT(d streams.TopologyDescription) string {
	g := read(d)
	var b strings.Builder
	b.WriteString("digraph topology {\n")
	b.WriteString("  rankdir=LR; compound=true; fontname=\"Helvetica\"; bgcolor=\"white\";\n")
	b.WriteString("  node [fontname=\"Helvetica\", fontsize=11, shape=box, style=\"rounded,filled\", color=\"#5b6b7b\", fillcolor=\"white\"];\n")
	b.WriteString("  edge [color=\"#5b6b7b\", arrowsize=0.7];\n")
	for _, t := range g.topics {
		fmt.Fprintf(&b, "  %s [label=%s, shape=cds, style=filled, fillcolor=%q];\n", t.id, dotText(t.name), topicColours[t.kind])
	}
	for _, box := range g.boxes {
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s; style=\"rounded,filled\"; color=\"#c5ced8\"; fillcolor=\"#f4f6f8\"; fontsize=12;\n", box.id, dotText(box.title))
		for _, n := range box.nodes {
			fmt.Fprintf(&b, "    %s [label=%s];\n", n.id, dotText(n.lines...))
		}
		for _, s := range box.stores {
			fmt.Fprintf(&b, "    %s [label=%s, shape=cylinder, style=filled, fillcolor=\"#e3f0e3\"];\n", s.id, dotText(s.lines...))
		}
		b.WriteString("  }\n")
	}
	for _, e := range g.edges {
		style := ""
		if e.state {
			style = " [style=dashed, dir=none]"
		}
		fmt.Fprintf(&b, "  %s -> %s%s;\n", e.from, e.to, style)
	}
	b.WriteString("}\n")
	return b.String()
}

var topicColours = map[topicKind]string{inputTopic: "#dbe9fb", outputTopic: "#fbe7d3", internalTopic: "#eceff2"}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// dotText is a quoted text of several lines.
func dotText(lines ...string) string {
	for i, l := range lines {
		lines[i] = dotEscapes.Replace(l)
	}
	return `"` + strings.Join(lines, `\n`) + `"`
}
