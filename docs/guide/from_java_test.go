package guide_test

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// Alert is what the snippets send.
type Alert struct {
	User string `json:"user"`
	Text string `json:"text"`
}

// Basket is an aggregate of the snippets.
type Basket struct {
	Items int   `json:"items"`
	Cents int64 `json:"cents"`
}

func fromJavaFilter(b *streams.Builder) {
	orders := streams.Stream(b, "orders", streams.Consumed[string, Order]{Value: serde.JSON[Order]()})
	big := orders.Filter(func(_ string, o Order) (bool, error) { return o.Cents > 100_000, nil })
	cents := streams.MapValues(big, func(_ string, o Order) (int64, error) { return o.Cents, nil })
	cents.To("big-orders")
}

func fromJavaBranch(orders *streams.KStream[string, Order]) {
	branches := orders.Branch([]streams.Branched[string, Order]{
		{Name: "big", Where: func(_ string, o Order) (bool, error) { return o.Cents > 100_000, nil }},
		{Name: "rest"},
	})
	branches[0].To("big-orders")
	branches[1].To("other-orders")
}

func fromJavaReduce(orders *streams.KStream[string, Order]) {
	byCustomer := streams.GroupBy(orders, func(_ string, o Order) (string, error) { return o.Customer, nil },
		streams.Grouped[string, Order]{Value: serde.JSON[Order]()})
	baskets := streams.Aggregate(byCustomer,
		func() (Basket, error) { return Basket{}, nil },
		func(_ string, o Order, sum Basket) (Basket, error) {
			return Basket{sum.Items + 1, sum.Cents + o.Cents}, nil
		},
		streams.Materialized[string, Basket]{Name: "baskets", Value: serde.JSON[Basket]()})
	baskets.ToStream().To("baskets")
}

func fromJavaWindow(clicks *streams.KStream[string, string]) {
	hopping := streams.HoppingWindows(5*time.Minute, time.Minute, 30*time.Second)
	counts := streams.Count(clicks.GroupByKey().WindowedBy(hopping))
	counts.Suppress(streams.UntilWindowCloses(streams.SuppressBuffer{})).ToStream().To("clicks-per-five-minutes")
}

func fromJavaSession(orders *streams.KStream[string, Order]) {
	add := func(_ string, o Order, sum Basket) (Basket, error) {
		return Basket{sum.Items + 1, sum.Cents + o.Cents}, nil
	}
	join := func(_ string, a, b Basket) (Basket, error) { return Basket{a.Items + b.Items, a.Cents + b.Cents}, nil }
	sessions := streams.AggregateSessions(orders.GroupByKey().WindowedBy(streams.SessionWindows(30*time.Minute, time.Minute)),
		func() (Basket, error) { return Basket{}, nil }, add, join,
		streams.Materialized[string, Basket]{Value: serde.JSON[Basket]()})
	sessions.ToStream().To("shopping-trips")
}

func fromJavaJoinTable(orders *streams.KStream[string, Order], customers *streams.KTable[string, Customer]) {
	alerts := streams.JoinTable(orders, streams.InnerJoin, customers,
		func(id string, o Order, c Customer, _ bool) (Alert, error) {
			return Alert{c.Name, "ordered in " + c.City}, nil
		},
		streams.Joined[string, Order]{Value: serde.JSON[Order]()})
	alerts.To("alerts", streams.Produced[string, Alert]{Value: serde.JSON[Alert]()})
}

func fromJavaJoinStreams(orders, payments *streams.KStream[string, Order]) {
	paid := streams.JoinStreams(orders, streams.LeftJoin, payments, streams.JoinWithin(10*time.Minute, time.Minute),
		func(id string, o Order, _ bool, p Order, has bool) (int64, error) {
			if !has {
				return o.Cents, nil // still to be paid
			}
			return o.Cents - p.Cents, nil
		},
		streams.StreamJoined[string, Order, Order]{Left: serde.JSON[Order](), Right: serde.JSON[Order]()})
	paid.To("balances")
}

func fromJavaForeignKey(orders *streams.KTable[string, Order], customers *streams.KTable[string, Customer]) {
	enriched := streams.JoinForeign(streams.InnerJoin, orders, customers,
		func(_ string, o Order) (string, error) { return o.Customer, nil },
		func(_ string, o Order, _ bool, c Customer, _ bool) (Alert, error) {
			return Alert{c.Name, fmt.Sprint(o.Cents)}, nil
		},
		streams.TableJoined[string, string]{},
		streams.Materialized[string, Alert]{Value: serde.JSON[Alert]()})
	enriched.ToStream().To("enriched-orders")
}

func fromJavaGlobal(b *streams.Builder, orders *streams.KStream[string, Order]) {
	customers := streams.GlobalTable(b, "customers", streams.Consumed[string, Customer]{Value: serde.JSON[Customer]()})
	cities := streams.JoinGlobal(orders, streams.InnerJoin, customers,
		func(_ string, o Order) (string, error) { return o.Customer, nil },
		func(_ string, _ Order, c Customer, _ bool) (string, error) { return c.City, nil })
	cities.To("order-cities")
}

func fromJavaProcessor(readings *streams.KStream[string, string]) {
	store := streams.NewKeyValueStore[string, int64]("seen", serde.String(), serde.Long())
	first := streams.Process(readings, func(c *streams.ProcessorContext[string, string]) (streams.Processor[string, string], error) {
		seen, err := streams.KeyValueStoreOf[string, int64](c, "seen")
		return streams.ProcessorFunc[string, string](func(r *streams.Record[string, string]) error {
			if _, has, err := seen.PutIfAbsent(r.Key, r.Timestamp); has || err != nil {
				return err
			}
			return c.Forward(*r)
		}), err
	}, streams.ProcessOptions{Add: []*streams.StoreBuilder{store}})
	first.To("first-readings")
}

func fromJavaMain(topology *streams.Topology) error {
	config, err := streams.ParseConfig(map[string]string{
		"application.id":       "word-count",
		"bootstrap.servers":    "localhost:9092",
		"processing.guarantee": "exactly_once_v2",
	})
	if err != nil {
		return err
	}
	cluster, err := kafka.New(kafka.Config{Bootstrap: []string{"localhost:9092"}})
	if err != nil {
		return err
	}
	defer cluster.Close()
	app := streams.NewInstance(topology, config, cluster, nil)
	if err := app.Start(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, func() { app.Stop(true) })
	return app.Wait(context.Background())
}

func fromJavaTest(t *testing.T, topology *streams.Topology) {
	d := streamstest.New(t, topology, nil)
	in := streamstest.Input(d, "lines", serde.String(), serde.String())
	out := streamstest.Output(d, "word-counts", serde.String(), serde.Long())
	in.Pipe(t, "", "hello", 0)
	if got := out.Read(t); got.Key != "hello" || got.Value != 1 {
		t.Error(got)
	}
}

// TestFromJava builds a topology of all the snippets, and runs one of them.
func TestFromJava(t *testing.T) {
	b := streams.NewBuilder()
	fromJavaFilter(b)
	order := streams.Consumed[string, Order]{Value: serde.JSON[Order]()}
	orders := streams.Stream(b, "orders", order)
	fromJavaBranch(orders)
	fromJavaReduce(orders)
	fromJavaSession(orders)
	customers := streams.Table(b, "customer-table", streams.Consumed[string, Customer]{Value: serde.JSON[Customer]()})
	fromJavaJoinTable(orders, customers)
	fromJavaJoinStreams(orders, streams.Stream(b, "payments", order))
	fromJavaForeignKey(streams.Table(b, "order-table", order), customers)
	fromJavaGlobal(b, orders)
	clicks := streams.Stream(b, "clicks", streams.Consumed[string, string]{})
	fromJavaWindow(clicks)
	fromJavaProcessor(clicks)
	topology, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d := streamstest.New(t, topology, nil)
	streamstest.Input(d, "customers", serde.String(), serde.JSON[Customer]()).Pipe(t, "c7", Customer{"Ada", "London"}, 0)
	streamstest.Input(d, "orders", serde.String(), serde.JSON[Order]()).Pipe(t, "o1", Order{"c7", 200_000}, 0)
	if got := streamstest.Output(d, "order-cities", serde.String(), serde.String()).Read(t); got.Value != "London" {
		t.Error(got)
	}
	words, err := wordCount()
	if err != nil {
		t.Fatal(err)
	}
	fromJavaTest(t, words)
	_ = fromJavaMain // needs a cluster: examples/ run theirs against one
}
