package streams_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// sides pipes "topic key=value" records, each a second after the last, and returns what came out; a null value is shown as nothing.
func sides(t *testing.T, top *streams.Topology, in ...string) []string {
	t.Helper()
	d := streamstest.New(t, top, nil)
	for i, r := range in {
		topic, row, _ := strings.Cut(r, " ")
		k, v, _ := strings.Cut(row, "=")
		streamstest.Input(d, topic, serde.String(), serde.String()).PipeEvents(t, streamstest.Event[string, string]{Key: k, Value: v, NullValue: v == "", Timestamp: int64(i) * 1000})
	}
	var out []string
	for _, e := range streamstest.Output(d, "out", serde.String(), serde.String()).ReadAll(t) {
		out = append(out, fmt.Sprintf("%s=%s@%d", e.Key, e.Value, e.Timestamp))
	}
	return out
}

func pair(_, l string, hasL bool, r string, hasR bool) (string, error) {
	return fmt.Sprintf("%s%v+%s%v", l, hasL, r, hasR), nil
}

func TestJoinWithin(t *testing.T) {
	b := streams.NewBuilder()
	streams.JoinStreams(streams.Stream(b, "l", texts), streams.InnerJoin, streams.Stream(b, "r", texts), streams.JoinWithin(2*time.Second, 0), pair,
		streams.StreamJoined[string, string, string]{Key: serde.String(), Left: serde.String(), Right: serde.String()}).To("out", writing)
	got := sides(t, built(t, b), "l k=1", "r k=2", "r k=3", "r k=4", "l k=5")
	want := []string{"k=1true+2true@1000", "k=1true+3true@2000", "k=5true+3true@4000", "k=5true+4true@4000"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestCountTable(t *testing.T) {
	b := streams.NewBuilder()
	byFirst := streams.GroupTableBy(streams.Table(b, "l", texts), func(_, v string) (string, string, error) { return v[:1], v, nil },
		streams.Grouped[string, string]{Key: serde.String(), Value: serde.String()})
	counts := streams.CountTable(byFirst, streams.Materialized[string, int64]{Name: "counts"})
	streams.MapValues(counts.ToStream(), func(_ string, n int64) (string, error) { return fmt.Sprint(n), nil }).To("out", writing)
	got := sides(t, built(t, b), "l k=apple", "l m=ant", "l k=bee", "l m=", "l n=bat")
	want := []string{"a=1@0", "a=2@1000", "a=1@2000", "b=1@2000", "a=0@3000", "b=2@4000"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestForeignKeyOfKeyAndValue joins by a foreign key that is made of key and value, with both kinds of join.
func TestForeignKeyOfKeyAndValue(t *testing.T) {
	for kind, want := range map[streams.JoinKind][]string{
		streams.InnerJoin: {"eu-1=xtrue+Xtrue@1000", "eu-1=xtrue+Ytrue@3000", "eu-1=@4000", "us-1=@5000"}, // the last one is for nothing
		streams.LeftJoin:  {"eu-1=xtrue+false@0", "eu-1=xtrue+Xtrue@1000", "us-1=xtrue+false@2000", "eu-1=xtrue+Ytrue@3000", "eu-1=xtrue+false@4000", "us-1=@5000"},
	} {
		b := streams.NewBuilder()
		joined := streams.JoinForeign(kind, streams.Table(b, "l", texts), streams.Table(b, "r", texts), func(k, v string) (string, error) { return k[:2] + v, nil }, pair,
			streams.TableJoined[string, string]{}, streams.Materialized[string, string]{Value: serde.String()})
		joined.ToStream().To("out", writing)
		if d := cmp.Diff(want, sides(t, built(t, b), "l eu-1=x", "r eux=X", "l us-1=x", "r eux=Y", "r eux=", "l us-1=")); d != "" {
			t.Errorf("kind %v: %s", kind, d)
		}
	}
}

func TestQueryableStoreName(t *testing.T) {
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", texts)
	kept := streams.Materialized[string, string]{Name: "kept", Value: serde.String()}
	named, unnamed := streams.Reduce(in.GroupByKey(), join, kept), streams.Reduce(in.GroupByKey(), join)
	kept.Name = "filtered"
	yes := func(string, string) (bool, error) { return true, nil }
	got := []string{named.QueryableStoreName(), unnamed.QueryableStoreName(), named.Filter(yes).QueryableStoreName(), named.Filter(yes, kept).QueryableStoreName()}
	if d := cmp.Diff([]string{"kept", "", "", "filtered"}, got); d != "" {
		t.Error(d)
	}
}

func TestForeignKeyJoinRefusesOuter(t *testing.T) {
	b := streams.NewBuilder()
	streams.JoinForeign(streams.OuterJoin, streams.Table(b, "l", texts), streams.Table(b, "r", texts), func(_, v string) (string, error) { return v, nil }, pair,
		streams.TableJoined[string, string]{}, streams.Materialized[string, string]{Value: serde.String()})
	if _, err := b.Build(); err == nil {
		t.Error("an outer foreign-key join was built")
	}
}

func TestPatternAndTopicExclude(t *testing.T) {
	b := streams.NewBuilder()
	streams.StreamPattern(b, "a.*", texts).To("out", writing)
	streams.Stream(b, "abc", texts).To("out", writing)
	if _, err := b.Build(); err == nil || err.Error() != "Invalid topology: Topic abc matches a Pattern already registered by another source." {
		t.Errorf("a topic that a pattern matches: %v", err)
	}
	b = streams.NewBuilder()
	streams.StreamPattern(b, "a.*", texts).To("out", writing)
	streams.StreamPattern(b, "a.*", texts).To("out", writing)
	if got := sides(t, built(t, b), "a1 k=1"); len(got) != 2 {
		t.Errorf("two streams of one pattern gave %v: want both to have the record", got)
	}
}

func TestResetOfASourceIsChecked(t *testing.T) {
	for reset, ok := range map[string]bool{"earliest": true, "by_duration:PT1H": true, "by_duration:-PT1H": false, "soon": false} {
		c := texts
		c.Reset = reset
		b := streams.NewBuilder()
		streams.Stream(b, "in", c).To("out", writing)
		if _, err := b.Build(); (err == nil) != ok {
			t.Errorf("reset %q: %v", reset, err)
		}
	}
}
