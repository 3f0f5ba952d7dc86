package guide_test

import (
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// visitsPerHour counts visits of each page by the hour in which they happened. A visit that arrives up to half an hour after its hour is over still
// counts.
func visitsPerHour() (*streams.Topology, error) {
	b := streams.NewBuilder()
	visits := streams.Stream(b, "visits", streams.Consumed[string, string]{})
	hours := streams.TumblingWindows(time.Hour, 30*time.Minute)
	perHour := streams.Count(visits.GroupByKey().WindowedBy(hours), streams.Materialized[string, int64]{Name: "visits-per-hour"})
	perHour.ToStream().To("visits-per-hour")
	return b.Build()
}

func Example_windowedCount() {
	topology, err := visitsPerHour()
	check(err)
	d, err := streamstest.Open(topology, streamstest.Options{})
	check(err)
	defer d.Close()
	visits := streamstest.Input(d, "visits", serde.String(), serde.String())
	at := func(minute int64) {
		check(visits.Try(streamstest.Event[string, string]{Key: "home", Timestamp: minute * 60_000}))
	}
	at(10)
	at(50)
	at(70) // the next hour
	at(55) // late, and in time: the first hour ended at 60, stream time is 70, and the grace is 30 minutes
	at(95)
	at(59) // too late: stream time is 95
	out := streamstest.Output(d, "visits-per-hour", serde.TimeWindowed(serde.String(), 3_600_000), serde.Long())
	for {
		e, ok, err := out.Next()
		check(err)
		if !ok {
			break
		}
		fmt.Printf("%s hour %d: %d\n", e.Key.Key, e.Key.Window.Start/3_600_000, e.Value)
	}
	fmt.Println("dropped as late:", d.Dropped())
	// Output:
	// home hour 0: 1
	// home hour 0: 2
	// home hour 1: 1
	// home hour 0: 3
	// home hour 1: 2
	// dropped as late: 1
}
