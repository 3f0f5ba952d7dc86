package streams_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/task"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

type (
	text     = streams.KStream[string, string]
	grouping = streams.Grouping[string, string, serde.Windowed[string]]
)

// windowed is a topology: a stream of texts in windows, what is done with it, and the result as a topic.
func windowed(t *testing.T, w streams.Windows, e streams.EmitStrategy, build func(g grouping) *streams.KTable[serde.Windowed[string], string]) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	build(in.GroupByKey().WindowedBy(w).EmitStrategy(e)).ToStream().To("out", streams.Produced[serde.Windowed[string], string]{Key: serde.SessionWindowed(serde.String())})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func join(agg, v string) (string, error) { return agg + v, nil }

// inMemory keeps a store without a cache, so that each update is seen.
var inMemory = streams.Materialized[string, string]{Name: "w", Value: serde.String(), InMemory: true, NoCaching: true, Retention: time.Hour}

func reduced(g grouping) *streams.KTable[serde.Windowed[string], string] {
	return streams.Reduce(g, join, inMemory)
}

// event is an input: a value of a key at a time.
type event struct {
	key, value string
	at         int64
}

// random are events around a time that moves on, some of them late.
func random(seed uint64, n int) (events []event) {
	r := rand.New(rand.NewPCG(seed, 5))
	now := int64(0)
	for i := range n {
		now += int64(r.IntN(8))
		events = append(events, event{string("ab"[r.IntN(2)]), string(rune('A' + i%26)), max(0, now-int64(r.IntN(4)*r.IntN(15)))})
	}
	return events
}

// final pipes events and returns the last value of each window.
func final(t *testing.T, top *streams.Topology, events []event) map[serde.Windowed[string]]string {
	t.Helper()
	d := streamstest.New(t, top, nil)
	in := streamstest.Input(d, "in", serde.String(), serde.String())
	for _, e := range events {
		in.Pipe(t, e.key, e.value, e.at)
	}
	out := map[serde.Windowed[string]]string{}
	for _, e := range streamstest.Output(d, "out", serde.SessionWindowed(serde.String()), serde.String()).ReadAll(t) {
		if e.NullValue {
			delete(out, e.Key)
		} else {
			out[e.Key] = e.Value
		}
	}
	return out
}

func sortedRunes(m map[serde.Windowed[string]]string) map[serde.Windowed[string]]string {
	out := map[serde.Windowed[string]]string{}
	for k, v := range m {
		r := []rune(v)
		slices.Sort(r)
		out[k] = string(r)
	}
	return out
}

// TestSlidingWindowsHoldWhatIsInThem compares with the definition: each window that begins or ends at a record holds the records in it.
func TestSlidingWindowsHoldWhatIsInThem(t *testing.T) {
	const d = 10
	for seed := range uint64(30) {
		events := random(seed, 60)
		for i := range events {
			events[i].at += d // the early ones share a window, and are recorded cases' business
		}
		want := map[serde.Windowed[string]]string{}
		for _, e := range events {
			for _, start := range []int64{e.at - d, e.at + 1} {
				in := ""
				for _, o := range events {
					if o.key == e.key && o.at >= start && o.at <= start+d {
						in += o.value
					}
				}
				if in != "" {
					want[serde.Windowed[string]{Key: e.key, Window: serde.Window{Start: start, End: start + d}}] = in
				}
			}
		}
		got := final(t, windowed(t, streams.SlidingWindows(d*time.Millisecond, time.Minute), streams.OnWindowUpdate, reduced), events)
		if diff := cmp.Diff(sortedRunes(want), sortedRunes(got)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

// TestSessionsAreRuns compares with the definition: a session is a run of records no more than the gap apart.
func TestSessionsAreRuns(t *testing.T) {
	const gap = 6
	for seed := range uint64(30) {
		events := random(seed, 60)
		ordered := slices.Clone(events)
		slices.SortStableFunc(ordered, func(a, b event) int { return int(a.at - b.at) })
		want := map[serde.Windowed[string]]string{}
		for _, key := range []string{"a", "b"} {
			var w serde.Windowed[string]
			for _, e := range ordered {
				if e.key != key {
					continue
				}
				have, ok := want[w]
				if !ok || e.at > w.Window.End+gap {
					w, have = serde.Windowed[string]{Key: key, Window: serde.Window{Start: e.at}}, ""
				}
				delete(want, w)
				w.Window.End = e.at
				want[w] = have + e.value
			}
		}
		got := final(t, windowed(t, streams.SessionWindows(gap*time.Millisecond, time.Minute), streams.OnWindowUpdate, reduced), events)
		if diff := cmp.Diff(sortedRunes(want), sortedRunes(got)); diff != "" {
			t.Fatalf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestWindowsRefuse(t *testing.T) {
	for name, build := range map[string]func(b *streams.Builder, s *text){
		"a gap below 0":        func(_ *streams.Builder, s *text) { s.GroupByKey().WindowedBy(streams.SessionWindows(-time.Second, 0)) },
		"a difference below 0": func(_ *streams.Builder, s *text) { s.GroupByKey().WindowedBy(streams.SlidingWindows(-time.Second, 0)) },
		"unlimited windows that are final": func(_ *streams.Builder, s *text) {
			s.GroupByKey().WindowedBy(streams.UnlimitedWindows(0)).EmitStrategy(streams.OnWindowClose)
		},
		"sessions that cannot merge": func(_ *streams.Builder, s *text) {
			streams.Aggregate(s.GroupByKey().WindowedBy(streams.SessionWindows(time.Second, 0)), empty, add)
		},
		"windows that do not merge": func(_ *streams.Builder, s *text) {
			streams.AggregateSessions(s.GroupByKey().WindowedBy(streams.TumblingWindows(time.Second, 0)), empty, add, merge)
		},
		"too short a retention": func(_ *streams.Builder, s *text) {
			streams.Reduce(s.GroupByKey().WindowedBy(streams.SlidingWindows(time.Second, 0)), join, streams.Materialized[string, string]{Retention: time.Second})
		},
		"a buffer that must not emit early": func(_ *streams.Builder, s *text) {
			streams.Count(s.GroupByKey().WindowedBy(streams.TumblingWindows(time.Second, 0))).Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{EmitEarly: true}))
		},
		"windows that are not there": func(_ *streams.Builder, s *text) {
			s.ToTable().Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{}))
		},
	} {
		b := streams.NewBuilder()
		build(b, streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}))
		if _, err := b.Build(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func empty() (string, error)                     { return "", nil }
func add(_, v, agg string) (string, error)       { return agg + v, nil }
func merge(_, x, y string) (string, error)       { return x + y, nil }
func length(_, v string, n int64) (int64, error) { return n + int64(len(v)), nil }

func TestCogroupOfTwoTypes(t *testing.T) {
	b := streams.NewBuilder()
	texts := streams.Stream(b, "texts", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	numbers := streams.Stream(b, "numbers", streams.Consumed[string, int64]{Key: serde.String(), Value: serde.Long()})
	c := streams.Cogroup(streams.Cogrouped(texts.GroupByKey(), length),
		streams.Cogrouped(numbers.GroupByKey(), func(_ string, v, n int64) (int64, error) { return n + v, nil }))
	m := streams.Materialized[string, int64]{Key: serde.String(), Value: serde.Long()}
	zero := func() (int64, error) { return 0, nil }
	streams.AggregateCogroup(c, zero, m).ToStream().To("all")
	streams.AggregateCogroup(c.WindowedBy(streams.TumblingWindows(10*time.Millisecond, 0)), zero, m).ToStream().To("windows")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, top, nil)
	streamstest.Input(d, "texts", serde.String(), serde.String()).Pipe(t, "k", "three", 1)
	streamstest.Input(d, "numbers", serde.String(), serde.Long()).Pipe(t, "k", 100, 12)
	var got []string
	for _, e := range streamstest.Output(d, "all", serde.String(), serde.Long()).ReadAll(t) {
		got = append(got, fmt.Sprintf("%s=%d@%d", e.Key, e.Value, e.Timestamp))
	}
	for _, e := range streamstest.Output(d, "windows", serde.TimeWindowed(serde.String(), 10), serde.Long()).ReadAll(t) {
		got = append(got, fmt.Sprintf("%s[%d,%d)=%d@%d", e.Key.Key, e.Key.Window.Start, e.Key.Window.End, e.Value, e.Timestamp))
	}
	if diff := cmp.Diff([]string{"k=5@1", "k=105@12", "k[0,10)=5@1", "k[10,20)=100@12"}, got); diff != "" {
		t.Error(diff)
	}
}

// topics is a producer that keeps what is sent, by topic.
type topics map[string][]broker.Record

func (p topics) Partitions(context.Context, string) (int32, error) { return 1, nil }
func (p topics) Send(_ context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	base := int64(len(p[tp.Topic]))
	p[tp.Topic] = append(p[tp.Topic], slices.Clone(records)...)
	ack(base, nil)
	return nil
}
func (p topics) Flush(context.Context) error { return nil }
func (p topics) Begin() error                { return nil }
func (p topics) SendOffsets(context.Context, broker.GroupMetadata, map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	return nil
}
func (p topics) Commit(context.Context) error { return nil }
func (p topics) Abort(context.Context) error  { return nil }
func (p topics) Close()                       {}

var inputs = []broker.TopicPartition{{Topic: "in"}}

// run processes events in one task, and commits after every few. With restarts each commit is followed by a new task, which has nothing but
// the committed offsets and the changelogs.
func run(t *testing.T, top *streams.Topology, events []event, restarts bool) topics {
	t.Helper()
	cfg, err := streams.ParseConfig(map[string]string{"application.id": "app"})
	if err != nil {
		t.Fatal(err)
	}
	h := host.NewLive(t.Context(), host.LiveConfig{Name: "test", Log: slog.New(slog.DiscardHandler), Seed: 1})
	tc := streams.TaskConfig(top, &cfg, h)
	tc.EmitInterval = 0
	sent := topics{}
	var coll *task.Collector
	start := func(committed map[broker.TopicPartition]broker.OffsetAndMetadata) *task.Task {
		coll = task.NewCollector(t.Context(), sent, false, rand.New(rand.NewPCG(1, 1)), nil)
		tk, err := task.New(tc, processor.TaskID{}, inputs, state.NewBudget(1<<20), coll)
		if err != nil {
			t.Fatal(err)
		}
		stores := tk.Changelogs()
		for _, store := range slices.Sorted(maps.Keys(stores)) {
			if err := tk.Restore(store, sent[tk.Changelog(store)]); err != nil {
				t.Fatal(err)
			}
			stores[store] = int64(len(sent[tk.Changelog(store)]))
		}
		if err := errors.Join(tk.Restored(stores), tk.Activate(committed)); err != nil {
			t.Fatal(err)
		}
		return tk
	}
	tk := start(nil)
	for i, e := range events {
		r := broker.Record{Key: []byte(e.key), Value: []byte(e.value), Timestamp: e.at, Offset: int64(i)}
		tk.Add(&broker.Batch{TopicPartition: inputs[0], Records: []broker.Record{r}, Next: int64(i + 1), HighWatermark: int64(i + 1), LastStable: int64(i + 1)}, false)
		if _, _, _, err := tk.Process(1, 0); err != nil {
			t.Fatal(err)
		}
		if i%7 != 6 {
			continue
		}
		if err := errors.Join(tk.PrepareCommit(0), coll.Flush()); err != nil {
			t.Fatal(err)
		}
		offsets := tk.Offsets()
		if err := tk.PostCommit(); err != nil {
			t.Fatal(err)
		}
		if restarts {
			if err := tk.Close(); err != nil {
				t.Fatal(err)
			}
			tk = start(offsets)
		}
	}
	if err := tk.Close(); err != nil {
		t.Fatal(err)
	}
	return sent
}

// TestARestartIsNotSeen runs each kind of windows with restarts and without: the output is the same, late records are refused the same. The
// retention is longer than the default: with that a session may merge with one that has just left the store and is still in its cache, as in
// Kafka, and the cache does not outlive a restart.
func TestARestartIsNotSeen(t *testing.T) {
	cached := streams.Materialized[string, string]{Name: "w", Value: serde.String(), Retention: time.Hour}
	aggregated := func(g grouping) *streams.KTable[serde.Windowed[string], string] {
		return streams.Reduce(g, join, cached)
	}
	suppressed := func(s streams.Suppressed) func(g grouping) *streams.KTable[serde.Windowed[string], string] {
		return func(g grouping) *streams.KTable[serde.Windowed[string], string] { return aggregated(g).Suppress(s) }
	}
	ms := time.Millisecond
	kinds := map[string]streams.Windows{"tumbling": streams.TumblingWindows(10*ms, 5*ms), "hopping": streams.HoppingWindows(10*ms, 4*ms, 5*ms),
		"sliding": streams.SlidingWindows(10*ms, 5*ms), "session": streams.SessionWindows(6*ms, 5*ms)}
	for name, w := range kinds {
		for how, top := range map[string]*streams.Topology{
			"update":   windowed(t, w, streams.OnWindowUpdate, aggregated),
			"close":    windowed(t, w, streams.OnWindowClose, aggregated),
			"suppress": windowed(t, w, streams.OnWindowUpdate, suppressed(streams.UntilWindowCloses(streams.SuppressBuffer{}))),
			"limit":    windowed(t, w, streams.OnWindowUpdate, suppressed(streams.UntilTimeLimit(20*ms, streams.SuppressBuffer{Records: 9, EmitEarly: true}))),
		} {
			t.Run(name+"/"+how, func(t *testing.T) {
				for seed := range uint64(5) {
					events := random(seed, 140)
					want, got := run(t, top, events, false), run(t, top, events, true)
					if len(want["out"]) == 0 {
						t.Fatal("there is no output")
					}
					if diff := cmp.Diff(lines(want["out"]), lines(got["out"])); diff != "" {
						t.Fatalf("seed %d (-without restarts +with):\n%s", seed, diff)
					}
				}
			})
		}
	}
}

func lines(records []broker.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%q=%q@%d", r.Key, r.Value, r.Timestamp)))
	}
	return out
}
