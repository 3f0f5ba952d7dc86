package simulated

import (
	"context"
	"maps"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// admin is broker.Admin of one process.
type admin struct{ c *client }

// Admin is broker.Cluster's.
func (c *client) Admin() broker.Admin { return admin{c} }

func (r *topicsResponse) firstError(op string) error {
	for i, e := range r.codes {
		if e != codeNone {
			return e.err(op, r.texts[i])
		}
	}
	return nil
}

// CreateTopics is broker.Admin's.
func (a admin) CreateTopics(ctx context.Context, topics ...broker.NewTopic) error {
	resp, err := a.c.callAny(ctx, "CreateTopics", &createTopicsRequest{topics})
	if err != nil {
		return err
	}
	return resp.(*topicsResponse).firstError("CreateTopics")
}

// DeleteTopics is broker.Admin's.
func (a admin) DeleteTopics(ctx context.Context, topics ...string) error {
	resp, err := a.c.callAny(ctx, "DeleteTopics", &deleteTopicsRequest{topics})
	if err != nil {
		return err
	}
	for _, t := range topics {
		delete(a.c.topics, t)
	}
	return resp.(*topicsResponse).firstError("DeleteTopics")
}

// DescribeTopics is broker.Admin's.
func (a admin) DescribeTopics(ctx context.Context, topics ...string) (map[string]broker.TopicDescription, error) {
	if len(topics) == 0 {
		topics = nil
	}
	resp, err := a.c.callAny(ctx, "Metadata", &metadataRequest{topics: topics})
	if err != nil {
		return nil, err
	}
	out := map[string]broker.TopicDescription{}
	for _, d := range resp.(*metadataResponse).topics {
		out[d.Name] = d
	}
	return out, nil
}

// TopicConfigs is broker.Admin's.
func (a admin) TopicConfigs(ctx context.Context, topic string) (map[string]string, error) {
	resp, err := a.c.callAny(ctx, "DescribeConfigs", &describeConfigsRequest{topic})
	if err != nil {
		return nil, err
	}
	r := resp.(*describeConfigsResponse)
	return r.configs, r.code.err("DescribeConfigs", topic)
}

// EarliestOffsets is broker.Admin's.
func (a admin) EarliestOffsets(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.c.listOffsets(ctx, earliestTimestamp, broker.ReadUncommitted, tps)
}

// EndOffsets is broker.Admin's.
func (a admin) EndOffsets(ctx context.Context, i broker.IsolationLevel, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.c.listOffsets(ctx, latestTimestamp, i, tps)
}

// OffsetsForTime is broker.Admin's.
func (a admin) OffsetsForTime(ctx context.Context, ts int64, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return a.c.listOffsets(ctx, max(ts, 0), broker.ReadUncommitted, tps)
}

func (c *client) listOffsets(ctx context.Context, ts int64, i broker.IsolationLevel, tps []broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	out := make(map[broker.TopicPartition]int64, len(tps))
	err := c.atLeaders(ctx, "ListOffsets", tps,
		func(tps []broker.TopicPartition) any { return &listOffsetsRequest{ts, i, tps} },
		func(tps []broker.TopicPartition, resp any) []code {
			r := resp.(*listOffsetsResponse)
			for i, tp := range tps {
				if r.codes[i] == codeNone {
					out[tp] = r.offsets[i]
				}
			}
			return r.codes
		})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// DeleteRecords is broker.Admin's.
func (a admin) DeleteRecords(ctx context.Context, before map[broker.TopicPartition]int64) error {
	tps := slices.SortedFunc(maps.Keys(before), broker.TopicPartition.Compare)
	return a.c.atLeaders(ctx, "DeleteRecords", tps,
		func(tps []broker.TopicPartition) any {
			r := &deleteRecordsRequest{tps: tps}
			for _, tp := range tps {
				r.before = append(r.before, before[tp])
			}
			return r
		},
		func(_ []broker.TopicPartition, resp any) []code { return resp.(*deleteRecordsResponse).codes })
}

// atLeaders sends requests to the partitions' leaders, again for those that had moved, until each has a final answer; the error is
// that of the first partition, in order, that has one.
func (c *client) atLeaders(ctx context.Context, op string, tps []broker.TopicPartition,
	request func([]broker.TopicPartition) any, answers func([]broker.TopicPartition, any) []code,
) error {
	left := slices.Clone(tps)
	final := make(map[broker.TopicPartition]error, len(tps))
	err := c.retry(ctx, op, func() (bool, error) {
		var again []broker.TopicPartition
		byLeader := make([][]broker.TopicPartition, len(c.m.brokers)+1)
		for _, tp := range left {
			t, err := c.topic(ctx, tp.Topic)
			switch {
			case err != nil:
				final[tp] = err
			case tp.Partition < 0 || int(tp.Partition) >= len(t.leaders):
				final[tp] = codeUnknownTopic.err(op, tp.String())
			case t.leaders[tp.Partition] < 0:
				t.stale = true
				again = append(again, tp)
			default:
				byLeader[t.leaders[tp.Partition]] = append(byLeader[t.leaders[tp.Partition]], tp)
			}
		}
		for id, mine := range byLeader {
			if mine != nil {
				again = append(again, c.atLeader(ctx, op, int32(id), mine, request, answers, final)...)
			}
		}
		left = again
		return len(left) == 0, ctx.Err()
	})
	if err != nil {
		return err
	}
	for _, tp := range tps {
		if final[tp] != nil {
			return final[tp]
		}
	}
	return nil
}

// atLeader asks one broker, notes final errors, and returns the partitions to try again.
func (c *client) atLeader(ctx context.Context, op string, id int32, tps []broker.TopicPartition, request func([]broker.TopicPartition) any,
	answers func([]broker.TopicPartition, any) []code, final map[broker.TopicPartition]error,
) []broker.TopicPartition {
	var again []broker.TopicPartition
	stale := func(tp broker.TopicPartition) {
		if t := c.topics[tp.Topic]; t != nil {
			t.stale = true
		}
		again = append(again, tp)
	}
	resp, err := c.call(ctx, brokerAddr(id), request(tps), requestBytes+32*len(tps))
	if err != nil {
		for _, tp := range tps {
			stale(tp)
		}
		return again
	}
	for i, e := range answers(tps, resp) {
		switch {
		case e.retriable():
			stale(tps[i])
		default:
			final[tps[i]] = e.err(op, tps[i].String())
		}
	}
	return again
}

// CommittedOffsets is broker.Admin's.
func (a admin) CommittedOffsets(ctx context.Context, group string) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	return a.c.committedOffsets(ctx, &offsetFetchRequest{group: group})
}

// DescribeGroup is broker.Admin's.
func (a admin) DescribeGroup(ctx context.Context, group string) (broker.GroupDescription, error) {
	resp, err := a.c.callCoordinator(ctx, coordinatorCall{
		op: "DescribeGroups", kind: groupKind, key: group, req: &describeGroupRequest{group}, text: group,
		code: func(resp any) code { return resp.(*describeGroupResponse).code },
	})
	if err != nil {
		return broker.GroupDescription{}, err
	}
	return resp.(*describeGroupResponse).group, nil
}

// DeleteGroup is broker.Admin's.
func (a admin) DeleteGroup(ctx context.Context, group string) error {
	_, err := a.c.callCoordinator(ctx, coordinatorCall{
		op: "DeleteGroups", kind: groupKind, key: group, req: &deleteGroupRequest{group}, text: group,
		code: func(resp any) code { return resp.(*deleteGroupResponse).code },
	})
	return err
}
