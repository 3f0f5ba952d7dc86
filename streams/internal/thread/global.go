package thread

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// GlobalConfig is the global thread's.
type GlobalConfig struct {
	Name           string
	Task           *task.Config // task.GlobalConfig
	Cluster        broker.Cluster
	Consumer       broker.ConsumerConfig
	MaxPoll        int
	CommitInterval time.Duration
	// Ready is called once, on the thread, when the stores have all that their topics had at the start; read is for other threads.
	Ready func(read func(store string) *state.Handle)
}

// Global is the thread that feeds an instance's global stores: Kafka's GlobalStreamThread. It reads all partitions of their topics, at
// first up to the end, and follows them until it is stopped.
type Global struct {
	cfg GlobalConfig

	mu       sync.Locker
	consumer broker.Consumer // nil: there is none yet, or no longer
	stop     bool

	// the rest belongs to the thread
	ctx   context.Context
	lock  sync.Locker // held while the stores change
	task  *task.Task
	ends  map[broker.TopicPartition]int64 // what is to be reached before Ready
	due   time.Time                       // of the next commit; zero: nothing has changed
	ready bool
}

// NewGlobal returns a thread; Run runs it.
func NewGlobal(cfg GlobalConfig) *Global {
	cfg.Consumer.Reset = broker.ResetNone
	return &Global{cfg: cfg, mu: cfg.Task.Host.NewMutex(), lock: cfg.Task.Host.NewMutex()}
}

// Stop asks the thread to commit and end. It may be called from any thread.
func (g *Global) Stop() {
	g.mu.Lock()
	g.stop = true
	c := g.consumer
	g.mu.Unlock()
	if c != nil {
		c.Wakeup()
	}
}

func (g *Global) stopping() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.stop
}

// Run runs the thread until Stop or a fatal error.
func (g *Global) Run(ctx context.Context) (err error) {
	g.ctx = ctx
	c, err := g.cfg.Cluster.NewConsumer(ctx, g.cfg.Consumer)
	if err != nil {
		return fmt.Errorf("streams: global consumer: %w", err)
	}
	g.mu.Lock()
	g.consumer = c
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		g.consumer = nil
		g.mu.Unlock()
		c.Close()
		if g.task != nil {
			err = errors.Join(err, g.task.Close())
		}
	}()
	for opened := false; !g.stopping(); {
		if !opened {
			if err = g.open(c); err == nil {
				opened = true
			}
		} else {
			err = g.once(c)
		}
		if err != nil {
			if !errors.Is(err, broker.ErrRetriable) {
				return err
			}
			g.cfg.Task.Host.Log().Warn("streams: the global stores wait for the cluster", "error", err)
			if err := g.cfg.Task.Host.Sleep(ctx, retryCommit); err != nil {
				return err
			}
		}
	}
	return g.commit()
}

// open makes the task, and starts where its stores were left.
func (g *Global) open(c broker.Consumer) error {
	tps, err := g.partitions()
	if err != nil {
		return err
	}
	if g.task == nil {
		t, err := task.New(g.cfg.Task, task.GlobalID, tps, nil, task.NewCollector(g.ctx, nil, false, nil, nil))
		if err != nil {
			return fmt.Errorf("streams: global stores: %w", err)
		}
		g.task = t
		if err := t.Activate(nil); err != nil {
			return err
		}
	}
	admin := g.cfg.Cluster.Admin()
	starts, err := admin.EarliestOffsets(g.ctx, tps...)
	if err != nil {
		return fmt.Errorf("streams: start offsets of global topics: %w", err)
	}
	if g.ends, err = admin.EndOffsets(g.ctx, g.cfg.Consumer.Isolation, tps...); err != nil {
		return fmt.Errorf("streams: end offsets of global topics: %w", err)
	}
	kept, err := g.task.Kept()
	if err != nil {
		return err
	}
	for _, tp := range tps {
		if at, ok := kept[tp.String()]; ok {
			starts[tp] = at
		}
	}
	if err := c.Assign(g.ctx, starts); err != nil {
		return err
	}
	return g.reached(c)
}

// partitions are all of the topics.
func (g *Global) partitions() (tps []broker.TopicPartition, err error) {
	topics := g.cfg.Task.Topology.SourceTopics()
	have, err := g.cfg.Cluster.Admin().DescribeTopics(g.ctx, topics...)
	if err != nil {
		return nil, fmt.Errorf("streams: global topics: %w", err)
	}
	var missing []string
	for _, t := range topics {
		if _, ok := have[t]; !ok {
			missing = append(missing, t)
		}
		for p := range have[t].Partitions {
			tps = append(tps, broker.TopicPartition{Topic: t, Partition: int32(p)})
		}
	}
	if len(missing) > 0 {
		return nil, &MissingTopics{missing}
	}
	return tps, nil
}

// once polls, and processes what there is.
func (g *Global) once(c broker.Consumer) error {
	wait := time.Duration(-1)
	if !g.due.IsZero() {
		wait = max(0, g.due.Sub(g.cfg.Task.Host.Now()))
	}
	batches, err := c.Poll(g.ctx, g.cfg.MaxPoll, wait)
	if err != nil {
		var out *broker.OffsetOutOfRange
		if errors.As(err, &out) {
			return g.startOver(c, out)
		}
		return fmt.Errorf("streams: global topics: %w", err)
	}
	now := g.cfg.Task.Host.Now()
	if len(batches) > 0 && g.due.IsZero() {
		g.due = now.Add(g.cfg.CommitInterval)
	}
	if err := g.process(batches, now); err != nil {
		return err
	}
	if !g.due.IsZero() && !now.Before(g.due) {
		if err := g.commit(); err != nil {
			return err
		}
	}
	return g.reached(c)
}

func (g *Global) process(batches []broker.Batch, now time.Time) error {
	g.lock.Lock()
	defer g.lock.Unlock()
	for i := range batches {
		g.task.Add(&batches[i], g.cfg.Consumer.Isolation == broker.ReadCommitted)
	}
	for {
		n, _, _, err := g.task.Process(roundRecords, now.UnixMilli())
		if err != nil || n == 0 {
			return err
		}
	}
}

func (g *Global) commit() error {
	if g.task == nil || g.due.IsZero() {
		return nil
	}
	g.due = time.Time{}
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.task.CommitAt()
}

// reached tells that the stores are complete, once the positions are at the ends that were seen at the start.
func (g *Global) reached(c broker.Consumer) error {
	if g.ready {
		return nil
	}
	for tp, end := range g.ends { // all of them: order does not matter
		if c.Position(tp) < end {
			return nil
		}
	}
	if err := g.commit(); err != nil {
		return err
	}
	g.ready = true
	if h := g.cfg.Task.Host; h.Tracing() {
		h.Emit(trace.Event{Kind: "global.ready", Fields: []trace.Field{trace.F("thread", g.cfg.Name)}})
	}
	g.cfg.Ready(g.task.ReadOnly(g.lock))
	return nil
}

// startOver reads everything again, where a topic no longer has the offset that the stores were at.
func (g *Global) startOver(c broker.Consumer, out *broker.OffsetOutOfRange) error {
	g.cfg.Task.Host.Log().Warn("streams: a global topic no longer has the stores' offset: reading it from the beginning", "error", out)
	g.lock.Lock()
	err := g.task.StartOver()
	g.lock.Unlock()
	if err != nil {
		return err
	}
	starts, err := g.cfg.Cluster.Admin().EarliestOffsets(g.ctx, g.task.Inputs()...)
	if err != nil {
		return err
	}
	for _, tp := range g.task.Inputs() {
		c.Seek(tp, starts[tp])
	}
	return nil
}
