package guide_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

// TestVisitsSurviveACrash counts a day of visits on three instances, one of which is killed at noon without warning and comes back ten minutes
// later. Everything happens in virtual time, on a model of a Kafka cluster, and comes out the same under the same seed.
func TestVisitsSurviveACrash(t *testing.T) {
	topology, err := visitsPerHour()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	var visits []scenarios.Event
	for minute := range 24 * 60 {
		at := day.Add(time.Duration(minute) * time.Minute).UnixMilli()
		page := fmt.Sprintf("page-%d", minute%7)
		visits = append(visits, scenarios.Event{Arrival: at, Record: broker.Record{Key: []byte(page), Value: []byte("visit"), Timestamp: at}})
	}
	scenarios.New(t).
		Topic(scenarios.Topic{Name: "visits", Partitions: 4}).
		Topic(scenarios.Topic{Name: "visits-per-hour", Partitions: 4}).
		App(scenarios.App{Name: "visits", Topology: topology, Instances: 3, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "visits", Records: visits}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "visits-2", At: day.Add(12 * time.Hour), For: 10 * time.Minute}).
		Expect(
			scenarios.WindowedCounts{Topic: "visits-per-hour", Input: "visits", Size: time.Hour, Grace: 30 * time.Minute},
			scenarios.ExactlyOnce{Topic: "visits-per-hour"},
			scenarios.StoreEqualsChangelog{App: "visits", Store: "visits-per-hour"},
			scenarios.CaughtUp{App: "visits"},
		).
		Run()
}
