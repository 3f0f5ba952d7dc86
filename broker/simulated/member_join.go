package simulated

import (
	"context"
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// subscribe makes the subscription for a join; further attempts carry the same.
func (m *member) subscribe() {
	m.sub = &subscription{topics: m.topics(), generation: -1, rack: m.cfg.Rack, userData: m.cfg.Assignor.UserData()}
	if m.cfg.Assignor.Cooperative() {
		m.sub.owned = m.owned
		if m.gen >= 0 {
			m.sub.generation = m.meta.Generation
		}
	}
}

// match looks up the topics of the cluster that match.
func (m *member) match(ctx context.Context) error {
	if m.cfg.Matches == nil {
		return nil
	}
	resp, err := m.c.callAny(ctx, "Metadata", &metadataRequest{})
	if err != nil {
		return err
	}
	m.matched = nil
	for _, t := range resp.(*metadataResponse).topics {
		if m.cfg.Matches(t.Name) {
			m.matched = append(m.matched, t.Name)
		}
	}
	return nil
}

// topics are those subscribed to, sorted.
func (m *member) topics() []string {
	if len(m.matched) == 0 {
		return m.cfg.Topics
	}
	all := slices.Concat(m.cfg.Topics, m.matched)
	slices.Sort(all)
	return slices.Compact(all)
}

// join sends JoinGroup.
func (m *member) join() {
	req := &joinGroupRequest{
		group: m.cfg.Group, member: m.id, instance: m.cfg.InstanceID, client: m.cfg.ClientID, protocolType: "consumer",
		protocols: []groupProtocol{{m.cfg.Assignor.Name(), m.sub}}, sessionTimeout: m.cfg.SessionTimeout, rebalanceTimeout: m.cfg.RebalanceTimeout,
	}
	m.ask(req, m.joinLater, func(resp any) { m.joinAnswered(resp.(*joinGroupResponse)) })
}

// ask sends the group's coordinator a request, which makes void the answers to those before it.
func (m *member) ask(req any, failed func(), answered func(resp any)) {
	m.serial++
	serial := m.serial
	m.c.askCoordinator(groupKind, m.cfg.Group, req, func(resp any, err error) {
		switch {
		case serial != m.serial:
		case err != nil:
			failed()
		default:
			answered(resp)
		}
	})
}

// joinLater tries again after a back-off.
func (m *member) joinLater() {
	serial := m.serial
	m.tries++
	m.c.p.After(backoff(m.tries-1), func() {
		if serial == m.serial {
			m.join()
		}
	})
}

func (m *member) joinAnswered(r *joinGroupResponse) {
	switch {
	case r.code == codeNone:
		m.joined = r
		m.id, m.gen = r.member, r.generation
		m.startHeartbeats()
		m.sig.wake()
	case r.code == codeMemberIDRequired:
		m.id = r.member
		m.join()
	case r.code.moved():
		m.c.forgetCoordinator(groupKind, m.cfg.Group)
		m.joinLater()
	case r.code == codeRebalanceInProgress:
		m.joinLater()
	case r.code == codeUnknownMember:
		m.expel(true)
	default:
		m.fail(r.code.err("JoinGroup", m.cfg.Group))
	}
}

func (m *member) fail(err error) {
	m.stop()
	m.fatal = err
	m.sig.wake()
}

// expel notes that the group does not have this member any more, or not in this generation; the owner's thread learns of it in Poll.
func (m *member) expel(forget bool) {
	m.stop()
	if forget {
		m.id = ""
	}
	m.gen = -1
	m.expelled, m.needJoin = true, true
	m.sig.wake()
}

// share is the step after the join: the leader assigns, everyone syncs.
func (m *member) share(ctx context.Context, r *joinGroupResponse) error {
	req := &syncGroupRequest{group: m.cfg.Group, member: m.id, instance: m.cfg.InstanceID, generation: r.generation}
	m.watching = 0
	m.phase = memberSyncing
	m.watch(nil)
	if r.leader == m.id && !r.skipAssignment {
		serial := m.serial
		assignments, err := m.assignAll(ctx, r)
		if err != nil {
			return err
		}
		if serial != m.serial { // expelled in the meantime
			return nil
		}
		req.assignments = assignments
	}
	m.ask(req, m.again, func(resp any) { m.syncAnswered(resp.(*syncGroupResponse)) })
	return nil
}

// again begins the rebalance anew.
func (m *member) again() {
	m.serial++
	m.phase, m.needJoin = memberIdle, true
	m.sig.wake()
}

func (m *member) syncAnswered(r *syncGroupResponse) {
	switch {
	case r.code == codeNone:
		m.synced = &broker.Assignment{}
		if a, ok := r.assignment.(*broker.Assignment); ok {
			m.synced = a
		}
		m.sig.wake()
	case r.code.moved():
		m.c.forgetCoordinator(groupKind, m.cfg.Group)
		m.again()
	case r.code == codeRebalanceInProgress:
		m.again()
	case r.code == codeUnknownMember, r.code == codeIllegalGeneration:
		m.expel(r.code == codeUnknownMember)
	default:
		m.fail(r.code.err("SyncGroup", m.cfg.Group))
	}
}

// assignAll has the assignor do its work on the leader.
func (m *member) assignAll(ctx context.Context, r *joinGroupResponse) (map[string]any, error) {
	g := broker.GroupSubscription{Generation: r.generation}
	var topics []string
	for _, j := range r.members {
		s := broker.Subscription{MemberID: j.id, InstanceID: j.instance, Generation: -1}
		if sub, ok := j.metadata.(*subscription); ok {
			s.Topics, s.Owned, s.Generation, s.Rack, s.UserData = sub.topics, sub.owned, sub.generation, sub.rack, sub.userData
		}
		g.Members = append(g.Members, s)
		topics = append(topics, s.Topics...)
	}
	slices.Sort(topics)
	topics = slices.Compact(topics)
	var err error
	if g.Partitions, err = m.counts(ctx, topics); err != nil {
		return nil, err
	}
	assigned, err := m.cfg.Assignor.Assign(ctx, g)
	if err != nil {
		m.again()
		return nil, err
	}
	if len(g.Partitions) < len(topics) { // the assignor may have created some
		if _, err := m.counts(ctx, topics); err != nil {
			return nil, err
		}
	}
	m.watch(topics)
	out := make(map[string]any, len(g.Members))
	for _, s := range g.Members {
		a := assigned[s.MemberID]
		out[s.MemberID] = &a
	}
	return out, nil
}

// counts asks for the numbers of partitions of the topics that exist.
func (m *member) counts(ctx context.Context, topics []string) (map[string]int32, error) {
	out := make(map[string]int32, len(topics))
	if len(topics) == 0 {
		return out, nil
	}
	if err := m.c.refresh(ctx, topics...); err != nil {
		return nil, err
	}
	for _, name := range topics {
		if t := m.c.topics[name]; t != nil {
			out[name] = int32(len(t.leaders))
		}
	}
	return out, nil
}

// watch parks a question at a broker: the member rejoins when one of the topics, the leader's, gets another number of partitions, or when
// other topics match.
func (m *member) watch(topics []string) {
	if len(topics) == 0 && m.cfg.Matches == nil {
		return
	}
	m.questions++
	m.watching = m.questions
	req := &watchRequest{watcher: m.watcher, topics: topics, matches: m.cfg.Matches, matched: m.matched}
	for _, name := range topics {
		n := int32(0)
		if t := m.c.topics[name]; t != nil {
			n = int32(len(t.leaders))
		}
		req.counts = append(req.counts, n)
	}
	m.askWatch(req, m.watching)
}

func (m *member) askWatch(req *watchRequest, number int) {
	over := func() bool { return m.closed || m.left || m.watching != number }
	m.c.net.CallAsync(m.c.p, m.c.anyBroker(), req, requestBytes, func(_ any, err error) {
		switch {
		case over():
		case err != nil:
			m.c.p.After(retryBackoff, func() {
				if !over() {
					m.askWatch(req, number)
				}
			})
		default:
			m.watching = 0
			m.Rejoin("the subscribed topics have changed")
		}
	})
}
