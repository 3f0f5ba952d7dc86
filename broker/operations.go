package broker

import (
	"context"
	"fmt"
)

// Acks says who must have a batch before the producer is told that it is written: Kafka's acks.
type Acks int8

// The settings of Acks. The zero value is Kafka's default. With AcksLeader and AcksNone a producer is not idempotent, and must not be
// transactional.
const (
	// AcksAll: all in-sync replicas, at least min.insync.replicas. What is acknowledged survives while one of them lives, unless
	// an unclean election takes place.
	AcksAll Acks = iota
	// AcksLeader: the leader alone. What is acknowledged is lost when the leader fails before its followers have fetched it.
	AcksLeader
	// AcksNone: nobody. The base offset of an ack is NoOffset, and an error is never told.
	AcksNone
)

// LogTruncated is what a Poll fails with when what the consumer has read is in the log no more, because a replica without it has
// become the leader, and the reset policy is none (KIP-320). With another policy the consumer goes on at Divergent by itself.
type LogTruncated struct {
	TopicPartition
	Offset    int64 // the position
	Divergent int64 // the first offset at which the log may differ from what was read; NoOffset: not known
}

func (e *LogTruncated) Error() string {
	return fmt.Sprintf("OffsetForLeaderEpoch: %s-%d was truncated: the position is %d, the log differs from %d on", e.Topic, e.Partition, e.Offset, e.Divergent)
}

func (e *LogTruncated) Unwrap() error { return ErrOffsetOutOfRange }

// Operations are what those who run a cluster ask beyond Admin. Not every Admin has them: ask with a type assertion.
type Operations interface {
	// CreatePartitions raises a topic's number of partitions to total.
	CreatePartitions(ctx context.Context, topic string, total int32) error
	// AlterTopicConfigs sets the given settings of a topic; a nil value goes back to the default (IncrementalAlterConfigs).
	AlterTopicConfigs(ctx context.Context, topic string, configs map[string]*string) error
	// MaxTimestampOffsets are the offsets of the records with the largest timestamp; NoOffset in an empty partition.
	MaxTimestampOffsets(ctx context.Context, tps ...TopicPartition) (map[TopicPartition]int64, error)
	// ElectLeaders makes the preferred replicas the leaders, or, where unclean, any live replica of those partitions that have no leader.
	ElectLeaders(ctx context.Context, unclean bool, tps ...TopicPartition) error
	// DescribeTransactions are the transactional ids whose coordinator answers, sorted by id.
	DescribeTransactions(ctx context.Context) ([]TransactionDescription, error)
	// HangingTransactions are open transactions of partitions that their coordinator does not know (or no more): they hold the last
	// stable offset back for good.
	HangingTransactions(ctx context.Context, tps ...TopicPartition) ([]HangingTransaction, error)
	// AbortTransaction ends a hanging transaction in its partition.
	AbortTransaction(ctx context.Context, t HangingTransaction) error
}

// TransactionDescription describes a transactional id. State is in Kafka's spelling: Empty, Ongoing, PrepareCommit, PrepareAbort,
// CompleteCommit, CompleteAbort.
type TransactionDescription struct {
	TransactionalID string
	ProducerID      int64
	Epoch           int16
	State           string
	Partitions      []TopicPartition // sorted
}

// HangingTransaction is one open transaction of a partition.
type HangingTransaction struct {
	TopicPartition
	ProducerID  int64
	Epoch       int16
	FirstOffset int64
}
