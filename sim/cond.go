package sim

import (
	"context"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// cond is the simulator's host.Cond. Waiters that one Broadcast wakes run in an order drawn from the seed.
type cond struct {
	p       *Process
	l       sync.Locker
	waiters []waiter
}

type waiter struct {
	t   *Thread
	gen uint32
}

// NewCond returns a condition variable whose state l guards.
func (p *Process) NewCond(l sync.Locker) host.Cond { return &cond{p: p, l: l} }

func (c *cond) Wait(ctx context.Context, deadline time.Time) error {
	t := c.p.k.running(c.p, "wait on a condition")
	w := wait{what: "a condition"}
	if !deadline.IsZero() {
		w.deadline = deadline.UnixNano() - c.p.skew
	}
	c.l.Unlock()
	defer c.l.Lock() // also when the thread unwinds: its caller will unlock
	c.waiters = append(c.waiters, waiter{t, t.wake.gen})
	switch t.park(ctx, w) {
	case wokenByContext:
		c.forget(t)
		return ctx.Err()
	case wokenByTime:
		c.forget(t)
	}
	return nil
}

// forget takes a thread off the list that was woken by something else than a Broadcast.
func (c *cond) forget(t *Thread) {
	for i := range c.waiters {
		if c.waiters[i].t == t {
			c.waiters = append(c.waiters[:i], c.waiters[i+1:]...)
			return
		}
	}
}

// Broadcast may be called by events too.
func (c *cond) Broadcast() {
	for i, w := range c.waiters {
		w.t.wakeUp(w.gen, wokenByEvent)
		c.waiters[i] = waiter{}
	}
	c.waiters = c.waiters[:0]
}
