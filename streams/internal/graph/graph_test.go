package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// plan is a graph in the hands of a test.
type plan struct {
	*graph.Graph
	nodes map[string]*graph.Node
	wrote []string
}

// TestGraph replays testdata: in which order steps are written, and what is merged. The command "build" (with "optimize":
// merge.repartition.topics) takes lines
//
//	source <name> <topics,> [reset]
//	step <name> <parents,> [key|value|merge]      what the step changes, or that it merges
//	again <name> <parents,>                       the step gets further parents
//	repartition <name> <topic> <parents,>
//
// and prints the order, then the description.
func TestGraph(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			p := &plan{Graph: graph.New(), nodes: map[string]*graph.Node{}}
			p.MergeRepartitions = d.HasArg("optimize")
			for line := range strings.Lines(d.Input) {
				p.read(t, strings.Fields(line))
			}
			top, err := p.Build()
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			return strings.Join(p.wrote, "\n") + "\n" + top.Describe()
		})
	})
}

func (p *plan) read(t *testing.T, f []string) {
	parents := func(i int) (out []*graph.Node) {
		for _, name := range strings.Split(f[i], ",") {
			out = append(out, p.nodes[name])
		}
		return out
	}
	switch f[0] {
	case "source":
		n := p.node(f[1], topology.SourceNode)
		n.Topics = strings.Split(f[2], ",")
		if len(f) > 3 {
			n.Reset = f[3]
		}
		p.Add(n, p.Root())
	case "step":
		n := p.node(f[1], topology.ProcessorNode)
		if len(f) > 3 {
			n.KeyChanging, n.ValueChanging, n.Merge = f[3] == "key", f[3] == "value", f[3] == "merge"
		}
		p.Add(n, parents(2)...)
	case "again":
		p.Add(p.nodes[f[1]], parents(2)...)
	case "repartition":
		p.Add(p.repartition(f[1], f[2]), parents(3)...)
	default:
		t.Fatalf("unknown line %v", f)
	}
}

func (p *plan) node(name string, kind topology.Kind) *graph.Node {
	n := &graph.Node{Name: name}
	n.Write = func(b *topology.Builder, parents []string) {
		p.wrote = append(p.wrote, fmt.Sprintf("%s below %v", name, parents))
		b.Add(&topology.Node{Kind: kind, Name: name, Parents: parents, Topics: n.Topics})
	}
	p.nodes[name] = n
	return n
}

// repartition is a sink and a source with a topic between them.
func (p *plan) repartition(name, topic string) *graph.Node {
	n := &graph.Node{Name: name}
	n.Write = func(b *topology.Builder, parents []string) {
		p.wrote = append(p.wrote, fmt.Sprintf("%s below %v", name, parents))
		b.Add(&topology.Node{Kind: topology.SinkNode, Name: name + "-sink", Parents: parents, Topic: topic})
		b.Add(&topology.Node{Kind: topology.SourceNode, Name: name, Topics: []string{topic}})
		b.AddRepartition(topology.Repartition{Topic: topic})
	}
	n.Repartition = &graph.Repartition{Topic: topic, Make: func(topic string, _, _ any) *graph.Node { return p.repartition("one-"+name, topic) }}
	p.nodes[name] = n
	return n
}

func TestNames(t *testing.T) {
	g := graph.New()
	got := []string{g.NewName("KSTREAM-SOURCE-"), g.Named("mine", "KSTREAM-FILTER-"), g.Named("", "KSTREAM-MAP-")}
	want := "KSTREAM-SOURCE-0000000000 mine KSTREAM-MAP-0000000002"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("%s, want %s: a user's name takes a number too", s, want)
	}
}
