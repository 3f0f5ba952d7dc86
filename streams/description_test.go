package streams_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// TestDescriptionTellsWhoMadeWhat labels steps and looks for the labels on nodes, stores and internal topics.
func TestDescriptionTellsWhoMadeWhat(t *testing.T) {
	b := streams.NewBuilder()
	consumed := streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}
	b.Step("words")
	words := streams.Stream(b, "text", consumed)
	b.Step("again")
	again := streams.Stream(b, "text", consumed)
	b.Step("by-word")
	grouped := streams.GroupBy(words, func(_, word string) (string, error) { return word, nil },
		streams.Grouped[string, string]{Key: serde.String(), Value: serde.String()})
	b.Step("count")
	counts := streams.Count(grouped)
	b.Step("out")
	counts.ToStream().To("counts")
	b.Step("copy")
	again.To("copy")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	type made struct{ What, Name, Steps string }
	var got []made
	text := func(v any) string {
		j, _ := json.Marshal(v)
		return string(j)
	}
	d := top.Description()
	for _, s := range d.Subtopologies {
		for _, n := range s.Nodes {
			got = append(got, made{n.Kind, n.Name, text(n.Steps)})
		}
		for _, x := range s.Stores {
			got = append(got, made{"store", x.Name + " " + x.Changelog, text(x.Steps)})
		}
	}
	for _, r := range d.Repartitions {
		got = append(got, made{"topic", r.Topic, text(r.Steps)})
	}
	const count = "KSTREAM-AGGREGATE-STATE-STORE-0000000003"
	want := []made{
		{"source", "KSTREAM-SOURCE-0000000000", `["words","again"]`},
		{"processor", "KSTREAM-KEY-SELECT-0000000002", `["by-word"]`},
		{"processor", "KSTREAM-FILTER-0000000006", `["count"]`},
		{"sink", "KSTREAM-SINK-0000000005", `["count"]`},
		{"sink", "KSTREAM-SINK-0000000010", `["copy"]`},
		{"source", "KSTREAM-SOURCE-0000000007", `["count"]`},
		{"processor", "KSTREAM-AGGREGATE-0000000004", `["count"]`},
		{"processor", "KTABLE-TOSTREAM-0000000008", `["out"]`},
		{"sink", "KSTREAM-SINK-0000000009", `["out"]`},
		{"store", count + " " + count + "-changelog", `["count"]`},
		{"topic", count + "-repartition", `["count"]`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
