package task_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// clock is a host whose time stands still until it is set.
type clock struct {
	*host.Live
	now int64 // ms
}

// Now implements host.Host.
func (c *clock) Now() time.Time { return time.UnixMilli(c.now) }

// producer writes down what it is told. Flush, Commit and Abort run the acks.
type producer struct {
	broker.Producer
	partitions map[string]int32
	log        []string
	ends       map[broker.TopicPartition]int64
	sent       map[broker.TopicPartition][]broker.Record
	waiting    []func()
	fail       map[string]error // by call, or "ack topic-0"
}

func newProducer() *producer {
	return &producer{partitions: map[string]int32{}, ends: map[broker.TopicPartition]int64{}, sent: map[broker.TopicPartition][]broker.Record{}, fail: map[string]error{}}
}

func (p *producer) note(call string) error {
	p.log = append(p.log, call)
	name, _, _ := strings.Cut(call, " ")
	return p.fail[name]
}

func (p *producer) Partitions(_ context.Context, topic string) (int32, error) {
	if n, ok := p.partitions[topic]; ok {
		return n, p.fail["partitions"]
	}
	return 0, broker.ErrUnknownTopic
}

func (p *producer) Send(_ context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	if err := p.note(fmt.Sprintf("send %s %d", tp, len(records))); err != nil {
		return err
	}
	p.waiting = append(p.waiting, func() {
		if err := p.fail["ack "+tp.String()]; err != nil {
			ack(broker.NoOffset, err)
			return
		}
		base := p.ends[tp]
		p.ends[tp] += int64(len(records))
		p.sent[tp] = append(p.sent[tp], records...)
		ack(base, nil)
	})
	return nil
}

func (p *producer) settle() {
	for len(p.waiting) > 0 {
		f := p.waiting[0]
		p.waiting = p.waiting[1:]
		f()
	}
}

func (p *producer) Flush(context.Context) error {
	p.settle()
	return p.note("flush")
}

func (p *producer) Begin() error { return p.note("begin") }

func (p *producer) SendOffsets(_ context.Context, g broker.GroupMetadata, o map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	return p.note(fmt.Sprintf("offsets %s %d", g.Group, len(o)))
}

func (p *producer) Commit(context.Context) error {
	p.settle()
	return p.note("commit")
}

func (p *producer) Abort(context.Context) error {
	p.settle()
	return p.note("abort")
}

// probe is a processor node that a test looks out of.
type probe struct {
	processor.Output[string, string]
	w    *world
	init func(t processor.Task)
	on   func(t processor.Task, r *processor.Record[string, string]) error
}

// Init implements processor.Instance.
func (p *probe) Init(t processor.Task) error {
	if p.init != nil {
		p.init(t)
	}
	return p.Output.Init(t)
}

// Process implements processor.Processor.
func (p *probe) Process(r *processor.Record[string, string]) error {
	p.w.seen = append(p.w.seen, fmt.Sprintf("%s@%d", r.Value, r.Timestamp))
	if p.on != nil {
		return p.on(p.Task(), r)
	}
	return nil
}

// world is one task 0_0 that reads partition 0 of the topics a and b, in the hands of a test.
type world struct {
	t     testing.TB
	clock *clock
	cfg   *task.Config
	prod  *producer
	coll  *task.Collector
	task  *task.Task
	node  *probe
	// extract is the sources' timestamp extractor; nil: the default one.
	extract processor.Extractor[string, string]
	log     strings.Builder
	seen    []string
	next    map[string]int64 // offsets by topic
}

func tp(topic string) broker.TopicPartition { return broker.TopicPartition{Topic: topic} }

// newWorld builds the topology: sources a and b, the probe, and a store "s" of it. set may change the configuration and the probe.
func newWorld(t testing.TB, set func(w *world)) *world {
	t.Helper()
	w := &world{t: t, prod: newProducer(), next: map[string]int64{}}
	w.clock = &clock{Live: host.NewLive(t.Context(), host.LiveConfig{Name: "test", Log: slog.New(slog.NewTextHandler(&w.log, nil))}), now: 1000}
	w.node = &probe{w: w}
	w.prod.partitions["app-s-changelog"] = 1
	w.prod.partitions["out"] = 4
	b := topology.NewBuilder()
	for _, topic := range []string{"a", "b"} {
		b.Add(&topology.Node{Kind: topology.SourceNode, Name: "source-" + topic, Topics: []string{topic}, New: func() processor.Instance {
			return &processor.Source[string, string]{Key: serde.String(), Value: number{}, Extract: w.extract}
		}})
	}
	b.Add(&topology.Node{Kind: topology.ProcessorNode, Name: "probe", Parents: []string{"source-a", "source-b"}, New: func() processor.Instance {
		n := *w.node
		return &n
	}})
	b.AddStore(&state.Spec{Name: "s", Kind: state.KeyValue, Logging: true}, "probe")
	top, err := b.Build()
	no(t, err)
	w.cfg = &task.Config{ApplicationID: "app", Topology: top, Host: w.clock, Buffered: 1000}
	if set != nil {
		set(w)
	}
	w.coll = newCollector(t, w.prod, false, nil)
	return w
}

func newCollector(t testing.TB, p *producer, txn bool, failed func(f *task.WriteFailure) task.Answer) *task.Collector {
	return task.NewCollector(t.Context(), p, txn, rand.New(rand.NewPCG(1, 1)), failed)
}

// number is a serde of texts that refuses "bad".
type number struct{}

func (number) String() string { return "number" }
func (number) Append(dst []byte, _ string, v string) ([]byte, error) {
	return append(dst, v...), nil
}
func (number) Decode(_ string, b []byte) (string, error) {
	if string(b) == "bad" {
		return "", fmt.Errorf("%q is no number", b)
	}
	return string(b), nil
}

// start makes and activates the task.
func (w *world) start(committed map[broker.TopicPartition]broker.OffsetAndMetadata) *world {
	w.t.Helper()
	var err error
	w.task, err = task.New(w.cfg, processor.TaskID{}, []broker.TopicPartition{tp("b"), tp("a")}, nil, w.coll)
	no(w.t, err)
	no(w.t, w.task.Activate(committed))
	return w
}

// poll hands a batch over: "value@timestamp" each. It returns whether the partition is to be paused.
func (w *world) poll(topic string, records ...string) bool {
	w.t.Helper()
	b := &broker.Batch{TopicPartition: tp(topic)}
	for _, r := range records {
		v, ts, _ := strings.Cut(r, "@")
		rec := broker.Record{Key: []byte("k"), Value: []byte(v), Offset: w.next[topic]}
		_, err := fmt.Sscan(ts, &rec.Timestamp)
		no(w.t, err)
		b.Records = append(b.Records, rec)
		w.next[topic]++
	}
	b.Next = w.next[topic]
	b.HighWatermark, b.LastStable = b.Next, b.Next
	return w.task.Add(b, true)
}

// process processes all it can, and returns what the probe saw.
func (w *world) process() (seen string, wait int64) {
	w.t.Helper()
	w.seen = nil
	_, _, wait, err := w.task.Process(1<<20, w.clock.now)
	no(w.t, err)
	return strings.Join(w.seen, " "), wait
}

func (w *world) saw(want string) {
	w.t.Helper()
	got, _ := w.process()
	same(w.t, "seen", want, got)
}

// commit does what the thread does at a commit, and returns the offsets.
func (w *world) commit() map[broker.TopicPartition]broker.OffsetAndMetadata {
	w.t.Helper()
	no(w.t, w.task.PrepareCommit(w.clock.now))
	no(w.t, w.coll.Flush())
	offsets := w.task.Offsets()
	no(w.t, w.task.PostCommit())
	return offsets
}

func no(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func same(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
