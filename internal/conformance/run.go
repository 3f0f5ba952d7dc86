package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/declare"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// Outcome is how a case ended. Without Unsupported and Diff it passed.
type Outcome struct {
	// Unsupported is what the engine does not have yet; empty: nothing.
	Unsupported string
	// Diff is where the engine differs from Kafka.
	Diff string
}

// Run runs a case.
func Run(v *Vector) Outcome {
	app, err := declare.Parse(v.Name+".json", v.Spec)
	var cfg streams.Config
	if err == nil {
		cfg, err = streams.ParseConfig(app.Config)
	}
	if err != nil {
		return Outcome{Diff: v.failed("build", err)}
	}
	if v.Describe != nil {
		if d := diffText("describe", *v.Describe, app.Topology.Describe()); d != "" {
			return Outcome{Diff: d}
		}
	}
	if v.Error != nil && v.Error.At == "build" {
		return Outcome{Diff: fmt.Sprintf("error: want %s at build (%s), got none", v.Error.Class, v.Error.Message)}
	}
	d, err := streamstest.Open(app.Topology, streamstest.Options{Properties: cfg.Properties, Manual: v.Commit == "manual", Start: time.UnixMilli(v.WallClock)})
	if err != nil {
		return Outcome{Diff: v.failed("start", err)}
	}
	defer d.Close()
	return Outcome{Diff: v.drive(d)}
}

// failed compares an error with the one that Kafka had.
func (v *Vector) failed(at string, err error) string {
	class := Class(err)
	switch {
	case v.Error == nil:
		return fmt.Sprintf("error at %s: %s: %v; want none", at, class, err)
	case v.Error.At != at || v.Error.Class != class:
		return fmt.Sprintf("error: want %s at %s (%s), got %s at %s: %v", v.Error.Class, v.Error.At, v.Error.Message, class, at, err)
	}
	return ""
}

// Class is Kafka's name of an error's kind.
func Class(err error) string {
	type classed interface {
		error
		Class() string
	}
	if c, ok := errors.AsType[classed](err); ok {
		return c.Class()
	}
	return fmt.Sprintf("unclassified %T", err)
}

// drive does the ops and compares what each sends, then the stores.
func (v *Vector) drive(d *streamstest.Driver) string {
	sent := 0
	for i, op := range v.Ops {
		err := op.do(d)
		if i >= len(v.Expect) {
			return fmt.Sprintf("op %d: the case ends before it", i)
		}
		if diff := diffRecords(v.Expect[i], d.Sent()[sent:]); diff != "" {
			return fmt.Sprintf("op %d: %s%s", i, diff, note(err))
		}
		sent = len(d.Sent())
		if err != nil && len(v.Expect) != i+1 {
			return fmt.Sprintf("op %d failed, and the case goes on: %v", i, err)
		}
		if err != nil {
			return v.failed(strconv.Itoa(i), err)
		}
		if v.Error != nil && v.Error.At == strconv.Itoa(i) {
			return fmt.Sprintf("error: want %s at op %d (%s), got none", v.Error.Class, i, v.Error.Message)
		}
	}
	if len(v.Expect) != len(v.Ops) {
		return fmt.Sprintf("%d ops were done, and the case expects %d", len(v.Ops), len(v.Expect))
	}
	if v.Error != nil && v.Error.At == "end" {
		return v.atEnd(d)
	}
	if v.Error != nil {
		return fmt.Sprintf("error: want %s at %s (%s), got none", v.Error.Class, v.Error.At, v.Error.Message)
	}
	if v.Dropped != nil && *v.Dropped != d.Dropped() {
		return fmt.Sprintf("dropped records: want %d, got %d", *v.Dropped, d.Dropped())
	}
	return diffStores(v.Stores, d)
}

// atEnd is for cases whose stores Kafka cannot list: its windows in memory must have a length then, which those of a join at one moment do
// not have. Nothing of the application is wrong, so that nothing fails here; the case is only right if there is such a store.
func (v *Vector) atEnd(d *streamstest.Driver) string {
	stores, err := d.Stores()
	if err != nil {
		return fmt.Sprintf("stores: %v", err)
	}
	noLength := func(s streamstest.StoreView) bool { return s.Kind.Windowed() && s.WindowSize == 0 && len(s.Rows) > 0 }
	if v.Error.Class != "java.lang.IllegalArgumentException" || !slices.ContainsFunc(stores, noLength) {
		return fmt.Sprintf("error: want %s at the end (%s), got none", v.Error.Class, v.Error.Message)
	}
	return ""
}

func note(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (the op failed: %v)", err)
}

func (o *Op) do(d *streamstest.Driver) error {
	switch {
	case o.Pipe != nil:
		return d.Pipe(o.Pipe.record())
	case o.Batch != nil:
		var rs []streamstest.Record
		for i := range o.Batch {
			rs = append(rs, o.Batch[i].record())
		}
		return d.Batch(rs...)
	case o.Advance != nil:
		return d.Advance(time.Duration(*o.Advance) * time.Millisecond)
	case o.Commit:
		return d.Commit()
	}
	return errors.New("an op that does nothing")
}

func (r *Record) record() streamstest.Record {
	out := streamstest.Record{Topic: r.Topic, Record: broker.Record{Key: r.Key, Value: r.Value, Timestamp: broker.NoTimestamp}}
	if r.Timestamp != nil {
		out.Timestamp = *r.Timestamp
	}
	for _, h := range r.Headers {
		out.Headers = append(out.Headers, broker.Header{Key: h.Name, Value: h.Value})
	}
	return out
}
