package simulated

import (
	"cmp"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// producerPart is one partition at a producer: what waits, and what is under way, both in the order of Send.
type producerPart struct {
	p         *producer
	tp        broker.TopicPartition
	queue     []*producerBatch
	flying    []*producerBatch
	next      int32 // the next batch's sequence number
	sent      int   // batches that have got one
	acked     bool  // one of this epoch is written
	added     bool  // it is in the transaction, or need not be added to it by us
	adding    bool
	notBefore time.Time // back-off
}

// producerBatch is one batch on its way. Its sequence number is fixed when it is first sent.
type producerBatch struct {
	part     *producerPart
	records  []broker.Record
	sends    []batchSend
	bytes    int
	sequence int32
	number   int // among the partition's batches
	created  time.Time
	tries    int
	settled  bool
}

// batchSend is the part of one Send that is in a batch; last says that it has the Send's end and so its ack.
type batchSend struct {
	send  *pendingSend
	first int // index of its first record in the batch
	last  bool
}

// pendingSend is one call of Send.
type pendingSend struct {
	ack  broker.Ack
	base int64
	err  error
}

// add fills batches. The records of one Send stay in one batch unless they are more than a request may carry.
func (q *producerPart) add(records []broker.Record, ack broker.Ack) {
	s := &pendingSend{ack: ack, base: broker.NoOffset}
	if len(records) == 0 {
		q.p.acks = append(q.p.acks, settledSend{ack, broker.NoOffset, nil})
		return
	}
	total := 0
	for i := range records {
		total += recordBytes(&records[i])
	}
	limit := max(q.p.cfg.BatchSize, min(total+batchOverhead, q.p.cfg.MaxRequestSize))
	b := q.tail(min(total, limit-batchOverhead), len(records))
	first := len(b.records)
	now := q.p.c.p.Now().UnixMilli()
	for i := range records {
		n := recordBytes(&records[i])
		if b.bytes+n > limit && len(b.records) > 0 {
			b.sends = append(b.sends, batchSend{s, first, false})
			b, first = q.newBatch(len(records)-i), 0
		}
		b.records = append(b.records, records[i])
		if r := &b.records[len(b.records)-1]; r.Timestamp == broker.NoTimestamp {
			r.Timestamp = now
		}
		b.bytes += n
		q.p.buffered += n
	}
	b.sends = append(b.sends, batchSend{s, first, true})
	q.p.filled(q)
}

// tail is the batch that takes n more bytes: the last one that was not sent yet, if it has room.
func (q *producerPart) tail(n, room int) *producerBatch {
	if k := len(q.queue); k > 0 {
		if b := q.queue[k-1]; b.sequence == noSequence && b.bytes+n <= q.p.cfg.BatchSize {
			return b
		}
	}
	return q.newBatch(min(room, 1024))
}

func (q *producerPart) newBatch(room int) *producerBatch {
	b := &producerBatch{part: q, sequence: noSequence, bytes: batchOverhead, created: q.p.c.p.Now(), records: make([]broker.Record, 0, room)}
	q.queue = append(q.queue, b)
	q.p.open++
	q.p.buffered += batchOverhead
	return b
}

// ready says whether the first waiting batch should go now, or else when (zero: when something else happens). One that is sent
// again goes when all before it are settled. A new one waits until fewer than duplicateWindow follow the oldest that is not settled:
// the broker could not tell that one from a gap any more, should it come again.
func (q *producerPart) ready(now time.Time) (bool, time.Time) {
	if len(q.queue) == 0 {
		return false, time.Time{}
	}
	b := q.queue[0]
	if !q.added || b.sequence != noSequence && !q.first(b) || b.sequence == noSequence && q.full() {
		return false, time.Time{}
	}
	due := b.created.Add(q.p.cfg.Linger)
	if b.sequence != noSequence || len(q.queue) > 1 || q.p.flushing || b.bytes >= q.p.cfg.BatchSize {
		due = now
	}
	if due.Before(q.notBefore) {
		due = q.notBefore
	}
	return !due.After(now), due
}

// full says that no new batch may be sent now. Until the first one of an epoch is acknowledged it is alone: a broker that knows
// nothing of a producer takes any sequence number for the first.
func (q *producerPart) full() bool {
	if !q.acked && q.next != 0 {
		return true
	}
	return slices.ContainsFunc(q.flying, func(o *producerBatch) bool { return !o.settled && q.sent-o.number >= duplicateWindow })
}

// take moves the first waiting batch to those under way.
func (q *producerPart) take() *producerBatch {
	b := q.queue[0]
	q.queue = q.queue[1:]
	if b.sequence == noSequence {
		b.sequence = q.next
		q.next = addSequence(q.next, int32(len(b.records)))
		b.number = q.sent
		q.sent++
	}
	q.flying = append(q.flying, b)
	return b
}

func (q *producerPart) land(b *producerBatch) {
	q.flying = slices.DeleteFunc(q.flying, func(o *producerBatch) bool { return o == b })
}

// again puts a batch back, before all that follow it, to be sent after a back-off.
func (q *producerPart) again(b *producerBatch, wait time.Duration) {
	q.land(b)
	i, _ := slices.BinarySearchFunc(q.queue, b, func(o, b *producerBatch) int {
		if o.sequence == noSequence {
			return 1
		}
		return cmp.Compare(o.sequence-b.sequence, 0)
	})
	q.queue = slices.Insert(q.queue, i, b)
	b.tries++
	if at := q.p.c.p.Now().Add(wait); at.After(q.notBefore) {
		q.notBefore = at
	}
}

// first says whether nothing before this batch is still unsettled.
func (q *producerPart) first(b *producerBatch) bool {
	for _, o := range q.flying {
		if o != b && !o.settled && o.sequence-b.sequence < 0 {
			return false
		}
	}
	return len(q.queue) == 0 || q.queue[0].sequence == noSequence || q.queue[0].sequence-b.sequence >= 0
}

// settle ends a batch: its sends are told.
func (b *producerBatch) settle(base int64, err error) {
	if b.settled {
		return
	}
	b.settled = true
	p := b.part.p
	p.open--
	p.buffered -= b.bytes
	for _, s := range b.sends {
		if err != nil && s.send.err == nil {
			s.send.err = err
		}
		if s.send.base == broker.NoOffset && err == nil && base != broker.NoOffset {
			s.send.base = base + int64(s.first)
		}
		if !s.last {
			continue
		}
		if s.send.err != nil {
			s.send.base = broker.NoOffset
		}
		p.acks = append(p.acks, settledSend{s.send.ack, s.send.base, s.send.err})
	}
	p.sig.wake()
}
