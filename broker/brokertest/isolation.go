package brokertest

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var isolationCases = []testcase{
	{"isolation/two open transactions: the older one holds back", isolationTwoOpen},
	{"isolation/a batch tells the last stable offset", isolationBatch},
	{"isolation/plain records among transactions keep their offsets", isolationOffsets},
	{"isolation/ten transactions, every other aborted", isolationAlternate},
	{"isolation/reading from the middle of an aborted transaction", isolationAbortedMiddle},
	{"isolation/reading from the middle of a committed transaction", isolationCommittedMiddle},
	{"isolation/a transaction of twenty thousand records over four partitions", isolationBig},
	{"isolation/compressed records are aborted too", isolationCompressed},
	{"isolation/a partition that only aborted transactions wrote is passed", isolationOnlyAborted},
	{"isolation/the consumer's end offsets are the administration's", isolationEnds},
	{"isolation/read_uncommitted sees everything but control records", isolationDirty},
	{"isolation/what a time-out aborted stays aborted", isolationTimeout},
	{"isolation/three incarnations: each fences the one before", isolationIncarnations},
	{"isolation/a successor sees its predecessor's commits", isolationHandover},
	{"isolation/two ids do not fence each other", isolationIDs},
	{"isolation/a fenced producer stays fenced", isolationFenced},
	{"isolation/a transaction time-out over the broker's limit is refused", isolationLimit},
	{"isolation/Begin, Commit and Abort out of turn are refused", isolationTurn},
	{"isolation/records deleted under a transaction", isolationDeleted},
}

func isolationTwoOpen(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	a, b := e.Transactional("a"), e.Transactional("b")
	defer a.Close()
	defer b.Close()
	e.begin(a)
	e.begin(b)
	e.Send(a, at, keyed(0, 2)...)
	e.Send(b, at, keyed(10, 2)...)
	stable := func() int64 { return e.EndOffset(broker.ReadCommitted, at) }
	if s := stable(); s != 0 {
		e.Fatalf("stable %d instead of 0", s)
	}
	e.commit(b)
	e.Eventually("the marker is written", func() bool { return e.EndOffset(broker.ReadUncommitted, at) == 5 })
	if s := stable(); s != 0 {
		e.Fatalf("stable %d instead of 0 while the older one is open", s)
	}
	e.begin(b)
	e.Send(b, at, keyed(20, 1)...)
	e.commit(a)
	e.Eventually("the older one ends", func() bool { return stable() == 5 })
	e.commit(b)
	if end := e.Stable(at); end != 8 {
		e.Fatalf("the end is %d", end)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 5), "v0", "v1", "v10", "v11", "v20")
}

func isolationBatch(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	e.Fill(at, 0, 3)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, at, keyed(10, 2)...)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
	e.Must(err, "poll")
	if len(batches) != 1 || batches[0].LastStable != 3 || batches[0].HighWatermark != 5 {
		e.Fatalf("batches: %+v", batches)
	}
	e.abort(p)
}

func isolationOffsets(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p, plain := e.Transactional("x"), e.Producer()
	defer p.Close()
	defer plain.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 1)...)
	e.Send(plain, at, keyed(10, 1)...)
	e.commit(p)
	e.Stable(at)
	e.begin(p)
	e.Send(p, at, keyed(1, 1)...)
	e.Send(plain, at, keyed(11, 1)...)
	e.abort(p)
	e.Stable(at)
	e.Send(plain, at, keyed(12, 1)...)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	want := map[string]int64{"v0": 0, "v10": 1, "v11": 4, "v12": 6}
	for _, g := range e.Read(c, 4) {
		if o, ok := want[g.value]; !ok || o != g.offset {
			e.Fatalf("%v came; want %v", g, want)
		}
	}
}

func isolationAlternate(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	var want []string
	for i := range 10 {
		e.begin(p)
		e.Send(p, at, keyed(10*i, 3)...)
		if i%2 == 0 {
			e.abort(p)
			continue
		}
		e.commit(p)
		want = append(want, fmt.Sprintf("v%d", 10*i), fmt.Sprintf("v%d", 10*i+1), fmt.Sprintf("v%d", 10*i+2))
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)}), want...)
}

// middle reads under read_committed from offset 2 of a transaction of five records, each in a batch of its own.
func (e *Env) middle(end func(p broker.Producer)) []got {
	e.T.Helper()
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	for i := range 5 {
		e.Send(p, at, keyed(i, 1)...)
	}
	end(p)
	e.Stable(at)
	e.Fill(at, 10, 1)
	c := e.Consumer(broker.ReadCommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 2}), "assign")
	return e.ReadTo(c, map[broker.TopicPartition]int64{at: 7})
}

func isolationAbortedMiddle(e *Env)   { e.Values(e.middle(e.abort), "v10") }
func isolationCommittedMiddle(e *Env) { e.Values(e.middle(e.commit), "v2", "v3", "v4", "v10") }

func isolationBig(e *Env) {
	const each = 5000
	topic := e.Topic("t", 4)
	p := e.Transactional("x")
	defer p.Close()
	ends := map[broker.TopicPartition]int64{}
	for _, end := range []func(broker.Producer){e.abort, e.commit} {
		e.begin(p)
		for i := range int32(4) {
			for j := 0; j < each; j += 500 {
				e.Must(p.Send(e.Ctx, tp(topic, i), keyed(j, 500), nil), "send")
			}
		}
		e.Must(p.Flush(e.Ctx), "flush")
		end(p)
	}
	for i := range int32(4) {
		ends[tp(topic, i)] = e.Stable(tp(topic, i))
	}
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0), tp(topic, 1), tp(topic, 2), tp(topic, 3))
	defer c.Close()
	next := map[int32]int{}
	for _, g := range e.ReadTo(c, ends) {
		if g.value != fmt.Sprintf("v%d", next[g.Partition]) {
			e.Fatalf("%v came instead of v%d", g, next[g.Partition])
		}
		next[g.Partition]++
	}
	for i := range int32(4) {
		if next[i] != each {
			e.Fatalf("%v records came", next)
		}
	}
}

func isolationCompressed(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), Compression: "lz4"})
	defer p.Close()
	for i, end := range []func(broker.Producer){e.commit, e.abort, e.commit} {
		e.begin(p)
		e.Send(p, at, keyed(1000*i, 300)...)
		end(p)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	came := e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)})
	if len(came) != 600 || came[299].value != "v299" || came[300].value != "v2000" {
		e.Fatalf("%d records came", len(came))
	}
}

func isolationOnlyAborted(e *Env) {
	topic := e.Topic("t", 2)
	p := e.Transactional("x")
	defer p.Close()
	ends := map[broker.TopicPartition]int64{}
	for i := range 4 {
		e.begin(p)
		e.Send(p, tp(topic, 0), keyed(i, 20)...)
		e.abort(p)
	}
	e.Fill(tp(topic, 1), 50, 1)
	for _, at := range []broker.TopicPartition{tp(topic, 0), tp(topic, 1)} {
		ends[at] = e.Stable(at)
	}
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	e.Values(e.ReadTo(c, ends), "v50")
	if at := c.Position(tp(topic, 0)); at != 84 {
		e.Fatalf("the position is %d instead of 84", at)
	}
}

func isolationEnds(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.Fill(at, 0, 2)
	e.begin(p)
	e.Send(p, at, keyed(10, 2)...)
	c := e.Consumer(broker.ReadUncommitted)
	defer c.Close()
	for isolation, want := range map[broker.IsolationLevel]int64{broker.ReadUncommitted: 4, broker.ReadCommitted: 2} {
		ends, err := c.EndOffsets(e.Ctx, isolation, at)
		e.Must(err, "end offsets")
		if ends[at] != want || e.EndOffset(isolation, at) != want {
			e.Fatalf("isolation %d: the consumer says %d, the administration %d, it is %d", isolation, ends[at], e.EndOffset(isolation, at), want)
		}
	}
	e.abort(p)
}

func isolationDirty(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	for i, end := range []func(broker.Producer){e.commit, e.abort} {
		e.begin(p)
		e.Send(p, at, keyed(i, 1)...)
		end(p)
		e.Stable(at)
	}
	e.begin(p)
	e.Send(p, at, keyed(2, 1)...)
	c := e.Consumer(broker.ReadUncommitted, at)
	defer c.Close()
	came := e.Read(c, 3)
	e.Values(came, "v0", "v1", "v2")
	if came[0].offset != 0 || came[1].offset != 2 || came[2].offset != 4 {
		e.Fatalf("%v came", came)
	}
	e.abort(p)
}

func isolationTimeout(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	old := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: time.Second})
	defer old.Close()
	e.begin(old)
	e.Send(old, at, keyed(0, 3)...)
	e.Eventually("the time-out", func() bool { return e.EndOffset(broker.ReadCommitted, at) == 4 })
	young := e.Transactional("x")
	defer young.Close()
	for i := range 3 {
		e.begin(young)
		e.Send(young, at, keyed(10+i, 1)...)
		e.commit(young)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)}), "v10", "v11", "v12")
}

func isolationIncarnations(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	var all []broker.Producer
	for i := range 3 {
		p := e.Transactional("x")
		defer p.Close()
		all = append(all, p)
		e.begin(p)
		e.Send(p, at, keyed(i, 1)...)
	}
	e.commit(all[2])
	for i, p := range all[:2] {
		e.Is(p.Commit(e.Ctx), fmt.Sprintf("the commit of incarnation %d", i), broker.ErrFenced)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)}), "v2")
}

func isolationHandover(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	for i := range 4 {
		p := e.Transactional("x")
		e.begin(p)
		e.Send(p, at, keyed(i, 1)...)
		e.commit(p)
		p.Close()
		next := e.Transactional("x") // returns when what its predecessor committed is written
		if stable := e.EndOffset(broker.ReadCommitted, at); stable != int64(2*i+2) {
			e.Fatalf("after %d transactions the partition is stable up to %d", i+1, stable)
		}
		next.Close()
		e.Values(e.Read(c, 1), fmt.Sprintf("v%d", i))
	}
}

func isolationIDs(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	a := e.Transactional("a")
	defer a.Close()
	e.begin(a)
	e.Send(a, at, keyed(0, 1)...)
	b := e.Transactional("a2")
	defer b.Close()
	e.begin(b)
	e.Send(b, at, keyed(1, 1)...)
	e.commit(a)
	e.commit(b)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 2), "v0", "v1")
}

func isolationFenced(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	old := e.Transactional("x")
	defer old.Close()
	e.begin(old)
	e.Send(old, at, keyed(0, 1)...)
	young := e.Transactional("x")
	defer young.Close()
	for range 3 {
		e.Is(old.Commit(e.Ctx), "commit", broker.ErrFenced)
	}
	e.begin(young)
	e.Send(young, at, keyed(1, 1)...)
	e.commit(young)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)}), "v1")
}

func isolationLimit(e *Env) {
	_, err := e.Cluster().NewProducer(e.Ctx, broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: 24 * time.Hour})
	e.Is(err, "new producer", broker.ErrFatal)
}

func isolationTurn(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	plain := e.Producer()
	defer plain.Close()
	e.Is(plain.Begin(), "begin without a transactional id", broker.ErrFatal)
	p := e.Transactional("x")
	defer p.Close()
	e.Is(p.Commit(e.Ctx), "commit before begin", broker.ErrFatal)
	e.Is(p.Abort(e.Ctx), "abort before begin", broker.ErrFatal)
	e.begin(p)
	e.Is(p.Begin(), "begin again", broker.ErrFatal)
	e.Send(p, at, keyed(0, 1)...)
	e.commit(p)
	e.Is(p.Commit(e.Ctx), "commit again", broker.ErrFatal)
	if end := e.Stable(at); end != 2 {
		e.Fatalf("the end is %d", end)
	}
}

func isolationDeleted(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	for i := range 4 {
		e.Send(p, at, keyed(i, 1)...)
	}
	e.Must(e.Cluster().Admin().DeleteRecords(e.Ctx, map[broker.TopicPartition]int64{at: 2}), "delete records")
	e.commit(p)
	e.Stable(at)
	e.begin(p)
	e.Send(p, at, keyed(10, 1)...)
	e.abort(p)
	c := e.Consumer(broker.ReadCommitted)
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{at: 2}), "assign")
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: e.Stable(at)}), "v2", "v3")
}
