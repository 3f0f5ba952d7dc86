package scenarios_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

var (
	loadMonth   = sync.OnceValues(func() (*scenarios.Scenario, error) { return loadDepartures("scenario.yaml") })
	loadTwoDays = sync.OnceValues(func() (*scenarios.Scenario, error) { return loadDepartures("scenario-two-days.yaml") })
)

func loadDepartures(file string) (*scenarios.Scenario, error) {
	return scenarios.Load(os.DirFS("library/departures"), file)
}

func month(t testing.TB) *scenarios.Scenario {
	t.Helper()
	s, err := loadMonth()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// twoDays is a copy of the library's scenario that a test may change.
func twoDays(t testing.TB) *scenarios.Scenario {
	t.Helper()
	s, err := loadTwoDays()
	if err != nil {
		t.Fatal(err)
	}
	c := *s
	c.Faults, c.Expect, c.Apps = slices.Clone(s.Faults), slices.Clone(s.Expect), slices.Clone(s.Apps)
	for i := range c.Apps {
		c.Apps[i].Config = maps.Clone(c.Apps[i].Config)
	}
	return &c
}

func at(s string) time.Time {
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err) // a test's own text
	}
	return v
}

// crashed is a crash of one instance at a moment, for a while.
func crashed(instance, when string, length time.Duration) faults.Fault {
	return faults.Fault{Kind: faults.Crash, Instance: instance, At: at(when), For: length}
}

// run runs a seed in the simulator.
func run(t testing.TB, s *scenarios.Scenario, seed uint64) *scenarios.Verdict {
	t.Helper()
	v, err := scenarios.RunSeed(s, scenarios.Options{}, seed)
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return v
}

// pass runs a seed and wants it to hold.
func pass(t testing.TB, s *scenarios.Scenario, seed uint64) *scenarios.Verdict {
	t.Helper()
	v := run(t, s, seed)
	if !v.Pass() {
		t.Errorf("it does not hold:\n%s", text(t, v))
	}
	return v
}

func text(t testing.TB, v *scenarios.Verdict) string {
	t.Helper()
	var b strings.Builder
	if err := v.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// found is the finding of an expectation whose name begins so.
func found(t testing.TB, v *scenarios.Verdict, name string) scenarios.Finding {
	t.Helper()
	i := slices.IndexFunc(v.Findings, func(f scenarios.Finding) bool { return strings.HasPrefix(f.Name, name) })
	if i < 0 {
		t.Fatalf("no finding of %s:\n%s", name, text(t, v))
	}
	return v.Findings[i]
}

// events are the trace's lines of one run of a seed.
func events(t testing.TB, s *scenarios.Scenario, seed uint64) ([]string, *scenarios.Verdict) {
	t.Helper()
	var b strings.Builder
	v, err := scenarios.RunSeed(s, scenarios.Options{Trace: &b}, seed)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n"), v
}

// rows is a topic's final table as an export shows it.
func rows(t testing.TB, v *scenarios.Verdict, topic string) string {
	t.Helper()
	table, ok := v.Table(topic)
	if !ok {
		t.Fatalf("there is no table of %s", topic)
	}
	var b strings.Builder
	if err := table.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// zombie is a pause of one instance at a moment, for a while.
func zombie(instance, when string, length time.Duration) faults.Fault {
	return faults.Fault{Kind: faults.Pause, Instance: instance, At: at(when), For: length}
}
