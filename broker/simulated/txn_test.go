package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

// life is what a transactional id can go through: a commit with data and offsets, an abort, an offsets-only commit, a time-out, and a
// new incarnation. Producers are started anew where they are fenced.
func life(ctx context.Context, w *world) {
	a, b := tp("a", 0), tp("a", 1)
	g := broker.GroupMetadata{Group: "g", Generation: -1}
	p, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x", TransactionTimeout: 30 * time.Second})
	w.must(err)
	try := func(name string, f func() error) {
		err := f()
		for errors.Is(err, broker.ErrAbortable) || errors.Is(err, broker.ErrRetriable) {
			w.must(p.Abort(ctx))
			err = f()
		}
		if err != nil {
			w.t.Fatalf("%s: %v", name, err)
		}
	}
	txn := func(offset int64, commit bool, parts ...broker.TopicPartition) func() error {
		return func() error {
			if err := p.Begin(); err != nil {
				return err
			}
			for _, part := range parts {
				if err := p.Send(ctx, part, values(int(offset), int(offset)+1), nil); err != nil {
					return err
				}
			}
			if err := p.SendOffsets(ctx, g, map[broker.TopicPartition]broker.OffsetAndMetadata{a: {Offset: offset, LeaderEpoch: -1}}); err != nil {
				return err
			}
			if commit {
				return p.Commit(ctx)
			}
			if err := p.Flush(ctx); err != nil {
				return err
			}
			return p.Abort(ctx)
		}
	}
	try("commit", txn(1, true, a, b))
	try("abort", txn(2, false, a, b))
	try("offsets", txn(3, true))
	try("commit", txn(4, true, b))
	w.must(p.Begin())
	w.must(p.Send(ctx, a, values(5, 6), nil))
	w.must(p.Flush(ctx))
	w.sleep(ctx, 70*time.Second) // it times out
	if err := p.Commit(ctx); !errors.Is(err, broker.ErrFenced) {
		w.t.Fatalf("commit after the time-out: %v", err)
	}
	p = w.producer(ctx, "x")
	try("commit", txn(6, true, a))
	w.sleep(ctx, 90*time.Second)
}

func checkLife(ctx context.Context, t *testing.T, w *world, name string) {
	a, _ := w.read(ctx, tp("a", 0), broker.ReadCommitted)
	b, _ := w.read(ctx, tp("a", 1), broker.ReadCommitted)
	if fmt.Sprint(a, b) != "[1 6] [1 4]" {
		t.Errorf("%s: read %v, %v", name, a, b)
	}
	got, err := w.c.Admin().CommittedOffsets(ctx, "g")
	if o := got[tp("a", 0)]; err != nil || o.Offset != 6 {
		t.Errorf("%s: offset %d, %v", name, o.Offset, err)
	}
	for _, x := range w.m.Transactions() {
		if x.State != "CompleteCommit" {
			t.Errorf("%s: %+v", name, x)
		}
	}
	checkLogs(t, w)
}

// TestCoordinatorCrashesAfterEachRecord crashes the transaction coordinator, or the group's, after each record that it appends:
// before the record is replicated, and just after. Whatever the state, the outcome is that of the undisturbed run.
func TestCoordinatorCrashesAfterEachRecord(t *testing.T) {
	states := map[string]bool{}
	for _, version := range []int{1, 2} {
		for _, topic := range []string{"__transaction_state", "__consumer_offsets"} {
			for _, after := range []time.Duration{0, 1100 * time.Microsecond} {
				for n := 0; ; n++ {
					w := newWorld(t, 1, simulated.Config{TransactionVersion: version})
					count, what := w.m.CrashAfterRecord(topic, n, after)
					w.run(func(ctx context.Context) {
						w.topic(ctx, "a", 2)
						life(ctx, w)
						checkLife(ctx, t, w, fmt.Sprintf("version %d, %s, record %d (%s), crash after %s", version, topic, n, *what, after))
					})
					states[*what] = true
					w.k.Close()
					if t.Failed() {
						return
					}
					if n >= *count {
						break
					}
				}
			}
		}
	}
	for _, s := range []string{"Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort"} {
		if !states[s] {
			t.Errorf("no crash in the state %s", s)
		}
	}
}

// TestEpochs shows what the two versions differ in: the epoch at each end of a transaction.
func TestEpochs(t *testing.T) {
	for version, want := range map[int]int16{1: 0, 2: 3} {
		w := newWorld(t, 1, simulated.Config{TransactionVersion: version})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1)
			p := w.producer(ctx, "x")
			for i := range 3 {
				w.must(p.Begin())
				w.must(p.Send(ctx, tp("a", 0), values(i, i+1), nil))
				w.must(p.Commit(ctx))
			}
			w.sleep(ctx, time.Second)
			if x := w.m.Transactions()[0]; x.Epoch != want {
				t.Errorf("version %d: epoch %d, want %d", version, x.Epoch, want)
			}
			w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "0", "1", "2")
			q := w.producer(ctx, "x")
			w.must(q.Begin())
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 0), values(9, 10), nil))
			if err := p.Commit(ctx); !errors.Is(err, broker.ErrFenced) {
				t.Errorf("version %d: an old incarnation commits: %v", version, err)
			}
		})
	}
}

// TestHangingTransaction delays a write until its transaction has ended. Version 1 without verification takes it: nothing ends it, and
// the last stable offset stands still, until an operator aborts it. With verification, or under version 2, it is refused.
func TestHangingTransaction(t *testing.T) {
	for _, c := range []struct {
		name  string
		cfg   simulated.Config
		hangs bool
	}{
		{"v1 unverified", simulated.Config{TransactionVersion: 1, NoTransactionVerification: true}, true},
		{"v1", simulated.Config{TransactionVersion: 1}, false},
		{"v2", simulated.Config{}, false},
	} {
		w := newWorld(t, 1, c.cfg)
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 2)
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x", DeliveryTimeout: 5 * time.Second})
			w.must(err)
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 1), values(0, 1), nil))
			w.must(p.Flush(ctx))
			late := 0
			w.k.Network().SetRule("late", func(m sim.Message) sim.Verdict {
				if m.Kind == sim.Request && fmt.Sprintf("%T", m.Body) == "*simulated.produceRequest" {
					late++
					return sim.Verdict{Delay: 30 * time.Second}
				}
				return sim.Verdict{}
			})
			w.must(p.Send(ctx, tp("a", 0), values(1, 2), nil))
			if err := p.Flush(ctx); !errors.Is(err, broker.ErrTimeout) {
				t.Fatalf("%s: flush: %v", c.name, err)
			}
			w.k.Network().RemoveRule("late")
			w.must(p.Abort(ctx))
			w.sleep(ctx, time.Minute) // now it arrives
			ops := w.c.Admin().(broker.Operations)
			hanging, err := ops.HangingTransactions(ctx, tp("a", 0), tp("a", 1))
			w.must(err)
			if late == 0 || (len(hanging) == 1) != c.hangs {
				t.Fatalf("%s: %d late writes, hanging: %+v", c.name, late, hanging)
			}
			if !c.hangs {
				checkLogs(t, w)
				return
			}
			w.sleep(ctx, 24*time.Hour)
			if v := view(w, tp("a", 0)); v.LastStable != hanging[0].FirstOffset || v.LastStable == v.End {
				t.Fatalf("last stable %d of %d", v.LastStable, v.End)
			}
			w.must(ops.AbortTransaction(ctx, hanging[0]))
			if err := ops.AbortTransaction(ctx, hanging[0]); !errors.Is(err, broker.ErrFatal) {
				t.Fatalf("aborted twice: %v", err)
			}
			w.sleep(ctx, time.Second)
			checkLogs(t, w)
			w.wantValues(ctx, tp("a", 0), broker.ReadCommitted)
		})
	}
}

func TestTransactionalIDExpires(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{TransactionalIDExpiration: time.Hour})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "x")
		commit := func() error {
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 0), values(0, 1), nil))
			return p.Commit(ctx)
		}
		for range 3 { // each use keeps it alive
			w.must(commit())
			w.sleep(ctx, 50*time.Minute)
		}
		ops := w.c.Admin().(broker.Operations)
		if got, err := ops.DescribeTransactions(ctx); err != nil || len(got) != 1 || got[0].State != "CompleteCommit" {
			t.Fatal(got, err)
		}
		w.sleep(ctx, 2*time.Hour)
		if got, err := ops.DescribeTransactions(ctx); err != nil || len(got) != 0 {
			t.Fatal(got, err)
		}
		var e *broker.Error
		if err := commit(); !errors.As(err, &e) || e.Name != "INVALID_PRODUCER_ID_MAPPING" {
			t.Fatalf("commit: %v", err)
		}
		p = w.producer(ctx, "x")
		w.must(commit())
	})
}

// TestProducerIDExpires sends a duplicate after the partition has forgotten the producer: it is written again.
func TestProducerIDExpires(t *testing.T) {
	for _, wait := range []time.Duration{time.Minute, 2 * time.Hour} {
		w := newWorld(t, 1, simulated.Config{ProducerIDExpiration: time.Hour})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1)
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: 24 * time.Hour, RequestTimeout: 24 * time.Hour})
			w.must(err)
			w.k.Network().SetCallTimeout(wait)
			lost := 0
			w.k.Network().SetRule("lost", func(m sim.Message) sim.Verdict {
				if lost == 0 && m.Kind == sim.Request && fmt.Sprintf("%T", m.Body) == "*simulated.produceRequest" {
					lost++
					return sim.Verdict{DropReply: true}
				}
				return sim.Verdict{}
			})
			w.put(ctx, p, tp("a", 0), 0, 1)
			want := int64(1)
			if wait > time.Hour {
				want = 2
			}
			if v := view(w, tp("a", 0)); v.End != want || lost != 1 {
				t.Errorf("after %s: end %d, want %d", wait, v.End, want)
			}
		})
	}
}

// TestOneBroker: with one replica everything is replicated at once, inside the call that writes it.
func TestOneBroker(t *testing.T) {
	for _, version := range []int{1, 2} {
		w := newWorld(t, 1, simulated.Config{Brokers: 1, TransactionVersion: version, StreamsStandbyReplicas: 1})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 2)
			life(ctx, w)
			checkLife(ctx, t, w, fmt.Sprintf("version %d", version))
			as := &apps{w: w, owner: map[broker.StreamsTask]string{}}
			one, two := as.start("one", nil), as.start("two", nil)
			w.sleep(ctx, 30*time.Second)
			if len(one.tasks.Active) != 2 || len(two.tasks.Active) != 2 {
				t.Fatalf("%+v, %+v", one.tasks, two.tasks)
			}
		})
	}
}
