// Package assign is for the group protocol of Kafka Streams: what a member tells the leader, how the leader makes the internal topics
// and hands out tasks, and the bytes in which both travel (SubscriptionInfo and AssignmentInfo, version 11), so that Go and JVM members
// can share a group.
package assign

import (
	"context"
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// Protocol is the name of the group protocol.
const Protocol = "stream"

// The errors that a leader sends in an assignment.
const (
	ErrNone              int32 = 0
	ErrMissingTopics     int32 = 1 // INCOMPLETE_SOURCE_TOPIC_METADATA
	ErrVersionProbing    int32 = 2
	ErrAssignment        int32 = 3
	ErrShutdownRequested int32 = 4
)

// Reporter tells what a thread has. It is asked on the thread.
type Reporter interface {
	Tasks() (running, restoring []processor.TaskID)
}

// Config configures the assignor of one thread.
type Config struct {
	ApplicationID string
	ProcessID     [16]byte // the instance's; its threads share it
	Endpoint      string   // application.server, host:port, or empty
	Topology      *topology.Topology
	Admin         broker.Admin
	Host          host.Host
	// ReplicationFactor of internal topics; -1: the broker's default.
	ReplicationFactor int16
	// TopicConfigs are the topic.* properties.
	TopicConfigs map[string]string
	// AdditionalRetention is windowstore.changelog.additional.retention.ms.
	AdditionalRetention int64
}

// Assignor is the thread's half of the protocol: StreamsPartitionAssignor.
type Assignor struct {
	cfg Config
	r   Reporter
}

var _ broker.Assignor = (*Assignor)(nil)

// New returns an assignor.
func New(cfg Config, r Reporter) *Assignor { return &Assignor{cfg, r} }

// Name implements broker.Assignor.
func (a *Assignor) Name() string { return Protocol }

// Cooperative implements broker.Assignor.
func (a *Assignor) Cooperative() bool { return true }

// UserData implements broker.Assignor.
func (a *Assignor) UserData() []byte {
	s := Subscription{Version: Version, LatestSupported: Version, ProcessID: a.cfg.ProcessID, Endpoint: a.cfg.Endpoint, Sums: map[processor.TaskID]int64{}}
	running, restoring := a.r.Tasks()
	for _, id := range running {
		s.Sums[id] = OffsetLatest
	}
	for _, id := range restoring {
		s.Sums[id] = OffsetUnknown
	}
	return s.Encode()
}

// Assign implements broker.Assignor.
func (a *Assignor) Assign(ctx context.Context, group broker.GroupSubscription) (map[string]broker.Assignment, error) {
	clients, err := readClients(group)
	if err != nil {
		return nil, err
	}
	plan, code := a.plan(ctx, group)
	if code != ErrNone {
		out := map[string]broker.Assignment{}
		for _, m := range group.Members {
			out[m.MemberID] = broker.Assignment{UserData: (&Assignment{Version: Version, LatestSupported: Version, Code: code, NextRebalance: NoRebalance}).Encode()}
		}
		return out, nil
	}
	place(clients, plan)
	return encode(clients, plan), nil
}

// Tasks are the tasks of an assignment, each with its partitions; both come sorted and belong together by position.
func (s *Assignment) Tasks(full broker.Assignment) (map[processor.TaskID][]broker.TopicPartition, error) {
	if len(s.Active) != len(full.Partitions) {
		return nil, fmt.Errorf("streams: the assignment has %d partitions but %d tasks", len(full.Partitions), len(s.Active))
	}
	out := map[processor.TaskID][]broker.TopicPartition{}
	for i, tp := range slices.SortedFunc(slices.Values(full.Partitions), broker.TopicPartition.Compare) {
		out[s.Active[i]] = append(out[s.Active[i]], tp)
	}
	return out, nil
}
