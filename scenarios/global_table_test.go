package scenarios_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// TestGlobalTable joins orders with a global table of customers. An instance that crashes fills the table again from its topic before it
// takes orders, so that no order finds it empty; and each instance has all partitions of it.
func TestGlobalTable(t *testing.T) {
	b := streams.NewBuilder()
	text := streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}
	customers := streams.GlobalTable(b, "customers", text)
	orders := streams.Stream(b, "orders", text)
	named := streams.JoinGlobal(orders, streams.LeftJoin, customers, func(k, _ string) (string, error) { return k, nil },
		func(_, _, name string, has bool) (string, error) {
			if !has {
				return "unknown", nil
			}
			return name, nil
		})
	streams.Count(streams.GroupBy(named, func(_, name string) (string, error) { return name, nil },
		streams.Grouped[string, string]{Key: serde.String(), Value: serde.String()}), streams.Materialized[string, int64]{Name: "totals"}).ToStream().To("totals")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	var people, list []scenarios.Event
	for i := range 7 {
		ms := noon.UnixMilli()
		people = append(people, scenarios.Event{Arrival: ms, Record: broker.Record{Key: fmt.Appendf(nil, "c%d", i), Value: fmt.Appendf(nil, "name%d", i%2), Timestamp: ms}})
	}
	for i := range 600 {
		ms := noon.Add(time.Minute + time.Duration(i)*time.Second).UnixMilli()
		list = append(list, scenarios.Event{Arrival: ms, Record: broker.Record{Key: fmt.Appendf(nil, "c%d", i%7), Value: []byte("an order"), Timestamp: ms}})
	}
	scenarios.New(t).Seed(5).
		Topic(scenarios.Topic{Name: "customers", Partitions: 3}).
		Topic(scenarios.Topic{Name: "orders", Partitions: 4}).
		Topic(scenarios.Topic{Name: "totals", Partitions: 4, Value: serde.Dynamic(serde.Long())}).
		App(scenarios.App{Name: "shop", Topology: topology, Instances: 2, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "customers", Records: people}).
		Workload(scenarios.Workload{Topic: "orders", Records: list}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-2", At: noon.Add(5 * time.Minute), For: 2 * time.Minute}).
		Expect(
			scenarios.Rows{Topic: "totals", Rows: []scenarios.WantRow{{Key: "name0", Value: 343}, {Key: "name1", Value: 257}}},
			scenarios.CaughtUp{App: "shop", Within: 2 * time.Minute},
		).Run()
}
