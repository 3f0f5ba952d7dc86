package simulated

import (
	"context"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// signal is how a client's thread waits for its process's events: a wake that comes before the wait is not lost.
type signal struct {
	mu   sync.Locker
	cond host.Cond
	set  bool
}

func newSignal(h host.Host) *signal {
	mu := h.NewMutex()
	return &signal{mu: mu, cond: h.NewCond(mu)}
}

func (s *signal) wake() {
	s.mu.Lock()
	s.set = true
	s.cond.Broadcast()
	s.mu.Unlock()
}

// wait returns after a wake since the last wait, at the deadline (zero: never), or with ctx's error.
func (s *signal) wait(ctx context.Context, deadline time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	if !s.set {
		err = s.cond.Wait(ctx, deadline)
	}
	s.set = false
	return err
}
