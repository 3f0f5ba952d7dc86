package scenarios_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/scenarios"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// flights reads the library's flight data up to a moment, keyed by carrier.
func flights(t testing.TB, until time.Time) []scenarios.Event {
	t.Helper()
	f, err := os.Open("library/departures/flights-2013-01.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var out []scenarios.Event
	for in := bufio.NewScanner(z); in.Scan(); {
		var line struct {
			Arrival, Timestamp int64
			Value              json.RawMessage
		}
		var value struct{ Carrier string }
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(line.Value, &value); err != nil {
			t.Fatal(err)
		}
		if line.Arrival >= until.UnixMilli() {
			break
		}
		out = append(out, scenarios.Event{Arrival: line.Arrival, Record: broker.Record{Key: []byte(value.Carrier), Value: line.Value, Timestamp: line.Timestamp}})
	}
	return out
}

type flight struct{ Carrier string }

func departures(t testing.TB) *streams.Topology {
	t.Helper()
	b := streams.NewBuilder()
	in := streams.Stream(b, "flights", streams.Consumed[string, flight]{Key: serde.String(), Value: serde.JSON[flight]()})
	perHour := streams.Count(in.GroupByKey().WindowedBy(streams.TumblingWindows(time.Hour, time.Hour)), streams.Materialized[string, int64]{Name: "departures"})
	perHour.ToStream().To("departures-per-hour")
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func at(s string) time.Time {
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return v
}

// departuresLab is the main job in Go.
func departuresLab(t testing.TB, until time.Time, config map[string]string) *scenarios.Lab {
	props := map[string]string{"processing.guarantee": "exactly_once_v2", "num.stream.threads": "2", "session.timeout.ms": "10000",
		"windowstore.changelog.additional.retention.ms": "3155760000000"}
	for k, v := range config {
		props[k] = v
	}
	keep := map[string]string{"retention.ms": "-1"}
	return scenarios.New(t).
		Topic(scenarios.Topic{Name: "flights", Partitions: 6, Config: keep}).
		Topic(scenarios.Topic{Name: "departures-per-hour", Partitions: 6, Config: keep}).
		App(scenarios.App{Name: "departures", Topology: departures(t), Config: props, Instances: 3}).
		Workload(scenarios.Workload{Topic: "flights", Records: flights(t, until)}).
		Expect(
			scenarios.WindowedCounts{Topic: "departures-per-hour", Input: "flights", Size: time.Hour, Grace: time.Hour},
			scenarios.LateDrops{App: "departures", Input: "flights", Size: time.Hour, Grace: time.Hour},
			scenarios.ExactlyOnce{Topic: "departures-per-hour"},
			scenarios.StoreEqualsChangelog{App: "departures", Store: "departures"},
			scenarios.CaughtUp{App: "departures", Within: 10 * time.Minute},
		)
}

func TestTwoDaysOfDepartures(t *testing.T) {
	lab := departuresLab(t, at("2013-01-03T00:00:00Z"), nil).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "departures-2", At: at("2013-01-01T18:20:00Z"), For: 10 * time.Minute}).
		Fault(faults.Fault{Kind: faults.Pause, Instance: "departures-3", At: at("2013-01-02T17:05:00Z"), For: 5 * time.Minute})
	lab.On(scenarios.Options{Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	v := lab.Run()
	v.Write(os.Stderr)
}

func TestMonthOfDepartures(t *testing.T) {
	lab := departuresLab(t, at("2013-03-01T00:00:00Z"), nil).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "departures-2", At: at("2013-01-10T14:20:00Z"), For: 10 * time.Minute}).
		Fault(faults.Fault{Kind: faults.Pause, Instance: "departures-3", At: at("2013-01-20T17:05:00Z"), For: 5 * time.Minute})
	v := lab.Run()
	v.Write(os.Stderr)
}

func TestSeeds(t *testing.T) {
	span := func(f faults.Fault) faults.Fault {
		f.From, f.To, f.Instance = at("2013-01-01T12:00:00Z"), at("2013-01-02T20:00:00Z"), faults.Any
		return f
	}
	lab := departuresLab(t, at("2013-01-03T00:00:00Z"), nil).
		Fault(span(faults.Fault{Kind: faults.Crash, For: 10 * time.Minute})).
		Fault(span(faults.Fault{Kind: faults.Pause, For: 5 * time.Minute}))
	scenarios.RunSeeds(t.Context(), lab.Scenario(), scenarios.Options{}, 1, 200, func(v *scenarios.Verdict, err error) {
		if err != nil {
			t.Error(err)
		} else if !v.Pass() {
			v.Write(os.Stderr)
			t.Error(v.Seed)
		}
	})
}

func TestDeparturesOnFake(t *testing.T) {
	lab := departuresLab(t, at("2013-03-01T00:00:00Z"), nil).
		Fault(faults.Fault{Kind: faults.Crash, Instance: "departures-2", At: at("2013-01-10T14:20:00Z"), For: 10 * time.Minute}).
		Fault(faults.Fault{Kind: faults.Pause, Instance: "departures-3", At: at("2013-01-20T17:05:00Z"), For: 5 * time.Minute}).
		On(scenarios.Options{On: scenarios.Fake, Trace: os.Stderr, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Progress: func(p scenarios.Progress) { t.Log(p) }})
	v := lab.Run()
	v.Write(os.Stderr)
}
