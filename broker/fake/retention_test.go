package fake_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// K13: what is too old goes by itself, by the brokers' setting and by a topic's own.
func TestK13RetentionHappens(t *testing.T) {
	for name, tt := range map[string]struct{ brokers, topic map[string]string }{
		"the brokers'":  {map[string]string{"log.retention.ms": "1"}, nil},
		"the topic's":   {nil, map[string]string{"retention.ms": "1"}},
		"by size":       {nil, map[string]string{"retention.bytes": "1"}},
		"not the other": {map[string]string{"log.retention.ms": "1"}, map[string]string{"retention.ms": "-1"}},
	} {
		t.Run(name, func(t *testing.T) {
			configs := map[string]string{"log.retention.check.interval.ms": "5"}
			for k, v := range tt.brokers {
				configs[k] = v
			}
			w := connect(t, fake.Config{BrokerConfigs: configs})
			w.create("t", tt.topic)
			w.create("gone", map[string]string{"retention.ms": "1"})
			gone := broker.TopicPartition{Topic: "gone"}
			p := w.producer("", 0)
			w.must(w.send(p, t0, "k", "v"))
			w.must(w.send(p, gone, "k", "v"))
			w.empty(gone) // so that retention has happened since the record was there
			if name != "not the other" {
				w.empty(t0)
				return
			}
			starts, err := w.port.Admin().EarliestOffsets(w.ctx, t0)
			w.must(err)
			if starts[t0] != 0 {
				t.Errorf("the topic begins at %d though it keeps everything", starts[t0])
			}
		})
	}
}

// empty waits until a partition of one record begins after it.
func (w *wire) empty(at broker.TopicPartition) {
	w.t.Helper()
	for {
		starts, err := w.port.Admin().EarliestOffsets(w.ctx, at)
		w.must(err) // the context ends it
		if starts[at] == 1 {
			return
		}
	}
}

func TestRetentionIntervalMustBeANumber(t *testing.T) {
	if c, err := fake.New(fake.Config{BrokerConfigs: map[string]string{"log.retention.check.interval.ms": "0"}}); err == nil {
		c.Close()
		t.Error("an interval of 0")
	}
}
