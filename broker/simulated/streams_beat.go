package simulated

import (
	"fmt"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// newUUID is a name for a member, in the form of a UUID.
func (m *Model) newUUID() string {
	a, b := m.ids.Uint64(), m.ids.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", uint32(a>>32), uint16(a>>16), uint16(a)&0xfff, 0x8000|uint16(b>>48)&0x3fff, b&(1<<48-1))
}

func (m *streamsMember) request() *streamsHeartbeatRequest {
	owned := cloneTasks(m.tasks)
	r := &streamsHeartbeatRequest{
		group: m.cfg.Group, member: m.id, instance: m.cfg.InstanceID, epoch: m.epoch, owned: &owned, offsets: m.offsets, shutdown: m.shutdown,
		endpoints: m.endpointAt,
	}
	if m.epoch == joinEpoch {
		r.process, r.client, r.endpoint, r.tags = m.cfg.ProcessID, m.cfg.ClientID, m.cfg.Endpoint, m.cfg.ClientTags
		r.rebalanceTimeout, r.topology = m.cfg.RebalanceTimeout, &m.cfg.Topology
	}
	return r
}

// beatNow sends a heartbeat at once, or right after the one that is under way.
func (m *streamsMember) beatNow() {
	switch {
	case m.left || m.closed || m.fatal != nil:
	case m.under:
		m.again = true
	default:
		m.send()
	}
}

// beatAfter sends the next heartbeat in a while, if none comes before.
func (m *streamsMember) beatAfter(d time.Duration) {
	if m.beat == nil {
		m.beat = m.c.p.After(d, m.fire)
		return
	}
	m.beat.Reset(d)
}

// fire is the heartbeat's time: unless the owner has not polled for too long, when the member leaves.
func (m *streamsMember) fire() {
	if m.left || m.closed || m.fatal != nil {
		return
	}
	if !m.polling && m.epoch > 0 && m.c.p.Now().Sub(m.lastPoll) > m.cfg.RebalanceTimeout {
		req := m.request()
		req.epoch = leaveEpoch
		if m.cfg.InstanceID != "" {
			req.epoch = leaveStaticEpoch
		}
		m.serial++
		m.under = false
		m.epoch, m.lost, m.target = joinEpoch, true, nil // it joins again when it polls
		m.beatAfter(m.interval)
		m.c.askCoordinator(groupKind, m.cfg.Group, req, func(any, error) {})
		return
	}
	if m.lost {
		m.beatAfter(m.interval) // the owner must know before it joins again
		return
	}
	m.beatNow()
}

func (m *streamsMember) send() {
	m.under, m.again = true, false
	m.serial++
	serial := m.serial
	req := m.request()
	m.offsets = nil
	m.c.askCoordinator(groupKind, m.cfg.Group, req, func(resp any, err error) {
		if serial != m.serial || m.left || m.closed {
			return
		}
		m.under = false
		if err != nil {
			m.retry()
			return
		}
		m.answered(resp.(*streamsHeartbeatResponse))
	})
	m.beatAfter(m.interval)
}

func (m *streamsMember) retry() {
	m.tries++
	m.beatAfter(backoff(m.tries - 1))
}

func (m *streamsMember) answered(r *streamsHeartbeatResponse) {
	switch {
	case r.code.moved() || r.code == codeCoordinatorUnavailable:
		m.c.forgetCoordinator(groupKind, m.cfg.Group)
		m.retry()
	case r.code == codeFencedMemberEpoch, r.code == codeUnknownMember, r.code == codeGroupIDNotFound && m.epoch > 0:
		m.expel()
	case r.code == codeUnreleasedInstance && m.tries < 10: // the one before may be about to leave
		m.retry()
	case r.code != codeNone:
		m.fatal = r.code.err("StreamsGroupHeartbeat", r.text)
		m.sig.wake()
	default:
		m.tries = 0
		m.learnGroup(r)
	}
}

// learnGroup takes over what a heartbeat brought; the owner's thread does the rest.
func (m *streamsMember) learnGroup(r *streamsHeartbeatResponse) {
	m.epoch, m.interval, m.offsetsEvery = r.epoch, r.interval, r.offsetInterval
	m.target = nil
	if !equalTasks(r.tasks, m.tasks) {
		t := cloneTasks(r.tasks)
		m.target = &t
		m.sig.wake()
	}
	if !slices.Equal(r.status, m.status) {
		m.status, m.newStatus = r.status, true
		m.sig.wake()
	}
	if r.endpoints != nil {
		m.endpoints, m.endpointAt = r.endpoints, r.endpointEpoch
	}
	if m.again {
		m.send()
		return
	}
	m.beatAfter(m.interval)
}

// expel notes that the group has this member no more, or not in this epoch: it begins anew when its owner has been told.
func (m *streamsMember) expel() {
	m.serial++
	m.under = false
	m.epoch, m.target, m.lost, m.endpointAt = joinEpoch, nil, true, -1
	m.sig.wake()
	m.beatAfter(retryBackoff)
}

var _ broker.StreamsMember = (*streamsMember)(nil)
