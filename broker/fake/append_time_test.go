package fake_test

import (
	"slices"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// years are timestamps that are far from each other.
var years = []int64{1000, 1 << 41, 7, 1000}

// stamp writes records with these timestamps in one compressed batch, and returns those that a reader sees.
func (w *wire) stamp(topic string) (seen []int64) {
	w.t.Helper()
	at := broker.TopicPartition{Topic: topic}
	p, err := w.port.NewProducer(w.ctx, broker.ProducerConfig{Compression: "gzip"})
	w.must(err)
	defer p.Close()
	var sent []broker.Record
	for _, timestamp := range years {
		sent = append(sent, broker.Record{Key: []byte("k"), Value: make([]byte, 100), Headers: []broker.Header{{Key: "h", Value: []byte("x")}}, Timestamp: timestamp})
	}
	w.must(p.Send(w.ctx, at, sent, nil))
	w.must(p.Flush(w.ctx))
	c, err := w.port.NewConsumer(w.ctx, broker.ConsumerConfig{Reset: broker.ResetEarliest})
	w.must(err)
	defer c.Close()
	w.must(c.Assign(w.ctx, map[broker.TopicPartition]int64{at: 0}))
	for len(seen) < len(sent) {
		batches, err := c.Poll(w.ctx, len(sent), -1)
		w.must(err)
		for _, b := range batches {
			for _, r := range b.Records {
				if string(r.Key) != "k" || len(r.Value) != 100 || len(r.Headers) != 1 {
					w.t.Errorf("%s has %+v", topic, r)
				}
				seen = append(seen, r.Timestamp)
			}
		}
	}
	return seen
}

func (w *wire) create(topic string, configs map[string]string) {
	w.t.Helper()
	w.must(w.port.Admin().CreateTopics(w.ctx, broker.NewTopic{Name: topic, Partitions: 1, Configs: configs}))
}

// between says whether all times are one, and that from a moment on until now.
func between(times []int64, began time.Time) bool {
	return slices.Min(times) == slices.Max(times) && times[0] >= began.UnixMilli() && times[0] <= time.Now().UnixMilli()
}

func TestK7AppendTimeIsTheBrokers(t *testing.T) {
	appendTime := map[string]string{"message.timestamp.type": "LogAppendTime"}
	for _, exact := range []bool{false, true} {
		w := connect(t, fake.Config{Exact: exact})
		w.create("append", appendTime)
		w.create("create", nil)
		began := time.Now()
		if got := w.stamp("append"); between(got, began) == exact {
			t.Errorf("exact=%v: LogAppendTime is %d", exact, got)
		}
		if got := w.stamp("create"); !slices.Equal(got, years) {
			t.Errorf("exact=%v: CreateTime is %d", exact, got)
		}
	}
}

func TestK7AppendTimeFollowsTheSettings(t *testing.T) {
	w := connect(t, fake.Config{BrokerConfigs: map[string]string{"log.message.timestamp.type": "LogAppendTime"}})
	w.create("default", nil)
	w.create("create", map[string]string{"message.timestamp.type": "CreateTime"})
	began := time.Now()
	if got := w.stamp("default"); !between(got, began) {
		t.Errorf("the brokers' setting counts for nothing: %d", got)
	}
	if got := w.stamp("create"); !slices.Equal(got, years) {
		t.Errorf("the topic's own setting counts for nothing: %d", got)
	}
	w.must(w.port.Admin().DeleteTopics(w.ctx, "create"))
	w.create("create", nil)
	if got := w.stamp("create"); !between(got, began) {
		t.Errorf("a topic that was made again has the old one's setting: %d", got)
	}
}
