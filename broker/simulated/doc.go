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
// # The clients
//
// The client side is ordinary code of one process: [Model.Client] is its broker.Cluster. What the network sends back arrives as
// events of that process; the thread that owns a producer, consumer or member waits for them in a signal.
package simulated
