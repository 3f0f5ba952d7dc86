package sim

import (
	"fmt"
	"runtime"
	"strings"
	"time"
)

// Deadlock says that nothing is left to happen and there are threads that wait.
type Deadlock struct {
	At      time.Time
	Threads []ParkedThread
}

// ParkedThread is one thread of a deadlock.
type ParkedThread struct {
	Process string
	Thread  string
	Waits   string   // for what; or that its process is paused
	Stack   []string // innermost call first, without the simulator's own: "function file:line"
}

func (d *Deadlock) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sim: deadlock at %s: nothing is left to happen and %d thread(s) wait", d.At.Format(time.RFC3339Nano), len(d.Threads))
	for _, t := range d.Threads {
		fmt.Fprintf(&b, "\n  %s/%s: %s", t.Process, t.Thread, t.Waits)
		for _, s := range t.Stack {
			b.WriteString("\n    " + s)
		}
	}
	return b.String()
}

// Livelock says that time stands still: more happened at one instant than Config.MaxInstant allows.
type Livelock struct {
	At         time.Time
	Dispatches int
	Last       string
}

func (l *Livelock) Error() string {
	return fmt.Sprintf("sim: livelock: %d dispatches at %s, the last of them %s", l.Dispatches, l.At.Format(time.RFC3339Nano), l.Last)
}

// Panic is a panic of a thread or of an event: a bug in what is simulated.
type Panic struct {
	Process string // empty for an event
	Thread  string // empty for an event
	Value   any
	Stack   string
	At      time.Time
}

func (p *Panic) Error() string {
	where := "an event"
	if p.Thread != "" {
		where = "thread " + p.Process + "/" + p.Thread
	}
	return fmt.Sprintf("sim: panic in %s at %s: %v\n%s", where, p.At.Format(time.RFC3339Nano), p.Value, p.Stack)
}

// Unwrap is the panic's value, when it is an error.
func (p *Panic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// deadlock reports the threads that exist now that nothing is left; nil when there are none.
func (k *Kernel) deadlock() error {
	d := &Deadlock{At: k.Now()}
	for _, p := range k.procs {
		if p.dead.Load() {
			continue
		}
		for _, t := range p.threads {
			d.Threads = append(d.Threads, k.inspect(t))
		}
	}
	if len(d.Threads) == 0 {
		return nil
	}
	return d
}

// inspect describes a thread that does not run. A parked one is resumed for long enough to record where it is.
func (k *Kernel) inspect(t *Thread) ParkedThread {
	r := ParkedThread{Process: t.p.name, Thread: t.name, Waits: "waits for " + t.why.String()}
	if t.state == threadParked {
		t.inspect = true
		k.resume(t)
		r.Stack, t.stack = t.stack, nil
	} else {
		r.Waits = "has not started"
	}
	if t.p.paused {
		r.Waits += " (its process is paused)"
	}
	return r
}

// callers lists the calling thread's stack without the frames of the simulator and the coroutine.
func callers() []string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	var out []string
	for {
		f, more := frames.Next()
		if f.Function != "" && !internalFrame(f.Function) {
			out = append(out, fmt.Sprintf("%s %s:%d", f.Function, f.File, f.Line))
		}
		if !more {
			return out
		}
	}
}

func internalFrame(function string) bool {
	for _, prefix := range []string{thisPackage + ".(*", "iter.", "runtime."} {
		if strings.HasPrefix(function, prefix) {
			return true
		}
	}
	return false
}

const thisPackage = "github.com/kstreamlab/kstreamlab/sim"
