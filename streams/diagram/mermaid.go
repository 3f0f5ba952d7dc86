package diagram

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams"
)

// Mermaid is the topology as a Mermaid flowchart, which Markdown pages show as a picture. The result depends on nothing but d.
func Mermaid(d streams.TopologyDescription) string {
	g := read(d)
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	for _, t := range g.topics {
		fmt.Fprintf(&b, "  %s>%s]:::%s\n", t.id, mermaidText(t.name), [...]string{"input", "output", "internal"}[t.kind])
	}
	for _, box := range g.boxes {
		fmt.Fprintf(&b, "  subgraph sub%d[%s]\n", box.id, mermaidText(box.title))
		for _, n := range box.nodes {
			fmt.Fprintf(&b, "    %s(%s)\n", n.id, mermaidText(n.lines...))
		}
		for _, s := range box.stores {
			fmt.Fprintf(&b, "    %s[(%s)]:::store\n", s.id, mermaidText(s.lines...))
		}
		b.WriteString("  end\n")
	}
	for _, e := range g.edges {
		arrow := "-->"
		if e.state {
			arrow = "-.-"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", e.from, arrow, e.to)
	}
	b.WriteString("  classDef input fill:#dbe9fb\n  classDef output fill:#fbe7d3\n  classDef internal fill:#eceff2\n  classDef store fill:#e3f0e3\n")
	return b.String()
}

var mermaidEscapes = strings.NewReplacer(`"`, "#quot;", "<", "#lt;", ">", "#gt;", "#", "#35;", "\n", "<br>")

// mermaidText is a quoted text of several lines.
func mermaidText(lines ...string) string {
	for i, l := range lines {
		lines[i] = mermaidEscapes.Replace(l)
	}
	return `"` + strings.Join(lines, "<br>") + `"`
}
