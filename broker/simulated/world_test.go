package simulated_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// world is a kernel with a model cluster and one client process for the test's own thread.
type world struct {
	t     testing.TB
	k     *sim.Kernel
	m     *simulated.Model
	main  *sim.Process
	c     broker.Cluster
	trace *trace.Log
}

func newWorld(t testing.TB, seed uint64, cfg simulated.Config) *world {
	w := &world{t: t, trace: &trace.Log{Keep: trace.All}}
	w.k = sim.New(sim.Config{Seed: seed, Trace: w.trace})
	t.Cleanup(w.k.Close)
	if cfg.GroupInitialRebalanceDelay == 0 {
		cfg.GroupInitialRebalanceDelay = -1
	}
	w.m = simulated.New(w.k, cfg)
	w.main = w.k.NewProcess("main", nil)
	w.c = w.m.Client(w.main)
	return w
}

// run runs f on a thread of the main process to its end.
func (w *world) run(f func(ctx context.Context)) {
	w.t.Helper()
	done := false
	w.main.Go("test", func(ctx context.Context) {
		defer func() { done = true }()
		f(ctx)
	})
	if err := w.k.Run(func() bool { return done }); err != nil {
		w.t.Fatal(err)
	}
	if !done {
		w.t.Fatal("the test's thread did not end")
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) topic(ctx context.Context, name string, parts int32, configs ...string) {
	w.t.Helper()
	cfg := map[string]string{}
	for i := 0; i+1 < len(configs); i += 2 {
		cfg[configs[i]] = configs[i+1]
	}
	w.must(w.c.Admin().CreateTopics(ctx, broker.NewTopic{Name: name, Partitions: parts, Configs: cfg}))
}

func (w *world) producer(ctx context.Context, id string) broker.Producer {
	w.t.Helper()
	p, err := w.c.NewProducer(ctx, broker.ProducerConfig{TransactionalID: id})
	w.must(err)
	return p
}

func tp(topic string, n int32) broker.TopicPartition {
	return broker.TopicPartition{Topic: topic, Partition: n}
}

func values(from, to int) []broker.Record {
	var out []broker.Record
	for i := from; i < to; i++ {
		out = append(out, broker.Record{Key: []byte("k"), Value: fmt.Append(nil, i), Timestamp: broker.NoTimestamp})
	}
	return out
}

// read returns the values of a partition up to its end under an isolation level, and the position reached.
func (w *world) read(ctx context.Context, p broker.TopicPartition, i broker.IsolationLevel) ([]string, int64) {
	w.t.Helper()
	c, err := w.c.NewConsumer(ctx, broker.ConsumerConfig{Isolation: i, Reset: broker.ResetEarliest})
	w.must(err)
	defer c.Close()
	w.must(c.Assign(ctx, map[broker.TopicPartition]int64{p: broker.NoOffset}))
	end, err := c.EndOffsets(ctx, i, p)
	w.must(err)
	var out []string
	for c.Position(p) < end[p] {
		batches, err := c.Poll(ctx, 100, time.Minute)
		w.must(err)
		if len(batches) == 0 {
			w.t.Fatalf("stuck at %d of %d", c.Position(p), end[p])
		}
		for _, b := range batches {
			for _, r := range b.Records {
				out = append(out, string(r.Value))
			}
		}
	}
	return out, c.Position(p)
}

func (w *world) wantValues(ctx context.Context, p broker.TopicPartition, i broker.IsolationLevel, want ...string) {
	w.t.Helper()
	if got, _ := w.read(ctx, p, i); !slices.Equal(got, want) {
		w.t.Fatalf("%s has %v, want %v", p, got, want)
	}
}
