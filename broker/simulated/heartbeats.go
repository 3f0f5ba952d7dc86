package simulated

import (
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

// heartbeats keep one generation's membership alive. Everything that a beat needs is made once: beats allocate nothing here.
type heartbeats struct {
	m      *member
	req    heartbeatRequest
	timer  *sim.Timer
	answer func(resp any, err error)
	under  bool // one is under way
	lastOK time.Time
	addr   string
}

// startHeartbeats begins the heartbeats of the generation that was just joined.
func (m *member) startHeartbeats() {
	if m.beat != nil {
		m.beat.stop()
	}
	h := &heartbeats{
		m: m, lastOK: m.c.p.Now(),
		req: heartbeatRequest{group: m.cfg.Group, member: m.id, instance: m.cfg.InstanceID, generation: m.gen},
	}
	h.answer = h.answered
	h.timer = m.c.p.After(m.cfg.HeartbeatInterval, h.fire)
	m.beat = h
}

func (h *heartbeats) stop() { h.timer.Stop() }

// fire sends a heartbeat, unless the owner has not polled for too long: then the member leaves.
func (h *heartbeats) fire() {
	m := h.m
	if m.beat != h {
		return
	}
	now := m.c.p.Now()
	if !m.polling && now.Sub(m.lastPoll) > m.cfg.RebalanceTimeout {
		m.pollTooLate()
		return
	}
	h.timer.Reset(m.cfg.HeartbeatInterval)
	if now.Sub(h.lastOK) > m.cfg.SessionTimeout {
		h.lastOK = now
		h.addr, h.under = "", false
		m.c.forgetCoordinator(groupKind, m.cfg.Group)
	}
	if h.under {
		return
	}
	h.under = true
	if h.addr == "" {
		m.c.coordinator(groupKind, m.cfg.Group, h.found)
		return
	}
	h.send()
}

func (h *heartbeats) found(addr string) {
	h.addr = addr
	if addr == "" || h.m.beat != h {
		h.under = false
		return
	}
	h.send()
}

func (h *heartbeats) send() {
	h.m.c.net.CallAsync(h.m.c.p, h.addr, &h.req, smallResponse, h.answer)
}

func (h *heartbeats) answered(resp any, err error) {
	h.under = false
	m := h.m
	if m.beat != h {
		return
	}
	if err != nil {
		h.moved()
		return
	}
	switch c := resp.(*heartbeatResponse).code; c {
	case codeNone:
		h.lastOK = m.c.p.Now()
	case codeRebalanceInProgress:
		h.lastOK = m.c.p.Now()
		if m.phase == memberIdle && !m.needJoin {
			m.needJoin = true
			m.sig.wake()
		}
	case codeNotCoordinator, codeCoordinatorUnavailable:
		h.moved()
	case codeUnknownMember, codeIllegalGeneration:
		if c == codeUnknownMember || m.phase != memberJoining {
			m.expel(c == codeUnknownMember)
		}
	default:
		m.fail(c.err("Heartbeat", m.cfg.Group))
	}
}

// moved looks for the coordinator again, soon.
func (h *heartbeats) moved() {
	h.addr = ""
	h.m.c.forgetCoordinator(groupKind, h.m.cfg.Group)
	h.timer.Reset(min(retryBackoff, h.m.cfg.HeartbeatInterval))
}

// pollTooLate is max.poll.interval.ms: the member leaves (a static one only falls silent), and its owner finds out in its next Poll.
func (m *member) pollTooLate() {
	id := m.id
	m.expel(m.cfg.InstanceID == "")
	if m.cfg.InstanceID == "" {
		m.c.askCoordinator(groupKind, m.cfg.Group, &leaveGroupRequest{group: m.cfg.Group, member: id}, func(any, error) {})
	}
}
