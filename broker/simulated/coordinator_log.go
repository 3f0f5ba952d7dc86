package simulated

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/broker"
)

// coordinatorLog is one partition of an internal topic and the coordinator on it. Records are values of the coordinator's own
// kinds. Now and then the log is replaced by a snapshot of the state, as compaction does for Kafka.
type coordinatorLog struct {
	m       *Model
	tp      broker.TopicPartition
	set     *replicaSet
	base    int64 // records that went into the snapshot
	records []any // the snapshot, then what came after
	kept    int   // records of the snapshot
	holding bool  // a batch is being gathered
	held    int   // its records so far
	state   coordinator
	fresh   func(*coordinatorLog) coordinator
}

// coordinator is the state machine on a coordinatorLog.
type coordinator interface {
	// replay applies a record. It does nothing else: no replies, no timers, no events.
	replay(record any)
	// snapshot returns records that lead a fresh state to this one, in a fixed order.
	snapshot() []any
	// start is called once after the log was replayed at a new leader: it arms timers and takes up what was under way.
	start()
	// stop is called when this leader is one no more: timers and replies that still come must do nothing.
	stop()
}

func newCoordinatorLog(m *Model, topic string, n int32, fresh func(*coordinatorLog) coordinator) *coordinatorLog {
	l := &coordinatorLog{m: m, tp: broker.TopicPartition{Topic: topic, Partition: n}, fresh: fresh}
	l.set = newReplicaSet(m, m.spread(m.placement.IntN(len(m.brokers)), m.cfg.ReplicationFactor), l.compact)
	return l
}

// active says whether this broker runs the coordinator now.
func (l *coordinatorLog) active(id int32) bool { return l.state != nil && l.set.leader == id }

// node is the leader's broker.
func (l *coordinatorLog) node() *node { return l.m.brokers[l.set.leader-1] }

// stop ends the coordinator on its present leader.
func (l *coordinatorLog) stop() {
	if l.state != nil {
		l.state.stop()
		l.state = nil
	}
	l.set.fail()
}

// elect moves the coordinator: the new leader cuts the log to what it has and replays it.
func (l *coordinatorLog) elect(id int32) {
	l.stop()
	end := l.set.elect(id)
	if id < 0 {
		return
	}
	if n := int(end-l.base) + l.kept; n < len(l.records) {
		l.records = slices.Clone(l.records[:max(n, l.kept)])
	}
	l.state = l.fresh(l)
	for _, r := range l.records {
		l.state.replay(r)
	}
	l.set.update()
	l.state.start()
}

// write appends records, replays them, and calls done when they are replicated: codeNone, or codeNotCoordinator when the leader
// was lost before.
func (l *coordinatorLog) write(done func(code), records ...any) {
	for _, r := range records {
		l.records = append(l.records, r)
		l.state.replay(r)
	}
	end := l.set.end + int64(l.held+len(records))
	if l.m.written != nil {
		l.m.written(l, records)
	}
	l.set.waiters = append(l.set.waiters, replicaWaiter{end: end, done: coordinatorDone(done)})
	if l.holding {
		l.held += len(records)
		return
	}
	l.set.appended(end)
}

// batch makes the writes of f one: all of them are replicated, or none.
func (l *coordinatorLog) batch(f func()) {
	l.holding = true
	f()
	l.holding = false
	if n := l.held; n > 0 {
		l.held = 0
		l.set.appended(l.set.end + int64(n))
	}
}

// read calls done when what the state holds now is replicated.
func (l *coordinatorLog) read(done func(code)) { l.set.wait(l.set.end, coordinatorDone(done)) }

func coordinatorDone(done func(code)) func(code) {
	return func(c code) {
		if c != codeNone {
			c = codeNotCoordinator
		}
		done(c)
	}
}

const snapshotAfter = 1024

func (l *coordinatorLog) compact() {
	if len(l.records)-l.kept < max(snapshotAfter, 2*l.kept) || l.state == nil || l.set.hw != l.set.end {
		return
	}
	l.records = l.state.snapshot()
	l.base, l.kept = l.set.end, len(l.records)
}
