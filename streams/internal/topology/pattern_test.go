package topology_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

func patterned(t *testing.T, patterns ...string) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder()
	b.Add(&topology.Node{Kind: topology.SourceNode, Name: "fixed", Topics: []string{"zoo"}})
	for _, text := range patterns {
		p, err := topology.NewPattern(text)
		if err != nil {
			t.Fatal(err)
		}
		b.Add(&topology.Node{Kind: topology.SourceNode, Name: text, Pattern: p, Reset: "latest"})
	}
	b.Copartition("fixed", patterns[0])
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestPatternsTakeWholeNames(t *testing.T) {
	p, err := topology.NewPattern("a|b.")
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]bool{"a": true, "bx": true, "ab": false, "xa": false, "bxy": false, "a\n": false} {
		if p.Matches(topic) != want {
			t.Errorf("%q matches: want %v", topic, want)
		}
	}
	for _, bad := range []string{"a(", "a)(b", "(?=x)"} {
		if _, err := topology.NewPattern(bad); err == nil {
			t.Errorf("%q was taken for a pattern", bad)
		}
	}
}

func TestResolve(t *testing.T) {
	top := patterned(t, "a.*", "b.*")
	got, err := top.Resolve([]string{"b1", "a2", "a1", "zoo", "other"})
	if err != nil {
		t.Fatal(err)
	}
	var sources [][]string
	for _, s := range got.Subs {
		sources = append(sources, s.Sources)
	}
	if d := cmp.Diff([][]string{{"zoo"}, {"a1", "a2"}, {"b1"}}, sources); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([][]string{{"zoo", "a1", "a2"}}, got.Copartition); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"zoo"}, top.SourceTopics()); d != "" {
		t.Errorf("the topology itself has changed: %s", d)
	}
	if _, err := patterned(t, "a.*", ".*1").Resolve([]string{"a1"}); err == nil {
		t.Error("a topic that two patterns match was given to one of them")
	}
}

func TestResets(t *testing.T) {
	top := patterned(t, "a.*")
	r, ok := top.ResetOf("ab")
	if want := (topology.Reset{Policy: broker.ResetLatest}); !ok || r != want {
		t.Errorf("the reset of a pattern's topic: %v %v", r, ok)
	}
	if _, ok := top.ResetOf("zoo"); ok {
		t.Error("a source without a policy has one")
	}
	for text, want := range map[string]time.Duration{"PT0S": 0, "PT1H30M": 90 * time.Minute, "P2D": 48 * time.Hour, "pt1.5s": 1500 * time.Millisecond, "P1DT2H3M4.000000005S": 26*time.Hour + 3*time.Minute + 4*time.Second + 5} {
		if r, err := topology.ParseReset("by_duration:" + text); err != nil || !r.ByTime || r.Ago != want {
			t.Errorf("%s: %v %v, want %v", text, r, err, want)
		}
	}
	for _, bad := range []string{"", "Earliest", "by_duration", "by_duration:", "by_duration:P", "by_duration:PT", "by_duration:P1DT", "by_duration:-PT1H", "by_duration:PT-1H", "by_duration:1h", "by_duration:P300000000D"} {
		if _, err := topology.ParseReset(bad); err == nil {
			t.Errorf("%q was taken for a reset policy", bad)
		}
	}
}
