// Package host is for engine code that must run unchanged in production and in the simulator: it is everything an engine may
// ask of the machine it runs on (time, threads, disk, HTTP, randomness, log), and nothing else.
//
// There are two implementations: [Live] (goroutines, the wall clock, the real disk) and the processes of package sim (coroutines,
// virtual time, a disk that loses what was not synced).
package host

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// ErrKilled is what every blocking call returns (or, in the simulator, panics through) once the process has been killed.
var ErrKilled = errors.New("host: the process was killed")

// ErrMisuse is wrapped by what the simulator panics with when code breaks a rule of the host: it blocks while it holds a mutex, waits on a context
// that does not end in virtual time, and the like. Whoever recovers from panics of code that is not his must let these and ErrKilled's pass.
var ErrMisuse = errors.New("host: a rule of the host was broken")

// Host is the machine as one process sees it. All methods may be called from any thread of the process.
//
// Blocking calls (Sleep, Cond.Wait, and every call of the broker port) take the context that Go gave to the calling thread, or
// one derived from it by WithCancel or WithTimeout; never context.Background.
type Host interface {
	// Name is the process's name, unique in a run; it starts every event's Process field.
	Name() string
	// Now is the process's clock. It never runs backwards within a process.
	Now() time.Time
	// Sleep blocks for d. It returns ctx's error when ctx ends first.
	Sleep(ctx context.Context, d time.Duration) error
	// Go starts a thread of this process. The context ends when the process is killed. Names need not be unique.
	Go(name string, f func(ctx context.Context))
	// NewMutex returns a real mutex live; in the simulator one that checks that it is not held across a blocking call.
	NewMutex() sync.Locker
	// NewCond returns the one way in which threads wait for each other. l guards the state that is waited for.
	NewCond(l sync.Locker) Cond
	// WithCancel is context.WithCancel on this host.
	WithCancel(ctx context.Context) (context.Context, context.CancelFunc)
	// WithTimeout is context.WithTimeout on this host's clock.
	WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc)
	// Rand returns a generator that is split from the run's seed by name: a new user does not shift the others. Live it is
	// seeded by the operating system. Each call starts the sequence of that name anew. Not safe for concurrent use.
	Rand(name string) *rand.Rand
	// FS is the process's file system.
	FS() vfs.FS
	// HTTP is the process's way out to HTTP servers.
	HTTP() *http.Client
	// Log is the process's logger.
	Log() *slog.Logger
	// Emit appends an event to the run's trace. Time and Process are filled in by the host.
	Emit(trace.Event)
	// Tracing says whether anyone reads what is emitted: where building an event costs something, ask first.
	Tracing() bool
}

// Cond is a condition variable that honours contexts and deadlines.
type Cond interface {
	// Wait releases the mutex, blocks until a Broadcast, and takes the mutex again before it returns, whatever it returns. A zero
	// deadline never passes; at a deadline it returns nil as for a Broadcast: look at the state and the clock again. When ctx
	// ends it returns ctx's error. The caller must hold the mutex.
	Wait(ctx context.Context, deadline time.Time) error
	// Broadcast wakes all waiters. The caller must hold the mutex.
	Broadcast()
}
