package kafka_test

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func TestEndOffsetsWaitForANewLeader(t *testing.T) {
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "t"))
	must(t, err)
	t.Cleanup(c.Close)
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
	k, err := kafka.New(kafka.Config{Bootstrap: c.ListenAddrs(), Properties: map[string]string{"default.api.timeout.ms": "2000", "retry.backoff.ms": "10"},
		Host: host.NewLive(t.Context(), host.LiveConfig{})})
	must(t, err)
	defer k.Close()
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
