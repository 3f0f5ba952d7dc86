package simulated

import (
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// refreshTopology puts the topology on the topics that there are now. When they are others than the epoch was made with, a new
// epoch begins; internal topics that are missing are created.
func (c *groupCoordinator) refreshTopology(g *group) {
	s := g.streams
	topics := c.m.topicCounts(topicsOf(s.topology))
	if s.configured == nil || !slices.Equal(s.configured.topics, topics) {
		s.configured = configure(s.topology, topics)
		s.created = ""
	}
	if !slices.Equal(s.topics, topics) {
		s.topics = topics
		c.bumpStreams(g)
	}
	if len(s.configured.missing) > 0 && onlyMissing(s.configured.status) {
		c.createInternal(g)
	}
}

func onlyMissing(status []broker.StreamsStatus) bool {
	return len(status) == 1 && status[0].Code == broker.MissingInternalTopics
}

// createInternal has the controller create the missing topics. The next heartbeat finds them.
func (c *groupCoordinator) createInternal(g *group) {
	s := g.streams
	missing := s.configured.missing
	c.m.controlled(func() {
		s.created = ""
		for _, t := range missing {
			if e, text := c.m.createTopic(t); e != codeNone && e != codeTopicExists {
				s.created += "Unable to create internal topics: " + t.Name + ": " + codes[e].name + " " + text
			}
		}
	})
}

// delayStreams holds the first assignment of a new group back, so that its members can all come.
func (c *groupCoordinator) delayStreams(g *group) {
	if d := c.m.cfg.StreamsInitialRebalanceDelay; d > 0 {
		c.assignAfter(g, d)
	}
}

// assignAfter computes the target assignment after a while; until then no heartbeat does.
func (c *groupCoordinator) assignAfter(g *group, d time.Duration) {
	s := g.streams
	s.delay = c.m.k.After(d, func() {
		s.delay = nil
		if !c.dead && c.groups[g.id] == g && g.streams == s && len(s.members) > 0 {
			c.l.batch(func() {
				c.refreshTopology(g)
				c.maybeAssign(g)
			})
		}
	})
}

// maybeAssign computes the target assignment when there is a newer epoch: at most once in each assignment interval.
func (c *groupCoordinator) maybeAssign(g *group) {
	s := g.streams
	if s.epoch <= s.targetEpoch || s.delay != nil {
		return
	}
	now := c.m.k.Now()
	if wait := s.assigned.Add(c.m.cfg.StreamsAssignmentInterval).Sub(now); !s.assigned.IsZero() && wait > 0 {
		c.assignAfter(g, wait)
		return
	}
	s.assigned = now
	target := streamsTargetRecord{group: g.id, epoch: s.epoch}
	as := make([]*assignee, len(s.members))
	process := map[*assignee]string{}
	for i, m := range s.members {
		as[i] = &assignee{id: m.member, had: m.target, offsets: m.offsets}
		process[as[i]] = m.process
	}
	if s.configured.ready() {
		newStickyAssignor(as, func(a *assignee) string { return process[a] }).
			assign(s.configured.all(false), s.configured.all(true), c.m.cfg.StreamsStandbyReplicas)
	}
	for _, a := range as {
		target.members, target.targets = append(target.members, a.id), append(target.targets, a.gets)
	}
	c.write(target)
	if c.m.k.Tracing() {
		c.emit("streams.assign", trace.F("group", g.id), trace.I("epoch", int64(s.epoch)), trace.I("members", int64(len(as))))
	}
}

// reconcile brings a member one step nearer to its target.
func (c *groupCoordinator) reconcile(g *group, m *streamsMate, owned *broker.StreamsTasks) {
	next := g.streams.next(m, owned)
	cur := m.current
	if g.streams.targetEpoch == 0 && cur.epoch == 0 { // there is no assignment yet, but it is a member
		next.epoch = 1
	}
	if next.epoch == cur.epoch && next.state == cur.state && equalTasks(next.assigned, cur.assigned) && equalTasks(next.revoking, cur.revoking) {
		return
	}
	c.write(next)
	g.streams.endpoints++
	if m.revoke != nil {
		m.revoke.Stop()
		m.revoke = nil
	}
	if next.state == streamsUnrevoked {
		c.watchRevocation(g, m)
	}
}

// watchRevocation expels a member that does not give up within its rebalance time-out what it has to.
func (c *groupCoordinator) watchRevocation(g *group, m *streamsMate) {
	epoch := m.current.epoch
	m.revoke = c.m.k.After(m.rebalanceTimeout, func() {
		m.revoke = nil
		if !c.dead && g.streams != nil && g.streams.member(m.member) == m && m.current.epoch == epoch && m.current.state == streamsUnrevoked {
			c.l.batch(func() { c.removeStreams(g, m, "streams.expel") })
		}
	})
}

// watchStreamsSession expels a member of which nothing is heard. There is one timer for a member: it looks again when it fires.
func (c *groupCoordinator) watchStreamsSession(g *group, m *streamsMate) {
	if m.session != nil {
		return
	}
	session := c.m.cfg.StreamsSessionTimeout
	check := func() {
		if c.dead || g.streams == nil || g.streams.member(m.member) != m {
			return
		}
		if left := m.seen.Add(session).Sub(c.m.k.Now()); left > 0 {
			m.session.Reset(left)
			return
		}
		c.l.batch(func() { c.removeStreams(g, m, "streams.expel") })
	}
	m.session = c.m.k.After(session, check)
}

// startStreams takes a streams group up after a failover.
func (c *groupCoordinator) startStreams(g *group) {
	if s := g.streams; s.topology != nil {
		s.configured = configure(s.topology, c.m.topicCounts(topicsOf(s.topology)))
	}
	for _, m := range g.streams.members {
		m.seen = c.m.k.Now()
		c.watchStreamsSession(g, m)
		if m.current.state == streamsUnrevoked {
			c.watchRevocation(g, m)
		}
	}
}

// check validates a commit of a member: it must know its epoch.
func (s *streamsGroup) checkCommit(member string, epoch int32) code {
	m := s.member(member)
	switch {
	case m == nil:
		return codeUnknownMember
	case m.current.epoch != epoch:
		return codeStaleMemberEpoch
	}
	return codeNone
}

// describeStreamsRequest is StreamsGroupDescribe of one group.
type describeStreamsRequest struct{ group string }

type describeStreamsResponse struct {
	code  code
	group broker.StreamsGroupDescription
}

func (b *node) describeStreams(r *describeStreamsRequest, out reply) {
	c := b.groupCoordinator(r.group)
	if c == nil {
		out(&describeStreamsResponse{code: codeNotCoordinator}, smallResponse)
		return
	}
	out(&describeStreamsResponse{group: c.describeStreams(r.group)}, smallResponse)
}

func (c *groupCoordinator) describeStreams(id string) broker.StreamsGroupDescription {
	d := broker.StreamsGroupDescription{Group: id, State: "DEAD"}
	g := c.groups[id]
	if g == nil || g.streams == nil {
		return d
	}
	s := g.streams
	d.State, d.Epoch, d.AssignmentEpoch = s.state(), s.epoch, s.targetEpoch
	if s.topology != nil {
		d.TopologyEpoch = s.topology.Epoch
	}
	for _, m := range s.members {
		d.Members = append(d.Members, broker.StreamsMemberDescription{
			MemberID: m.member, InstanceID: m.instance, ProcessID: m.process, ClientID: m.client, State: m.current.state.String(),
			Epoch: m.current.epoch, Assigned: cloneTasks(m.current.assigned), Target: cloneTasks(m.target),
		})
	}
	return d
}

func cloneTasks(t broker.StreamsTasks) broker.StreamsTasks {
	return broker.StreamsTasks{Active: slices.Clone(t.Active), Standby: slices.Clone(t.Standby), Warmup: slices.Clone(t.Warmup)}
}

// StreamsGroups are all streams groups whose coordinator is up, by name.
func (m *Model) StreamsGroups() []broker.StreamsGroupDescription {
	byName := map[string]broker.StreamsGroupDescription{}
	for _, l := range m.groups {
		if c, ok := l.state.(*groupCoordinator); ok {
			for id, g := range c.groups { // into a map again
				if g.streams != nil {
					byName[id] = c.describeStreams(id)
				}
			}
		}
	}
	out := make([]broker.StreamsGroupDescription, 0, len(byName))
	for _, id := range slices.Sorted(maps.Keys(byName)) {
		out = append(out, byName[id])
	}
	return out
}
