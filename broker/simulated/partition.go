package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// partition is one partition of an ordinary topic: a log, its replicas, and the fetches that wait for it.
type partition struct {
	m       *Model
	topic   *topic
	tp      broker.TopicPartition
	log     *log
	set     *replicaSet
	holder  int // the replica whose log it is: the leader's, or the last one's
	deleted bool
	fetches []*fetchSession // sessions with this partition, in the order in which they came
	joining []*txnJoin      // producers whose transaction is being told of this partition
	cleaner cleanerState
}

func newPartition(m *Model, t *topic, n int32, replicas []int32) *partition {
	p := &partition{m: m, topic: t, tp: broker.TopicPartition{Topic: t.name, Partition: n}, log: newLog()}
	p.set = newReplicaSet(m, replicas, p.advanced)
	p.set.minISR, p.set.unclean = t.minISR, t.unclean
	p.set.cut = func(id int32, from, to int64) {
		if m.k.Tracing() {
			m.emit(brokerAddr(id), "partition.truncate", p.field(), trace.I("partition", int64(n)), trace.I("from", from), trace.I("to", to))
		}
	}
	return p
}

func (p *partition) advanced() {
	p.log.replicated(p.set.hw)
	p.wakeFetches()
}

func (p *partition) field() trace.Field { return trace.F("topic", p.tp.Topic) }

// elect makes a broker the leader, as the controller does.
func (p *partition) elect(id int32) {
	unclean := id >= 0 && !slices.Contains(p.set.isr, id)
	if id >= 0 {
		p.adopt(slices.Index(p.set.replicas, id))
	}
	p.set.elect(id)
	if id >= 0 {
		p.log.beginEpoch(p.set.epoch, p.log.end)
	}
	if unclean && p.m.k.Tracing() {
		p.m.emit(brokerAddr(id), "partition.unclean", p.field(), trace.I("partition", int64(p.tp.Partition)), trace.I("epoch", int64(p.set.epoch)),
			trace.I("end", p.log.end))
	}
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

// append writes a batch at the leader and calls done when it is replicated, or at due (if that is not zero); nil: nobody waits.
func (p *partition) append(b *batch, due time.Time, done func(code)) {
	b.leaderEpoch = p.set.epoch
	b.appendTime, b.written = -1, p.m.k.Now().UnixMilli()
	if p.topic.appendTime && b.control == noMarker {
		b.appendTime, b.maxTimestamp = b.written, b.written
	}
	p.log.append(b, p.topic.roll)
	if done != nil {
		p.set.waiters = append(p.set.waiters, replicaWaiter{p.log.end, due, done})
		p.set.watchOverdue()
	}
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
