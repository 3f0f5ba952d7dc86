package fake_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
)

// stable asks for a group's offset of one partition of topic t, with require_stable; ok is false while it is not stable.
func (w *wire) stable(partition int32) (offset int64, ok bool) {
	w.t.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.RequireStable = true
	g := kmsg.NewOffsetFetchRequestGroup()
	g.Group = "g"
	t := kmsg.NewOffsetFetchRequestGroupTopic()
	t.Topic, t.TopicID, t.Partitions = "t", w.fake.Fake().TopicInfo("t").TopicID, []int32{partition}
	g.Topics = append(g.Topics, t)
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(w.ctx, w.kgo)
	w.must(err)
	if resp.Groups[0].ErrorCode == kerr.GroupIDNotFound.Code {
		return -1, true // nothing was ever committed
	}
	p := resp.Groups[0].Topics[0].Partitions[0]
	if p.ErrorCode == kerr.UnstableOffsetCommit.Code {
		return 0, false
	}
	w.must(kerr.ErrorForCode(p.ErrorCode))
	return p.Offset, true
}

// offer adds an offset of one partition to a transaction that stays open.
func (w *wire) offer(p broker.Producer, partition int32, offset int64) {
	w.t.Helper()
	at := broker.TopicPartition{Topic: "t", Partition: partition}
	w.must(p.Begin())
	w.must(w.send(p, t0, "k", "v"))
	w.must(p.SendOffsets(w.ctx, broker.GroupMetadata{Group: "g", Generation: -1}, map[broker.TopicPartition]broker.OffsetAndMetadata{at: {Offset: offset, LeaderEpoch: -1}}))
}

func TestK6PendingOffsetsBlockTheirPartitionOnly(t *testing.T) {
	for exact, want := range map[bool]bool{false: true, true: false} {
		w := connect(t, fake.Config{Topics: map[string]int{"t": 2}, Exact: exact})
		first, second := w.producer("x", time.Minute), w.producer("y", time.Minute)
		w.offer(first, 1, 7)
		w.must(first.Commit(w.ctx))
		w.offer(second, 0, 5)
		if offset, ok := w.stable(1); ok != want || ok && offset != 7 {
			t.Errorf("exact=%v: partition 1: %d, stable %v", exact, offset, ok)
		}
		if _, ok := w.stable(0); ok {
			t.Errorf("exact=%v: partition 0 is stable under an open transaction", exact)
		}
		w.must(second.Commit(w.ctx))
		if offset, ok := w.stable(0); !ok || offset != 5 {
			t.Errorf("exact=%v: partition 0 after the commit: %d, %v", exact, offset, ok)
		}
	}
}

func TestK6AbortAndFencingMakeStable(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 2}})
	p := w.producer("x", time.Minute)
	w.offer(p, 0, 3)
	w.must(p.Commit(w.ctx))
	for _, end := range []func(){func() { w.must(p.Abort(w.ctx)) }, func() { w.producer("x", time.Minute) }} {
		w.offer(p, 0, 5)
		if _, ok := w.stable(0); ok {
			t.Error("stable under an open transaction")
		}
		end()
		if offset, ok := w.stable(0); !ok || offset != 3 {
			t.Errorf("after the end: %d, %v", offset, ok)
		}
	}
}
