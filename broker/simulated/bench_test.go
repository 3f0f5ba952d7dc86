package simulated_test

import (
	"context"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/sim"
)

func bare(b *testing.B, cfg simulated.Config) *world {
	w := &world{t: b, k: sim.New(sim.Config{Seed: 1})}
	b.Cleanup(w.k.Close)
	cfg.GroupInitialRebalanceDelay = -1
	w.m = simulated.New(w.k, cfg)
	w.main = w.k.NewProcess("main", nil)
	w.c = w.m.Client(w.main)
	return w
}

// BenchmarkProduceFetch writes and reads records of 100 bytes; an operation is one record through both.
func BenchmarkProduceFetch(b *testing.B) {
	w := bare(b, simulated.Config{})
	b.ReportAllocs()
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 6)
		p := w.producer(ctx, "")
		c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
		w.must(err)
		at := map[broker.TopicPartition]int64{}
		for i := range int32(6) {
			at[tp("a", i)] = 0
		}
		w.must(c.Assign(ctx, at))
		key, value := make([]byte, 10), make([]byte, 90)
		batch := make([]broker.Record, 100)
		b.ResetTimer()
		sent, got := 0, 0
		for got < b.N {
			for i := int32(0); sent < b.N && i < 60; i++ {
				n := min(len(batch), b.N-sent)
				for j := range n {
					batch[j] = broker.Record{Key: key, Value: value, Timestamp: 1}
				}
				w.must(p.Send(ctx, tp("a", i%6), batch[:n], nil))
				sent += n
			}
			w.must(p.Flush(ctx))
			for got < sent {
				out, err := c.Poll(ctx, 10000, -1)
				w.must(err)
				for i := range out {
					got += len(out[i].Records)
				}
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkIdleGroup lets six members do nothing for 31 virtual days; an operation is all of it.
func BenchmarkIdleGroup(b *testing.B) {
	for range b.N {
		w := bare(b, simulated.Config{})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 6)
			for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
				w.worker(name, broker.MemberConfig{Assignor: spread{cooperative: true}})
			}
			w.sleep(ctx, 31*24*time.Hour)
		})
	}
}

// BenchmarkTransactions commits transactions of one record and one offset.
func BenchmarkTransactions(b *testing.B) {
	w := bare(b, simulated.Config{})
	b.ReportAllocs()
	w.run(func(ctx context.Context) {
		w.topic(ctx, "a", 1)
		p := w.producer(ctx, "x")
		g := broker.GroupMetadata{Group: "g", Generation: -1}
		r := values(0, 1)
		b.ResetTimer()
		for i := range b.N {
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 0), r, nil))
			w.must(p.SendOffsets(ctx, g, map[broker.TopicPartition]broker.OffsetAndMetadata{tp("a", 0): {Offset: int64(i)}}))
			w.must(p.Commit(ctx))
		}
	})
}
