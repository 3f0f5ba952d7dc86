package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// partition is one partition of an ordinary topic: a log, its replicas, and the fetches that wait for it.
type partition struct {
	m       *Model
	topic   *topic
	tp      broker.TopicPartition
	log     *log
	set     *replicaSet
	deleted bool
	fetches []*fetchSession // sessions with this partition, in the order in which they came
	joining []*txnJoin      // producers whose transaction is being told of this partition
	cleaner cleanerState
}

func newPartition(m *Model, t *topic, n int32, replicas []int32) *partition {
	p := &partition{m: m, topic: t, tp: broker.TopicPartition{Topic: t.name, Partition: n}, log: newLog()}
	p.set = newReplicaSet(m, replicas, p.advanced)
	return p
}

func (p *partition) advanced() {
	p.log.replicated(p.set.hw)
	p.wakeFetches()
}

// elect makes a broker the leader, as the controller does.
func (p *partition) elect(id int32) {
	p.log.truncate(p.set.elect(id))
	p.set.fail()
	joins := p.joining
	p.joining = nil
	for _, j := range joins {
		j.cancel(codeNotLeader)
	}
	p.set.update()
	p.wakeFetches()
}

// limit is the offset before which a reader of this isolation level may read.
func (p *partition) limit(i broker.IsolationLevel) int64 {
	if i == broker.ReadCommitted {
		return max(p.log.lastStable(p.set.hw), min(p.log.start, p.set.hw))
	}
	return p.set.hw
}

// append writes a batch at the leader and calls done when it is replicated.
func (p *partition) append(b *batch, done func(code)) {
	b.leaderEpoch = p.set.epoch
	b.appendTime = -1
	if p.topic.appendTime && b.control == noMarker {
		b.appendTime = millis(p.m.k.Now())
		b.maxTimestamp = b.appendTime
	}
	p.log.append(b, p.topic.roll)
	p.set.waiters = append(p.set.waiters, replicaWaiter{p.log.end, done})
	p.set.appended(p.log.end)
	p.scheduleCleaning()
}

// deleteRecords moves the log start offset.
func (p *partition) deleteRecords(before int64) code {
	if before == -1 {
		before = p.set.hw
	}
	if before < 0 || before > p.set.hw {
		return codeOffsetOutOfRange
	}
	p.log.moveStart(before)
	p.wakeFetches()
	return codeNone
}

func (p *partition) wakeFetches() {
	for _, s := range p.fetches {
		s.retry()
	}
}
