package worker

import (
	"context"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// State of a connector or task, in Kafka's spelling.
type State string

// The states.
const (
	Unassigned State = "UNASSIGNED"
	Running    State = "RUNNING"
	Paused     State = "PAUSED"
	Failed     State = "FAILED"
	Stopped    State = "STOPPED"
	Destroyed  State = "DESTROYED"
	Restarting State = "RESTARTING"
)

// taskSetup is what a task is made of.
type taskSetup struct {
	h       host.Host
	cluster broker.Cluster
	id      TaskID
	worker  *Config
	config  *ConnectorConfig
	props   map[string]string // the task's own
	store   OffsetStore
	errors  *errorMetrics
}

// longest is Java's Integer.MAX_VALUE, in milliseconds.
const longest = (1<<31 - 1) * time.Millisecond

func (t *taskSetup) clientID(prefix string) string {
	return prefix + t.id.Connector + "-" + strconv.Itoa(t.id.Task)
}

func (t *taskSetup) producerConfig(clientPrefix string) broker.ProducerConfig {
	c := broker.ProducerConfig{ClientID: t.clientID(clientPrefix), Properties: t.worker.clientProperties(t.config.Props, "producer")}
	if _, ok := c.Properties["delivery.timeout.ms"]; !ok {
		c.DeliveryTimeout = longest
	}
	return c
}

// control is how a task's thread and others talk: what the task should do, and what it does.
type control struct {
	clock   host.Host
	mu      sync.Locker
	cond    host.Cond
	target  State // Running, Paused or Stopped
	state   State
	since   time.Time // the state is so; zero: no state was set yet
	failure error
	ended   bool
	wake    func() // ends what the task's thread is blocked in; may be nil
	cut     func() // ends the thread's context; nil before it has begun
	given   bool   // up: see cancel
	starts  *startups
	started bool // it was counted
	metrics taskMetrics
}

func newControl(h host.Host, c *Config, starts *startups) *control {
	mu := h.NewMutex()
	return &control{clock: h, mu: mu, cond: h.NewCond(mu), target: Running, state: Unassigned, starts: starts, metrics: newTaskMetrics(c.window(), h.NewMutex())}
}

// setTarget tells the task's thread what to do.
func (c *control) setTarget(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.target == Stopped {
		return
	}
	c.target = s
	if c.wake != nil {
		c.wake()
	}
	c.cond.Broadcast()
}

func (c *control) wanted() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.target
}

func (c *control) set(s State) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.change(s)
}

// change sets the state. The lock is held.
func (c *control) change(s State) {
	if c.given {
		return
	}
	now := c.clock.Now()
	if !c.since.IsZero() {
		c.metrics.spent(c.state, now.Sub(c.since))
	}
	if !c.started && (s == Running || s == Failed) {
		c.started = true
		c.starts.add(now, s == Failed)
	}
	c.state, c.since = s, now
	c.cond.Broadcast()
}

// blocked registers how to end a call that the thread is about to make; it is ended at once when the target is not want any more.
func (c *control) blocked(want State, wake func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wake = wake
	if wake != nil && c.target != want {
		wake()
	}
}

// waitWhilePaused blocks until the task is to run or stop.
func (c *control) waitWhilePaused(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.target == Paused {
		if c.state != Paused {
			c.change(Paused)
		}
		if err := c.cond.Wait(ctx, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// sleep blocks for d, or until the task is to stop.
func (c *control) sleep(ctx context.Context, d time.Duration) (stopped bool, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	deadline := c.clock.Now().Add(d)
	for c.target != Stopped && c.clock.Now().Before(deadline) {
		if err := c.cond.Wait(ctx, deadline); err != nil {
			return false, err
		}
	}
	return c.target == Stopped, nil
}

// cancel gives up a task that does not stop: its context ends, so that it commits nothing and sends nothing any more, and what becomes of it is not told.
// Its thread may live on as long as the task's code does not return.
func (c *control) cancel() {
	c.mu.Lock()
	c.change(Unassigned)
	c.given = true
	cut := c.cut
	c.mu.Unlock()
	if cut != nil {
		cut()
	}
}

// begin notes how to end the thread's context.
func (c *control) begin(cut func()) {
	c.mu.Lock()
	c.cut = cut
	given := c.given
	c.mu.Unlock()
	if given {
		cut()
	}
}

// end tells that the thread has ended.
func (c *control) end(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	c.cond.Broadcast()
	state := Unassigned
	if err != nil && !c.given {
		state, c.failure = Failed, err
	}
	c.change(state)
}

// wait blocks until the thread has ended or the deadline has passed; zero is none.
func (c *control) wait(ctx context.Context, h host.Host, deadline time.Time) (ended bool, _ error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for !c.ended {
		if !deadline.IsZero() && !h.Now().Before(deadline) {
			return false, nil
		}
		if err := c.cond.Wait(ctx, deadline); err != nil {
			return c.ended, err
		}
	}
	return true, nil
}

// runTask runs a task's thread to its end.
func runTask(ctx context.Context, t *taskSetup, c *control, run func(ctx context.Context) error) {
	ctx, cut := t.h.WithCancel(ctx)
	defer cut()
	c.begin(cut)
	err := c.waitWhilePaused(ctx)
	if err == nil && c.wanted() != Stopped {
		err = run(ctx)
	}
	if err != nil && ctx.Err() == nil {
		t.h.Log().Error("connect: the task has failed", "task", t.id.String(), "error", data.StackTrace(err))
	}
	c.end(err)
}

// taskProps are a task's properties as the task sees them.
func taskProps(c *ConnectorConfig, class string, own map[string]string) map[string]string {
	out := maps.Clone(own)
	if out == nil {
		out = map[string]string{}
	}
	out["task.class"] = class
	for _, k := range []string{topicsKey, topicsRegexKey} {
		if v, ok := c.Props[k]; ok && c.Kind == connect.KindSink && out[k] == "" {
			out[k] = v
		}
	}
	return out
}
