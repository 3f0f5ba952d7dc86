package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// subscription is what the member says of itself when it joins: ConsumerProtocolSubscription, without topics that match. The mutex is held.
func (m *member) subscription(userData []byte) kmsg.ConsumerMemberMetadata {
	s := kmsg.NewConsumerMemberMetadata()
	s.Version = 3
	s.Topics = slices.Clone(m.cfg.Topics)
	s.UserData = userData
	s.Generation = m.group.ownedIn
	s.Rack = optional(m.consumer.cfg.Rack)
	if m.cfg.Assignor.Cooperative() {
		for _, t := range byTopic(m.group.owned) {
			o := kmsg.NewConsumerMemberMetadataOwnedPartition()
			o.Topic, o.Partitions = t.topic, t.partitions
			s.OwnedPartitions = append(s.OwnedPartitions, o)
		}
	}
	return s
}

// match looks up the topics of the cluster that match, sorted.
func (m *member) match(ctx context.Context) ([]string, error) {
	if m.cfg.Matches == nil {
		return nil, nil
	}
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all
	found, err := metadata(ctx, m.lanes[0], req, nil)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range found {
		if t.ErrorCode == 0 && !t.IsInternal && m.cfg.Matches(*t.Topic) {
			names = append(names, *t.Topic)
		}
	}
	slices.Sort(names)
	return names, nil
}

// decodeSubscriptions reads all members' subscriptions, sorted by member id.
func decodeSubscriptions(joined *kmsg.JoinGroupResponse) (broker.GroupSubscription, error) {
	g := broker.GroupSubscription{Generation: joined.Generation}
	for _, jm := range joined.Members {
		k := kmsg.NewConsumerMemberMetadata()
		if err := k.ReadFrom(jm.ProtocolMetadata); err != nil {
			return g, fmt.Errorf("subscription of member %s: %w", jm.MemberID, err)
		}
		s := broker.Subscription{MemberID: jm.MemberID, Topics: k.Topics, Generation: k.Generation, UserData: k.UserData}
		if k.Version < 2 {
			s.Generation = -1
		}
		if jm.InstanceID != nil {
			s.InstanceID = *jm.InstanceID
		}
		if k.Rack != nil {
			s.Rack = *k.Rack
		}
		for _, o := range k.OwnedPartitions {
			for _, p := range o.Partitions {
				s.Owned = append(s.Owned, broker.TopicPartition{Topic: o.Topic, Partition: p})
			}
		}
		slices.Sort(s.Topics)
		slices.SortFunc(s.Owned, broker.TopicPartition.Compare)
		g.Members = append(g.Members, s)
	}
	slices.SortFunc(g.Members, func(a, b broker.Subscription) int { return strings.Compare(a.MemberID, b.MemberID) })
	return g, nil
}

// topicsOf are all topics that any member subscribes to, sorted.
func topicsOf(g broker.GroupSubscription) []string {
	var topics []string
	for _, s := range g.Members {
		topics = append(topics, s.Topics...)
	}
	slices.Sort(topics)
	return slices.Compact(topics)
}

// encodeAssignment writes ConsumerProtocolAssignment.
func encodeAssignment(a broker.Assignment) []byte {
	k := kmsg.NewConsumerMemberAssignment()
	k.Version = 1
	k.UserData = a.UserData
	for _, t := range byTopic(a.Partitions) {
		kt := kmsg.NewConsumerMemberAssignmentTopic()
		kt.Topic, kt.Partitions = t.topic, t.partitions
		k.Topics = append(k.Topics, kt)
	}
	return k.AppendTo(nil)
}

// decodeAssignment reads ConsumerProtocolAssignment; no bytes at all are an empty assignment.
func decodeAssignment(b []byte) (*broker.Assignment, error) {
	a := &broker.Assignment{}
	if len(b) == 0 {
		return a, nil
	}
	k := kmsg.NewConsumerMemberAssignment()
	if err := k.ReadFrom(b); err != nil {
		return nil, fmt.Errorf("assignment: %w", err)
	}
	a.UserData = k.UserData
	for _, t := range k.Topics {
		for _, p := range t.Partitions {
			a.Partitions = append(a.Partitions, broker.TopicPartition{Topic: t.Topic, Partition: p})
		}
	}
	slices.SortFunc(a.Partitions, broker.TopicPartition.Compare)
	return a, nil
}
