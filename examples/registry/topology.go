package main

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// highValueOrder is what an order of more than 1000 becomes: the fields that matter of it, and one that is new. It is made once, not for each record.
var highValueOrder = avro.MustParse(`{
  "type": "record", "name": "HighValueOrder", "namespace": "com.example",
  "fields": [
    {"name": "orderId", "type": "string"},
    {"name": "userId", "type": "string"},
    {"name": "amount", "type": "double"},
    {"name": "verified", "type": "boolean", "default": false}
  ]}`)

// highValueOrders reads orders of whatever schema, and writes those of more than 1000 with an evolved one; and it counts the orders of each key in each hour.
func highValueOrders(registry *schemaregistry.Registry) (*streams.Topology, error) {
	b := streams.NewBuilder()
	records := avro.Generic(registry)
	orders := streams.Stream(b, "order-events", streams.Consumed[string, *avro.Record]{Value: records})

	high := orders.Filter(func(_ string, order *avro.Record) (bool, error) {
		amount, _ := order.Get("amount").(float64)
		return amount > 1000, nil
	})
	evolved := streams.MapValues(high, func(_ string, order *avro.Record) (*avro.Record, error) {
		return avro.NewRecord(highValueOrder, "orderId", order.Get("orderId"), "userId", order.Get("userId"), "amount", order.Get("amount"), "verified", false), nil
	})
	evolved.To("high-value-orders", streams.Produced[string, *avro.Record]{Value: records})

	counts := streams.Count(orders.GroupByKey().WindowedBy(streams.TumblingWindows(time.Hour, 0)), streams.Materialized[string, int64]{Name: "order-count-store"})
	counts.ToStream().To("order-counts")
	return b.Build()
}
