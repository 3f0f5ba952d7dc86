package scenarios_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

var plans = flag.Uint64("plans", 20, "random fault plans of TestRandomPlans")

// TestRandomPlans holds every expectation against two crashes and two pauses of lengths between a second and half an hour, with sessions of ten
// seconds, at moments that the seed draws.
func TestRandomPlans(t *testing.T) {
	for seed := uint64(1); seed <= *plans; seed++ {
		r := rand.New(rand.NewPCG(seed, 4))
		s := twoDays(t)
		s.Apps[0].Pebble = r.IntN(2) == 0
		s.Faults = nil
		for _, k := range []faults.Kind{faults.Crash, faults.Pause, faults.Crash, faults.Pause} {
			length := time.Second + time.Duration(r.Int64N(int64(30*time.Minute-time.Second))).Truncate(time.Millisecond)
			if r.IntN(2) == 0 { // half of them short, on both sides of the session's end
				length = time.Second + time.Duration(r.Int64N(int64(20*time.Second))).Truncate(time.Millisecond)
			}
			s.Faults = append(s.Faults, faults.Fault{Kind: k, Instance: faults.Any, From: at("2013-01-01T11:00:00Z"), To: at("2013-01-02T23:00:00Z"), For: length})
		}
		v, err := scenarios.RunSeed(s, scenarios.Options{}, seed)
		if err != nil {
			t.Errorf("plan %d: %v", seed, err)
		} else if !v.Pass() {
			t.Errorf("plan %d does not hold:\n%s", seed, text(t, v))
		}
	}
}
