package simulated_test

import (
	"context"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/simulated"
)

// TestTheTraceCoversContent runs the same calls with contents that differ in one place, and never in length.
func TestTheTraceCoversContent(t *testing.T) {
	type content struct {
		record   broker.Record
		metadata string
	}
	base := func() content {
		return content{broker.Record{Key: []byte("key"), Value: []byte("value"), Timestamp: 1000, Headers: []broker.Header{{Key: "h", Value: []byte("x")}}}, "meta"}
	}
	cases := []struct {
		name   string
		change func(c *content)
	}{
		{"key", func(c *content) { c.record.Key = []byte("kez") }},
		{"value", func(c *content) { c.record.Value = []byte("valuf") }},
		{"a byte from value to key", func(c *content) { c.record.Key, c.record.Value = []byte("keyv"), []byte("alue") }},
		{"header key", func(c *content) { c.record.Headers[0].Key = "i" }},
		{"header value", func(c *content) { c.record.Headers[0].Value = []byte("y") }},
		{"timestamp", func(c *content) { c.record.Timestamp = 1001 }},
		{"metadata", func(c *content) { c.metadata = "metb" }},
	}
	hash := func(c content) string {
		w := newWorld(t, 1, simulated.Config{})
		w.run(func(ctx context.Context) {
			w.topic(ctx, "a", 1)
			p := w.producer(ctx, "id")
			defer p.Close()
			w.must(p.Begin())
			w.must(p.Send(ctx, tp("a", 0), []broker.Record{c.record}, nil))
			w.must(p.SendOffsets(ctx, broker.GroupMetadata{Group: "g", Generation: -1}, map[broker.TopicPartition]broker.OffsetAndMetadata{
				tp("a", 0): {Offset: 1, LeaderEpoch: -1, Metadata: c.metadata}}))
			w.must(p.Commit(ctx))
		})
		return w.trace.Hash()
	}
	want := hash(base())
	if again := hash(base()); again != want {
		t.Fatalf("the same content has the hashes %s and %s", want, again)
	}
	for _, c := range cases {
		changed := base()
		c.change(&changed)
		if hash(changed) == want {
			t.Errorf("another %s does not change the trace's hash", c.name)
		}
	}
	null, empty := base(), base()
	null.record.Value, empty.record.Value = nil, []byte{}
	if hash(null) == hash(empty) {
		t.Error("a null and an empty value have the same trace")
	}
}
