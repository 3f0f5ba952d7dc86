package kafka

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// fetchCommitted asks for a group's positions, once no transaction is pending on them; nil tps: all. While one is pending the
// broker answers UNSTABLE_OFFSET_COMMIT, which is ErrRetriable.
func fetchCommitted(ctx context.Context, cl *kgo.Client, group string, tps []broker.TopicPartition) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	req.Group = group
	rg := kmsg.NewOffsetFetchRequestGroup()
	rg.Group = group
	if tps != nil {
		req.Topics, rg.Topics = []kmsg.OffsetFetchRequestTopic{}, []kmsg.OffsetFetchRequestGroupTopic{}
	}
	for _, t := range byTopic(tps) {
		rt := kmsg.NewOffsetFetchRequestGroupTopic()
		rt.Topic, rt.Partitions = t.topic, t.partitions
		rg.Topics = append(rg.Topics, rt)
		old := kmsg.NewOffsetFetchRequestTopic()
		old.Topic, old.Partitions = t.topic, t.partitions
		req.Topics = append(req.Topics, old)
	}
	req.Groups = append(req.Groups, rg)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, wrap(ctx, "OffsetFetch", err, group)
	}
	return committedIn(resp, group)
}

// committedIn reads a response of any version; kgo has filled in Groups for the old ones.
func committedIn(resp *kmsg.OffsetFetchResponse, group string) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	out := make(map[broker.TopicPartition]broker.OffsetAndMetadata)
	if resp.ErrorCode == kerr.GroupIDNotFound.Code {
		return out, nil // a group that never was has committed nothing
	}
	if err := codeError("OffsetFetch", resp.ErrorCode, group); err != nil {
		return nil, err
	}
	for _, g := range resp.Groups {
		if g.ErrorCode == kerr.GroupIDNotFound.Code {
			continue
		}
		if err := codeError("OffsetFetch", g.ErrorCode, group); err != nil {
			return nil, err
		}
		for _, t := range g.Topics {
			for _, p := range t.Partitions {
				tp := broker.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				if err := codeError("OffsetFetch", p.ErrorCode, group+" "+tp.String()); err != nil {
					return nil, err
				}
				if p.Offset < 0 {
					continue
				}
				o := broker.OffsetAndMetadata{Offset: p.Offset, LeaderEpoch: p.LeaderEpoch}
				if p.Metadata != nil {
					o.Metadata = *p.Metadata
				}
				out[tp] = o
			}
		}
	}
	return out, nil
}

// commitOffsets is OffsetCommit, fenced by the member's generation.
func commitOffsets(ctx context.Context, cl *kgo.Client, group broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = group.Group, group.MemberID, group.Generation
	req.InstanceID = optional(group.InstanceID)
	for _, t := range byTopic(slices.Collect(maps.Keys(offsets))) {
		rt := kmsg.NewOffsetCommitRequestTopic()
		rt.Topic = t.topic
		for _, p := range t.partitions {
			o := offsets[broker.TopicPartition{Topic: t.topic, Partition: p}]
			rp := kmsg.NewOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = p, o.Offset, o.LeaderEpoch, &o.Metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return wrap(ctx, "OffsetCommit", err, group.Group)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			tp := broker.TopicPartition{Topic: t.Topic, Partition: p.Partition}
			if err := codeError("OffsetCommit", p.ErrorCode, group.Group+" "+tp.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// optional is a nullable string: empty is null.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
