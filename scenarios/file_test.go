package scenarios_test

import (
	"os"
	"testing"

	"github.com/kstreamlab/kstreamlab/scenarios"
)

func TestTheLibraryLoadsAndHolds(t *testing.T) {
	s, err := scenarios.Load(os.DirFS("."), "library/departures/scenario-two-days.yaml")
	if err != nil {
		t.Fatal(err)
	}
	v, err := scenarios.RunSeed(s, scenarios.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	v.Write(os.Stderr)
	if !v.Pass() {
		t.Error("it does not hold")
	}
}
