package streamstest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// perWindow counts texts by their first letter in windows of 10 ms, grace 5 ms, behind a repartition topic.
func perWindow(t *testing.T) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	byLetter := streams.GroupBy(in, func(_, v string) (string, error) {
		if v == "" {
			return "", errors.New("no letter")
		}
		return v[:1], nil
	}, streams.Grouped[string, string]{Key: serde.String(), Value: serde.String()})
	counts := streams.Count(byLetter.WindowedBy(streams.TumblingWindows(10*time.Millisecond, 5*time.Millisecond)), streams.Materialized[string, int64]{Name: "counts"})
	counts.ToStream().To("out")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

var windowKey = serde.TimeWindowed(serde.String(), 10)

func TestPipeProcessesToTheEnd(t *testing.T) {
	d := streamstest.New(t, perWindow(t), nil)
	in := streamstest.Input(d, "in", serde.String(), serde.String())
	out := streamstest.Output(d, "out", windowKey, serde.Long())
	if !out.Empty() {
		t.Error("there is output before the first record")
	}
	in.Pipe(t, "k", "apple", 3)
	in.PipeEvents(t, streamstest.Event[string, string]{NullKey: true, Value: "ant", Timestamp: 9, Headers: []broker.Header{{Key: "h", Value: []byte("1")}}})
	in.Pipe(t, "k", "bee", 25)
	in.Pipe(t, "k", "late", 4) // its window closed at 15
	window := func(k string, start int64) serde.Windowed[string] {
		return serde.Windowed[string]{Key: k, Window: serde.Window{Start: start, End: start + 10}}
	}
	type event = streamstest.Event[serde.Windowed[string], int64]
	want := []event{{Key: window("a", 0), Value: 1, Timestamp: 3},
		{Key: window("a", 0), Value: 2, Timestamp: 9, Headers: []broker.Header{{Key: "h", Value: []byte("1")}}},
		{Key: window("b", 20), Value: 1, Timestamp: 25}}
	if diff := cmp.Diff(want[0], out.Read(t)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want[1:], out.ReadAll(t)); diff != "" {
		t.Error(diff)
	}
	if !out.Empty() {
		t.Error("there is output after the last record")
	}
	if d.Dropped() != 1 {
		t.Errorf("%d dropped records, want 1", d.Dropped())
	}
	rows, err := streamstest.StoreEntries(d, "counts", serde.String(), serde.Long())
	if err != nil {
		t.Fatal(err)
	}
	type row = streamstest.StoreEntry[string, int64]
	if diff := cmp.Diff([]row{{"a", 2, serde.Window{Start: 0, End: 10}, 9}, {"b", 1, serde.Window{Start: 20, End: 30}, 25}}, rows); diff != "" {
		t.Error(diff)
	}
	topics := map[string]int{}
	for _, r := range d.Sent() {
		topics[r.Topic]++
	}
	if diff := cmp.Diff(map[string]int{"test-counts-repartition": 4, "test-counts-changelog": 3, "out": 3}, topics); diff != "" {
		t.Error(diff)
	}
}

func TestManualCommitShowsTheCache(t *testing.T) {
	d, err := streamstest.Open(perWindow(t), streamstest.Options{Manual: true, Properties: map[string]string{"application.id": "app"}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	in := streamstest.Input(d, "in", serde.String(), serde.String())
	out := streamstest.Output(d, "out", windowKey, serde.Long())
	in.Pipe(t, "k", "a", 1)
	in.Pipe(t, "k", "a", 2)
	if !out.Empty() {
		t.Error("the cache let an update through before the commit")
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := out.ReadAll(t); len(got) != 1 || got[0].Value != 2 {
		t.Errorf("%v: want the last count alone", got)
	}
	if err := d.Advance(time.Minute); err != nil {
		t.Fatal(err)
	}
	if !out.Empty() {
		t.Error("time alone changed something")
	}
}

func TestBatchGoesByTimestamp(t *testing.T) {
	b := streams.NewBuilder()
	texts := streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}
	streams.Stream(b, "x", texts).Merge(streams.Stream(b, "y", texts)).To("out", streams.Produced[string, string]{Key: serde.String(), Value: serde.String()})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, top, nil)
	record := func(topic string, ts int64) streamstest.Record {
		return streamstest.Record{Topic: topic, Record: broker.Record{Value: []byte(topic), Timestamp: ts}}
	}
	if err := d.Batch(record("x", 5), record("x", 1), record("y", 3), record("y", 7), record("y", 2)); err != nil {
		t.Fatal(err)
	}
	var got []int64
	for _, r := range d.Sent() {
		got = append(got, r.Timestamp)
	}
	if diff := cmp.Diff([]int64{3, 5, 1, 7, 2}, got); diff != "" {
		t.Error(diff)
	}
}

// TestStoresAreOpenedTyped looks into the store of a table, and changes it, between two records.
func TestStoresAreOpenedTyped(t *testing.T) {
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	streams.Count(in.GroupByKey(), streams.Materialized[string, int64]{Name: "counts"}).ToStream().To("out")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, top, nil)
	input := streamstest.Input(d, "in", serde.String(), serde.String())
	input.Pipe(t, "a", "x", 5)
	counts, err := streams.TimestampedStoreOf[string, int64](d, "counts")
	if err != nil {
		t.Fatal(err)
	}
	if n, at, ok, err := counts.Get("a"); n != 1 || at != 5 || !ok || err != nil {
		t.Errorf("%d @%d %v %v: want 1 @5", n, at, ok, err)
	}
	if err := counts.Put("a", 10, 6); err != nil {
		t.Fatal(err)
	}
	input.Pipe(t, "a", "x", 7)
	if got := streamstest.Output(d, "out", serde.String(), serde.Long()).ReadAll(t); len(got) != 2 || got[1].Value != 11 {
		t.Errorf("%v: want 1, then 11", got)
	}
	if _, err := streams.KeyValueStoreOf[string, int64](d, "none"); err == nil {
		t.Error("a store that is not there was opened")
	}
	var kind *streams.StoreKindError
	if _, err := streams.SessionStoreOf[string, int64](d, "counts"); err == nil || errors.As(err, &kind) && kind.Have.Windowed() {
		t.Errorf("a table's store was opened as one of sessions: %v", err)
	}
}

func TestErrorsComeToTheTest(t *testing.T) {
	d := streamstest.New(t, perWindow(t), nil)
	err := streamstest.Input(d, "nowhere", serde.String(), serde.String()).Try(streamstest.Event[string, string]{Value: "a"})
	var unknown *streamstest.UnknownTopicError
	if !errors.As(err, &unknown) || unknown.Topic != "nowhere" {
		t.Errorf("%v: want an UnknownTopicError", err)
	}
	if _, err := streamstest.StoreEntries(d, "none", serde.String(), serde.Long()); err == nil {
		t.Error("a store that is not there was read")
	}
	if err := streamstest.Input(d, "in", serde.String(), serde.String()).Try(streamstest.Event[string, string]{Value: ""}); err == nil {
		t.Error("a failing step did not fail Try")
	}
	if _, err := streamstest.Open(perWindow(t), streamstest.Options{Properties: map[string]string{"commit.interval.ms": "x"}}); err == nil {
		t.Error("a bad property was taken")
	}
	b := streams.NewBuilder()
	streams.Stream(b, "in", streams.Consumed[string, struct{ N int }]{}).Foreach(func(string, struct{ N int }) error { return nil })
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var missing *streams.MissingSerde
	if _, err := streamstest.Open(top, streamstest.Options{}); !errors.As(err, &missing) || missing.What != "value" {
		t.Errorf("%v: want a MissingSerde of the value", err)
	}
}

func TestWallclockExtractorReadsTheDriversClock(t *testing.T) {
	b := streams.NewBuilder()
	streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String(), Timestamp: streams.WallclockTimestamp[string, string]}).
		To("out", streams.Produced[string, string]{Key: serde.String(), Value: serde.String()})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := streamstest.Open(top, streamstest.Options{Start: time.UnixMilli(1000)})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Advance(5 * time.Millisecond); err != nil {
		t.Fatal(err)
	}
	streamstest.Input(d, "in", serde.String(), serde.String()).Pipe(t, "k", "v", 77)
	if got := d.Sent()[0].Timestamp; got != 1005 {
		t.Errorf("timestamp %d, want 1005", got)
	}
}
