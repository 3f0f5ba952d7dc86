package simulated

import (
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// syncGroupRequest is SyncGroup; only the leader's has assignments.
type syncGroupRequest struct {
	group, member, instance string
	generation              int32
	assignments             map[string]any
}

type syncGroupResponse struct {
	code       code
	assignment any
}

func (b *node) syncGroup(r *syncGroupRequest, out reply) {
	answer := func(resp *syncGroupResponse) { out(resp, smallResponse) }
	c := b.groupCoordinator(r.group)
	if c == nil {
		answer(&syncGroupResponse{code: codeNotCoordinator})
		return
	}
	g := c.groups[r.group]
	if g == nil {
		answer(&syncGroupResponse{code: codeUnknownMember})
		return
	}
	if e := g.check(r.member, r.instance, r.generation); e != codeNone {
		answer(&syncGroupResponse{code: e})
		return
	}
	c.sync(g, g.member(r.member), r, answer)
}

func (c *groupCoordinator) sync(g *group, m *groupMember, r *syncGroupRequest, answer func(*syncGroupResponse)) {
	c.alive(g, m)
	switch g.state {
	case groupPreparing:
		answer(&syncGroupResponse{code: codeRebalanceInProgress})
	case groupStable:
		c.l.read(func(e code) { answer(&syncGroupResponse{e, m.assignment}) })
	case groupCompleting:
		m.answerSync(&syncGroupResponse{code: codeRebalanceInProgress}) // a second request of one member
		m.syncing = answer
		if m.id == g.leader {
			c.assign(g, r.assignments)
		}
	default:
		answer(&syncGroupResponse{code: codeUnknownMember})
	}
}

// assign takes the leader's word: the group is stable once it is in the log.
func (c *groupCoordinator) assign(g *group, assignments map[string]any) {
	if g.rebalance != nil {
		g.rebalance.Stop()
		g.rebalance = nil
	}
	generation := g.generation
	c.l.write(func(e code) {
		if g.generation != generation || g.state != groupStable {
			e = codeRebalanceInProgress
		}
		if e == codeNone && c.m.k.Tracing() {
			c.emit("group.assign", trace.F("group", g.id), trace.I("generation", int64(generation)))
		}
		for _, m := range g.members {
			if e == codeNone {
				m.answerSync(&syncGroupResponse{codeNone, m.assignment})
			} else {
				m.answerSync(&syncGroupResponse{code: e})
			}
		}
	}, g.record(func(m *groupMember) any { return assignments[m.id] }))
}
