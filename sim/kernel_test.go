package sim_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// world is a kernel with a trace that a test can read.
type world struct {
	*sim.Kernel
	log *trace.Log
}

func newWorld(t testing.TB, seed uint64) *world {
	t.Helper()
	log := &trace.Log{Keep: trace.All}
	w := &world{sim.New(sim.Config{Seed: seed, Trace: log}), log}
	t.Cleanup(w.Close)
	return w
}

// run runs until nothing is left, and wants that to be no error.
func (w *world) run(t testing.TB) {
	t.Helper()
	if err := w.Run(nil); err != nil {
		t.Fatal(err)
	}
}

// kinds are the events of one process that are not the kernel's own, as "kind".
func (w *world) kinds(process string) string {
	var out []string
	for _, e := range w.log.Events() {
		if e.Process == process && !strings.HasPrefix(e.Kind, "process.") && !strings.HasPrefix(e.Kind, "disk.") {
			out = append(out, e.Kind)
		}
	}
	return strings.Join(out, " ")
}

// crowd is a run in which the order matters: threads, a condition, calls and timers that meet at the same instants.
func crowd(t testing.TB, seed uint64) (hash string, digest uint64) {
	w := newWorld(t, seed)
	w.Network().Listen("server", func(from string, req any, reply func(any, int)) {
		w.Emit("server", trace.Event{Kind: "served", Fields: []trace.Field{trace.F("from", from), trace.F("req", fmt.Sprint(req))}})
		w.After(time.Millisecond, func() { reply(req, 10) })
	})
	for i := range 3 {
		p := w.NewProcess(fmt.Sprintf("p%d", i), nil)
		mu := p.NewMutex()
		c := p.NewCond(mu)
		turn := 0
		for j := range 4 {
			p.Go(fmt.Sprintf("t%d", j), func(ctx context.Context) {
				for range 20 {
					if _, err := w.Network().Call(ctx, p, "server", j, 100); err != nil {
						t.Error(err)
					}
					mu.Lock()
					turn++
					c.Broadcast()
					if err := c.Wait(ctx, p.Now().Add(5*time.Millisecond)); err != nil {
						t.Error(err)
					}
					p.Emit(trace.Event{Kind: "turn", Fields: []trace.Field{trace.I("thread", int64(j)), trace.I("turn", int64(turn))}})
					mu.Unlock()
				}
			})
		}
	}
	w.run(t)
	return w.log.Hash(), w.Digest()
}

func TestSameSeedSameRun(t *testing.T) {
	hashes, digests := map[string]bool{}, map[uint64]bool{}
	for seed := range uint64(20) {
		h1, d1 := crowd(t, seed)
		h2, d2 := crowd(t, seed)
		if h1 != h2 || d1 != d2 {
			t.Fatalf("seed %d: trace %s and %s, digest %x and %x", seed, h1, h2, d1, d2)
		}
		hashes[h1], digests[d1] = true, true
	}
	if len(hashes) != 20 || len(digests) != 20 {
		t.Fatalf("20 seeds gave %d traces and %d digests", len(hashes), len(digests))
	}
}

func TestEqualTimesAreTakenInEveryOrder(t *testing.T) {
	orders := map[string]int{}
	for seed := range uint64(200) {
		k := sim.New(sim.Config{Seed: seed})
		var order string
		for _, name := range []string{"a", "b", "c"} {
			k.After(time.Second, func() { order += name })
		}
		if err := k.Run(nil); err != nil {
			t.Fatal(err)
		}
		orders[order]++
	}
	if len(orders) != 6 {
		t.Fatalf("200 seeds took three events in %d of 6 orders: %v", len(orders), orders)
	}
}

func TestTimers(t *testing.T) {
	w := newWorld(t, 1)
	var fired []string
	mark := func(s string) func() {
		return func() { fired = append(fired, fmt.Sprint(s, "@", w.Now().Sub(start).Milliseconds())) }
	}
	w.After(30*time.Millisecond, mark("c"))
	stopped := w.After(20*time.Millisecond, mark("stopped"))
	w.At(start.Add(-time.Hour), mark("past"))
	moved := w.After(10*time.Millisecond, mark("moved"))
	moved.Reset(40 * time.Millisecond)
	if !stopped.Stop() || stopped.Stop() {
		t.Fatal("Stop says true once, when it prevented something")
	}
	w.run(t)
	if moved.Stop() {
		t.Fatal("a timer that has fired cannot be stopped")
	}
	moved.Reset(time.Millisecond)
	w.run(t)
	if got, want := strings.Join(fired, " "), "past@0 c@30 moved@40 moved@41"; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

// start is when a world begins by default.
var start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

func TestRunUntil(t *testing.T) {
	w := newWorld(t, 1)
	n := 0
	var tick func()
	tick = func() { n++; w.After(time.Second, tick) }
	tick()
	for _, s := range []int{3, 10, 10} {
		if err := w.RunUntil(start.Add(time.Duration(s) * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n != s+1 || !w.Now().Equal(start.Add(time.Duration(s)*time.Second)) {
			t.Fatalf("after %d s: %d ticks, at %s", s, n, w.Now())
		}
	}
}

// Timers are set and stopped while others fire: those that fire do so in order, at their time, and those that were stopped do not.
func TestManyTimersFireInOrder(t *testing.T) {
	w := newWorld(t, 3)
	rng := w.Rand("test")
	fired, stopped, last := 0, 0, time.Time{}
	var timers []*sim.Timer
	set := func() {
		at := w.Now().Add(time.Duration(1 + rng.IntN(1_000_000)))
		timers = append(timers, w.At(at, func() {
			if !w.Now().Equal(at) || w.Now().Before(last) {
				t.Fatalf("a timer of %s fires at %s, after one of %s", at, w.Now(), last)
			}
			fired, last = fired+1, at
		}))
	}
	for range 100 {
		for range 500 {
			set()
		}
		for range 300 {
			if timers[rng.IntN(len(timers))].Stop() {
				stopped++
			}
		}
		if err := w.RunUntil(w.Now().Add(time.Duration(rng.IntN(10_000)))); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t)
	if fired+stopped != len(timers) || fired == 0 || stopped == 0 {
		t.Fatalf("%d fired, %d stopped, of %d", fired, stopped, len(timers))
	}
}

func TestDeadlockNamesThreadsAndPlaces(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	mu := p.NewMutex()
	c := p.NewCond(mu)
	p.Go("waiter", func(ctx context.Context) { waitForever(ctx, mu, c) })
	w.Network().Listen("broker", func(string, any, func(any, int)) {})
	p.Go("caller", func(ctx context.Context) { _, _ = w.Network().Call(ctx, p, "broker", struct{ Fetch int }{}, 1) })
	q := w.NewProcess("sleeper", nil)
	q.Go("main", func(ctx context.Context) { _ = q.Sleep(ctx, time.Hour) })
	q.Pause()

	err := w.Run(nil)
	var d *sim.Deadlock
	if !errors.As(err, &d) || len(d.Threads) != 3 {
		t.Fatalf("want a deadlock of 3 threads, got %v", err)
	}
	for _, want := range []string{"app/waiter: waits for a condition", "sim_test.waitForever", "kernel_test.go:",
		"app/caller: waits for the reply to struct { Fetch int } to broker", "sleeper/main: has not started (its process is paused)"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the report lacks %q:\n%s", want, err)
		}
	}
	// the report leaves the threads as they were
	w.After(0, func() { mu.Lock(); c.Broadcast(); mu.Unlock() })
	if err := w.Run(nil); !errors.As(err, &d) || len(d.Threads) != 2 {
		t.Fatalf("after a broadcast two threads are left, got %v", err)
	}
}

func waitForever(ctx context.Context, mu interface {
	Lock()
	Unlock()
}, c interface {
	Wait(context.Context, time.Time) error
}) {
	mu.Lock()
	defer mu.Unlock()
	_ = c.Wait(ctx, time.Time{})
}

func TestPanicsSurface(t *testing.T) {
	boom := errors.New("boom")
	for name, tc := range map[string]struct {
		plant  func(w *world)
		thread string
	}{
		"thread": {func(w *world) {
			p := w.NewProcess("app", nil)
			p.Go("main", func(ctx context.Context) { _ = p.Sleep(ctx, time.Second); panic(boom) })
		}, "main"},
		"event": {func(w *world) { w.After(time.Second, func() { panic(boom) }) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			tc.plant(w)
			err := w.Run(nil)
			var p *sim.Panic
			if !errors.As(err, &p) || !errors.Is(err, boom) || p.Thread != tc.thread || !strings.Contains(p.Stack, "kernel_test.go") {
				t.Fatalf("got %v", err)
			}
			if again := w.Run(nil); again != err {
				t.Fatalf("the world goes on after a panic: %v", again)
			}
		})
	}
}

func TestLivelockIsReported(t *testing.T) {
	k := sim.New(sim.Config{MaxInstant: 1000})
	defer k.Close()
	p := k.NewProcess("app", nil)
	p.Go("spinner", func(ctx context.Context) {
		for {
			_ = p.Sleep(ctx, 0)
		}
	})
	var l *sim.Livelock
	if err := k.Run(nil); !errors.As(err, &l) || !strings.Contains(err.Error(), "app/spinner") {
		t.Fatalf("got %v", err)
	}
}

func TestStep(t *testing.T) {
	w := newWorld(t, 1)
	n := 0
	w.After(time.Second, func() { n++ })
	w.After(2*time.Second, func() { panic("boom") })
	if !w.Step() || n != 1 || w.Dispatches() != 1 {
		t.Fatalf("after a step: %d events, %d dispatches", n, w.Dispatches())
	}
	func() {
		defer func() {
			if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "boom") {
				t.Errorf("Step panicked with %v", err)
			}
		}()
		w.Step()
	}()
	idle := newWorld(t, 1)
	if idle.Step() {
		t.Fatal("a step in a world where nothing happens")
	}
}

// A thread may end a test, as any other code of the test.
func TestKernelSurvivesGoexit(t *testing.T) {
	k := sim.New(sim.Config{})
	p := k.NewProcess("app", nil)
	unwound := false
	p.Go("other", func(ctx context.Context) {
		defer func() { unwound = true }()
		_ = p.Sleep(ctx, time.Hour)
	})
	p.Go("main", func(ctx context.Context) { _ = p.Sleep(ctx, time.Second); runtime.Goexit() })
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer k.Close()
		_ = k.Run(nil)
		t.Error("Run came back")
	}()
	<-done
	if !unwound {
		t.Error("a coroutine stays behind")
	}
}
