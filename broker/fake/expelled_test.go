package fake_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/fake"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// soleOwner gives all partitions to the first member.
type soleOwner struct{}

func (soleOwner) Name() string      { return "sole-owner" }
func (soleOwner) Cooperative() bool { return true }
func (soleOwner) UserData() []byte  { return nil }

func (soleOwner) Assign(_ context.Context, g broker.GroupSubscription) (map[string]broker.Assignment, error) {
	out := map[string]broker.Assignment{}
	for _, m := range g.Members {
		out[m.MemberID] = broker.Assignment{}
	}
	out[g.Members[0].MemberID] = broker.Assignment{Partitions: []broker.TopicPartition{t0}}
	return out, nil
}

func (soleOwner) Revoked(context.Context, []broker.TopicPartition)                     {}
func (soleOwner) Lost(context.Context, []broker.TopicPartition)                        {}
func (soleOwner) Assigned(context.Context, broker.Assignment, []broker.TopicPartition) {}

// TestAnExpelledMemberCommitsNothing has the group expel a member that does not know it yet, since its thread is not in Poll. The
// offsets that it puts into a transaction are refused: brokers take such offsets from anyone who names no member at all.
func TestAnExpelledMemberCommitsNothing(t *testing.T) {
	w := connect(t, fake.Config{Topics: map[string]int{"t": 1}})
	m, err := w.port.JoinGroup(w.ctx, broker.MemberConfig{Group: "g", Topics: []string{"t"}, Assignor: soleOwner{}, Listener: soleOwner{},
		SessionTimeout: 10 * time.Second, HeartbeatInterval: 50 * time.Millisecond, RebalanceTimeout: 10 * time.Second})
	w.must(err)
	t.Cleanup(m.Close)
	for m.Metadata().Generation < 0 {
		_, err := m.Poll(w.ctx, 10, 50*time.Millisecond)
		w.must(err)
	}
	leave := kmsg.NewPtrLeaveGroupRequest()
	leave.Group, leave.MemberID = "g", m.Metadata().MemberID
	lm := kmsg.NewLeaveGroupRequestMember()
	lm.MemberID = m.Metadata().MemberID
	leave.Members = append(leave.Members, lm)
	_, err = leave.RequestWith(w.ctx, w.kgo)
	w.must(err)

	p := w.producer("x", time.Minute)
	h := host.NewLive(w.ctx, host.LiveConfig{})
	for range 10 { // before and after the member's heartbeat has learned of it
		w.must(p.Begin())
		w.must(w.send(p, t0, "k", "v"))
		err := p.SendOffsets(w.ctx, m.Metadata(), map[broker.TopicPartition]broker.OffsetAndMetadata{t0: {Offset: 1, LeaderEpoch: -1}})
		if !errors.Is(err, broker.ErrUnknownMember) {
			t.Fatalf("%+v may commit: %v", m.Metadata(), err)
		}
		w.must(p.Abort(w.ctx))
		w.must(h.Sleep(w.ctx, 20*time.Millisecond))
	}
}
