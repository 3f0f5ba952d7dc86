package simulated

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// groupCoordinator is the coordinator of the groups of one partition of __consumer_offsets.
type groupCoordinator struct {
	m      *Model
	l      *coordinatorLog
	groups map[string]*group
	place  int64 // counts offset records
	dead   bool
}

func newGroupCoordinator(l *coordinatorLog) coordinator {
	return &groupCoordinator{m: l.m, l: l, groups: map[string]*group{}}
}

// groupRecord is a group's membership as of the end of a rebalance, or of its last member's leaving; with gone, its end.
type groupRecord struct {
	group        string
	gone         bool
	generation   int32
	protocolType string
	protocol     string
	leader       string
	members      []memberRecord
	emptySince   time.Time
}

type memberRecord struct {
	id, instance, client, host       string
	protocols                        []groupProtocol
	sessionTimeout, rebalanceTimeout time.Duration
	assignment                       any
}

// offsetRecord is one committed position; with a producer it is pending until the transaction's marker; gone removes the position.
type offsetRecord struct {
	group    string
	tp       broker.TopicPartition
	value    broker.OffsetAndMetadata
	at       time.Time
	producer int64
	epoch    int16
	gone     bool
}

// offsetMarkerRecord ends a transaction on this partition.
type offsetMarkerRecord struct {
	producer int64
	epoch    int16
	commit   bool
	own      bool // the epoch is the transaction's own
}

func (c *groupCoordinator) replay(record any) {
	if c.replayStreams(record) {
		return
	}
	switch r := record.(type) {
	case groupRecord:
		c.replayGroup(&r)
	case offsetRecord:
		c.replayOffset(&r)
	case offsetMarkerRecord:
		c.replayMarker(&r)
	}
}

// group returns a group, made when it is missing.
func (c *groupCoordinator) group(id string) *group {
	g := c.groups[id]
	if g == nil {
		g = &group{id: id, offsets: map[broker.TopicPartition]*committedOffset{}, emptySince: c.m.k.Now()}
		c.groups[id] = g
	}
	return g
}

// replayGroup at a running coordinator confirms what is there already; at a new one it restores the members.
func (c *groupCoordinator) replayGroup(r *groupRecord) {
	if r.gone {
		delete(c.groups, r.group)
		return
	}
	g := c.group(r.group)
	g.persisted = r
	g.generation, g.protocolType, g.protocol, g.leader, g.emptySince = r.generation, r.protocolType, r.protocol, r.leader, r.emptySince
	old := g.members
	g.members, g.statics = nil, nil
	for i := range r.members {
		m := r.members[i].member()
		if j := slices.IndexFunc(old, func(o *groupMember) bool { return o.id == m.id }); j >= 0 {
			old[j].assignment = m.assignment
			m = old[j]
		}
		g.addMember(m)
	}
	g.state = groupEmpty
	if len(g.members) > 0 {
		g.state = groupStable
	}
}

func (r *memberRecord) member() *groupMember {
	return &groupMember{
		id: r.id, instance: r.instance, client: r.client, host: r.host, protocols: r.protocols,
		sessionTimeout: r.sessionTimeout, rebalanceTimeout: r.rebalanceTimeout, assignment: r.assignment,
	}
}

// record is the group's membership as it would be with these assignments.
func (g *group) record(assign func(m *groupMember) any) groupRecord {
	r := groupRecord{
		group: g.id, generation: g.generation, protocolType: g.protocolType, protocol: g.protocol, leader: g.leader, emptySince: g.emptySince,
	}
	for _, m := range g.members {
		r.members = append(r.members, memberRecord{
			m.id, m.instance, m.client, m.host, m.protocols, m.sessionTimeout, m.rebalanceTimeout, assign(m),
		})
	}
	return r
}

func (c *groupCoordinator) replayOffset(r *offsetRecord) {
	if r.gone {
		if g := c.groups[r.group]; g != nil {
			g.dropOffset(r.tp)
		}
		return
	}
	c.place++
	o := c.group(r.group).offset(r.tp)
	if r.producer == noProducer {
		o.has, o.value, o.at, o.place = true, r.value, r.at, c.place
		return
	}
	p := pendingOffset{r.producer, r.epoch, r.value, r.at, c.place}
	if i := slices.IndexFunc(o.pending, func(q pendingOffset) bool { return q.producer == r.producer }); i >= 0 {
		o.pending[i] = p
		return
	}
	o.pending = append(o.pending, p)
}

func (c *groupCoordinator) replayMarker(r *offsetMarkerRecord) {
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		for _, tp := range slices.Clone(g.offsetTPs) {
			o := g.offsets[tp]
			i := slices.IndexFunc(o.pending, func(q pendingOffset) bool {
				return q.producer == r.producer && (q.epoch < r.epoch || r.own && q.epoch == r.epoch)
			})
			if i < 0 {
				continue
			}
			p := o.pending[i]
			o.pending = slices.Delete(o.pending, i, i+1)
			switch {
			case r.commit && (!o.has || o.place < p.place):
				o.has, o.value, o.at, o.place = true, p.value, p.at, p.place
			case !o.has && len(o.pending) == 0:
				g.dropOffset(tp)
			}
		}
	}
}

func (c *groupCoordinator) snapshot() []any {
	var out []any
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		if g.persisted != nil {
			out = append(out, *g.persisted)
		}
		if g.streams != nil {
			out = append(out, g.streams.records(id)...)
		}
		for _, tp := range g.offsetTPs {
			o := g.offsets[tp]
			out = append(out, o.records(id, tp)...)
		}
	}
	return out
}

// records are those of one partition's offsets, in the order in which they were written.
func (o *committedOffset) records(group string, tp broker.TopicPartition) []any {
	var out []any
	committed := offsetRecord{group: group, tp: tp, value: o.value, at: o.at, producer: noProducer}
	written := !o.has
	for _, p := range slices.SortedFunc(slices.Values(o.pending), func(a, b pendingOffset) int { return cmp.Compare(a.place, b.place) }) {
		if !written && o.place < p.place {
			out, written = append(out, committed), true
		}
		out = append(out, offsetRecord{group: group, tp: tp, value: p.value, at: p.at, producer: p.producer, epoch: p.epoch})
	}
	if !written {
		out = append(out, committed)
	}
	return out
}

func (c *groupCoordinator) start() {
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		for _, m := range g.members {
			c.alive(g, m)
		}
		if g.streams != nil {
			c.startStreams(g)
		}
		c.watchOffsets(g)
	}
}

func (c *groupCoordinator) stop() {
	c.dead = true
	for _, id := range slices.Sorted(maps.Keys(c.groups)) {
		g := c.groups[id]
		for _, m := range g.members {
			m.answerJoin(&joinGroupResponse{code: codeNotCoordinator})
			m.answerSync(&syncGroupResponse{code: codeNotCoordinator})
		}
	}
}

// writeMarker ends a transaction's pending offsets.
func (c *groupCoordinator) writeMarker(msg *markerMessage, done func(code)) {
	c.l.write(done, offsetMarkerRecord{msg.producer, msg.epoch, msg.marker == commitMarker, msg.own})
}

// groupCoordinator returns the coordinator of a group if this broker is it, otherwise nil.
func (b *node) groupCoordinator(group string) *groupCoordinator {
	l := b.m.groupLog(group)
	if !l.active(b.id) {
		return nil
	}
	return l.state.(*groupCoordinator)
}

func (c *groupCoordinator) emit(kind string, fields ...trace.Field) {
	if !c.dead && c.m.k.Tracing() {
		c.l.node().emit(kind, fields...)
	}
}

func (c *groupCoordinator) emitMember(kind string, g *group, m *groupMember) {
	if c.m.k.Tracing() {
		c.emit(kind, trace.F("group", g.id), trace.F("member", m.id), trace.F("client", m.client))
	}
}

// forgetOffsets removes all groups' offsets of a deleted topic.
func (m *Model) forgetOffsets(topic string) {
	for _, l := range m.groups {
		c, ok := l.state.(*groupCoordinator)
		if !ok {
			continue
		}
		var gone []any
		for _, id := range slices.Sorted(maps.Keys(c.groups)) {
			for _, tp := range c.groups[id].offsetTPs {
				if tp.Topic == topic {
					gone = append(gone, offsetRecord{group: id, tp: tp, gone: true})
				}
			}
		}
		if len(gone) > 0 {
			l.write(func(code) {}, gone...)
		}
	}
}

// watchOffsets lets the offsets of an empty group expire.
func (c *groupCoordinator) watchOffsets(g *group) {
	keep := c.m.cfg.OffsetsRetention
	if keep < 0 || g.expiry != nil || !g.empty() || len(g.offsetTPs) == 0 {
		return
	}
	due := g.lastUse().Add(keep)
	if soon := c.m.k.Now().Add(time.Minute); due.Before(soon) {
		due = soon
	}
	g.expiry = c.m.k.At(due, func() {
		g.expiry = nil
		if c.dead || !g.empty() || c.groups[g.id] != g {
			return
		}
		c.expireOffsets(g, c.m.k.Now().Add(-keep))
		c.watchOffsets(g)
	})
}

// lastUse is the earliest time from which an offset's retention counts.
func (g *group) lastUse() time.Time {
	t := g.emptySince
	for i, tp := range g.offsetTPs {
		at := g.offsets[tp].at
		if at.Before(g.emptySince) {
			at = g.emptySince
		}
		if i == 0 || at.Before(t) {
			t = at
		}
	}
	return t
}

func (c *groupCoordinator) expireOffsets(g *group, before time.Time) {
	var gone []any
	for _, tp := range g.offsetTPs {
		if o := g.offsets[tp]; len(o.pending) == 0 && !o.at.After(before) && !g.emptySince.After(before) {
			gone = append(gone, offsetRecord{group: g.id, tp: tp, gone: true})
		}
	}
	if len(gone) == len(g.offsetTPs) {
		gone = append(gone, groupRecord{group: g.id, gone: true})
	}
	if len(gone) > 0 {
		c.l.write(func(code) {}, gone...)
	}
}
