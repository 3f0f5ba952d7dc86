package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
)

// TestACrashWhileSchemasChange writes orders of one schema, then of another, kills an instance at the change and pauses the other one later: what comes out is
// as without faults, schema ids included.
func TestACrashWhileSchemasChange(t *testing.T) {
	registry := open(t, "mock://"+t.Name(), "")
	topology, err := highValueOrders(registry)
	if err != nil {
		t.Fatal(err)
	}
	values := avro.Generic(registry)
	// the registry gives ids in the order in which it is asked: ask for the output's first, so that faults do not change it
	if _, err := values.Append(nil, "high-value-orders", avro.NewRecord(highValueOrder, "orderId", "", "userId", "", "amount", 0.0, "verified", false)); err != nil {
		t.Fatal(err)
	}
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	var orders []scenarios.Event
	for n := range 3600 {
		at := start.Add(time.Duration(n) * 2 * time.Second).UnixMilli()
		user := fmt.Sprintf("u%d", n%17)
		order := avro.NewRecord(orderV1, "orderId", fmt.Sprintf("o%d", n), "userId", user, "amount", float64(n%40)*50)
		if n >= 1800 {
			order = avro.NewRecord(orderV2, "orderId", fmt.Sprintf("o%d", n), "userId", user, "amount", float64(n%40)*50, "coupon", nil)
		}
		b, err := values.Append(nil, "order-events", order)
		if err != nil {
			t.Fatal(err)
		}
		orders = append(orders, scenarios.Event{Arrival: at, Record: broker.Record{Key: []byte(user), Value: b, Timestamp: at}})
	}
	scenarios.New(t).
		Topic(scenarios.Topic{Name: "order-events", Partitions: 4}).
		Topic(scenarios.Topic{Name: "high-value-orders", Partitions: 4}).
		Topic(scenarios.Topic{Name: "order-counts", Partitions: 4}).
		App(scenarios.App{Name: "orders", Topology: topology, Instances: 2, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "order-events", Records: orders}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "orders-1", At: start.Add(time.Hour), For: 5 * time.Minute}).
		Fault(faults.Fault{Kind: faults.Pause, Instance: "orders-2", At: start.Add(90 * time.Minute), For: 2 * time.Minute}).
		Expect(
			scenarios.SameWithoutFaults{Topic: "high-value-orders", Compare: scenarios.Exactly},
			scenarios.WindowedCounts{Topic: "order-counts", Input: "order-events", Size: time.Hour},
			scenarios.StoreEqualsChangelog{App: "orders", Store: "order-count-store"},
			scenarios.CaughtUp{App: "orders"},
		).
		Run()
}
