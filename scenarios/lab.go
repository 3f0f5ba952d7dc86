package scenarios

import (
	"flag"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/faults"
)

var seedFlag = flag.Uint64("kstreamlab.seed", 1, "seed of the scenarios in tests")

// Lab builds a scenario in a test and runs it there.
type Lab struct {
	t testing.TB
	s Scenario
	o Options
	n uint64
}

// New returns a lab that runs in the simulator, under the seed of the flag -kstreamlab.seed.
func New(t testing.TB) *Lab {
	return &Lab{t: t, s: Scenario{Name: t.Name()}, n: *seedFlag}
}

// On chooses another place.
func (l *Lab) On(o Options) *Lab { l.o = o; return l }

// Seed chooses a seed.
func (l *Lab) Seed(n uint64) *Lab { l.n = n; return l }

// Topic adds a topic.
func (l *Lab) Topic(t Topic) *Lab { l.s.Topics = append(l.s.Topics, t); return l }

// App adds an application.
func (l *Lab) App(a App) *Lab { l.s.Apps = append(l.s.Apps, a); return l }

// Worker adds a Connect worker.
func (l *Lab) Worker(w Worker) *Lab { l.s.Workers = append(l.s.Workers, w); return l }

// Workload adds records to write.
func (l *Lab) Workload(w Workload) *Lab { l.s.Workload = append(l.s.Workload, w); return l }

// Fault adds a fault.
func (l *Lab) Fault(f faults.Fault) *Lab { l.s.Faults = append(l.s.Faults, f); return l }

// Expect adds expectations.
func (l *Lab) Expect(e ...Expectation) *Lab { l.s.Expect = append(l.s.Expect, e...); return l }

// Scenario is what was built so far.
func (l *Lab) Scenario() *Scenario { return &l.s }

// Run runs the scenario, in the simulator twice, and fails the test with the whole verdict, and the line that replays it, when an
// expectation does not hold.
func (l *Lab) Run() *Verdict {
	l.t.Helper()
	v, err := RunSeed(&l.s, l.o, l.n)
	if err != nil {
		l.t.Fatalf("scenario %s, seed %d: %v", l.s.Name, l.n, err)
	}
	if !v.Pass() {
		var b strings.Builder
		_ = v.Write(&b) // a Builder takes everything
		l.t.Errorf("%s\nreplay: go test -run '^%s$' -kstreamlab.seed=%d", b.String(), rootName(l.t.Name()), l.n)
	}
	return v
}

func rootName(name string) string {
	root, _, _ := strings.Cut(name, "/")
	return root
}
