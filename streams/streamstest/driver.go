package streamstest

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Record is a record of a topic.
type Record struct {
	Topic string
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
	// Start is the wall clock at the start; the zero Time is 1970.
	Start time.Time
	// Log gets the task's log; nil: nobody.
	Log *slog.Logger
}

// Driver runs a topology. It is for one goroutine. After an error it is good for Close only.
type Driver struct {
	plan    *topology.Topology
	cfg     streams.Config
	manual  bool
	clock   *clock
	out     *producer
	task    *task.Task
	global  *task.Task       // feeds the global stores; nil: there are none
	offsets map[string]int64 // by topic: how many records it has
	globals map[string]bool  // topics of the global task
	inputs  map[string]bool  // topics that the task reads, or the global one
	batch   broker.Batch     // used again for each record
	fed     int              // how many of the records sent were looked at for topics that the topology reads
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
	d := &Driver{plan: top.Plan().Merged(), cfg: cfg, manual: o.Manual, clock: newClock(o.Start, o.Log), out: &producer{offsets: map[string]int64{}}, offsets: map[string]int64{},
		inputs: map[string]bool{}, globals: map[string]bool{}}
	if err := d.start(top); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *Driver) start(top *streams.Topology) error {
	tc := streams.TaskConfig(top, &d.cfg, d.clock)
	tc.Topology, tc.EmitInterval = d.plan, 0
	if err := d.startGlobal(top, tc); err != nil {
		return err
	}
	collector := task.NewCollector(context.Background(), d.out, false, rand.New(rand.NewPCG(1, 1)), tc.Handlers.Written())
	collector.SetBatch(1)
	var inputs []broker.TopicPartition
	for _, topic := range d.plan.SourceTopics() {
		inputs = append(inputs, broker.TopicPartition{Topic: d.topicName(topic)})
	}
	var budget *state.Budget
	if d.cfg.CacheBytes > 0 {
		budget = state.NewBudget(d.cfg.CacheBytes)
	}
	var err error
	if d.task, err = task.New(tc, processor.TaskID{}, inputs, budget, collector); err != nil {
		return err
	}
	if err := d.task.Activate(nil); err != nil {
		return err
	}
	for _, tp := range inputs {
		d.task.SetEnd(tp, 0, 0)
		d.inputs[tp.Topic] = true
	}
	for _, topic := range d.globalTopics() {
		d.inputs[topic], d.globals[topic] = true, true
	}
	return nil
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
func (d *Driver) Batch(records ...Record) error {
	for _, r := range records {
		if d.isGlobal(r.Topic) {
			if err := d.feedGlobal(r); err != nil {
				return err
			}
			continue
		}
		if !d.reads(r.Topic) {
			return &UnknownTopicError{r.Topic, d.Reads()}
		}
		d.queue(r)
	}
	return d.run()
}

// Reads are the topics that the topology reads, by their names on a cluster.
func (d *Driver) Reads() []string {
	var topics []string
	for _, tp := range d.task.Inputs() {
		topics = append(topics, tp.Topic)
	}
	return append(topics, d.globalTopics()...)
}

// reads says whether the topology reads a topic. One that a pattern matches becomes an input when it is first asked about.
func (d *Driver) reads(topic string) bool {
	if d.inputs[topic] {
		return true
	}
	if !d.plan.Matches(topic) || d.plan.IsInternal(topic, d.cfg.TopicPrefix) {
		return false
	}
	tp := broker.TopicPartition{Topic: topic}
	d.task.AddInputs(tp)
	d.inputs[topic] = true
	d.task.SetEnd(tp, 0, 0)
	return true
}

func (d *Driver) queue(r Record) {
	r.Offset = d.offsets[r.Topic]
	d.offsets[r.Topic]++
	end := d.offsets[r.Topic]
	d.batch = broker.Batch{TopicPartition: broker.TopicPartition{Topic: r.Topic}, Records: append(d.batch.Records[:0], r.Record), Next: end, HighWatermark: end, LastStable: end}
	d.task.Add(&d.batch, false)
}

// feed queues what was sent to topics that the topology reads.
func (d *Driver) feed() error {
	for ; d.fed < d.out.n; d.fed++ {
		r := *d.out.at(d.fed)
		if !d.reads(r.Topic) {
			continue
		}
		if r.Timestamp < 0 {
			r.Timestamp = d.now()
		}
		if !d.isGlobal(r.Topic) {
			d.queue(r)
		} else if err := d.feedGlobal(r); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) now() int64 { return d.clock.Now().UnixMilli() }

// run processes what is queued, one record after another.
func (d *Driver) run() error {
	if err := d.feed(); err != nil {
		return err
	}
	for {
		n, _, _, err := d.task.Process(1, d.now())
		if err != nil || n == 0 {
			return err
		}
		if _, err := d.task.Punctuate(d.now()); err != nil {
			return err
		}
		if !d.manual {
			if err := d.commit(); err != nil {
				return err
			}
		}
		if err := d.feed(); err != nil {
			return err
		}
	}
}

func (d *Driver) commit() error {
	if err := d.task.PrepareCommit(d.now()); err != nil {
		return err
	}
	return d.task.PostCommit()
}

// Commit writes the caches and commits, then processes what that sent to topics that the topology reads.
func (d *Driver) Commit() error {
	if err := d.commit(); err != nil {
		return err
	}
	return d.run()
}

// Advance moves the wall clock and runs the punctuations that are due, each once.
func (d *Driver) Advance(by time.Duration) error {
	d.clock.now = d.clock.now.Add(by)
	if _, err := d.task.Punctuate(d.now()); err != nil {
		return err
	}
	if !d.manual {
		if err := d.commit(); err != nil {
			return err
		}
	}
	return d.run()
}

// Sent is everything that was sent so far, to all topics, in order; changelogs, repartition topics and dead letters too. A negative
// timestamp leaves the time to the producer.
func (d *Driver) Sent() []Record { return d.out.all() }

// Dropped is how many records were left out, over all nodes: dropped-records-total.
func (d *Driver) Dropped() (n int64) {
	for _, t := range []*task.Task{d.task, d.global} {
		if t == nil {
			continue
		}
		for _, k := range t.Dropped() { // a sum does not depend on order
			n += k
		}
	}
	return n
}

// Close ends the task. It may be called again.
func (d *Driver) Close() error {
	if d.task == nil {
		return nil
	}
	err := d.task.Close()
	if d.global != nil {
		err = errors.Join(err, d.global.Close())
	}
	d.task, d.global = nil, nil
	return err
}
