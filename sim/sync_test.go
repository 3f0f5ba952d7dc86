package sim_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/sim"
)

func TestMutexIsNotHeldAcrossBlocking(t *testing.T) {
	for name, tc := range map[string]struct {
		f    func(ctx context.Context, p *sim.Process, mu sync.Locker)
		want string
	}{
		"sleep":        {func(ctx context.Context, p *sim.Process, mu sync.Locker) { mu.Lock(); _ = p.Sleep(ctx, 1) }, "thread app/main blocks (sleep"},
		"other's wait": {func(ctx context.Context, p *sim.Process, mu sync.Locker) { mu.Lock(); waitOnAnother(ctx, p) }, "thread app/main blocks (a condition"},
		"call": {func(ctx context.Context, p *sim.Process, mu sync.Locker) {
			mu.Lock()
			_, _ = p.Kernel().Network().Call(ctx, p, "x", 1, 1)
		}, "thread app/main blocks (the reply to int to x"},
		"twice":   {func(_ context.Context, _ *sim.Process, mu sync.Locker) { mu.Lock(); mu.Lock() }, "thread app/main locks a mutex that thread app/main holds"},
		"unlock":  {func(_ context.Context, _ *sim.Process, mu sync.Locker) { mu.Unlock() }, "thread app/main unlocks a mutex that it does not hold"},
		"the end": {func(_ context.Context, _ *sim.Process, mu sync.Locker) { mu.Lock() }, "thread app/main ended with 1 mutex(es) held"},
		"foreign": {func(ctx context.Context, p *sim.Process, _ sync.Locker) {
			_ = p.Kernel().NewProcess("other", nil).Sleep(ctx, 1)
		}, "on process other, which is not its own"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			p := w.NewProcess("app", nil)
			mu := p.NewMutex()
			p.Go("main", func(ctx context.Context) { tc.f(ctx, p, mu) })
			if err := w.Run(nil); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("got %v", err)
			}
		})
	}
}

func waitOnAnother(ctx context.Context, p *sim.Process) {
	mu := p.NewMutex()
	mu.Lock()
	_ = p.NewCond(mu).Wait(ctx, time.Time{})
}

func TestEventsMustNotBlock(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	w.After(0, func() { _ = p.Sleep(context.Background(), 1) })
	if err := w.Run(nil); err == nil || !strings.Contains(err.Error(), "an event must not block") {
		t.Fatalf("got %v", err)
	}
}

func TestCond(t *testing.T) {
	for name, tc := range map[string]struct {
		deadline, cancel, broadcast time.Duration // 0: none
		after                       time.Duration
		err                         error
	}{
		"broadcast":          {deadline: 5, broadcast: 2, after: 2},
		"deadline":           {deadline: 2, broadcast: 5, after: 2},
		"context":            {deadline: 5, cancel: 2, broadcast: 3, after: 2, err: context.Canceled},
		"broadcast, no more": {broadcast: 4, after: 4},
		"past deadline":      {deadline: -1, broadcast: 4, after: 0},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 1)
			p := w.NewProcess("app", nil)
			mu := p.NewMutex()
			c := p.NewCond(mu)
			p.Go("main", func(ctx context.Context) {
				ctx, cancel := p.WithCancel(ctx)
				defer cancel()
				if tc.cancel > 0 {
					w.After(tc.cancel*time.Second, cancel)
				}
				var deadline time.Time
				if tc.deadline != 0 {
					deadline = p.Now().Add(tc.deadline * time.Second)
				}
				mu.Lock()
				err := c.Wait(ctx, deadline)
				mu.Unlock()
				if !errors.Is(err, tc.err) || p.Now().Sub(start) != tc.after*time.Second {
					t.Errorf("%v after %s, want %v after %s", err, p.Now().Sub(start), tc.err, tc.after*time.Second)
				}
			})
			w.After(tc.broadcast*time.Second, func() { mu.Lock(); c.Broadcast(); mu.Unlock() })
			w.run(t)
		})
	}
}

// Waiters that left by their deadline are no longer there for a Broadcast, and those that came again are woken once.
func TestBroadcastWakesThoseWhoWaitNow(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	mu := p.NewMutex()
	c := p.NewCond(mu)
	woken := 0
	for range 3 {
		p.Go("t", func(ctx context.Context) {
			mu.Lock()
			for range 4 {
				_ = c.Wait(ctx, p.Now().Add(time.Second))
				woken++
			}
			mu.Unlock()
		})
	}
	w.After(2500*time.Millisecond, func() {
		mu.Lock()
		c.Broadcast()
		c.Broadcast()
		mu.Unlock()
		if woken != 6 {
			t.Errorf("%d wake-ups before the broadcast", woken)
		}
	})
	w.run(t)
	if got := w.Now().Sub(start); woken != 12 || got != 3500*time.Millisecond {
		t.Fatalf("%d wake-ups in %s", woken, got)
	}
}

func TestContexts(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	type key struct{}
	p.Go("main", func(ctx context.Context) {
		outer, cancelOuter := p.WithTimeout(context.WithValue(ctx, key{}, "v"), 10*time.Second)
		inner, cancelInner := p.WithTimeout(outer, time.Minute)
		sibling, cancelSibling := p.WithCancel(outer)
		defer cancelInner()
		if d, ok := inner.Deadline(); !ok || !d.Equal(start.Add(10*time.Second)) {
			t.Errorf("inner deadline %v %v", d, ok)
		}
		if inner.Value(key{}) != "v" {
			t.Error("values are lost")
		}
		cancelSibling()
		if err := p.Sleep(sibling, time.Hour); err != context.Canceled || !p.Now().Equal(start) {
			t.Errorf("sleep under an ended context: %v at %s", err, p.Now())
		}
		done := inner.Done()
		if err := p.Sleep(context.WithValue(inner, key{}, 2), time.Hour); err != context.DeadlineExceeded || p.Now().Sub(start) != 10*time.Second {
			t.Errorf("sleep until the outer deadline: %v at %s", err, p.Now())
		}
		select {
		case <-done:
		default:
			t.Error("Done is not closed")
		}
		cancelOuter()
		if outer.Err() != context.DeadlineExceeded || context.Cause(inner) != context.DeadlineExceeded || ctx.Err() != nil {
			t.Errorf("outer %v, inner %v, thread %v", outer.Err(), context.Cause(inner), ctx.Err())
		}
		late, cancelLate := p.WithTimeout(outer, time.Hour)
		defer cancelLate()
		if late.Err() != context.DeadlineExceeded {
			t.Errorf("a context under an ended one: %v", late.Err())
		}
		now, cancelNow := p.WithTimeout(ctx, 0)
		defer cancelNow()
		if now.Err() != context.DeadlineExceeded {
			t.Errorf("a time-out of nothing: %v", now.Err())
		}
	})
	w.run(t)
}

// A context that a library derives with package context ends with ours, but nobody may block under it.
func TestForeignContexts(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	var derived context.Context
	p.Go("main", func(ctx context.Context) {
		ctx, cancel := p.WithCancel(ctx)
		var stop context.CancelFunc
		derived, stop = context.WithCancel(ctx)
		defer stop()
		cancel()
		if derived.Err() != context.Canceled {
			t.Errorf("the derived context: %v", derived.Err())
		}
		other, stopOther := context.WithCancel(context.Background())
		defer stopOther()
		_ = p.Sleep(other, time.Second)
	})
	if err := w.Run(nil); err == nil || !strings.Contains(err.Error(), "does not end in virtual time") {
		t.Fatalf("got %v", err)
	}
}

func TestContextOfAKilledProcess(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	var mine, derived context.Context
	p.Go("main", func(ctx context.Context) {
		mine = ctx
		derived, _ = p.WithCancel(ctx)
		_ = p.Sleep(derived, time.Hour)
	})
	w.After(time.Second, p.Kill)
	w.run(t)
	for _, ctx := range []context.Context{mine, derived} {
		if err := context.Cause(ctx); !errors.Is(err, host.ErrKilled) || !errors.Is(ctx.Err(), context.Canceled) {
			t.Errorf("cause %v", err)
		}
		<-ctx.Done()
	}
}

// Threads wait under one context and leave in any order; its end wakes those who are still there.
func TestManyWaitersUnderOneContext(t *testing.T) {
	for seed := range uint64(20) {
		w := newWorld(t, seed)
		p := w.NewProcess("app", nil)
		rng := w.Rand("test")
		left, ended := 0, 0
		p.Go("main", func(ctx context.Context) {
			ctx, cancel := p.WithTimeout(ctx, time.Second)
			defer cancel()
			for range 50 {
				d := time.Duration(rng.IntN(2000)) * time.Millisecond
				p.Go("t", func(context.Context) {
					switch err := p.Sleep(ctx, d); {
					case err == nil && d <= time.Second:
						left++
					case err == context.DeadlineExceeded && d >= time.Second && p.Now().Sub(start) == time.Second:
						ended++
					default:
						t.Errorf("seed %d: slept %s: %v at %s", seed, d, err, p.Now())
					}
				})
			}
			_ = p.Sleep(context.WithoutCancel(ctx), 3*time.Second)
		})
		w.run(t)
		if left+ended != 50 || left == 0 || ended == 0 {
			t.Errorf("seed %d: %d left, %d were ended", seed, left, ended)
		}
	}
}

func TestAfterFunc(t *testing.T) {
	w := newWorld(t, 1)
	p := w.NewProcess("app", nil)
	p.Go("main", func(ctx context.Context) {
		ctx, cancel := p.WithCancel(ctx)
		kept, stop := context.WithCancel(ctx)
		for range 10 {
			_, stop := context.WithCancel(ctx)
			stop()
		}
		cancel()
		late, stopLate := context.WithCancel(ctx)
		if kept.Err() != context.Canceled || late.Err() != context.Canceled {
			t.Errorf("%v, %v", kept.Err(), late.Err())
		}
		stop()
		stopLate()
	})
	w.run(t)
}
