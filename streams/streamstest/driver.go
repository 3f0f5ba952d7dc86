package streamstest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Record is a record of a topic. Partition counts where the driver has several (Options.Partitions).
type Record struct {
	Topic     string
	Partition int32
	broker.Record
}

// Options are what a Driver is made of, beside the topology.
type Options struct {
	// Properties are the application's, by Kafka's names. application.id defaults to "test".
	Properties map[string]string
	// Configure changes the configuration that the properties make: exception handlers of one's own, say. Nil: it stays.
	Configure func(c *streams.Config)
	// Manual: commit only when Commit is called, as between two commits in production; caches then hold records back.
	Manual bool
	// Partitions is how many every topic has; default 1. With one, all sub-topologies run together as the one task 0_0, as in Kafka's test driver. With more,
	// each sub-topology has a task for each partition, and records go by their keys, through repartition topics too.
	Partitions int
	// Start is the wall clock at the start; the zero Time is 1970.
	Start time.Time
	// Log gets the task's log; nil: nobody.
	Log *slog.Logger
}

// Driver runs a topology. It is for one goroutine. After an error it is good for Close only.
type Driver struct {
	top      *streams.Topology
	plan     *topology.Topology
	cfg      streams.Config
	manual   bool
	parts    int32
	clock    *clock
	out      *producer
	tasks    []*running
	global   *task.Task // feeds the global stores; nil: there are none
	topics   topics
	patterns bool     // there are sources by pattern
	piped    []Record // what came for topics from which stores are restored
	engines  map[processor.TaskID]state.Engine
	// fedGlobal is what came for global stores, which have no changelog.
	fedGlobal []Record
	batch     broker.Batch // used again for each record
	fed       int          // how many of the records sent were looked at for topics that the topology reads
	committed int          // how many of the records sent were before the last commit
}

// running is a task of the driver.
type running struct {
	*task.Task
	partition int32
	topics    map[string]bool // what it reads
}

// New opens a driver that ends with the test; an error fails it. A nil props is an empty configuration.
func New(t testing.TB, top *streams.Topology, props map[string]string) *Driver {
	t.Helper()
	d, err := Open(top, Options{Properties: props, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// Open opens a driver. Errors of the configuration are all told at once, as by streams.ParseConfig.
func Open(top *streams.Topology, o Options) (*Driver, error) {
	props := map[string]string{"application.id": "test"}
	maps.Copy(props, o.Properties)
	cfg, err := streams.ParseConfig(props)
	if err != nil {
		return nil, err
	}
	if o.Configure != nil {
		o.Configure(&cfg)
	}
	if err := top.Check(); err != nil {
		return nil, err
	}
	d := &Driver{top: top, plan: top.Plan(), cfg: cfg, manual: o.Manual, parts: max(int32(o.Partitions), 1), clock: newClock(o.Start, o.Log),
		topics: topics{byName: map[string]*topic{}}, engines: map[processor.TaskID]state.Engine{}}
	d.patterns = d.plan.HasPatterns()
	d.out = &producer{topics: &d.topics, parts: d.parts}
	if d.parts == 1 {
		d.plan = d.plan.Merged()
	}
	if err := d.start(nil); err != nil {
		return nil, err
	}
	return d, nil
}

// start starts all tasks where others have been; committed is by task, nil at the beginning.
func (d *Driver) start(committed map[processor.TaskID]map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	tc := streams.TaskConfig(d.top, &d.cfg, d.clock)
	tc.Topology, tc.EmitInterval, tc.Immediate = d.plan, 0, true
	tc.OpenEngine = func(id processor.TaskID) (state.Engine, error) {
		if d.engines[id] == nil {
			d.engines[id] = state.NewImmediate()
		}
		return d.engines[id], nil
	}
	var budget *state.Budget
	if d.cfg.CacheBytes > 0 {
		budget = state.NewBudget(d.cfg.CacheBytes)
	}
	if err := d.startGlobal(d.top, tc, budget); err != nil {
		return err
	}
	collector := task.NewCollector(context.Background(), d.out, false, rand.New(rand.NewPCG(1, 1)), tc.Handlers.Written())
	collector.SetBatch(1)
	d.tasks = nil
	for n, sub := range d.plan.Subs {
		for p := range d.parts {
			if sub.Global {
				continue
			}
			id := processor.TaskID{Subtopology: int32(n), Partition: p}
			r, err := d.newTask(tc, id, sub, budget, collector, committed[id])
			if err != nil {
				return err
			}
			d.tasks = append(d.tasks, r)
		}
	}
	for _, name := range d.globalTopics() {
		t := d.topics.get(name)
		t.input, t.global = true, true
	}
	return nil
}

func (d *Driver) newTask(tc *task.Config, id processor.TaskID, sub *topology.Subtopology, budget *state.Budget, coll *task.Collector, committed map[broker.TopicPartition]broker.OffsetAndMetadata) (*running, error) {
	r := &running{partition: id.Partition, topics: map[string]bool{}}
	var inputs []broker.TopicPartition
	for _, topic := range sub.Sources {
		name := d.topicName(topic)
		inputs = append(inputs, broker.TopicPartition{Topic: name, Partition: id.Partition})
		d.topics.get(name).input, r.topics[name] = true, true
	}
	for tp := range committed { // of patterns; into sets
		if !r.topics[tp.Topic] {
			inputs = append(inputs, tp)
			r.topics[tp.Topic] = true
		}
	}
	slices.SortFunc(inputs, broker.TopicPartition.Compare)
	var err error
	if r.Task, err = task.New(tc, id, inputs, budget, coll); err != nil {
		return nil, err
	}
	for _, h := range r.Handles() {
		if h.Source != "" {
			d.topics.get(h.Source).kept = true
		}
	}
	if committed != nil {
		if err := d.restore(r); err != nil {
			return nil, err
		}
	}
	if err := r.Activate(committed); err != nil {
		return nil, err
	}
	for _, tp := range inputs {
		end := *at(&d.topics.get(tp.Topic).queued, tp.Partition)
		r.SetEnd(tp, end, end)
	}
	return r, nil
}

// restore brings the stores of a task to where the last one left them, as after a restart: those on disk are as they were committed, the others come from
// their changelogs.
func (d *Driver) restore(r *running) error {
	from := r.Changelogs()
	done := map[string]int64{}
	for _, store := range slices.Sorted(maps.Keys(from)) {
		tp := broker.TopicPartition{Topic: r.Changelog(store), Partition: r.partition}
		log := d.out.sentTo(tp)
		if d.topics.get(tp.Topic).kept {
			log = nil
			for _, p := range d.piped {
				if p.Topic == tp.Topic && p.Partition == tp.Partition {
					log = append(log, p.Record)
				}
			}
		}
		if start := max(from[store], 0); start < int64(len(log)) {
			if err := r.Restore(store, log[start:]); err != nil {
				return err
			}
		}
		done[store] = int64(len(log))
	}
	return r.Restored(done)
}

// Restart commits, stops all tasks, and starts them again as an instance that comes back with its disk: what was on disk is there, stores in memory are
// restored from their changelogs, and stores without a changelog that were in memory are empty. Punctuations begin anew.
func (d *Driver) Restart() error {
	if err := d.Commit(); err != nil {
		return err
	}
	committed := map[processor.TaskID]map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, r := range d.tasks {
		committed[r.ID()] = r.Committed()
		if err := r.Close(); err != nil {
			return err
		}
	}
	if d.global != nil {
		if err := d.global.Close(); err != nil {
			return err
		}
		d.global = nil
		delete(d.engines, task.GlobalID)
	}
	if err := d.start(committed); err != nil {
		return err
	}
	return d.refeed()
}

func (d *Driver) topicName(topic string) string {
	if d.plan.IsRepartition(topic) {
		return d.cfg.TopicPrefix + "-" + topic
	}
	return topic
}

// Pipe hands over one record and processes everything that follows from it. The record's offset is the driver's choice.
func (d *Driver) Pipe(r Record) error { return d.Batch(r) }

// Batch queues records and then processes them: the next one is that with the lowest timestamp at the head of its partition.
func (d *Driver) Batch(records ...Record) error { return d.aborted(d.take(records)) }

// aborted is for what a call ends with: after an error under exactly_once_v2 nobody sees what was sent since the last commit.
func (d *Driver) aborted(err error) error {
	if err != nil && d.cfg.ExactlyOnce && !d.manual {
		d.out.cut(d.committed)
	}
	return err
}

func (d *Driver) take(records []Record) error {
	for i := range records {
		r := &records[i]
		t := d.topics.get(r.Topic)
		switch {
		case t.global:
			if err := d.feedGlobal(t, r); err != nil {
				return err
			}
		case !d.reads(t):
			return &UnknownTopicError{r.Topic, d.Reads()}
		case r.Partition < 0 || r.Partition >= d.parts:
			return fmt.Errorf("streamstest: topic %s has no partition %d: it has %d, as Options.Partitions says", r.Topic, r.Partition, d.parts)
		default:
			if err := d.queue(t, r); err != nil {
				return err
			}
		}
	}
	return d.run()
}

// Reads are the topics that the topology reads, by their names on a cluster, sorted; those of global stores last.
func (d *Driver) Reads() []string {
	var topics []string
	for _, r := range d.tasks {
		topics = append(topics, slices.Collect(maps.Keys(r.topics))...)
	}
	slices.Sort(topics)
	return append(slices.Compact(topics), d.globalTopics()...)
}

// reads says whether the topology reads a topic. One that a pattern matches becomes an input when it is first asked about.
func (d *Driver) reads(t *topic) bool {
	if t.input || !d.patterns {
		return t.input
	}
	if !d.plan.Matches(t.name) || d.plan.IsInternal(t.name, d.cfg.TopicPrefix) {
		return false
	}
	for _, r := range d.tasks {
		if !d.plan.Subs[r.ID().Subtopology].Matches(t.name) {
			continue
		}
		tp := broker.TopicPartition{Topic: t.name, Partition: r.partition}
		r.AddInputs(tp)
		r.topics[t.name] = true
		r.SetEnd(tp, 0, 0)
	}
	t.input = true
	return true
}

// queue hands a record to the tasks that read its topic, with the next offset. They read it at once.
func (d *Driver) queue(t *topic, r *Record) error {
	b := &d.batch
	b.TopicPartition, b.Records = broker.TopicPartition{Topic: t.name, Partition: r.Partition}, append(b.Records[:0], r.Record)
	next := &b.Records[0]
	end := at(&t.queued, r.Partition)
	next.Offset = *end
	*end++
	b.Next, b.HighWatermark, b.LastStable = *end, *end, *end
	if t.kept {
		d.piped = append(d.piped, Record{t.name, r.Partition, *next})
	}
	for _, task := range d.tasks {
		if len(d.tasks) == 1 || task.partition == r.Partition && task.topics[t.name] {
			task.Add(b, false)
			if err := task.Load(); err != nil {
				return err
			}
		}
	}
	return nil
}

// feed queues what was sent to topics that the topology reads.
func (d *Driver) feed() error {
	for ; d.fed < d.out.log.n; d.fed++ {
		t := d.topics.all[d.out.log.topic(d.fed)]
		if !d.reads(t) {
			continue
		}
		r := d.out.at(d.fed)
		if r.Timestamp < 0 {
			r.Timestamp = d.now()
		}
		if !t.global {
			if err := d.queue(t, &r); err != nil {
				return err
			}
		} else if err := d.feedGlobal(t, &r); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) now() int64 { return d.clock.Now().UnixMilli() }

// run processes what is queued, one record after another; with several tasks, they take turns.
func (d *Driver) run() error {
	if err := d.feed(); err != nil {
		return err
	}
	for busy := true; busy; {
		busy = false
		for _, r := range d.tasks {
			n, _, _, err := r.Process(1, d.now())
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			busy = true
			if err := d.after(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// after does what is due after a record.
func (d *Driver) after(r *running) error {
	if _, err := r.PunctuateStreamTime(d.now()); err != nil {
		return err
	}
	if !d.manual {
		if err := d.commit(r); err != nil {
			return err
		}
	}
	return d.feed()
}

func (d *Driver) commit(r *running) error {
	if err := r.PrepareCommit(d.now()); err != nil {
		return err
	}
	d.committed = d.out.log.n
	return r.PostCommit()
}

// Commit writes the caches and commits, then processes what that sent to topics that the topology reads.
func (d *Driver) Commit() error {
	for _, r := range d.tasks {
		if err := d.commit(r); err != nil {
			return err
		}
	}
	return d.run()
}

// Advance moves the wall clock and runs the punctuations that are due, each once.
func (d *Driver) Advance(by time.Duration) error { return d.aborted(d.advance(by)) }

func (d *Driver) advance(by time.Duration) error {
	d.clock.now = d.clock.now.Add(by)
	for _, r := range d.tasks {
		if _, err := r.Punctuate(d.now()); err != nil {
			return err
		}
		if !d.manual {
			if err := d.commit(r); err != nil {
				return err
			}
		}
	}
	return d.run()
}

// Sent is everything that was sent so far, to all topics, in order; changelogs, repartition topics and dead letters too. A negative
// timestamp leaves the time to the producer.
func (d *Driver) Sent() []Record { return d.out.all() }

// Dropped is how many records were left out, over all nodes: dropped-records-total.
func (d *Driver) Dropped() (n int64) {
	for _, t := range d.all() {
		for _, k := range t.Dropped() { // a sum does not depend on order
			n += k
		}
	}
	return n
}

// all are the tasks, the global one last.
func (d *Driver) all() (out []*task.Task) {
	for _, r := range d.tasks {
		out = append(out, r.Task)
	}
	if d.global != nil {
		out = append(out, d.global)
	}
	return out
}

// Close ends the tasks. It may be called again.
func (d *Driver) Close() error {
	var errs []error
	for _, t := range d.all() {
		errs = append(errs, t.Close())
	}
	d.tasks, d.global = nil, nil
	return errors.Join(errs...)
}
