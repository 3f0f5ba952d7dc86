// Package worker is for running connectors: it reads their configuration, and runs a task's life cycle, with converters, the transform chain,
// error handling and offsets, as Kafka's org.apache.kafka.connect.runtime does. It asks a host for time and threads and the broker port
// for Kafka, so it runs in production and in the simulator.
package worker
