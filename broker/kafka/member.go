package kafka

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
)

// member is broker.Member: a consumer, and the classic group protocol (group.go). Joining and heartbeats happen on goroutines; what
// they learn is acted upon inside Poll, on the member's thread.
type member struct {
	*consumer
	cfg   broker.MemberConfig
	group group // guarded by the consumer's mutex

	// the thread's own
	owned []broker.TopicPartition // sorted
	left  bool
}

var _ broker.Member = (*member)(nil)

// JoinGroup returns a member; it joins in its first Poll.
func (c *Cluster) JoinGroup(_ context.Context, cfg broker.MemberConfig) (broker.Member, error) {
	if cfg.Group == "" || cfg.Assignor == nil || cfg.Listener == nil {
		return nil, &broker.Error{Op: "JoinGroup", Kind: broker.ErrFatal, Text: "a member needs a group, an assignor and a listener"}
	}
	co, err := c.newConsumer(property.MainConsumer, cfg.ConsumerConfig, cfg.Group)
	if err != nil {
		return nil, err
	}
	def := co.set.member
	cfg.InstanceID = cmp.Or(cfg.InstanceID, def.InstanceID)
	cfg.SessionTimeout = cmp.Or(cfg.SessionTimeout, def.SessionTimeout)
	cfg.HeartbeatInterval = cmp.Or(cfg.HeartbeatInterval, def.HeartbeatInterval)
	cfg.RebalanceTimeout = cmp.Or(cfg.RebalanceTimeout, def.RebalanceTimeout)
	m := &member{consumer: co, cfg: cfg}
	m.group = group{generation: -1, current: -1, ownedIn: -1, polled: time.Now(), rejoin: "the member is new",
		as: broker.GroupMetadata{Group: cfg.Group, InstanceID: cfg.InstanceID, Generation: -1}}
	return m, nil
}

// Assign is refused.
func (m *member) Assign(context.Context, map[broker.TopicPartition]int64) error {
	return &broker.Error{Op: "Assign", Kind: broker.ErrFatal, Text: "the partitions of a member come from its group"}
}

func (m *member) Poll(ctx context.Context, max int, wait time.Duration) ([]broker.Batch, error) {
	m.polling(true)
	defer m.polling(false)
	if m.left {
		return nil, broker.ErrClosed
	}
	return m.poll(ctx, max, wait, m.events)
}

// polling notes that the thread is in Poll, where it may stay, or when it left it.
func (m *member) polling(in bool) {
	m.mu.Lock()
	m.group.inPoll, m.group.polled = in, time.Now()
	m.mu.Unlock()
}

// events acts upon what the group's goroutines have learned. It says whether a callback ran.
func (m *member) events(ctx context.Context) (ran bool, err error) {
	m.mu.Lock()
	g := &m.group
	fault, lost, joined, rejoin := g.fault, g.lost, g.joined, g.rejoin != "" && !g.joining && g.joined == nil
	g.lost, g.joined = false, nil
	m.mu.Unlock()
	if fault != nil {
		return false, fault
	}
	if lost {
		ran = m.onLost(ctx)
	}
	if joined != nil && !lost {
		m.onJoined(ctx, joined)
		ran = true
	}
	if rejoin || lost || joined != nil {
		ran = m.maybeJoin(ctx) || ran
	}
	return ran, nil
}

// onLost gives everything up.
func (m *member) onLost(ctx context.Context) bool {
	lost := m.owned
	m.setOwned(nil, nil)
	if len(lost) == 0 {
		return false
	}
	m.cfg.Listener.Lost(ctx, lost)
	return true
}

// onJoined takes over a new generation's assignment.
func (m *member) onJoined(ctx context.Context, a *broker.Assignment) {
	added := without(a.Partitions, m.owned)
	if m.cfg.Assignor.Cooperative() {
		if revoked := without(m.owned, a.Partitions); len(revoked) > 0 {
			m.cfg.Listener.Revoked(ctx, revoked)
			m.Rejoin("partitions were revoked") // so that they can be given to their new owner
		}
	}
	m.setOwned(slices.Clone(a.Partitions), added)
	m.cfg.Listener.Assigned(ctx, *a, added)
}

// maybeJoin begins a join if one is due. The eager protocol gives up everything before.
func (m *member) maybeJoin(ctx context.Context) (ran bool) {
	m.mu.Lock()
	due := m.group.rejoin != "" && !m.group.joining && m.group.fault == nil && !m.group.lost && m.group.joined == nil
	m.mu.Unlock()
	if !due {
		return false
	}
	if !m.cfg.Assignor.Cooperative() && len(m.owned) > 0 {
		m.cfg.Listener.Revoked(ctx, m.owned)
		m.setOwned(nil, nil)
		ran = true
	}
	data := m.cfg.Assignor.UserData()
	m.mu.Lock()
	if !m.group.lost {
		m.startJoin(data)
	}
	m.mu.Unlock()
	return ran
}

// setOwned makes tps the assignment; added start at their committed positions.
func (m *member) setOwned(tps, added []broker.TopicPartition) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.owned = tps
	m.group.owned = tps
	parts := make(map[broker.TopicPartition]*partition, len(tps))
	for _, tp := range tps {
		if p := m.parts[tp]; p != nil {
			parts[tp] = p
		}
	}
	for _, tp := range added {
		parts[tp] = newPartition(tp)
		parts[tp].find = findCommitted
	}
	m.replace(parts)
}

// without are the elements of a that are not in b; both are sorted.
func without(a, b []broker.TopicPartition) []broker.TopicPartition {
	var out []broker.TopicPartition
	for _, tp := range a {
		if _, found := slices.BinarySearchFunc(b, tp, broker.TopicPartition.Compare); !found {
			out = append(out, tp)
		}
	}
	return out
}

func (m *member) Commit(ctx context.Context, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	if m.left {
		return broker.ErrClosed
	}
	if len(offsets) == 0 {
		return nil
	}
	as := m.Metadata()
	if !m.known() {
		kind := broker.ErrRebalancing
		if len(m.owned) > 0 {
			kind = broker.ErrUnknownMember // it was one, and will be told in Poll
		}
		return &broker.Error{Op: "OffsetCommit", Kind: kind, Text: m.cfg.Group + ": not a member now"}
	}
	err := commitOffsets(ctx, m.lanes[0], as, offsets)
	switch {
	case coded(err, kerr.IllegalGeneration) && m.moved(as.Generation):
		// a rebalance of our own has gone on meanwhile: nothing is lost yet
		return &broker.Error{Op: "OffsetCommit", Code: kerr.IllegalGeneration.Code, Name: kerr.IllegalGeneration.Message,
			Kind: broker.ErrRebalancing, Text: m.cfg.Group}
	case errors.Is(err, broker.ErrUnknownMember):
		m.expelled(as.Generation, coded(err, kerr.UnknownMemberID))
	case errors.Is(err, broker.ErrFenced):
		m.fail(err)
	case errors.Is(err, broker.ErrRebalancing):
		m.Rejoin("the group is rebalancing")
	}
	return err
}

// Committed waits until no transaction is pending on the positions.
func (m *member) Committed(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	if tps == nil {
		tps = []broker.TopicPartition{}
	}
	var found map[broker.TopicPartition]broker.OffsetAndMetadata
	err := m.c.persist(ctx, &m.set, func() (err error) {
		found, err = fetchCommitted(ctx, m.lanes[0], m.cfg.Group, tps)
		return err
	})
	return found, err
}

// Metadata stays that of the last join when the group has expelled the member: a transaction's offsets that name no member are
// taken by brokers without looking at the generation.
func (m *member) Metadata() broker.GroupMetadata {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.group.as
}

// known says whether the group knew the member when it was last heard of.
func (m *member) known() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.group.current >= 0
}

func (m *member) Rejoin(reason string) {
	m.mu.Lock()
	if m.group.rejoin == "" {
		m.group.rejoin = cmp.Or(reason, "asked for")
	}
	m.mu.Unlock()
	m.notify()
}

func (m *member) Leave(ctx context.Context) error {
	if m.left {
		return nil
	}
	m.left = true
	m.mu.Lock()
	m.stopGroup()
	id := m.group.memberID
	m.mu.Unlock()
	m.setOwned(nil, nil)
	if id == "" {
		return nil
	}
	return m.leaveGroup(ctx, id, "the member leaves")
}

func (m *member) Close() {
	m.mu.Lock()
	m.stopGroup()
	m.mu.Unlock()
	m.consumer.Close()
}
