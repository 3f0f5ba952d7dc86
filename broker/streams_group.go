package broker

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// StreamsCluster is a Cluster that has streams groups (KIP-1071), in which the broker and not a member assigns tasks. Not every
// implementation is one: ask with a type assertion.
type StreamsCluster interface {
	Cluster
	// JoinStreamsGroup returns a member of a streams group. It returns before the first answer; what the group says comes in Poll.
	JoinStreamsGroup(ctx context.Context, cfg StreamsMemberConfig) (StreamsMember, error)
	// DescribeStreamsGroup describes a streams group; one that does not exist has the state DEAD.
	DescribeStreamsGroup(ctx context.Context, group string) (StreamsGroupDescription, error)
}

// StreamsMemberConfig configures a member of a streams group. Heartbeat interval, session time-out, standbys and warm-ups are the
// group's settings, at the broker.
type StreamsMemberConfig struct {
	ConsumerConfig
	Group            string
	InstanceID       string // a static member; empty: a dynamic one
	ProcessID        string // members of one process share it: a standby is never beside its active task
	Endpoint         string // application.server, host:port; empty: none
	ClientTags       map[string]string
	Topology         StreamsTopology
	Listener         StreamsListener
	RebalanceTimeout time.Duration // max.poll.interval.ms, default 5 min
	// Offsets, when set, is asked for the members' changelog positions each task.offset.interval.ms; it runs in Poll.
	Offsets func() []StreamsTaskOffset
}

// StreamsTopology is what a member says of its topology. All members of a group must say the same for one Epoch.
type StreamsTopology struct {
	Epoch         int32
	Subtopologies []StreamsSubtopology // sorted by ID
}

// StreamsSubtopology is one sub-topology as the coordinator needs it. Its number of tasks is the largest number of partitions of its sources.
type StreamsSubtopology struct {
	ID                 string
	SourceTopics       []string       // of the user, sorted
	RepartitionSinks   []string       // repartition topics that it writes
	RepartitionSources []StreamsTopic // repartition topics that it reads, sorted by name
	Changelogs         []StreamsTopic // sorted by name
	Copartition        [][]string     // groups of source topics (of both kinds) that must have equally many partitions
}

// StreamsTopic is an internal topic for the coordinator to create. Partitions 0 of a repartition topic: as its writers have; of a
// changelog it is not looked at. ReplicationFactor 0: the broker's default.
type StreamsTopic struct {
	Name              string
	Partitions        int32
	ReplicationFactor int16
	Configs           map[string]string
}

// StreamsTask names a task.
type StreamsTask struct {
	Subtopology string
	Partition   int32
}

func (t StreamsTask) String() string { return fmt.Sprintf("%s_%d", t.Subtopology, t.Partition) }

// Compare orders by sub-topology, then partition.
func (t StreamsTask) Compare(o StreamsTask) int {
	return cmp.Or(cmp.Compare(t.Subtopology, o.Subtopology), cmp.Compare(t.Partition, o.Partition))
}

// StreamsTasks are a member's tasks by role, each list sorted.
type StreamsTasks struct {
	Active, Standby, Warmup []StreamsTask
}

// StreamsTaskOffset is how far a member has a task's state: the sum of its changelog offsets, and of their end offsets.
type StreamsTaskOffset struct {
	Task        StreamsTask
	Offset, End int64
}

// StreamsStatus is a group's condition that a member may have to act on, with Kafka's codes.
type StreamsStatus struct {
	Code   StreamsStatusCode
	Detail string
}

// StreamsStatusCode says what a StreamsStatus is about.
type StreamsStatusCode int8

// The status codes, with Kafka's values on the wire.
const (
	StaleTopology StreamsStatusCode = iota
	MissingSourceTopics
	IncorrectlyPartitionedTopics
	MissingInternalTopics
	ShutdownApplication
	AssignmentDelayed
)

// String is Kafka's name.
func (c StreamsStatusCode) String() string {
	return [...]string{"STALE_TOPOLOGY", "MISSING_SOURCE_TOPICS", "INCORRECTLY_PARTITIONED_TOPICS", "MISSING_INTERNAL_TOPICS",
		"SHUTDOWN_APPLICATION", "ASSIGNMENT_DELAYED"}[c]
}

// StreamsListener is told of changes of the assignment, inside Poll, on the member's thread. The group takes tasks back one member
// at a time: there is no common barrier.
type StreamsListener interface {
	// Revoked: these active tasks are about to go to someone else; commit for them before returning. The group hands them on only then.
	Revoked(ctx context.Context, active []StreamsTask)
	// Assigned is the whole assignment from now on. It comes after Revoked when both are due.
	Assigned(ctx context.Context, tasks StreamsTasks)
	// Lost: everything is gone already; nothing may be committed.
	Lost(ctx context.Context)
	// Status: the group's condition is another now; empty: all is well.
	Status(ctx context.Context, status []StreamsStatus)
}

// StreamsEndpoint is where a member's process can be asked, and the partitions that it has there.
type StreamsEndpoint struct {
	Endpoint        string
	Active, Standby []TopicPartition // of sources, sorted
}

// StreamsMember is a consumer of the source partitions of its active tasks. Assign is refused.
type StreamsMember interface {
	Consumer
	// Commit and Committed are as Member's.
	Commit(ctx context.Context, offsets map[TopicPartition]OffsetAndMetadata) error
	Committed(ctx context.Context, tps ...TopicPartition) (map[TopicPartition]OffsetAndMetadata, error)
	// Metadata is the membership; Generation is the member epoch.
	Metadata() GroupMetadata
	// Tasks are those that the last Assigned told.
	Tasks() StreamsTasks
	// Endpoints are the group's, as far as this member has been told; sorted.
	Endpoints() []StreamsEndpoint
	// Shutdown asks all members, by way of the group, to shut their application down: they get the status ShutdownApplication.
	Shutdown()
	// Leave leaves the group; a static member leaves for a while and may come back to its tasks within the session time-out.
	Leave(ctx context.Context) error
}

// StreamsGroupDescription describes a streams group. State is in Kafka's spelling: EMPTY, NOT_READY, ASSIGNING, RECONCILING, STABLE, DEAD.
type StreamsGroupDescription struct {
	Group           string
	State           string
	Epoch           int32 // of the group
	AssignmentEpoch int32 // of the target assignment
	TopologyEpoch   int32
	Members         []StreamsMemberDescription // sorted by MemberID
}

// StreamsMemberDescription describes a member. State is STABLE, UNREVOKED_TASKS or UNRELEASED_TASKS.
type StreamsMemberDescription struct {
	MemberID, InstanceID, ProcessID, ClientID string
	State                                     string
	Epoch                                     int32
	Assigned, Target                          StreamsTasks
}
