package kafka

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// adminTimeout is how long a broker may take over an administrative request, in milliseconds.
const adminTimeout = 30_000

// admin is broker.Admin on the cluster's shared client.
type admin struct{ c *Cluster }

func (a *admin) CreateTopics(ctx context.Context, topics ...broker.NewTopic) error {
	cl, err := a.c.client()
	if err != nil || len(topics) == 0 {
		return err
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = adminTimeout
	for _, t := range topics {
		rt := kmsg.NewCreateTopicsRequestTopic()
		rt.Topic, rt.NumPartitions, rt.ReplicationFactor = t.Name, cmp.Or(t.Partitions, -1), cmp.Or(t.ReplicationFactor, -1)
		for name, value := range t.Configs {
			rc := kmsg.NewCreateTopicsRequestTopicConfig()
			rc.Name, rc.Value = name, &value
			rt.Configs = append(rt.Configs, rc)
		}
		slices.SortFunc(rt.Configs, func(x, y kmsg.CreateTopicsRequestTopicConfig) int { return strings.Compare(x.Name, y.Name) })
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return wrap(ctx, "CreateTopics", err, "")
	}
	answers := make(map[string]error, len(resp.Topics))
	for _, t := range resp.Topics {
		text := t.Topic
		if t.ErrorMessage != nil && *t.ErrorMessage != "" {
			text += ": " + *t.ErrorMessage
		}
		answers[t.Topic] = codeError("CreateTopics", t.ErrorCode, text)
	}
	for _, t := range topics {
		if err := answers[t.Name]; err != nil {
			return err
		}
	}
	return nil
}

func (a *admin) DeleteTopics(ctx context.Context, topics ...string) error {
	cl, err := a.c.client()
	if err != nil || len(topics) == 0 {
		return err
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis, req.TopicNames = adminTimeout, topics
	for _, name := range topics {
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return wrap(ctx, "DeleteTopics", err, "")
	}
	codes := make(map[string]int16, len(resp.Topics))
	for _, t := range resp.Topics {
		if t.Topic != nil {
			codes[*t.Topic] = t.ErrorCode
		}
	}
	for _, name := range topics {
		if err := codeError("DeleteTopics", codes[name], name); err != nil {
			return err
		}
	}
	return nil
}

func (a *admin) DescribeTopics(ctx context.Context, topics ...string) (map[string]broker.TopicDescription, error) {
	cl, err := a.c.client()
	if err != nil {
		return nil, err
	}
	found, err := metadata(ctx, cl, kmsg.NewPtrMetadataRequest(), topics)
	if err != nil {
		return nil, err
	}
	out := make(map[string]broker.TopicDescription, len(found))
	for _, t := range found {
		if t.ErrorCode == kerr.UnknownTopicOrPartition.Code || len(topics) == 0 && t.IsInternal {
			continue
		}
		if err := codeError("Metadata", t.ErrorCode, *t.Topic); err != nil {
			return nil, err
		}
		out[*t.Topic] = describeTopic(t)
	}
	return out, nil
}

func describeTopic(t kmsg.MetadataResponseTopic) broker.TopicDescription {
	d := broker.TopicDescription{Name: *t.Topic, Internal: t.IsInternal, Partitions: make([]broker.PartitionDescription, len(t.Partitions))}
	for i, p := range t.Partitions {
		d.Partitions[i] = broker.PartitionDescription{Leader: p.Leader, LeaderEpoch: p.LeaderEpoch, Replicas: p.Replicas, ISR: p.ISR}
	}
	return d
}

func (a *admin) TopicConfigs(ctx context.Context, topic string) (map[string]string, error) {
	cl, err := a.c.client()
	if err != nil {
		return nil, err
	}
	found, err := kadm.NewClient(cl).DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return nil, wrap(ctx, "DescribeConfigs", err, topic)
	}
	out := make(map[string]string)
	for _, resource := range found {
		if resource.Err != nil {
			return nil, wrap(ctx, "DescribeConfigs", resource.Err, topic)
		}
		for _, config := range resource.Configs {
			if config.Value != nil {
				out[config.Key] = *config.Value
			}
		}
	}
	return out, nil
}

func (a *admin) EarliestOffsets(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.offsets(ctx, broker.ReadUncommitted, earliestOffset, tps)
}

func (a *admin) EndOffsets(ctx context.Context, isolation broker.IsolationLevel, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.offsets(ctx, isolation, latestOffset, tps)
}

func (a *admin) OffsetsForTime(ctx context.Context, timestamp int64, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.offsets(ctx, broker.ReadUncommitted, max(timestamp, 0), tps)
}

func (a *admin) offsets(ctx context.Context, isolation broker.IsolationLevel, timestamp int64, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	cl, err := a.c.client()
	if err != nil {
		return nil, err
	}
	return a.c.awaitOffsets(ctx, cl, &a.c.set, isolation, timestamp, tps)
}

func (a *admin) DeleteRecords(ctx context.Context, before map[broker.TopicPartition]int64) error {
	cl, err := a.c.client()
	if err != nil || len(before) == 0 {
		return err
	}
	var tps []broker.TopicPartition
	for tp := range before {
		tps = append(tps, tp)
	}
	req := kmsg.NewPtrDeleteRecordsRequest()
	req.TimeoutMillis = adminTimeout
	for _, t := range byTopic(tps) {
		rt := kmsg.NewDeleteRecordsRequestTopic()
		rt.Topic = t.topic
		for _, p := range t.partitions {
			rp := kmsg.NewDeleteRecordsRequestTopicPartition()
			rp.Partition, rp.Offset = p, before[broker.TopicPartition{Topic: t.topic, Partition: p}]
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	return deleted(ctx, cl.RequestSharded(ctx, req))
}

// deleted is the first error, in the order of partitions, of the leaders' answers.
func deleted(ctx context.Context, shards []kgo.ResponseShard) error {
	failed := make(map[broker.TopicPartition]error)
	var tps []broker.TopicPartition
	for _, shard := range shards {
		if shard.Err != nil {
			return wrap(ctx, "DeleteRecords", shard.Err, "")
		}
		for _, t := range shard.Resp.(*kmsg.DeleteRecordsResponse).Topics {
			for _, p := range t.Partitions {
				tp := broker.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				if p.ErrorCode != 0 {
					failed[tp] = codeError("DeleteRecords", p.ErrorCode, tp.String())
					tps = append(tps, tp)
				}
			}
		}
	}
	if len(tps) == 0 {
		return nil
	}
	return failed[slices.MinFunc(tps, broker.TopicPartition.Compare)]
}

func (a *admin) CommittedOffsets(ctx context.Context, group string) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	cl, err := a.c.client()
	if err != nil {
		return nil, err
	}
	var found map[broker.TopicPartition]broker.OffsetAndMetadata
	err = a.retryCoordinator(ctx, func() error {
		found, err = fetchCommitted(ctx, cl, group, nil)
		return err
	})
	return found, err
}

// retryCoordinator repeats f while the group's coordinator is about to be there: the first group of a cluster has to wait until the
// offsets topic has been made.
func (a *admin) retryCoordinator(ctx context.Context, f func() error) error {
	return a.c.again(ctx, &a.c.set, func() (again bool, err error) {
		err = f()
		return coded(err, kerr.CoordinatorNotAvailable, kerr.CoordinatorLoadInProgress, kerr.NotCoordinator), err
	})
}

func (a *admin) DescribeGroup(ctx context.Context, group string) (broker.GroupDescription, error) {
	cl, err := a.c.client()
	if err != nil {
		return broker.GroupDescription{}, err
	}
	var g kadm.DescribedGroup
	err = a.retryCoordinator(ctx, func() error {
		found, err := kadm.NewClient(cl).DescribeGroups(ctx, group)
		if g = found[group]; err == nil {
			err = g.Err
		}
		return wrap(ctx, "DescribeGroups", err, group)
	})
	d := broker.GroupDescription{Group: group, State: g.State, Protocol: g.Protocol}
	if coded(err, kerr.GroupIDNotFound) {
		d.State = "Dead"
		return d, nil
	}
	if err != nil {
		return d, err
	}
	for _, gm := range g.Members {
		d.Members = append(d.Members, describeMember(gm))
	}
	slices.SortFunc(d.Members, func(x, y broker.MemberDescription) int { return strings.Compare(x.MemberID, y.MemberID) })
	return d, nil
}

func describeMember(gm kadm.DescribedGroupMember) broker.MemberDescription {
	d := broker.MemberDescription{MemberID: gm.MemberID, ClientID: gm.ClientID}
	if gm.InstanceID != nil {
		d.InstanceID = *gm.InstanceID
	}
	if c, ok := gm.Assigned.AsConsumer(); ok {
		for _, t := range c.Topics {
			for _, p := range t.Partitions {
				d.Assigned = append(d.Assigned, broker.TopicPartition{Topic: t.Topic, Partition: p})
			}
		}
	}
	slices.SortFunc(d.Assigned, broker.TopicPartition.Compare)
	return d
}

func (a *admin) DeleteGroup(ctx context.Context, group string) error {
	cl, err := a.c.client()
	if err != nil {
		return err
	}
	return a.retryCoordinator(ctx, func() error {
		answer, err := kadm.NewClient(cl).DeleteGroup(ctx, group)
		if err == nil {
			err = answer.Err
		}
		return wrap(ctx, "DeleteGroups", err, group)
	})
}
