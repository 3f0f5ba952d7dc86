package streams_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// sink is a producer that forgets what it is given.
type sink struct{ offset int64 }

func (s *sink) Partitions(context.Context, string) (int32, error) { return 1, nil }
func (s *sink) Send(_ context.Context, _ broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	s.offset += int64(len(records))
	if ack != nil {
		ack(s.offset, nil)
	}
	return nil
}
func (s *sink) Flush(context.Context) error { return nil }
func (s *sink) Begin() error                { return nil }
func (s *sink) SendOffsets(context.Context, broker.GroupMetadata, map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	return nil
}
func (s *sink) Commit(context.Context) error { return nil }
func (s *sink) Abort(context.Context) error  { return nil }
func (s *sink) Close()                       {}

// operation is what a benchmark measures: the steps from the topic in (and, for joins, other), whose keys and values are texts.
type operation struct {
	name   string
	steps  func(b *streams.Builder, in *streams.KStream[string, string])
	other  bool // records alternate between in and other
	spread time.Duration
	props  map[string]string
}

const benchKeys = 1000

// BenchmarkOperation runs each operation in one task without a cluster: records are decoded, processed and encoded, and go to a producer that forgets
// them. There are 1,000 keys and values of 100 bytes; a commit comes after every 50,000 records. An iteration is a record.
func BenchmarkOperation(b *testing.B) {
	for _, o := range operations() {
		engines := []string{"memory"}
		if o.props["pebble"] != "" {
			engines = append(engines, "pebble")
		}
		for _, engine := range engines {
			name := o.name
			if len(engines) > 1 {
				name += "/" + engine
			}
			b.Run(name, func(b *testing.B) { o.run(b, engine == "pebble") })
		}
	}
}

func (o *operation) open(b *testing.B, pebble bool) *task.Task {
	b.Helper()
	sb := streams.NewBuilder()
	o.steps(sb, streams.Stream(sb, "in", streams.Consumed[string, string]{}))
	top, err := sb.Build()
	if err == nil {
		err = top.Check()
	}
	if err != nil {
		b.Fatal(err)
	}
	cfg, err := streams.ParseConfig(map[string]string{"application.id": "bench", "bootstrap.servers": "none:1"})
	if err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	h := host.NewLive(ctx, host.LiveConfig{Name: "bench"})
	tc := streams.TaskConfig(top, &cfg, h)
	tc.Topology = top.Plan().Merged()
	if pebble {
		dir := b.TempDir()
		tc.OpenEngine = func(id processor.TaskID) (state.Engine, error) {
			return state.OpenPebble(filepath.Join(dir, id.String()), state.PebbleOptions{FS: vfs.Default, Log: h.Log()})
		}
	}
	var inputs []broker.TopicPartition
	for _, t := range tc.Topology.SourceTopics() {
		inputs = append(inputs, broker.TopicPartition{Topic: t})
	}
	t, err := task.New(tc, processor.TaskID{}, inputs, state.NewBudget(cfg.CacheBytes), task.NewCollector(ctx, &sink{}, false, rand.New(rand.NewPCG(1, 1)), nil))
	if err == nil {
		err = t.Activate(nil)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, tp := range inputs {
		t.SetEnd(tp, 0, 0)
	}
	b.Cleanup(func() {
		if err := t.Close(); err != nil {
			b.Error(err)
		}
	})
	return t
}

func (o *operation) run(b *testing.B, pebble bool) {
	t := o.open(b, pebble)
	topics := []string{"in"}
	if o.other {
		topics = append(topics, "other")
	}
	feed := newFeed(topics, o.spread)
	b.ReportAllocs()
	b.ResetTimer()
	for done := 0; done < b.N; {
		for _, batch := range feed.next() {
			t.Add(batch, false)
		}
		for {
			n, _, _, err := t.Process(1000, feed.now)
			if err != nil {
				b.Fatal(err)
			}
			if done += n; n == 0 {
				break
			}
		}
		if feed.rounds%(50/len(topics)) == 0 || done >= b.N {
			if err := t.PrepareCommit(feed.now); err != nil {
				b.Fatal(err)
			}
			if err := t.PostCommit(); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
}

// feed makes batches of 1,000 records a topic, again and again, with rising times.
type feed struct {
	topics  []string
	records [][]broker.Record
	offset  int64
	now     int64
	step    time.Duration
	rounds  int
}

func newFeed(topics []string, spread time.Duration) *feed {
	f := &feed{topics: topics, now: 1_700_000_000_000, step: spread / 1000}
	for range topics {
		list := make([]broker.Record, 1000)
		for i := range list {
			list[i] = broker.Record{Key: fmt.Appendf(nil, "key-%d", i*7919%benchKeys), Value: fmt.Appendf(nil, "%0100d", i)}
		}
		f.records = append(f.records, list)
	}
	return f
}

func (f *feed) next() (out []*broker.Batch) {
	f.rounds++
	for i, topic := range f.topics {
		for j := range f.records[i] {
			f.records[i][j].Offset, f.records[i][j].Timestamp = f.offset+int64(j), f.now+int64(j)*f.step.Milliseconds()
		}
		end := f.offset + int64(len(f.records[i]))
		out = append(out, &broker.Batch{TopicPartition: broker.TopicPartition{Topic: topic}, Records: f.records[i], Next: end, HighWatermark: end, LastStable: end})
	}
	f.now += 1000 * f.step.Milliseconds()
	f.offset += 1000
	return out
}

func operations() []operation {
	type kstream = streams.KStream[string, string]
	same := func(_, v string) (string, error) { return v, nil }
	yes := func(_, _ string) (bool, error) { return true, nil }
	text := streams.Consumed[string, string]{}
	both := func(k, left string, _ bool, right string, _ bool) (string, error) { return right, nil }
	onDisk := map[string]string{"pebble": "too"}
	count := func(w streams.Windows) func(*streams.Builder, *kstream) {
		return func(_ *streams.Builder, in *kstream) { streams.Count(in.GroupByKey().WindowedBy(w)) }
	}
	return []operation{
		{name: "Pass", steps: func(_ *streams.Builder, in *kstream) { in.To("out") }},
		{name: "Filter", steps: func(_ *streams.Builder, in *kstream) { in.Filter(yes).To("out") }},
		{name: "MapValues", steps: func(_ *streams.Builder, in *kstream) { streams.MapValues(in, same).To("out") }},
		{name: "Map", steps: func(_ *streams.Builder, in *kstream) {
			streams.Map(in, func(k, v string) (string, string, error) { return k, v, nil }).To("out")
		}},
		{name: "SelectKey", steps: func(_ *streams.Builder, in *kstream) { streams.SelectKey(in, same).To("out") }},
		{name: "FlatMapValues", steps: func(_ *streams.Builder, in *kstream) {
			streams.FlatMapValues(in, func(_, v string) ([]string, error) { return []string{v}, nil }).To("out")
		}},
		{name: "Branch", steps: func(_ *streams.Builder, in *kstream) {
			b := in.Branch([]streams.Branched[string, string]{{Where: func(_, v string) (bool, error) { return v[99] == '1', nil }}, {}})
			b[0].To("ones")
			b[1].To("out")
		}},
		{name: "Merge", other: true, steps: func(b *streams.Builder, in *kstream) { in.Merge(streams.Stream(b, "other", text)).To("out") }},
		{name: "Chain", steps: func(_ *streams.Builder, in *kstream) {
			x := streams.MapValues(in.Filter(yes).Peek(func(_, _ string) error { return nil }), same)
			x.FilterNot(func(_, _ string) (bool, error) { return false, nil }).To("out")
		}},
		{name: "Process", steps: func(_ *streams.Builder, in *kstream) {
			streams.Process(in, func(c *streams.ProcessorContext[string, string]) (streams.Processor[string, string], error) {
				return streams.ProcessorFunc[string, string](func(r *streams.Record[string, string]) error { return c.Forward(*r) }), nil
			}).To("out")
		}},
		{name: "Count", props: onDisk, steps: func(_ *streams.Builder, in *kstream) { streams.Count(in.GroupByKey()).ToStream().To("out") }},
		{name: "Reduce", props: onDisk, steps: func(_ *streams.Builder, in *kstream) {
			streams.Reduce(in.GroupByKey(), func(_, v string) (string, error) { return v, nil }).ToStream().To("out")
		}},
		{name: "Aggregate", props: onDisk, steps: func(_ *streams.Builder, in *kstream) {
			streams.Aggregate(in.GroupByKey(), func() (int64, error) { return 0, nil }, func(_, v string, n int64) (int64, error) { return n + int64(len(v)), nil }).ToStream().To("out")
		}},
		{name: "Table", props: onDisk, other: true, steps: func(b *streams.Builder, _ *kstream) {
			streams.Table(b, "other", text, streams.Materialized[string, string]{Name: "t"}).ToStream().To("out")
		}},
		{name: "CountTumbling", props: onDisk, spread: time.Second, steps: count(streams.TumblingWindows(time.Minute, time.Minute))},
		{name: "ReduceTumbling", props: onDisk, spread: time.Second, steps: func(_ *streams.Builder, in *kstream) {
			streams.Reduce(in.GroupByKey().WindowedBy(streams.TumblingWindows(time.Minute, time.Minute)), func(_, v string) (string, error) { return v, nil }).ToStream().To("out")
		}},
		{name: "CountHopping", props: onDisk, spread: time.Second, steps: count(streams.HoppingWindows(5*time.Minute, time.Minute, 0))},
		{name: "CountSliding", props: onDisk, spread: time.Second, steps: count(streams.SlidingWindows(10*time.Second, 0))},
		{name: "CountSessions", props: onDisk, spread: time.Second, steps: count(streams.SessionWindows(30*time.Second, 0))},
		{name: "Suppress", props: onDisk, spread: time.Second, steps: func(_ *streams.Builder, in *kstream) {
			streams.Count(in.GroupByKey().WindowedBy(streams.TumblingWindows(time.Minute, 0))).Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{})).ToStream().To("out")
		}},
		{name: "JoinTable", props: onDisk, other: true, steps: func(b *streams.Builder, in *kstream) {
			streams.JoinTable(in, streams.InnerJoin, streams.Table(b, "other", text), func(_, l, r string, _ bool) (string, error) { return r, nil }).To("out")
		}},
		{name: "JoinTables", props: onDisk, other: true, steps: func(b *streams.Builder, in *kstream) {
			streams.JoinTables(streams.InnerJoin, in.ToTable(), streams.Table(b, "other", text), both).ToStream().To("out")
		}},
		{name: "JoinStreams", props: onDisk, other: true, spread: time.Second, steps: func(b *streams.Builder, in *kstream) {
			streams.JoinStreams(in, streams.InnerJoin, streams.Stream(b, "other", text), streams.JoinWithin(500*time.Millisecond, 0), both).To("out")
		}},
	}
}
