package diagram_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/declare"
	"github.com/kstreamlab/kstreamlab/streams/diagram"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

func description(t *testing.T) streams.TopologyDescription {
	t.Helper()
	data, err := os.ReadFile("testdata/orders.yaml")
	if err != nil {
		t.Fatal(err)
	}
	app, err := declare.Parse("orders.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	return app.Topology.Description()
}

func TestTextFormats(t *testing.T) {
	d := description(t)
	for name, got := range map[string]string{"orders.dot": diagram.DOT(d), "orders.mermaid": diagram.Mermaid(d)} {
		if *rewrite {
			if err := os.WriteFile("testdata/"+name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestSVG reads the picture as XML: every node, topic and store must be in it as text, and a second one must be the same.
func TestSVG(t *testing.T) {
	d := description(t)
	picture := diagram.SVG(d)
	if again := diagram.SVG(d); string(again) != string(picture) {
		t.Error("two pictures of one topology differ")
	}
	texts := map[string]bool{}
	for dec := xml.NewDecoder(strings.NewReader(string(picture))); ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			texts[string(c)] = true
		}
	}
	for _, s := range d.Subtopologies {
		for _, n := range s.Nodes {
			for _, want := range append([]string{n.Name}, n.Topics...) {
				if !texts[want] {
					t.Errorf("%s is not in the picture", want)
				}
			}
		}
		for _, x := range s.Stores {
			if !texts[x.Name] {
				t.Errorf("store %s is not in the picture", x.Name)
			}
		}
	}
}

// TestTextsAreQuoted draws names and labels with characters that mean something to the languages.
func TestTextsAreQuoted(t *testing.T) {
	d := streams.TopologyDescription{Subtopologies: []streams.SubtopologyDescription{{Nodes: []streams.NodeDescription{
		{Name: `a"b\c`, Kind: "sink", Extractor: "<x> #1", Steps: []string{"s\nt"}}}}}}
	if dot := diagram.DOT(d); !strings.Contains(dot, `[label="a\"b\\c\ntopic by <x> #1\nstep s\nt"]`) {
		t.Error(dot)
	}
	if m := diagram.Mermaid(d); !strings.Contains(m, `("a#quot;b\c<br>topic by #lt;x#gt; #35;1<br>step s<br>t")`) {
		t.Error(m)
	}
	if s := string(diagram.SVG(d)); !strings.Contains(s, ">a&#34;b\\c<") || !strings.Contains(s, "&lt;x&gt;") {
		t.Error(s)
	}
}
