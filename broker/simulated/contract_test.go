package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/brokertest"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/sim"
)

func TestContract(t *testing.T) {
	brokertest.Run(t, brokertest.Target{Name: "simulated", New: func(t testing.TB) brokertest.Fixture {
		return &fixture{newWorld(t, 7, simulated.Config{
			GroupMinSessionTimeout: time.Millisecond, LogRetentionCheckInterval: 500 * time.Millisecond, LogCleanerBackoff: 500 * time.Millisecond,
			TransactionAbortInterval: 500 * time.Millisecond,
		})}
	}})
}

// fixture runs contract cases on the model.
type fixture struct{ w *world }

type process struct {
	p *sim.Process
	c broker.Cluster
}

func (p process) Host() host.Host         { return p.p }
func (p process) Cluster() broker.Cluster { return p.c }
func (p process) Crash()                  { p.p.Kill() }

func (f *fixture) Unique() string { return "" }

func (f *fixture) Start(name string) brokertest.Process {
	p := f.w.k.NewProcess(name, nil)
	return process{p, f.w.m.Client(p)}
}

func (f *fixture) Run(run func(ctx context.Context, p brokertest.Process)) {
	f.w.run(func(ctx context.Context) { run(ctx, process{f.w.main, f.w.c}) })
}

func (f *fixture) IDs() []int { return []int{1, 2, 3} }

// KillBroker returns at once: the controller moves what the broker led by and by.
func (f *fixture) KillBroker(_ context.Context, id int) error {
	f.w.m.CrashBroker(id)
	return nil
}

func (f *fixture) RestartBroker(ctx context.Context, id int) error {
	f.w.m.RestartBroker(id)
	for {
		behind := false
		for _, p := range f.w.m.Partitions() {
			behind = behind || len(p.ISR) < len(p.Replicas)
		}
		if !behind {
			return nil
		}
		if err := f.w.main.Sleep(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

func (f *fixture) GroupCoordinator(_ context.Context, group string) (int, error) {
	return f.w.m.GroupCoordinator(group), nil
}

func (f *fixture) TransactionCoordinator(_ context.Context, id string) (int, error) {
	return f.w.m.TransactionCoordinator(id), nil
}
