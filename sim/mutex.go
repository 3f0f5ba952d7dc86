package sim

import (
	"sync"
)

// mutex never has to wait, since only one thread runs at a time: it checks that it is not held across a blocking call.
type mutex struct {
	p      *Process
	locked bool
	holder *Thread // nil: an event, or code outside the kernel
}

// NewMutex returns a lock that panics, naming the thread, when a thread blocks or ends while it holds it, when it is locked twice, and
// when it is unlocked by someone who does not hold it. Events may use it too.
func (p *Process) NewMutex() sync.Locker { return &mutex{p: p} }

func (m *mutex) Lock() {
	t := m.p.k.cur
	if m.locked && !m.p.dead.Load() {
		panic(misused("%s locks a mutex that %s holds", who(t), who(m.holder)))
	}
	m.locked, m.holder = true, t
	if t != nil {
		t.held++
	}
}

func (m *mutex) Unlock() {
	t := m.p.k.cur
	if m.p.dead.Load() {
		m.locked = false
		return
	}
	if !m.locked || m.holder != t {
		panic(misused("%s unlocks a mutex that it does not hold", who(t)))
	}
	m.locked, m.holder = false, nil
	if t != nil {
		t.held--
	}
}

func who(t *Thread) string {
	if t == nil {
		return "an event"
	}
	return "thread " + t.label()
}
