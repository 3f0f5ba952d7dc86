package kafka_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// onFake is a cluster of one broker with the topic t, and a port to it, which has its host.
func onFake(t *testing.T, partitions int32, cfg kafka.Config) (*kfake.Cluster, *kafka.Cluster) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(partitions, "t"))
	must(t, err)
	t.Cleanup(c.Close)
	cfg.Bootstrap, cfg.Host = c.ListenAddrs(), host.NewLive(t.Context(), host.LiveConfig{})
	k, err := kafka.New(cfg)
	must(t, err)
	t.Cleanup(k.Close)
	return c, k
}

func TestEndOffsetsWaitForANewLeader(t *testing.T) {
	c, k := onFake(t, 1, kafka.Config{Properties: map[string]string{"default.api.timeout.ms": "2000", "retry.backoff.ms": "10"}})
	var times atomic.Int32 // it answers so, before it knows its high watermark
	c.ControlKey(int16(kmsg.ListOffsets), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if times.Add(-1) < 0 {
			return nil, nil, false
		}
		req := kreq.(*kmsg.ListOffsetsRequest)
		resp := req.ResponseKind().(*kmsg.ListOffsetsResponse)
		for _, t := range req.Topics {
			rt := kmsg.NewListOffsetsResponseTopic()
			rt.Topic = t.Topic
			for _, p := range t.Partitions {
				rp := kmsg.NewListOffsetsResponseTopicPartition()
				rp.Partition, rp.ErrorCode = p.Partition, kerr.OffsetNotAvailable.Code
				rt.Partitions = append(rt.Partitions, rp)
			}
			resp.Topics = append(resp.Topics, rt)
		}
		return resp, nil, true
	})
	at := broker.TopicPartition{Topic: "t"}

	times.Store(3)
	ends, err := k.Admin().EndOffsets(t.Context(), broker.ReadUncommitted, at)
	if err != nil || ends[at] != 0 || len(ends) != 1 {
		t.Errorf("end %v, %v", ends, err)
	}

	times.Store(1 << 30) // for good
	if _, err := k.Admin().EndOffsets(t.Context(), broker.ReadUncommitted, at); err == nil || times.Load() < 1 {
		t.Errorf("an end without a leader: %v", err)
	}
}

// alone is an assignor and listener of a group of one member without partitions.
type alone struct{}

func (alone) Name() string      { return "alone" }
func (alone) Cooperative() bool { return true }
func (alone) UserData() []byte  { return nil }

func (alone) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	return map[string]broker.Assignment{g.Members[0].MemberID: {}}, nil
}

func (alone) Revoked(context.Context, []broker.TopicPartition)                     {}
func (alone) Lost(context.Context, []broker.TopicPartition)                        {}
func (alone) Assigned(context.Context, broker.Assignment, []broker.TopicPartition) {}

// TestCommittedIsTriedAgain: what may pass is waited for, for default.api.timeout.ms, also when kgo has given up.
func TestCommittedIsTriedAgain(t *testing.T) {
	c, k := onFake(t, 1, kafka.Config{Properties: map[string]string{"default.api.timeout.ms": "2000", "retry.backoff.ms": "1", "retry.backoff.max.ms": "1"}})
	var times atomic.Int32
	c.ControlKey(int16(kmsg.OffsetFetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if times.Add(-1) < 0 {
			return nil, nil, false
		}
		req := kreq.(*kmsg.OffsetFetchRequest)
		resp := req.ResponseKind().(*kmsg.OffsetFetchResponse)
		resp.ErrorCode = kerr.NetworkException.Code
		for _, g := range req.Groups {
			rg := kmsg.NewOffsetFetchResponseGroup()
			rg.Group, rg.ErrorCode = g.Group, kerr.NetworkException.Code
			resp.Groups = append(resp.Groups, rg)
		}
		return resp, nil, true
	})
	m, err := k.JoinGroup(t.Context(), broker.MemberConfig{Group: "g", Topics: []string{"t"}, Assignor: alone{}, Listener: alone{}})
	must(t, err)
	defer m.Close()
	at := broker.TopicPartition{Topic: "t"}

	times.Store(30) // kgo gives up after 20
	if found, err := m.Committed(t.Context(), at); err != nil || len(found) != 0 {
		t.Errorf("committed %v, %v", found, err)
	}

	times.Store(1 << 30) // for good
	if _, err := m.Committed(t.Context(), at); !errors.Is(err, broker.ErrRetriable) {
		t.Errorf("committed without an answer: %v", err)
	}
}
