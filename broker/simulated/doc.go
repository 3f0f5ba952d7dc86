// Package simulated is for running engines against a Kafka cluster that can be replayed: a model of N brokers on the kernel of
// package sim, in virtual time, with the semantics of Apache Kafka 4.2 where an engine can see them, and with faults inside.
//
// # The brokers
//
// A broker is an event-driven machine: a request comes in over sim's network, replies and timers go out; it has no threads. Each
// API is a file named for it. A partition is one log with replica positions (replicaSet); high watermark, last stable offset,
// leader epochs and truncation follow from them. A coordinator (group, transaction) lives on a coordinatorLog: it decides, appends
// records, and changes its state only by replaying them, so that failover is replay.
//
// What idles costs nothing: a fetch without data is parked at the broker, time-outs are single timers that look again
// when they fire, retention and compaction run only when something can be old enough. Only heartbeats go on.
//
// # Where it knowingly differs from Kafka
//
//   - A partition is one log with replica positions: a replica that was left behind has no divergent suffix of its own.
//   - A fetch without data waits for data, not for fetch.max.wait.ms; a group's leader hears of changed topics at once instead of
//     by metadata.max.age.ms.
//   - log.retention.ms is unlimited unless asked for, and time-outs of transactions are the only ones that are looked for at intervals.
//   - An EndTxn of the new transaction that comes while the markers of the last one are under way is CONCURRENT_TRANSACTIONS, not
//     PRODUCER_FENCED; an abort of a transaction of which nothing has arrived succeeds.
//   - A call that is lost fails after the network's call time-out; ProducerConfig.RequestTimeout is not looked at.
//   - A producer sends the first batch of an epoch to a partition alone, and keeps what is under way within the broker's window of
//     five: single messages can be lost here, which TCP would not do.
//
// # The clients
//
// The client side is ordinary code of one process: [Model.Client] is its broker.Cluster. What the network sends back arrives as
// events of that process; the thread that owns a producer, consumer or member waits for them in a signal.
package simulated
