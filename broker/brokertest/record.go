package brokertest

import (
	"errors"
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

func tp(topic string, partition int32) broker.TopicPartition {
	return broker.TopicPartition{Topic: topic, Partition: partition}
}

// keyed makes records k0=v0, k1=v1, ... with timestamps 1000, 1001, ...
func keyed(from, n int) []broker.Record {
	out := make([]broker.Record, n)
	for i := range out {
		out[i] = broker.Record{Key: fmt.Appendf(nil, "k%d", from+i), Value: fmt.Appendf(nil, "v%d", from+i), Timestamp: int64(1000 + from + i)}
	}
	return out
}

// Producer makes an idempotent producer.
func (e *Env) Producer() broker.Producer { return e.producer(broker.ProducerConfig{}) }

// Transactional makes a transactional producer; id is made unique.
func (e *Env) Transactional(id string) broker.Producer {
	e.T.Helper()
	return e.producer(broker.ProducerConfig{TransactionalID: e.Name(id)})
}

func (e *Env) producer(cfg broker.ProducerConfig) broker.Producer {
	e.T.Helper()
	p, err := e.Cluster().NewProducer(e.Ctx, cfg)
	e.Must(err, "new producer")
	return p
}

// Send sends records and waits until they are acknowledged without an error; it returns the base offset.
func (e *Env) Send(p broker.Producer, to broker.TopicPartition, records ...broker.Record) int64 {
	e.T.Helper()
	base := broker.NoOffset
	var failed error
	e.Must(p.Send(e.Ctx, to, records, func(b int64, err error) { base, failed = b, err }), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	e.Must(failed, "ack")
	return base
}

// Fill writes n records with a producer of its own, which it closes.
func (e *Env) Fill(to broker.TopicPartition, from, n int) {
	e.T.Helper()
	p := e.Producer()
	defer p.Close()
	e.Send(p, to, keyed(from, n)...)
}

// Consumer makes a consumer that reads tps from the beginning.
func (e *Env) Consumer(isolation broker.IsolationLevel, tps ...broker.TopicPartition) broker.Consumer {
	e.T.Helper()
	c, err := e.Cluster().NewConsumer(e.Ctx, broker.ConsumerConfig{Isolation: isolation})
	e.Must(err, "new consumer")
	at := make(map[broker.TopicPartition]int64)
	for _, tp := range tps {
		at[tp] = 0
	}
	e.Must(c.Assign(e.Ctx, at), "assign")
	return c
}

// got is what was read of a partition.
type got struct {
	broker.TopicPartition
	key, value string
	offset     int64
	timestamp  int64
}

// Read polls until n records have come, and returns them in the order in which they came.
func (e *Env) Read(c broker.Consumer, n int) []got {
	e.T.Helper()
	var out []got
	for len(out) < n {
		batches, err := c.Poll(e.Ctx, 1000, 20*time.Second)
		e.Must(err, "poll")
		if len(batches) == 0 {
			e.Fatalf("%d records came instead of %d", len(out), n)
		}
		out = append(out, e.gotten(batches)...)
	}
	if len(out) > n {
		e.Fatalf("%d records came instead of %d: %v", len(out), n, out)
	}
	return out
}

// gotten flattens batches, and checks what every batch must satisfy.
func (e *Env) gotten(batches []broker.Batch) []got {
	e.T.Helper()
	var out []got
	for _, b := range batches {
		last := int64(-1)
		for _, r := range b.Records {
			if r.Offset <= last {
				e.Fatalf("%s: offset %d came after %d", b.TopicPartition, r.Offset, last)
			}
			last = r.Offset
			out = append(out, got{b.TopicPartition, string(r.Key), string(r.Value), r.Offset, r.Timestamp})
		}
		if b.Next <= last {
			e.Fatalf("%s: next is %d after a record at %d", b.TopicPartition, b.Next, last)
		}
	}
	return out
}

// ReadTo polls until the position of every partition has reached end, and returns what came.
func (e *Env) ReadTo(c broker.Consumer, end map[broker.TopicPartition]int64) []got {
	e.T.Helper()
	var out []got
	for {
		behind := 0
		for tp, o := range end {
			if c.Position(tp) < o {
				behind++
			}
		}
		if behind == 0 {
			return out
		}
		batches, err := c.Poll(e.Ctx, 1000, 20*time.Second)
		e.Must(err, "poll")
		if len(batches) == 0 {
			e.Fatalf("%d partitions never reached their end %v", behind, end)
		}
		out = append(out, e.gotten(batches)...)
	}
}

// Silent checks that nothing comes for d: no records, and no error.
func (e *Env) Silent(c broker.Consumer, d time.Duration) {
	e.T.Helper()
	until := e.main.Host().Now().Add(d)
	for left := d; left > 0; left = until.Sub(e.main.Host().Now()) {
		batches, err := c.Poll(e.Ctx, 1000, left)
		e.Must(err, "poll")
		if g := e.gotten(batches); len(g) > 0 {
			e.Fatalf("records came: %v", g)
		}
	}
}

// EndOffset is a partition's end.
func (e *Env) EndOffset(isolation broker.IsolationLevel, of broker.TopicPartition) int64 {
	e.T.Helper()
	ends, err := e.Cluster().Admin().EndOffsets(e.Ctx, isolation, of)
	e.Must(err, "end offsets")
	return ends[of]
}

// Values checks that exactly these values came, in this order.
func (e *Env) Values(came []got, want ...string) {
	e.T.Helper()
	var have []string
	for _, g := range came {
		have = append(have, g.value)
	}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		e.Fatalf("values %v came instead of %v", have, want)
	}
}

// Is checks that err is one of kinds.
func (e *Env) Is(err error, what string, kinds ...error) {
	e.T.Helper()
	for _, k := range kinds {
		if errors.Is(err, k) {
			return
		}
	}
	e.Fatalf("%s: the error is %v instead of %v", what, err, kinds)
}
