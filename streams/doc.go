// Package streams is for applications that turn topics into other topics and tables: Kafka Streams for Go. It has a DSL of streams and
// tables that is compiled to a topology, and an Instance that runs it, on a real cluster or in the simulator, with the names, bytes and
// semantics of Apache Kafka Streams.
//
//	b := streams.NewBuilder()
//	flights := streams.Stream(b, "flights", streams.Consumed[string, Flight]{Key: serde.String(), Value: serde.JSON[Flight]()})
//	perHour := streams.Count(flights.GroupByKey().WindowedBy(streams.TumblingWindows(time.Hour, time.Hour)))
//	perHour.ToStream().To("departures-per-hour")
//	topology, err := b.Build()
//
// Steps that keep the types of a stream are methods; steps that change a type are functions whose first argument is the stream, since
// Go has no generic methods. What Java overloads, options do here: Consumed, Grouped, Materialized, Produced, Named.
//
// User functions return an error. It goes to the processing exception handler (KIP-1033), whose default stops the instance.
package streams
