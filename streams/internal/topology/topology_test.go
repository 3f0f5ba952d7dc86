package topology_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// TestTopology replays testdata: how nodes are grouped, described and refused. The command "build" takes lines
//
//	source <name> <topics,>
//	processor <name> <parents,> [stores,]
//	sink <name> <topic> <parents,>          topic "?x": chosen by an extractor of class x
//	store <name> <nodes,>                   a new store each time
//	connect <node> <stores,>
//	repartition <topic> [partitions]
//	copartition <sources,>
//
// and prints the description, then what each sub-topology has; with "merged" all as one.
func TestTopology(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			b := topology.NewBuilder()
			for line := range strings.Lines(d.Input) {
				read(t, b, strings.Fields(line))
			}
			top, err := b.Build()
			if err != nil {
				return "error: " + err.Error() + "\n"
			}
			if d.HasArg("merged") {
				top = top.Merged()
			}
			return top.Describe() + parts(top)
		})
	})
}

func read(t *testing.T, b *topology.Builder, f []string) {
	list := func(i int) []string {
		if i >= len(f) {
			return nil
		}
		return strings.Split(f[i], ",")
	}
	switch f[0] {
	case "source":
		b.Add(&topology.Node{Kind: topology.SourceNode, Name: f[1], Topics: list(2)})
	case "processor":
		b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: f[1], Parents: list(2), Stores: list(3)})
	case "sink":
		n := &topology.Node{Kind: topology.SinkNode, Name: f[1], Topic: f[2], Parents: list(3)}
		if x, ok := strings.CutPrefix(f[2], "?"); ok {
			n.Topic, n.Extractor = "", x
		}
		b.Add(n)
	case "store":
		b.AddStore(&state.Spec{Name: f[1]}, list(2)...)
	case "connect":
		b.Connect(f[1], list(2)...)
	case "repartition":
		r := topology.Repartition{Topic: f[1]}
		if len(f) > 2 {
			fmt.Sscan(f[2], &r.Partitions)
		}
		b.AddRepartition(r)
	case "copartition":
		b.Copartition(list(1)...)
	default:
		t.Fatalf("unknown line %v", f)
	}
}

func parts(top *topology.Topology) string {
	var b strings.Builder
	for _, s := range top.Subs {
		fmt.Fprintf(&b, "%d: sources %v sinks %v stores [", s.ID, s.Sources, s.Sinks)
		for i, st := range s.Stores {
			if i > 0 {
				b.WriteString(" ")
			}
			b.WriteString(st.Name)
		}
		b.WriteString("]\n")
	}
	var internal []string
	for _, r := range top.Repartitions {
		internal = append(internal, fmt.Sprintf("{%s %d}", r.Topic, r.Partitions))
	}
	fmt.Fprintf(&b, "topics read: %v, internal %v, together %v\n", top.SourceTopics(), internal, top.Copartition)
	return b.String()
}

func TestTheFirstErrorStays(t *testing.T) {
	b := topology.NewBuilder()
	b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: "p", Parents: []string{"nobody"}})
	b.Add(&topology.Node{Kind: topology.SourceNode, Name: "s", Topics: []string{"t"}})
	b.Add(&topology.Node{Kind: topology.SourceNode, Name: "s", Topics: []string{"t"}})
	_, err := b.Build()
	if want := "Invalid topology: Predecessor processor nobody is not added yet for p"; err == nil || err.Error() != want || b.Err().Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestTheSameStoreMayComeAgain(t *testing.T) {
	b := topology.NewBuilder()
	b.Add(&topology.Node{Kind: topology.SourceNode, Name: "s", Topics: []string{"t"}})
	b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: "p", Parents: []string{"s"}})
	spec := &state.Spec{Name: "st"}
	b.AddStore(spec, "p")
	b.AddStore(spec, "p")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	if got := top.Subs[0].Stores; len(got) != 1 || got[0] != spec {
		t.Errorf("stores %v", got)
	}
}

func TestCheckName(t *testing.T) {
	for _, name := range []string{"a", "A-b_c.9", "...", strings.Repeat("x", 249)} {
		if err := topology.CheckName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, name := range []string{"", ".", "..", strings.Repeat("x", 250), "a b", "ä", "a/b", "a\n"} {
		if err := topology.CheckName(name); err == nil {
			t.Errorf("%q must be refused", name)
		}
	}
}
