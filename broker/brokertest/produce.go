package brokertest

import (
	"bytes"
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

var produceCases = []testcase{
	{"produce/records of one partition are written in the order of Send", produceOrder},
	{"produce/base is the offset of the first record", produceBase},
	{"produce/acks run inside the next call and not before", produceAckThread},
	{"produce/Flush returns the error of a Send without an ack", produceNilAck},
	{"produce/Partitions counts, and knows what does not exist", producePartitions},
	{"produce/headers come back as they were", produceHeaders},
	{"produce/null and empty are told apart", produceNulls},
	{"produce/timestamps are the record's, or the clock's", produceTimestamps},
	{"produce/one Send of twenty thousand records", produceBig},
	{"produce/a record over the limit is refused alone", produceTooLarge},
	{"produce/every compression comes back", produceCompression},
	{"produce/an empty Send is acknowledged", produceNothing},
	{"produce/two producers lose and double nothing", produceTwo},
	{"produce/Flush does not wait for linger", produceLinger},
	{"produce/a closed producer says so", produceClosed},
	{"produce/the slice is the caller's again after the ack", produceReuse},
	{"produce/many small Sends to many partitions", produceSmall},
	{"produce/a value of almost a megabyte comes back", produceMegabyte},
	{"produce/a record over the topic's limit is refused", produceTopicLimit},
	{"produce/a record over the topic's limit does not block the next", produceTopicLimitAfter},
	{"produce/keys and values of any bytes", produceBytes},
	{"produce/a hundred headers", produceManyHeaders},
	{"produce/acks come in the order of Send", produceAckOrder},
	{"produce/partitions are acknowledged on their own", produceApart},
	{"produce/a small batch size keeps the order", produceBatchSize},
	{"produce/compression keeps nulls, headers and timestamps", produceCompressedParts},
	{"produce/a compacted topic refuses a record without a key", produceNoKey},
	{"produce/an unknown topic is an error of the ack", produceUnknownTopic},
	{"produce/Flush of nothing is nothing", produceFlushNothing},
	{"produce/a closed producer's records stay", produceStay},
	{"produce/a producer outlives another topic's end", produceDeletedTopic},
}

func produceOrder(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	var want []string
	for i := range 50 {
		e.Must(p.Send(e.Ctx, to, keyed(2*i, 2), nil), "send")
		want = append(want, fmt.Sprintf("v%d", 2*i), fmt.Sprintf("v%d", 2*i+1))
	}
	e.Must(p.Flush(e.Ctx), "flush")
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	e.Values(e.Read(c, 100), want...)
}

func produceBase(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	for i, want := range []int64{0, 3, 6} {
		if base := e.Send(p, to, keyed(3*i, 3)...); base != want {
			e.Fatalf("base %d instead of %d", base, want)
		}
	}
}

func produceAckThread(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	acks := 0 // no lock: the race detector is part of this check
	ack := func(int64, error) { acks++ }
	e.Must(p.Send(e.Ctx, to, keyed(0, 1), ack), "send")
	e.Eventually("the record is written", func() bool { return e.EndOffset(broker.ReadUncommitted, to) == 1 })
	if acks != 0 {
		e.Fatalf("the ack ran outside a call of the producer")
	}
	e.Must(p.Send(e.Ctx, to, keyed(1, 1), ack), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	if acks != 2 {
		e.Fatalf("%d acks have run after Flush instead of 2", acks)
	}
	e.Must(p.Flush(e.Ctx), "flush again")
	if acks != 2 {
		e.Fatalf("an ack ran twice")
	}
}

func produceNilAck(e *Env) {
	topic := e.Topic("t", 1)
	p := e.Producer()
	defer p.Close()
	e.Must(p.Send(e.Ctx, tp(topic, 7), keyed(0, 1), nil), "send to a partition that does not exist")
	e.Is(p.Flush(e.Ctx), "flush", broker.ErrUnknownTopic)
	e.Send(p, tp(topic, 0), keyed(0, 1)...)
}

func producePartitions(e *Env) {
	topic := e.Topic("t", 3)
	p := e.Producer()
	defer p.Close()
	n, err := p.Partitions(e.Ctx, topic)
	e.Must(err, "partitions")
	if n != 3 {
		e.Fatalf("%d partitions instead of 3", n)
	}
	_, err = p.Partitions(e.Ctx, e.Name("nosuch"))
	e.Is(err, "partitions of an unknown topic", broker.ErrUnknownTopic)
}

func produceHeaders(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	want := []broker.Header{{Key: "a", Value: []byte("1")}, {Key: "a", Value: nil}, {Key: "", Value: []byte{}}, {Key: "é", Value: []byte{0, 255}}}
	e.Send(p, to, broker.Record{Value: []byte("v"), Headers: want}, broker.Record{Value: []byte("w")})
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
	e.Must(err, "poll")
	if len(batches) != 1 || len(batches[0].Records) != 2 {
		e.Fatalf("batches: %v", batches)
	}
	have := batches[0].Records[0].Headers
	if len(have) != len(want) {
		e.Fatalf("headers %v instead of %v", have, want)
	}
	for i := range want {
		if have[i].Key != want[i].Key || !bytes.Equal(have[i].Value, want[i].Value) || (have[i].Value == nil) != (want[i].Value == nil) {
			e.Fatalf("header %d is %v instead of %v", i, have[i], want[i])
		}
	}
	if h := batches[0].Records[1].Headers; len(h) != 0 {
		e.Fatalf("a record without headers has %v", h)
	}
}

func produceNulls(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	sent := []broker.Record{{Key: nil, Value: nil}, {Key: []byte{}, Value: nil}, {Key: nil, Value: []byte{}}, {Key: []byte{}, Value: []byte{}}}
	e.Send(p, to, sent...)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	i := 0
	for i < len(sent) {
		batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
		e.Must(err, "poll")
		for _, b := range batches {
			for _, r := range b.Records {
				if (r.Key == nil) != (sent[i].Key == nil) || (r.Value == nil) != (sent[i].Value == nil) || len(r.Key)+len(r.Value) > 0 {
					e.Fatalf("record %d came as key %#v, value %#v", i, r.Key, r.Value)
				}
				i++
			}
		}
	}
}

func produceTimestamps(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	before := e.Main().Host().Now().UnixMilli()
	e.Send(p, to, broker.Record{Value: []byte("a"), Timestamp: 0}, broker.Record{Value: []byte("b"), Timestamp: 1357002000123},
		broker.Record{Value: []byte("c"), Timestamp: broker.NoTimestamp}, broker.Record{Value: []byte("d"), Timestamp: 5})
	after := e.Main().Host().Now().UnixMilli()
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	came := e.Read(c, 4)
	if came[0].timestamp != 0 || came[1].timestamp != 1357002000123 || came[3].timestamp != 5 {
		e.Fatalf("timestamps came as %v", came)
	}
	if ts := came[2].timestamp; ts < before || ts > after {
		e.Fatalf("the clock's timestamp %d is not between %d and %d", ts, before, after)
	}
}

func produceBig(e *Env) {
	const n = 20000
	to := tp(e.Topic("t", 1), 0)
	e.Fill(to, 0, n)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, n) {
		if g.offset != int64(i) || g.value != fmt.Sprintf("v%d", i) || g.timestamp != int64(1000+i) {
			e.Fatalf("record %d came as %v", i, g)
		}
	}
}

func produceTooLarge(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{MaxRequestSize: 10000})
	defer p.Close()
	var failed error
	large := broker.Record{Value: bytes.Repeat([]byte("x"), 20000)}
	e.Must(p.Send(e.Ctx, to, []broker.Record{large}, func(base int64, err error) {
		failed = err
		if base != broker.NoOffset {
			failed = fmt.Errorf("base is %d", base)
		}
	}), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	e.Is(failed, "ack", broker.ErrRecordTooLarge)
	e.Send(p, to, keyed(0, 1)...)
	if end := e.EndOffset(broker.ReadUncommitted, to); end != 1 {
		e.Fatalf("the end is %d", end)
	}
}

func produceCompression(e *Env) {
	topic := e.Topic("t", 5)
	for i, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		to := tp(topic, int32(i))
		p := e.producer(broker.ProducerConfig{Compression: name})
		e.Send(p, to, keyed(0, 500)...)
		p.Close()
		c := e.Consumer(broker.ReadUncommitted, to)
		if came := e.Read(c, 500); came[499].value != "v499" || came[499].key != "k499" {
			e.Fatalf("%s: the last record came as %v", name, came[499])
		}
		c.Close()
	}
}

func produceNothing(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	acks := 0
	e.Must(p.Send(e.Ctx, to, nil, func(base int64, err error) {
		if base == broker.NoOffset && err == nil {
			acks++
		}
	}), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	if acks != 1 {
		e.Fatalf("%d good acks", acks)
	}
}

func produceTwo(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	other := e.Start("other")
	th := e.Go(other, "other", func(e *Env) {
		p := e.Producer()
		defer p.Close()
		for i := range 100 {
			e.Send(p, to, keyed(1000+i, 1)...)
		}
	})
	p := e.Producer()
	defer p.Close()
	for i := range 100 {
		e.Send(p, to, keyed(i, 1)...)
	}
	th.Wait()
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	next := map[bool]int{true: 1000, false: 0}
	for _, g := range e.Read(c, 200) {
		var n int
		if _, err := fmt.Sscanf(g.value, "v%d", &n); err != nil {
			e.Fatalf("value %q", g.value)
		}
		if n != next[n >= 1000] {
			e.Fatalf("v%d came instead of v%d", n, next[n >= 1000])
		}
		next[n >= 1000]++
	}
}

func produceLinger(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{Linger: time.Minute, DeliveryTimeout: 3 * time.Minute})
	defer p.Close()
	began := e.Main().Host().Now()
	e.Send(p, to, keyed(0, 1)...)
	if d := e.Main().Host().Now().Sub(began); d > 30*time.Second {
		e.Fatalf("Flush took %v", d)
	}
}

func produceClosed(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	p.Close()
	e.Is(p.Send(e.Ctx, to, keyed(0, 1), nil), "send", broker.ErrClosed)
	e.Is(p.Flush(e.Ctx), "flush", broker.ErrClosed)
	p.Close()
}

func produceReuse(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	records := make([]broker.Record, 1)
	for i := range 20 {
		records[0] = broker.Record{Value: fmt.Appendf(nil, "v%d", i)}
		e.Must(p.Send(e.Ctx, to, records, nil), "send")
		e.Must(p.Flush(e.Ctx), "flush")
	}
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, 20) {
		if g.value != fmt.Sprintf("v%d", i) {
			e.Fatalf("record %d came as %q", i, g.value)
		}
	}
}

func produceSmall(e *Env) {
	topic := e.Topic("t", 8)
	p := e.Producer()
	defer p.Close()
	acks, last := 0, make(map[int32]int64)
	for i := range 2000 {
		to := tp(topic, int32(i%8))
		e.Must(p.Send(e.Ctx, to, keyed(i, 1), func(base int64, err error) {
			if err != nil || base != last[to.Partition] {
				e.Fatalf("%s: base %d, error %v; expected base %d", to, base, err, last[to.Partition])
			}
			last[to.Partition]++
			acks++
		}), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	if acks != 2000 {
		e.Fatalf("%d acks", acks)
	}
}

func produceMegabyte(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	value := bytes.Repeat([]byte("0123456789abcdef"), 62500)
	for i := range 3 {
		e.Send(p, to, broker.Record{Key: fmt.Append(nil, i), Value: value, Timestamp: 1})
	}
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, 3) {
		if g.key != fmt.Sprint(i) || g.value != string(value) {
			e.Fatalf("record %d came with key %q and %d bytes", i, g.key, len(g.value))
		}
	}
}

// sendLarge sends one record of 20,000 bytes to a topic that allows 10,000, and returns the error of the ack.
func (e *Env) sendLarge(p broker.Producer, to broker.TopicPartition) error {
	e.T.Helper()
	var failed error
	e.Must(p.Send(e.Ctx, to, []broker.Record{{Value: bytes.Repeat([]byte("x"), 20000)}}, func(_ int64, err error) { failed = err }), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	return failed
}

func produceTopicLimit(e *Env) {
	to := tp(e.Topic("t", 1, "max.message.bytes", "10000"), 0)
	p := e.Producer()
	defer p.Close()
	e.Is(e.sendLarge(p, to), "ack", broker.ErrRecordTooLarge)
	if end := e.EndOffset(broker.ReadUncommitted, to); end != 0 {
		e.Fatalf("the end is %d", end)
	}
}

func produceTopicLimitAfter(e *Env) {
	to := tp(e.Topic("t", 1, "max.message.bytes", "10000"), 0)
	p := e.Producer()
	defer p.Close()
	e.Send(p, to, keyed(0, 2)...)
	e.Is(e.sendLarge(p, to), "ack", broker.ErrRecordTooLarge)
	e.Send(p, to, keyed(2, 2)...)
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	e.Values(e.Read(c, 4), "v0", "v1", "v2", "v3")
}

func produceBytes(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for i := range 256 {
		e.Must(p.Send(e.Ctx, to, []broker.Record{{Key: all[i : i+1], Value: all[i:], Timestamp: 1}}, nil), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, 256) {
		if g.key != string(all[i:i+1]) || g.value != string(all[i:]) {
			e.Fatalf("record %d came as %q, %q", i, g.key, g.value)
		}
	}
}

func produceManyHeaders(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	var headers []broker.Header
	for i := range 100 {
		headers = append(headers, broker.Header{Key: fmt.Sprintf("h%d", i%7), Value: bytes.Repeat([]byte{byte(i)}, i)})
	}
	e.Send(p, to, broker.Record{Value: []byte("v"), Headers: headers})
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	batches, err := c.Poll(e.Ctx, 1, 20*time.Second)
	e.Must(err, "poll")
	if len(batches) != 1 || len(batches[0].Records) != 1 || len(batches[0].Records[0].Headers) != 100 {
		e.Fatalf("batches: %v", batches)
	}
	for i, h := range batches[0].Records[0].Headers {
		if h.Key != headers[i].Key || !bytes.Equal(h.Value, headers[i].Value) {
			e.Fatalf("header %d came as %v", i, h)
		}
	}
}

func produceAckOrder(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.Producer()
	defer p.Close()
	var order []int
	for i := range 200 {
		e.Must(p.Send(e.Ctx, to, keyed(i, 1), func(base int64, err error) {
			if err != nil || base != int64(i) {
				e.Fatalf("record %d: base %d, %v", i, base, err)
			}
			order = append(order, i)
		}), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	for i, n := range order {
		if n != i || len(order) != 200 {
			e.Fatalf("the acks came in the order %v", order)
		}
	}
}

func produceApart(e *Env) {
	topic := e.Topic("t", 2)
	p := e.Producer()
	defer p.Close()
	outcome := map[int32]error{}
	for _, partition := range []int32{0, 7, 1} {
		e.Must(p.Send(e.Ctx, tp(topic, partition), keyed(0, 1), func(_ int64, err error) { outcome[partition] = err }), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	if len(outcome) != 3 || outcome[0] != nil || outcome[1] != nil {
		e.Fatalf("outcomes: %v", outcome)
	}
	e.Is(outcome[7], "a partition that does not exist", broker.ErrUnknownTopic)
}

func produceBatchSize(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	p := e.producer(broker.ProducerConfig{BatchSize: 200, Linger: 5 * time.Millisecond})
	defer p.Close()
	for i := range 30 {
		e.Must(p.Send(e.Ctx, to, keyed(20*i, 20), nil), "send")
	}
	e.Must(p.Flush(e.Ctx), "flush")
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	for i, g := range e.Read(c, 600) {
		if g.offset != int64(i) || g.value != fmt.Sprintf("v%d", i) {
			e.Fatalf("record %d came as %v", i, g)
		}
	}
}

func produceCompressedParts(e *Env) {
	topic := e.Topic("t", 4)
	sent := []broker.Record{
		{Key: nil, Value: []byte{}, Timestamp: 7}, {Key: []byte{}, Value: nil, Timestamp: 3},
		{Key: []byte("k"), Value: []byte("v"), Timestamp: 1 << 40, Headers: []broker.Header{{Key: "h", Value: nil}, {Key: "h", Value: []byte("x")}}},
	}
	for i, name := range []string{"gzip", "snappy", "lz4", "zstd"} {
		at := tp(topic, int32(i))
		p := e.producer(broker.ProducerConfig{Compression: name})
		e.Send(p, at, sent...)
		p.Close()
		c := e.Consumer(broker.ReadUncommitted, at)
		batches, err := c.Poll(e.Ctx, 10, 20*time.Second)
		e.Must(err, "poll")
		if len(batches) != 1 || len(batches[0].Records) != len(sent) {
			e.Fatalf("%s: batches %v", name, batches)
		}
		for j, r := range batches[0].Records {
			want := sent[j]
			if (r.Key == nil) != (want.Key == nil) || (r.Value == nil) != (want.Value == nil) || !bytes.Equal(r.Value, want.Value) ||
				r.Timestamp != want.Timestamp || len(r.Headers) != len(want.Headers) {
				e.Fatalf("%s: record %d came as %+v", name, j, r)
			}
		}
		c.Close()
	}
}

func produceNoKey(e *Env) {
	to := tp(e.Topic("t", 1, "cleanup.policy", "compact"), 0)
	p := e.Producer()
	defer p.Close()
	var failed error
	e.Must(p.Send(e.Ctx, to, []broker.Record{{Value: []byte("v")}}, func(_ int64, err error) { failed = err }), "send")
	e.Must(p.Flush(e.Ctx), "flush")
	e.Is(failed, "ack", broker.ErrFatal)
	e.Send(p, to, keyed(0, 1)...)
}

func produceUnknownTopic(e *Env) {
	p := e.producer(broker.ProducerConfig{DeliveryTimeout: 40 * time.Second})
	defer p.Close()
	var failed error
	err := p.Send(e.Ctx, tp(e.Name("nosuch"), 0), keyed(0, 1), func(_ int64, err error) { failed = err })
	if err == nil {
		e.Must(p.Flush(e.Ctx), "flush")
		err = failed
	}
	e.Is(err, "send to a topic that does not exist", broker.ErrUnknownTopic)
}

func produceFlushNothing(e *Env) {
	p := e.Producer()
	defer p.Close()
	for range 3 {
		e.Must(p.Flush(e.Ctx), "flush")
	}
}

func produceStay(e *Env) {
	to := tp(e.Topic("t", 1), 0)
	for i := range 3 {
		p := e.Producer()
		e.Send(p, to, keyed(i, 1)...)
		p.Close()
	}
	c := e.Consumer(broker.ReadUncommitted, to)
	defer c.Close()
	e.Values(e.Read(c, 3), "v0", "v1", "v2")
}

func produceDeletedTopic(e *Env) {
	gone, stays := e.Topic("gone", 1), e.Topic("stays", 1)
	p := e.Producer()
	defer p.Close()
	e.Send(p, tp(gone, 0), keyed(0, 1)...)
	e.Send(p, tp(stays, 0), keyed(0, 1)...)
	e.Must(e.Cluster().Admin().DeleteTopics(e.Ctx, gone), "delete")
	for i := range 5 {
		e.Send(p, tp(stays, 0), keyed(1+i, 1)...)
	}
	c := e.Consumer(broker.ReadUncommitted, tp(stays, 0))
	defer c.Close()
	e.Values(e.Read(c, 6), "v0", "v1", "v2", "v3", "v4", "v5")
}
