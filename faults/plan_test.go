package faults_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/faults"
)

var noon = time.Date(2013, 1, 1, 12, 0, 0, 0, time.UTC)

var three = []string{"a-1", "a-2", "a-3"}

func seeded(n uint64) *rand.Rand { return rand.New(rand.NewPCG(n, n)) }

func text(steps []faults.Step) []string {
	var out []string
	for _, s := range steps {
		out = append(out, s.String())
	}
	return out
}

func TestFixedFaultsBecomeStepsInOrderOfTime(t *testing.T) {
	steps, err := faults.Plan([]faults.Fault{
		{Kind: faults.Pause, Instance: "a-2", At: noon.Add(time.Minute), For: time.Minute},
		{Kind: faults.Crash, Instance: "a-1", At: noon, For: 10 * time.Minute},
		{Kind: faults.Crash, Instance: "a-2", At: noon.Add(2 * time.Minute)}, // at the very moment of the resumption, and for ever
	}, three, seeded(1))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"crash a-1 at 2013-01-01T12:00:00Z", "pause a-2 at 2013-01-01T12:01:00Z", "resume a-2 at 2013-01-01T12:02:00Z",
		"crash a-2 at 2013-01-01T12:02:00Z", "restart a-1 at 2013-01-01T12:10:00Z"}
	if d := cmp.Diff(want, text(steps)); d != "" {
		t.Error(d)
	}
}

func TestWrongPlans(t *testing.T) {
	crash := faults.Fault{Kind: faults.Crash, Instance: "a-1", At: noon, For: 10 * time.Minute}
	with := func(change func(f *faults.Fault)) []faults.Fault {
		f := crash
		change(&f)
		return []faults.Fault{f}
	}
	cases := []struct {
		name string
		list []faults.Fault
		on   []string
		want string
	}{
		{"overlap", []faults.Fault{crash, {Kind: faults.Pause, Instance: "a-1", At: noon.Add(9 * time.Minute), For: time.Second}}, three,
			"fault 2: pause a-1 at 2013-01-01T12:09:00Z overlaps another one of the same instance: move one of them"},
		{"after one that does not end", []faults.Fault{{Kind: faults.Crash, Instance: "a-1", At: noon}, {Kind: faults.Crash, Instance: "a-1", At: noon.AddDate(1, 0, 0)}}, three,
			"fault 2: crash a-1 at 2014-01-01T12:00:00Z overlaps another one of the same instance: move one of them"},
		{"more than there are instances", []faults.Fault{{Kind: faults.Crash, Instance: faults.Any, At: noon}, {Kind: faults.Crash, Instance: faults.Any, From: noon, To: noon.Add(time.Hour)}}, three[:1],
			"fault 2: crash any between 2013-01-01T12:00:00Z and 2013-01-01T13:00:00Z overlaps another one of the same instance: move one of them"},
		{"unknown instance", with(func(f *faults.Fault) { f.Instance = "b-1" }), three, `fault 1: there is no instance "b-1": there are [a-1 a-2 a-3]`},
		{"any of none", with(func(f *faults.Fault) { f.Instance = faults.Any }), nil, `fault 1: there is no instance "any": there are []`},
		{"no kind", with(func(f *faults.Fault) { f.Kind = "" }), three, `fault 1: "" is no fault: crash and pause are`},
		{"restart", with(func(f *faults.Fault) { f.Kind = faults.Restart }), three, `fault 1: "restart" is no fault: crash and pause are`},
		{"no time", with(func(f *faults.Fault) { f.At = time.Time{} }), three, "fault 1: either a moment or a span is needed"},
		{"two times", with(func(f *faults.Fault) { f.From = noon }), three, "fault 1: either a moment or a span is needed"},
		{"backwards", with(func(f *faults.Fault) { f.At, f.From, f.To = time.Time{}, noon, noon.Add(-time.Second) }), three,
			"fault 1: the span ends, at 2013-01-01T11:59:59Z, before it begins, at 2013-01-01T12:00:00Z"},
		{"negative length", with(func(f *faults.Fault) { f.For = -time.Second }), three, "fault 1: the length -1s is negative"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			steps, err := faults.Plan(c.list, c.on, seeded(1))
			if err == nil || err.Error() != c.want {
				t.Errorf("steps %v, error %v; want %s", steps, err, c.want)
			}
		})
	}
}

// drawn is a plan in which fixed and drawn faults crowd into half an hour.
func drawn() []faults.Fault {
	half := noon.Add(30 * time.Minute)
	return []faults.Fault{
		{Kind: faults.Crash, Instance: faults.Any, From: noon, To: half, For: 10 * time.Minute},
		{Kind: faults.Pause, Instance: faults.Any, From: noon, To: half, For: 5 * time.Minute},
		{Kind: faults.Pause, Instance: "a-3", From: noon, To: half, For: 5 * time.Minute},
		{Kind: faults.Crash, Instance: "a-2", At: noon.Add(15 * time.Minute), For: 10 * time.Minute},
		{Kind: faults.Crash, Instance: faults.Any, At: noon.Add(15 * time.Minute), For: time.Minute},
	}
}

func TestDrawnFaultsNeverOverlapAndFixedOnesStay(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(300) {
		steps, err := faults.Plan(drawn(), three, seeded(seed))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		lines := text(steps)
		if !slices.Contains(lines, "crash a-2 at 2013-01-01T12:15:00Z") {
			t.Fatalf("seed %d: the fixed fault is gone: %v", seed, lines)
		}
		if !slices.IsSortedFunc(steps, func(a, b faults.Step) int { return a.At.Compare(b.At) }) || len(steps) != 10 {
			t.Fatalf("seed %d: %v", seed, lines)
		}
		down := map[string]faults.Kind{}
		for _, s := range steps {
			undoes := map[faults.Kind]faults.Kind{faults.Restart: faults.Crash, faults.Resume: faults.Pause}[s.Kind]
			if down[s.Instance] != undoes {
				t.Fatalf("seed %d: %s comes after %q: %v", seed, s, down[s.Instance], lines)
			}
			down[s.Instance] = ""
			if undoes == "" {
				down[s.Instance] = s.Kind
			}
			if s.At.Before(noon) || s.At.After(noon.Add(time.Hour)) || s.At.Nanosecond()%1e6 != 0 {
				t.Fatalf("seed %d: %s", seed, s)
			}
		}
		seen[strings.Join(lines, "\n")] = true
	}
	if len(seen) < 290 {
		t.Errorf("300 seeds drew only %d different plans", len(seen))
	}
}

func TestTheSameSeedDrawsTheSame(t *testing.T) {
	plan := func() string {
		steps, err := faults.Plan(drawn(), three, seeded(7))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(text(steps))
	}
	if a, b := plan(), plan(); a != b {
		t.Errorf("%s\n%s", a, b)
	}
}
