package sim

import (
	"log/slog"
	"math"
	"math/rand/v2"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// Config says what a simulated world is made of. The zero value is usable.
type Config struct {
	Seed uint64
	// Start is the virtual time at which the world begins; zero is 2020-01-01 UTC.
	Start time.Time
	// Trace receives every event; nil: nothing is traced.
	Trace *trace.Log
	// Logger receives what processes log, stamped with virtual time and the process's name; nil: nothing is logged.
	Logger *slog.Logger
	// Latency is that of every link for which [Network.SetLatency] says nothing else.
	Latency LatencyConfig
	// CallTimeout is how long after its loss a lost call fails with ErrTimeout; zero is 30 s.
	CallTimeout time.Duration
	// MaxInstant is how many dispatches may happen at one instant before a run fails with [*Livelock]; zero is ten million.
	MaxInstant int
}

// Kernel is one simulated world. See the package comment for who may call it.
type Kernel struct {
	cfg     Config
	now     int64 // virtual time, ns since the epoch
	q       queue
	cur     *Thread // the running thread; nil in an event and outside
	digest  uint64
	count   uint64 // dispatches so far
	instant int64  // the time of the last dispatch
	crowd   int    // dispatches at that time
	threads uint64 // threads ever started: the source of their ids
	procs   []*Process
	runs    map[string]int // process name -> incarnations so far
	net     *Network
	failed  error // the first panic; the world stands still after it
	closed  bool
}

// New returns a world in which nothing happens yet.
func New(cfg Config) *Kernel {
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.CallTimeout <= 0 {
		cfg.CallTimeout = 30 * time.Second
	}
	if cfg.MaxInstant <= 0 {
		cfg.MaxInstant = 10_000_000
	}
	k := &Kernel{cfg: cfg, now: cfg.Start.UnixNano(), digest: fnvOffset, runs: map[string]int{}}
	k.q.rng = splitmix(k.Rand("sim/pick").Uint64())
	k.net = newNetwork(k)
	return k
}

// Now is the virtual time, in UTC.
func (k *Kernel) Now() time.Time { return time.Unix(0, k.now).UTC() }

// Seed is the run's seed.
func (k *Kernel) Seed() uint64 { return k.cfg.Seed }

// Rand returns the generator of a name, split from the seed: see host.SplitRand. Each call starts the sequence anew.
func (k *Kernel) Rand(name string) *rand.Rand { return host.SplitRand(k.cfg.Seed, name) }

// Network is the world's only network.
func (k *Kernel) Network() *Network { return k.net }

// At runs f on the kernel at t, or at once (but never inside the caller) when t is past. f must not block.
func (k *Kernel) At(t time.Time, f func()) *Timer {
	tm := &Timer{k: k, h: callback(f)}
	tm.set(t.UnixNano())
	return tm
}

// After is At, d from now.
func (k *Kernel) After(d time.Duration, f func()) *Timer {
	tm := &Timer{k: k, h: callback(f)}
	tm.set(k.now + int64(d))
	return tm
}

// Emit appends an event to the trace, stamped with virtual time and the process's name.
func (k *Kernel) Emit(process string, e trace.Event) {
	if k.cfg.Trace == nil {
		return
	}
	e.At, e.Process = k.now, process
	k.cfg.Trace.Add(e)
}

// Tracing says whether anyone reads what is emitted.
func (k *Kernel) Tracing() bool { return k.cfg.Trace != nil }

// Digest is a running hash over every dispatch: when it happened and what it was. Two runs of one seed have equal digests after
// equally many dispatches, or they were not the same run.
func (k *Kernel) Digest() uint64 { return k.digest }

// Dispatches is the number of events run and threads resumed so far.
func (k *Kernel) Dispatches() uint64 { return k.count }

// HandleHTTP makes h the server that the HTTP clients of all processes reach as host (a URL's host, with its port if it has one). h
// runs as an event: it must not block. The network's faults and latency apply; the address is host.
func (k *Kernel) HandleHTTP(host string, h http.Handler) { k.net.Listen(host, serveHTTP(h)) }

// Run dispatches until done says so (it is asked first and after each dispatch; nil: never), or until nothing is left. It returns
// [*Deadlock] when nothing is left but threads that can never run again, [*Panic] when a thread or event panicked (the world
// stands still from then on), and [*Livelock].
func (k *Kernel) Run(done func() bool) error {
	for done == nil || !done() {
		more, err := k.advance(math.MaxInt64)
		if err != nil {
			return err
		}
		if !more {
			return k.deadlock()
		}
	}
	return nil
}

// RunUntil dispatches all that happens up to and including t, then makes t the time. It does not report deadlocks, since the
// caller may be about to do what the threads wait for; otherwise its errors are Run's.
func (k *Kernel) RunUntil(t time.Time) error {
	for {
		more, err := k.advance(t.UnixNano())
		if err != nil {
			return err
		}
		if !more {
			k.now = max(k.now, t.UnixNano())
			return nil
		}
	}
}

// Step makes one dispatch and says whether there was one to make. It panics with [*Panic] or [*Livelock] where Run would return it.
func (k *Kernel) Step() bool {
	more, err := k.advance(math.MaxInt64)
	if err != nil {
		panic(err)
	}
	return more
}

// Close kills every process without a trace (nothing is emitted, no hook of OnKill runs and the disks keep what was written), so that no coroutine stays behind. The kernel
// is of no use afterwards. It must not be called from a thread or an event.
func (k *Kernel) Close() {
	if k.closed {
		return
	}
	k.closed = true
	k.cur = nil
	for _, p := range k.procs {
		if !p.dead.Load() {
			p.cutOff(false)
			p.unwind()
		}
	}
	k.q = queue{}
}

// advance makes the next dispatch that is due by limit.
func (k *Kernel) advance(limit int64) (more bool, err error) {
	if k.failed != nil {
		return false, k.failed
	}
	for {
		e, ok := k.q.pop(&k.now, limit)
		if !ok {
			return false, nil
		}
		if k.hold(e) {
			continue
		}
		k.protect(e)
		return true, k.failed
	}
}

// hold keeps back what belongs to a process that is paused or has a backlog, and drops what belongs to a dead one.
func (k *Kernel) hold(e entry) bool {
	p := e.tm.p
	if p == nil {
		return false
	}
	if p.dead.Load() {
		return true
	}
	if p.paused || p.backlog.len() > 0 {
		p.backlog.push(e)
		return true
	}
	return false
}

// protect dispatches and turns an event's panic into the kernel's failure. (A thread's panic never gets here: see Thread.run.)
func (k *Kernel) protect(e entry) {
	defer func() {
		if k.cur != nil { // only after a panic
			k.cur = nil
		}
		if r := recover(); r != nil {
			k.fail(&Panic{Value: r, Stack: string(debug.Stack()), At: k.Now()})
		}
	}()
	k.dispatch(e)
}

func (k *Kernel) dispatch(e entry) {
	if k.now != k.instant {
		k.instant, k.crowd = k.now, 0
	}
	k.count++
	k.digest = (((k.digest ^ uint64(k.now)) * fnvPrime) ^ e.seq) * fnvPrime
	if k.crowd++; k.crowd > k.cfg.MaxInstant {
		k.fail(&Livelock{At: k.Now(), Dispatches: k.crowd, Last: e.tm.describe()})
		return
	}
	e.tm.gen++
	e.tm.pending = false
	e.tm.h.fire()
}

func (k *Kernel) fail(err error) {
	if k.failed == nil {
		k.failed = err
	}
}

// running returns the current thread, which is about to block on p.
func (k *Kernel) running(p *Process, what string) *Thread {
	t := k.cur
	if t == nil {
		panic(misused("%s outside of a thread: an event must not block", what))
	}
	if t.p != p {
		panic(misused("thread %s blocks (%s) on process %s, which is not its own", t.label(), what, p.name))
	}
	return t
}

const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

// splitmix is a small generator for the kernel's own draws.
type splitmix uint64

func (s *splitmix) next() uint64 {
	*s += 0x9E3779B97F4A7C15
	z := uint64(*s)
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

// below returns a number in [0, n), n > 0.
func (s *splitmix) below(n int) int { return int((s.next() >> 32) * uint64(n) >> 32) }
