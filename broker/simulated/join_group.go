package simulated

import (
	"fmt"
	"slices"
	"time"
)

// joinGroupRequest is JoinGroup.
type joinGroupRequest struct {
	group, member, instance, client string
	protocolType                    string
	protocols                       []groupProtocol
	sessionTimeout                  time.Duration
	rebalanceTimeout                time.Duration
}

// joinGroupResponse names the members to the leader only.
type joinGroupResponse struct {
	code           code
	member         string
	generation     int32
	protocol       string
	leader         string
	members        []joinedMember // sorted by id
	skipAssignment bool           // the leader of an unchanged group of static members: nothing to assign
}

type joinedMember struct {
	id, instance string
	metadata     any
}

func (b *node) joinGroup(r *joinGroupRequest, out reply) {
	answer := func(resp *joinGroupResponse) { out(resp, smallResponse+64*len(resp.members)) }
	c := b.groupCoordinator(r.group)
	switch {
	case c == nil:
		answer(&joinGroupResponse{code: codeNotCoordinator})
	case r.sessionTimeout < b.m.cfg.GroupMinSessionTimeout || r.sessionTimeout > b.m.cfg.GroupMaxSessionTimeout:
		answer(&joinGroupResponse{code: codeInvalidSessionTimeout})
	default:
		c.join(r, answer)
	}
}

func (c *groupCoordinator) join(r *joinGroupRequest, answer func(*joinGroupResponse)) {
	g := c.groups[r.group]
	if g == nil {
		if r.member != "" {
			answer(&joinGroupResponse{code: codeUnknownMember})
			return
		}
		g = c.group(r.group)
	}
	m := g.member(r.member)
	if g.streams != nil {
		if !g.empty() {
			answer(&joinGroupResponse{code: codeInconsistentProtocol})
			return
		}
		c.write(streamsEpochRecord{group: g.id, gone: true}) // it is a classic group again
	}
	switch {
	case c.m.cfg.GroupMaxSize > 0 && m == nil && len(g.members)+len(g.pending) >= c.m.cfg.GroupMaxSize && !slices.Contains(g.pending, r.member):
		answer(&joinGroupResponse{code: codeGroupMaxSize})
	case !g.supports(r.protocolType, r.protocols, m) && g.state != groupEmpty:
		answer(&joinGroupResponse{code: codeInconsistentProtocol})
	case r.member == "" && r.instance != "":
		c.joinStatic(g, r, answer)
	case r.member == "":
		// KIP-394: the id first, so that a lost reply leaves no member behind.
		id := c.newMemberID(r.client)
		g.pending = append(g.pending, id)
		c.m.k.After(r.sessionTimeout, func() { c.dropPending(g, id) })
		answer(&joinGroupResponse{code: codeMemberIDRequired, member: id})
	case r.instance != "" && g.staticID(r.instance) == "":
		answer(&joinGroupResponse{code: codeUnknownMember})
	case r.instance != "" && g.staticID(r.instance) != r.member:
		answer(&joinGroupResponse{code: codeFencedInstance})
	case m == nil && slices.Contains(g.pending, r.member):
		g.pending = slices.DeleteFunc(g.pending, func(id string) bool { return id == r.member })
		c.addMember(g, r.member, r, answer)
	case m == nil:
		answer(&joinGroupResponse{code: codeUnknownMember})
	default:
		c.rejoin(g, m, r, answer)
	}
}

func (c *groupCoordinator) newMemberID(client string) string {
	a, b := c.m.ids.Uint64(), c.m.ids.Uint64()
	return fmt.Sprintf("%s-%08x-%04x-%04x-%04x-%012x", client, uint32(a>>32), uint16(a>>16), uint16(a), uint16(b>>48), b&(1<<48-1))
}

// dropPending forgets a member id that was handed out and never used; a rebalance may have waited for it.
func (c *groupCoordinator) dropPending(g *group, id string) {
	if i := slices.Index(g.pending, id); i >= 0 && !c.dead {
		g.pending = slices.Delete(g.pending, i, i+1)
		c.maybeCompleteJoin(g)
	}
}

// joinStatic lets a static member in without an id: a new one, or the next incarnation of an old one, which fences that.
func (c *groupCoordinator) joinStatic(g *group, r *joinGroupRequest, answer func(*joinGroupResponse)) {
	id := c.newMemberID(r.instance)
	old := g.member(g.staticID(r.instance))
	if old == nil {
		c.addMember(g, id, r, answer)
		return
	}
	old.answerJoin(&joinGroupResponse{code: codeFencedInstance})
	old.answerSync(&syncGroupResponse{code: codeFencedInstance})
	wasLeader := g.leader == old.id
	g.removeMember(old)
	m := r.newMember(id)
	m.assignment = old.assignment
	g.addMember(m)
	if wasLeader {
		g.leader = id
	}
	c.alive(g, m)
	if g.state == groupStable && g.choose() == g.protocol {
		// The old assignment stands, whatever the subscription says: no rebalance. The record says who the member is now.
		c.l.write(func(e code) {
			resp := g.joined(m)
			resp.code = e
			resp.skipAssignment = wasLeader
			answer(resp)
		}, g.record(func(m *groupMember) any { return m.assignment }))
		return
	}
	m.joining = answer
	c.prepareRebalance(g, m, "join")
}

func (r *joinGroupRequest) newMember(id string) *groupMember {
	return &groupMember{
		id: id, instance: r.instance, client: r.client, host: r.client, protocols: r.protocols,
		sessionTimeout: r.sessionTimeout, rebalanceTimeout: r.rebalanceTimeout,
	}
}

func (c *groupCoordinator) addMember(g *group, id string, r *joinGroupRequest, answer func(*joinGroupResponse)) {
	m := r.newMember(id)
	m.joining = answer
	if len(g.members) == 0 {
		g.protocolType = r.protocolType
	}
	g.addMember(m)
	g.newMembers = true
	c.alive(g, m)
	c.prepareRebalance(g, m, "join")
}

// rejoin is a JoinGroup of a member. It starts a rebalance when the member is the leader or offers something else; otherwise its
// reply to an earlier one was lost, and it gets it again.
func (c *groupCoordinator) rejoin(g *group, m *groupMember, r *joinGroupRequest, answer func(*joinGroupResponse)) {
	same := sameProtocols(m.protocols, r.protocols)
	if same && (g.state == groupCompleting || g.state == groupStable && m.id != g.leader) {
		c.alive(g, m)
		answer(g.joined(m))
		return
	}
	m.protocols, m.sessionTimeout, m.rebalanceTimeout = r.protocols, r.sessionTimeout, r.rebalanceTimeout
	m.answerJoin(&joinGroupResponse{code: codeUnknownMember}) // a second request of one member: the first reply is of no use
	m.joining = answer
	c.alive(g, m)
	c.prepareRebalance(g, m, "rejoin")
}

// sameProtocols compares what a member offers. Metadata are compared as the client made them.
func sameProtocols(a, b []groupProtocol) bool {
	return slices.EqualFunc(a, b, func(p, q groupProtocol) bool {
		s, ok1 := p.metadata.(*subscription)
		t, ok2 := q.metadata.(*subscription)
		return p.name == q.name && ok1 && ok2 && s.equal(t)
	})
}

// joined is the answer to a member in the present generation.
func (g *group) joined(m *groupMember) *joinGroupResponse {
	resp := &joinGroupResponse{member: m.id, generation: g.generation, protocol: g.protocol, leader: g.leader}
	if m.id == g.leader {
		for _, o := range g.members {
			j := joinedMember{id: o.id, instance: o.instance}
			if p := o.offer(g.protocol); p != nil {
				j.metadata = p.metadata
			}
			resp.members = append(resp.members, j)
		}
	}
	return resp
}

func (m *groupMember) answerJoin(resp *joinGroupResponse) {
	if f := m.joining; f != nil {
		m.joining = nil
		f(resp)
	}
}

func (m *groupMember) answerSync(resp *syncGroupResponse) {
	if f := m.syncing; f != nil {
		m.syncing = nil
		f(resp)
	}
}
