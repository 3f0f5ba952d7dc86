package brokertest

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var cleaningCases = []testcase{
	{"cleaning/compaction keeps the last of each key, at its offset", cleaningLast},
	{"cleaning/a reader passes the gaps to the end", cleaningGaps},
	{"cleaning/a value is not compacted away by an aborted one", cleaningAborted},
	{"cleaning/a value is not compacted away by one of an open transaction", cleaningOpen},
	{"cleaning/an aborted transaction's records go, its end is reached", cleaningAbortedGone},
	{"cleaning/what is being written to is not compacted", cleaningActive},
	{"cleaning/retention by time moves the start", cleaningTime},
	{"cleaning/retention keeps what is young", cleaningYoung},
}

// compacted are the settings of a topic that is compacted soon.
var compacted = []string{"cleanup.policy", "compact", "segment.ms", "100", "min.cleanable.dirty.ratio", "0.01", "max.compaction.lag.ms", "200"}

// clean lets the cluster clean until cond holds.
func (e *Env) clean(what string, cond func() bool, topics ...string) {
	e.T.Helper()
	if c, ok := e.fixture.(Cleaner); ok {
		e.Must(c.Clean(topics...), "clean")
	}
	e.Eventually(what, cond)
}

// roll begins a new segment of a topic with segment.ms=100.
func (e *Env) roll(at broker.TopicPartition) {
	e.T.Helper()
	e.Sleep(300 * time.Millisecond)
	p := e.Producer()
	defer p.Close()
	e.Send(p, at, broker.Record{Key: []byte("roll"), Value: []byte("roll"), Timestamp: broker.NoTimestamp})
}

// put writes one record now.
func (e *Env) put(p broker.Producer, at broker.TopicPartition, key, value string) {
	e.T.Helper()
	e.Send(p, at, broker.Record{Key: []byte(key), Value: []byte(value), Timestamp: broker.NoTimestamp})
}

// contents are "key=value@offset" of all that is there to read but what roll wrote.
func (e *Env) contents(isolation broker.IsolationLevel, of broker.TopicPartition) []string {
	e.T.Helper()
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Isolation: isolation, Reset: broker.ResetEarliest})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{of: broker.NoOffset}), "assign")
	var out []string
	for _, g := range e.ReadTo(c, map[broker.TopicPartition]int64{of: e.EndOffset(isolation, of)}) {
		if g.key != "roll" {
			out = append(out, fmt.Sprintf("%s=%s@%d", g.key, g.value, g.offset))
		}
	}
	return out
}

// holds says whether the contents are these.
func (e *Env) holds(isolation broker.IsolationLevel, of broker.TopicPartition, want ...string) bool {
	e.T.Helper()
	return fmt.Sprint(e.contents(isolation, of)) == fmt.Sprint(want)
}

func cleaningLast(e *Env) {
	topic := e.Topic("t", 1, compacted...)
	to := tp(topic, 0)
	p := e.Producer()
	defer p.Close()
	for i := range 6 {
		e.put(p, to, fmt.Sprintf("k%d", i%2), fmt.Sprint(i))
	}
	e.roll(to)
	e.clean("only the last are left", func() bool { return e.holds(broker.ReadUncommitted, to, "k0=4@4", "k1=5@5") }, topic)
}

func cleaningGaps(e *Env) {
	topic := e.Topic("t", 1, compacted...)
	to := tp(topic, 0)
	p := e.Producer()
	defer p.Close()
	for i := range 10 {
		e.put(p, to, "k", fmt.Sprint(i))
	}
	e.roll(to)
	e.clean("only the last is left", func() bool { return e.holds(broker.ReadUncommitted, to, "k=9@9") }, topic)
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{to: 3}), "assign") // an offset that is gone
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{to: 11}), "9", "roll")
}

func cleaningAborted(e *Env) {
	topic := e.Topic("t", 1, compacted...)
	to := tp(topic, 0)
	p := e.Transactional("x")
	defer p.Close()
	for _, step := range []struct {
		value string
		end   func(broker.Producer)
	}{{"0", e.commit}, {"1", e.commit}, {"2", e.abort}} {
		e.begin(p)
		e.put(p, to, "k", step.value)
		step.end(p)
		e.Stable(to)
	}
	e.roll(to)
	e.clean("the older value is gone", func() bool { return e.holds(broker.ReadCommitted, to, "k=1@2") }, topic)
	if !e.holds(broker.ReadCommitted, to, "k=1@2") {
		e.Fatalf("the contents are %v", e.contents(broker.ReadCommitted, to))
	}
}

func cleaningOpen(e *Env) {
	topic := e.Topic("t", 1, compacted...)
	to := tp(topic, 0)
	plain, p := e.Producer(), e.Transactional("x")
	defer plain.Close()
	defer p.Close()
	e.put(plain, to, "k", "0")
	e.put(plain, to, "k", "1")
	e.Sleep(300 * time.Millisecond)
	e.begin(p)
	e.put(p, to, "k", "2")
	e.roll(to)
	e.Sleep(3 * time.Second)
	e.abort(p)
	e.Stable(to)
	e.roll(to)
	e.clean("the older value is gone", func() bool { return e.holds(broker.ReadCommitted, to, "k=1@1") }, topic)
}

func cleaningAbortedGone(e *Env) {
	topic := e.Topic("t", 1, compacted...)
	to := tp(topic, 0)
	p := e.Transactional("x")
	defer p.Close()
	e.begin(p)
	e.put(p, to, "a", "1")
	e.put(p, to, "b", "1")
	e.abort(p)
	e.Stable(to)
	e.roll(to)
	e.clean("the aborted records are gone", func() bool { return e.holds(broker.ReadUncommitted, to) }, topic)
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest, Isolation: broker.ReadCommitted})
	e.Must(err, "new consumer")
	defer c.Close()
	e.Must(c.Assign(e.Ctx, map[broker.TopicPartition]int64{to: broker.NoOffset}), "assign")
	e.Values(e.ReadTo(c, map[broker.TopicPartition]int64{to: 4}), "roll")
}

func cleaningActive(e *Env) {
	topic := e.Topic("t", 1, "cleanup.policy", "compact", "min.cleanable.dirty.ratio", "0.01")
	to := tp(topic, 0)
	p := e.Producer()
	defer p.Close()
	for i := range 3 {
		e.put(p, to, "k", fmt.Sprint(i))
	}
	e.Sleep(3 * time.Second)
	if !e.holds(broker.ReadUncommitted, to, "k=0@0", "k=1@1", "k=2@2") {
		e.Fatalf("the contents are %v", e.contents(broker.ReadUncommitted, to))
	}
}

func cleaningTime(e *Env) {
	topic := e.Topic("t", 1, "retention.ms", "1000", "segment.ms", "100")
	to := tp(topic, 0)
	p := e.Producer()
	defer p.Close()
	for i := range 3 {
		e.put(p, to, "k", fmt.Sprint(i))
	}
	e.Sleep(2 * time.Second)
	e.roll(to)
	e.clean("the start has moved", func() bool { return e.start(to) >= 3 }, topic)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	_, err := c.Poll(e.Ctx, 1, 20*time.Second)
	e.Is(err, "poll below the start", broker.ErrOffsetOutOfRange)
}

func cleaningYoung(e *Env) {
	topic := e.Topic("t", 1, "retention.ms", "3600000", "segment.ms", "100")
	to := tp(topic, 0)
	p := e.Producer()
	defer p.Close()
	for i := range 3 {
		e.put(p, to, "k", fmt.Sprint(i))
	}
	e.roll(to)
	e.Sleep(2 * time.Second)
	if !e.holds(broker.ReadUncommitted, to, "k=0@0", "k=1@1", "k=2@2") {
		e.Fatalf("the contents are %v", e.contents(broker.ReadUncommitted, to))
	}
}
