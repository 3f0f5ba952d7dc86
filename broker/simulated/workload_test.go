package simulated_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// copier is an application that copies topic "a" to "b" exactly once: it reads in a group, and writes output and positions in one
// transaction. It gives up and starts again when it is fenced, and is killed, paused and restarted by the workload.
type copier struct {
	w       *world
	name    string
	p       *sim.Process
	d       diary
	commits int
	fenced  int
}

func (c *copier) start() {
	c.p = c.w.k.NewProcess(c.name, nil)
	c.d = diary{}
	cluster := c.w.m.Client(c.p)
	c.p.Go("copy", func(ctx context.Context) {
		for ctx.Err() == nil {
			if err := c.live(ctx, cluster); err != nil && ctx.Err() == nil {
				_ = c.p.Sleep(ctx, time.Second)
			}
		}
	})
}

// live runs one producer and one member until an error.
func (c *copier) live(ctx context.Context, cluster broker.Cluster) error {
	prod, err := cluster.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "copy-" + c.name, TransactionTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer prod.Close()
	c.d = diary{}
	m, err := cluster.JoinGroup(ctx, broker.MemberConfig{
		ConsumerConfig: broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest, ClientID: c.name},
		Group:          "copy", Topics: []string{"a"}, Assignor: spread{cooperative: true}, Listener: &c.d,
	})
	if err != nil {
		return err
	}
	defer m.Close()
	for {
		batches, err := m.Poll(ctx, 7, -1)
		if err != nil {
			return err
		}
		if len(batches) == 0 {
			continue
		}
		if err := c.copy(ctx, prod, m, batches); err != nil {
			if errors.Is(err, broker.ErrFenced) {
				c.fenced++
			}
			return err
		}
		c.commits++
	}
}

func (c *copier) copy(ctx context.Context, prod broker.Producer, m broker.Member, batches []broker.Batch) error {
	if err := prod.Begin(); err != nil {
		return err
	}
	offsets := map[broker.TopicPartition]broker.OffsetAndMetadata{}
	for _, b := range batches {
		for _, r := range b.Records {
			if err := prod.Send(ctx, tp("b", b.Partition), []broker.Record{{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}}, nil); err != nil {
				return err
			}
		}
		offsets[b.TopicPartition] = broker.OffsetAndMetadata{Offset: b.Next, LeaderEpoch: -1}
	}
	if err := prod.SendOffsets(ctx, m.Metadata(), offsets); err != nil {
		return err
	}
	return prod.Commit(ctx)
}

// feed writes n records to each partition of "a", in transactions of a few, some of which are aborted.
func feed(ctx context.Context, w *world, rng *rand.Rand, parts, n int) {
	prod := w.producer(ctx, "feed")
	for i := 0; i < n; {
		some := min(1+rng.IntN(5), n-i)
		abort := rng.IntN(4) == 0
		w.must(prod.Begin())
		for part := range parts {
			text := "good"
			if abort {
				text = "bad"
			}
			var rs []broker.Record
			for j := range some {
				rs = append(rs, broker.Record{Key: fmt.Append(nil, part), Value: fmt.Appendf(nil, "%s-%d-%d", text, part, i+j), Timestamp: broker.NoTimestamp})
			}
			w.must(prod.Send(ctx, tp("a", int32(part)), rs, nil))
		}
		if abort {
			w.must(prod.Flush(ctx))
			w.must(prod.Abort(ctx))
		} else {
			w.must(prod.Commit(ctx))
			i += some
		}
		w.sleep(ctx, time.Duration(rng.IntN(10000))*time.Millisecond)
	}
	prod.Close()
}

// kill kills the copier, and starts it again later.
func (c *copier) kill(after time.Duration) {
	if c.p.Alive() {
		c.p.Kill()
		c.w.k.After(after, c.start)
	}
}

func (c *copier) pause(d time.Duration) {
	if p := c.p; p.Alive() && !p.Paused() {
		p.Pause()
		c.w.k.After(d, p.Resume)
	}
}

// ambush strikes in the middle of a copier's next transaction.
func ambush(w *world, rng *rand.Rand, c *copier) {
	kind := []string{"txn.begin", "offset.commit", "txn.marker", "produce"}[rng.IntN(4)]
	pause, length, delay := rng.IntN(2) == 0, time.Duration(1+rng.IntN(90))*time.Second, time.Duration(rng.IntN(3000))*time.Microsecond
	w.trace.Each = func(e trace.Event) {
		if e.Kind != kind {
			return
		}
		w.trace.Each = nil
		w.k.After(delay, func() {
			if pause {
				c.pause(length)
			} else {
				c.kill(length)
			}
		})
	}
}

// havoc does something bad now and then.
func havoc(ctx context.Context, w *world, rng *rand.Rand, copiers []*copier, until time.Time) {
	for w.main.Now().Before(until) {
		w.sleep(ctx, time.Duration(2+rng.IntN(15))*time.Second)
		c := copiers[rng.IntN(len(copiers))]
		switch rng.IntN(8) {
		case 0:
			c.kill(time.Duration(1+rng.IntN(60)) * time.Second)
		case 2:
			c.pause(time.Duration(1+rng.IntN(90)) * time.Second)
		case 1, 6, 7:
			ambush(w, rng, c)
		case 3:
			id := 1 + rng.IntN(3)
			for i := 1; i <= 3; i++ {
				if !w.m.BrokerUp(i) {
					id = 0 // one at a time
				}
			}
			if id > 0 {
				w.m.CrashBroker(id)
				w.k.After(time.Duration(1+rng.IntN(30))*time.Second, func() { w.m.RestartBroker(id) })
			}
		case 4:
			_ = w.m.MoveLeader(w.m.GroupPartition("copy"), 1+rng.IntN(3))
			_ = w.m.MoveLeader(w.m.TransactionPartition("copy-"+c.name), 1+rng.IntN(3))
		case 5:
			_ = w.m.MoveLeader(tp([]string{"a", "b"}[rng.IntN(2)], int32(rng.IntN(4))), 1+rng.IntN(3))
		}
	}
}

// badNetwork loses, delays and repeats a message now and then.
func badNetwork(w *world) {
	rng := w.k.Rand("network")
	w.k.Network().SetCallTimeout(3 * time.Second)
	w.k.Network().SetRule("bad", func(m sim.Message) sim.Verdict {
		v := sim.Verdict{Duplicate: m.Kind == sim.OneWay && rng.IntN(10) == 0}
		switch n := rng.IntN(1000); {
		case n < 3:
			v.Drop = true
		case n < 10:
			v.DropReply = m.Kind == sim.Request
		case n < 40:
			v.Delay = time.Duration(rng.IntN(400)) * time.Millisecond
		}
		return v
	})
}

const workloadRecords = 200

var seeds = flag.Uint64("seeds", 60, "how many seeds the workload runs with")

// workload runs it all, and returns the world for the checks.
func workload(t *testing.T, seed uint64, version int) (*world, []*copier) {
	w := newWorld(t, seed, simulated.Config{TransactionVersion: version})
	rng := w.k.Rand("workload")
	copiers := []*copier{{w: w, name: "one"}, {w: w, name: "two"}, {w: w, name: "three"}}
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 4)
		w.topic(ctx, "b", 4)
		if version > 1 { // a late marker ends the wrong transaction under version 1: KIP-890's reason
			badNetwork(w)
		}
		for _, c := range copiers {
			c.start()
		}
		chaos := w.k.Rand("chaos")
		ended := false
		w.main.Go("havoc", func(ctx context.Context) {
			havoc(ctx, w, chaos, copiers, w.main.Now().Add(10*time.Minute))
			ended = true
		})
		feed(ctx, w, rng, 4, workloadRecords)
		for !ended {
			w.sleep(ctx, time.Second)
		}
		w.sleep(ctx, 5*time.Minute) // everyone is back, and what was open has timed out
		for part := range int32(4) {
			got, _ := w.read(ctx, tp("b", part), broker.ReadCommitted)
			if len(got) != workloadRecords {
				t.Errorf("seed %d: partition %d has %d records, want %d: %v", seed, part, len(got), workloadRecords, got)
				continue
			}
			for i, v := range got {
				if want := fmt.Sprintf("good-%d-%d", part, i); v != want {
					t.Errorf("seed %d: partition %d has %s at %d, want %s", seed, part, v, i, want)
					break
				}
			}
		}
	})
	return w, copiers
}

func TestCopyIsExactlyOnceUnderFaults(t *testing.T) {
	t.Run("version 1", func(t *testing.T) { exactlyOnce(t, 1, *seeds/2) })
	t.Run("version 2", func(t *testing.T) { exactlyOnce(t, 2, *seeds) })
}

func exactlyOnce(t *testing.T, version int, seeds uint64) {
	commits, fenced := 0, 0
	for seed := range seeds {
		w, copiers := workload(t, seed, version)
		for _, c := range copiers {
			commits, fenced = commits+c.commits, fenced+c.fenced
		}
		checkLogs(t, w)
		w.k.Close()
		if t.Failed() {
			return
		}
	}
	if commits == 0 || fenced == 0 {
		t.Errorf("%d commits, %d fenced: the workload does not do what it is for", commits, fenced)
	}
}

// checkLogs looks into the cluster: no transaction is left open, and the high watermark has reached the end.
func checkLogs(t *testing.T, w *world) {
	t.Helper()
	for _, p := range w.m.Partitions() {
		if len(p.Open) > 0 || p.HighWatermark != p.End || p.LastStable != p.End {
			t.Errorf("%s: open %v, high watermark %d, last stable %d, end %d", p.TopicPartition, p.Open, p.HighWatermark, p.LastStable, p.End)
		}
		next := p.Start
		for _, r := range w.m.Records(p.TopicPartition, 0, -1) {
			if r.Offset != next {
				t.Errorf("%s: offset %d, want %d", p.TopicPartition, r.Offset, next)
				break
			}
			next++
		}
	}
}

func TestSameSeedSameTrace(t *testing.T) {
	seen := map[string]uint64{}
	for seed := range uint64(6) {
		a, _ := workload(t, seed, 2)
		b, _ := workload(t, seed, 2)
		if a.trace.Hash() != b.trace.Hash() || a.k.Digest() != b.k.Digest() {
			ea, eb := a.trace.Events(), b.trace.Events()
			for i := range min(len(ea), len(eb)) {
				if ea[i].String() != eb[i].String() {
					t.Fatalf("seed %d, event %d:\n%s\n%s", seed, i, ea[i], eb[i])
				}
			}
			t.Fatalf("seed %d: traces of %d and %d events, digests %x and %x", seed, len(ea), len(eb), a.k.Digest(), b.k.Digest())
		}
		if other, ok := seen[a.trace.Hash()]; ok {
			t.Fatalf("seeds %d and %d have the same trace", seed, other)
		}
		seen[a.trace.Hash()] = seed
	}
}

// TestPipelinedProducerKeepsOrder sends many small batches without waiting, over a bad network and through broker crashes: each
// record must be there once, and in order.
func TestPipelinedProducerKeepsOrder(t *testing.T) {
	for seed := range *seeds {
		w := newWorld(t, seed, simulated.Config{})
		rng := w.k.Rand("pipeline")
		const parts, n = 3, 300
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", parts)
			badNetwork(w)
			p, err := w.c.NewProducer(ctx, broker.ProducerConfig{BatchSize: 200, Linger: 5 * time.Millisecond, DeliveryTimeout: 10 * time.Minute})
			w.must(err)
			acked := 0
			for i := range n {
				for part := range int32(parts) {
					want := int64(i)
					w.must(p.Send(ctx, tp("a", part), values(i, i+1), func(base int64, err error) {
						w.must(err)
						if base != want {
							t.Errorf("seed %d: record %d got offset %d", seed, want, base)
						}
						acked++
					}))
				}
				if rng.IntN(4) == 0 {
					w.sleep(ctx, time.Duration(rng.IntN(20))*time.Millisecond)
				}
				switch rng.IntN(100) {
				case 0:
					if id := 1 + rng.IntN(3); w.m.BrokerUp(1) && w.m.BrokerUp(2) && w.m.BrokerUp(3) {
						w.m.CrashBroker(id)
						w.k.After(time.Duration(rng.IntN(20000))*time.Millisecond, func() { w.m.RestartBroker(id) })
					}
				case 1:
					_ = w.m.MoveLeader(tp("a", int32(rng.IntN(parts))), 1+rng.IntN(3))
				}
			}
			w.must(p.Flush(ctx))
			if acked != n*parts {
				t.Errorf("seed %d: %d acks", seed, acked)
			}
			w.sleep(ctx, time.Minute)
			for part := range int32(parts) {
				rs := w.m.Records(tp("a", part), 0, -1)
				if len(rs) != n {
					t.Errorf("seed %d: %d records", seed, len(rs))
				}
				for i, r := range rs {
					if string(r.Value) != fmt.Sprint(i) {
						t.Fatalf("seed %d: partition %d has %s at %d", seed, part, r.Value, i)
					}
				}
			}
		})
		w.k.Close()
		if t.Failed() {
			return
		}
	}
}

func TestInitialRebalanceDelay(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{GroupInitialRebalanceDelay: 3 * time.Second})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 4)
		cfg := broker.MemberConfig{Assignor: spread{cooperative: true}}
		one := w.worker("one", cfg)
		w.sleep(ctx, 2*time.Second)
		two := w.worker("two", cfg) // extends the delay
		w.sleep(ctx, 2*time.Second)
		if len(one.d.lines)+len(two.d.lines) > 0 {
			t.Fatalf("assigned within the delay: %v, %v", one.d.lines, two.d.lines)
		}
		w.sleep(ctx, 3*time.Second)
		if len(one.d.lines) != 1 || len(two.d.lines) != 1 || len(one.d.owned) != 2 || one.m.Metadata().Generation != 1 {
			t.Fatalf("%v, %v", one.d.lines, two.d.lines)
		}
	})
}

func TestBadTopics(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		for _, c := range []struct {
			topic broker.NewTopic
			want  string
		}{
			{broker.NewTopic{Name: "no spaces"}, "CreateTopics: INVALID_TOPIC_EXCEPTION: no spaces"},
			{broker.NewTopic{Name: "a", Partitions: -2}, "CreateTopics: INVALID_PARTITIONS: a"},
			{broker.NewTopic{Name: "a", ReplicationFactor: 4}, "CreateTopics: INVALID_REPLICATION_FACTOR: a"},
			{broker.NewTopic{Name: "a", Configs: map[string]string{"retention.ms": "soon"}},
				`CreateTopics: INVALID_CONFIG: invalid value "soon" for configuration retention.ms`},
			{broker.NewTopic{Name: "a", Configs: map[string]string{"cleanup.policy": "burn"}},
				`CreateTopics: INVALID_CONFIG: invalid value "burn" for configuration cleanup.policy`},
			{broker.NewTopic{Name: "a", Configs: map[string]string{"retention.mss": "1"}},
				`CreateTopics: INVALID_CONFIG: unknown topic configuration retention.mss`},
		} {
			if err := w.c.Admin().CreateTopics(ctx, c.topic); err == nil || err.Error() != c.want {
				t.Errorf("%+v: %v, want %s", c.topic, err, c.want)
			}
		}
		if got := w.m.Topics(); len(got) != 0 {
			t.Errorf("topics %v", got)
		}
	})
}
