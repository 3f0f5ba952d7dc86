package sim

import (
	"context"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// simCtx is a context in virtual time. Ending it wakes the threads that are parked under it, in order, and needs no goroutine.
type simCtx struct {
	k        *Kernel
	p        *Process
	parent   context.Context // for Value
	up       *simCtx         // nil: nothing above ends
	root     bool            // a process's: it ends by unwinding, so nobody registers
	err      error
	done     chan struct{} // made at the first Done
	deadline time.Time
	timer    Timer

	firstChild, lastChild *simCtx
	prev, next            *simCtx // among up's children
	firstWait, lastWait   *Thread
	after                 []*afterFunc
}

type afterFunc struct{ f func() }

// ctxKey finds the simCtx below wrappers such as context.WithValue's.
type ctxKey struct{}

// errKilled is what the contexts of a killed process say: it is a cancellation to code that asks for one.
var errKilled error = killedError{}

type killedError struct{}

func (killedError) Error() string { return host.ErrKilled.Error() }
func (killedError) Unwrap() error { return host.ErrKilled }
func (killedError) Is(target error) bool {
	return target == context.Canceled
}

func (c *simCtx) Deadline() (time.Time, bool) { return c.deadline, !c.deadline.IsZero() }
func (c *simCtx) Err() error                  { return c.err }

func (c *simCtx) Done() <-chan struct{} {
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

func (c *simCtx) Value(key any) any {
	if key == (ctxKey{}) {
		return c
	}
	return c.parent.Value(key)
}

func (c *simCtx) String() string { return "sim.Context of " + c.p.name }

// AfterFunc is what package context looks for, so that a context that a library derives with it needs no goroutine.
func (c *simCtx) AfterFunc(f func()) (stop func() bool) {
	if c.err != nil {
		f()
		return func() bool { return false }
	}
	a := &afterFunc{f}
	c.after = append(c.after, a)
	return func() bool {
		for i := range c.after {
			if c.after[i] == a {
				c.after = append(c.after[:i], c.after[i+1:]...)
				return true
			}
		}
		return false
	}
}

// find returns the simCtx that decides when ctx ends; nil when nothing ever ends it.
func (k *Kernel) find(ctx context.Context) *simCtx {
	if c, ok := ctx.(*simCtx); ok {
		return c
	}
	if ctx == nil {
		panic(misused("nil context"))
	}
	done := ctx.Done()
	if done == nil {
		return nil
	}
	c, _ := ctx.Value(ctxKey{}).(*simCtx)
	if c == nil || c.Done() != done {
		panic(misused("%T does not end in virtual time: derive contexts with the host's WithCancel and WithTimeout", ctx))
	}
	return c
}

// derive returns a new context below ctx.
func (p *Process) derive(ctx context.Context) *simCtx {
	c := &simCtx{k: p.k, p: p, parent: ctx, up: p.k.find(ctx)}
	if c.up == nil {
		return c
	}
	if c.up.err != nil {
		c.err = c.up.err
		return c
	}
	c.deadline = c.up.deadline
	c.prev = c.up.lastChild
	if c.prev != nil {
		c.prev.next = c
	} else {
		c.up.firstChild = c
	}
	c.up.lastChild = c
	return c
}

func (c *simCtx) expireAfter(d time.Duration) {
	at := c.p.Now().Add(d)
	if c.err != nil || !c.deadline.IsZero() && !at.Before(c.deadline) {
		return // it ends before
	}
	c.deadline = at
	if d <= 0 {
		c.end(context.DeadlineExceeded)
		return
	}
	c.timer = Timer{k: c.k, p: c.p, h: c}
	c.timer.set(c.k.now + int64(d))
}

// fire ends the context: its deadline has come.
func (c *simCtx) fire() { c.end(context.DeadlineExceeded) }

// end ends the context and all below it, and wakes who waits, oldest first.
func (c *simCtx) end(err error) {
	if c.err != nil {
		return
	}
	c.err = err
	if c.done != nil {
		close(c.done)
	}
	c.timer.Stop()
	c.detach()
	for t := c.firstWait; t != nil; t = t.ctxNext {
		t.wakeUp(t.wake.gen, wokenByContext)
	}
	for c.firstChild != nil {
		c.firstChild.end(err) // detaches itself
	}
	after := c.after
	c.after = nil
	for _, a := range after {
		a.f()
	}
}

// detach takes c out of its parent's children.
func (c *simCtx) detach() {
	if c.up == nil {
		return
	}
	if c.prev != nil {
		c.prev.next = c.next
	} else if c.up.firstChild == c {
		c.up.firstChild = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else if c.up.lastChild == c {
		c.up.lastChild = c.prev
	}
	c.prev, c.next = nil, nil
}

// addWaiter registers a thread that parks under c. A thread is under one context at a time.
func (c *simCtx) addWaiter(t *Thread) {
	if c == nil || c.root {
		return
	}
	t.ctx = c
	t.ctxPrev = c.lastWait
	if t.ctxPrev != nil {
		t.ctxPrev.ctxNext = t
	} else {
		c.firstWait = t
	}
	c.lastWait = t
}

func (c *simCtx) removeWaiter(t *Thread) {
	if c == nil {
		return
	}
	if t.ctxPrev != nil {
		t.ctxPrev.ctxNext = t.ctxNext
	} else {
		c.firstWait = t.ctxNext
	}
	if t.ctxNext != nil {
		t.ctxNext.ctxPrev = t.ctxPrev
	} else {
		c.lastWait = t.ctxPrev
	}
	t.ctx, t.ctxPrev, t.ctxNext = nil, nil, nil
}
