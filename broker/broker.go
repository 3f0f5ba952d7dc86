// Package broker is for engines that need a Kafka cluster: it is the port, what an engine may ask of one. It holds values and interfaces
// only; broker/simulated, broker/fake and broker/kafka implement it, and broker/brokertest is the contract that all three are held to.
//
// # Threads
//
// A Producer, a Consumer and a Member belong to one thread: only Wakeup may be called from another. Acknowledgements and rebalance
// callbacks run on that thread, inside the calls that say so, never beside it. A Cluster and an Admin may be shared.
//
// # Bytes
//
// Keys, values and header values are immutable once they have crossed the port in either direction: an implementation may keep
// what was sent, and what was polled may be sent on or kept without a copy. The slices of records that hold them are not: see Poll.
//
// # Contexts
//
// Every blocking call takes the context of the calling thread (see internal/host). When it ends, the call returns its cause.
package broker

import (
	"context"
	"time"
)

// TopicPartition names one partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// Header is one record header. A nil Value is a null.
type Header struct {
	Key   string
	Value []byte
}

// NoTimestamp as a record's timestamp lets the producer's clock decide when it is sent.
const NoTimestamp int64 = -1

// NoOffset stands for "no offset is known".
const NoOffset int64 = -1

// Record is a record without its place. A nil Key or Value is a null; an empty one is empty.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Timestamp  int64 // milliseconds since the epoch
	Offset     int64 // set by a Consumer; ignored by Send
}

// Batch is a run of records of one partition, in offset order, as a Poll returned it.
type Batch struct {
	TopicPartition
	// Records may be empty when only control records or aborted data were passed over. The slice is reused by the next Poll.
	Records []Record
	// Next is the position after this batch: at least one more than the last record's offset; beyond it when control records,
	// aborted records or compacted offsets follow, so that it reaches the end offset of the partition.
	Next int64
	// HighWatermark and LastStable are the broker's at the time of the fetch.
	HighWatermark, LastStable int64
}

// OffsetAndMetadata is a committed position. LeaderEpoch -1 means unknown.
type OffsetAndMetadata struct {
	Offset      int64
	LeaderEpoch int32
	Metadata    string
}

// IsolationLevel is Kafka's isolation.level.
type IsolationLevel int8

// The isolation levels, with Kafka's values on the wire.
const (
	ReadUncommitted IsolationLevel = iota
	ReadCommitted
)

// ResetPolicy says where a partition starts that has no committed offset, or one that is out of range: auto.offset.reset.
type ResetPolicy int8

// The reset policies. With ResetNone each Poll fails with ErrOffsetOutOfRange (Earliest and Latest filled in), or with ErrNoOffset where
// nothing is committed, until a Seek; not for partitions that are paused.
const (
	ResetNone ResetPolicy = iota
	ResetEarliest
	ResetLatest
)

// Cluster is a way into one Kafka cluster, for one process.
type Cluster interface {
	// NewProducer returns an idempotent producer, or a transactional one when cfg names a TransactionalID: then the call fences
	// every earlier producer of that id, and waits until what they left open is aborted (InitProducerId).
	NewProducer(ctx context.Context, cfg ProducerConfig) (Producer, error)
	// NewConsumer returns a consumer of partitions that its caller assigns: for restoring, global tables and tools.
	NewConsumer(ctx context.Context, cfg ConsumerConfig) (Consumer, error)
	// JoinGroup returns a member of a classic consumer group. It returns before the first rebalance ends; that happens in Poll.
	JoinGroup(ctx context.Context, cfg MemberConfig) (Member, error)
	// Admin is the cluster's administration.
	Admin() Admin
	// Close releases what the Cluster itself holds. Close producers, consumers and members first.
	Close()
}

// ProducerConfig configures a producer; zero values are Kafka's defaults.
type ProducerConfig struct {
	ClientID           string
	TransactionalID    string        // empty: idempotent only
	TransactionTimeout time.Duration // default 60 s; Kafka Streams sets 10 s
	Linger             time.Duration // how long a batch that is not full may wait; Flush does not wait for it. Default 0
	BatchSize          int           // bytes, default 16384
	MaxRequestSize     int           // bytes, default 1048576: a larger record is refused with ErrRecordTooLarge
	Compression        string        // none (default), gzip, snappy, lz4, zstd
	DeliveryTimeout    time.Duration // default 120 s
	RequestTimeout     time.Duration // default 30 s
	Acks               Acks          // default all
	// Properties are Kafka's producer properties by their names, without prefix, for what the fields do not cover: security, memory,
	// retries. A field that is set wins. An implementation ignores what it has no use for.
	Properties map[string]string
}

// Ack tells that what one Send handed over is written, or why it is not.
type Ack func(base int64, err error)

// Producer writes records. After an error that wraps ErrFenced or ErrFatal it is good for Close only; after one that wraps
// ErrAbortable, for Abort.
type Producer interface {
	// Partitions is the number of partitions of a topic. It blocks for metadata when the topic is not known yet, and fails with
	// ErrUnknownTopic when the cluster does not know it either.
	Partitions(ctx context.Context, topic string) (int32, error)
	// Send hands over records for one partition, in order. It may block while the producer's buffer is full, and returns an error
	// only when nothing was taken. ack, when not nil, is called once: on this thread, inside a later Send, Flush, Commit or Abort;
	// base is the offset of the first record (the rest follow it), or NoOffset. Records of one partition are written in the order
	// of Send, without duplicates. The slice is the producer's until the ack; with a nil ack, until Flush.
	// A transactional producer must be between Begin and Commit or Abort.
	Send(ctx context.Context, tp TopicPartition, records []Record, ack Ack) error
	// Flush sends what is waiting and blocks until everything is acknowledged; all acks have run when it returns. It returns the
	// first error that an ack without a callback had, if any.
	Flush(ctx context.Context) error
	// Begin starts a transaction; it does not block.
	Begin() error
	// SendOffsets adds the consumer group's positions to the transaction (TxnOffsetCommit with the member's generation: KIP-447).
	// A stale generation is ErrUnknownMember or ErrRebalancing, and the transaction must be aborted.
	SendOffsets(ctx context.Context, group GroupMetadata, offsets map[TopicPartition]OffsetAndMetadata) error
	// Commit flushes and commits. A transaction in which nothing was sent and no offset was added ends without a request. A
	// transaction with offsets alone commits them too.
	Commit(ctx context.Context) error
	// Abort drops what waits, aborts the transaction and makes the producer ready for Begin.
	Abort(ctx context.Context) error
	// Close ends the producer. What is not flushed is dropped; an open transaction is left for its time-out or its successor.
	Close()
}

// ConsumerConfig configures a consumer; zero values are Kafka's defaults unless said.
type ConsumerConfig struct {
	ClientID     string
	Isolation    IsolationLevel
	Reset        ResetPolicy   // default none
	MaxBytes     int           // fetch.max.bytes, default 50 MiB
	MinBytes     int           // fetch.min.bytes, default 1
	PartitionMax int           // max.partition.fetch.bytes, default 1 MiB
	MaxWait      time.Duration // fetch.max.wait.ms, default 500 ms; the model parks a fetch until there is data
	Rack         string
	// Properties are Kafka's consumer properties, as in ProducerConfig.
	Properties map[string]string
}

// Consumer reads partitions. See the package's rules on threads and bytes.
type Consumer interface {
	// Assign replaces the assignment. A position in the map that is NoOffset starts where ConsumerConfig.Reset says. Partitions
	// that stay assigned and have NoOffset keep their position and their pause.
	Assign(ctx context.Context, positions map[TopicPartition]int64) error
	// Poll returns what was fetched, at most max records, batches in a fixed order; it blocks until there is something, until wait
	// has passed (wait < 0: for ever; 0: not at all), until Wakeup, or until a rebalance callback has run (a Member). Empty batches
	// that only move a position count as something. The returned slice, its batches and their Records belong to the
	// caller until the next Poll.
	Poll(ctx context.Context, max int, wait time.Duration) ([]Batch, error)
	// Wakeup makes a Poll that blocks, or else the next one, return at once. It may be called from any thread.
	Wakeup()
	// Seek moves the position of an assigned partition; what was fetched and not polled is dropped.
	Seek(tp TopicPartition, offset int64)
	// Position is the offset of the next record that Poll will return; NoOffset when it is not known yet.
	Position(tp TopicPartition) int64
	// Pause keeps partitions from being returned until Resume. What was fetched is kept.
	Pause(tps ...TopicPartition)
	Resume(tps ...TopicPartition)
	// EndOffsets are the high watermarks, or the last stable offsets under ReadCommitted.
	EndOffsets(ctx context.Context, isolation IsolationLevel, tps ...TopicPartition) (map[TopicPartition]int64, error)
	// Close ends the consumer. A Member leaves its group only through Leave.
	Close()
}

// MemberConfig configures a member of a classic group.
type MemberConfig struct {
	ConsumerConfig
	Group      string
	InstanceID string   // group.instance.id: a static member; empty: a dynamic one
	Topics     []string // the subscription, sorted
	// Matches, when set, adds to the subscription all topics of the cluster, but those internal to the broker, for which it says true. They are
	// looked up before each join. When other topics match, the member joins again by itself; a live one looks each metadata.max.age.ms. It
	// may be called from any thread.
	Matches           func(topic string) bool
	Assignor          Assignor
	Listener          Listener
	SessionTimeout    time.Duration // default 45 s
	HeartbeatInterval time.Duration // default 3 s
	RebalanceTimeout  time.Duration // max.poll.interval.ms, default 5 min
}

// Assignor is the client-side half of a group protocol (Kafka's ConsumerPartitionAssignor). Its methods run on the member's
// thread, inside Poll, except that Assign may run on a thread of its own in a live implementation: it must not touch the engine's
// state, and must be a pure function of its arguments.
type Assignor interface {
	// Name is the protocol's name: Kafka Streams' is "stream".
	Name() string
	// Cooperative says which rebalance protocol it follows.
	Cooperative() bool
	// UserData is what the subscription carries. It is asked at each join.
	UserData() []byte
	// Assign is called on the leader. The result must name every member.
	Assign(ctx context.Context, group GroupSubscription) (map[string]Assignment, error)
}

// GroupSubscription is what the leader knows.
type GroupSubscription struct {
	Generation int32
	Members    []Subscription // sorted by MemberID
	// Partitions are the counts of all topics that any member subscribes to; a topic that does not exist is absent.
	Partitions map[string]int32
}

// Subscription is one member's.
type Subscription struct {
	MemberID   string
	InstanceID string
	Topics     []string
	Owned      []TopicPartition // cooperative: what it owns now, sorted
	Generation int32            // the generation in which it got Owned; -1 unknown
	Rack       string
	UserData   []byte
}

// Assignment is one member's.
type Assignment struct {
	Partitions []TopicPartition // sorted
	UserData   []byte
}

// Listener is told of rebalances, inside Poll, on the member's thread.
type Listener interface {
	// Revoked: these are about to go to someone else; commit what is due for them before returning. With an eager protocol the member
	// is still in the old generation; with a cooperative one it is in the new one already, which still owns them: ask Metadata.
	Revoked(ctx context.Context, tps []TopicPartition)
	// Assigned: a rebalance has ended. full is the whole assignment with its user data; added are the partitions that were not owned
	// before. It is called once per generation, also when nothing was added.
	Assigned(ctx context.Context, full Assignment, added []TopicPartition)
	// Lost: these are gone already (the member was expelled); nothing may be committed for them.
	Lost(ctx context.Context, tps []TopicPartition)
}

// GroupMetadata fences offset commits: KIP-447.
type GroupMetadata struct {
	Group      string
	MemberID   string
	InstanceID string
	Generation int32
}

// Member is a consumer whose assignment comes from its group. Assign is refused.
type Member interface {
	Consumer
	// Commit commits positions, and blocks. ErrRebalancing, ErrUnknownMember and ErrFenced say that nothing was committed.
	Commit(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata) error
	// Committed are the group's committed positions, with their metadata, once no transaction is pending on them (require_stable).
	// Partitions without one are absent. It is repeated while it fails with ErrRetriable, for default.api.timeout.ms at most, as Kafka's consumer does.
	Committed(ctx context.Context, tps ...TopicPartition) (map[TopicPartition]OffsetAndMetadata, error)
	// Metadata is the membership as of the last rebalance.
	Metadata() GroupMetadata
	// Rejoin asks for a rebalance; it happens in a later Poll.
	Rejoin(reason string)
	// Leave leaves the group for good. Callbacks no longer run.
	Leave(ctx context.Context) error
}
