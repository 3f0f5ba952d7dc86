package fake_test

import (
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// stamp writes a record of the year 1970 and returns the time that a reader sees.
func (w *wire) stamp(topic string) int64 {
	w.t.Helper()
	at := broker.TopicPartition{Topic: topic}
	p := w.producer("", 0)
	defer p.Close()
	w.must(p.Send(w.ctx, at, []broker.Record{{Key: []byte("k"), Value: []byte("v"), Timestamp: 1000}}, nil))
	w.must(p.Flush(w.ctx))
	c, err := w.port.NewConsumer(w.ctx, broker.ConsumerConfig{})
	w.must(err)
	defer c.Close()
	ends, err := c.EndOffsets(w.ctx, broker.ReadUncommitted, at)
	w.must(err)
	w.must(c.Assign(w.ctx, map[broker.TopicPartition]int64{at: ends[at] - 1}))
	batches, err := c.Poll(w.ctx, 1, -1)
	w.must(err)
	return batches[0].Records[0].Timestamp
}

func (w *wire) create(topic string, configs map[string]string) {
	w.t.Helper()
	w.must(w.port.Admin().CreateTopics(w.ctx, broker.NewTopic{Name: topic, Partitions: 1, Configs: configs}))
}

func TestK7AppendTimeIsTheBrokers(t *testing.T) {
	appendTime := map[string]string{"message.timestamp.type": "LogAppendTime"}
	for exact, cured := range map[bool]bool{false: true, true: false} {
		w := connect(t, fake.Config{Exact: exact})
		w.create("append", appendTime)
		w.create("create", nil)
		began := time.Now().UnixMilli()
		if got := w.stamp("append"); (got >= began && got <= time.Now().UnixMilli()) != cured {
			t.Errorf("exact=%v: LogAppendTime is %d", exact, got)
		}
		if got := w.stamp("create"); got != 1000 {
			t.Errorf("exact=%v: CreateTime is %d", exact, got)
		}
	}
}

func TestK7AppendTimeFollowsTheSettings(t *testing.T) {
	w := connect(t, fake.Config{BrokerConfigs: map[string]string{"log.message.timestamp.type": "LogAppendTime"}})
	w.create("default", nil)
	w.create("create", map[string]string{"message.timestamp.type": "CreateTime"})
	if got := w.stamp("default"); got == 1000 {
		t.Error("the brokers' setting counts for nothing")
	}
	if got := w.stamp("create"); got != 1000 {
		t.Errorf("the topic's own setting counts for nothing: %d", got)
	}
	w.must(w.port.Admin().DeleteTopics(w.ctx, "create"))
	w.create("create", nil)
	if got := w.stamp("create"); got == 1000 {
		t.Error("a topic that was made again has the old one's setting")
	}
}
