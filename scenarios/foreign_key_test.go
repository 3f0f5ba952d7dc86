package scenarios_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// ordersByCustomer joins orders, "customer amount", with customers by the customer. A null value is a deletion.
func ordersByCustomer(t *testing.T, kind streams.JoinKind) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	text := streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()}
	joined := streams.JoinForeign(kind, streams.Table(b, "orders", text), streams.Table(b, "customers", text), func(_, order string) (string, error) {
		customer, _, _ := strings.Cut(order, " ")
		return customer, nil
	}, func(_, order string, _ bool, name string, has bool) (string, error) {
		if !has {
			name = "unknown"
		}
		return order + " " + name, nil
	}, streams.TableJoined[string, string]{Name: "named"}, streams.Materialized[string, string]{Name: "joined", Value: serde.String()})
	joined.ToStream().To("out")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// TestForeignKeyJoinUnderFaults changes orders and customers at random, both at once, while instances crash and come back. In the end the result is
// the join of what both tables hold, and each store is what its changelog gives.
func TestForeignKeyJoinUnderFaults(t *testing.T) {
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	for seed := range uint64(4) {
		kind := []streams.JoinKind{streams.InnerJoin, streams.LeftJoin}[seed%2]
		guarantee := []string{"exactly_once_v2", "exactly_once_v2", "at_least_once", "at_least_once"}[seed]
		t.Run(fmt.Sprint(seed, " ", guarantee), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 11))
			final := map[string]map[string]string{"orders": {}, "customers": {}}
			events := map[string][]scenarios.Event{}
			for i := range 600 {
				at := noon.Add(time.Duration(i) * time.Second).UnixMilli()
				topic, key, value := "orders", fmt.Sprint("o", r.IntN(40)), fmt.Sprintf("c%d %d", r.IntN(8), i)
				if r.IntN(3) == 0 {
					topic, key, value = "customers", fmt.Sprint("c", r.IntN(8)), fmt.Sprint("name", i)
				}
				e := broker.Record{Key: []byte(key), Value: []byte(value), Timestamp: at}
				if final[topic][key] = value; r.IntN(8) == 0 {
					e.Value = nil
					delete(final[topic], key)
				}
				events[topic] = append(events[topic], scenarios.Event{Arrival: at, Record: e})
			}
			text := serde.Dynamic(serde.String())
			scenarios.New(t).Seed(seed).
				Topic(scenarios.Topic{Name: "orders", Partitions: 3}).
				Topic(scenarios.Topic{Name: "customers", Partitions: 2}).
				Topic(scenarios.Topic{Name: "out", Partitions: 4, Value: text}).
				App(scenarios.App{Name: "shop", Topology: ordersByCustomer(t, kind), Instances: 3,
					Config: map[string]string{"processing.guarantee": guarantee, "num.stream.threads": "2", "commit.interval.ms": "1000"}}).
				Workload(scenarios.Workload{Topic: "orders", Records: events["orders"]}).
				Workload(scenarios.Workload{Topic: "customers", Records: events["customers"]}).
				Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-1", At: noon.Add(100 * time.Second), For: time.Minute}).
				Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-2", At: noon.Add(240 * time.Second), For: 2 * time.Minute}).
				Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-3", At: noon.Add(270 * time.Second), For: 30 * time.Second}).
				Expect(
					scenarios.Look{Topic: "out", Look: func(records []broker.Record) []string { return compareJoin(final, kind, records) }},
					scenarios.StoreEqualsChangelog{App: "shop", Store: "named-subscription-store"},
					scenarios.StoreEqualsChangelog{App: "shop", Store: "joined"},
					scenarios.CaughtUp{App: "shop", Within: 2 * time.Minute},
				).Run()
		})
	}
}

// compareJoin says where the last values of a topic are not the join of two tables.
func compareJoin(final map[string]map[string]string, kind streams.JoinKind, records []broker.Record) (problems []string) {
	want, got := map[string]string{}, map[string]string{}
	for key, order := range final["orders"] {
		customer, _, _ := strings.Cut(order, " ")
		name, ok := final["customers"][customer]
		switch {
		case ok:
			want[key] = order + " " + name
		case kind == streams.LeftJoin:
			want[key] = order + " unknown"
		}
	}
	for _, r := range records {
		if r.Value == nil {
			delete(got, string(r.Key))
		} else {
			got[string(r.Key)] = string(r.Value)
		}
	}
	all := maps.Clone(want)
	maps.Copy(all, got)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if want[key] != got[key] {
			problems = append(problems, fmt.Sprintf("order %s: want %q, got %q", key, want[key], got[key]))
		}
	}
	return problems
}
