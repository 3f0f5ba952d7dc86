package sim

import (
	"context"
	"fmt"
	"iter"
	"runtime/debug"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Thread is a coroutine of a process. Exactly one thread of a kernel runs at a time.
type Thread struct {
	p      *Process
	name   string
	id     uint64
	index  int // in p.threads
	f      func(ctx context.Context)
	next   func() (struct{}, bool) // nil until it first runs
	yield  func(struct{}) bool
	wake   Timer // its gen tells one park from the next
	state  threadState
	reason wakeReason
	held   int // mutexes
	why    wait
	dodges int // blocking calls tried after the kill

	ctx              *simCtx // where it is registered as a waiter
	ctxPrev, ctxNext *Thread

	inspect bool // resumed only to record where it is
	stack   []string
}

type threadState uint8

const (
	threadNew threadState = iota
	threadRunning
	threadParked
	threadDone
)

// wakeReason says why a parked thread goes on.
type wakeReason uint8

const (
	wokenByTime wakeReason = iota
	wokenByEvent
	wokenByContext
)

// wait is what a parked thread waits for; it is put into words only for a report.
type wait struct {
	what     string
	deadline int64 // 0: none
	call     *call
}

func (w wait) String() string {
	var b strings.Builder
	b.WriteString(w.what)
	if w.call != nil {
		fmt.Fprintf(&b, " %T to %s", w.call.req, w.call.ep.addr)
	}
	if w.deadline != 0 {
		b.WriteString(" until " + time.Unix(0, w.deadline).UTC().Format(time.RFC3339Nano))
	}
	return b.String()
}

// misuse is a panic of code that breaks a rule of the host. It is an error, so that code which recovers from others' panics can tell.
type misuse string

func (m misuse) Error() string { return string(m) }
func (m misuse) Unwrap() error { return host.ErrMisuse }

func misused(format string, args ...any) error { return misuse("sim: " + fmt.Sprintf(format, args...)) }

// killedPanic unwinds the threads of a killed process. It is an error, for code that recovers and reports.
type killedPanic struct{ process string }

func (k killedPanic) Error() string { return "sim: process " + k.process + " was killed" }
func (k killedPanic) Unwrap() error { return host.ErrKilled }

func (t *Thread) label() string { return t.p.name + "/" + t.name }

// fire resumes the thread: its wake-up is due.
func (t *Thread) fire() { t.p.k.resume(t) }

// resume runs t until it parks or ends. Threads nest: one that kills a process resumes that process's threads to unwind them.
func (k *Kernel) resume(t *Thread) {
	prev := k.cur
	k.cur = t
	if t.next == nil {
		t.next, _ = iter.Pull(t.run)
	}
	t.state = threadRunning
	_, parked := t.next()
	k.cur = prev
	if !parked {
		t.p.ended(t)
	}
}

// run is the coroutine.
func (t *Thread) run(yield func(struct{}) bool) {
	t.yield = yield
	defer func() {
		t.state = threadDone
		r := recover()
		if t.p.dead.Load() {
			return // a panic in a defer of a dying thread is no bug: the machine is off
		}
		if r == nil && t.held > 0 {
			r = fmt.Sprintf("sim: thread %s ended with %d mutex(es) held", t.label(), t.held)
		}
		if r != nil {
			t.p.k.fail(&Panic{Process: t.p.name, Thread: t.name, Value: r, Stack: string(debug.Stack()), At: t.p.k.Now()})
		}
	}()
	t.f(t.p.ctx)
}

// park blocks the running thread until it is woken, w.deadline passes, or ctx ends.
func (t *Thread) park(ctx context.Context, w wait) wakeReason {
	if t.p.dead.Load() {
		t.die()
	}
	if t.held > 0 {
		panic(misused("thread %s blocks (%s) while it holds %d mutex(es)", t.label(), w, t.held))
	}
	c := t.p.k.find(ctx)
	if c != nil && c.err != nil {
		return wokenByContext
	}
	c.addWaiter(t)
	t.why = w
	t.reason = wokenByTime
	t.state = threadParked
	if w.deadline != 0 {
		t.wake.set(w.deadline)
	}
	t.yield(struct{}{})
	for t.inspect {
		t.inspect = false
		t.stack = callers()
		t.state = threadParked
		t.yield(struct{}{})
	}
	t.why = wait{}
	t.ctx.removeWaiter(t)
	if t.p.dead.Load() {
		t.die()
	}
	return t.reason
}

// wakeUp makes a thread ready that is still in the park that gen names.
func (t *Thread) wakeUp(gen uint32, reason wakeReason) bool {
	if t.wake.gen != gen || t.state != threadParked {
		return false
	}
	t.reason = reason
	t.wake.gen++
	t.wake.setNow()
	return true
}

// die unwinds the thread. A thread that recovers again and again is left behind, and reported.
func (t *Thread) die() {
	if t.dodges++; t.dodges > maxDodges {
		t.p.k.fail(&Panic{Process: t.p.name, Thread: t.name, Stack: string(debug.Stack()), At: t.p.k.Now(),
			Value: fmt.Sprintf("sim: thread %s goes on after its process was killed: it recovers from every panic", t.label())})
		for {
			t.state = threadParked
			t.yield(struct{}{})
		}
	}
	panic(killedPanic{t.p.name})
}

// maxDodges is how often a dying thread may try to block in its defers.
const maxDodges = 1000
