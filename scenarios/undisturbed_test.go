package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
)

// copying is an application that copies a topic, two instances of it, of which one is killed while it works.
func copying(t *testing.T, guarantee string, expect ...scenarios.Expectation) *scenarios.Scenario {
	t.Helper()
	b := streams.NewBuilder()
	streams.Stream(b, "in", streams.Consumed[string, string]{}).To("out")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	var list []scenarios.Event
	for i := range 3000 {
		ms := noon.Add(time.Duration(i) * 20 * time.Millisecond).UnixMilli()
		list = append(list, scenarios.Event{Arrival: ms, Record: broker.Record{Key: fmt.Appendf(nil, "k%d", i%50), Value: fmt.Appendf(nil, "v%d", i), Timestamp: ms}})
	}
	return &scenarios.Scenario{Name: t.Name(),
		Topics:   []scenarios.Topic{{Name: "in", Partitions: 4}, {Name: "out", Partitions: 4}},
		Apps:     []scenarios.App{{Name: "copier", Topology: topology, Instances: 2, Config: map[string]string{"processing.guarantee": guarantee, "commit.interval.ms": "1000"}}},
		Workload: []scenarios.Workload{{Topic: "in", Records: list}},
		Faults:   []faults.Fault{{Kind: faults.Crash, Instance: "copier-1", At: noon.Add(30*time.Second + 500*time.Millisecond), For: time.Minute}},
		Expect:   expect,
	}
}

// TestSameWithoutFaults compares a copy under a crash with one that is made in peace: exactly once it is the same to the record; at least once some
// records come twice, which the table does not show and the multiset does.
func TestSameWithoutFaults(t *testing.T) {
	v := run(t, copying(t, "exactly_once_v2", scenarios.SameWithoutFaults{Topic: "out", Compare: scenarios.Exactly}, scenarios.SameWithoutFaults{Topic: "out", Compare: scenarios.AsMultiset},
		scenarios.SameWithoutFaults{Topic: "out"}), 1)
	if !v.Pass() {
		t.Errorf("exactly once:\n%s", text(t, v))
	}
	v = run(t, copying(t, "at_least_once", scenarios.SameWithoutFaults{Topic: "out", Compare: scenarios.Exactly}, scenarios.SameWithoutFaults{Topic: "out", Compare: scenarios.AsMultiset},
		scenarios.SameWithoutFaults{Topic: "out"}), 1)
	exact, set, last := v.Findings[0], v.Findings[1], v.Findings[2]
	if exact.Pass || set.Pass || !last.Pass {
		t.Errorf("at least once: exact %t, multiset %t, last %t: want only the last\n%s", exact.Pass, set.Pass, last.Pass, text(t, v))
	}
	for _, p := range set.Problems {
		if !strings.Contains(p, "1 more than expected of key") {
			t.Error(p)
		}
	}
}

// TestSameWithoutFaultsNeedsATopic asks about a topic that is not there.
func TestSameWithoutFaultsNeedsATopic(t *testing.T) {
	for _, e := range []scenarios.SameWithoutFaults{{Topic: "none"}, {Topic: "out", Compare: "roughly"}} {
		s := copying(t, "at_least_once", e)
		s.Workload[0].Records = s.Workload[0].Records[:1]
		s.Faults = nil
		if _, err := scenarios.RunSeed(s, scenarios.Options{}, 1); err == nil {
			t.Errorf("%v: no error", e)
		}
	}
}
