package processor

import (
	"cmp"
	"fmt"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// TaskID names a task: sub-topology and partition.
type TaskID struct {
	Subtopology int32
	Partition   int32
}

func (id TaskID) String() string { return fmt.Sprintf("%d_%d", id.Subtopology, id.Partition) }

// Compare orders by sub-topology, then partition.
func (id TaskID) Compare(o TaskID) int {
	if c := cmp.Compare(id.Subtopology, o.Subtopology); c != 0 {
		return c
	}
	return cmp.Compare(id.Partition, o.Partition)
}

// PunctuationType says which clock drives a punctuation.
type PunctuationType int8

// The two clocks.
const (
	StreamTime PunctuationType = iota
	WallClockTime
)

// Task is what a node sees of its task. All calls are made on the task's thread.
type Task interface {
	ID() TaskID
	ApplicationID() string
	// AppConfigs are the application's properties as they were given. They are not to be changed.
	AppConfigs() map[string]string
	// StateDir is the directory of the task's persistent stores, on the host's file system.
	StateDir() string
	// Context is the record in hand. The pointer is the same for the life of the task; what it points to changes.
	Context() *RecordContext
	// StreamTime is the task's stream time, -1 before the first record.
	StreamTime() int64
	// WallClock is the time in milliseconds, as of the beginning of the current record or punctuation.
	WallClock() int64
	// Now is the time in milliseconds.
	Now() int64
	// Store is a state store of the task; nil when there is none of that name.
	Store(name string) *state.Handle
	// GlobalStore is a global store of the instance, to be read only; nil when there is none of that name.
	GlobalStore(name string) *state.Handle
	// StoreSerdes are a store's: each a serde.Serde.
	StoreSerdes(name string) (key, value any)
	// Changelog is the name of a store's changelog topic, which its serdes are given.
	Changelog(store string) string
	// TopicName is the name on the cluster of a topic that a node names: internal ones get the application's prefix.
	TopicName(topic string) string
	// Metadata is a number that is committed with the task's offsets and restored with them: an operator's stream time, a counter.
	// It starts at initial where nothing was committed. The pointer stays valid for the life of the task.
	Metadata(key string, initial int64) *int64
	// Scratch is a number that the nodes of one name share, 0 at first, and that is not committed.
	Scratch(key string) *int64
	// Drop counts a record that an operator left out (dropped-records-total) under the node's name, and logs why.
	Drop(node, reason string)
	// Send hands a record to the collector. partition -1: by the hash of partitionKey, or, when that is nil, sticky.
	Send(topic string, partition int32, partitionKey []byte, r broker.Record) error
	// Partitions is the number of partitions of a topic.
	Partitions(topic string) (int32, error)
	// Handle asks the processing exception handler about an error in a node: true means skip and go on.
	Handle(node string, err error) bool
	// HandleSerialization asks the production exception handler about a serialization error: true means drop the record and go on.
	HandleSerialization(node string, origin string, err error) bool
	// Alloc returns an empty slice with room for at least n bytes, cut from a block that many records share. Give what was
	// appended back with Keep, or drop it.
	Alloc(n int) []byte
	Keep(b []byte)
	// Schedule calls f at each interval of one clock. start -1: no anchor. It returns the function that cancels.
	Schedule(start, interval int64, t PunctuationType, node string, f func(now int64) error) func()
	// EmitInterval is the shortest time, in ms of the wall clock, between two emissions of what is closed (unmatched records of an
	// outer join, final windows): 1000, as in Kafka, and 0 in the test driver.
	EmitInterval() int64
	// RequestCommit asks for a commit at the next occasion.
	RequestCommit()
}
