// Package connect is for writing connectors, transforms, predicates and converters: the interfaces a worker calls, the records that pass
// through them, and the registry under which they answer to Kafka's Java class names. It is Kafka's connect/api in Go.
//
// # Threads and time
//
// A plugin gets time, disk, HTTP and randomness from the host.Host that its factory is given, and the context of its thread with every
// call that may block; so the same plugin runs in production and in the simulator. An instance is used by one thread only, unless its
// interface says otherwise.
//
// # Errors
//
// An error's Java class decides what the worker does: data.RetriableException is tried again, data.DataException and others are the
// record's fault and may be tolerated. An error that is no *data.Error counts as a ConnectException.
package connect
