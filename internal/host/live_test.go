package host_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

func TestKillEndsEveryThreadThatWaits(t *testing.T) {
	h := host.NewLive(t.Context(), host.LiveConfig{Name: "p"})
	mu := h.NewMutex()
	cond := h.NewCond(mu)
	errs := make(chan error, 2)
	waits := make(chan struct{}, 1)
	h.Go("sleeper", func(ctx context.Context) { errs <- h.Sleep(ctx, time.Hour) })
	h.Go("waiter", func(ctx context.Context) {
		mu.Lock()
		defer mu.Unlock()
		waits <- struct{}{}
		errs <- cond.Wait(ctx, time.Time{})
	})
	<-waits
	h.Kill()
	h.Wait()
	for range 2 {
		if err := <-errs; !errors.Is(err, host.ErrKilled) {
			t.Errorf("ended with %v", err)
		}
	}
	if err := h.Sleep(h.Context(), time.Hour); !errors.Is(err, host.ErrKilled) {
		t.Errorf("a dead process sleeps on: %v", err)
	}
}

func TestBroadcastWakesEveryWaiter(t *testing.T) {
	h := host.NewLive(t.Context(), host.LiveConfig{})
	mu := h.NewMutex()
	cond := h.NewCond(mu)
	const n = 8
	open, waiting, through := false, 0, atomic.Int32{}
	for range n {
		h.Go("waiter", func(ctx context.Context) {
			mu.Lock()
			defer mu.Unlock()
			waiting++
			cond.Broadcast() // for the one who counts
			for !open {
				if err := cond.Wait(ctx, time.Time{}); err != nil {
					t.Error(err)
					return
				}
			}
			through.Add(1)
		})
	}
	mu.Lock()
	for waiting < n {
		if err := cond.Wait(t.Context(), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	open = true
	cond.Broadcast()
	mu.Unlock()
	h.Wait()
	if through.Load() != n {
		t.Errorf("%d of %d woke", through.Load(), n)
	}
}

func TestACondHonoursDeadlineAndContext(t *testing.T) {
	h := host.NewLive(t.Context(), host.LiveConfig{})
	mu := h.NewMutex()
	cond := h.NewCond(mu)
	mu.Lock()
	defer mu.Unlock()
	due := h.Now().Add(20 * time.Millisecond)
	if err := cond.Wait(t.Context(), due); err != nil || h.Now().Before(due) {
		t.Errorf("at the deadline: %v, %s early", err, due.Sub(h.Now()))
	}
	ctx, cancel := h.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := cond.Wait(ctx, time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after the time-out: %v", err)
	}
	why := errors.New("why")
	ctx2, cancel2 := context.WithCancelCause(t.Context())
	cancel2(why)
	if err := cond.Wait(ctx2, time.Time{}); !errors.Is(err, why) {
		t.Errorf("after the cancellation: %v", err)
	}
}

func TestRandIsRepeatableUnderASeedAlone(t *testing.T) {
	draw := func(seed uint64, name string) uint64 {
		return host.NewLive(t.Context(), host.LiveConfig{Seed: seed, Name: "p"}).Rand(name).Uint64()
	}
	if first, again := draw(1, "a"), draw(1, "a"); first != again {
		t.Error("one seed and name, two sequences")
	}
	if draw(1, "a") == draw(1, "b") || draw(1, "a") == draw(2, "a") {
		t.Error("another name or seed gives the same sequence")
	}
	if first, again := draw(0, "a"), draw(0, "a"); first == again {
		t.Error("without a seed the sequence is the same")
	}
}

func TestEventsCarryTimeAndProcess(t *testing.T) {
	var got []trace.Event
	h := host.NewLive(t.Context(), host.LiveConfig{Name: "p", Trace: func(e trace.Event) { got = append(got, e) }})
	before := h.Now().UnixNano()
	h.Emit(trace.Event{Kind: "k"})
	if !h.Tracing() || len(got) != 1 || got[0].Process != "p" || got[0].Kind != "k" || got[0].At < before || got[0].At > h.Now().UnixNano() {
		t.Errorf("%v", got)
	}
	quiet := host.NewLive(t.Context(), host.LiveConfig{})
	quiet.Emit(trace.Event{Kind: "k"})
	if quiet.Tracing() || len(got) != 1 {
		t.Error("a host without a trace has one")
	}
}
