// Package restore is for bringing the stores of tasks up to the end of their changelogs, beside the stream thread: Kafka's state
// updater.
package restore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
)

// commitEvery is how many records are restored before the store makes them durable.
const commitEvery = 10_000

// The updater waits this long when the cluster cannot be reached, twice as long each time up to the most.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 5 * time.Second
)

// Config configures an Updater.
type Config struct {
	Host    host.Host
	Cluster broker.Cluster
	// Group is the application's, whose committed offsets bound what is restored from an input topic.
	Group string
	// Consumer is the restore consumer's configuration; Reset is set to none, since a store whose offset is gone must be emptied first.
	Consumer broker.ConsumerConfig
	// Done is called, from the updater's thread, when Take has something new.
	Done func()
	// MaxPoll is the most records of one poll.
	MaxPoll int
}

// Updater restores tasks. It owns those that were added until they are taken back or removed.
type Updater struct {
	cfg  Config
	mu   sync.Locker
	cond host.Cond
	// guarded by mu
	jobs    []*job
	done    []*task.Task
	err     error
	stopped bool
	ended   bool
	wake    func()

	reads map[broker.TopicPartition]*job // what the consumer is assigned; the thread's own
}

type job struct {
	t     *task.Task
	parts map[broker.TopicPartition]*part
	since int // records since the last commit
	total int64
	open  bool // its changelogs are assigned
	gone  bool // Remove waits
}

type part struct {
	store    string
	position int64
	end      int64
}

// New starts an updater's thread.
func New(cfg Config) *Updater {
	u := &Updater{cfg: cfg, mu: cfg.Host.NewMutex()}
	u.cond = cfg.Host.NewCond(u.mu)
	u.cfg.Consumer.Reset = broker.ResetNone
	cfg.Host.Go("state-updater", u.run)
	return u
}

// Add gives a task to the updater.
func (u *Updater) Add(t *task.Task) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.jobs = append(u.jobs, &job{t: t})
	u.poke()
}

func (u *Updater) poke() {
	u.cond.Broadcast()
	if u.wake != nil {
		u.wake()
	}
}

// Take returns the tasks that are restored, or the error that ended the updater.
func (u *Updater) Take() ([]*task.Task, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	d := u.done
	u.done = nil
	return d, u.err
}

// Restoring says whether any task is not restored yet.
func (u *Updater) Restoring() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.jobs) > 0
}

// Remove takes a task back, restored or not. It blocks until the updater's thread has let go of it.
func (u *Updater) Remove(ctx context.Context, t *task.Task) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.done = slices.DeleteFunc(u.done, func(x *task.Task) bool { return x == t })
	for {
		i := slices.IndexFunc(u.jobs, func(j *job) bool { return j.t == t })
		if i < 0 || u.ended {
			return nil
		}
		u.jobs[i].gone = true
		u.poke()
		if err := u.cond.Wait(ctx, time.Time{}); err != nil {
			return err
		}
	}
}

// Stop ends the thread and waits for it.
func (u *Updater) Stop(ctx context.Context) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.poke()
	for !u.ended {
		if u.cond.Wait(ctx, time.Time{}) != nil {
			return
		}
	}
}

func (u *Updater) run(ctx context.Context) {
	err := u.restore(ctx)
	u.mu.Lock()
	u.err, u.ended, u.wake = err, true, nil
	u.cond.Broadcast()
	u.mu.Unlock()
	if err != nil && u.cfg.Done != nil {
		u.cfg.Done()
	}
}

func (u *Updater) restore(ctx context.Context) error {
	var c broker.Consumer
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	for retry := retryFirst; ; {
		jobs, err := u.next(ctx)
		if err != nil || jobs == nil {
			return err
		}
		if c == nil {
			if c, err = u.cfg.Cluster.NewConsumer(ctx, u.cfg.Consumer); err != nil {
				return fmt.Errorf("streams: restore consumer: %w", err)
			}
			u.mu.Lock()
			u.wake = c.Wakeup
			u.mu.Unlock()
		}
		if err := u.round(ctx, c, jobs); err != nil {
			if !errors.Is(err, broker.ErrRetriable) {
				return err
			}
			u.cfg.Host.Log().Warn("streams: restoring waits for the cluster", "error", err)
			if err := u.cfg.Host.Sleep(ctx, retry); err != nil {
				return err
			}
			retry = min(2*retry, retryMost)
			continue
		}
		retry = retryFirst
	}
}

// next waits for work. It lets go of jobs that Remove asks for, and returns nil when the updater is stopped.
func (u *Updater) next(ctx context.Context) ([]*job, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for {
		if n := len(u.jobs); n > 0 {
			u.jobs = slices.DeleteFunc(u.jobs, func(j *job) bool { return j.gone })
			if len(u.jobs) < n {
				u.cond.Broadcast()
			}
		}
		if u.stopped {
			return nil, nil
		}
		if len(u.jobs) > 0 {
			return slices.Clone(u.jobs), nil
		}
		if err := u.cond.Wait(ctx, time.Time{}); err != nil {
			return nil, err
		}
	}
}

// round assigns the changelogs of new jobs, polls once, and hands back what is complete.
func (u *Updater) round(ctx context.Context, c broker.Consumer, jobs []*job) error {
	for _, j := range jobs {
		if !j.open {
			if err := u.open(ctx, j); err != nil {
				return err
			}
		}
	}
	if u.finish(jobs) {
		return nil
	}
	if err := u.assign(ctx, c); err != nil {
		return err
	}
	batches, err := c.Poll(ctx, u.cfg.MaxPoll, -1)
	if err != nil {
		var out *broker.OffsetOutOfRange
		if errors.As(err, &out) {
			return u.startOver(ctx, c, jobs, out)
		}
		return fmt.Errorf("streams: restore: %w", err)
	}
	for i := range batches {
		if err := apply(jobs, &batches[i]); err != nil {
			return err
		}
	}
	u.finish(jobs)
	return nil
}

// open finds what a job has to restore.
func (u *Updater) open(ctx context.Context, j *job) error {
	logs := j.t.Changelogs()
	parts := map[broker.TopicPartition]*part{}
	var tps []broker.TopicPartition
	for _, store := range slices.Sorted(maps.Keys(logs)) {
		tp := broker.TopicPartition{Topic: j.t.Changelog(store), Partition: j.t.ID().Partition}
		parts[tp] = &part{store: store, position: logs[store]}
		tps = append(tps, tp)
	}
	if len(tps) == 0 {
		j.open = true
		return nil
	}
	// the end of what is written, not of what is committed: an open transaction of the task's last owner must end first
	ends, err := u.cfg.Cluster.Admin().EndOffsets(ctx, broker.ReadUncommitted, tps...)
	if err != nil {
		return fmt.Errorf("streams: end offsets of changelogs: %w", err)
	}
	starts, err := u.cfg.Cluster.Admin().EarliestOffsets(ctx, tps...)
	if err != nil {
		return fmt.Errorf("streams: start offsets of changelogs: %w", err)
	}
	j.open, j.parts = true, parts
	if err := u.capped(ctx, j.t, ends); err != nil {
		return err
	}
	for _, tp := range tps {
		p := parts[tp]
		p.end = ends[tp]
		if p.position < 0 {
			p.position = starts[tp]
		}
		u.emit("restore.start", j.t.ID(), trace.F("store", p.store), trace.I("from", p.position), trace.I("to", p.end))
	}
	return nil
}

// capped lowers the ends of inputs that stores are restored from to what the group has committed: the rest will be processed.
func (u *Updater) capped(ctx context.Context, t *task.Task, ends map[broker.TopicPartition]int64) error {
	sources := t.FromSource()
	if len(sources) == 0 {
		return nil
	}
	committed, err := u.cfg.Cluster.Admin().CommittedOffsets(ctx, u.cfg.Group)
	if err != nil {
		return fmt.Errorf("streams: committed offsets of %s: %w", u.cfg.Group, err)
	}
	for _, tp := range sources { // each by itself
		ends[tp] = min(ends[tp], committed[tp].Offset)
	}
	return nil
}

func (u *Updater) emit(kind string, id processor.TaskID, fields ...trace.Field) {
	if u.cfg.Host.Tracing() {
		u.cfg.Host.Emit(trace.Event{Kind: kind, Fields: append([]trace.Field{trace.F("task", id.String())}, fields...)})
	}
}

// assign gives the consumer the changelogs of all open jobs, where that differs from what it has.
func (u *Updater) assign(ctx context.Context, c broker.Consumer) error {
	u.mu.Lock()
	jobs := slices.Clone(u.jobs)
	u.mu.Unlock()
	want := map[broker.TopicPartition]int64{}
	same := true
	for _, j := range jobs {
		for tp, p := range j.parts { // into a map again
			if p.position < p.end {
				want[tp] = p.position
				at, ok := u.reads[tp]
				same = same && ok && at == j
			}
		}
	}
	if same && len(want) == len(u.reads) {
		return nil
	}
	if err := c.Assign(ctx, want); err != nil {
		return err
	}
	u.reads = map[broker.TopicPartition]*job{}
	for _, j := range jobs {
		for tp := range j.parts { // into a map again
			if _, ok := want[tp]; ok {
				u.reads[tp] = j
			}
		}
	}
	return nil
}

func apply(jobs []*job, b *broker.Batch) error {
	for _, j := range jobs {
		p := j.parts[b.TopicPartition]
		if p == nil || b.Next <= p.position {
			continue
		}
		if err := j.t.Restore(p.store, b.Records); err != nil {
			return err
		}
		p.position = b.Next
		j.total += int64(len(b.Records))
		if j.since += len(b.Records); j.since >= commitEvery {
			j.since = 0
			if err := j.t.Restored(j.offsets()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (j *job) offsets() map[string]int64 {
	out := map[string]int64{}
	for _, p := range j.parts { // into a map again
		out[p.store] = max(p.position, 0)
	}
	return out
}

func (j *job) complete() bool {
	for _, p := range j.parts { // all of them: order does not matter
		if p.position < p.end {
			return false
		}
	}
	return true
}

// finish hands back complete jobs; it returns whether there was one.
func (u *Updater) finish(jobs []*job) bool {
	found := false
	for _, j := range jobs {
		if !j.complete() {
			continue
		}
		found = true
		err := j.t.Restored(j.offsets())
		u.mu.Lock()
		if err != nil && u.err == nil {
			u.err = err
		}
		u.jobs = slices.DeleteFunc(u.jobs, func(x *job) bool { return x == j })
		if !j.gone {
			u.done = append(u.done, j.t)
		}
		u.cond.Broadcast()
		u.mu.Unlock()
		u.emit("restore.end", j.t.ID(), trace.I("records", j.total))
		if u.cfg.Done != nil {
			u.cfg.Done()
		}
	}
	return found
}

// startOver empties a store whose changelog no longer has the offset it was at, and restores it from the beginning.
func (u *Updater) startOver(ctx context.Context, c broker.Consumer, jobs []*job, out *broker.OffsetOutOfRange) error {
	for _, j := range jobs {
		if p := j.parts[out.TopicPartition]; p != nil {
			u.cfg.Host.Log().Warn("streams: the changelog no longer has the store's offset: restoring it from the beginning", "store", p.store, "error", out)
			if err := j.t.Wipe(p.store); err != nil {
				return err
			}
			p.position = out.Earliest
		}
	}
	u.reads = nil
	return u.assign(ctx, c)
}
