package scenarios_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// corrupt is a lab that counts orders by customer, of which the sixth of each ten cannot be read.
func corrupt(t testing.TB, config map[string]string) *scenarios.Lab {
	t.Helper()
	b := streams.NewBuilder()
	orders := streams.Stream(b, "orders", streams.Consumed[string, map[string]any]{Key: serde.String(), Value: serde.JSON[map[string]any]()})
	streams.Count(orders.GroupByKey(), streams.Materialized[string, int64]{Name: "totals"}).ToStream().To("totals")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	var list []scenarios.Event
	for i := range 40 {
		value := `{"amount": 1}`
		if i%10 == 5 {
			value = fmt.Sprintf(`{"amount": %d`, i)
		}
		ms := at("2024-05-01T00:00:00Z").UnixMilli() + int64(i)*1000
		list = append(list, scenarios.Event{Arrival: ms, Record: broker.Record{Key: []byte("ada"), Value: []byte(value), Timestamp: ms,
			Headers: []broker.Header{{Key: "from", Value: fmt.Append(nil, i)}}}})
	}
	props := map[string]string{"processing.guarantee": "exactly_once_v2", "session.timeout.ms": "6000", "heartbeat.interval.ms": "1000"}
	maps.Copy(props, config)
	return scenarios.New(t).
		Topic(scenarios.Topic{Name: "orders", Partitions: 1}).
		Topic(scenarios.Topic{Name: "totals", Partitions: 1, Value: serde.Dynamic(serde.Long())}).
		Topic(scenarios.Topic{Name: "dead", Partitions: 1}).
		App(scenarios.App{Name: "shop", Topology: top, Instances: 1, Config: props}).
		Workload(scenarios.Workload{Topic: "orders", Records: list})
}

// everywhere runs a lab's scenario in the simulator and on the fake cluster.
func everywhere(t *testing.T, s *scenarios.Scenario, check func(t *testing.T, v *scenarios.Verdict)) {
	for _, on := range []scenarios.On{scenarios.Simulated, scenarios.Fake} {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			v, err := scenarios.RunSeed(s, scenarios.Options{On: on}, 1)
			if err != nil {
				t.Fatal(err)
			}
			check(t, v)
		})
	}
}

// TestCorruptRecordsFail is Kafka's default: the instance ends, with an error that says where.
func TestCorruptRecordsFail(t *testing.T) {
	s := corrupt(t, nil).Expect(scenarios.CaughtUp{App: "shop", Within: 20 * time.Second}).Scenario()
	want := regexp.MustCompile(`(?m)^  FAILED instance shop-1: it has ended by itself\n         task 0_0, processor KSTREAM-SOURCE-0000000000, orders-0 offset 5: deserialize value: `)
	everywhere(t, s, func(t *testing.T, v *scenarios.Verdict) {
		if v.Pass() || !want.MatchString(text(t, v)) {
			t.Errorf("the record is not named:\n%s", text(t, v))
		}
	})
}

// TestCorruptRecordsAreLeftOut is LogAndContinueExceptionHandler: they are dropped and counted, through a crash too.
func TestCorruptRecordsAreLeftOut(t *testing.T) {
	s := corrupt(t, map[string]string{"deserialization.exception.handler": "org.apache.kafka.streams.errors.LogAndContinueExceptionHandler"}).
		Fault(crashed("shop-1", "2024-05-01T00:00:12Z", 5*time.Second)).
		Expect(
			scenarios.CaughtUp{App: "shop", Within: time.Minute},
			scenarios.ExactlyOnce{Topic: "totals"},
			scenarios.Rows{Topic: "totals", Rows: []scenarios.WantRow{{Key: "ada", Value: 36}}},
			scenarios.Drops{App: "shop", Node: "KSTREAM-SOURCE-0000000000", Want: 4},
		).Scenario()
	everywhere(t, s, func(t *testing.T, v *scenarios.Verdict) {
		if !v.Pass() {
			t.Error(text(t, v))
		}
	})
}

// TestDeadLetters has them written to the dead letter queue, as they came, with the headers of KIP-1034; whether the handler goes on or fails.
func TestDeadLetters(t *testing.T) {
	for handler, offsets := range map[string][]int{"continue": {5, 15, 25, 35}, "fail": {5}} {
		t.Run(handler, func(t *testing.T) {
			lab := corrupt(t, map[string]string{"processing.guarantee": "at_least_once", "commit.interval.ms": "100", "deserialization.exception.handler": handler, "errors.dead.letter.queue.topic.name": "dead"})
			lab.Expect(scenarios.CaughtUp{App: "shop", Within: 20 * time.Second}, scenarios.Look{Topic: "dead", Look: func(records []broker.Record) []string { return deadLetters(records, offsets) }})
			everywhere(t, lab.Scenario(), func(t *testing.T, v *scenarios.Verdict) {
				if f := found(t, v, "look"); !f.Pass {
					t.Error(text(t, v))
				}
				if caughtUp := found(t, v, "caught-up"); caughtUp.Pass != (handler == "continue") {
					t.Error(text(t, v))
				}
			})
		})
	}
}

// deadLetters compares dead letters with the records at these offsets.
func deadLetters(records []broker.Record, offsets []int) (wrong []string) {
	if len(records) != len(offsets) {
		return []string{fmt.Sprintf("%d dead letters, not %d", len(records), len(offsets))}
	}
	for i, r := range records {
		headers := map[string]string{}
		for _, h := range r.Headers {
			headers[h.Key] = string(h.Value)
		}
		want := map[string]string{"from": fmt.Sprint(offsets[i]), "__streams.errors.topic": "orders", "__streams.errors.partition": "0", "__streams.errors.offset": fmt.Sprint(offsets[i])}
		for _, k := range slices.Sorted(maps.Keys(want)) {
			if headers[k] != want[k] {
				wrong = append(wrong, fmt.Sprintf("letter %d: header %s is %q, not %q", i, k, headers[k], want[k]))
			}
		}
		for _, k := range []string{"__streams.errors.exception", "__streams.errors.message", "__streams.errors.stacktrace"} {
			if strings.TrimSpace(headers[k]) == "" {
				wrong = append(wrong, fmt.Sprintf("letter %d: no header %s", i, k))
			}
		}
		if value := fmt.Sprintf(`{"amount": %d`, offsets[i]); string(r.Key) != "ada" || string(r.Value) != value {
			wrong = append(wrong, fmt.Sprintf("letter %d: %s=%s", i, r.Key, r.Value))
		}
	}
	return wrong
}
