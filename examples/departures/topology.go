package main

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Flight is a departure, as far as the count needs it.
type Flight struct {
	Carrier   string `json:"carrier"`
	Cancelled bool   `json:"cancelled"`
}

// departures counts the flights that left, per carrier and hour.
func departures() (*streams.Topology, error) {
	b := streams.NewBuilder()
	flights := streams.Stream(b, "flights", streams.Consumed[string, Flight]{Key: serde.String(), Value: serde.JSON[Flight]()})
	left := flights.FilterNot(func(_ string, f Flight) (bool, error) { return f.Cancelled, nil })
	perHour := streams.Count(left.GroupByKey().WindowedBy(streams.TumblingWindows(time.Hour, time.Hour)),
		streams.Materialized[string, int64]{Name: "departures"})
	perHour.ToStream().To("departures-per-hour")
	return b.Build()
}
