package scenarios_test

import (
	"fmt"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func TestTheSeedDecidesTheTrace(t *testing.T) {
	first, again, other := pass(t, twoDays(t), 7), pass(t, twoDays(t), 7), pass(t, twoDays(t), 8)
	if first.TraceHash != again.TraceHash || first.Differs != "" {
		t.Errorf("seed 7 has the traces %s and %s", first.TraceHash, again.TraceHash)
	}
	if first.TraceHash == other.TraceHash {
		t.Errorf("seeds 7 and 8 have the same trace, %s", first.TraceHash)
	}
}

// words is a lab with a topology that writes what change makes of each value.
func words(t testing.TB, change func(string) string) *scenarios.Lab {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "in", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	streams.MapValues(in, func(_, v string) (string, error) { return change(v), nil }).To("out", streams.Produced[string, string]{Value: serde.String()})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var list []scenarios.Event
	for i := range int64(100) {
		ms := at("2020-01-01T00:00:00Z").UnixMilli() + i*1000
		list = append(list, scenarios.Event{Arrival: ms, Record: broker.Record{Key: fmt.Append(nil, i%10), Value: fmt.Append(nil, i), Timestamp: ms}})
	}
	return scenarios.New(t).
		Topic(scenarios.Topic{Name: "in", Partitions: 2}).
		Topic(scenarios.Topic{Name: "out", Partitions: 2}).
		App(scenarios.App{Name: "words", Topology: top, Instances: 2, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "in", Records: list}).
		Expect(scenarios.CaughtUp{App: "words", Within: time.Minute})
}

// TestWhatDoesNotReplayIsFound gives an application something that is not of its run: a counter of the whole test process. The second run of the
// seed writes other bytes than the first, of the same length.
func TestWhatDoesNotReplayIsFound(t *testing.T) {
	var calls atomic.Int64
	lab := words(t, func(v string) string { return fmt.Sprintf("%s %06d", v, calls.Add(1)) })
	v := run(t, lab.Scenario(), 1)
	if v.Pass() {
		t.Fatal("two runs that write different values pass")
	}
	want := regexp.MustCompile(`(?m)^  FAILED replay: the two runs of this seed differ: trace hashes [0-9a-f]{16} and [0-9a-f]{16}; first difference of two further runs at event \d+:
 +2020-\S+ broker-\d produce topic=out partition=\d base=\d+ count=\d+ crc=[0-9a-f]+
 +2020-\S+ broker-\d produce topic=out partition=\d base=\d+ count=\d+ crc=[0-9a-f]+$`)
	if out := text(t, v); !want.MatchString(out) {
		t.Errorf("the report does not name the first event that differs:\n%s", out)
	}
	pass(t, words(t, func(v string) string { return v }).Scenario(), 1)
}
