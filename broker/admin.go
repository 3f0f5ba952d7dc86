package broker

import (
	"context"
)

// Admin administers a cluster. Calls block, and return one error; calls on several topics or partitions fail as a whole with the
// first error in the order of the arguments, after all were tried.
type Admin interface {
	// CreateTopics creates topics; one that exists is ErrTopicExists.
	CreateTopics(ctx context.Context, topics ...NewTopic) error
	DeleteTopics(ctx context.Context, topics ...string) error
	// DescribeTopics describes those of the named topics that exist; with no names, all that are not internal to the broker.
	DescribeTopics(ctx context.Context, topics ...string) (map[string]TopicDescription, error)
	// TopicConfigs are a topic's effective settings.
	TopicConfigs(ctx context.Context, topic string) (map[string]string, error)
	// EarliestOffsets are the log start offsets.
	EarliestOffsets(ctx context.Context, tps ...TopicPartition) (map[TopicPartition]int64, error)
	// EndOffsets are the high watermarks, or the last stable offsets under ReadCommitted.
	EndOffsets(ctx context.Context, isolation IsolationLevel, tps ...TopicPartition) (map[TopicPartition]int64, error)
	// OffsetsForTime are the first offsets whose record has this timestamp (ms) or a later one; NoOffset when there is none.
	OffsetsForTime(ctx context.Context, timestamp int64, tps ...TopicPartition) (map[TopicPartition]int64, error)
	// DeleteRecords moves the log start offsets up to the given offsets.
	DeleteRecords(ctx context.Context, before map[TopicPartition]int64) error
	// CommittedOffsets are a group's, with metadata; partitions without one are absent.
	CommittedOffsets(ctx context.Context, group string) (map[TopicPartition]OffsetAndMetadata, error)
	// DescribeGroup describes a classic group; one that does not exist has the state Dead.
	DescribeGroup(ctx context.Context, group string) (GroupDescription, error)
	DeleteGroup(ctx context.Context, group string) error
}

// NewTopic is a topic to create. Partitions or ReplicationFactor of -1 (or 0) ask for the broker's default.
type NewTopic struct {
	Name              string
	Partitions        int32
	ReplicationFactor int16
	Configs           map[string]string
}

// TopicDescription describes a topic.
type TopicDescription struct {
	Name       string
	Partitions []PartitionDescription // by number
	Internal   bool
}

// PartitionDescription describes a partition. Leader -1: none.
type PartitionDescription struct {
	Leader        int32
	LeaderEpoch   int32
	Replicas, ISR []int32
}

// GroupDescription describes a classic group. State is in Kafka's spelling: Empty, PreparingRebalance, CompletingRebalance,
// Stable, Dead.
type GroupDescription struct {
	Group    string
	State    string
	Protocol string
	Members  []MemberDescription // sorted by MemberID
}

// MemberDescription describes a member.
type MemberDescription struct {
	MemberID, InstanceID, ClientID string
	Assigned                       []TopicPartition
}
