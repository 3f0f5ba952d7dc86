package streams_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func TestDescribeCountBehindARepartitionTopic(t *testing.T) {
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	g := streams.GroupBy(in, func(k, v string) (string, error) { return k + "!", nil }, streams.Grouped[string, string]{Key: serde.String(), Value: serde.String()})
	c := streams.Count(g.WindowedBy(streams.TumblingWindows(10*time.Millisecond, 5*time.Millisecond)))
	k := streams.SelectKey(c.ToStream(), func(k serde.Windowed[string], v int64) (string, error) { return k.Key, nil })
	k.To("out", streams.Produced[string, int64]{Key: serde.String()})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"Topologies:",
		"   Sub-topology: 0",
		"    Source: KSTREAM-SOURCE-0000000000 (topics: [in])",
		"      --> KSTREAM-KEY-SELECT-0000000001",
		"    Processor: KSTREAM-KEY-SELECT-0000000001 (stores: [])",
		"      --> KSTREAM-FILTER-0000000005",
		"      <-- KSTREAM-SOURCE-0000000000",
		"    Processor: KSTREAM-FILTER-0000000005 (stores: [])",
		"      --> KSTREAM-SINK-0000000004",
		"      <-- KSTREAM-KEY-SELECT-0000000001",
		"    Sink: KSTREAM-SINK-0000000004 (topic: KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition)",
		"      <-- KSTREAM-FILTER-0000000005",
		"",
		"  Sub-topology: 1",
		"    Source: KSTREAM-SOURCE-0000000006 (topics: [KSTREAM-AGGREGATE-STATE-STORE-0000000002-repartition])",
		"      --> KSTREAM-AGGREGATE-0000000003",
		"    Processor: KSTREAM-AGGREGATE-0000000003 (stores: [KSTREAM-AGGREGATE-STATE-STORE-0000000002])",
		"      --> KTABLE-TOSTREAM-0000000007",
		"      <-- KSTREAM-SOURCE-0000000006",
		"    Processor: KTABLE-TOSTREAM-0000000007 (stores: [])",
		"      --> KSTREAM-KEY-SELECT-0000000008",
		"      <-- KSTREAM-AGGREGATE-0000000003",
		"    Processor: KSTREAM-KEY-SELECT-0000000008 (stores: [])",
		"      --> KSTREAM-SINK-0000000009",
		"      <-- KTABLE-TOSTREAM-0000000007",
		"    Sink: KSTREAM-SINK-0000000009 (topic: out)",
		"      <-- KSTREAM-KEY-SELECT-0000000008",
		"", "",
	}, "\n")
	if d := cmp.Diff(want, top.Describe()); d != "" {
		t.Error(d)
	}
}
