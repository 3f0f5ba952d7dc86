//go:build integration

package integration_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/integration"
)

// TestExactlyOnceThroughCrashes copies records with two processes on three brokers, while brokers and processes are killed.
func TestExactlyOnceThroughCrashes(t *testing.T) {
	const partitions, records = 4, 60_000
	brokers := integration.Kafka{Dir: filepath.Join(t.TempDir(), "three")}
	bootstrap, err := brokers.Start("--brokers", "3")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := brokers.Stop(); err != nil {
			t.Error(err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	h := host.NewLive(ctx, host.LiveConfig{Name: "test"})
	cluster, err := kafka.New(kafka.Config{Bootstrap: bootstrap, Host: h})
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"in", "out"} {
		must(cluster.Admin().CreateTopics(ctx, broker.NewTopic{Name: name, Partitions: partitions, ReplicationFactor: 3}))
	}
	copiers := make(map[string]*copier)
	start := func(name string) {
		c, err := startCopier(bootstrap, name, "in", "out")
		must(err)
		copiers[name] = c
	}
	start("a")
	start("b")

	p, err := cluster.NewProducer(ctx, broker.ProducerConfig{})
	must(err)
	defer p.Close()
	written := 0
	write := func(n int) { // spread over a while, so that crashes fall into it
		for range n / 500 {
			batch := make([]broker.Record, 500)
			for i := range batch {
				batch[i] = broker.Record{Value: fmt.Appendf(nil, "%d", written+i), Timestamp: broker.NoTimestamp}
			}
			must(p.Send(ctx, broker.TopicPartition{Topic: "in", Partition: int32(written / 500 % partitions)}, batch, nil))
			must(p.Flush(ctx))
			must(h.Sleep(ctx, 50*time.Millisecond))
			written += len(batch)
		}
	}
	write(10_000)
	must(brokers.Kill(2))
	write(10_000)
	copiers["a"].kill()
	write(10_000)
	if _, err := brokers.Start(); err != nil {
		t.Fatal(err)
	}
	start("a")
	write(10_000)
	must(brokers.Kill(3))
	copiers["b"].kill()
	start("b")
	write(10_000)
	if _, err := brokers.Start(); err != nil {
		t.Fatal(err)
	}
	write(records - written)

	seen := readAll(ctx, t, cluster, partitions, records)
	for i := range records {
		if n := seen[fmt.Sprint(i)]; n != 1 {
			t.Fatalf("record %d came %d times; %d different ones came", i, n, len(seen))
		}
	}
	for name, c := range copiers {
		c.kill()
		if c.err != nil {
			t.Errorf("copier %s: %v", name, c.err)
		}
	}
}

// readAll reads the output until n records have come and the end is reached, and counts each value.
func readAll(ctx context.Context, t *testing.T, cluster broker.Cluster, partitions int32, n int) map[string]int {
	t.Helper()
	c, err := cluster.NewConsumer(ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	at := map[broker.TopicPartition]int64{}
	for p := range partitions {
		at[broker.TopicPartition{Topic: "out", Partition: p}] = 0
	}
	if err := c.Assign(ctx, at); err != nil {
		t.Fatal(err)
	}
	seen, count := map[string]int{}, 0
	for wait := time.Duration(-1); ; {
		if count >= n {
			wait = 3 * time.Second // nothing more may come
		}
		batches, err := c.Poll(ctx, 10_000, wait)
		if err != nil {
			t.Fatalf("%v after %d of %d records", err, count, n)
		}
		if len(batches) == 0 && count >= n {
			return seen
		}
		for _, b := range batches {
			for _, r := range b.Records {
				seen[string(r.Value)]++
				count++
			}
		}
	}
}
