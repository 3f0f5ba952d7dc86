package scenarios_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/scenarios"
)

// TestFalseExpectationsFail makes expectations false on purpose: the message names key, window, expected and found.
func TestFalseExpectationsFail(t *testing.T) {
	key := map[string]any{"key": "AA", "start": at("2013-01-01T11:00:00Z").UnixMilli(), "end": at("2013-01-01T12:00:00Z").UnixMilli()}
	none := map[string]any{"key": "ZZ", "start": at("2013-01-01T11:00:00Z").UnixMilli(), "end": at("2013-01-01T12:00:00Z").UnixMilli()}
	s := twoDays(t)
	s.Faults = nil
	s.Expect = []scenarios.Expectation{
		scenarios.Rows{Topic: "departures-per-hour", Rows: []scenarios.WantRow{{Key: key, Value: 8}}},
		scenarios.Rows{Topic: "departures-per-hour", Rows: []scenarios.WantRow{{Key: key, Value: 9}, {Key: none, Value: 1}}},
		// the application's grace is an hour
		scenarios.WindowedCounts{Topic: "departures-per-hour", Input: "flights", Size: time.Hour, Grace: 3 * time.Hour},
		scenarios.LateDrops{App: "departures", Input: "flights", Size: time.Hour, Grace: 3 * time.Hour},
	}
	v := run(t, s, 1)
	if v.Pass() || !strings.HasSuffix(text(t, v), "FAIL\n") {
		t.Fatalf("it holds:\n%s", text(t, v))
	}
	if !v.Findings[0].Pass {
		t.Errorf("the true expectation fails: %v", v.Findings[0].Problems)
	}
	want := []string{
		`key "AA" window [2013-01-01T11:00:00Z, 2013-01-01T12:00:00Z): expected 9, found 8`,
		`key "ZZ" window [2013-01-01T11:00:00Z, 2013-01-01T12:00:00Z): expected 1, found nothing`,
	}
	if d := cmp.Diff(want, v.Findings[1].Problems); d != "" {
		t.Error(d)
	}
	counts := v.Findings[2]
	if n := len(counts.Problems) + counts.More; counts.Pass || n != 34 || !slices.Contains(counts.Problems, `key "9E" window [2013-01-02T13:00:00Z, 2013-01-02T14:00:00Z): expected 8, found 7`) {
		t.Errorf("%d: %v", n, counts.Problems)
	}
	if drops := v.Findings[3]; drops.Pass || !cmp.Equal(drops.Problems, []string{"expected 9 records dropped as late, found 56"}) {
		t.Error(drops.Problems)
	}
}
