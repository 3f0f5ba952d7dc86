package main

import (
	"encoding/json"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Options are what the topology is made with.
type Options struct {
	// EventTime takes the times that the records have. Without it each record has the time at which it is read, as in the program that this
	// one follows (WallclockTimestampExtractor): then a window's count depends on when the application runs.
	EventTime bool
}

// orderProcessing reads raw-orders and the table user-data, and writes premium-orders, standard-orders, enriched-orders, and, of each user, orders an hour,
// revenue in five minutes and orders a session.
func orderProcessing(o Options) (*streams.Topology, error) {
	b := streams.NewBuilder()
	consumed := streams.Consumed[string, string]{Timestamp: streams.WallclockTimestamp[string, string]}
	if o.EventTime {
		consumed.Timestamp = nil
	}
	raw := streams.Stream(b, "raw-orders", consumed)
	users := streams.Table(b, "user-data", streams.Consumed[string, User]{Value: serde.JSON[User]()})

	orders := parsed(raw).Filter(func(_ string, o Order) (bool, error) { return o.Amount > 0, nil })
	enriched := streams.JoinTable(orders, streams.InnerJoin, users, func(_ string, o Order, u User, _ bool) (Order, error) { return o.withUser(u), nil })

	branches(enriched)
	windows(enriched)
	enriched.To("enriched-orders", streams.Produced[string, Order]{Value: serde.JSON[Order]()})
	return b.Build()
}

// parsed reads the orders, and leaves out what is none.
func parsed(raw *streams.KStream[string, string]) *streams.KStream[string, Order] {
	some := raw.Filter(func(_, text string) (bool, error) { return text != "", nil })
	return streams.FlatMapValues(some, func(_, text string) ([]Order, error) {
		var o Order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			return nil, nil // not an order: left out, as an empty record is
		}
		return []Order{o}, nil
	})
}

// branches sends orders to a topic by their type. An order of another type goes to neither.
func branches(orders *streams.KStream[string, Order]) {
	to := func(o *streams.KStream[string, Order], topic string, discount float64) {
		streams.MapValues(o, func(_ string, o Order) (Order, error) { return o.discounted(discount), nil }).
			To(topic, streams.Produced[string, Order]{Value: serde.JSON[Order]()})
	}
	of := func(kind string) func(string, Order) (bool, error) {
		return func(_ string, o Order) (bool, error) { return o.Type == kind, nil }
	}
	byType := orders.Branch([]streams.Branched[string, Order]{
		{Name: "premium", Where: of("PREMIUM")},
		{Name: "standard", Where: of("STANDARD")},
	}, "by-type-")
	to(byType[0], "premium-orders", 0.10)
	to(byType[1], "standard-orders", 0)
}

// windows counts and sums by time.
func windows(orders *streams.KStream[string, Order]) {
	byUser := streams.Grouped[string, Order]{Value: serde.JSON[Order]()}

	perHour := streams.Count(orders.GroupByKey(byUser).WindowedBy(streams.TumblingWindows(time.Hour, 0)),
		streams.Materialized[string, int64]{Name: "order-count-store"})
	perHour.ToStream().To("orders-per-hour")

	amounts := streams.MapValues(orders, func(_ string, o Order) (float64, error) { return o.Amount, nil })
	revenue := streams.Reduce(amounts.GroupByKey().WindowedBy(streams.HoppingWindows(5*time.Minute, time.Minute, 0)),
		func(sum, amount float64) (float64, error) { return sum + amount, nil },
		streams.Materialized[string, float64]{Name: "revenue-store"})
	revenue.ToStream().To("revenue-by-user")

	bySession := streams.Map(orders, func(_ string, o Order) (string, Order, error) { return o.UserID, o, nil })
	sessions := streams.Count(bySession.GroupByKey(byUser).WindowedBy(streams.SessionWindows(30*time.Minute, 0)),
		streams.Materialized[string, int64]{Name: "session-store"})
	sessions.ToStream().To("sessions-by-user")
}
