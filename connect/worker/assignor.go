package worker

import (
	"context"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// rangeAssignor is Kafka's RangeAssignor, the default of consumers: of each topic, neighbouring partitions go to one member.
type rangeAssignor struct{}

func (rangeAssignor) Name() string      { return "range" }
func (rangeAssignor) Cooperative() bool { return false }
func (rangeAssignor) UserData() []byte  { return nil }

func (rangeAssignor) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	out := make(map[string]broker.Assignment, len(g.Members))
	members := slices.Clone(g.Members)
	slices.SortFunc(members, compareMembers)
	var topics []string
	for _, m := range members {
		out[m.MemberID] = broker.Assignment{}
		topics = append(topics, m.Topics...)
	}
	slices.Sort(topics)
	for _, topic := range slices.Compact(topics) {
		assignTopic(out, members, topic, g.Partitions[topic])
	}
	return out, nil
}

// compareMembers orders static members first, by their instance, then the others by their id.
func compareMembers(a, b broker.Subscription) int {
	switch {
	case a.InstanceID != "" && b.InstanceID != "":
		if a.InstanceID < b.InstanceID {
			return -1
		}
		return 1
	case a.InstanceID != "":
		return -1
	case b.InstanceID != "":
		return 1
	case a.MemberID < b.MemberID:
		return -1
	}
	return 1
}

func assignTopic(out map[string]broker.Assignment, members []broker.Subscription, topic string, partitions int32) {
	var interested []string
	for _, m := range members {
		if slices.Contains(m.Topics, topic) {
			interested = append(interested, m.MemberID)
		}
	}
	if len(interested) == 0 {
		return
	}
	each, more := partitions/int32(len(interested)), partitions%int32(len(interested))
	next := int32(0)
	for i, id := range interested {
		n := each
		if int32(i) < more {
			n++
		}
		a := out[id]
		for ; n > 0; n-- {
			a.Partitions = append(a.Partitions, broker.TopicPartition{Topic: topic, Partition: next})
			next++
		}
		slices.SortFunc(a.Partitions, broker.TopicPartition.Compare)
		out[id] = a
	}
}
