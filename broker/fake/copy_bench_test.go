package fake_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// BenchmarkCopy copies a million records of 100 bytes from one topic of six partitions to another: bare with kgo, and through the
// port as a consumer, as a member, and in transactions of 100 ms. The cluster is the fake one in this process, whose CPU time is counted
// too, or the one that KSTREAMLAB_BOOTSTRAP names. Run it with -benchtime 1x.
func BenchmarkCopy(b *testing.B) {
	const records, partitions = 1_000_000, 6
	h := host.NewLive(context.Background(), host.LiveConfig{Name: "bench"})
	bootstrap := strings.Split(os.Getenv("KSTREAMLAB_BOOTSTRAP"), ",")
	if bootstrap[0] == "" {
		f, err := fake.New(fake.Config{})
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		bootstrap = f.Bootstrap()
	}
	cluster, err := kafka.New(kafka.Config{Bootstrap: bootstrap, Host: h})
	if err != nil {
		b.Fatal(err)
	}
	defer cluster.Close()
	c := &copying{b: b, h: h, cluster: cluster, bootstrap: bootstrap, records: records, partitions: partitions}
	c.prepare()
	for _, way := range []struct {
		name string
		run  func(out string)
	}{{"bare", c.bare}, {"consumer", c.consumer}, {"member", c.member}, {"transactions", c.transactions}} {
		b.Run(way.name, func(b *testing.B) {
			c.b = b
			for range b.N {
				out := c.topic("out-" + way.name)
				wall, cpu := time.Now(), cpuTime()
				way.run(out)
				b.ReportMetric(records/time.Since(wall).Seconds(), "records/s")
				b.ReportMetric((cpuTime()-cpu).Seconds()/records*1e6, "cpu-s/M")
				c.complete(out)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type copying struct {
	b          *testing.B
	h          host.Host
	cluster    *kafka.Cluster
	bootstrap  []string
	records    int
	partitions int32
	in         string
}

var topics atomic.Int64

func (c *copying) topic(name string) string {
	name = fmt.Sprintf("bench-%d-%d-%s", time.Now().UnixMilli(), topics.Add(1), name)
	err := c.cluster.Admin().CreateTopics(context.Background(), broker.NewTopic{Name: name, Partitions: c.partitions, ReplicationFactor: -1})
	c.must(err)
	return name
}

func (c *copying) must(err error) {
	c.b.Helper()
	if err != nil {
		c.b.Fatal(err)
	}
}

// prepare fills the topic that is copied.
func (c *copying) prepare() {
	ctx := context.Background()
	c.in = c.topic("in")
	p, err := c.cluster.NewProducer(ctx, broker.ProducerConfig{})
	c.must(err)
	defer p.Close()
	value := make([]byte, 90)
	for i := 0; i < c.records; i += 1000 {
		batch := make([]broker.Record, 1000)
		for j := range batch {
			batch[j] = broker.Record{Key: fmt.Appendf(nil, "%010d", i+j), Value: value, Timestamp: int64(i + j)}
		}
		c.must(p.Send(ctx, broker.TopicPartition{Topic: c.in, Partition: int32(i / 1000 % int(c.partitions))}, batch, nil))
	}
	c.must(p.Flush(ctx))
}

// complete checks that everything has arrived.
func (c *copying) complete(out string) {
	ends, err := c.cluster.Admin().EndOffsets(context.Background(), broker.ReadCommitted, c.all(out)...)
	c.must(err)
	var n int64
	for _, end := range ends {
		n += end
	}
	if n < int64(c.records) {
		c.b.Fatalf("%d records arrived", n)
	}
}

func (c *copying) all(topic string) []broker.TopicPartition {
	var tps []broker.TopicPartition
	for i := range c.partitions {
		tps = append(tps, broker.TopicPartition{Topic: topic, Partition: i})
	}
	return tps
}

// bare is the loop that a Go programmer would write with kgo alone, with its buffers set as the port sets them.
func (c *copying) bare(out string) {
	ctx := context.Background()
	from, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap...), kgo.ConsumeTopics(c.in), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	c.must(err)
	defer from.Close()
	to, err := kgo.NewClient(kgo.SeedBrokers(c.bootstrap...), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(1<<17))
	c.must(err)
	defer to.Close()
	failed := func(_ *kgo.Record, err error) {
		if err != nil {
			c.b.Error(err)
		}
	}
	for n := 0; n < c.records; {
		fetches := from.PollRecords(ctx, 10000)
		c.must(fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			to.Produce(ctx, &kgo.Record{Topic: out, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: r.Headers, Timestamp: r.Timestamp}, failed)
			n++
		})
	}
	c.must(to.Flush(ctx))
}

func (c *copying) consumer(out string) {
	co, err := c.cluster.NewConsumer(context.Background(), broker.ConsumerConfig{})
	c.must(err)
	defer co.Close()
	at := make(map[broker.TopicPartition]int64)
	for _, tp := range c.all(c.in) {
		at[tp] = 0
	}
	c.must(co.Assign(context.Background(), at))
	c.copy(co, out)
}

func (c *copying) member(out string) {
	m := c.join(out)
	defer m.Close()
	c.copy(m, out)
	c.must(m.Leave(context.Background()))
}

func (c *copying) join(out string) broker.Member {
	m, err := c.cluster.JoinGroup(context.Background(), broker.MemberConfig{ConsumerConfig: broker.ConsumerConfig{Reset: broker.ResetEarliest},
		Group: "g-" + out, Topics: []string{c.in}, Assignor: everything{}, Listener: everything{}})
	c.must(err)
	return m
}

func (c *copying) copy(co broker.Consumer, out string) {
	ctx := context.Background()
	p, err := c.cluster.NewProducer(ctx, broker.ProducerConfig{})
	c.must(err)
	defer p.Close()
	for n := 0; n < c.records; {
		n += c.step(co, p, out)
	}
	c.must(p.Flush(ctx))
}

// step sends on what one Poll returns.
func (c *copying) step(co broker.Consumer, p broker.Producer, out string) (n int) {
	ctx := context.Background()
	batches, err := co.Poll(ctx, 10000, -1)
	c.must(err)
	for _, batch := range batches {
		c.must(p.Send(ctx, broker.TopicPartition{Topic: out, Partition: batch.Partition}, slices.Clone(batch.Records), nil))
		n += len(batch.Records)
	}
	return n
}

func (c *copying) transactions(out string) {
	ctx := context.Background()
	m := c.join(out)
	defer m.Close()
	p, err := c.cluster.NewProducer(ctx, broker.ProducerConfig{TransactionalID: "x-" + out})
	c.must(err)
	defer p.Close()
	for n := 0; n < c.records; {
		c.must(p.Begin())
		for began := time.Now(); time.Since(began) < 100*time.Millisecond && n < c.records; {
			n += c.step(m, p, out)
		}
		offsets := make(map[broker.TopicPartition]broker.OffsetAndMetadata)
		for _, tp := range c.all(c.in) {
			if at := m.Position(tp); at >= 0 {
				offsets[tp] = broker.OffsetAndMetadata{Offset: at, LeaderEpoch: -1}
			}
		}
		c.must(p.SendOffsets(ctx, m.Metadata(), offsets))
		c.must(p.Commit(ctx))
	}
	c.must(m.Leave(ctx))
}

// everything is an assignor for a group of one, and a listener that does nothing.
type everything struct{}

func (everything) Name() string                                                         { return "everything" }
func (everything) Cooperative() bool                                                    { return true }
func (everything) UserData() []byte                                                     { return nil }
func (everything) Revoked(context.Context, []broker.TopicPartition)                     {}
func (everything) Assigned(context.Context, broker.Assignment, []broker.TopicPartition) {}
func (everything) Lost(context.Context, []broker.TopicPartition)                        {}

func (everything) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	var a broker.Assignment
	for topic, n := range g.Partitions {
		for p := range n {
			a.Partitions = append(a.Partitions, broker.TopicPartition{Topic: topic, Partition: p})
		}
	}
	return map[string]broker.Assignment{g.Members[0].MemberID: a}, nil
}
