package guide_test

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/streamstest"
)

// Order is an order as the shop writes it.
type Order struct {
	Customer string `json:"customer"`
	Cents    int64  `json:"cents"`
}

// Customer is a row of the table of customers.
type Customer struct {
	Name string `json:"name"`
	City string `json:"city"`
}

// ordersWithCity looks each order's customer up in the table as it is when the order comes.
func ordersWithCity() (*streams.Topology, error) {
	b := streams.NewBuilder()
	orders := streams.Stream(b, "orders", streams.Consumed[string, Order]{Value: serde.JSON[Order]()})
	customers := streams.Table(b, "customers", streams.Consumed[string, Customer]{Value: serde.JSON[Customer]()})
	byCustomer := streams.SelectKey(orders, func(_ string, o Order) (string, error) { return o.Customer, nil })
	withCity := streams.JoinTable(byCustomer, streams.LeftJoin, customers, func(id string, o Order, c Customer, has bool) (string, error) {
		if !has {
			return fmt.Sprintf("%d cents from a stranger", o.Cents), nil
		}
		return fmt.Sprintf("%d cents from %s of %s", o.Cents, c.Name, c.City), nil
	})
	withCity.To("orders-with-city")
	return b.Build()
}

func Example_streamTableJoin() {
	topology, err := ordersWithCity()
	check(err)
	d, err := streamstest.Open(topology, streamstest.Options{})
	check(err)
	defer d.Close()
	orders := streamstest.Input(d, "orders", serde.String(), serde.JSON[Order]())
	customers := streamstest.Input(d, "customers", serde.String(), serde.JSON[Customer]())
	order := func(cents int64) {
		check(orders.Try(streamstest.Event[string, Order]{Key: "o", Value: Order{Customer: "c7", Cents: cents}}))
	}
	order(100)
	check(customers.Try(streamstest.Event[string, Customer]{Key: "c7", Value: Customer{"Ada", "London"}}))
	order(200)
	check(customers.Try(streamstest.Event[string, Customer]{Key: "c7", Value: Customer{"Ada", "Turin"}}))
	order(300)
	check(customers.Try(streamstest.Event[string, Customer]{Key: "c7", NullValue: true}))
	order(400)
	printAll(streamstest.Output(d, "orders-with-city", serde.String(), serde.String()))
	// Output:
	// c7 100 cents from a stranger
	// c7 200 cents from Ada of London
	// c7 300 cents from Ada of Turin
	// c7 400 cents from a stranger
}
