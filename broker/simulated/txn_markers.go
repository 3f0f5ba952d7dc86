package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
	"github.com/kstreamlab/kstreamlab/sim"
)

// markerRound is one transaction's markers on their way to the partitions' leaders. It goes on, through crashes of those, until
// every partition has its marker or is gone.
type markerRound struct {
	c       *txnCoordinator
	t       *txn
	waiting []broker.TopicPartition // sorted
	marker  marker
	timer   *sim.Timer
	backoff time.Duration
}

// markerMessage is WriteTxnMarkers for one leader; markerReply names it.
type markerMessage struct {
	round      *markerRound
	from       *node
	producer   int64
	epoch      int16
	coordEpoch int32
	marker     marker
	own        bool // the epoch is the transaction's own, as under version 1
	partitions []broker.TopicPartition
}

type markerReply struct {
	message *markerMessage
	tp      broker.TopicPartition
	code    code
}

const (
	markerBackoff    = 100 * time.Millisecond
	markerBackoffMax = 2 * time.Second
)

func (c *txnCoordinator) sendMarkers(t *txn) {
	if t.round != nil {
		return
	}
	if len(t.partitions) == 0 {
		c.complete(t)
		return
	}
	r := &markerRound{c: c, t: t, waiting: slices.Clone(t.partitions), marker: abortMarker, backoff: markerBackoff}
	if t.state == txnPrepareCommit {
		r.marker = commitMarker
	}
	t.round = r
	r.send()
}

// send sends what is still waiting, a message a leader in the order of the brokers, and sees to it that it is sent again.
func (r *markerRound) send() {
	m := r.c.m
	r.waiting = slices.DeleteFunc(r.waiting, func(tp broker.TopicPartition) bool { return m.leaderOf(tp) == goneLeader })
	if len(r.waiting) == 0 {
		r.finish()
		return
	}
	r.timer = m.k.After(r.backoff, func() {
		if !r.c.dead {
			r.backoff = min(2*r.backoff, markerBackoffMax)
			r.send()
		}
	})
	for _, to := range slices.Clone(m.brokers) {
		msg := &markerMessage{
			round: r, from: r.c.l.node(), producer: r.t.markerProducer, epoch: r.t.markerEpoch, coordEpoch: r.c.l.set.epoch, marker: r.marker,
			own: m.cfg.TransactionVersion < 2,
		}
		for _, tp := range r.waiting {
			if m.leaderOf(tp) == to.id {
				msg.partitions = append(msg.partitions, tp)
			}
		}
		if len(msg.partitions) > 0 {
			msg.from.send(to, msg, smallResponse+16*len(msg.partitions))
		}
	}
}

const goneLeader = int32(-2)

// leaderOf is a partition's leader, -1 when it has none, goneLeader when there is no such partition.
func (m *Model) leaderOf(tp broker.TopicPartition) int32 {
	s, _ := m.replicasOf(tp)
	if s == nil {
		return goneLeader
	}
	return s.leader
}

// answered takes one partition's answer. What was refused for good is settled too: a newer epoch has made the marker void.
func (r *markerRound) answered(a *markerReply) {
	if r.c.dead || r.t.round != r || a.code == codeNotLeader || a.code == codeNotCoordinator {
		return
	}
	i, found := slices.BinarySearchFunc(r.waiting, a.tp, broker.TopicPartition.Compare)
	if !found {
		return
	}
	r.waiting = slices.Delete(r.waiting, i, i+1)
	if len(r.waiting) == 0 {
		r.finish()
	}
}

func (r *markerRound) finish() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.c.complete(r.t)
}

// writeMarkers is the leader's side.
func (b *node) writeMarkers(msg *markerMessage) {
	for _, tp := range msg.partitions {
		done := func(c code) { b.send(msg.from, &markerReply{msg, tp, c}, smallResponse) }
		switch l := b.m.coordinatorLog(tp); {
		case l != nil && !l.active(b.id):
			done(codeNotCoordinator)
		case l != nil:
			l.state.(*groupCoordinator).writeMarker(msg, done)
		default:
			b.writeMarker(tp, msg, done)
		}
	}
}

func (b *node) writeMarker(tp broker.TopicPartition, msg *markerMessage, done func(code)) {
	p := b.m.partition(tp)
	if p == nil {
		done(codeUnknownTopic)
		return
	}
	if p.set.leader != b.id {
		done(codeNotLeader)
		return
	}
	if c := p.log.checkMarker(msg); c != codeNone {
		done(c)
		return
	}
	if s := p.log.producers[msg.producer]; !msg.own && s != nil && s.epoch == msg.epoch && s.txnFirst < 0 {
		p.set.wait(p.log.end, done) // it is there already: the answer to it was lost
		return
	}
	p.append(&batch{
		producer: msg.producer, epoch: msg.epoch, sequence: noSequence, count: 1, transaction: true, control: msg.marker,
		coordEpoch: msg.coordEpoch, maxTimestamp: b.m.k.Now().UnixMilli(), bytes: batchOverhead + 17,
	}, time.Time{}, done)
	if b.tracing() {
		b.emit("txn.marker", trace.F("topic", tp.Topic), trace.I("partition", int64(tp.Partition)), trace.F("marker", msg.marker.String()))
	}
}
