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
	brokertest.Run(t, brokertest.Target{New: func(t testing.TB) brokertest.Fixture {
		return &fixture{newWorld(t, 7, simulated.Config{GroupMinSessionTimeout: time.Millisecond})}
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
