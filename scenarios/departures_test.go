package scenarios_test

import (
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/scenarios"
)

func TestMonthOfDepartures(t *testing.T) {
	if testing.Short() {
		t.Skip("31 virtual days take a few seconds")
	}
	v := pass(t, month(t), 1)
	if days := v.Virtual / (24 * time.Hour); v.Records != 27_004 || days != 30 {
		t.Errorf("%d records in %d full virtual days", v.Records, days)
	}
	if f := found(t, v, "late-drops"); f.Figures != "938 of 27004 records dropped as late" {
		t.Error(f.Figures)
	}
}

func TestTwoDaysOfDepartures(t *testing.T) {
	for seed := range uint64(5) {
		pass(t, twoDays(t), 100+seed)
	}
}

// TestDeparturesOnFake is the first two days over the wire, with the library's faults of the month in them.
func TestDeparturesOnFake(t *testing.T) {
	t.Parallel()
	s := twoDays(t)
	s.Faults = s.Faults[:0]
	s.Faults = append(s.Faults, crashed("departures-2", "2013-01-01T18:20:00Z", 10*time.Minute), zombie("departures-3", "2013-01-02T17:05:00Z", 5*time.Minute))
	s.Apps[0].Config["session.timeout.ms"], s.Apps[0].Config["heartbeat.interval.ms"] = "6000", "1000"
	simulated := pass(t, s, 1)
	v, err := scenarios.RunSeed(s, scenarios.Options{On: scenarios.Fake}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if !v.Pass() {
		t.Errorf("it does not hold:\n%s", text(t, v))
	}
	if want, got := rows(t, simulated, "departures-per-hour"), rows(t, v, "departures-per-hour"); want != got {
		t.Errorf("the final tables differ: simulated\n%sfake\n%s", want, got)
	}
}
