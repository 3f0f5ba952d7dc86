package scenarios_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// TestLab is what a user writes in a test: a topology, a workload, a crash in the middle, and what must come out.
func TestLab(t *testing.T) {
	b := streams.NewBuilder()
	orders := streams.Stream(b, "orders", streams.Consumed[string, string]{Key: serde.String(), Value: serde.String()})
	streams.Count(orders.GroupByKey(), streams.Materialized[string, int64]{Name: "totals"}).ToStream().To("totals")
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	var list []scenarios.Event
	for i := range 600 {
		ms := noon.Add(time.Duration(i) * time.Second).UnixMilli()
		list = append(list, scenarios.Event{Arrival: ms, Record: broker.Record{Key: fmt.Appendf(nil, "customer-%d", i%7), Value: []byte("an order"), Timestamp: ms}})
	}
	v := scenarios.New(t).Seed(3).
		Topic(scenarios.Topic{Name: "orders", Partitions: 4}).
		Topic(scenarios.Topic{Name: "totals", Partitions: 4, Value: serde.Dynamic(serde.Long())}).
		App(scenarios.App{Name: "shop", Topology: topology, Instances: 2, Config: map[string]string{"processing.guarantee": "exactly_once_v2"}}).
		Workload(scenarios.Workload{Topic: "orders", Records: list}).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-2", At: noon.Add(5 * time.Minute), For: 2 * time.Minute}).
		Expect(
			scenarios.Rows{Topic: "totals", Rows: []scenarios.WantRow{{Key: "customer-0", Value: 86}, {Key: "customer-6", Value: 85}}},
			scenarios.ExactlyOnce{Topic: "totals"},
			scenarios.StoreEqualsChangelog{App: "shop", Store: "totals"},
			scenarios.CaughtUp{App: "shop", Within: 2 * time.Minute},
		).Run()
	if len(v.Steps) != 2 || v.Records != 600 {
		t.Errorf("%d records, steps %v", v.Records, v.Steps)
	}
}

// recorder takes what a lab would tell the test.
type recorder struct {
	testing.TB
	name   string
	errors []string
	fatal  string
}

func (r *recorder) Helper()      {}
func (r *recorder) Name() string { return r.name }
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Fatalf(format string, args ...any) {
	r.fatal = fmt.Sprintf(format, args...)
	panic(r)
}

func TestALabTellsHowToReplay(t *testing.T) {
	tb := &recorder{TB: t, name: "TestShop/twice"}
	lab := words(t, func(v string) string { return v })
	scenarios.New(tb).Seed(9).App(lab.Scenario().Apps[0]).Topic(lab.Scenario().Topics[0]).Topic(lab.Scenario().Topics[1]).
		Workload(lab.Scenario().Workload[0]).Expect(scenarios.Rows{Topic: "out", Rows: []scenarios.WantRow{{Key: "3", Value: "94"}}}).Run()
	if len(tb.errors) != 1 || !strings.Contains(tb.errors[0], `key "3": expected "94", found "93"`) ||
		!strings.HasSuffix(tb.errors[0], "\nreplay: go test -run '^TestShop$' -kstreamlab.seed=9") {
		t.Errorf("%q", tb.errors)
	}
}

func TestWrongLabs(t *testing.T) {
	words := words(t, func(v string) string { return v }).Scenario()
	cases := []struct {
		name, want string
		change     func(s *scenarios.Scenario)
	}{
		{"expectation of an unknown app", `expectation caught-up shop: no application "shop" in this scenario`, func(s *scenarios.Scenario) {
			s.Expect = []scenarios.Expectation{scenarios.CaughtUp{App: "shop"}}
		}},
		{"expectation of an unknown topic", `topic nowhere does not exist`, func(s *scenarios.Scenario) {
			s.Expect = []scenarios.Expectation{scenarios.ExactlyOnce{Topic: "nowhere"}}
		}},
		{"missing source topic", `source topics do not exist: in: create them before the application starts`, func(s *scenarios.Scenario) {
			s.Topics = s.Topics[1:]
		}},
		{"workload for an unknown topic", `workload: topic "elsewhere" is not among the scenario's topics`, func(s *scenarios.Scenario) {
			s.Workload = []scenarios.Workload{{Topic: "elsewhere", Records: s.Workload[0].Records}}
		}},
		{"unknown instance", `there is no instance "words-3": there are [words-1 words-2]`, func(s *scenarios.Scenario) {
			s.Faults = []faults.Fault{crashed("words-3", "2020-01-01T00:00:30Z", time.Second)}
		}},
		{"wrong property", `Invalid value twice for configuration processing.guarantee`, func(s *scenarios.Scenario) {
			s.Apps[0].Config = map[string]string{"processing.guarantee": "twice"}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := *words
			s.Apps = append([]scenarios.App(nil), words.Apps...)
			c.change(&s)
			_, err := scenarios.RunSeed(&s, scenarios.Options{}, 1)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v; want %s", err, c.want)
			}
		})
	}
}
