package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// prepareRebalance begins the join phase, if it has not begun, and ends it when everybody is there.
func (c *groupCoordinator) prepareRebalance(g *group, m *groupMember, why string) {
	if m != nil && why != "leave" {
		c.emitMember("group."+why, g, m)
	}
	if g.state != groupPreparing {
		c.beginJoin(g)
	}
	c.maybeCompleteJoin(g)
}

func (c *groupCoordinator) beginJoin(g *group) {
	if g.state == groupCompleting {
		for _, m := range g.members {
			m.assignment = nil
			m.answerSync(&syncGroupResponse{code: codeRebalanceInProgress})
		}
	}
	wasEmpty := g.state == groupEmpty
	g.state = groupPreparing
	if g.rebalance != nil {
		g.rebalance.Stop()
		g.rebalance = nil
	}
	delay := c.m.cfg.GroupInitialRebalanceDelay
	if g.initial = wasEmpty && delay > 0; g.initial {
		g.joinUntil = c.m.k.Now().Add(g.rebalanceTimeout())
		g.newMembers = false
		c.delayJoin(g, delay)
		return
	}
	g.rebalance = c.m.k.After(g.rebalanceTimeout(), func() {
		if !c.dead && g.state == groupPreparing {
			c.completeJoin(g)
		}
	})
}

// delayJoin holds a new group's first rebalance back for the initial delay, and again for each delay in which someone came.
func (c *groupCoordinator) delayJoin(g *group, delay time.Duration) {
	left := g.joinUntil.Sub(c.m.k.Now())
	g.rebalance = c.m.k.After(min(delay, left), func() {
		switch {
		case c.dead || g.state != groupPreparing:
		case g.newMembers && c.m.k.Now().Before(g.joinUntil):
			g.newMembers = false
			c.delayJoin(g, delay)
		default:
			c.completeJoin(g)
		}
	})
}

func (c *groupCoordinator) maybeCompleteJoin(g *group) {
	if g.state != groupPreparing || g.initial || len(g.pending) > 0 {
		return
	}
	for _, m := range g.members {
		if m.joining == nil {
			return
		}
	}
	c.completeJoin(g)
}

// completeJoin ends the join phase: who has not come back is out (a static member stays until its session ends), and those who
// have get the new generation.
func (c *groupCoordinator) completeJoin(g *group) {
	if g.rebalance != nil {
		g.rebalance.Stop()
		g.rebalance = nil
	}
	g.initial = false
	for _, m := range slices.Clone(g.members) {
		if m.joining == nil && m.instance == "" {
			c.emitMember("group.expel", g, m)
			g.removeMember(m)
		}
	}
	if len(g.members) == 0 {
		g.generation++
		c.becomeEmpty(g)
		return
	}
	if lead := g.member(g.leader); lead == nil || lead.joining == nil {
		g.electLeader()
	}
	if g.member(g.leader).joining == nil { // nobody but absent static members: wait for one
		g.rebalance = c.m.k.After(g.rebalanceTimeout(), func() { c.retryJoin(g) })
		return
	}
	g.generation++
	g.protocol = g.choose()
	g.state = groupCompleting
	if c.m.k.Tracing() {
		c.emit("group.rebalance", trace.F("group", g.id), trace.I("generation", int64(g.generation)), trace.I("members", int64(len(g.members))))
	}
	g.rebalance = c.m.k.After(g.rebalanceTimeout(), func() { c.expireSync(g) })
	for _, m := range g.members {
		m.seen = c.m.k.Now()
		m.answerJoin(g.joined(m))
	}
}

func (c *groupCoordinator) retryJoin(g *group) {
	g.rebalance = nil
	if !c.dead && g.state == groupPreparing {
		c.completeJoin(g)
	}
}

func (g *group) electLeader() {
	for _, m := range g.members {
		if m.joining != nil {
			g.leader = m.id
			return
		}
	}
}

func (c *groupCoordinator) becomeEmpty(g *group) {
	g.protocol, g.leader, g.emptySince = "", "", c.m.k.Now()
	c.l.write(func(code) {}, g.record(func(m *groupMember) any { return nil }))
	c.watchOffsets(g)
}

// expireSync expels those who did not come to the sync phase, and has the others join again.
func (c *groupCoordinator) expireSync(g *group) {
	if c.dead || g.state != groupCompleting {
		return
	}
	g.rebalance = nil
	for _, m := range slices.Clone(g.members) {
		if m.syncing == nil {
			c.emitMember("group.expel", g, m)
			g.removeMember(m)
		}
	}
	if len(g.members) == 0 {
		g.generation++
		c.becomeEmpty(g)
		return
	}
	c.prepareRebalance(g, nil, "sync")
}

// alive notes a sign of life and sees to it that a timer looks for the next.
func (c *groupCoordinator) alive(g *group, m *groupMember) {
	m.seen = c.m.k.Now()
	if m.session == nil {
		c.watchSession(g, m)
	}
}

func (c *groupCoordinator) watchSession(g *group, m *groupMember) {
	check := func() {
		if c.dead || g.member(m.id) != m {
			return
		}
		now := c.m.k.Now()
		due := m.seen.Add(m.sessionTimeout)
		if m.joining != nil || m.syncing != nil { // it waits for us
			due = now.Add(m.sessionTimeout)
		}
		if now.Before(due) {
			m.session.Reset(due.Sub(now))
			return
		}
		c.expel(g, m)
	}
	m.session = c.m.k.After(m.sessionTimeout, check)
}

// expel removes a member whose session has ended.
func (c *groupCoordinator) expel(g *group, m *groupMember) {
	c.emitMember("group.expel", g, m)
	c.removeMember(g, m)
}

// removeMember takes a member out and lets the others share again.
func (c *groupCoordinator) removeMember(g *group, m *groupMember) {
	m.answerJoin(&joinGroupResponse{code: codeUnknownMember})
	m.answerSync(&syncGroupResponse{code: codeUnknownMember})
	g.removeMember(m)
	switch g.state {
	case groupStable, groupCompleting:
		c.beginJoin(g)
		c.maybeCompleteJoin(g)
	case groupPreparing:
		c.maybeCompleteJoin(g)
	}
}

// ForceRebalance makes a stable group share again; a streams group begins a new epoch. It says whether there was one.
func (m *Model) ForceRebalance(groupID string) bool {
	c, ok := m.groupLog(groupID).state.(*groupCoordinator)
	if !ok || c.groups[groupID] == nil {
		return false
	}
	if g := c.groups[groupID]; g.streams != nil && !g.empty() {
		c.bumpStreams(g)
		return true
	}
	if c.groups[groupID].state != groupStable {
		return false
	}
	c.prepareRebalance(c.groups[groupID], nil, "force")
	return true
}

// ExpireSession ends a member's session now, as if its heartbeats had failed to come. It says whether there was such a member.
func (m *Model) ExpireSession(groupID, member string) bool {
	c, ok := m.groupLog(groupID).state.(*groupCoordinator)
	if !ok || c.groups[groupID] == nil {
		return false
	}
	g := c.groups[groupID]
	if g.streams != nil {
		m := g.streams.member(member)
		if m != nil {
			c.l.batch(func() { c.removeStreams(g, m, "streams.expel") })
		}
		return m != nil
	}
	mem := g.member(member)
	if mem == nil {
		return false
	}
	c.expel(g, mem)
	return true
}
