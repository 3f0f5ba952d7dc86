package kafka

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

const protocolType = "consumer"

// group is a member's side of the classic group protocol. It is guarded by the consumer's mutex.
//
// At most one join (JoinGroup, SyncGroup) is under way; a heartbeat runs from its end to the beginning of the next.
type group struct {
	memberID   string
	generation int32                // of the last join that ended, where SyncGroup may have failed
	current    int32                // the generation that the thread may commit in; -1: the group does not know the member
	as         broker.GroupMetadata // what the last join gave: kept when the group expels the member, so that it is refused
	owned      []broker.TopicPartition
	ownedIn    int32 // the generation that gave them

	rejoin  string             // why a rebalance is due; empty: none is
	joining bool               // a join is under way
	joined  *broker.Assignment // it has ended: for the thread
	lost    bool               // the group expelled the member: for the thread
	fault   error              // there is no going on

	matched []string         // the topics of the cluster that match, as of the last join
	counts  map[string]int32 // the leader's: partitions of the topics subscribed to, at the last assignment
	stop    context.CancelFunc
	inPoll  bool
	polled  time.Time // when the thread was last in Poll
}

// stopGroup ends the join or the heartbeat. The mutex is held.
func (m *member) stopGroup() {
	if m.group.stop != nil {
		m.group.stop()
		m.group.stop = nil
	}
}

// startJoin begins a join with this user data. The mutex is held.
func (m *member) startJoin(userData []byte) {
	m.stopGroup()
	g := &m.group
	reason := g.rejoin
	g.joining, g.rejoin = true, ""
	ctx, cancel := context.WithCancel(m.ctx)
	g.stop = cancel
	go m.join(ctx, m.subscription(userData), reason)
}

// join joins until the group has given an assignment, or will not have the member.
func (m *member) join(ctx context.Context, sub kmsg.ConsumerMemberMetadata, reason string) {
	for attempt := 1; ; attempt++ {
		a, err := m.joinOnce(ctx, sub, reason)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			m.joinEnded(ctx, a)
			return
		}
		switch {
		case coded(err, kerr.MemberIDRequired), coded(err, kerr.RebalanceInProgress), coded(err, kerr.IllegalGeneration):
			continue
		case coded(err, kerr.UnknownMemberID):
			if m.forget() {
				return // the thread must know first what it has lost
			}
			continue
		case errors.Is(err, broker.ErrRetriable):
			m.c.log.Debug("kafka: join failed", "group", m.cfg.Group, "error", err)
			if m.c.cfg.Host.Sleep(ctx, m.set.backoff(attempt)) != nil {
				return
			}
		default:
			m.fail(err)
			return
		}
	}
}

// joinEnded hands the assignment to the thread, and starts the heartbeat.
func (m *member) joinEnded(ctx context.Context, a *broker.Assignment) {
	m.mu.Lock()
	if ctx.Err() != nil {
		m.mu.Unlock()
		return
	}
	g := &m.group
	g.joining, g.joined = false, a
	g.current, g.ownedIn = g.generation, g.generation
	id, generation := g.memberID, g.generation
	g.as = broker.GroupMetadata{Group: m.cfg.Group, MemberID: id, InstanceID: m.cfg.InstanceID, Generation: generation}
	m.mu.Unlock()
	m.notify()
	go m.heartbeat(ctx, id, generation)
}

// forget makes the member a new one to the group. It says whether it owned something, which is lost then.
func (m *member) forget() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := &m.group
	g.memberID, g.generation, g.current, g.ownedIn = "", -1, -1, -1
	if len(g.owned) == 0 {
		return false
	}
	g.joining, g.lost = false, true
	g.rejoin = cmp.Or(g.rejoin, "the group has forgotten the member")
	m.notify()
	return true
}

// expelled notes that the group does not know the member in that generation any more. forgotten: nor by its id.
func (m *member) expelled(generation int32, forgotten bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := &m.group
	if g.current != generation || g.lost || g.fault != nil {
		return
	}
	m.stopGroup()
	if forgotten {
		g.memberID = ""
	}
	g.generation, g.current, g.ownedIn = -1, -1, -1
	g.joining, g.joined, g.lost = false, nil, true
	g.rejoin = cmp.Or(g.rejoin, "the group has expelled the member")
	m.notify()
}

// moved says whether the group has left that generation by a join of this member, which is under way or has just ended.
func (m *member) moved(generation int32) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.group.joining || m.group.current != generation
}

// fail ends the membership.
func (m *member) fail(err error) {
	m.mu.Lock()
	m.stopGroup()
	m.group.joining = false
	if m.group.fault == nil {
		m.group.fault = err
	}
	m.mu.Unlock()
	m.notify()
}

// joinOnce is one JoinGroup and SyncGroup.
func (m *member) joinOnce(ctx context.Context, sub kmsg.ConsumerMemberMetadata, reason string) (*broker.Assignment, error) {
	matched, err := m.match(ctx)
	if err != nil {
		return nil, err
	}
	sub.Topics = slices.Concat(sub.Topics, matched)
	slices.Sort(sub.Topics)
	sub.Topics = slices.Compact(sub.Topics)
	m.mu.Lock()
	id := m.group.memberID
	m.group.matched = matched
	m.mu.Unlock()
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = m.cfg.Group, id, optional(m.cfg.InstanceID), protocolType
	req.SessionTimeoutMillis = int32(m.cfg.SessionTimeout.Milliseconds())
	req.RebalanceTimeoutMillis = int32(m.cfg.RebalanceTimeout.Milliseconds())
	req.Reason = &reason
	p := kmsg.NewJoinGroupRequestProtocol()
	p.Name, p.Metadata = m.cfg.Assignor.Name(), sub.AppendTo(nil)
	req.Protocols = append(req.Protocols, p)
	resp, err := req.RequestWith(ctx, m.lanes[0])
	if err != nil {
		return nil, wrap(ctx, "JoinGroup", err, m.cfg.Group)
	}
	if resp.ErrorCode == kerr.MemberIDRequired.Code {
		m.mu.Lock()
		m.group.memberID = resp.MemberID
		m.mu.Unlock()
	}
	if err := codeError("JoinGroup", resp.ErrorCode, m.cfg.Group); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.group.memberID, m.group.generation = resp.MemberID, resp.Generation
	m.group.counts = nil
	m.mu.Unlock()
	plan, err := m.plan(ctx, resp)
	if err != nil {
		return nil, err
	}
	return m.sync(ctx, resp, plan)
}

// sync is SyncGroup; plan is the leader's, and nil for the others.
func (m *member) sync(ctx context.Context, joined *kmsg.JoinGroupResponse, plan []kmsg.SyncGroupRequestGroupAssignment) (*broker.Assignment, error) {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID = m.cfg.Group, joined.MemberID, optional(m.cfg.InstanceID)
	req.Generation = joined.Generation
	kind, name := protocolType, m.cfg.Assignor.Name()
	req.ProtocolType, req.Protocol = &kind, &name
	req.GroupAssignment = plan
	resp, err := req.RequestWith(ctx, m.lanes[0])
	if err != nil {
		return nil, wrap(ctx, "SyncGroup", err, m.cfg.Group)
	}
	if err := codeError("SyncGroup", resp.ErrorCode, m.cfg.Group); err != nil {
		return nil, err
	}
	a, err := decodeAssignment(resp.MemberAssignment)
	if err != nil {
		return nil, &broker.Error{Op: "SyncGroup", Kind: broker.ErrFatal, Text: err.Error()}
	}
	return a, nil
}

// plan is the leader's: it asks the assignor, and encodes what it says.
func (m *member) plan(ctx context.Context, joined *kmsg.JoinGroupResponse) ([]kmsg.SyncGroupRequestGroupAssignment, error) {
	if joined.LeaderID != joined.MemberID {
		return nil, nil
	}
	sub, err := decodeSubscriptions(joined)
	if err != nil {
		return nil, &broker.Error{Op: "JoinGroup", Kind: broker.ErrFatal, Text: m.cfg.Group + ": " + err.Error()}
	}
	if sub.Partitions, err = m.partitionCounts(ctx, topicsOf(sub)); err != nil {
		return nil, err
	}
	m.mu.Lock()
	m.group.counts = sub.Partitions
	m.mu.Unlock()
	if joined.SkipAssignment {
		return nil, nil // a static leader came back; everyone keeps what he has
	}
	assigned, err := m.cfg.Assignor.Assign(ctx, sub)
	if err != nil {
		return nil, &broker.Error{Op: "JoinGroup", Kind: broker.ErrFatal, Text: m.cfg.Group + ": assignor: " + err.Error()}
	}
	plan := make([]kmsg.SyncGroupRequestGroupAssignment, 0, len(sub.Members))
	for _, s := range sub.Members {
		a, ok := assigned[s.MemberID]
		if !ok {
			return nil, &broker.Error{Op: "JoinGroup", Kind: broker.ErrFatal, Text: m.cfg.Group + ": the assignor left out member " + s.MemberID}
		}
		ga := kmsg.NewSyncGroupRequestGroupAssignment()
		ga.MemberID, ga.MemberAssignment = s.MemberID, encodeAssignment(a)
		plan = append(plan, ga)
	}
	return plan, nil
}

// partitionCounts are those of the topics that exist.
func (m *member) partitionCounts(ctx context.Context, topics []string) (map[string]int32, error) {
	found, err := topicsMetadata(ctx, m.lanes[0], topics, m.set.autoCreate)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int32, len(topics))
	for _, name := range topics {
		if t, ok := found[name]; ok && t.ErrorCode == 0 {
			counts[name] = int32(len(t.Partitions))
		}
	}
	return counts, nil
}

// heartbeat tells the group that the member is alive, until the generation ends.
func (m *member) heartbeat(ctx context.Context, id string, generation int32) {
	looked := time.Now()
	for {
		if m.c.cfg.Host.Sleep(ctx, m.cfg.HeartbeatInterval) != nil {
			return
		}
		if m.stuck() {
			m.c.log.Warn("kafka: no poll within max.poll.interval.ms: the member leaves its group", "group", m.cfg.Group)
			m.expelled(generation, true)
			_ = m.leaveGroup(m.ctx, id, "no poll within max.poll.interval.ms") // or the session ends by itself
			return
		}
		looked = m.watchTopics(ctx, looked)
		req := kmsg.NewPtrHeartbeatRequest()
		req.Group, req.MemberID, req.InstanceID, req.Generation = m.cfg.Group, id, optional(m.cfg.InstanceID), generation
		resp, err := req.RequestWith(ctx, m.lanes[0])
		if err != nil {
			continue // tried again at the next interval; the broker decides when it has been too long
		}
		switch resp.ErrorCode {
		case 0:
		case kerr.RebalanceInProgress.Code:
			m.Rejoin("the group is rebalancing")
		case kerr.UnknownMemberID.Code, kerr.IllegalGeneration.Code:
			m.expelled(generation, resp.ErrorCode == kerr.UnknownMemberID.Code)
			return
		case kerr.FencedInstanceID.Code:
			m.fail(codeError("Heartbeat", resp.ErrorCode, m.cfg.Group))
			return
		}
	}
}

// stuck says whether the thread has not polled for longer than it may.
func (m *member) stuck() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.group.inPoll && time.Since(m.group.polled) > m.cfg.RebalanceTimeout
}

// watchTopics lets the member join again when other topics match, and the leader when its topics have got partitions, or come into being:
// each metadata.max.age.ms, and at each heartbeat where one is missing. It returns when it last looked at everything.
func (m *member) watchTopics(ctx context.Context, looked time.Time) time.Time {
	due := time.Since(looked) >= m.set.metadataMaxAge
	if due {
		looked = time.Now()
		if m.othersMatch(ctx) {
			m.Rejoin("other topics match")
			return looked
		}
	}
	m.mu.Lock()
	counts := m.group.counts
	m.mu.Unlock()
	topics := slices.Collect(maps.Keys(counts))
	missing := false
	for _, name := range m.cfg.Topics {
		if _, ok := counts[name]; !ok {
			topics, missing = append(topics, name), true
		}
	}
	if counts == nil || !missing && !due {
		return looked
	}
	slices.Sort(topics)
	now, err := m.partitionCounts(ctx, topics)
	if err != nil {
		return looked
	}
	for _, name := range topics {
		if now[name] != counts[name] {
			m.mu.Lock()
			m.group.counts = nil // one rebalance for one change
			m.mu.Unlock()
			m.Rejoin("topic " + name + " has changed")
			break
		}
	}
	return looked
}

// othersMatch says whether other topics match than at the last join.
func (m *member) othersMatch(ctx context.Context) bool {
	if m.cfg.Matches == nil {
		return false
	}
	now, err := m.match(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	return err == nil && !slices.Equal(now, m.group.matched)
}

func (m *member) leaveGroup(ctx context.Context, id, reason string) error {
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.MemberID = m.cfg.Group, id
	lm := kmsg.NewLeaveGroupRequestMember()
	lm.MemberID, lm.InstanceID, lm.Reason = id, optional(m.cfg.InstanceID), &reason
	req.Members = append(req.Members, lm)
	resp, err := req.RequestWith(ctx, m.lanes[0])
	if err != nil {
		return wrap(ctx, "LeaveGroup", err, m.cfg.Group)
	}
	code := resp.ErrorCode
	for _, left := range resp.Members {
		if code == 0 {
			code = left.ErrorCode
		}
	}
	if code == kerr.UnknownMemberID.Code {
		return nil // it is gone already
	}
	return codeError("LeaveGroup", code, m.cfg.Group)
}
