package simulated

// heartbeatRequest is Heartbeat. A member sends the same one again and again; the broker keeps nothing of it.
type heartbeatRequest struct {
	group, member, instance string
	generation              int32
}

// heartbeatResponse has one value for each code, so that a heartbeat allocates nothing.
type heartbeatResponse struct{ code code }

var heartbeatResponses = func() map[code]*heartbeatResponse {
	out := map[code]*heartbeatResponse{}
	for _, c := range []code{
		codeNone, codeNotCoordinator, codeUnknownMember, codeIllegalGeneration, codeFencedInstance, codeRebalanceInProgress,
	} {
		out[c] = &heartbeatResponse{c}
	}
	return out
}()

var heartbeatOK = heartbeatResponses[codeNone]

func (b *node) heartbeat(r *heartbeatRequest, out reply) {
	c := b.groupCoordinator(r.group)
	if c == nil {
		out(heartbeatResponses[codeNotCoordinator], smallResponse)
		return
	}
	g := c.groups[r.group]
	if g == nil {
		out(heartbeatResponses[codeUnknownMember], smallResponse)
		return
	}
	m := g.member(r.member)
	if m == nil || r.instance != "" || r.generation != g.generation {
		if e := g.check(r.member, r.instance, r.generation); e != codeNone {
			out(heartbeatResponses[e], smallResponse)
			return
		}
	}
	m.seen = b.m.k.Now()
	if g.state == groupPreparing {
		out(heartbeatResponses[codeRebalanceInProgress], smallResponse)
		return
	}
	out(heartbeatOK, smallResponse)
}

// leaveGroupRequest is LeaveGroup of one member; a static one may be named by its instance id alone.
type leaveGroupRequest struct {
	group, member, instance string
}

type leaveGroupResponse struct{ code code }

// leaveGroup answers when what the leave has changed is replicated: an empty group is written.
func (b *node) leaveGroup(r *leaveGroupRequest, out reply) {
	answer := func(e code) { out(&leaveGroupResponse{e}, smallResponse) }
	if e := b.leave(r); e != codeNone {
		answer(e)
		return
	}
	b.groupCoordinator(r.group).l.read(answer)
}

func (b *node) leave(r *leaveGroupRequest) code {
	c := b.groupCoordinator(r.group)
	if c == nil {
		return codeNotCoordinator
	}
	g := c.groups[r.group]
	if g == nil {
		return codeUnknownMember
	}
	id := r.member
	if r.instance != "" {
		switch known := g.staticID(r.instance); {
		case known == "":
			return codeUnknownMember
		case id != "" && id != known:
			return codeFencedInstance
		default:
			id = known
		}
	}
	m := g.member(id)
	if m == nil {
		c.dropPending(g, id)
		return codeUnknownMember
	}
	c.emitMember("group.leave", g, m)
	c.removeMember(g, m)
	return codeNone
}
