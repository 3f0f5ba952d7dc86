// Package processor is for the nodes of a running topology: the records that flow along its edges, how a node forwards them, and
// what a node sees of its task. It is typed: a record is never boxed between two nodes of a sub-topology.
package processor

import (
	"reflect"
	"unsafe"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Record is what flows along an edge. A node gets a pointer to its parent's record, valid for the call, and must not change it:
// its siblings see the same one.
type Record[K, V any] struct {
	Key   K
	Value V
	// NullKey and NullValue tell a null from a zero value, for types that have no nil. When true, Key or Value is the zero value.
	NullKey, NullValue bool
	Timestamp          int64 // milliseconds since the epoch, never negative
	Headers            []broker.Header
}

// Change is a table's update: org.apache.kafka.streams.kstream.internals.Change. Old is filled only where a node asked for it.
type Change[V any] struct {
	New, Old         V
	NullNew, NullOld bool
	// Stale: an update of a versioned table that is not its latest version (Kafka's isLatest, the other way round).
	Stale bool
}

// RecordContext is the record in hand, as stores and handlers see it.
type RecordContext = state.RecordContext

// NullTest returns the function that tells whether a T is null: nil, for the kinds that have a nil; never, for others.
func NullTest[T any]() func(v *T) bool {
	switch reflect.TypeFor[T]().Kind() {
	case reflect.Interface:
		return func(v *T) bool { return any(*v) == nil }
	case reflect.Pointer, reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		// the first word of each of these is a pointer that is nil exactly when the value is; asking through reflect or any would
		// allocate for every record
		return func(v *T) bool { return *(*unsafe.Pointer)(unsafe.Pointer(v)) == nil }
	default:
		return func(*T) bool { return false }
	}
}
