package scenarios

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// live is the place with real time: the fake, or a real cluster. The workload is written at full speed; faults come when it has reached
// their moment, and what lasts (a pause) lasts for real.
type live struct {
	where On
	boot  []string
	fake  *fake.Cluster
	log   *slog.Logger
	trace func(trace.Event)
	lab   *host.Live
	own   *kafka.Cluster

	steps  []time.Time
	do     func(int)
	next   int
	hosts  []*host.Live
	cancel context.CancelFunc
}

func newLive(s *Scenario, o Options) (*live, error) {
	p := &live{where: o.On, log: o.Log}
	if p.log == nil {
		p.log = slog.New(slog.DiscardHandler)
	}
	if o.On == Fake {
		f, err := fake.New(fake.Config{Brokers: max(s.Brokers, 1)})
		if err != nil {
			return nil, err
		}
		p.fake, p.boot = f, f.Bootstrap()
	} else {
		p.boot = strings.Split(o.Bootstrap, ",")
	}
	ctx, cancel := context.WithCancel(context.Background())
	p.cancel = cancel
	p.trace = tee(o.Trace)
	p.lab = host.NewLive(ctx, host.LiveConfig{Name: "lab", Log: p.log, Trace: p.trace})
	c, err := kafka.New(kafka.Config{Bootstrap: p.boot, Host: p.lab})
	if err != nil {
		p.close()
		return nil, err
	}
	p.own = c
	return p, nil
}

// tee returns what writes events as lines, from several goroutines; nil for a nil writer.
func tee(w io.Writer) func(trace.Event) {
	if w == nil {
		return nil
	}
	var mu sync.Mutex
	log := &trace.Log{Tee: w}
	return func(e trace.Event) {
		mu.Lock()
		defer mu.Unlock()
		log.Add(e)
	}
}

func (p *live) on() On                  { return p.where }
func (p *live) host() host.Host         { return p.lab }
func (p *live) cluster() broker.Cluster { return p.own }
func (p *live) end() string             { return "" }

func (p *live) run(main func(ctx context.Context) error) error { return main(p.lab.Context()) }

func (p *live) close() {
	for _, h := range p.hosts {
		h.Kill()
	}
	for _, h := range p.hosts {
		h.Wait()
	}
	if p.own != nil {
		p.own.Close()
	}
	if p.cancel != nil {
		p.cancel()
	}
	if p.fake != nil {
		p.fake.Close()
	}
}

func (p *live) schedule(steps []time.Time, do func(int)) { p.steps, p.do = steps, do }

func (p *live) arrive(_ context.Context, at time.Time) error {
	for p.next < len(p.steps) && !p.steps[p.next].After(at) {
		p.next++
		p.do(p.next - 1)
	}
	return nil
}

func (p *live) settled() bool { return p.next == len(p.steps) }

// finish does the steps that lie behind the last record.
func (p *live) finish() {
	for p.next < len(p.steps) {
		p.next++
		p.do(p.next - 1)
	}
}

func (p *live) machine(name string) machine {
	return &liveMachine{p: p, name: name, disk: vfs.NewCrashableMem()}
}

// liveMachine is a process within this one: a host of its own, a link that can be cut, and a disk in memory that loses what was not
// synced when it is killed.
type liveMachine struct {
	p    *live
	name string
	disk *vfs.MemFS
	host *host.Live
	link *kafka.Link
}

func (m *liveMachine) start() (host.Host, broker.Cluster, error) {
	m.link = new(kafka.Link)
	m.host = host.NewLive(m.p.lab.Context(), host.LiveConfig{Name: m.name, Log: m.p.log.With("instance", m.name), FS: m.disk, Trace: m.p.trace})
	m.p.hosts = append(m.p.hosts, m.host)
	c, err := kafka.New(kafka.Config{Bootstrap: m.p.boot, Host: m.host, Dialer: m.link.Dial})
	return m.host, c, err
}

func (m *liveMachine) fs() vfs.FS { return m.disk }

func (m *liveMachine) kill() {
	m.link.Cut()
	m.disk = m.disk.CrashClone(vfs.CrashCloneCfg{})
	m.host.Kill()
}

func (m *liveMachine) pause()  { m.link.Cut() }
func (m *liveMachine) resume() { m.link.Restore() }

// newPlace makes the place of a run.
func newPlace(s *Scenario, o Options, seed uint64) (place, error) {
	switch o.On {
	case "", Simulated:
		return newSimulation(s, o, seed), nil
	case Fake:
		return newLive(s, o)
	case Kafka:
		if o.Bootstrap == "" {
			return nil, &UsageError{"--on kafka needs --bootstrap HOST:PORT"}
		}
		return newLive(s, o)
	}
	return nil, &UsageError{fmt.Sprintf("unknown place %q: simulated, fake and kafka are known", o.On)}
}

// UsageError is a mistake in how something was asked for.
type UsageError struct{ Text string }

func (e *UsageError) Error() string { return e.Text }
