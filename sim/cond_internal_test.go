package sim

import (
	"context"
	"testing"
	"time"
)

// With one waiter and many waits, nothing piles up in the condition, the context or the queue.
func TestWaitersAreForgotten(t *testing.T) {
	k := New(Config{})
	defer k.Close()
	p := k.NewProcess("app", nil)
	mu := p.NewMutex()
	c := p.NewCond(mu).(*cond)
	p.Go("main", func(ctx context.Context) {
		ctx, cancel := p.WithCancel(ctx)
		defer cancel()
		mu.Lock()
		defer mu.Unlock()
		for range 10_000 {
			_ = c.Wait(ctx, p.Now().Add(time.Second))
			short, cancel := p.WithTimeout(ctx, 240*time.Hour)
			_ = c.Wait(short, p.Now().Add(time.Second))
			cancel()
			if len(c.waiters) > 0 || len(k.q.later) > 3000 || ctx.(*simCtx).firstChild != nil || ctx.(*simCtx).firstWait != nil {
				t.Errorf("%d waiters, %d entries, child %v, waiter %v", len(c.waiters), len(k.q.later), ctx.(*simCtx).firstChild, ctx.(*simCtx).firstWait)
				return
			}
		}
	})
	if err := k.Run(nil); err != nil {
		t.Fatal(err)
	}
}
