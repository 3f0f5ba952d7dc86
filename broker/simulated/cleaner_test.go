package simulated_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
)

func record(key, value string, ts time.Time) broker.Record {
	r := broker.Record{Key: []byte(key), Timestamp: ts.UnixMilli()}
	if value != "" {
		r.Value = []byte(value)
	}
	return r
}

func TestRetentionByTime(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "retention.ms", "3600000", "segment.ms", "600000")
		w.topic(ctx, "kept", 1)
		p := w.producer(ctx, "")
		for i := range 12 { // one each ten minutes: a segment holds two
			for _, name := range []string{"a", "kept"} {
				w.must(p.Send(ctx, tp(name, 0), []broker.Record{record("k", fmt.Sprint(i), w.main.Now())}, nil))
			}
			w.must(p.Flush(ctx))
			w.sleep(ctx, 10*time.Minute)
		}
		v := w.m.Partitions()[0]
		if v.Start < 4 || v.Start > 7 || v.End != 12 {
			t.Fatalf("after two hours the log is %d to %d", v.Start, v.End)
		}
		w.sleep(ctx, 2*time.Hour)
		if v := w.m.Partitions()[0]; v.Start != 12 || v.Bytes != 0 {
			t.Fatalf("after four hours the log is %d to %d, %d bytes", v.Start, v.End, v.Bytes)
		}
		if v := w.m.Partitions()[1]; v.Start != 0 || v.End != 12 {
			t.Fatalf("the other topic is %d to %d", v.Start, v.End)
		}
		before := w.k.Dispatches()
		w.sleep(ctx, 24*time.Hour)
		if n := w.k.Dispatches() - before; n > 3 {
			t.Fatalf("%d dispatches for an empty log", n)
		}
		w.must(p.Send(ctx, tp("a", 0), []broker.Record{record("k", "12", w.main.Now())}, nil))
		w.must(p.Flush(ctx))
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "12")
	})
}

func TestRetentionBySize(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "retention.bytes", "1000", "segment.bytes", "300")
		p := w.producer(ctx, "")
		for i := range 50 {
			w.must(p.Send(ctx, tp("a", 0), values(i, i+1), nil))
			w.must(p.Flush(ctx))
		}
		w.sleep(ctx, 10*time.Minute)
		v := w.m.Partitions()[0]
		if v.Bytes < 1000 || v.Bytes > 1400 || v.Start == 0 {
			t.Fatalf("%d to %d, %d bytes", v.Start, v.End, v.Bytes)
		}
	})
}

// TestRetentionSparesOpenTransactions keeps a transaction open beyond the retention time.
func TestRetentionSparesOpenTransactions(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "retention.ms", "1000", "segment.ms", "1")
		p, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x", TransactionTimeout: 15 * time.Minute})
		w.must(err)
		w.must(p.Begin())
		for i := range 3 {
			w.must(p.Send(ctx, tp("a", 0), values(i, i+1), nil))
			w.must(p.Flush(ctx))
			w.sleep(ctx, time.Second)
		}
		w.sleep(ctx, 8*time.Minute)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "1", "2")
		w.must(p.Commit(ctx))
		w.sleep(ctx, time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "0", "1", "2")
		w.sleep(ctx, 20*time.Minute)
		if v := w.m.Partitions()[0]; v.Start != v.End {
			t.Fatalf("%d to %d", v.Start, v.End)
		}
	})
}

func TestCompaction(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "cleanup.policy", "compact", "segment.ms", "1000", "delete.retention.ms", "60000", "min.cleanable.dirty.ratio", "0.01")
		p := w.producer(ctx, "")
		put := func(key, value string) {
			w.must(p.Send(ctx, tp("a", 0), []broker.Record{record(key, value, w.main.Now())}, nil))
			w.must(p.Flush(ctx))
			w.sleep(ctx, 2*time.Second)
		}
		put("a", "a1")
		put("b", "b1")
		put("a", "a2")
		put("b", "") // a tombstone
		put("c", "c1")
		w.sleep(ctx, 30*time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "a2", "", "c1")
		if v := w.m.Partitions()[0]; v.Start != 0 || v.End != 5 {
			t.Fatalf("%d to %d: compaction moves neither end", v.Start, v.End)
		}
		w.sleep(ctx, 2*time.Minute)
		put("d", "d1")
		put("d", "d2")
		w.sleep(ctx, 30*time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "a2", "c1", "d1", "d2") // d1 until its segment is closed and dirty
		if err := sendNilKey(ctx, p); err == nil {
			t.Fatal("a compacted topic took a record without a key")
		}
	})
}

func sendNilKey(ctx context.Context, p broker.Producer) error {
	if err := p.Send(ctx, tp("a", 0), []broker.Record{{Value: []byte("x")}}, nil); err != nil {
		return err
	}
	return p.Flush(ctx)
}

// TestCompactionRespectsTransactions has a committed value that is overwritten by a transaction which is open while the
// cleaner runs, and then aborted: the committed value must stay.
func TestCompactionRespectsTransactions(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "cleanup.policy", "compact", "segment.ms", "1000", "delete.retention.ms", "1000", "min.cleanable.dirty.ratio", "0.01")
		p := w.producer(ctx, "x")
		put := func(key, value string) {
			w.must(p.Send(ctx, tp("a", 0), []broker.Record{record(key, value, w.main.Now())}, nil))
			w.must(p.Flush(ctx))
			w.sleep(ctx, 2*time.Second)
		}
		w.must(p.Begin())
		put("a", "old")
		put("a", "committed")
		w.must(p.Commit(ctx))
		w.sleep(ctx, 2*time.Second)
		w.must(p.Begin())
		put("a", "aborted")
		put("b", "aborted")
		w.sleep(ctx, 30*time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "committed")
		w.must(p.Abort(ctx))
		w.sleep(ctx, 2*time.Second)
		for i := range 3 {
			w.must(p.Begin())
			put("c", fmt.Sprint(i))
			w.must(p.Commit(ctx))
			w.sleep(ctx, 30*time.Second)
		}
		w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "committed", "2")
		for _, r := range w.m.Records(tp("a", 0), 0, -1) {
			if r.Aborted {
				t.Fatalf("aborted data is left at %d", r.Offset)
			}
		}
		if _, pos := w.read(ctx, tp("a", 0), broker.ReadCommitted); pos != w.m.Partitions()[0].End {
			t.Fatalf("the position ends at %d", pos)
		}
	})
}

func TestDeleteRecordsAndTimes(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		start := w.main.Now()
		for i := range 5 {
			w.must(p.Send(ctx, tp("a", 0), []broker.Record{record("k", fmt.Sprint(i), start.Add(time.Duration(i)*time.Minute))}, nil))
		}
		w.must(p.Flush(ctx))
		at := func(d time.Duration) int64 {
			got, err := w.c.Admin().OffsetsForTime(ctx, start.Add(d).UnixMilli(), tp("a", 0))
			w.must(err)
			return got[tp("a", 0)]
		}
		if got := []int64{at(0), at(90 * time.Second), at(4 * time.Minute), at(5 * time.Minute)}; fmt.Sprint(got) != "[0 2 4 -1]" {
			t.Fatalf("offsets for times: %v", got)
		}
		w.must(w.c.Admin().DeleteRecords(ctx, map[broker.TopicPartition]int64{tp("a", 0): 3}))
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "3", "4")
		if got := at(0); got != 3 {
			t.Fatalf("offset for the time of a deleted record: %d", got)
		}
	})
}
