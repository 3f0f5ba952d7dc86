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
)

func view(w *world, p broker.TopicPartition) simulated.PartitionView {
	for _, v := range w.m.Partitions() {
		if v.TopicPartition == p {
			return v
		}
	}
	w.t.Fatalf("no partition %s", p)
	return simulated.PartitionView{}
}

func followers(v simulated.PartitionView) []int {
	var out []int
	for _, id := range v.Replicas {
		if id != v.Leader {
			out = append(out, int(id))
		}
	}
	return out
}

func (w *world) plain(ctx context.Context, acks broker.Acks) broker.Producer {
	w.t.Helper()
	p, err := w.c.NewProducer(ctx, broker.ProducerConfig{Acks: acks})
	w.must(err)
	return p
}

func (w *world) put(ctx context.Context, p broker.Producer, part broker.TopicPartition, from, to int) {
	w.t.Helper()
	w.must(p.Send(ctx, part, values(from, to), nil))
	w.must(p.Flush(ctx))
}

func count(w *world, kind string) int {
	n := 0
	for _, e := range w.trace.Events() {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// TestUncleanElectionDiverges lets two replicas each lead with what the other does not have: the loser's suffix is cut by the
// leader epochs when it follows, and until then it is on its disk.
func TestUncleanElectionDiverges(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{LeaderRebalanceInterval: -1})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		a := tp("a", 0)
		p := w.plain(ctx, broker.AcksLeader)
		w.put(ctx, p, a, 0, 2)
		w.sleep(ctx, time.Second)
		first := int(view(w, a).Leader)
		second, third := followers(view(w, a))[0], followers(view(w, a))[1]
		w.m.StallReplica(a, second)
		w.m.StallReplica(a, third)
		w.put(ctx, p, a, 2, 5) // only the first has it
		w.sleep(ctx, time.Minute)
		if v := view(w, a); len(v.ISR) != 1 || v.HighWatermark != 5 {
			t.Fatalf("in sync %v, high watermark %d", v.ISR, v.HighWatermark)
		}
		w.m.CrashBroker(first)
		w.sleep(ctx, 20*time.Second)
		if v := view(w, a); v.Leader != -1 {
			t.Fatalf("leader %d without being asked for an unclean election", v.Leader)
		}
		w.must(w.m.ElectUnclean(a, second))
		if v := view(w, a); v.End != 2 || v.HighWatermark != 2 || !slices.Equal(v.ISR, []int32{int32(second)}) {
			t.Fatalf("%+v", v)
		}
		w.put(ctx, p, a, 10, 11) // only the second has it
		w.m.RestartBroker(first)
		w.m.StallReplica(a, first) // it has not cut its log yet
		w.must(w.m.ElectUnclean(a, first))
		w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "2", "3", "4") // it was all still there
		w.must(w.m.ElectUnclean(a, second))
		w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "10")
		for _, id := range []int{first, second, third} {
			w.m.ResumeReplica(a, id)
		}
		w.sleep(ctx, time.Second)
		if n := count(w, "partition.truncate"); n != 1 {
			t.Fatalf("%d truncations, want the first leader's", n)
		}
		w.must(w.m.MoveLeader(a, first))
		w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "10")
		if v := view(w, a); len(v.ISR) != 3 || v.End != 3 || v.HighWatermark != 3 {
			t.Fatalf("%+v", v)
		}
	})
}

// TestUncleanByTopicSetting elects by itself when the topic allows it; an idempotent producer's state follows the new log.
func TestUncleanByTopicSetting(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1, "unclean.leader.election.enable", "true")
		a := tp("a", 0)
		p := w.producer(ctx, "")
		w.put(ctx, p, a, 0, 2)
		for _, id := range followers(view(w, a)) {
			w.m.StallReplica(a, id)
			w.m.ShrinkISR(a, id)
		}
		w.put(ctx, p, a, 2, 4)
		w.m.CrashBroker(int(view(w, a).Leader))
		w.sleep(ctx, 10*time.Second)
		if v := view(w, a); v.Leader < 1 || v.End != 2 || count(w, "partition.unclean") != 1 {
			t.Fatalf("%+v", v)
		}
		if err := p.Send(ctx, a, values(4, 5), nil); err != nil {
			t.Fatal(err)
		}
		var e *broker.Error
		if err := p.Flush(ctx); !errors.As(err, &e) || e.Name != "OUT_OF_ORDER_SEQUENCE_NUMBER" {
			t.Fatalf("flush: %v: the broker has lost what came before", err)
		}
		w.put(ctx, p, a, 5, 6) // under a new producer id
		w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "5")
	})
}

// TestTruncationIsDetected has consumers whose position is in what an unclean election threw away, although the log is longer again.
func TestTruncationIsDetected(t *testing.T) {
	for _, policy := range []broker.ResetPolicy{broker.ResetNone, broker.ResetEarliest, broker.ResetLatest} {
		w := newWorld(t, 1, simulated.Config{LeaderRebalanceInterval: -1})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1)
			a := tp("a", 0)
			p := w.plain(ctx, broker.AcksLeader)
			c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{Reset: policy})
			w.must(err)
			w.must(c.Assign(ctx, map[broker.TopicPartition]int64{a: 0}))
			var got []string
			poll := func(until int) error {
				for len(got) < until {
					out, err := c.Poll(ctx, 100, time.Minute)
					if err != nil || len(out) == 0 {
						return err
					}
					for _, b := range out {
						for _, r := range b.Records {
							got = append(got, string(r.Value))
						}
					}
				}
				return nil
			}
			w.put(ctx, p, a, 0, 2)
			w.must(poll(2))
			w.sleep(ctx, time.Second)
			other := followers(view(w, a))[0]
			for _, id := range followers(view(w, a)) {
				w.m.StallReplica(a, id)
				w.m.ShrinkISR(a, id)
			}
			w.put(ctx, p, a, 2, 5)
			w.must(poll(5))
			w.must(w.m.ElectUnclean(a, other))
			w.put(ctx, p, a, 20, 29) // beyond the position again
			err = poll(14)
			if policy == broker.ResetNone {
				var lost *broker.LogTruncated
				if !errors.As(err, &lost) || lost.Divergent != 2 || lost.Offset != 5 || !errors.Is(err, broker.ErrOffsetOutOfRange) {
					t.Fatalf("poll: %v", err)
				}
				c.Seek(a, lost.Divergent)
				err = poll(14)
			}
			w.must(err)
			if want := []string{"0", "1", "2", "3", "4", "20", "21", "22", "23", "24", "25", "26", "27", "28"}; !slices.Equal(got, want) {
				t.Fatalf("reset %d: got %v", policy, got)
			}
		})
	}
}

func TestAcks(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{ReplicationLatency: time.Second})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		for _, c := range []struct {
			acks broker.Acks
			base int64
			slow bool
		}{{broker.AcksAll, 0, true}, {broker.AcksLeader, 1, false}, {broker.AcksNone, broker.NoOffset, false}} {
			p := w.plain(ctx, c.acks)
			start := w.main.Now()
			acked := 0
			w.must(p.Send(ctx, tp("a", 0), values(0, 1), func(base int64, err error) {
				acked++
				if base != c.base || err != nil {
					t.Errorf("acks %d: base %d, %v", c.acks, base, err)
				}
			}))
			w.must(p.Flush(ctx))
			if d := w.main.Now().Sub(start); acked != 1 || (d >= time.Second) != c.slow {
				t.Errorf("acks %d: %d acks after %s", c.acks, acked, d)
			}
			w.sleep(ctx, 5*time.Second)
		}
		if v := view(w, tp("a", 0)); v.End != 3 {
			t.Fatalf("end %d", v.End)
		}
		if _, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x", Acks: broker.AcksLeader}); !errors.Is(err, broker.ErrFatal) {
			t.Fatalf("transactions without acks=all: %v", err)
		}
	})
}

// TestMinISRWhileWaiting shrinks the in-sync replicas under a write that is appended already.
func TestMinISRWhileWaiting(t *testing.T) {
	for _, before := range []bool{false, true} {
		w := newWorld(t, 1, simulated.Config{AdvanceBelowMinISR: before})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1, "min.insync.replicas", "2")
			a := tp("a", 0)
			p := w.producer(ctx, "")
			w.put(ctx, p, a, 0, 1)
			for _, id := range followers(view(w, a)) {
				w.m.StallReplica(a, id)
			}
			w.must(p.Send(ctx, a, values(1, 2), nil))
			w.sleep(ctx, 100*time.Millisecond)
			refused := map[string]int{}
			w.m.OnProduceRefused(func(name string) { refused[name]++ })
			for _, id := range followers(view(w, a)) {
				w.m.ShrinkISR(a, id)
			}
			w.sleep(ctx, 5*time.Second)
			one := w.plain(ctx, broker.AcksLeader) // acks=1 does not ask for the in-sync replicas
			w.put(ctx, one, a, 7, 8)
			if v := view(w, a); v.End != 3 || (v.HighWatermark == 3) != before {
				t.Fatalf("%+v", v)
			}
			w.sleep(ctx, time.Minute)
			for _, id := range followers(view(w, a)) {
				w.m.ResumeReplica(a, id)
			}
			w.must(p.Flush(ctx))
			w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "7")
			want := "REQUEST_TIMED_OUT"
			if before {
				want = "NOT_ENOUGH_REPLICAS_AFTER_APPEND"
			}
			if refused[want] != 1 || refused["NOT_ENOUGH_REPLICAS"] == 0 {
				t.Fatalf("refused: %v", refused)
			}
		})
	}
}

// TestRollingRestart restarts all brokers under load: nothing is lost, and the preferred replicas lead again.
func TestRollingRestart(t *testing.T) {
	w := newWorld(t, 3, simulated.Config{})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 3)
		one := w.worker("one", broker.MemberConfig{Assignor: spread{cooperative: true}})
		p := w.producer(ctx, "")
		done := false
		w.m.RollingRestart(20*time.Second, func() { done = true })
		n := 0
		for ; !done; n++ {
			w.put(ctx, p, tp("a", int32(n%3)), n, n+1)
			w.sleep(ctx, 100*time.Millisecond)
		}
		if count(w, "broker.stop") != 3 || count(w, "broker.start") != 3 || n < 500 {
			t.Fatalf("%d stops, %d starts, %d records", count(w, "broker.stop"), count(w, "broker.start"), n)
		}
		w.sleep(ctx, 10*time.Minute)
		if len(one.got) != n || one.err != nil {
			t.Fatalf("%d of %d records, %v", len(one.got), n, one.err)
		}
		for _, v := range w.m.Partitions() {
			if v.Leader != v.Replicas[0] || len(v.ISR) != 3 {
				t.Fatalf("%+v", v)
			}
		}
	})
}

func TestControllerChange(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{ControllerElection: 30 * time.Second})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		a := tp("a", 0)
		p := w.producer(ctx, "")
		w.put(ctx, p, a, 0, 1)
		w.m.CrashController()
		start := w.main.Now()
		w.put(ctx, p, a, 1, 2) // brokers go on
		if w.main.Now().Sub(start) > time.Second {
			t.Fatal("a write waits for the controller")
		}
		w.m.CrashBroker(int(view(w, a).Leader))
		w.sleep(ctx, 20*time.Second)
		if !w.m.BrokerUp(int(view(w, a).Leader)) == false {
			t.Fatal("a leader was elected without a controller")
		}
		w.topic(ctx, "b", 1)
		if d := w.main.Now().Sub(start); d < 30*time.Second || d > 35*time.Second {
			t.Fatalf("the topic was created after %s", d)
		}
		w.put(ctx, p, a, 2, 3)
		w.wantValues(ctx, a, broker.ReadUncommitted, "0", "1", "2")
	})
}

// TestDurability crashes, stalls and moves at random. What acks=all acknowledged under min.insync.replicas=2 must be there in the end,
// in order; of acks=1 only what its leader lost before the followers had it may be missing, and the trace says so.
func TestDurability(t *testing.T) {
	lostOne := 0
	for seed := range *seeds {
		w := newWorld(t, seed, simulated.Config{ReplicationLatency: 20 * time.Millisecond})
		rng := w.k.Rand("durability")
		acked := map[broker.Acks][]string{}
		w.run(func(ctx context.Context) {
			w.topic(ctx, "all", 1, "min.insync.replicas", "2")
			w.topic(ctx, "one", 1, "min.insync.replicas", "2")
			parts := map[broker.Acks]broker.TopicPartition{broker.AcksAll: tp("all", 0), broker.AcksLeader: tp("one", 0)}
			long := broker.ProducerConfig{DeliveryTimeout: time.Hour}
			all, err := w.c.NewProducer(ctx, long)
			w.must(err)
			long.Acks = broker.AcksLeader
			one, err := w.c.NewProducer(ctx, long)
			w.must(err)
			send := func(p broker.Producer, acks broker.Acks, v int) {
				w.must(p.Send(ctx, parts[acks], values(v, v+1), func(_ int64, err error) {
					if err == nil {
						acked[acks] = append(acked[acks], fmt.Sprint(v))
					}
				}))
			}
			for i := range 400 {
				send(all, broker.AcksAll, i)
				send(one, broker.AcksLeader, i)
				if rng.IntN(3) == 0 {
					w.sleep(ctx, time.Duration(rng.IntN(200))*time.Millisecond)
				}
				if rng.IntN(30) == 0 {
					upset(w, rng.IntN(3), 1+rng.IntN(3), parts[broker.Acks(rng.IntN(2))])
				}
			}
			w.must(all.Flush(ctx))
			_ = one.Flush(ctx)
			w.sleep(ctx, 10*time.Minute)
			got, _ := w.read(ctx, tp("all", 0), broker.ReadUncommitted)
			if !slices.Equal(got, acked[broker.AcksAll]) {
				t.Errorf("seed %d: acknowledged %v\nthere is %v", seed, acked[broker.AcksAll], got)
			}
			got, _ = w.read(ctx, tp("one", 0), broker.ReadUncommitted)
			lost := 0
			for _, v := range acked[broker.AcksLeader] {
				if !slices.Contains(got, v) {
					lost++
				}
			}
			lostOne += lost
			if lost > 0 && count(w, "partition.truncate") == 0 {
				t.Errorf("seed %d: %d records lost and nothing truncated", seed, lost)
			}
		})
		w.k.Close()
		if t.Failed() {
			return
		}
	}
	if lostOne == 0 {
		t.Error("no seed has lost anything that acks=1 acknowledged: nothing is tried here")
	}
}

// upset does one bad thing that heals by itself. All brokers may be down at a time.
func upset(w *world, what, id int, part broker.TopicPartition) {
	switch what {
	case 0:
		if now := view(w, part).Leader; now > 0 && id > 1 {
			id = int(now)
		}
		w.m.CrashBroker(id)
		w.k.After(15*time.Second, func() { w.m.RestartBroker(id) })
	case 1:
		w.m.StallReplica(part, id)
		w.k.After(10*time.Second, func() { w.m.ResumeReplica(part, id) })
	case 2:
		_ = w.m.MoveLeader(part, id)
	}
}

// TestUncleanElectionsAtRandom makes anyone the leader at any time, under idempotent and transactional producers and a consumer. Much is
// lost; but replicas agree in the end, offsets have no holes, and everybody goes on.
func TestUncleanElectionsAtRandom(t *testing.T) {
	diverged, truncated, fatal := 0, 0, 0
	for seed := range *seeds {
		w := newWorld(t, seed, simulated.Config{ReplicationLatency: 20 * time.Millisecond, TransactionVersion: 1 + int(seed%2)})
		rng := w.k.Rand("unclean")
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 2, "unclean.leader.election.enable", "true")
			ends := 0
			for _, id := range []string{"", "x", "y"} {
				proc := w.k.NewProcess("writer "+id, nil)
				proc.Go("write", func(ctx context.Context) {
					for i := 0; ends == 0 && ctx.Err() == nil; i++ {
						if err := writeSome(ctx, w.m.Client(proc), id, rng.IntN(6)); err != nil {
							fatal++
						}
					}
					ends++
				})
			}
			c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest, Isolation: broker.IsolationLevel(seed % 2)})
			w.must(err)
			w.must(c.Assign(ctx, map[broker.TopicPartition]int64{tp("a", 0): 0, tp("a", 1): 0}))
			for range 150 {
				_, err := c.Poll(ctx, 100, time.Duration(rng.IntN(1000))*time.Millisecond)
				w.must(err)
				part, id := tp("a", int32(rng.IntN(2))), 1+rng.IntN(3)
				switch rng.IntN(5) {
				case 0:
					_ = w.m.ElectUnclean(part, id)
				case 1:
					w.m.StallReplica(part, id)
					w.k.After(time.Duration(rng.IntN(20))*time.Second, func() { w.m.ResumeReplica(part, id) })
				case 2:
					w.m.CrashBroker(id)
					w.k.After(time.Duration(rng.IntN(20))*time.Second, func() { w.m.RestartBroker(id) })
				case 3:
					w.m.ShrinkISR(part, id)
				}
				diverged += w.m.Diverging()
			}
			ends++
			w.sleep(ctx, 5*time.Minute)
			p := w.plain(ctx, broker.AcksAll)
			for i := range int32(2) {
				w.put(ctx, p, tp("a", i), 0, 1)
			}
			w.sleep(ctx, time.Second)
			truncated += count(w, "partition.truncate")
			if n := w.m.Diverging(); n > 0 || ends != 4 {
				t.Errorf("seed %d: %d replicas diverge in the end; %d have ended", seed, n, ends)
			}
			for _, v := range w.m.Partitions() {
				end, err := c.EndOffsets(ctx, broker.ReadUncommitted, v.TopicPartition)
				if err != nil || v.HighWatermark != v.End || len(v.ISR) != 3 || end[v.TopicPartition] != v.End {
					t.Errorf("seed %d: %+v, %v, %v", seed, v, end, err)
				}
				epoch := int32(0)
				for i, r := range w.m.Records(v.TopicPartition, 0, -1) {
					if r.Offset != int64(i) || r.LeaderEpoch < epoch {
						t.Errorf("seed %d: %s has offset %d and epoch %d at place %d after epoch %d", seed, v.TopicPartition, r.Offset, r.LeaderEpoch, i, epoch)
						break
					}
					epoch = r.LeaderEpoch
				}
			}
		})
		w.k.Close()
		if t.Failed() {
			return
		}
	}
	if diverged == 0 || truncated == 0 || fatal == 0 {
		t.Errorf("%d divergences, %d truncations, %d failed writers: nothing is tried here", diverged, truncated, fatal)
	}
}

// writeSome is a producer's life: it ends with the first error that it cannot go on from.
func writeSome(ctx context.Context, c broker.Cluster, id string, n int) error {
	p, err := c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: id, TransactionTimeout: 20 * time.Second, DeliveryTimeout: 10 * time.Second})
	if err != nil {
		return err
	}
	defer p.Close()
	for i := range n {
		if id != "" {
			if err := p.Begin(); err != nil {
				return err
			}
		}
		for part := range int32(2) {
			if err := p.Send(ctx, tp("a", part), values(i, i+1), nil); err != nil {
				return err
			}
		}
		if err := p.Flush(ctx); err != nil {
			return err
		}
		if id != "" {
			if err := p.Commit(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// TestThreeTails has three replicas that each led with records of their own, and elects them in turn: each still has its own.
func TestThreeTails(t *testing.T) {
	w := newWorld(t, 1, simulated.Config{LeaderRebalanceInterval: -1})
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		a := tp("a", 0)
		p := w.plain(ctx, broker.AcksLeader)
		w.put(ctx, p, a, 0, 1)
		w.sleep(ctx, time.Second)
		for id := 1; id <= 3; id++ {
			w.m.StallReplica(a, id)
		}
		want := map[int][]string{}
		for id := 1; id <= 3; id++ {
			w.must(w.m.ElectUnclean(a, id))
			w.put(ctx, p, a, 10*id, 10*id+id)
			want[id] = []string{"0"}
			for v := 10 * id; v < 10*id+id; v++ {
				want[id] = append(want[id], fmt.Sprint(v))
			}
		}
		for _, id := range []int{1, 3, 2, 1, 2, 3} {
			w.must(w.m.ElectUnclean(a, id))
			if got := w.readAll(a); !slices.Equal(got, want[id]) {
				t.Fatalf("broker %d has %v, want %v", id, got, want[id])
			}
			if n := w.m.Diverging(); n != 2 {
				t.Fatalf("%d replicas diverge", n)
			}
		}
	})
}

// readAll is what the leader has, the part above the high watermark included.
func (w *world) readAll(p broker.TopicPartition) []string {
	var out []string
	for _, r := range w.m.Records(p, 0, -1) {
		out = append(out, string(r.Value))
	}
	return out
}
