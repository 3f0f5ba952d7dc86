package trace_test

import (
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

func TestAnEventIsOneLine(t *testing.T) {
	for _, tt := range []struct {
		event trace.Event
		want  string
	}{
		{trace.Event{Process: "app-1", Kind: "task.assigned", Fields: []trace.Field{trace.F("task", "0_1"), trace.I("offset", -7)}},
			"1970-01-01T00:00:00.000000000Z app-1 task.assigned task=0_1 offset=-7"},
		{trace.Event{At: 1357034400_000000001, Process: "lab", Kind: "x"}, "2013-01-01T10:00:00.000000001Z lab x"},
		{trace.Event{Process: "p", Kind: "k", Fields: []trace.Field{trace.F("a", ""), trace.F("b", "x y"), trace.F("c", "l\nm"), trace.F("d", `"`), trace.F("e", "é"), trace.F("f", "a=b")}},
			`1970-01-01T00:00:00.000000000Z p k a="" b="x y" c="l\nm" d="\"" e="é" f="a=b"`},
	} {
		if got := tt.event.String(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestALogHashesEverythingAndKeepsWhatItIsAskedFor(t *testing.T) {
	events := []trace.Event{
		{At: 1, Process: "a", Kind: "txn.begin"},
		{At: 2, Process: "b", Kind: "txn.commit", Fields: []trace.Field{trace.I("n", 1)}},
		{At: 3, Process: "a", Kind: "txn.commit", Fields: []trace.Field{trace.I("n", 2)}},
		{At: 4, Process: "a", Kind: "txnal", Fields: []trace.Field{trace.I("n", 3)}},
	}
	run := func(keep trace.Filter, events []trace.Event) (*trace.Log, string) {
		var tee strings.Builder
		l := &trace.Log{Keep: keep, Tee: &tee}
		for _, e := range events {
			l.Add(e)
		}
		return l, tee.String()
	}
	all, lines := run(nil, events)
	if len(all.Events()) != 0 || all.Len() != 4 || strings.Count(lines, "\n") != 4 {
		t.Fatalf("%d kept, %d events, lines %q", len(all.Events()), all.Len(), lines)
	}
	some, _ := run(trace.And(trace.Kind("txn.*"), trace.Process("a")), events)
	if some.Hash() != all.Hash() {
		t.Error("the hash depends on the filter")
	}
	if got := some.Events(); len(got) != 2 || got[0].At != 1 || got[1].At != 3 {
		t.Errorf("kept %v", got)
	}
	if n, ok := some.Events()[1].Get("n"); n != "2" || !ok {
		t.Errorf("n is %q, %t", n, ok)
	}
	events[1], events[2] = events[2], events[1]
	if other, _ := run(nil, events); other.Hash() == all.Hash() {
		t.Error("two orders, one hash")
	}
}
