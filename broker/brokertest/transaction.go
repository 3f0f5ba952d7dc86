package brokertest

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var transactionCases = []testcase{
	{"transaction/read_committed sees records after the commit", txnVisible},
	{"transaction/read_committed never sees aborted records", txnAborted},
	{"transaction/the last stable offset holds back later records", txnStable},
	{"transaction/the position passes a commit marker at the end", txnCommitMarker},
	{"transaction/the position passes aborted records at the end", txnAbortMarker},
	{"transaction/commits over several partitions", txnPartitions},
	{"transaction/aborted and committed ones of two producers do not mix", txnTwo},
	{"transaction/a successor fences, and aborts what was left open", txnSuccessor},
	{"transaction/a zombie's records are refused and harm nobody", txnZombie},
	{"transaction/a crash in mid-transaction leaves it to the time-out", txnCrash},
	{"transaction/the time-out aborts and fences", txnTimeout},
	{"transaction/an empty one is nothing", txnEmpty},
	{"transaction/the producer lives on after an abort", txnAbortReuse},
	{"transaction/fifty in a row", txnMany},
	{"transaction/Send outside of one is refused", txnOutside},
	{"transaction/acks have run when Commit returns", txnAcks},
	{"transaction/a failed record makes it abortable", txnFailed},
}

func (e *Env) begin(p broker.Producer) {
	e.T.Helper()
	e.Must(p.Begin(), "begin")
}

func (e *Env) commit(p broker.Producer) {
	e.T.Helper()
	e.Must(p.Commit(e.Ctx), "commit")
}

func (e *Env) abort(p broker.Producer) {
	e.T.Helper()
	e.Must(p.Abort(e.Ctx), "abort")
}

// Stable waits until nothing is open in a partition, and returns its end. Markers are written after Commit and Abort return.
func (e *Env) Stable(of broker.TopicPartition) int64 {
	e.T.Helper()
	var end int64
	e.Eventually(of.String()+" is stable", func() bool {
		end = e.EndOffset(broker.ReadUncommitted, of)
		return e.EndOffset(broker.ReadCommitted, of) == end
	})
	return end
}

func txnVisible(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	dirty := e.Consumer(broker.ReadUncommitted, at)
	defer dirty.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 3)...)
	e.Values(e.Read(dirty, 3), "v0", "v1", "v2")
	e.Silent(c, 300*time.Millisecond)
	e.commit(p)
	e.Values(e.Read(c, 3), "v0", "v1", "v2")
}

func txnAborted(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 3)...)
	e.abort(p)
	e.begin(p)
	e.Send(p, at, keyed(10, 2)...)
	e.commit(p)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 2), "v10", "v11")
	dirty := e.Consumer(broker.ReadUncommitted, at)
	defer dirty.Close()
	e.Values(e.Read(dirty, 5), "v0", "v1", "v2", "v10", "v11")
}

func txnStable(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.Fill(at, 0, 2)
	e.begin(p)
	e.Send(p, at, keyed(10, 1)...)
	e.Fill(at, 20, 2)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 2), "v0", "v1")
	e.Silent(c, 300*time.Millisecond)
	if stable, end := e.EndOffset(broker.ReadCommitted, at), e.EndOffset(broker.ReadUncommitted, at); stable != 2 || end != 5 {
		e.Fatalf("stable %d, end %d instead of 2 and 5", stable, end)
	}
	e.abort(p)
	e.Values(e.Read(c, 2), "v20", "v21")
}

func txnCommitMarker(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 1)...)
	e.commit(p)
	end := e.Stable(at)
	if end != 2 {
		e.Fatalf("a record and a marker end at %d", end)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{at: end}), "v0")
}

func txnAbortMarker(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 5)...)
	e.abort(p)
	end := e.Stable(at)
	if end != 6 {
		e.Fatalf("five records and a marker end at %d", end)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	if came := e.ReadTo(c, map[broker.TopicPartition]int64{at: end}); len(came) != 0 {
		e.Fatalf("%v came of an aborted transaction", came)
	}
}

func txnPartitions(e *Env) {
	topic := e.Topic("t", 4)
	p := e.Transactional("x")
	defer p.Close()
	var all []broker.TopicPartition
	for i := range int32(4) {
		all = append(all, tp(topic, i))
	}
	c := e.Consumer(broker.ReadCommitted, all...)
	defer c.Close()
	for round := range 3 {
		e.begin(p)
		for i, at := range all {
			e.Must(p.Send(e.Ctx, at, keyed(100*round+i, 1), nil), "send")
		}
		e.commit(p)
		came := map[string]bool{}
		for _, g := range e.Read(c, 4) {
			came[g.value] = true
		}
		for i := range all {
			if !came[fmt.Sprintf("v%d", 100*round+i)] {
				e.Fatalf("round %d: %v came", round, came)
			}
		}
	}
}

func txnTwo(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	a, b := e.Transactional("a"), e.Transactional("b")
	defer a.Close()
	defer b.Close()
	e.begin(a)
	e.begin(b)
	for i := range 4 {
		e.Send(a, at, keyed(i, 1)...)
		e.Send(b, at, keyed(10+i, 1)...)
	}
	e.abort(a)
	e.commit(b)
	e.begin(a)
	e.Send(a, at, keyed(4, 1)...)
	e.commit(a)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 5), "v10", "v11", "v12", "v13", "v4")
}

func txnSuccessor(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	old := e.Transactional("x")
	defer old.Close()
	e.begin(old)
	e.Send(old, at, keyed(0, 2)...)
	young := e.Transactional("x")
	defer young.Close()
	e.begin(young)
	e.Send(young, at, keyed(10, 1)...)
	e.commit(young)
	e.Is(old.Commit(e.Ctx), "the predecessor's commit", broker.ErrFenced)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 1), "v10")
}

func txnZombie(e *Env) {
	topic := e.Topic("t", 2)
	old := e.Transactional("x")
	defer old.Close()
	e.begin(old)
	young := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: 5 * time.Second})
	defer young.Close()
	var failed error
	if err := old.Send(e.Ctx, tp(topic, 0), keyed(0, 1), func(_ int64, err error) { failed = err }); err != nil {
		failed = err
	} else if err := old.Flush(e.Ctx); err != nil && failed == nil {
		failed = err
	}
	e.Is(failed, "the zombie's record", broker.ErrFenced)
	e.Is(old.Commit(e.Ctx), "the zombie's commit", broker.ErrFenced)
	e.Sleep(6 * time.Second) // longer than the time-out: the zombie must not have opened a transaction for its successor
	e.begin(young)
	e.Send(young, tp(topic, 1), keyed(10, 1)...)
	e.commit(young)
	if end := e.EndOffset(broker.ReadUncommitted, tp(topic, 0)); end != 0 {
		e.Fatalf("the zombie's partition ends at %d", end)
	}
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	e.Values(e.Read(c, 1), "v10")
}

func txnCrash(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	doomed := e.Start("doomed")
	e.Do(doomed, "doomed", func(e *Env) {
		p := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: 2 * time.Second})
		e.begin(p)
		e.Send(p, at, keyed(0, 3)...)
	})
	doomed.Crash()
	if stable := e.EndOffset(broker.ReadCommitted, at); stable != 0 {
		e.Fatalf("the last stable offset is %d right after the crash", stable)
	}
	e.Fill(at, 10, 1)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 1), "v10")
}

func txnTimeout(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{TransactionalID: e.Name("x"), TransactionTimeout: time.Second})
	defer p.Close()
	e.begin(p)
	e.Send(p, at, keyed(0, 1)...)
	e.Stable(at)
	e.Is(p.Commit(e.Ctx), "a commit after the time-out", broker.ErrFenced, broker.ErrAbortable)
	young := e.Transactional("x")
	defer young.Close()
	e.begin(young)
	e.Send(young, at, keyed(10, 1)...)
	e.commit(young)
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 1), "v10")
}

func txnEmpty(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	for range 3 {
		e.begin(p)
		e.commit(p)
		e.begin(p)
		e.abort(p)
	}
	e.begin(p)
	e.Send(p, at, keyed(0, 1)...)
	e.commit(p)
	if end := e.Stable(at); end != 2 {
		e.Fatalf("the end is %d instead of 2", end)
	}
}

func txnAbortReuse(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	for i := range 5 {
		e.begin(p)
		e.Must(p.Send(e.Ctx, at, keyed(100+i, 1), nil), "send") // maybe not even on its way when it is aborted
		e.abort(p)
		e.begin(p)
		e.Must(p.Send(e.Ctx, at, keyed(i, 1), nil), "send")
		e.commit(p)
	}
	c := e.Consumer(broker.ReadCommitted, at)
	defer c.Close()
	e.Values(e.Read(c, 5), "v0", "v1", "v2", "v3", "v4")
}

func txnMany(e *Env) {
	topic := e.Topic("t", 2)
	p := e.Transactional("x")
	defer p.Close()
	for i := range 50 {
		e.begin(p)
		e.Must(p.Send(e.Ctx, tp(topic, int32(i%2)), keyed(i, 1), nil), "send")
		e.commit(p)
	}
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0), tp(topic, 1))
	defer c.Close()
	seen := map[string]bool{}
	for _, g := range e.Read(c, 50) {
		if seen[g.value] {
			e.Fatalf("%s came twice", g.value)
		}
		seen[g.value] = true
	}
}

func txnOutside(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.Is(p.Send(e.Ctx, at, keyed(0, 1), nil), "send", broker.ErrFatal)
	e.begin(p)
	e.Send(p, at, keyed(0, 1)...)
	e.commit(p)
}

func txnAcks(e *Env) {
	at := tp(e.Topic("t", 1), 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	base := int64(-5)
	e.Must(p.Send(e.Ctx, at, keyed(0, 10), func(b int64, err error) {
		if err == nil {
			base = b
		}
	}), "send")
	e.commit(p)
	if base != 0 {
		e.Fatalf("the ack had not run: base %d", base)
	}
}

func txnFailed(e *Env) {
	topic := e.Topic("t", 1)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.Send(p, tp(topic, 0), keyed(0, 1)...)
	e.Must(p.Send(e.Ctx, tp(topic, 9), keyed(1, 1), func(int64, error) {}), "send to a partition that does not exist")
	e.Is(p.Commit(e.Ctx), "commit", broker.ErrAbortable)
	e.abort(p)
	e.begin(p)
	e.Send(p, tp(topic, 0), keyed(2, 1)...)
	e.commit(p)
	c := e.Consumer(broker.ReadCommitted, tp(topic, 0))
	defer c.Close()
	e.Values(e.Read(c, 1), "v2")
}
