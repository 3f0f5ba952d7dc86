package simulated_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

func leader(w *world, p broker.TopicPartition) int {
	for _, v := range w.m.Partitions() {
		if v.TopicPartition == p {
			return int(v.Leader)
		}
	}
	return -1
}

func TestAckedRecordsSurviveTheLeader(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		w.must(p.Send(ctx, tp("a", 0), values(0, 5), nil))
		w.must(p.Flush(ctx))
		old := leader(w, tp("a", 0))
		w.m.CrashBroker(old)
		w.must(p.Send(ctx, tp("a", 0), values(5, 8), nil)) // waits for the controller
		w.must(p.Flush(ctx))
		if now := leader(w, tp("a", 0)); now == old || now < 1 {
			t.Fatalf("the leader is %d, and was %d", now, old)
		}
		w.m.RestartBroker(old)
		w.sleep(ctx, time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "1", "2", "3", "4", "5", "6", "7")
		for _, v := range w.m.Partitions() {
			if len(v.ISR) != 3 || v.LeaderEpoch < 1 {
				t.Fatalf("in sync %v, epoch %d", v.ISR, v.LeaderEpoch)
			}
		}
	})
}

func TestUnreplicatedSuffixIsCut(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{ReplicationLatency: time.Second})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		w.must(p.Send(ctx, tp("a", 0), values(0, 2), nil))
		w.must(p.Flush(ctx))
		w.must(p.Send(ctx, tp("a", 0), values(2, 4), func(base int64, err error) {
			if base != 2 || err != nil {
				t.Errorf("ack %d, %v", base, err)
			}
		}))
		w.sleep(ctx, 100*time.Millisecond)
		if v := w.m.Partitions()[0]; v.End != 4 || v.HighWatermark != 2 {
			t.Fatalf("end %d, high watermark %d", v.End, v.HighWatermark)
		}
		w.m.CrashBroker(leader(w, tp("a", 0)))
		w.sleep(ctx, 9100*time.Millisecond)
		if v := w.m.Partitions()[0]; v.End > 4 || v.Leader < 1 {
			t.Fatalf("end %d, leader %d", v.End, v.Leader)
		}
		w.must(p.Flush(ctx)) // it is sent again
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "1", "2", "3")
		if r := w.m.Records(tp("a", 0), 2, 1); len(r) != 1 || r[0].LeaderEpoch == 0 {
			t.Fatalf("the second batch is %+v: not written anew", r)
		}
	})
}

func TestMinInSyncReplicas(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{MinInSyncReplicas: 3})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p, err := w.c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: 30 * time.Second})
		w.must(err)
		w.m.CrashBroker(leader(w, tp("a", 0)))
		w.sleep(ctx, 10*time.Second)
		w.must(p.Send(ctx, tp("a", 0), values(0, 1), nil))
		if err := p.Flush(ctx); !errors.Is(err, broker.ErrTimeout) {
			t.Fatalf("flush: %v", err)
		}
		if v := w.m.Partitions()[0]; v.End != 0 {
			t.Fatalf("end %d", v.End)
		}
	})
}

// TestDeliveryTimeoutStartsAnew lets a batch time out with its outcome unknown; what follows must still be written.
func TestDeliveryTimeoutStartsAnew(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p, err := w.c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: 5 * time.Second})
		w.must(err)
		w.must(p.Send(ctx, tp("a", 0), values(0, 1), nil))
		w.must(p.Flush(ctx))
		w.k.Network().SetCallTimeout(2 * time.Second)
		w.k.Network().SetRule("cut", func(m sim.Message) sim.Verdict { return sim.Verdict{Drop: m.From == "main"} })
		w.must(p.Send(ctx, tp("a", 0), values(1, 2), nil))
		if err := p.Flush(ctx); !errors.Is(err, broker.ErrTimeout) {
			t.Fatalf("flush: %v", err)
		}
		w.k.Network().RemoveRule("cut")
		w.must(p.Send(ctx, tp("a", 0), values(2, 3), nil))
		w.must(p.Flush(ctx))
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "2")
	})
}

func TestCoordinatorFailoverKeepsOffsets(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		p := w.producer(ctx, "x")
		g := broker.GroupMetadata{Group: "g", Generation: -1}
		const n = 3000 // more than fit between two snapshots
		for i := range n {
			w.must(p.Begin())
			w.must(p.SendOffsets(ctx, g, map[broker.TopicPartition]broker.OffsetAndMetadata{
				tp("a", int32(i%2)): {Offset: int64(i), LeaderEpoch: -1, Metadata: fmt.Sprint(i)},
			}))
			if i == n-1 {
				break // left open
			}
			w.must(p.Commit(ctx))
		}
		w.sleep(ctx, time.Second)
		before := fmt.Sprint(w.m.Groups(), w.m.Transactions())
		for _, part := range []broker.TopicPartition{w.m.GroupPartition("g"), w.m.TransactionPartition("x")} {
			for to := 1; to <= 3; to++ {
				w.must(w.m.MoveLeader(part, to))
			}
		}
		if after := fmt.Sprint(w.m.Groups(), w.m.Transactions()); after != before {
			t.Fatalf("before: %s\nafter:  %s", before, after)
		}
		w.must(p.Commit(ctx))
		w.sleep(ctx, time.Second)
		got, err := w.c.Admin().CommittedOffsets(ctx, "g")
		w.must(err)
		if got[tp("a", 0)].Offset != n-2 || got[tp("a", 1)].Metadata != fmt.Sprint(n-1) {
			t.Fatalf("%v", got)
		}
	})
}

// TestLateMarkerDoesNotEndTheNextTransaction delays a marker for __consumer_offsets until the coordinator has moved, sent it again,
// and the next transaction has pending offsets.
func TestLateMarkerDoesNotEndTheNextTransaction(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		at := w.m.TransactionCoordinator("x")
		to := at%3 + 1
		if group := w.m.GroupCoordinator("g"); group == at || group == to { // both must go over the network
			w.must(w.m.MoveLeader(w.m.GroupPartition("g"), 6-at-to))
		}
		p := w.producer(ctx, "x")
		g := broker.GroupMetadata{Group: "g", Generation: -1}
		commit := func(offset int64) {
			w.must(p.Begin())
			w.must(p.SendOffsets(ctx, g, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a", 0): {Offset: offset, LeaderEpoch: -1}}))
		}
		commit(1)
		delayed := 0
		w.k.Network().SetRule("late", func(m sim.Message) sim.Verdict {
			if delayed == 0 && fmt.Sprintf("%T", m.Body) == "*simulated.markerMessage" {
				delayed++
				return sim.Verdict{Delay: 2 * time.Second}
			}
			return sim.Verdict{}
		})
		w.must(p.Commit(ctx))
		w.must(w.m.MoveLeader(w.m.TransactionPartition("x"), to))
		w.sleep(ctx, time.Second)
		commit(2)
		w.sleep(ctx, 3*time.Second)
		if o := w.m.Groups()[0].Offsets[0]; delayed != 1 || o.Offset != 1 || o.Pending != 1 {
			t.Fatalf("delayed %d, offset %+v", delayed, o)
		}
		w.must(p.Abort(ctx))
		w.sleep(ctx, time.Second)
		if o := w.m.Groups()[0].Offsets[0]; o.Offset != 1 || o.Pending != 0 {
			t.Fatalf("offset %+v", o)
		}
	})
}

func TestIdleConsumerCostsNothing(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 3)
		p := w.producer(ctx, "")
		c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{})
		w.must(err)
		w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", 0): 0, tp("a", 1): 0, tp("a", 2): 0}))
		if out, err := c.Poll(ctx, 10, time.Second); len(out) > 0 || err != nil {
			t.Fatal(out, err)
		}
		before := w.k.Dispatches()
		start := w.main.Now()
		if out, err := c.Poll(ctx, 10, 24*time.Hour); len(out) > 0 || err != nil || w.main.Now().Sub(start) != 24*time.Hour {
			t.Fatal(out, err)
		}
		if n := w.k.Dispatches() - before; n > 3 {
			t.Fatalf("%d dispatches in an idle day", n)
		}
		w.must(p.Send(ctx, tp("a", 2), values(0, 1), nil))
		w.must(p.Flush(ctx))
		if out, err := c.Poll(ctx, 10, time.Second); len(out) != 1 || err != nil {
			t.Fatal(out, err)
		}
		c.Close()
	})
}

func TestIdleConsumerForEverIsADeadlock(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.main.Go("test", func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{})
		w.must(err)
		w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", 0): 0}))
		_, _ = c.Poll(ctx, 10, -1)
	})
	var deadlock *sim.Deadlock
	if err := w.k.Run(func() bool { return false }); !errors.As(err, &deadlock) {
		t.Fatalf("run: %v", err)
	}
}

func TestPausedPartitionIsNotFetched(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{})
		w.must(err)
		w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", 0): 0}))
		c.Pause(tp("a", 0))
		for i := range 5 {
			w.must(p.Send(ctx, tp("a", 0), values(i, i+1), nil))
			w.must(p.Flush(ctx))
		}
		fetches := 0
		w.k.Network().SetRule("count", func(m sim.Message) sim.Verdict {
			if fmt.Sprintf("%T", m.Body) == "*simulated.fetchRequest" {
				fetches++
			}
			return sim.Verdict{}
		})
		if out, err := c.Poll(ctx, 10, time.Minute); len(out) > 0 || err != nil || fetches > 0 {
			t.Fatal(out, err, fetches)
		}
		c.Resume(tp("a", 0))
		n := 0
		for n < 5 {
			out, err := c.Poll(ctx, 10, time.Minute)
			w.must(err)
			for _, b := range out {
				n += len(b.Records)
			}
		}
	})
}

func TestPollTooLateLeavesTheGroup(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		cfg := broker.MemberConfig{Assignor: spread{cooperative: true}, RebalanceTimeout: 20 * time.Second}
		other := w.worker("other", cfg)
		d := &diary{}
		slow := cfg
		slow.Group, slow.Topics, slow.Listener, slow.ClientID, slow.Reset = "g", []string{"a"}, d, "slow", broker.ResetEarliest
		m, err := w.c.JoinGroup(ctx, slow)
		w.must(err)
		for range 20 {
			_, err := m.Poll(ctx, 10, time.Second)
			w.must(err)
		}
		if len(d.owned) != 1 || len(other.d.owned) != 1 {
			t.Fatalf("%v, %v", d.owned, other.d.owned)
		}
		w.sleep(ctx, 40*time.Second) // busy for too long
		if len(other.d.owned) != 2 {
			t.Fatalf("the other has %v", other.d.owned)
		}
		if err := m.Commit(ctx, map[broker.TopicPartition]broker.OffsetAndMetadata{d.owned[0]: {}}); !errors.Is(err, broker.ErrUnknownMember) {
			t.Fatalf("commit: %v", err)
		}
		_, err = m.Poll(ctx, 10, time.Second)
		w.must(err)
		if !slices.ContainsFunc(d.lines, func(s string) bool { return s[:4] == "lost" }) {
			t.Fatalf("%v", d.lines)
		}
	})
}

func TestExpireSession(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		one := w.worker("one", broker.MemberConfig{Assignor: spread{cooperative: true}})
		w.sleep(ctx, 10*time.Second)
		id := one.m.Metadata().MemberID
		if !w.m.ExpireSession("g", id) || w.m.ExpireSession("g", id) {
			t.Fatal("expired not, or twice")
		}
		w.sleep(ctx, 20*time.Second)
		if len(one.d.owned) != 2 || one.m.Metadata().MemberID == id {
			t.Fatalf("%v as %s", one.d.owned, one.m.Metadata().MemberID)
		}
	})
}

func TestOffsetsOfAnEmptyGroupExpire(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{OffsetsRetention: time.Hour})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "")
		one := w.worker("one", broker.MemberConfig{Assignor: spread{}})
		w.must(p.Send(ctx, tp("a", 0), values(0, 3), nil))
		w.must(p.Flush(ctx))
		w.sleep(ctx, 3*time.Hour) // a live group keeps its offsets
		if got, err := w.c.Admin().CommittedOffsets(ctx, "g"); err != nil || got[tp("a", 0)].Offset != 3 {
			t.Fatal(got, err)
		}
		one.p.Kill()
		w.sleep(ctx, 50*time.Minute)
		if got, err := w.c.Admin().CommittedOffsets(ctx, "g"); err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		w.sleep(ctx, 20*time.Minute)
		if got, err := w.c.Admin().CommittedOffsets(ctx, "g"); err != nil || len(got) != 0 {
			t.Fatal(got, err)
		}
		if d, err := w.c.Admin().DescribeGroup(ctx, "g"); err != nil || d.State != "Dead" {
			t.Fatal(d, err)
		}
	})
}

func TestFenceProducer(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		if w.m.FenceProducer("x") {
			t.Fatal("an unknown producer was fenced")
		}
		for _, open := range []bool{false, true} {
			p := w.producer(ctx, "x")
			w.must(p.Begin())
			if open {
				w.must(p.Send(ctx, tp("a", 0), values(0, 1), nil))
				w.must(p.Flush(ctx))
			}
			if !w.m.FenceProducer("x") {
				t.Fatal("not fenced")
			}
			w.sleep(ctx, time.Second)
			w.must(p.Send(ctx, tp("a", 0), values(1, 2), nil))
			if err := p.Commit(ctx); !errors.Is(err, broker.ErrFenced) {
				t.Fatalf("open %v: commit: %v", open, err)
			}
		}
		w.wantValues(ctx, tp("a", 0), broker.ReadCommitted)
		refused := 0
		for _, e := range w.trace.Events() {
			if e.Kind == "txn.refused" {
				refused++
			}
		}
		if refused != 2 {
			t.Fatalf("%d refusals in the trace", refused)
		}
	})
}

func TestForceRebalance(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		one := w.worker("one", broker.MemberConfig{Assignor: spread{cooperative: true}})
		w.sleep(ctx, 5*time.Second)
		before := one.m.Metadata()
		if w.m.ForceRebalance("nobody") || !w.m.ForceRebalance("g") {
			t.Fatal("forced what is not there, or not what is")
		}
		w.sleep(ctx, 5*time.Second)
		if after := one.m.Metadata(); after.Generation != before.Generation+1 || after.MemberID != before.MemberID {
			t.Fatalf("%+v, was %+v", after, before)
		}
	})
}

// TestTransactionsAreWholeOrNothing has writers that are killed at any moment. Each transaction writes one record to every partition;
// in the end read_committed sees all of them or none, and those whose Commit returned are there.
func TestTransactionsAreWholeOrNothing(t *testing.T) {
	for seed := range *seeds {
		w := newWorld(t, seed, simulated.Config{})
		rng := w.k.Rand("whole")
		const parts = 3
		confirmed := map[string]bool{}
		next := 0
		var write func(name string)
		write = func(name string) {
			p := w.k.NewProcess(name, nil)
			c := w.m.Client(p)
			p.Go("write", func(ctx context.Context) {
				prod, err := c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: name, TransactionTimeout: 10 * time.Second})
				for err == nil {
					next++
					id := fmt.Sprint(next)
					err = prod.Begin()
					for i := int32(0); i < parts && err == nil; i++ {
						err = prod.Send(ctx, tp("a", i), []broker.Record{{Value: []byte(id), Timestamp: broker.NoTimestamp}}, nil)
					}
					if err == nil {
						err = prod.Commit(ctx)
					}
					confirmed[id] = err == nil
				}
				if ctx.Err() == nil {
					t.Errorf("seed %d: %s: %v", seed, name, err)
				}
			})
			w.k.After(time.Duration(rng.IntN(40_000))*time.Microsecond, func() {
				p.Kill()
				if next < 400 {
					w.k.After(time.Duration(rng.IntN(100))*time.Millisecond, func() { write(name) })
				}
			})
		}
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", parts)
			write("one")
			write("two")
			w.sleep(ctx, 10*time.Minute)
			var seen [parts]map[string]bool
			for i := range parts {
				seen[i] = map[string]bool{}
				got, _ := w.read(ctx, tp("a", int32(i)), broker.ReadCommitted)
				for _, id := range got {
					if seen[i][id] {
						t.Errorf("seed %d: %s is twice in partition %d", seed, id, i)
					}
					seen[i][id] = true
				}
			}
			if next < 100 || len(seen[0]) < 50 || len(seen[0]) == next {
				t.Errorf("seed %d: %d of %d transactions seen: nothing is tried here", seed, len(seen[0]), next)
			}
			for n := 1; n <= next; n++ {
				id := fmt.Sprint(n)
				if a := seen[0][id]; a != seen[1][id] || a != seen[2][id] || confirmed[id] && !a {
					t.Errorf("seed %d: transaction %s: confirmed %v, seen %v %v %v", seed, id, confirmed[id], a, seen[1][id], seen[2][id])
				}
			}
		})
		checkLogs(t, w)
		w.k.Close()
		if t.Failed() {
			return
		}
	}
}

func TestAllBrokersCrash(t *testing.T) {
	w := newWorld(t, 5, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 2)
		one := w.worker("one", broker.MemberConfig{Assignor: spread{cooperative: true}})
		p := w.producer(ctx, "")
		for i := range 2 {
			w.must(p.Send(ctx, tp("a", int32(i)), values(i, i+1), nil))
		}
		w.must(p.Flush(ctx))
		w.sleep(ctx, 10*time.Second)
		for id := 1; id <= 3; id++ {
			w.m.CrashBroker(id)
			w.sleep(ctx, 4*time.Second)
		}
		w.sleep(ctx, time.Minute)
		for i := range 2 {
			w.must(p.Send(ctx, tp("a", int32(i)), values(2+i, 3+i), nil))
		}
		for _, id := range []int{2, 1, 3} {
			w.m.RestartBroker(id)
			w.sleep(ctx, 30*time.Second)
		}
		w.must(p.Flush(ctx))
		w.sleep(ctx, time.Minute)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "2")
		w.wantValues(ctx, tp("a", 1), broker.ReadUncommitted, "1", "3")
		if len(one.got) != 4 || one.err != nil {
			t.Fatalf("the member got %v, %v", one.got, one.err)
		}
		for _, v := range w.m.Partitions() {
			if len(v.ISR) != 3 || v.HighWatermark != 2 {
				t.Fatalf("%+v", v)
			}
		}
	})
}
