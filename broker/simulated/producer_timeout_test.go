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

// produceRule applies a verdict to the first n produce requests.
func (w *world) produceRule(n int, v sim.Verdict) *int {
	seen := new(int)
	w.k.Network().SetRule("produce", func(m sim.Message) sim.Verdict {
		if m.Kind == sim.Request && fmt.Sprintf("%T", m.Body) == "*simulated.produceRequest" && *seen < n {
			*seen++
			return v
		}
		return sim.Verdict{}
	})
	return seen
}

// TestRequestTimeout loses the answer to a produce request: after request.timeout.ms, long before the network finds out, it is given up
// and sent again, and is known for a duplicate.
func TestRequestTimeout(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p, err := w.c.NewProducer(ctx, broker.ProducerConfig{RequestTimeout: 2 * time.Second, DeliveryTimeout: time.Minute})
		w.must(err)
		w.put(ctx, p, tp("a", 0), 0, 1)
		w.produceRule(1, sim.Verdict{DropReply: true})
		start := w.main.Now()
		w.put(ctx, p, tp("a", 0), 1, 2)
		if d := w.main.Now().Sub(start); d < 2*time.Second || d > 3*time.Second {
			t.Fatalf("acknowledged after %s", d)
		}
		w.put(ctx, p, tp("a", 0), 2, 3)
		w.sleep(ctx, 20*time.Second)
		w.wantValues(ctx, tp("a", 0), broker.ReadUncommitted, "0", "1", "2")
	})
}

// TestRequestTimeoutOfACoordinator stalls the replicas of __transaction_state: a call that gets no answer is made again.
func TestRequestTimeoutOfACoordinator(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{ReplicaLagTimeMax: 45 * time.Second})
	w.run(func(ctx context.Context) {
		at := w.m.TransactionPartition("x")
		for id := 1; id <= 3; id++ {
			w.m.StallReplica(at, id)
		}
		calls := 0
		w.k.Network().SetRule("count", func(m sim.Message) sim.Verdict {
			if m.Kind == sim.Request && fmt.Sprintf("%T", m.Body) == "*simulated.initProducerRequest" {
				calls++
			}
			return sim.Verdict{}
		})
		start := w.main.Now()
		w.producer(ctx, "x")
		if d := w.main.Now().Sub(start); calls != 2 || d < 45*time.Second || d > 50*time.Second {
			t.Fatalf("%d calls, %s", calls, d)
		}
	})
}

// TestDeliveryTimeout lets batches time out in every place: while they wait for a leader, while they are under way, and in a
// transaction. What follows is written without a gap and without a duplicate.
func TestDeliveryTimeout(t *testing.T) {
	for _, c := range []struct {
		name  string
		acks  broker.Acks
		cut   func(w *world) (heal func())
		there bool // the batch that timed out is written all the same
	}{
		{"request lost", broker.AcksAll, func(w *world) func() { return w.drop(sim.Verdict{Drop: true}) }, false},
		{"reply lost", broker.AcksAll, func(w *world) func() { return w.drop(sim.Verdict{DropReply: true}) }, true},
		{"reply lost, acks=1", broker.AcksLeader, func(w *world) func() { return w.drop(sim.Verdict{DropReply: true}) }, true},
		{"not enough replicas", broker.AcksAll, func(w *world) func() {
			ids := followers(view(w, tp("a", 0)))
			for _, id := range ids {
				w.m.StallReplica(tp("a", 0), id)
				w.m.ShrinkISR(tp("a", 0), id)
			}
			return func() {
				for _, id := range ids {
					w.m.ResumeReplica(tp("a", 0), id)
				}
			}
		}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, 1, simulated.Config{})
			w.k.Network().SetCallTimeout(2 * time.Second)
			w.run(func(ctx context.Context) {
				w.topic(ctx, "a", 1, "min.insync.replicas", "2")
				p, err := w.c.NewProducer(ctx, broker.ProducerConfig{DeliveryTimeout: 9 * time.Second, RequestTimeout: 3 * time.Second, Acks: c.acks})
				w.must(err)
				w.put(ctx, p, tp("a", 0), 0, 1)
				heal := c.cut(w)
				start := w.main.Now()
				var got error
				w.must(p.Send(ctx, tp("a", 0), values(1, 2), func(_ int64, err error) { got = err }))
				w.must(p.Flush(ctx))
				if d := w.main.Now().Sub(start); !errors.Is(got, broker.ErrTimeout) || d < 9*time.Second || d > 10*time.Second {
					t.Fatalf("after %s: %v", d, got)
				}
				heal()
				w.sleep(ctx, time.Second)
				w.put(ctx, p, tp("a", 0), 2, 3)
				w.sleep(ctx, time.Minute)
				values, _ := w.read(ctx, tp("a", 0), broker.ReadUncommitted)
				want := []string{"0", "2"}
				if c.there {
					want = []string{"0", "1", "2"}
				}
				if c.acks != broker.AcksAll { // it is not idempotent
					values = slices.Compact(values)
				}
				if !slices.Equal(values, want) {
					t.Fatalf("there is %v, want %v", values, want)
				}
			})
		})
	}
}

// drop cuts the produce requests, or their replies, off.
func (w *world) drop(v sim.Verdict) func() {
	w.produceRule(1<<30, v)
	return func() { w.k.Network().RemoveRule("produce") }
}

// TestDeliveryTimeoutInATransaction makes it abortable: nothing of it is seen, and the producer goes on.
func TestDeliveryTimeoutInATransaction(t *testing.T) {
	for _, version := range []int{1, 2} {
		w := newWorld(t, 1, simulated.Config{TransactionVersion: version})
		w.k.Network().SetCallTimeout(2 * time.Second)
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1)
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x", DeliveryTimeout: 9 * time.Second})
			w.must(err)
			w.must(p.Begin())
			w.put(ctx, p, tp("a", 0), 0, 1)
			heal := w.drop(sim.Verdict{DropReply: true})
			w.must(p.Send(ctx, tp("a", 0), values(1, 2), nil))
			if err := p.Commit(ctx); !errors.Is(err, broker.ErrAbortable) {
				t.Fatalf("version %d: commit: %v", version, err)
			}
			heal()
			w.must(p.Abort(ctx))
			w.must(p.Begin())
			w.put(ctx, p, tp("a", 0), 2, 3)
			w.must(p.Commit(ctx))
			w.sleep(ctx, time.Second)
			w.wantValues(ctx, tp("a", 0), broker.ReadCommitted, "2")
			checkLogs(t, w)
		})
	}
}

// TestMaxPollInterval: who calls Poll in time stays, however long each Poll blocks; who does not is out within a heartbeat of it.
func TestMaxPollInterval(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		d := &diary{}
		m, err := w.c.JoinGroup(ctx, broker.MemberConfig{
			ConsumerConfig: broker.ConsumerConfig{Reset: broker.ResetEarliest}, Group: "g", Topics: []string{"a"}, Assignor: spread{}, Listener: d, RebalanceTimeout: 10 * time.Second, HeartbeatInterval: time.Second,
		})
		w.must(err)
		poll := func(wait time.Duration) {
			_, err := m.Poll(ctx, 1, wait)
			w.must(err)
		}
		members := func() int {
			g, err := w.c.Admin().DescribeGroup(ctx, "g")
			w.must(err)
			return len(g.Members)
		}
		poll(time.Second)
		poll(time.Minute)
		for range 5 {
			w.sleep(ctx, 9*time.Second)
			poll(0)
		}
		if n := members(); n != 1 {
			t.Fatalf("%d members", n)
		}
		w.sleep(ctx, 9*time.Second)
		if n := members(); n != 1 {
			t.Fatalf("%d members before max.poll.interval.ms", n)
		}
		w.sleep(ctx, 3*time.Second)
		if n := members(); n != 0 {
			t.Fatalf("%d members after max.poll.interval.ms", n)
		}
	})
}
