package restore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/restore"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// cluster is changelogs in memory, and their only consumer. A record may be nil: a control record, which only takes an offset.
type cluster struct {
	broker.Cluster
	broker.Admin
	broker.Consumer

	mu       sync.Mutex
	cond     *sync.Cond
	logs     map[broker.TopicPartition][]*broker.Record
	starts   map[broker.TopicPartition]int64
	cfg      broker.ConsumerConfig
	assigned map[broker.TopicPartition]int64
	perPoll  int
	woken    bool
	hold     bool // Poll returns nothing
	failure  error
	opened   int
	closed   int
}

func newCluster() *cluster {
	c := &cluster{logs: map[broker.TopicPartition][]*broker.Record{}, starts: map[broker.TopicPartition]int64{}, perPoll: 1000}
	c.cond = sync.NewCond(&c.mu)
	return c
}

func (c *cluster) NewConsumer(_ context.Context, cfg broker.ConsumerConfig) (broker.Consumer, error) {
	c.cfg = cfg
	c.opened++
	return c, nil
}

// port is the cluster as the updater sees it: Cluster and Consumer both have a Close.
type port struct{ *cluster }

func (p port) Admin() broker.Admin { return p.cluster }
func (p port) Close()              {}
func (p port) NewConsumer(ctx context.Context, cfg broker.ConsumerConfig) (broker.Consumer, error) {
	return p.cluster.NewConsumer(ctx, cfg)
}

func (c *cluster) EndOffsets(_ context.Context, i broker.IsolationLevel, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if i != broker.ReadUncommitted {
		return nil, errors.New("the end of what is written is wanted, not of what is committed")
	}
	out := map[broker.TopicPartition]int64{}
	for _, tp := range tps {
		out[tp] = int64(len(c.logs[tp]))
	}
	return out, nil
}

func (c *cluster) EarliestOffsets(_ context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	out := map[broker.TopicPartition]int64{}
	for _, tp := range tps {
		out[tp] = c.starts[tp]
	}
	return out, nil
}

func (c *cluster) Assign(_ context.Context, positions map[broker.TopicPartition]int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.assigned = positions
	return nil
}

func (c *cluster) Poll(_ context.Context, max int, wait time.Duration) ([]broker.Batch, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		if c.failure != nil {
			return nil, c.failure
		}
		if c.woken {
			c.woken = false
			return nil, nil
		}
		if batches, err := c.fetch(max); len(batches) > 0 || err != nil {
			return batches, err
		}
		c.cond.Wait()
	}
}

func (c *cluster) fetch(max int) (out []broker.Batch, err error) {
	if c.hold {
		return nil, nil
	}
	for tp, at := range c.assigned {
		if at < c.starts[tp] {
			if c.cfg.Reset != broker.ResetNone {
				at = c.starts[tp]
			} else {
				return nil, &broker.OffsetOutOfRange{TopicPartition: tp, Offset: at, Earliest: c.starts[tp], Latest: int64(len(c.logs[tp]))}
			}
		}
		b := broker.Batch{TopicPartition: tp, Next: at}
		for b.Next < int64(len(c.logs[tp])) && len(b.Records) < min(max, c.perPoll) {
			if r := c.logs[tp][b.Next]; r != nil {
				rec := *r
				rec.Offset = b.Next
				b.Records = append(b.Records, rec)
			}
			b.Next++
		}
		if b.Next > at {
			c.assigned[tp] = b.Next
			out = append(out, b)
		}
	}
	return out, nil
}

func (c *cluster) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f()
	c.cond.Broadcast()
}

func (c *cluster) Wakeup() { c.change(func() { c.woken = true }) }

func (c *cluster) Close() { c.change(func() { c.closed++ }) }

func changelog(store string) broker.TopicPartition {
	return broker.TopicPartition{Topic: "app-" + store + "-changelog"}
}

// write appends "key", "value" pairs to a changelog; the value "-" is a tombstone, the key "" a control record.
func (c *cluster) write(store string, kv ...string) {
	tp := changelog(store)
	for i := 0; i < len(kv); i += 2 {
		r := &broker.Record{Key: []byte(kv[i]), Value: []byte(kv[i+1]), Timestamp: 7}
		switch {
		case kv[i] == "":
			r = nil
		case kv[i+1] == "-":
			r.Value = nil
		}
		c.logs[tp] = append(c.logs[tp], r)
	}
}

// world is an updater and what it needs.
type world struct {
	t       *testing.T
	c       *cluster
	host    *host.Live
	cfg     *task.Config
	engine  state.Engine
	updater *restore.Updater
	told    chan struct{}
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, c: newCluster(), engine: state.NewMemory(), told: make(chan struct{}, 1000)}
	w.host = host.NewLive(context.Background(), host.LiveConfig{Name: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	b := topology.NewBuilder()
	b.Add(&topology.Node{Kind: topology.SourceNode, Name: "source", Topics: []string{"in"}})
	b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: "p", Parents: []string{"source"}})
	for _, s := range []string{"s1", "s2"} {
		b.AddStore(&state.Spec{Name: s, Kind: state.KeyValue, Logging: true}, "p")
	}
	top, err := b.Build()
	no(t, err)
	w.cfg = &task.Config{ApplicationID: "app", Topology: top, Host: w.host, OpenEngine: func(processor.TaskID) (state.Engine, error) { return w.engine, nil }}
	return w
}

func (w *world) start() *world {
	w.updater = restore.New(restore.Config{Host: w.host, Cluster: port{w.c}, MaxPoll: 1000, Done: func() { w.told <- struct{}{} }})
	w.t.Cleanup(func() {
		w.updater.Stop(w.host.Context())
		if w.c.closed != w.c.opened {
			w.t.Errorf("%d consumers opened, %d closed", w.c.opened, w.c.closed)
		}
	})
	return w
}

func (w *world) newTask() *task.Task {
	w.t.Helper()
	coll := task.NewCollector(w.host.Context(), nil, false, rand.New(rand.NewPCG(1, 1)), nil)
	tk, err := task.New(w.cfg, processor.TaskID{}, []broker.TopicPartition{{Topic: "in"}}, nil, coll)
	no(w.t, err)
	return tk
}

// take waits until something is to be taken.
func (w *world) take() ([]*task.Task, error) {
	<-w.told
	return w.updater.Take()
}

// restored demands that a task comes back complete, and what its stores hold.
func (w *world) restored(want map[string]string, offsets map[string]int64) {
	w.t.Helper()
	done, err := w.take()
	no(w.t, err)
	if len(done) != 1 {
		w.t.Fatalf("%d tasks are done, want 1", len(done))
	}
	if w.updater.Restoring() {
		w.t.Error("nothing is being restored any more")
	}
	w.durable(want, offsets)
}

// durable compares what is committed.
func (w *world) durable(want map[string]string, offsets map[string]int64) {
	w.t.Helper()
	db := state.OpenDB(w.engine)
	got, at := map[string]string{}, map[string]int64{}
	for _, s := range []string{"s1", "s2"} {
		it := db.Table(s).Scan(state.Span{})
		for it.Next() {
			got[s] += fmt.Sprintf("%s=%s ", it.Key(), it.Value())
		}
		no(w.t, it.Close())
		o, err := db.Offset(s)
		no(w.t, err)
		at[s] = o
	}
	if d := cmp.Diff(want, got); d != "" {
		w.t.Errorf("stores (-want +got):\n%s", d)
	}
	if d := cmp.Diff(offsets, at); d != "" {
		w.t.Errorf("offsets (-want +got):\n%s", d)
	}
}

func no(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestoreFromTheBeginning(t *testing.T) {
	w := newWorld(t)
	w.c.write("s1", "a", "1", "b", "2", "a", "3", "b", "-", "", "")
	w.c.write("s2", "x", "y")
	w.c.perPoll = 2
	w.start().updater.Add(w.newTask())
	w.restored(map[string]string{"s1": "a=3 ", "s2": "x=y "}, map[string]int64{"s1": 5, "s2": 1})
}

func TestNothingToRestore(t *testing.T) {
	w := newWorld(t).start()
	w.updater.Add(w.newTask())
	w.restored(map[string]string{}, map[string]int64{"s1": 0, "s2": 0})
}

func TestRestoreGoesOnFromTheStoresOffset(t *testing.T) {
	w := newWorld(t)
	db := state.OpenDB(w.engine)
	no(t, db.Table("s1").Put([]byte("a"), []byte("kept")))
	no(t, db.Table("s1").Put([]byte("b"), []byte("old")))
	no(t, db.Commit(map[string]int64{"s1": 2}))
	w.c.write("s1", "a", "not read again", "b", "old", "b", "new")
	w.start().updater.Add(w.newTask())
	w.restored(map[string]string{"s1": "a=kept b=new "}, map[string]int64{"s1": 3, "s2": 0})
}

// TestAStoreWhoseOffsetIsGoneStartsOver: what was deleted in the changelog since must not live on in the store.
func TestAStoreWhoseOffsetIsGoneStartsOver(t *testing.T) {
	w := newWorld(t)
	db := state.OpenDB(w.engine)
	no(t, db.Table("s1").Put([]byte("deleted long ago"), []byte("1")))
	no(t, db.Table("s2").Put([]byte("other"), []byte("stays")))
	no(t, db.Commit(map[string]int64{"s1": 1, "s2": 0}))
	w.c.write("s1", "gone", "1", "gone", "2", "gone", "3", "a", "1", "b", "2")
	w.c.starts[changelog("s1")] = 3
	w.start().updater.Add(w.newTask())
	w.restored(map[string]string{"s1": "a=1 b=2 ", "s2": "other=stays "}, map[string]int64{"s1": 5, "s2": 0})
}

func TestProgressIsCommittedOnTheWay(t *testing.T) {
	w := newWorld(t)
	for i := range 25_000 {
		w.c.write("s1", "k", fmt.Sprint(i))
	}
	w.c.write("s2", "x", "y")
	w.start()
	reached := make(chan struct{})
	w.engine = &watched{w.engine, func() {
		w.c.change(func() { w.c.hold = true })
		close(reached)
	}}
	tk := w.newTask()
	w.updater.Add(tk)
	<-reached
	// a restart now goes on from what was committed
	no(t, w.updater.Remove(w.host.Context(), tk))
	o, err := state.OpenDB(w.engine).Offset("s1")
	no(t, err)
	if o < 9000 || o > 12_000 {
		t.Errorf("offset %d after the first commit, want about 10,000", o)
	}
	if d, err := w.updater.Take(); len(d) > 0 || err != nil {
		t.Errorf("a task that was removed is not handed back: %v %v", d, err)
	}
	w.c.change(func() { w.c.hold = false })
	w.updater.Add(w.newTask())
	w.restored(map[string]string{"s1": "k=24999 ", "s2": "x=y "}, map[string]int64{"s1": 25_000, "s2": 1})
}

// watched tells of the first Apply.
type watched struct {
	state.Engine
	first func()
}

func (e *watched) Apply(b *state.Batch) error {
	if e.first != nil {
		f := e.first
		e.first = nil
		defer f()
	}
	return e.Engine.Apply(b)
}

func TestRemove(t *testing.T) {
	w := newWorld(t)
	w.c.write("s1", "a", "1")
	w.c.hold = true
	w.start()
	tk := w.newTask()
	no(t, w.updater.Remove(w.host.Context(), tk)) // never added
	w.updater.Add(tk)
	if !w.updater.Restoring() {
		t.Error("it is being restored")
	}
	no(t, w.updater.Remove(w.host.Context(), tk))
	if w.updater.Restoring() {
		t.Error("it was removed")
	}
	w.c.change(func() { w.c.hold = false })
	w.updater.Add(tk)
	<-w.told
	no(t, w.updater.Remove(w.host.Context(), tk)) // done, and not taken
	if d, err := w.updater.Take(); len(d) > 0 || err != nil {
		t.Errorf("%v %v", d, err)
	}
}

func TestTasksAddedLaterDoNotWaitForOthers(t *testing.T) {
	w := newWorld(t)
	w.c.write("s1", "a", "1")
	w.c.hold = true
	w.start()
	first := w.newTask()
	w.updater.Add(first)
	// the second has nothing to restore
	w.engine = state.NewMemory()
	no(t, state.OpenDB(w.engine).Commit(map[string]int64{"s1": 1, "s2": 0}))
	second := w.newTask()
	w.updater.Add(second)
	done, err := w.take()
	no(t, err)
	if len(done) != 1 || done[0] != second {
		t.Errorf("done: %v", done)
	}
	w.c.change(func() { w.c.hold = false })
	done, err = w.take()
	no(t, err)
	if len(done) != 1 || done[0] != first {
		t.Errorf("done: %v", done)
	}
}

func TestAnErrorEndsTheUpdater(t *testing.T) {
	w := newWorld(t)
	w.c.write("s1", "a", "1")
	w.c.failure = broker.ErrFatal
	w.start()
	tk := w.newTask()
	w.updater.Add(tk)
	if _, err := w.take(); !errors.Is(err, broker.ErrFatal) {
		t.Errorf("error %v", err)
	}
	no(t, w.updater.Remove(w.host.Context(), tk)) // does not wait for a thread that is gone
	if w.c.closed != 1 {
		t.Error("the consumer must be closed")
	}
}

func TestAnErrorOfTheStoreIsTold(t *testing.T) {
	w := newWorld(t)
	w.c.write("s1", "a", "1")
	w.engine = broken{w.engine}
	w.start().updater.Add(w.newTask())
	if _, err := w.take(); !errors.Is(err, errDisk) {
		t.Errorf("error %v", err)
	}
}

var errDisk = errors.New("the disk is full")

type broken struct{ state.Engine }

func (broken) Apply(*state.Batch) error { return errDisk }
