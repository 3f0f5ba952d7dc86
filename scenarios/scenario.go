// Package scenarios is for trying an application under faults: a Lab puts together a cluster, topics, applications, a workload and a
// plan of faults, runs them (in the simulator, on the in-process fake, or on a real cluster) and checks what is expected at the end.
//
// A scenario is a file (see docs/scenarios.md) or Go code in a user's own test:
//
//	lab := scenarios.New(t)
//	lab.Topic(scenarios.Topic{Name: "orders", Partitions: 4})
//	lab.App(scenarios.App{Name: "shop", Topology: topology, Config: props, Instances: 3})
//	lab.Workload(scenarios.Workload{Topic: "orders", Records: records})
//	lab.Fault(faults.Fault{Kind: faults.Crash, Instance: "shop-2", At: noon, For: 10 * time.Minute})
//	lab.Expect(scenarios.CaughtUp{App: "shop"}, scenarios.ExactlyOnce{Topic: "totals"})
//	lab.Run()
package scenarios

import (
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Scenario is everything a run is made of. It is not changed by running it, and may be run from several goroutines.
type Scenario struct {
	Name, About string
	// Brokers of the simulated cluster; default 3.
	Brokers int
	// Start is the virtual time at which things begin; zero: a minute before the first arrival.
	Start    time.Time
	Topics   []Topic
	Apps     []App
	Workers  []Worker
	Workload []Workload
	Faults   []faults.Fault
	Expect   []Expectation
}

// Topic is a topic that exists before anything starts.
type Topic struct {
	Name        string
	Partitions  int32
	Replication int16 // 0: the cluster's default
	Config      map[string]string
	// Key and Value show what is in the topic, for exports and messages. Nil: as text.
	Key, Value serde.Serde[any]
}

// App is a Streams application, run as a number of instances named <Name>-1, <Name>-2 and so on.
type App struct {
	Name      string
	Topology  *streams.Topology
	Config    map[string]string // Kafka Streams properties; application.id defaults to Name
	Instances int               // default 1
	// Pebble keeps persistent stores in Pebble on the instance's disk; else they are in memory and restored after a crash.
	Pebble bool
	// Configure changes the configuration that the properties make: exception handlers of one's own, say. Nil: it stays.
	Configure func(c *streams.Config)
}

// Workload is what is written to a topic, or, where Worker and File say so, appended to a file on a worker's machine: each record's value is a line.
type Workload struct {
	Topic        string
	Worker, File string
	Records      []Event // in order of Arrival
}

// Event is a record of a workload.
type Event struct {
	Arrival int64 // ms: when it reaches the broker, in virtual time
	Record  broker.Record
}

// partition is where an event goes: by Kafka's default partitioner; records without a key take turns.
func (t Topic) partition(e *Event, n int) int32 {
	if e.Record.Key == nil {
		return int32(n) % t.Partitions
	}
	return broker.PartitionForKey(e.Record.Key, t.Partitions)
}

func (s *Scenario) topic(name string) (Topic, bool) {
	for _, t := range s.Topics {
		if t.Name == name {
			return t, true
		}
	}
	return Topic{}, false
}

func (s *Scenario) app(name string) (*App, bool) {
	for i := range s.Apps {
		if s.Apps[i].Name == name {
			return &s.Apps[i], true
		}
	}
	return nil, false
}

func (s *Scenario) worker(name string) (*Worker, bool) {
	for i := range s.Workers {
		if s.Workers[i].Name == name {
			return &s.Workers[i], true
		}
	}
	return nil, false
}

func (s *Scenario) events() int {
	n := 0
	for _, w := range s.Workload {
		n += len(w.Records)
	}
	return n
}

// first is the earliest arrival.
func (s *Scenario) first() time.Time {
	var first int64
	for _, w := range s.Workload {
		if len(w.Records) > 0 && (first == 0 || w.Records[0].Arrival < first) {
			first = w.Records[0].Arrival
		}
	}
	return time.UnixMilli(first).UTC()
}

// start is when virtual time begins.
func (s *Scenario) start() time.Time {
	if !s.Start.IsZero() || s.events() == 0 {
		return s.Start
	}
	return s.first().Add(-time.Minute)
}
