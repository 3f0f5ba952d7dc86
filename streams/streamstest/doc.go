// Package streamstest is for tests of a topology in milliseconds, without a cluster: Kafka's TopologyTestDriver.
//
//	d := streamstest.New(t, topology, nil)
//	in := streamstest.Input(d, "flights", serde.String(), serde.JSON[Flight]())
//	out := streamstest.Output(d, "departures-per-hour", serde.TimeWindowed(serde.String(), 3_600_000), serde.Long())
//	in.Pipe("AA", flight, at)
//	if got := out.Read(t); got.Value != 1 { ... }
//
// All sub-topologies run together as the one task 0_0 over partition 0 of every topic, with stores in memory; with Options.Partitions each has a task for
// each partition. Restart starts all of them again, as an instance that comes back with its disk. Each record is processed
// to its end before Pipe returns: the node graph, due stream-time punctuations, a commit, which writes the caches, and what was sent to
// topics that the topology itself reads. The wall clock stands still until Advance.
//
// It shows what a topology does; for partitions, rebalances, crashes and time-outs use package scenarios.
package streamstest
