package simulated

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// offsetFetchRequest is OffsetFetch; nil asks for all partitions.
type offsetFetchRequest struct {
	group         string
	tps           []broker.TopicPartition
	requireStable bool
}

// offsetFetchResponse has the partitions with a committed offset only, in the order of the request.
type offsetFetchResponse struct {
	code    code
	tps     []broker.TopicPartition
	offsets []broker.OffsetAndMetadata
}

func (b *node) offsetFetch(r *offsetFetchRequest, out reply) {
	c := b.groupCoordinator(r.group)
	if c == nil {
		out(&offsetFetchResponse{code: codeNotCoordinator}, smallResponse)
		return
	}
	resp := c.fetchOffsets(r)
	c.l.read(func(e code) {
		if e != codeNone {
			resp = &offsetFetchResponse{code: e}
		}
		out(resp, smallResponse+32*len(resp.tps))
	})
}

func (c *groupCoordinator) fetchOffsets(r *offsetFetchRequest) *offsetFetchResponse {
	resp := &offsetFetchResponse{}
	g := c.groups[r.group]
	if g == nil {
		return resp
	}
	tps := r.tps
	if tps == nil {
		tps = g.offsetTPs
	}
	for _, tp := range tps {
		o := g.offsets[tp]
		if o == nil {
			continue
		}
		if r.requireStable && len(o.pending) > 0 {
			return &offsetFetchResponse{code: codeUnstableOffsetCommit}
		}
		if o.has {
			resp.tps, resp.offsets = append(resp.tps, tp), append(resp.offsets, o.value)
		}
	}
	return resp
}

// describeGroupRequest is DescribeGroups of one group.
type describeGroupRequest struct{ group string }

type describeGroupResponse struct {
	code  code
	group broker.GroupDescription
}

func (b *node) describeGroup(r *describeGroupRequest, out reply) {
	c := b.groupCoordinator(r.group)
	if c == nil {
		out(&describeGroupResponse{code: codeNotCoordinator}, smallResponse)
		return
	}
	out(&describeGroupResponse{group: c.describe(r.group)}, smallResponse)
}

func (c *groupCoordinator) describe(id string) broker.GroupDescription {
	d := broker.GroupDescription{Group: id, State: groupDead.String()}
	g := c.groups[id]
	if g == nil || g.streams != nil && !g.empty() {
		return d // a streams group is not for this request
	}
	d.State, d.Protocol = g.state.String(), g.protocol
	for _, m := range g.members {
		md := broker.MemberDescription{MemberID: m.id, InstanceID: m.instance, ClientID: m.client}
		if a, ok := m.assignment.(*broker.Assignment); ok {
			md.Assigned = slices.Clone(a.Partitions)
		}
		d.Members = append(d.Members, md)
	}
	return d
}

// deleteGroupRequest is DeleteGroups of one group.
type deleteGroupRequest struct{ group string }

type deleteGroupResponse struct{ code code }

func (b *node) deleteGroup(r *deleteGroupRequest, out reply) {
	answer := func(e code) { out(&deleteGroupResponse{e}, smallResponse) }
	c := b.groupCoordinator(r.group)
	if c == nil {
		answer(codeNotCoordinator)
		return
	}
	g := c.groups[r.group]
	switch {
	case g == nil:
		answer(codeGroupIDNotFound)
		return
	case !g.empty() || len(g.members) > 0:
		answer(codeNonEmptyGroup)
		return
	}
	c.l.write(answer, groupRecord{group: g.id, gone: true})
}
