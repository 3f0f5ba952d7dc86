// Package thread is for the stream thread: it polls, hands records to its tasks, processes, punctuates and commits, and follows the
// rebalances of its group. It is Kafka's StreamThread with TaskManager.
//
// It does not poll in the sense of looking again and again: with nothing to do it blocks until a record, a rebalance, a restored task, a
// punctuation, a commit that is due, or a stop.
package thread

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/assign"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/restore"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Config is one thread's.
type Config struct {
	Name    string // <client id>-StreamThread-<n>
	Task    *task.Config
	Cluster broker.Cluster
	// ExactlyOnce is processing.guarantee=exactly_once_v2; then TransactionalID is set in Producer.
	ExactlyOnce bool
	Producer    broker.ProducerConfig
	Member      broker.MemberConfig // without Assignor and Listener
	Restore     broker.ConsumerConfig
	Assignor    func(assign.Reporter) broker.Assignor

	CommitInterval time.Duration
	TaskTimeout    time.Duration
	PurgeInterval  time.Duration // of repartition topics
	MaxPoll        int           // max.poll.records
	CacheBytes     int64         // the thread's share of the record cache; 0: none
	Uncommitted    int64         // bytes of state after which a commit is due at once
	// Reset is auto.offset.reset, for topics whose source has no policy of its own. The member itself resets nothing.
	Reset topology.Reset
	// State is told when the thread's state changes.
	State func(State)
	// Leave: leave the group at the end.
	Leave bool
}

// State is the thread's state, in Kafka's spelling.
type State string

// The states.
const (
	Created            State = "CREATED"
	Starting           State = "STARTING"
	PartitionsRevoked  State = "PARTITIONS_REVOKED"
	PartitionsAssigned State = "PARTITIONS_ASSIGNED"
	Running            State = "RUNNING"
	PendingShutdown    State = "PENDING_SHUTDOWN"
	Dead               State = "DEAD"
)

// roundRecords is the most records a task processes before the next task's turn and a look at the clock.
const roundRecords = 256

// Thread is one stream thread.
type Thread struct {
	cfg Config
	log *slog.Logger

	mu     sync.Locker
	state  State
	stop   bool
	leave  bool
	member broker.Member // nil until Run has joined
	view   map[processor.TaskID]TaskView
	asked  []*inspection
	over   bool
	purges bool // a purge is under way

	// the rest belongs to the thread
	ctx      context.Context
	coll     *task.Collector
	budget   *state.Budget
	updater  *restore.Updater
	tasks    map[processor.TaskID]*task.Task // all, restoring ones too
	order    []*task.Task                    // running, by id
	byTP     map[broker.TopicPartition]processor.TaskID
	assigned map[processor.TaskID][]broker.TopicPartition
	failure  error     // found inside a callback
	due      time.Time // when the next commit is due; zero: nothing to commit
	retry    time.Time // since when commits time out; zero: they do not
	wait     int64     // wall clock (ms) at which an idle task may go on; 0: none
	now      int64
	grown    []grown
	purged   time.Time // when repartition topics were last purged
}

// TaskView is a snapshot of a task, for inspection.
type TaskView struct {
	ID      processor.TaskID
	Running bool
	Dropped map[string]int64
}

// New returns a thread; Run runs it.
func New(cfg Config) *Thread {
	t := &Thread{cfg: cfg, log: cfg.Task.Host.Log().With("thread", cfg.Name), mu: cfg.Task.Host.NewMutex(), state: Created, leave: cfg.Leave,
		tasks: map[processor.TaskID]*task.Task{}, byTP: map[broker.TopicPartition]processor.TaskID{}, assigned: map[processor.TaskID][]broker.TopicPartition{},
		view: map[processor.TaskID]TaskView{}}
	if cfg.CacheBytes > 0 {
		t.budget = state.NewBudget(cfg.CacheBytes)
	}
	return t
}

// Run runs the thread until Stop or a fatal error. The context is the one that the host gave to the calling thread.
func (t *Thread) Run(ctx context.Context) (err error) {
	t.ctx = ctx
	t.setState(Starting)
	defer func() {
		t.end()
		t.setState(Dead)
	}()
	if err := t.newProducer(); err != nil {
		return err
	}
	t.updater = restore.New(restore.Config{Host: t.cfg.Task.Host, Cluster: t.cfg.Cluster, Group: t.cfg.Member.Group, Consumer: t.cfg.Restore, Done: t.wake, MaxPoll: 2000})
	m := t.cfg.Member
	m.Listener = listener{t}
	m.Assignor = t.cfg.Assignor(reporter{t})
	member, err := t.cfg.Cluster.JoinGroup(ctx, m)
	if err != nil {
		return fmt.Errorf("streams: join group %s: %w", m.Group, err)
	}
	t.mu.Lock()
	t.member = member
	t.mu.Unlock()
	for !t.stopping() {
		if err := t.once(); err != nil {
			if err = t.recover(err); err != nil {
				return err
			}
		}
	}
	t.setState(PendingShutdown)
	return t.shutdown()
}

// Stop asks the thread to commit and end. leave: also leave the group. It may be called from any thread.
func (t *Thread) Stop(leave bool) {
	t.mu.Lock()
	t.stop, t.leave = true, leave
	t.mu.Unlock()
	t.wake()
}

func (t *Thread) stopping() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.stop
}

func (t *Thread) wake() {
	t.mu.Lock()
	m := t.member
	t.mu.Unlock()
	if m != nil {
		m.Wakeup()
	}
}

// State is the thread's state. It may be called from any thread.
func (t *Thread) State() State {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

func (t *Thread) setState(s State) {
	t.mu.Lock()
	changed := t.state != s
	t.state = s
	t.mu.Unlock()
	if changed && t.cfg.State != nil {
		t.cfg.State(s)
	}
}

func (t *Thread) emit(kind string, fields ...trace.Field) {
	if h := t.cfg.Task.Host; h.Tracing() {
		h.Emit(trace.Event{Kind: kind, Fields: append([]trace.Field{trace.F("thread", t.cfg.Name)}, fields...)})
	}
}

// newProducer makes the thread's producer, which fences an earlier one of the same transactional id.
func (t *Thread) newProducer() error {
	p, err := t.cfg.Cluster.NewProducer(t.ctx, t.cfg.Producer)
	if err != nil {
		return fmt.Errorf("streams: producer: %w", err)
	}
	t.coll = task.NewCollector(t.ctx, p, t.cfg.ExactlyOnce, t.cfg.Task.Host.Rand(t.cfg.Name+"/collector"), t.cfg.Task.Handlers.Written())
	for _, tk := range t.tasks { // each by itself
		tk.SetCollector(t.coll)
	}
	return nil
}

// once is one turn of the loop.
func (t *Thread) once() error {
	batches, err := t.member.Poll(t.ctx, t.cfg.MaxPoll, t.pollWait())
	if t.failure != nil {
		err, t.failure = t.failure, nil
	}
	if err != nil {
		if out, ok := errors.AsType[*broker.OffsetOutOfRange](err); ok {
			return t.outOfRange(out)
		}
		return err
	}
	for i := range batches {
		b := &batches[i]
		tk := t.tasks[t.byTP[b.TopicPartition]]
		if tk == nil || !tk.Running() {
			continue // polled before the task was there or after it went: its position is set when it starts
		}
		if tk.Add(b, t.cfg.ExactlyOnce) {
			t.member.Pause(b.TopicPartition)
		}
	}
	if err := t.startRestored(); err != nil {
		return err
	}
	if err := t.startGrown(); err != nil {
		return err
	}
	t.answer()
	return t.work()
}

// pollWait is how long nothing can happen unless something arrives.
func (t *Thread) pollWait() time.Duration {
	var next time.Time
	at := func(x time.Time) {
		if !x.IsZero() && (next.IsZero() || x.Before(next)) {
			next = x
		}
	}
	at(t.due)
	if t.wait > 0 {
		at(time.UnixMilli(t.wait))
	}
	for _, tk := range t.order {
		if n := tk.NextWallClock(); n > 0 {
			at(time.UnixMilli(n))
		}
	}
	if next.IsZero() {
		return -1
	}
	return max(0, next.Sub(t.cfg.Task.Host.Now()))
}

// work processes until nothing is left that can be.
func (t *Thread) work() error {
	began := t.cfg.Task.Host.Now()
	for {
		now := t.cfg.Task.Host.Now()
		t.now = now.UnixMilli()
		t.wait = 0
		did := 0
		for _, tk := range t.order {
			n, err := t.advance(tk)
			if err != nil {
				return err
			}
			did += n
		}
		if err := t.coll.Dispatch(); err != nil {
			return err
		}
		if err := t.maybeCommit(now); err != nil {
			return err
		}
		if did == 0 || now.Sub(began) > t.cfg.Member.RebalanceTimeout/2 || t.stopping() {
			return nil
		}
	}
}

func (t *Thread) advance(tk *task.Task) (int, error) {
	n, resume, wait, err := tk.Process(roundRecords, t.now)
	if err != nil {
		return n, err
	}
	if len(resume) > 0 {
		t.member.Resume(resume...)
	}
	if wait > 0 && (t.wait == 0 || wait < t.wait) {
		t.wait = wait
	}
	if tps := tk.WantEnds(); len(tps) > 0 {
		if err := t.learnEnds(tk, tps); err != nil {
			return n, err
		}
		n++ // it may be able to go on now
	}
	p, err := tk.Punctuate(t.now)
	return n + p, err
}

func (t *Thread) learnEnds(tk *task.Task, tps []broker.TopicPartition) error {
	isolation := broker.ReadUncommitted
	if t.cfg.ExactlyOnce {
		isolation = broker.ReadCommitted
	}
	ends, err := t.member.EndOffsets(t.ctx, isolation, tps...)
	if err != nil {
		return err
	}
	for _, tp := range tps {
		tk.SetEnd(tp, t.member.Position(tp), ends[tp])
	}
	return nil
}

// startRestored activates the tasks whose state is complete.
func (t *Thread) startRestored() error {
	done, err := t.updater.Take()
	if err != nil {
		return err
	}
	for _, tk := range done {
		if t.tasks[tk.ID()] != tk {
			continue
		}
		if err := t.activate(tk); err != nil {
			return err
		}
	}
	if len(done) > 0 && len(t.order) == len(t.tasks) {
		t.setState(Running)
	}
	return nil
}

func (t *Thread) activate(tk *task.Task) error {
	inputs := tk.Inputs()
	committed, err := t.member.Committed(t.ctx, inputs...)
	if err != nil {
		return err
	}
	if tk.Behind(committed) { // a transaction was pending when the end was looked at
		t.updater.Add(tk)
		return nil
	}
	if err := tk.Activate(committed); err != nil {
		return err
	}
	if err := t.startAt(inputs, committed); err != nil {
		return err
	}
	t.order = append(t.order, tk)
	slices.SortFunc(t.order, func(a, b *task.Task) int { return a.ID().Compare(b.ID()) })
	t.publish()
	return nil
}

// publish takes the snapshot that Tasks returns.
func (t *Thread) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.view)
	for id, tk := range t.tasks { // into a map again
		t.view[id] = TaskView{ID: id, Running: tk.Running(), Dropped: tk.Dropped()}
	}
}

// Tasks are the thread's tasks as of its last commit, by id.
func (t *Thread) Tasks() []TaskView {
	t.mu.Lock()
	defer t.mu.Unlock()
	ids := slices.SortedFunc(maps.Keys(t.view), processor.TaskID.Compare)
	var out []TaskView
	for _, id := range ids {
		out = append(out, t.view[id])
	}
	return out
}

// end closes what is open, without committing.
func (t *Thread) end() {
	for _, id := range slices.SortedFunc(maps.Keys(t.tasks), processor.TaskID.Compare) {
		if err := t.closeTask(t.tasks[id]); err != nil {
			t.log.Error("streams: close task", "task", id.String(), "error", err)
		}
	}
	if t.updater != nil {
		t.updater.Stop(t.ctx)
	}
	t.answer()
	t.mu.Lock()
	m := t.member
	t.member, t.over = nil, true
	t.mu.Unlock()
	if m != nil {
		m.Close()
	}
	if t.coll != nil {
		t.sendTheRest()
		t.coll.Producer().Close()
	}
}

// lastWords is how long a thread that ends waits for what it has written.
const lastWords = 30 * time.Second

// sendTheRest hands over what was written before the thread failed, the record's dead letter above all. With exactly-once all of it goes with the
// transaction.
func (t *Thread) sendTheRest() {
	if t.cfg.ExactlyOnce || t.ctx.Err() != nil {
		return
	}
	ctx, cancel := t.cfg.Task.Host.WithTimeout(t.ctx, lastWords)
	defer cancel()
	err := t.coll.Dispatch()
	if err == nil {
		err = t.coll.Producer().Flush(ctx)
	}
	if err != nil {
		t.log.Warn("streams: not all of what the thread has written is on the cluster; it will be processed again", "error", err)
	}
}

// shutdown commits, closes the tasks, and leaves the group if asked.
func (t *Thread) shutdown() error {
	err := t.commitAll()
	if err != nil {
		t.log.Error("streams: the last commit failed; what it held will be processed again", "error", err)
		if abortErr := t.coll.Abort(); abortErr != nil && !errors.Is(abortErr, broker.ErrFenced) {
			t.log.Warn("streams: abort", "error", abortErr)
		}
	}
	t.mu.Lock()
	leave := t.leave
	t.mu.Unlock()
	if leave {
		if lerr := t.member.Leave(t.ctx); lerr != nil {
			t.log.Warn("streams: leave group", "error", lerr)
		}
	}
	return nil
}
