package scenarios

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// simulation is the place with virtual time.
type simulation struct {
	k     *sim.Kernel
	model *simulated.Model
	lab   *sim.Process
	log   *trace.Log
	left  int // steps still to come
}

func newSimulation(s *Scenario, o Options, seed uint64) *simulation {
	log := &trace.Log{Tee: o.Trace}
	logger := o.Log
	if logger == nil {
		logger = slog.New(slog.DiscardHandler)
	}
	k := sim.New(sim.Config{Seed: seed, Start: s.start(), Trace: log, Logger: logger})
	m := simulated.New(k, simulated.Config{Brokers: s.Brokers})
	p := &simulation{k: k, model: m, log: log}
	p.lab = k.NewProcess("lab", sim.NewDisk(sim.DiskConfig{}))
	return p
}

func (p *simulation) on() On                  { return Simulated }
func (p *simulation) host() host.Host         { return p.lab }
func (p *simulation) cluster() broker.Cluster { return p.model.Client(p.lab) }
func (p *simulation) close()                  { p.k.Close() }

func (p *simulation) run(main func(ctx context.Context) error) error {
	done := false
	var err error
	p.lab.Go("scenario", func(ctx context.Context) {
		err = main(ctx)
		done = true
	})
	if kerr := p.k.Run(func() bool { return done }); kerr != nil {
		return kerr
	}
	if !done {
		return fmt.Errorf("scenarios: nothing is left to happen, and the scenario has not ended")
	}
	return err
}

func (p *simulation) schedule(steps []time.Time, do func(i int)) {
	p.left = len(steps)
	for i, at := range steps {
		p.k.At(at, func() {
			p.left--
			do(i)
		})
	}
}

func (p *simulation) arrive(ctx context.Context, at time.Time) error {
	return p.lab.Sleep(ctx, at.Sub(p.lab.Now()))
}

func (p *simulation) settled() bool { return p.left == 0 }
func (p *simulation) finish()       {}

// end folds the kernel's digest of every dispatch into the trace, so that two runs with equal hashes were scheduled alike too.
func (p *simulation) end() string {
	p.k.Emit("lab", trace.Event{Kind: "run.end", Fields: []trace.Field{trace.F("digest", fmt.Sprintf("%016x", p.k.Digest()))}})
	return p.log.Hash()
}

func (p *simulation) machine(name string) machine {
	return &simMachine{p: p, name: name, disk: sim.NewDisk(sim.DiskConfig{Seed: p.k.Seed()})}
}

type simMachine struct {
	p    *simulation
	name string
	disk *sim.Disk
	proc *sim.Process
}

func (m *simMachine) start() (host.Host, broker.Cluster, error) {
	m.proc = m.p.k.NewProcess(m.name, m.disk)
	return m.proc, m.p.model.Client(m.proc), nil
}

func (m *simMachine) fs() vfs.FS { return m.disk.FS() }
func (m *simMachine) kill()      { m.proc.Kill() }
func (m *simMachine) pause()     { m.proc.Pause() }
func (m *simMachine) resume()    { m.proc.Resume() }

// Options are how a scenario is run, whatever it is.
type Options struct {
	On        On     // default Simulated
	Bootstrap string // of a real cluster
	// Trace gets every event as a line (simulated).
	Trace io.Writer
	// Log gets the engine's log; nil: nothing is logged.
	Log *slog.Logger
	// Progress is told now and then how far the run is. It must be quick.
	Progress func(Progress)
	// Recreate deletes topics of the scenario that exist already on a real cluster.
	Recreate bool
	// Export are topics whose final table the verdict is to hold.
	Export []string
}

// Progress is how far a run is.
type Progress struct {
	Seed    uint64
	Run     int // 1 or 2, of the two runs of a simulated seed
	Phase   string
	Records int // of the workload, written
	Of      int
	Virtual time.Time
	Wall    time.Duration
}
