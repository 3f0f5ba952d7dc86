package fake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// wire is a bare client, and the port, of one cluster.
type wire struct {
	t    *testing.T
	ctx  context.Context
	fake *fake.Cluster
	kgo  *kgo.Client
	port broker.Cluster
}

func connect(t *testing.T, cfg fake.Config) *wire {
	t.Helper()
	w := &wire{t: t, fake: start(t, cfg)}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	w.ctx = ctx
	var err error
	w.kgo, err = kgo.NewClient(kgo.SeedBrokers(w.fake.Bootstrap()...))
	w.must(err)
	t.Cleanup(w.kgo.Close)
	w.port, err = w.fake.Client(kafka.Config{Host: host.NewLive(ctx, host.LiveConfig{})})
	w.must(err)
	t.Cleanup(w.port.Close)
	return w
}

func (w *wire) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *wire) producer(id string, timeout time.Duration) broker.Producer {
	w.t.Helper()
	p, err := w.port.NewProducer(w.ctx, broker.ProducerConfig{TransactionalID: id, TransactionTimeout: timeout})
	w.must(err)
	w.t.Cleanup(p.Close)
	return p
}

// send writes one record and returns what became of it.
func (w *wire) send(p broker.Producer, to broker.TopicPartition, key, value string) (failed error) {
	w.t.Helper()
	ack := func(_ int64, err error) { failed = err }
	if err := p.Send(w.ctx, to, []broker.Record{{Key: []byte(key), Value: []byte(value)}}, ack); err != nil {
		return err
	}
	if err := p.Flush(w.ctx); err != nil {
		return err
	}
	return failed
}

var t0 = broker.TopicPartition{Topic: "t", Partition: 0}

// epochEnd asks the leader where leader epoch 0 ends.
func (w *wire) epochEnd() int64 {
	w.t.Helper()
	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
	rt.Topic = "t"
	rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
	rp.CurrentLeaderEpoch = -1
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	resp, err := req.RequestWith(w.ctx, w.kgo)
	w.must(err)
	return resp.Topics[0].Partitions[0].EndOffset
}

func TestK1EpochEndsAtHighWatermarkAfterMove(t *testing.T) {
	for exact, want := range map[bool]int64{false: 3, true: -1} {
		w := connect(t, fake.Config{Brokers: 2, Topics: map[string]int{"t": 1}, Exact: exact})
		p := w.producer("", 0)
		for range 3 {
			w.must(w.send(p, t0, "k", "v"))
		}
		w.must(w.fake.Fake().MoveTopicPartition("t", 0, (w.fake.Fake().LeaderFor("t", 0)+1)%2))
		if end := w.epochEnd(); end != want {
			t.Errorf("exact=%v: epoch 0 ends at %d instead of %d", exact, end, want)
		}
	}
}

func TestK1EpochThatKfakeKnowsIsItsOwn(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	w.must(w.send(w.producer("", 0), t0, "k", "v"))
	if end := w.epochEnd(); end != 1 {
		t.Errorf("the current epoch ends at %d", end)
	}
}

// K2 and K3: compaction happens only when it is asked for and nothing is open.
func TestK2CompactionWaitsForTransactions(t *testing.T) {
	w := connect(t, fake.Config{})
	w.must(w.port.Admin().CreateTopics(w.ctx, broker.NewTopic{Name: "t", Partitions: 1, Configs: map[string]string{"cleanup.policy": "compact"}}))
	plain := w.producer("", 0)
	w.must(w.send(plain, t0, "k", "committed"))
	p := w.producer("x", time.Minute)
	w.must(p.Begin())
	w.must(w.send(p, t0, "k", "aborted"))
	w.must(w.send(plain, t0, "other", "v"))
	if err := w.fake.Compact("t"); err == nil {
		t.Fatal("it was compacted under an open transaction")
	}
	w.must(p.Abort(w.ctx))
	w.must(w.fake.Compact("t"))
	values := w.read(t0)
	if values["k"] != "committed" || values["other"] != "v" {
		t.Errorf("after compaction: %v", values)
	}
}

// K3: kfake moves the log's start when it compacts; a reader that stands before it reads on all the same, as in Kafka, until records are
// deleted.
func TestK3ReaderBeforeTheStartReadsOn(t *testing.T) {
	for _, exact := range []bool{false, true} {
		w := connect(t, fake.Config{Exact: exact})
		w.create("t", map[string]string{"cleanup.policy": "compact"})
		p := w.producer("", 0)
		for _, v := range []string{"1", "2", "3"} {
			w.must(w.send(p, t0, "k", v))
		}
		w.must(w.fake.Compact("t"))
		starts, err := w.port.Admin().EarliestOffsets(w.ctx, t0)
		w.must(err)
		if starts[t0] == 0 {
			t.Error("kfake no longer moves the start: docs/divergence.md, broker/fake, K3 can go")
		}
		if err := w.readFrom(0); exact != errors.Is(err, broker.ErrOffsetOutOfRange) || !exact && err != nil {
			t.Errorf("exact=%v: from 0: %v", exact, err)
		}
		w.must(w.send(p, t0, "k", "4"))
		w.must(w.port.Admin().DeleteRecords(w.ctx, map[broker.TopicPartition]int64{t0: 3}))
		if err := w.readFrom(0); !errors.Is(err, broker.ErrOffsetOutOfRange) {
			t.Errorf("exact=%v: from 0, where records were deleted: %v", exact, err)
		}
	}
}

// readFrom polls once from an offset, with no reset policy.
func (w *wire) readFrom(offset int64) error {
	w.t.Helper()
	c, err := w.port.NewConsumer(w.ctx, broker.ConsumerConfig{})
	w.must(err)
	defer c.Close()
	w.must(c.Assign(w.ctx, map[broker.TopicPartition]int64{t0: offset}))
	_, err = c.Poll(w.ctx, 10, -1)
	return err
}

// read returns the last value of each key.
func (w *wire) read(at broker.TopicPartition) map[string]string {
	w.t.Helper()
	c, err := w.port.NewConsumer(w.ctx, broker.ConsumerConfig{Isolation: broker.ReadCommitted, Reset: broker.ResetEarliest})
	w.must(err)
	defer c.Close()
	w.must(c.Assign(w.ctx, map[broker.TopicPartition]int64{at: 0}))
	ends, err := c.EndOffsets(w.ctx, broker.ReadCommitted, at)
	w.must(err)
	values := map[string]string{}
	for c.Position(at) < ends[at] {
		batches, err := c.Poll(w.ctx, 100, -1)
		w.must(err)
		for _, b := range batches {
			for _, r := range b.Records {
				values[string(r.Key)] = string(r.Value)
			}
		}
	}
	return values
}

func TestK4ZombieOpensNoTransaction(t *testing.T) {
	for exact, want := range map[bool]string{false: "Empty", true: "Ongoing"} {
		w := connect(t, fake.Config{Topics: map[string]int{"t": 1}, Exact: exact})
		zombie := w.producer("x", time.Minute)
		w.must(zombie.Begin())
		w.producer("x", time.Minute) // its successor
		if err := w.send(zombie, t0, "k", "v"); !errors.Is(err, broker.ErrFenced) {
			t.Errorf("exact=%v: the zombie's record: %v", exact, err)
		}
		req := kmsg.NewPtrDescribeTransactionsRequest()
		req.TransactionalIDs = []string{"x"}
		resp, err := req.RequestWith(w.ctx, w.kgo)
		w.must(err)
		if state := resp.TransactionStates[0].State; state != want {
			t.Errorf("exact=%v: the successor's transaction is %s instead of %s", exact, state, want)
		}
	}
}

func TestK4LiveProducerIsLeftAlone(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	p := w.producer("x", time.Minute)
	for i := range 20 {
		w.must(p.Begin())
		w.must(w.send(p, t0, "k", "v"))
		if i%3 == 0 {
			w.must(p.Abort(w.ctx))
		} else {
			w.must(p.Commit(w.ctx))
		}
	}
}

func TestK14PositionReachesTheEnd(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	p := w.producer("x", time.Minute)
	w.must(p.Begin())
	w.must(w.send(p, t0, "k", "v"))
	w.must(p.Commit(w.ctx))
	if values := w.read(t0); values["k"] != "v" { // which loops until the position is at the end
		t.Errorf("read %v", values)
	}
}

func TestK15K16VersionsThatJavaClientsCanRead(t *testing.T) {
	w := connect(t, fake.Config{})
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
	resp, err := req.RequestWith(w.ctx, w.kgo)
	w.must(err)
	seen := false
	for _, k := range resp.ApiKeys {
		switch k.ApiKey {
		case int16(kmsg.DescribeTopicPartitions):
			t.Errorf("DescribeTopicPartitions is offered up to version %d", k.MaxVersion)
		case int16(kmsg.CreateTopics):
			seen = true
			if k.MaxVersion != 4 {
				t.Errorf("CreateTopics is offered up to version %d", k.MaxVersion)
			}
		}
	}
	if !seen {
		t.Error("CreateTopics is not offered")
	}
	w.must(w.port.Admin().CreateTopics(w.ctx, broker.NewTopic{Name: "made", Partitions: 2}))
}

func TestShortSessions(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = "g", "consumer", 200, 1000
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name = "x"
	req.Protocols = append(req.Protocols, p)
	resp, err := req.RequestWith(w.ctx, w.kgo)
	w.must(err)
	const memberIDRequired = 79
	if resp.ErrorCode != memberIDRequired {
		t.Errorf("a session of 200 ms is answered with %d", resp.ErrorCode)
	}
}

func TestDataSurvivesRestart(t *testing.T) {
	dir := t.TempDir()
	for round, want := range []int64{1, 2} {
		c, err := fake.New(fake.Config{DataDir: dir, Topics: map[string]int{"t": 1}})
		if err != nil {
			t.Fatal(err)
		}
		port, err := c.Client(kafka.Config{Host: host.NewLive(t.Context(), host.LiveConfig{})})
		if err != nil {
			t.Fatal(err)
		}
		w := &wire{t: t, ctx: t.Context(), fake: c, port: port}
		p, err := port.NewProducer(t.Context(), broker.ProducerConfig{})
		w.must(err)
		w.must(w.send(p, t0, "k", "v"))
		p.Close()
		ends, err := port.Admin().EndOffsets(t.Context(), broker.ReadUncommitted, t0)
		w.must(err)
		if ends[t0] != want {
			t.Errorf("round %d: the end is %d instead of %d", round, ends[t0], want)
		}
		port.Close()
		c.Close()
	}
}
