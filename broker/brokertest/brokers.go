package brokertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var brokerCases = []testcase{
	{"brokers/acknowledged records survive the leader", brokersAcked},
	{"brokers/a producer goes on in order, without loss or doubles", brokersProduce},
	{"brokers/a consumer goes on where it was", brokersConsume},
	{"brokers/an election raises the leader epoch; the replica comes back in sync", brokersEpoch},
	{"brokers/too few in-sync replicas: nothing is acknowledged until they are back", brokersMinISR},
	{"brokers/a transaction is committed after its coordinator's crash", brokersTxnCommit},
	{"brokers/a transaction is aborted after its coordinator's crash", brokersTxnAbort},
	{"brokers/a transaction outlives a leader of its partitions", brokersTxnLeader},
	{"brokers/a time-out is kept by the next coordinator", brokersTxnTimeout},
	{"brokers/a fenced producer stays fenced at the next coordinator", brokersTxnFenced},
	{"brokers/committed positions survive the coordinator", brokersCommitted},
	{"brokers/members stay in their group through its coordinator's crash", brokersMembers},
	{"brokers/copy exactly once through the crash of every broker", brokersCopy},
}

// brokers are the fixture's.
func (e *Env) brokers() Brokers { return e.fixture.(Brokers) }

// kill kills a broker, until restart, or the end of the case. It is called on the case's thread.
func (e *Env) kill(id int) (restart func()) {
	e.T.Helper()
	e.down = append(e.down, id)
	e.Must(e.brokers().KillBroker(e.Ctx, id), "kill a broker")
	return e.restartAll
}

// restartAll brings back what was killed.
func (e *Env) restartAll() {
	e.T.Helper()
	for len(e.down) > 0 {
		id := e.down[0]
		e.down = e.down[1:]
		e.Must(e.brokers().RestartBroker(e.Ctx, id), "restart a broker")
	}
}

func (e *Env) partition(of broker.TopicPartition) broker.PartitionDescription {
	e.T.Helper()
	var p broker.PartitionDescription
	e.Eventually("a description", func() bool {
		found, err := e.Cluster().Admin().DescribeTopics(e.Ctx, of.Topic)
		if err != nil || len(found[of.Topic].Partitions) <= int(of.Partition) {
			return false
		}
		p = found[of.Topic].Partitions[of.Partition]
		return true
	})
	return p
}

// killLeader kills the broker that leads a partition.
func (e *Env) killLeader(of broker.TopicPartition) (restart func()) {
	e.T.Helper()
	return e.kill(int(e.partition(of).Leader))
}

func (e *Env) killTransactionCoordinator(id string) (restart func()) {
	e.T.Helper()
	at, err := e.brokers().TransactionCoordinator(e.Ctx, e.Name(id))
	e.Must(err, "find the coordinator")
	return e.kill(at)
}

func (e *Env) killGroupCoordinator(group string) (restart func()) {
	e.T.Helper()
	at, err := e.brokers().GroupCoordinator(e.Ctx, e.Name(group))
	e.Must(err, "find the coordinator")
	return e.kill(at)
}

func brokersAcked(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	e.Fill(to, 0, 100)
	e.killLeader(to)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, 100) {
		if g.offset != int64(i) || g.value != fmt.Sprintf("v%d", i) {
			e.Fatalf("record %d came as %v", i, g)
		}
	}
}

func brokersProduce(e *Env) {
	const n = 400
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	acked := 0
	restart := func() {}
	for i := range n {
		e.Must(p.Send(e.Ctx, to, keyed(i, 1), func(base int64, err error) {
			if err != nil || base != int64(i) {
				e.Fatalf("record %d: base %d, %v", i, base, err)
			}
			acked++
		}), "send")
		if i == n/4 {
			restart = e.killLeader(to)
		}
		e.Sleep(5 * time.Millisecond)
	}
	e.Must(p.Flush(e.Ctx), "flush")
	restart()
	if acked != n || e.EndOffset(broker.ReadUncommitted, to) != n {
		e.Fatalf("%d acks, end %d", acked, e.EndOffset(broker.ReadUncommitted, to))
	}
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, n) {
		if g.value != fmt.Sprintf("v%d", i) {
			e.Fatalf("record %d came as %v", i, g)
		}
	}
}

func brokersConsume(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	e.Fill(to, 0, 10)
	e.Read(c, 10)
	restart := e.killLeader(to)
	e.Fill(to, 10, 10)
	if came := e.Read(c, 10); came[0].value != "v10" || came[9].value != "v19" {
		e.Fatalf("%v came", came)
	}
	restart()
	e.Fill(to, 20, 10)
	if came := e.Read(c, 10); came[0].value != "v20" || came[9].value != "v29" {
		e.Fatalf("%v came", came)
	}
}

func brokersEpoch(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	e.Fill(to, 0, 1)
	before := e.partition(to)
	restart := e.killLeader(to)
	e.Eventually("another leader", func() bool {
		now := e.partition(to)
		return now.Leader >= 0 && now.Leader != before.Leader && now.LeaderEpoch > before.LeaderEpoch
	})
	e.Fill(to, 1, 1)
	restart()
	e.Eventually("all are in sync", func() bool { return len(e.partition(to).ISR) == len(before.Replicas) })
	if slices.Compare(slices.Sorted(slices.Values(e.partition(to).Replicas)), slices.Sorted(slices.Values(before.Replicas))) != 0 {
		e.Fatalf("the replicas are %v after %v", e.partition(to).Replicas, before.Replicas)
	}
}

func brokersMinISR(e *Env) {
	to := tp(e.Topic("t", 1, "min.insync.replicas", "3"), 0)
	p := e.producer(broker.ProducerConfig{DeliveryTimeout: 80 * time.Second})
	defer p.Close()
	e.Send(p, to, keyed(0, 1)...)
	d := e.partition(to)
	restart := e.kill(int(d.Replicas[(slices.Index(d.Replicas, d.Leader)+1)%3])) // a follower: a new leader would not know the end
	e.Eventually("two are in sync", func() bool { return len(e.partition(to).ISR) == 2 })
	acked := false
	e.Must(p.Send(e.Ctx, to, keyed(1, 1), func(_ int64, err error) {
		e.Must(err, "ack")
		acked = true
	}), "send")
	e.Sleep(2 * time.Second)
	if end := e.EndOffset(broker.ReadUncommitted, to); end != 1 {
		e.Fatalf("the end is %d with two replicas in sync", end)
	}
	restart()
	e.Must(p.Flush(e.Ctx), "flush")
	if end := e.EndOffset(broker.ReadUncommitted, to); !acked || end != 2 {
		e.Fatalf("acked %v, end %d", acked, end)
	}
}

// brokersTxn begins a transaction, kills what crash names, ends it, and returns what read_committed sees after a second one.
func (e *Env) brokersTxn(crash func(to broker.TopicPartition) func(), end func(broker.Producer)) []got {
	e.T.Helper()
	topic := e.Topic("t", 2)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, tp(topic, 0), keyed(0, 2)...)
	e.Send(p, tp(topic, 1), keyed(2, 1)...)
	restart := crash(tp(topic, 0))
	end(p)
	e.begin(p)
	e.Send(p, tp(topic, 0), keyed(10, 1)...)
	e.commit(p)
	restart()
	ends := map[broker.TopicPartition]int64{tp(topic, 0): e.Stable(tp(topic, 0)), tp(topic, 1): e.Stable(tp(topic, 1))}
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	came := e.ReadTo(c, ends)
	slices.SortStableFunc(came, func(a, b got) int { return a.Compare(b.TopicPartition) })
	return came
}

func brokersTxnCommit(e *Env) {
	crash := func(broker.TopicPartition) func() { return e.killTransactionCoordinator("x") }
	e.Values(e.brokersTxn(crash, e.commit), "v0", "v1", "v10", "v2")
}

func brokersTxnAbort(e *Env) {
	crash := func(broker.TopicPartition) func() { return e.killTransactionCoordinator("x") }
	e.Values(e.brokersTxn(crash, e.abort), "v10")
}

func brokersTxnLeader(e *Env) {
	e.Values(e.brokersTxn(e.killLeader, e.commit), "v0", "v1", "v10", "v2")
}

func brokersTxnTimeout(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: 8 * time.Second})
	defer p.Close()
	e.begin(p)
	e.Send(p, to, keyed(0, 2)...)
	e.killTransactionCoordinator("x")
	e.Eventually("the time-out", func() bool {
		ends, err := e.Cluster().Admin().EndOffsets(e.Ctx, broker.ReadCommitted, to)
		return err == nil && ends[to] == 3
	})
	c := e.Consumer(broker.ReadCommitted, to)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{to: 3}))
}

func brokersTxnFenced(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	old := e.Transactional("x")
	defer old.Close()
	e.begin(old)
	e.Send(old, to, keyed(0, 1)...)
	young := e.Transactional("x")
	defer young.Close()
	e.begin(young)
	e.Send(young, to, keyed(10, 1)...)
	e.killTransactionCoordinator("x")
	e.Is(old.Commit(e.Ctx), "the predecessor's commit", broker.ErrFenced)
	e.commit(young)
	c := e.Consumer(broker.ReadCommitted, to)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{to: e.Stable(to)}), "v10")
}

func brokersCommitted(e *Env) {
	topic := e.Topic("t", 2)
	a := e.Join("a", memberOptions{topics: []string{topic}, session: 40 * time.Second})
	a.Owns(2)
	a.Do(func(e *Env, m broker.Member) {
		e.Must(m.Commit(e.Ctx, offsets{tp(topic, 0): at(7, "m"), tp(topic, 1): at(8, "")}), "commit")
	})
	e.killGroupCoordinator("g")
	a.Do(func(e *Env, m broker.Member) {
		var found offsets
		e.Eventually("the next coordinator answers", func() bool {
			var err error
			found, err = m.Committed(e.Ctx, tp(topic, 0), tp(topic, 1))
			return err == nil
		})
		if found[tp(topic, 0)] != at(7, "m") || found[tp(topic, 1)] != at(8, "") {
			e.Fatalf("committed: %v", found)
		}
	})
	a.Leave()
}

func brokersMembers(e *Env) {
	topic := e.Topic("t", 4)
	join := func(name string) *Member {
		return e.Join(name, memberOptions{topics: []string{topic}, session: 30 * time.Second, rebalance: 30 * time.Second})
	}
	a, b := join("a"), join("b")
	e.share(4, a, b)
	before := len(a.Events()) + len(b.Events())
	restart := e.killGroupCoordinator("g")
	for _, m := range []*Member{a, b} {
		m.Do(func(e *Env, bm broker.Member) {
			e.Eventually("a commit is accepted", func() bool {
				return bm.Commit(e.Ctx, offsets{m.Owned()[0]: at(1, "")}) == nil
			})
		})
	}
	if now := len(a.Events()) + len(b.Events()); now != before {
		e.Fatalf("the members were rebalanced: %q, %q", a.Events(), b.Events())
	}
	c := join("c")
	e.share(4, a, b, c)
	restart()
	for _, m := range []*Member{a, b, c} {
		m.Leave()
	}
}

// brokersCopy copies a partition exactly once, with every broker crashing on the way.
func brokersCopy(e *Env) {
	const n = 90
	out := tp(e.Topic("out", 1), 0)
	topic := e.Topic("t", 1)
	in := tp(topic, 0)
	e.Fill(in, 0, n)
	a := e.Join("a", memberOptions{topics: []string{topic}, session: 60 * time.Second, rebalance: 60 * time.Second,
		onAssigned: func(_ *Env, m broker.Member, _ broker.Assignment, _ []broker.TopicPartition) { m.Pause(in) }})
	a.Owns(1)
	e.Eventually("it has polled", func() bool { return a.Metadata().Generation > 0 })
	p := e.Transactional("x")
	defer p.Close()
	c := e.Consumer(broker.ReadCommitted, in)
	defer c.Close()
	done, killed, restart := int64(0), 0, func() {}
	for done < n {
		batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
		e.Must(err, "poll")
		if len(e.gotten(batches)) == 0 {
			continue
		}
		e.begin(p)
		next := done
		for _, b := range batches {
			e.Must(p.Send(e.Ctx, out, slices.Clone(b.Records), nil), "send")
			next = b.Next
		}
		if killed < 3 && next >= int64(30*killed+10) {
			restart()
			restart = e.kill(e.brokers().IDs()[killed])
			killed++
		}
		e.Must(p.Flush(e.Ctx), "flush")
		if err := p.SendOffsets(e.Ctx, a.Metadata(), offsets{in: at(next, "")}); err != nil { // the coordinator may be away
			e.Is(err, "send offsets", broker.ErrRetriable, broker.ErrAbortable)
			e.abort(p)
			c.Seek(in, done)
			continue
		}
		e.commit(p)
		done = next
	}
	restart()
	found := e.committedOf(a, in)
	if found.Offset != n {
		e.Fatalf("committed: %v", found)
	}
	reader := e.Consumer(broker.ReadCommitted, out)
	defer reader.Close()
	for i, g := range e.ReadTo(reader, map[broker.TopicPartition]int64{out: e.Stable(out)}) {
		if g.value != fmt.Sprintf("v%d", i) {
			e.Fatalf("record %d came as %v", i, g)
		}
		done = int64(i + 1)
	}
	if done != n {
		e.Fatalf("%d records came", done)
	}
	a.Leave()
}

// committedOf is what a member sees as the group's position.
func (e *Env) committedOf(m *Member, of broker.TopicPartition) broker.OffsetAndMetadata {
	e.T.Helper()
	var found offsets
	m.Do(func(e *Env, bm broker.Member) {
		var err error
		found, err = bm.Committed(e.Ctx, of)
		e.Must(err, "committed")
	})
	return found[of]
}
