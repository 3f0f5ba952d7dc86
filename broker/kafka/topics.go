package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// topicsMetadata asks a broker for these topics, by name; with create, it lets the broker create those that are missing, if its own
// settings allow that. An error of a topic is in its ErrorCode.
func topicsMetadata(ctx context.Context, cl *kgo.Client, topics []string, create bool) (map[string]kmsg.MetadataResponseTopic, error) {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{}
	req.AllowAutoTopicCreation = create
	found, err := metadata(ctx, cl, req, topics)
	if err != nil {
		return nil, err
	}
	out := make(map[string]kmsg.MetadataResponseTopic, len(found))
	for _, t := range found {
		out[*t.Topic] = t
	}
	return out, nil
}

// metadata adds topics to a request and sends it. The answer is in the broker's order, each topic with its name and its partitions in order.
func metadata(ctx context.Context, cl *kgo.Client, req *kmsg.MetadataRequest, topics []string) ([]kmsg.MetadataResponseTopic, error) {
	for _, name := range topics {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return nil, wrap(ctx, "Metadata", err, "")
	}
	found := slices.DeleteFunc(resp.Topics, func(t kmsg.MetadataResponseTopic) bool { return t.Topic == nil })
	for _, t := range found {
		slices.SortFunc(t.Partitions, func(a, b kmsg.MetadataResponseTopicPartition) int { return int(a.Partition - b.Partition) })
	}
	return found, nil
}

// partitionCount is the number of partitions of a topic; kerr.UnknownTopicOrPartition becomes broker.ErrUnknownTopic.
func partitionCount(ctx context.Context, cl *kgo.Client, topic string) (int32, error) {
	found, err := topicsMetadata(ctx, cl, []string{topic}, false)
	if err != nil {
		return 0, err
	}
	t, ok := found[topic]
	if !ok {
		return 0, codeError("Metadata", kerr.UnknownTopicOrPartition.Code, topic)
	}
	if err := codeError("Metadata", t.ErrorCode, topic); err != nil {
		return 0, err
	}
	return int32(len(t.Partitions)), nil
}

// byTopic groups partitions, topics and partitions in order.
func byTopic(tps []broker.TopicPartition) []topicPartitions {
	tps = slices.Clone(tps)
	slices.SortFunc(tps, broker.TopicPartition.Compare)
	tps = slices.Compact(tps)
	var out []topicPartitions
	for _, tp := range tps {
		if len(out) == 0 || out[len(out)-1].topic != tp.Topic {
			out = append(out, topicPartitions{topic: tp.Topic})
		}
		last := &out[len(out)-1]
		last.partitions = append(last.partitions, tp.Partition)
	}
	return out
}

type topicPartitions struct {
	topic      string
	partitions []int32
}

// Timestamps with a meaning of their own in ListOffsets.
const (
	latestOffset   int64 = -1
	earliestOffset int64 = -2
)

// awaitOffsets is listOffsets, repeated while a leader is not there, or does not know its high watermark yet (KIP-207); for default.api.timeout.ms
// at most.
func (c *Cluster) awaitOffsets(ctx context.Context, cl *kgo.Client, set *settings, isolation broker.IsolationLevel, timestamp int64, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	var found map[broker.TopicPartition]int64
	err := c.persist(ctx, set, func() (err error) {
		found, err = listOffsets(ctx, cl, isolation, timestamp, tps)
		return err
	})
	return found, err
}

// persist repeats f while it fails with ErrRetriable, for default.api.timeout.ms at most.
func (c *Cluster) persist(ctx context.Context, set *settings, f func() error) error {
	end := c.cfg.Host.Now().Add(cmp.Or(set.apiTimeout, time.Minute))
	return c.again(ctx, set, func() (again bool, err error) {
		err = f()
		return errors.Is(err, broker.ErrRetriable) && c.cfg.Host.Now().Before(end), err
	})
}

// again repeats f, with pauses in between, as long as it asks for that.
func (c *Cluster) again(ctx context.Context, set *settings, f func() (again bool, err error)) error {
	for attempt := 1; ; attempt++ {
		again, err := f()
		if !again {
			return err
		}
		pause := set.backoff(attempt)
		if coded(err, kerr.UnstableOffsetCommit) { // a commit is under way
			pause = min(pause, 50*time.Millisecond)
		}
		if err := c.cfg.Host.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// listOffsets asks the leaders for offsets by timestamp. The error is that of the first partition in the order of tps; the
// offsets of the others are in the map.
func listOffsets(ctx context.Context, cl *kgo.Client, isolation broker.IsolationLevel, timestamp int64, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	if len(tps) == 0 {
		return map[broker.TopicPartition]int64{}, nil
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel = int8(isolation)
	for _, t := range byTopic(tps) {
		rt := kmsg.NewListOffsetsRequestTopic()
		rt.Topic = t.topic
		for _, p := range t.partitions {
			rp := kmsg.NewListOffsetsRequestTopicPartition()
			rp.Partition, rp.Timestamp = p, timestamp
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	found := make(map[broker.TopicPartition]int64, len(tps))
	codes := make(map[broker.TopicPartition]int16)
	var failed error
	for _, shard := range cl.RequestSharded(ctx, req) {
		if shard.Err != nil {
			failed = shard.Err
			continue
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				tp := broker.TopicPartition{Topic: t.Topic, Partition: p.Partition}
				if p.ErrorCode != 0 {
					codes[tp] = p.ErrorCode
				} else {
					found[tp] = p.Offset
				}
			}
		}
	}
	for _, tp := range tps {
		if code := codes[tp]; code != 0 {
			return found, codeError("ListOffsets", code, tp.String())
		}
		if _, ok := found[tp]; !ok {
			if failed == nil {
				failed = kerr.UnknownTopicOrPartition
			}
			return found, wrap(ctx, "ListOffsets", failed, tp.String())
		}
	}
	return found, nil
}
