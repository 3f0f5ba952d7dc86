// Package simulated is for running engines against a Kafka cluster that can be replayed: a model of N brokers on the kernel of
// package sim, in virtual time, with the semantics of Apache Kafka 4.2 where an engine can see them, and with faults inside.
//
// # The brokers
//
// A broker is an event-driven machine: a request comes in over sim's network, replies and timers go out; it has no threads. Each
// API is a file named for it. A partition is its leader's log, and for each replica a position in it and what that replica has beyond of
// its own (replicaSet, replica_fork.go); high watermark, last stable offset, leader epochs, truncation, unclean elections and loss follow
// from them. A coordinator (classic group, streams group, transaction) lives on a coordinatorLog: it decides, appends records, and
// changes its state only by replaying them, so that failover is replay. The controller is a quorum beside the brokers: topics, leaders
// and in-sync replicas are its decisions, and wait for it while it is away.
//
// What idles costs nothing: a fetch without data is parked at the broker, time-outs are single timers that look again
// when they fire, retention and compaction run only when something can be old enough. Only heartbeats go on.
//
// # What can be done to it
//
// [Model.CrashBroker], [Model.ShutdownBroker], [Model.RestartBroker], [Model.RollingRestart], [Model.CrashController], [Model.MoveLeader],
// [Model.ElectUnclean], [Model.StallReplica], [Model.ShrinkISR], [Model.SetQuota], [Model.FenceProducer], [Model.ForceRebalance],
// [Model.ExpireSession]; and through the port what an operator can ask (broker.Operations).
//
// # What acknowledged means
//
// With AcksAll and min.insync.replicas=2 or more, what is acknowledged is there as long as one in-sync replica lives, unless an unclean
// election takes place. With AcksLeader it is lost when the leader fails, or is moved, before a follower has fetched it: the old leader
// cuts it when it comes back ("partition.truncate" in the trace), and a consumer that has read it is told (KIP-320). With AcksNone it may
// never have arrived.
//
// # Where it knowingly differs from Kafka
//
//   - A fetch without data waits for data, not for fetch.max.wait.ms; a group's leader hears of changed topics at once instead of
//     by metadata.max.age.ms.
//   - log.retention.ms is unlimited and auto.create.topics.enable off unless asked for, and time-outs of transactions are the only ones
//     that are looked for at intervals.
//   - An EndTxn of the new transaction that comes while the markers of the last one are under way is CONCURRENT_TRANSACTIONS, not
//     PRODUCER_FENCED; an abort of a transaction of which nothing has arrived succeeds.
//   - A producer sends the first batch of an epoch to a partition alone, and keeps what is under way within the broker's window of
//     five: single messages can be lost here, which TCP would not do. Nor does a client that gives a request up break a connection.
//   - A new leader knows the high watermark at once; in-sync replicas are changed without a round to the controller. Eligible leader
//     replicas (KIP-966) are not kept: with none in sync only an unclean election helps.
//   - The internal topics ignore min.insync.replicas, and have no unclean elections. Replication does not go over the network: a partition
//     between brokers does not stop it (Model.StallReplica does).
//   - An idle producer id expires by the time of its last write, not by its records' timestamps.
//   - A quota is a bucket of ten seconds that leaks at its rate; there are no request quotas. Compression is a fixed share of the size.
//   - Streams groups have static members as Kafka 4.4 has, no regular expressions for sources, and no warm-ups (nor has Kafka any yet).
//
// # The clients
//
// The client side is ordinary code of one process: [Model.Client] is its broker.Cluster. What the network sends back arrives as
// events of that process; the thread that owns a producer, consumer or member waits for them in a signal.
package simulated
