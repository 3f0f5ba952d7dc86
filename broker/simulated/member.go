package simulated

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// member is a consumer whose assignment comes from a classic group. The rebalance protocol is a state machine that Poll drives:
// requests go out without blocking, answers are kept by events until the owner's thread comes to them.
type member struct {
	*consumer
	cfg   broker.MemberConfig
	id    string // the member id; empty: none yet
	gen   int32  // of the last JoinGroup
	meta  broker.GroupMetadata
	owned []broker.TopicPartition // sorted

	needJoin bool
	phase    memberPhase
	sub      *subscription
	serial   int // of the request under way: answers to older ones are void
	tries    int
	joined   *joinGroupResponse // to be taken by the owner's thread
	synced   *broker.Assignment // likewise
	expelled bool               // likewise: what it owned is lost
	fatal    error

	beat      *heartbeats
	watcher   int64
	questions int
	watching  int      // the number of the question that is parked at a broker; answers to older ones are void
	matched   []string // the topics of the cluster that match, as of the last join
	left      bool
}

type memberPhase int8

const (
	memberIdle memberPhase = iota
	memberJoining
	memberSyncing
)

// subscription is what a member tells the group's leader.
type subscription struct {
	topics     []string
	owned      []broker.TopicPartition
	generation int32
	rack       string
	userData   []byte
}

func (s *subscription) equal(o *subscription) bool {
	return slices.Equal(s.topics, o.topics) && slices.Equal(s.owned, o.owned) && s.generation == o.generation && s.rack == o.rack &&
		string(s.userData) == string(o.userData)
}

// JoinGroup is broker.Cluster's.
func (c *client) JoinGroup(_ context.Context, cfg broker.MemberConfig) (broker.Member, error) {
	cfg.SessionTimeout = cmp.Or(cfg.SessionTimeout, 45*time.Second)
	cfg.HeartbeatInterval = cmp.Or(cfg.HeartbeatInterval, 3*time.Second)
	cfg.RebalanceTimeout = cmp.Or(cfg.RebalanceTimeout, 5*time.Minute)
	cfg.ClientID = cmp.Or(cfg.ClientID, c.p.Name())
	if cfg.Group == "" || cfg.Assignor == nil {
		return nil, &broker.Error{Op: "JoinGroup", Kind: broker.ErrFatal, Text: "a member needs a group and an assignor"}
	}
	m := &member{consumer: newConsumer(c, cfg.ConsumerConfig), cfg: cfg, gen: -1, needJoin: true, watcher: c.session()}
	m.meta = broker.GroupMetadata{Group: cfg.Group, InstanceID: cfg.InstanceID, Generation: -1}
	m.committed = m.findCommittedOffsets
	return m, nil
}

// Assign is refused.
func (m *member) Assign(context.Context, map[broker.TopicPartition]int64) error {
	return &broker.Error{Op: "Assign", Kind: broker.ErrFatal, Text: "a group member's assignment comes from its group"}
}

// Poll is broker.Member's.
func (m *member) Poll(ctx context.Context, limit int, wait time.Duration) ([]broker.Batch, error) {
	return m.poll(ctx, limit, wait, m.advance)
}

// advance takes the steps of a rebalance that are due, and says whether a callback has run.
func (m *member) advance(ctx context.Context) (called bool, err error) {
	for {
		switch {
		case m.left:
			return called, nil
		case m.fatal != nil:
			if called = m.loseAll(ctx) || called; called && !errors.Is(m.fatal, broker.ErrFenced) {
				return called, nil
			}
			return called, m.fatal
		case m.expelled:
			m.expelled = false
			called = m.loseAll(ctx) || called
		case m.joined != nil:
			resp := m.joined
			m.joined = nil
			if err := m.share(ctx, resp); err != nil {
				return called, err
			}
		case m.synced != nil:
			a := m.synced
			m.synced = nil
			m.complete(ctx, a)
			called = true
		case m.needJoin && m.phase == memberIdle:
			if err := m.match(ctx); err != nil {
				return called, err
			}
			m.needJoin = false
			called = m.prepare(ctx) || called
			m.phase = memberJoining
			m.subscribe()
			m.join()
		default:
			return called, nil
		}
		if err := ctx.Err(); err != nil {
			return called, err
		}
	}
}

// loseAll gives up what the member owned without a chance to commit.
func (m *member) loseAll(ctx context.Context) bool {
	gone := m.owned
	m.owned = nil
	m.assign(nil, nil)
	if len(gone) > 0 && m.cfg.Listener != nil {
		m.cfg.Listener.Lost(ctx, gone)
		return true
	}
	return false
}

// prepare readies the member for a join: under the eager protocol it gives up everything first.
func (m *member) prepare(ctx context.Context) bool {
	if m.cfg.Assignor.Cooperative() || len(m.owned) == 0 {
		return false
	}
	if m.cfg.Listener != nil {
		m.cfg.Listener.Revoked(ctx, m.owned)
	}
	m.owned = nil
	m.assign(nil, nil)
	return true
}

// complete takes over an assignment.
func (m *member) complete(ctx context.Context, a *broker.Assignment) {
	m.phase, m.tries = memberIdle, 0
	m.meta.MemberID, m.meta.Generation = m.id, m.gen
	full := broker.Assignment{Partitions: slices.SortedFunc(slices.Values(a.Partitions), broker.TopicPartition.Compare), UserData: a.UserData}
	added, gone := minus(full.Partitions, m.owned), minus(m.owned, full.Partitions)
	if len(gone) > 0 {
		if m.cfg.Listener != nil {
			m.cfg.Listener.Revoked(ctx, gone)
		}
		m.needJoin = true
	}
	m.owned = full.Partitions
	m.assign(full.Partitions, nil)
	if m.cfg.Listener != nil {
		m.cfg.Listener.Assigned(ctx, full, added)
	}
	m.fetch()
}

// minus is the sorted a without b.
func minus(a, b []broker.TopicPartition) []broker.TopicPartition {
	var out []broker.TopicPartition
	for _, tp := range a {
		if _, found := slices.BinarySearchFunc(b, tp, broker.TopicPartition.Compare); !found {
			out = append(out, tp)
		}
	}
	return out
}

// Metadata is broker.Member's.
func (m *member) Metadata() broker.GroupMetadata { return m.meta }

// Rejoin is broker.Member's.
func (m *member) Rejoin(string) {
	m.needJoin = true
	m.sig.wake()
}

// commitRequest makes an OffsetCommit with its partitions in order.
func commitRequest(g broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) offsetCommitRequest {
	r := offsetCommitRequest{group: g.Group, member: g.MemberID, instance: g.InstanceID, generation: g.Generation}
	r.tps = slices.SortedFunc(maps.Keys(offsets), broker.TopicPartition.Compare)
	for _, tp := range r.tps {
		r.offsets = append(r.offsets, offsets[tp])
	}
	return r
}

// Commit is broker.Member's.
func (m *member) Commit(ctx context.Context, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	switch {
	case m.closed || m.left:
		return broker.ErrClosed
	case m.fatal != nil:
		return m.fatal
	case m.expelled || m.meta.Generation < 0:
		return codeUnknownMember.err("OffsetCommit", m.cfg.Group)
	case len(offsets) == 0:
		return nil
	}
	req := commitRequest(m.meta, offsets)
	resp, err := m.c.callCoordinator(ctx, coordinatorCall{
		op: "OffsetCommit", kind: groupKind, key: m.cfg.Group, req: &req, text: m.cfg.Group,
		code: func(resp any) code { return resp.(*offsetCommitResponse).code },
	})
	if err == nil || resp == nil {
		return err
	}
	switch resp.(*offsetCommitResponse).code {
	case codeRebalanceInProgress:
		m.needJoin = m.needJoin || m.phase == memberIdle
	case codeIllegalGeneration:
		if m.phase != memberIdle || m.gen != req.generation { // the next generation has begun without us knowing yet
			return codeRebalanceInProgress.err("OffsetCommit", m.cfg.Group)
		}
		m.expel(false)
	case codeUnknownMember:
		m.expel(true)
	case codeFencedInstance:
		m.fatal = err
	}
	return err
}

// Committed is broker.Member's.
func (m *member) Committed(ctx context.Context, tps ...broker.TopicPartition) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	if len(tps) == 0 {
		return map[broker.TopicPartition]broker.OffsetAndMetadata{}, nil
	}
	return m.c.committedOffsets(ctx, &offsetFetchRequest{m.cfg.Group, tps, true})
}

func (c *client) committedOffsets(ctx context.Context, req *offsetFetchRequest) (map[broker.TopicPartition]broker.OffsetAndMetadata, error) {
	resp, err := c.callCoordinator(ctx, coordinatorCall{
		op: "OffsetFetch", kind: groupKind, key: req.group, req: req, text: req.group,
		code: func(resp any) code { return resp.(*offsetFetchResponse).code },
	})
	if err != nil {
		return nil, err
	}
	return resp.(*offsetFetchResponse).offsetMap(), nil
}

func (r *offsetFetchResponse) offsetMap() map[broker.TopicPartition]broker.OffsetAndMetadata {
	out := make(map[broker.TopicPartition]broker.OffsetAndMetadata, len(r.tps))
	for i, tp := range r.tps {
		out[tp] = r.offsets[i]
	}
	return out
}

// findCommittedOffsets is Committed for events: one attempt.
func (m *member) findCommittedOffsets(tps []broker.TopicPartition, done func(map[broker.TopicPartition]broker.OffsetAndMetadata, error)) {
	m.c.findCommitted(m.cfg.Group, tps, done)
}

func (c *client) findCommitted(group string, tps []broker.TopicPartition, done func(map[broker.TopicPartition]broker.OffsetAndMetadata, error)) {
	c.askCoordinator(groupKind, group, &offsetFetchRequest{group, tps, true}, func(resp any, err error) {
		if err != nil {
			done(nil, callError("OffsetFetch", err))
			return
		}
		r := resp.(*offsetFetchResponse)
		if r.code.moved() {
			c.forgetCoordinator(groupKind, group)
		}
		done(r.offsetMap(), r.code.err("OffsetFetch", group))
	})
}

// Leave is broker.Member's.
func (m *member) Leave(ctx context.Context) error {
	if m.left || m.closed {
		return nil
	}
	m.stop()
	m.left = true
	m.owned = nil
	m.assign(nil, nil)
	if m.id == "" {
		return nil
	}
	_, err := m.c.callCoordinator(ctx, coordinatorCall{
		op: "LeaveGroup", kind: groupKind, key: m.cfg.Group, text: m.cfg.Group,
		req:  &leaveGroupRequest{m.cfg.Group, m.id, m.cfg.InstanceID},
		code: func(resp any) code { return resp.(*leaveGroupResponse).code },
	})
	if errors.Is(err, broker.ErrUnknownMember) || errors.Is(err, sim.ErrConnectionReset) {
		return nil
	}
	return err
}

// stop ends the heartbeats and makes void what is under way.
func (m *member) stop() {
	m.serial++
	m.phase, m.joined, m.synced = memberIdle, nil, nil
	if m.beat != nil {
		m.beat.stop()
		m.beat = nil
	}
}

// Close is broker.Member's: the group learns of it by the session time-out.
func (m *member) Close() {
	if !m.closed {
		m.stop()
		m.consumer.Close()
	}
}
