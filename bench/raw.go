package main

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A counter reports the first record and the expected-th.
type counter struct {
	n, want int64
	first   time.Time
}

// start says that the first records are there.
func (c *counter) start() {
	if c.first.IsZero() {
		c.first = time.Now()
		event("first", 0)
	}
}

func (c *counter) add(n int64) {
	was := atomic.AddInt64(&c.n, n) - n
	if was == 0 {
		c.start()
	}
	if c.want > 0 && was < c.want && was+n >= c.want {
		event("elapsed_us", time.Since(c.first).Microseconds())
		event("done", was+n)
	}
}

// raw copies topic to topic with franz-go alone: WORKLOAD BOOTSTRAP GROUP - GUARANTEE EXPECTED OUT. With exactly_once_v2 a
// transaction ends every 100 ms, as Kafka Streams' do; else offsets are committed every 5 s.
func raw(a []string) {
	in := "in"
	if a[0] == "L" {
		in = "lat-in"
	}
	want, _ := strconv.ParseInt(a[5], 10, 64)
	cnt := &counter{want: want}
	out := a[6]
	linger := time.Duration(0)
	if a[0] != "L" {
		linger = 5 * time.Millisecond
	}
	opts := []kgo.Opt{kgo.SeedBrokers(strings.Split(a[1], ",")...), kgo.ConsumeTopics(in), kgo.ConsumerGroup(a[2]),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DefaultProduceTopic(out), kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerLinger(linger), kgo.MaxBufferedRecords(50_000), kgo.FetchMaxWait(100 * time.Millisecond)}
	ctx := context.Background()
	if a[4] != "exactly_once_v2" {
		c, err := kgo.NewClient(append(opts, kgo.AutoCommitMarks())...)
		check(err)
		for {
			f := c.PollRecords(ctx, 20_000)
			var last int
			if f.NumRecords() > 0 {
				cnt.start()
			}
			f.EachRecord(func(r *kgo.Record) {
				last++
				c.Produce(ctx, &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}, func(_ *kgo.Record, err error) { check(err) })
			})
			if last > 0 && cnt.want > 0 && cnt.n+int64(last) >= cnt.want {
				check(c.Flush(ctx))
			}
			c.MarkCommitRecords(f.Records()...)
			if last > 0 {
				cnt.add(int64(last))
			}
		}
	}
	s, err := kgo.NewGroupTransactSession(append(opts, kgo.TransactionalID(a[2]), kgo.FetchIsolationLevel(kgo.ReadCommitted()))...)
	check(err)
	for {
		f := s.PollRecords(ctx, 20_000)
		if f.NumRecords() == 0 {
			continue
		}
		cnt.start()
		check(s.Begin())
		began := time.Now()
		var n int64
		for {
			f.EachRecord(func(r *kgo.Record) {
				n++
				s.Produce(ctx, &kgo.Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp}, func(_ *kgo.Record, err error) { check(err) })
			})
			left := 100*time.Millisecond - time.Since(began)
			if left <= 0 || (cnt.want > 0 && cnt.n+n >= cnt.want) {
				break
			}
			cx, cancel := context.WithTimeout(ctx, left)
			f = s.PollRecords(cx, 20_000)
			cancel()
		}
		_, err := s.End(ctx, kgo.TryCommit)
		check(err)
		cnt.add(n)
	}
}

// count is how many records have passed.
func (c *counter) count() int64 { return atomic.LoadInt64(&c.n) }
