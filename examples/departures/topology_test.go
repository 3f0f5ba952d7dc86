package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

// TestACrashChangesNothing counts a day of flights on three instances, one of which is killed at noon.
func TestACrashChangesNothing(t *testing.T) {
	topology, err := departures()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var flights []scenarios.Event
	for m := range 24 * 60 {
		at := day.Add(time.Duration(m) * time.Minute).UnixMilli()
		key := fmt.Sprintf("C%d", m%5)
		flights = append(flights, scenarios.Event{Arrival: at, Record: broker.Record{Key: []byte(key), Value: fmt.Appendf(nil, `{"carrier":%q}`, key), Timestamp: at}})
	}
	scenarios.New(t).
		Topic(scenarios.Topic{Name: "flights", Partitions: 6}).
		Topic(scenarios.Topic{Name: "departures-per-hour", Partitions: 6}).
		App(scenarios.App{Name: "departures", Topology: topology, Instances: 3, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "flights", Records: flights}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "departures-2", At: day.Add(12 * time.Hour), For: 10 * time.Minute}).
		Expect(
			scenarios.WindowedCounts{Topic: "departures-per-hour", Input: "flights", Size: time.Hour, Grace: time.Hour},
			scenarios.ExactlyOnce{Topic: "departures-per-hour"},
			scenarios.StoreEqualsChangelog{App: "departures", Store: "departures"},
			scenarios.CaughtUp{App: "departures"},
		).
		Run()
}
