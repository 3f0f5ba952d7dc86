package sim

import (
	"fmt"
	"time"
)

// Timer is something that will happen at a virtual time.
type Timer struct {
	k       *Kernel
	p       *Process // whose event it is; nil: the kernel's own
	h       firer
	gen     uint32 // moves on when the timer fires or is stopped: entries of an older gen are stale
	pending bool
}

// firer is what a timer sets off: a callback, a thread's wake-up, a step of a call.
type firer interface{ fire() }

type callback func()

func (f callback) fire() { f() }

// Stop prevents the timer from firing and says whether it did so: false when it has fired, was stopped, or died with its process.
func (t *Timer) Stop() bool {
	if !t.pending {
		return false
	}
	t.pending = false
	t.gen++
	return t.p == nil || !t.p.dead.Load()
}

// Reset makes the timer fire d from now, whether or not it was pending. It does nothing when the timer's process is dead.
func (t *Timer) Reset(d time.Duration) {
	if t.p != nil && t.p.refused() {
		return
	}
	t.Stop()
	t.set(t.k.now + int64(d))
}

// set schedules a timer that is not pending.
func (t *Timer) set(at int64) {
	t.pending = true
	t.k.q.push(t.k.now, at, t)
}

// setNow is set for this instant.
func (t *Timer) setNow() { t.set(t.k.now) }

func (t *Timer) describe() string {
	what := "an event"
	if th, ok := t.h.(*Thread); ok {
		return "thread " + th.label()
	} else if c, ok := t.h.(*call); ok {
		what = fmt.Sprintf("a call of %T to %s", c.req, c.ep.addr)
	}
	if t.p != nil {
		what += " of " + t.p.name
	}
	return what
}
