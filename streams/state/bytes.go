// Package state is for the state of tasks: byte stores with Kafka's formats, over an engine that commits all stores of a task in one
// atomic step together with the changelog offsets that they stand for (KIP-892).
//
// The layers, from the operator down: a typed store ([TimestampedKeyValue], [Window]: serdes and key codecs), then optionally a
// cache and a changelog, each over [Bytes], then a [Table] or [Segments], which hold what is not committed yet, then an [Engine]
// (Pebble, or memory). All order is the unsigned order of key bytes.
//
// Everything but the engines belongs to one task and its thread.
package state

import "github.com/kstreamlab/kstreamlab/broker"

// Bytes is an ordered store of bytes. A value is immutable from the moment it is put, and what Get and an Iterator return is immutable
// too and may be kept; the key of a Get or Put is the caller's again when the call returns.
type Bytes interface {
	// Get returns nil where there is nothing.
	Get(key []byte) ([]byte, error)
	// Put with a nil value deletes.
	Put(key, value []byte) error
	// Scan returns the rows of a span as they are now; rows put while it is open may or may not be seen. Close it.
	Scan(Span) Iterator
}

// Span selects rows: From inclusive, To exclusive, nil is open. Stores of windows also look at the time in the key: FromTime and ToTime,
// both inclusive; they must cover the keys asked for.
type Span struct {
	From, To         []byte
	FromTime, ToTime int64
	Reverse          bool
	// Key, for stores of windows: the rows of this key alone are asked for; others may come as well. From and To must then be made of it.
	Key []byte
	// Wide, with a Key: asked for as a range of keys, as Kafka does for sliding windows. Its cache over a store in memory then comes by all rows
	// from the first time on.
	Wide bool
}

// Iterator walks over rows. It starts before the first.
type Iterator interface {
	// Next moves to the next row; false at the end and after an error.
	Next() bool
	Key() []byte
	Value() []byte
	Err() error
	Close() error
}

// RecordContext is the record in hand: ProcessorRecordContext. In a punctuation the topic is empty, partition and offset are -1.
type RecordContext struct {
	Topic     string
	Partition int32
	Offset    int64
	Timestamp int64
	Headers   []broker.Header
	// RawKey and RawValue are the source record's bytes, for dead letters.
	RawKey, RawValue []byte
}

// PrefixEnd is the first key after all keys that start with prefix; nil when there is none.
func PrefixEnd(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
