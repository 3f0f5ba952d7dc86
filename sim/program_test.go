package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// program is a random world: machines whose threads do random things, a server, and someone who kills, restarts, pauses, cuts and heals.
type program struct {
	*world
	rng   *rand.Rand
	disks map[string]*sim.Disk
	procs map[string]*sim.Process
}

var machines = []string{"m0", "m1", "m2", "m3"}

func runProgram(seed uint64) (hash string, digest, dispatches uint64, err error) {
	log := &trace.Log{Keep: trace.All}
	w := &world{sim.New(sim.Config{Seed: seed, Trace: log, CallTimeout: time.Second}), log}
	defer w.Close()
	p := &program{w, w.Rand("program"), map[string]*sim.Disk{}, map[string]*sim.Process{}}
	w.Network().Listen("server", p.serve)
	for _, name := range machines {
		p.disks[name] = sim.NewDisk(sim.DiskConfig{WriteBackPercent: 50, Seed: seed})
		p.boot(name)
	}
	p.gremlin(50)
	err = w.RunUntil(start.Add(10 * time.Second))
	return log.Hash(), w.Digest(), w.Dispatches(), err
}

func (p *program) serve(from string, req any, reply func(any, int)) {
	if p.rng.IntN(10) == 0 {
		return // never answered
	}
	p.After(time.Duration(p.rng.IntN(5))*time.Millisecond, func() { reply(req, p.rng.IntN(5000)) })
}

func (p *program) boot(name string) {
	m := p.NewProcess(name, p.disks[name])
	p.procs[name] = m
	mu := m.NewMutex()
	c := m.NewCond(mu)
	for i := range 3 {
		m.Go(fmt.Sprintf("t%d", i), func(ctx context.Context) { p.thread(ctx, m, mu, c, 0) })
	}
}

func (p *program) thread(ctx context.Context, m *sim.Process, mu sync.Locker, c host.Cond, depth int) {
	defer writeFile(m.FS(), "gone", "x", p.rng.IntN(2) == 0)
	defer m.Emit(trace.Event{Kind: "ended"})
	for n := range 25 {
		var err error
		switch ms := time.Duration(p.rng.IntN(4)) * time.Millisecond; p.rng.IntN(8) {
		case 0:
			err = m.Sleep(ctx, ms)
		case 1:
			mu.Lock()
			err = c.Wait(ctx, m.Now().Add(ms))
			mu.Unlock()
		case 2:
			mu.Lock()
			c.Broadcast()
			mu.Unlock()
		case 3:
			short, cancel := m.WithTimeout(ctx, 10*ms)
			_, err = p.Network().Call(short, m, "server", n, 100)
			cancel()
		case 4:
			p.Network().CallAsync(m, "server", n, 100, func(any, error) { mu.Lock(); c.Broadcast(); mu.Unlock() })
		case 5:
			writeFile(m.FS(), fmt.Sprint("f", n), "x", p.rng.IntN(2) == 0)
		case 6:
			if depth < 2 {
				m.Go("child", func(ctx context.Context) { p.thread(ctx, m, mu, c, depth+1) })
			}
		}
		m.Emit(trace.Event{Kind: "did", Fields: []trace.Field{trace.I("n", int64(n)), trace.F("err", fmt.Sprint(err))}})
	}
}

// gremlin does n evil things, one after another.
func (p *program) gremlin(n int) {
	if n == 0 {
		return
	}
	name := machines[p.rng.IntN(len(machines))]
	m, n1 := p.procs[name], p.Network()
	switch p.rng.IntN(6) {
	case 0:
		m.Kill()
		names, _ := p.disks[name].FS().List("")
		p.Emit(name, trace.Event{Kind: "left", Fields: []trace.Field{trace.F("files", fmt.Sprint(names))}})
	case 1:
		if !m.Alive() {
			p.boot(name)
		}
	case 2:
		m.Pause()
	case 3:
		m.Resume()
	case 4:
		n1.Partition(name, "server")
	case 5:
		n1.Heal(name, "server")
	}
	p.After(time.Duration(p.rng.IntN(10_000))*time.Microsecond, func() { p.gremlin(n - 1) })
}

// Every random program does the same twice; the second time all of them at once, each on a kernel of its own.
func TestRandomProgramsReplay(t *testing.T) {
	const programs = 100
	type result struct {
		hash               string
		digest, dispatches uint64
	}
	var first, second [programs]result
	run := func(out *[programs]result, seed int) {
		h, d, n, err := runProgram(uint64(seed))
		if err != nil {
			t.Error(err)
		}
		out[seed] = result{h, d, n}
	}
	for seed := range programs {
		run(&first, seed)
	}
	var wg sync.WaitGroup
	for lane := range 4 {
		wg.Go(func() {
			for seed := lane; seed < programs; seed += 4 {
				run(&second, seed)
			}
		})
	}
	wg.Wait()
	different := map[uint64]bool{}
	for seed := range programs {
		if first[seed] != second[seed] {
			t.Errorf("seed %d: %+v, then %+v", seed, first[seed], second[seed])
		}
		different[first[seed].digest] = true
		if first[seed].dispatches < 100 {
			t.Errorf("seed %d did almost nothing: %d dispatches", seed, first[seed].dispatches)
		}
	}
	if len(different) != programs {
		t.Errorf("%d programs gave %d digests", programs, len(different))
	}
}
