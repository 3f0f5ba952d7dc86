package sim

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// Process is a simulated machine, the simulator's host.Host. It lives from NewProcess to Kill or Exit; a restart is a new Process of
// the same name on the same disk.
type Process struct {
	k           *Kernel
	name        string
	incarnation int
	disk        *Disk
	fs          vfs.FS // made at first use
	ctx         *simCtx
	client      *http.Client
	log         *slog.Logger
	threads     []*Thread
	dead        atomic.Bool // atomic for the sake of libraries' goroutines in the file system
	paused      bool
	backlog     fifo // what became due during a pause, in order
	drain       Timer
	skew        int64
	lastNow     int64
	conns       map[string]*conn
	connList    []*conn
	onKill      []func()
	afterUnwind []func()
	unwound     bool
}

var _ host.Host = (*Process)(nil)

// NewProcess starts a process. A nil disk is a new one of its own. It panics if a process of this name is alive and has threads; one that
// is alive without threads is taken to have exited.
func (k *Kernel) NewProcess(name string, d *Disk) *Process {
	for _, old := range k.procs {
		if old.name == name && !old.dead.Load() {
			if len(old.threads) > 0 {
				panic(fmt.Sprintf("sim: process %s is still alive, with %d threads", name, len(old.threads)))
			}
			old.Exit()
		}
	}
	k.procs = slices.DeleteFunc(k.procs, func(p *Process) bool { return p.unwound })
	if d == nil {
		d = NewDisk(DiskConfig{})
	}
	k.runs[name]++
	p := &Process{k: k, name: name, incarnation: k.runs[name], disk: d, conns: map[string]*conn{}}
	p.ctx = &simCtx{k: k, p: p, parent: context.Background(), root: true}
	p.client = &http.Client{Transport: httpTransport{p}}
	p.log = slog.New(logHandler{p, k.cfg.Logger.Handler()}).With("process", name)
	p.drain = Timer{k: k, h: callback(p.runBacklog)}
	k.procs = append(k.procs, p)
	k.Emit(name, trace.Event{Kind: "process.start", Fields: []trace.Field{trace.I("incarnation", int64(p.incarnation))}})
	return p
}

// Kernel is the world that the process lives in.
func (p *Process) Kernel() *Kernel { return p.k }

// Name is the process's name; a restarted process has the name of the one before.
func (p *Process) Name() string { return p.name }

// Incarnation counts the processes of this name, from 1.
func (p *Process) Incarnation() int { return p.incarnation }

// Disk is the process's disk, for its next incarnation.
func (p *Process) Disk() *Disk { return p.disk }

// Alive says that the process was neither killed nor has exited.
func (p *Process) Alive() bool { return !p.dead.Load() }

// Paused says that the process is paused.
func (p *Process) Paused() bool { return p.paused }

// Now is the process's clock: the kernel's, plus the skew. It never runs backwards.
func (p *Process) Now() time.Time {
	p.lastNow = max(p.lastNow, p.k.now+p.skew)
	return time.Unix(0, p.lastNow).UTC()
}

// SetClockSkew puts the process's clock d before the kernel's (behind it, when negative). A clock that is set back stands still until it
// is right.
func (p *Process) SetClockSkew(d time.Duration) { p.skew = int64(d) }

// Sleep blocks the calling thread for d; d <= 0 lets others run.
func (p *Process) Sleep(ctx context.Context, d time.Duration) error {
	t := p.k.running(p, "sleep")
	if t.park(ctx, wait{what: "sleep", deadline: p.k.now + max(int64(d), 0)}) == wokenByContext {
		return ctx.Err()
	}
	return nil
}

// Go starts a thread; it first runs when the caller blocks. All threads of a process share one context.
func (p *Process) Go(name string, f func(ctx context.Context)) {
	if p.refused() {
		return
	}
	p.k.threads++
	t := &Thread{p: p, name: name, id: p.k.threads, f: f, index: len(p.threads)}
	t.wake = Timer{k: p.k, p: p, h: t}
	p.threads = append(p.threads, t)
	t.wake.setNow()
}

// WithCancel is context.WithCancel in virtual time. ctx must be a thread's context, or derived from one by this host or by
// context.WithValue, or one that never ends.
func (p *Process) WithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	c := p.derive(ctx)
	return c, func() { c.end(context.Canceled) }
}

// WithTimeout is context.WithTimeout in virtual time; for ctx see WithCancel.
func (p *Process) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	c := p.derive(ctx)
	c.expireAfter(d)
	return c, func() { c.end(context.Canceled) }
}

// Rand splits a generator from the seed by the process's name, its incarnation and name. Each call starts the sequence anew.
func (p *Process) Rand(name string) *rand.Rand {
	if p.incarnation > 1 {
		return p.k.Rand(p.name + "#" + strconv.Itoa(p.incarnation) + "/" + name)
	}
	return p.k.Rand(p.name + "/" + name)
}

// FS is the process's disk. What is written after the process died has no effect; it is safe for concurrent use. A library that writes
// from goroutines of its own (Pebble) does so in real time: for a run to be a function of the seed, what must survive a kill has to be
// synced before the thread goes on, and what is not synced must not be missed.
func (p *Process) FS() vfs.FS {
	if p.fs == nil && p.dead.Load() {
		return vfs.NewMem()
	}
	if p.fs == nil {
		p.fs = p.disk.mount(&p.dead)
	}
	return p.fs
}

// HTTP reaches the servers that HandleHTTP registered; any other is refused with an error that says so.
func (p *Process) HTTP() *http.Client { return p.client }

// Log is the kernel's logger with virtual time and the process's name.
func (p *Process) Log() *slog.Logger { return p.log }

// Emit appends an event to the trace. Who reads the trace may kill the process on an event: the emitting thread goes no further.
func (p *Process) Emit(e trace.Event) {
	if !p.refused() {
		p.k.Emit(p.name, e)
		p.refused()
	}
}

// Tracing says whether anyone reads what is emitted.
func (p *Process) Tracing() bool { return p.k.cfg.Trace != nil }

// After runs f as an event of this process, d from now: dropped when the process dies, put off to Resume while it is paused. f must
// not block.
func (p *Process) After(d time.Duration, f func()) *Timer {
	tm := &Timer{k: p.k, p: p, h: callback(f)}
	if !p.refused() {
		tm.set(p.k.now + int64(d))
	}
	return tm
}

// OnKill has f called at the kill point, before the threads unwind, in order of registration.
func (p *Process) OnKill(f func()) { p.onKill = append(p.onKill, f) }

// AfterUnwind has f called when the process was killed or exited and all its threads have unwound, the last registered first. The
// place to close a database: what it still writes is lost.
func (p *Process) AfterUnwind(f func()) {
	if p.unwound {
		f()
		return
	}
	p.afterUnwind = append(p.afterUnwind, f)
}

// Kill ends the process as a power failure would: from here on nothing that it does has an effect. The image that a restart will
// find on the disk is taken at once (see Disk.Crash); the OnKill hooks run; all threads unwind through their defers; then the
// AfterUnwind hooks run. All this has happened when Kill returns, except for the calling thread, if it is one of the process's own: it unwinds when it next
// blocks, emits or sends.
func (p *Process) Kill() {
	if p.dead.Load() || p.k.closed {
		return
	}
	p.k.Emit(p.name, trace.Event{Kind: "process.kill"})
	p.stop(true)
}

// Exit ends the process in good order: as Kill, but the disk keeps what was written. Threads that still exist unwind. Call it when a process
// has done its work, or as kill -9 on a machine that stays up.
func (p *Process) Exit() {
	if p.dead.Load() || p.k.closed {
		return
	}
	p.k.Emit(p.name, trace.Event{Kind: "process.exit"})
	p.stop(false)
}

func (p *Process) stop(crash bool) {
	if p.cutOff(crash) && crash {
		p.k.Emit(p.name, trace.Event{Kind: "disk.crash"})
	}
	for _, f := range p.onKill {
		p.k.hook(f)
	}
	p.k.net.disconnect(p)
	p.unwind()
}

// cutOff is the kill point: from here on the process has no effect. It says whether there was a disk to cut off.
func (p *Process) cutOff(crash bool) bool {
	p.dead.Store(true)
	if p.fs == nil {
		return false
	}
	p.disk.take(crash)
	return true
}

// unwind resumes every parked thread so that it dies, and drops those that never ran.
func (p *Process) unwind() {
	p.backlog.clear()
	p.drain.Stop()
	p.ctx.end(errKilled)
	for _, t := range slices.Clone(p.threads) {
		switch t.state {
		case threadNew:
			t.state = threadDone
			p.ended(t)
		case threadParked:
			t.reason = wokenByContext
			p.k.resume(t)
		}
	}
	p.settle()
}

// ended takes a finished thread off the list.
func (p *Process) ended(t *Thread) {
	last := len(p.threads) - 1
	p.threads[t.index] = p.threads[last]
	p.threads[t.index].index = t.index
	p.threads[last] = nil
	p.threads = p.threads[:last]
	if p.dead.Load() {
		p.settle()
	}
}

// settle runs the AfterUnwind hooks once no thread is left.
func (p *Process) settle() {
	if len(p.threads) > 0 || p.unwound {
		return
	}
	p.unwound = true
	for _, f := range slices.Backward(p.afterUnwind) {
		p.k.hook(f)
	}
	p.afterUnwind, p.onKill = nil, nil
}

// hook runs f as an event would, whoever brought it about: a thread that kills its own process is not unwound inside a hook.
func (k *Kernel) hook(f func()) {
	cur := k.cur
	k.cur = nil
	defer func() { k.cur = cur }()
	f()
}

// refused says that the process is dead and must have no effect any more. A thread of it that asks is unwound.
func (p *Process) refused() bool {
	if !p.dead.Load() {
		return false
	}
	if t := p.k.cur; t != nil && t.p == p {
		t.die()
	}
	return true
}

// Pause stops the process in its tracks: no thread runs, no reply or event is delivered, until Resume. Virtual time and the rest of
// the world go on. The calling thread, if it is the process's own, stops when it next blocks.
func (p *Process) Pause() {
	if p.dead.Load() || p.paused {
		return
	}
	p.paused = true
	p.k.Emit(p.name, trace.Event{Kind: "process.pause"})
}

// Resume lets a paused process go on: what became due in the meantime happens now, in the order in which it became due.
func (p *Process) Resume() {
	if p.dead.Load() || !p.paused {
		return
	}
	p.paused = false
	p.k.Emit(p.name, trace.Event{Kind: "process.resume"})
	if p.backlog.len() > 0 && !p.drain.pending {
		p.drain.setNow()
	}
}

// runBacklog dispatches one thing of the backlog and comes back for the next; meanwhile new things queue up behind.
func (p *Process) runBacklog() {
	if p.paused || p.dead.Load() {
		return
	}
	for p.backlog.len() > 0 {
		e := p.backlog.pop()
		if e.stale() {
			continue
		}
		if p.backlog.len() > 0 {
			p.drain.setNow()
		}
		e.at = p.k.now
		p.k.dispatch(e)
		return
	}
}
