package brokertest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// LiveClient makes a process's way into a live cluster; cut ends all its connections and refuses new ones.
type LiveClient func(h host.Host) (cluster broker.Cluster, cut func(), err error)

// Live is the fixture of targets that run under the wall clock.
func Live(t testing.TB, client LiveClient) Fixture {
	f := &liveFixture{t: t, client: client, unique: fmt.Sprintf("bt%x-%d-", started.UnixMicro()&0xffffffffff, fixtures.Add(1))}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	t.Cleanup(f.end)
	return f
}

var (
	started  = time.Now()
	fixtures atomic.Int64
)

type liveFixture struct {
	t      testing.TB
	client LiveClient
	unique string
	ctx    context.Context
	cancel context.CancelFunc

	mu        sync.Mutex
	processes []*liveProcess
}

type liveProcess struct {
	host    *host.Live
	cluster broker.Cluster
	cut     func()
}

func (p *liveProcess) Host() host.Host         { return p.host }
func (p *liveProcess) Cluster() broker.Cluster { return p.cluster }

func (p *liveProcess) Crash() {
	p.cut()
	p.host.Kill()
}

func (f *liveFixture) Unique() string { return f.unique }

func (f *liveFixture) Start(name string) Process {
	h := host.NewLive(f.ctx, host.LiveConfig{Name: name, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	cluster, cut, err := f.client(h)
	if err != nil {
		f.t.Errorf("start process %s: %v", name, err)
		panic(failure{})
	}
	p := &liveProcess{h, cluster, cut}
	f.mu.Lock()
	f.processes = append(f.processes, p)
	f.mu.Unlock()
	return p
}

func (f *liveFixture) Run(run func(ctx context.Context, p Process)) {
	p := f.Start("case")
	done := make(chan struct{})
	p.Host().Go("case", func(ctx context.Context) {
		defer close(done)
		run(ctx, p)
	})
	<-done
}

// end lets every thread end before the clients are closed.
func (f *liveFixture) end() {
	f.cancel()
	for _, p := range f.processes {
		p.host.Wait()
		p.cut()
		p.cluster.Close()
	}
}
