package host

import (
	"context"
	crand "crypto/rand"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// LiveConfig says what a live host is made of. The zero value is the machine itself: the real disk, no trace, slog's default.
type LiveConfig struct {
	Name string       // default "live"
	FS   vfs.FS       // default vfs.Default
	Log  *slog.Logger // default slog.Default()
	// Trace receives events, from several goroutines at once. Nil: nothing is traced.
	Trace func(trace.Event)
	// Seed, when not zero, makes Rand repeatable.
	Seed uint64
	HTTP *http.Client // default http.DefaultClient
}

// Live is the host of production: goroutines, the wall clock, the real disk.
type Live struct {
	cfg    LiveConfig
	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup
}

var _ Host = (*Live)(nil)

// NewLive returns a live host whose threads' contexts end with ctx, or at Kill.
func NewLive(ctx context.Context, cfg LiveConfig) *Live {
	if cfg.Name == "" {
		cfg.Name = "live"
	}
	if cfg.FS == nil {
		cfg.FS = vfs.Default
	}
	if cfg.Log == nil {
		cfg.Log = slog.Default()
	}
	if cfg.HTTP == nil {
		cfg.HTTP = http.DefaultClient
	}
	h := &Live{cfg: cfg}
	h.ctx, h.cancel = context.WithCancelCause(ctx)
	return h
}

// NewMachine returns the live host of a program that has no other: this machine, with slog's default logger.
func NewMachine() *Live { return NewLive(context.Background(), LiveConfig{}) }

// Kill ends every thread's context with ErrKilled as its cause.
func (h *Live) Kill() { h.cancel(ErrKilled) }

// Wait blocks until every thread has returned.
func (h *Live) Wait() { h.wg.Wait() }

// Context is the context that the host's threads get; for the caller's own goroutine, when it enters engine code.
func (h *Live) Context() context.Context { return h.ctx }

// Name implements Host.
func (h *Live) Name() string { return h.cfg.Name }

// Now implements Host.
func (h *Live) Now() time.Time { return time.Now() }

// Sleep implements Host.
func (h *Live) Sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Go implements Host.
func (h *Live) Go(name string, f func(ctx context.Context)) {
	h.wg.Add(1)
	go func() {
		defer h.wg.Done()
		f(h.ctx)
	}()
}

// NewMutex implements Host.
func (h *Live) NewMutex() sync.Locker { return new(sync.Mutex) }

// NewCond implements Host.
func (h *Live) NewCond(l sync.Locker) Cond { return &liveCond{l: l, ch: make(chan struct{})} }

// WithCancel implements Host.
func (h *Live) WithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithCancel(ctx)
}

// WithTimeout implements Host.
func (h *Live) WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, d)
}

// Rand implements Host.
func (h *Live) Rand(name string) *rand.Rand {
	if h.cfg.Seed != 0 {
		return SplitRand(h.cfg.Seed, h.cfg.Name+"/"+name)
	}
	var b [16]byte
	_, _ = crand.Read(b[:]) // never fails
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(b[:8]), binary.LittleEndian.Uint64(b[8:])))
}

// FS implements Host.
func (h *Live) FS() vfs.FS { return h.cfg.FS }

// HTTP implements Host.
func (h *Live) HTTP() *http.Client { return h.cfg.HTTP }

// Log implements Host.
func (h *Live) Log() *slog.Logger { return h.cfg.Log }

// Tracing implements Host.
func (h *Live) Tracing() bool { return h.cfg.Trace != nil }

// Emit implements Host.
func (h *Live) Emit(e trace.Event) {
	if h.cfg.Trace == nil {
		return
	}
	e.At = time.Now().UnixNano()
	e.Process = h.cfg.Name
	h.cfg.Trace(e)
}

type liveCond struct {
	l  sync.Locker
	ch chan struct{} // closed by Broadcast; guarded by l
}

func (c *liveCond) Wait(ctx context.Context, deadline time.Time) error {
	ch := c.ch
	c.l.Unlock()
	defer c.l.Lock()
	var due <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-ch:
		return nil
	case <-due:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *liveCond) Broadcast() {
	close(c.ch)
	c.ch = make(chan struct{})
}

// SplitRand returns the generator of one name under a run's seed: two names are independent, one name is the same in every run.
func SplitRand(seed uint64, name string) *rand.Rand {
	// FNV-1a, twice with different offsets: stable over Go releases, which hash/maphash is not
	a, b := uint64(14695981039346656037), uint64(0x9E3779B97F4A7C15)
	for i := 0; i < len(name); i++ {
		a = (a ^ uint64(name[i])) * 1099511628211
		b = (b ^ uint64(name[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(a^seed, b+seed*0x9E3779B97F4A7C15))
}
