package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
)

// transactions are two hours of 30 users, who pay every few minutes, travel now and then, and sometimes pay a lot.
func transactions() (list []scenarios.Event) {
	r := rand.New(rand.NewPCG(3, 4))
	places := []string{"Berlin", "Berlin", "Berlin", "Rome"}
	for second := 0; second < 2*60*60; second += 4 {
		at := start.Add(time.Duration(second) * time.Second).UnixMilli()
		t := Transaction{UserID: fmt.Sprintf("u%d", r.IntN(30)), Amount: float64(r.IntN(5000)) / 100, Location: places[r.IntN(len(places))], Timestamp: at}
		if r.IntN(20) == 0 {
			t.Amount *= 20
		}
		text, err := json.Marshal(t)
		if err != nil {
			panic(err) // there is nothing in it that JSON does not have
		}
		list = append(list, scenarios.Event{Arrival: at, Record: broker.Record{Key: []byte(t.UserID), Value: text, Timestamp: at}})
	}
	return list
}

// TestFaultsChangeNoAlert kills one of three instances in the middle and pauses another for longer than its session: each alert comes once, and no other.
func TestFaultsChangeNoAlert(t *testing.T) {
	topology, err := fraudDetection()
	if err != nil {
		t.Fatal(err)
	}
	v := scenarios.New(t).
		Topic(scenarios.Topic{Name: "transactions", Partitions: 6}).
		Topic(scenarios.Topic{Name: "alerts", Partitions: 6}).
		App(scenarios.App{Name: "fraud", Topology: topology, Instances: 3, Config: properties([]string{"lab:9092"}, "/state"), Pebble: true}).
		Workload(scenarios.Workload{Topic: "transactions", Records: transactions()}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "fraud-2", At: start.Add(40 * time.Minute), For: 10 * time.Minute}).
		Fault(faults.Fault{Kind: faults.Pause, Instance: "fraud-3", At: start.Add(80 * time.Minute), For: 3 * time.Minute}).
		Expect(
			scenarios.SameWithoutFaults{Topic: "alerts", Compare: scenarios.Exactly},
			scenarios.StoreEqualsChangelog{App: "fraud", Store: summaryStore},
			scenarios.StoreEqualsChangelog{App: "fraud", Store: recentStore},
			scenarios.CaughtUp{App: "fraud"},
		).
		Run()
	if v.Records != 1800 {
		t.Errorf("%d transactions, want 1800", v.Records)
	}
}
