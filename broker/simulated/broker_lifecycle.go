package simulated

import (
	"slices"
	"time"
)

// CrashBroker stops a broker at once, as kill -9 does. What it leads moves after Config.BrokerSessionTimeout.
func (m *Model) CrashBroker(id int) {
	b := m.brokers[id-1]
	if !b.up {
		return
	}
	m.emit(b.addr, "broker.crash")
	b.down()
	was := b.incarnation
	m.k.After(m.cfg.BrokerSessionTimeout, func() {
		m.controlled(func() {
			if b.incarnation == was {
				m.fence(b)
			}
		})
	})
}

// down ends a broker's process.
func (b *node) down() {
	b.up = false
	b.incarnation++
	b.m.net.Down(b.addr)
	b.dropSessions()
	for _, l := range b.m.coordinators() {
		if l.set.leader == b.id {
			l.stop()
		}
	}
}

// ShutdownBroker stops a broker as an operator does: first the controller moves what it leads to other in-sync replicas, and takes it
// out of them (controlled shutdown).
func (m *Model) ShutdownBroker(id int) {
	b := m.brokers[id-1]
	was := b.incarnation
	m.controlled(func() {
		if !b.up || b.incarnation != was {
			return
		}
		m.eachReplicaSet(func(s *replicaSet, elect func(int32)) {
			if !slices.Contains(s.replicas, b.id) {
				return
			}
			s.leave(b.id)
			if c := s.candidate(); s.leader == b.id && c != b.id && c >= 0 {
				elect(c)
			}
			s.update()
		})
		m.emit(b.addr, "broker.stop")
		b.down()
		m.fence(b)
	})
}

// RestartBroker brings a stopped broker back with its logs.
func (m *Model) RestartBroker(id int) {
	b := m.brokers[id-1]
	if b.up {
		return
	}
	was := b.incarnation
	m.controlled(func() {
		if b.up || b.incarnation != was {
			return
		}
		m.fence(b)
		b.up = true
		b.incarnation++
		m.emit(b.addr, "broker.start")
		b.listen()
		m.electMissing()
	})
}

// BrokerUp says whether a broker is running.
func (m *Model) BrokerUp(id int) bool { return m.brokers[id-1].up }

// RollingRestart restarts all brokers in turn, each shut down for a while; the next is stopped when every partition that can be is in
// sync again. done is called when the last one is; it may be nil.
func (m *Model) RollingRestart(down time.Duration, done func()) { m.restartFrom(1, down, done) }

const rollingCheck = time.Second

func (m *Model) restartFrom(id int, down time.Duration, done func()) {
	if id > len(m.brokers) {
		if done != nil {
			done()
		}
		return
	}
	m.ShutdownBroker(id)
	m.k.After(down, func() {
		m.RestartBroker(id)
		m.whenInSync(func() { m.restartFrom(id+1, down, done) })
	})
}

// whenInSync calls f once every live replica is in sync.
func (m *Model) whenInSync(f func()) {
	ready := !m.headless
	m.eachReplicaSet(func(s *replicaSet, _ func(int32)) {
		for _, id := range s.replicas {
			ready = ready && (!s.fetches(id) || slices.Contains(s.isr, id))
		}
	})
	if ready {
		f()
		return
	}
	m.k.After(rollingCheck, func() { m.whenInSync(f) })
}
