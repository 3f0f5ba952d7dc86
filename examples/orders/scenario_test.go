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

var day = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// shop is three hours of orders of 20 users on two instances of two threads. One is killed in the middle, and paused later for longer than its session.
func shop(t *testing.T, o Options, expect ...scenarios.Expectation) *scenarios.Scenario {
	t.Helper()
	topology, err := orderProcessing(o)
	if err != nil {
		t.Fatal(err)
	}
	s := &scenarios.Scenario{Name: t.Name(), Expect: append(expect, scenarios.CaughtUp{App: "shop"})}
	for _, name := range []string{"raw-orders", "user-data", "premium-orders", "standard-orders", "enriched-orders", "orders-per-hour", "revenue-by-user", "sessions-by-user"} {
		s.Topics = append(s.Topics, scenarios.Topic{Name: name, Partitions: 4})
	}
	props := properties([]string{"lab:9092"}, "/state")
	props["num.stream.threads"] = "2"
	s.Apps = []scenarios.App{{Name: "shop", Topology: topology, Instances: 2, Config: props}}
	s.Workload = []scenarios.Workload{{Topic: "user-data", Records: users()}, {Topic: "raw-orders", Records: orders()}}
	s.Faults = []faults.Fault{
		{Kind: faults.Crash, Instance: "shop-1", At: day.Add(70*time.Minute + 30*time.Second), For: 5 * time.Minute},
		{Kind: faults.Pause, Instance: "shop-2", At: day.Add(130 * time.Minute), For: 2 * time.Minute},
	}
	return s
}

func users() (list []scenarios.Event) {
	at := day.Add(-time.Minute).UnixMilli()
	for n := range 20 {
		list = append(list, scenarios.Event{Arrival: at, Record: broker.Record{Key: fmt.Appendf(nil, "u%d", n), Value: fmt.Appendf(nil, `{"name":"user %d"}`, n), Timestamp: at}})
	}
	return list
}

func orders() (list []scenarios.Event) {
	r := rand.New(rand.NewPCG(1, 2))
	for second := 0; second < 3*60*60; second += 2 {
		at := day.Add(time.Duration(second) * time.Second).UnixMilli()
		user := fmt.Sprintf("u%d", r.IntN(22)) // two of them unknown
		o := Order{OrderID: fmt.Sprintf("o%d", second), UserID: user, Type: []string{"PREMIUM", "STANDARD", "GIFT"}[r.IntN(3)], Amount: float64(r.IntN(20_000)) / 100}
		text, err := json.Marshal(o)
		if err != nil {
			panic(err) // there is nothing in it that JSON does not have
		}
		list = append(list, scenarios.Event{Arrival: at, Record: broker.Record{Key: []byte(user), Value: text, Timestamp: at}})
	}
	return list
}

// TestACrashAndAZombieChangeNothing takes the records' own times: whatever fails, every topic is as if nothing had.
func TestACrashAndAZombieChangeNothing(t *testing.T) {
	expect := []scenarios.Expectation{
		scenarios.SameWithoutFaults{Topic: "premium-orders", Compare: scenarios.Exactly},
		scenarios.SameWithoutFaults{Topic: "standard-orders", Compare: scenarios.Exactly},
		scenarios.SameWithoutFaults{Topic: "enriched-orders", Compare: scenarios.Exactly},
	}
	for _, topic := range []string{"orders-per-hour", "revenue-by-user", "sessions-by-user"} {
		expect = append(expect, scenarios.SameWithoutFaults{Topic: topic})
	}
	for _, store := range []string{"order-count-store", "revenue-store", "session-store"} {
		expect = append(expect, scenarios.StoreEqualsChangelog{App: "shop", Store: store})
	}
	check(t, shop(t, Options{EventTime: true}, expect...), true)
}

// TestTheClockBreaksTheCounts takes the time at which a record is read, as the program that this one follows does: an order that waits for the
// restart counts in a later window, so that what the application says depends on when something failed.
func TestTheClockBreaksTheCounts(t *testing.T) {
	check(t, shop(t, Options{}, scenarios.SameWithoutFaults{Topic: "revenue-by-user"}), false)
}

func check(t *testing.T, s *scenarios.Scenario, holds bool) {
	t.Helper()
	v, err := scenarios.RunSeed(s, scenarios.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if v.Pass() != holds {
		for _, f := range v.Findings {
			t.Log(f.Name, f.Pass, f.Figures, f.Problems)
		}
		t.Errorf("it holds: %t, want %t", v.Pass(), holds)
	}
	if v.Differs != "" {
		t.Error(v.Differs)
	}
}
