package simulated

import (
	"errors"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// filled is called when a partition's queue has got more: it is sent when its time has come.
func (p *producer) filled(q *producerPart) {
	now := p.c.p.Now()
	if p.expiry == nil {
		p.watchExpiry(now.Add(p.cfg.DeliveryTimeout))
	}
	_, due := q.ready(now)
	if len(q.queue) > 1 {
		p.drain()
		return
	}
	p.drainAt(due)
}

// drainAt has drain called then.
func (p *producer) drainAt(at time.Time) {
	if !p.senderAt.IsZero() && !at.Before(p.senderAt) {
		return
	}
	p.senderAt = at
	d := max(at.Sub(p.c.p.Now()), 0)
	if p.sender == nil {
		p.sender = p.c.p.After(d, func() {
			p.senderAt = time.Time{}
			p.drain()
		})
		return
	}
	p.sender.Reset(d)
}

// drain sends what is ready: to each broker requests with one batch a partition, as long as fewer than maxInFlight are under way.
func (p *producer) drain() {
	if p.closed || p.fatal != nil {
		return
	}
	if p.resetID {
		p.askNewID()
		return
	}
	if p.adds() {
		p.addPartitions()
	}
	now := p.c.p.Now()
	var stale []string
	var next time.Time
	for id := 1; id < len(p.flying); id++ {
		if now.Before(p.muted[id]) {
			continue
		}
		for p.flying[id] < maxInFlight && p.sendTo(int32(id), now) {
		}
	}
	for _, q := range p.order {
		ok, due := q.ready(now)
		if ok {
			if id, _ := p.c.leader(q.tp); id >= 0 && !p.c.topics[q.tp.Topic].stale {
				continue // its broker is busy: an answer will bring us back
			}
			stale = append(stale, q.tp.Topic)
			due = now.Add(retryBackoff)
			q.notBefore = due
		}
		if !due.IsZero() && (next.IsZero() || due.Before(next)) {
			next = due
		}
	}
	if stale != nil {
		p.c.refreshSoon(stale, p.leadersKnown)
	}
	if !next.IsZero() {
		p.drainAt(next)
	}
}

// leadersKnown goes on after a refresh.
func (p *producer) leadersKnown() {
	for _, q := range p.order {
		t := p.c.topics[q.tp.Topic]
		if t == nil {
			p.failPart(q, codeUnknownTopic.err("Produce", q.tp.String()))
			continue
		}
		if id, _ := p.c.leader(q.tp); id >= 0 && !t.stale && len(q.queue) > 0 && q.queue[0].tries == 0 {
			q.notBefore = time.Time{}
		}
	}
	p.drain()
}

// sendTo sends one request to a broker and says whether there was anything to send.
func (p *producer) sendTo(id int32, now time.Time) bool {
	var req *produceRequest
	var batches []*producerBatch
	bytes := requestBytes
	for _, q := range p.order {
		ok, _ := q.ready(now)
		if !ok || p.c.topics[q.tp.Topic] == nil || p.c.topics[q.tp.Topic].stale {
			continue
		}
		if leader, _ := p.c.leader(q.tp); leader != id {
			continue
		}
		if req != nil && bytes+q.queue[0].bytes > p.cfg.MaxRequestSize {
			continue
		}
		if req == nil {
			req = &produceRequest{transactionalID: p.cfg.TransactionalID, client: p.cfg.ClientID, acks: p.cfg.Acks, timeout: p.cfg.RequestTimeout}
		}
		b := q.take()
		bytes += b.bytes
		batches = append(batches, b)
		req.parts = append(req.parts, producePart{q.tp, p.template(b)})
	}
	if req == nil {
		return false
	}
	p.touched = p.touched || !p.adds()
	if p.cfg.Acks == broker.AcksNone { // what is sent counts as written
		p.c.net.CallAsync(p.c.p, brokerAddr(id), req, bytes, func(_ any, err error) { p.forgetLeaders(batches, err) })
		for _, b := range batches {
			b.part.land(b)
			b.part.acked = true
			b.settle(broker.NoOffset, nil)
		}
		return true
	}
	r := &producerRequest{p: p, to: id, batches: batches, due: now.Add(p.cfg.RequestTimeout)}
	p.requests = append(p.requests, r)
	p.flying[id]++
	p.watchRequests()
	p.c.net.CallAsync(p.c.p, brokerAddr(id), req, bytes, r.answered)
	return true
}

// forgetLeaders learns from a broken connection, without an answer, that a leader may have moved.
func (p *producer) forgetLeaders(batches []*producerBatch, err error) {
	if err != nil && !p.closed {
		for _, b := range batches {
			p.stale(b.part.tp.Topic)
		}
	}
}

// template is the batch as the broker will have it. The records are not written to any more.
func (p *producer) template(b *producerBatch) batch {
	t := batch{
		records: b.records[:len(b.records):len(b.records)], producer: p.id, epoch: p.epoch, sequence: b.sequence, count: int32(len(b.records)),
		transaction: p.cfg.TransactionalID != "", bytes: compressed(b.bytes, p.cfg.Compression), raw: b.bytes, appendTime: -1,
	}
	if p.id == noProducer {
		t.sequence = noSequence
	}
	for i := range b.records {
		t.maxTimestamp = max(t.maxTimestamp, b.records[i].Timestamp)
	}
	return t
}

// answered takes a request's answer, or its loss.
func (p *producer) answered(batches []*producerBatch, resp any, err error) {
	for i, b := range batches {
		switch {
		case b.settled:
			b.part.land(b)
		case err != nil:
			p.stale(b.part.tp.Topic)
			b.part.again(b, backoff(b.tries))
		default:
			part := resp.(*produceResponse).parts[i]
			p.answeredBatch(b, part.code, part.base)
		}
	}
	if !p.closed {
		p.drain()
	}
}

func (p *producer) stale(topic string) {
	if t := p.c.topics[topic]; t != nil {
		t.stale = true
	}
}

const concurrentBackoff = 20 * time.Millisecond

func (p *producer) answeredBatch(b *producerBatch, c code, base int64) {
	q := b.part
	switch {
	case c == codeNone:
		q.land(b)
		q.acked = true
		b.settle(base, nil)
	case c == codeConcurrentTransactions:
		q.again(b, concurrentBackoff)
	case c == codeOutOfOrderSequence && !q.first(b):
		q.again(b, 0) // one before it failed, and goes first
	case c.retriable():
		if c.moved() {
			p.stale(q.tp.Topic)
		}
		q.again(b, backoff(b.tries))
	default:
		q.land(b)
		p.refused(b, c.err("Produce", q.tp.String()))
	}
}

// refused settles a batch that will not be written. What follows it in its partition has sequence numbers behind a gap: in a
// transaction all that is void; otherwise a new producer id starts anew.
func (p *producer) refused(b *producerBatch, err error) {
	switch {
	case errors.Is(err, broker.ErrFenced):
		p.fatal = err
		b.settle(broker.NoOffset, err)
		p.dropAll(err)
		return
	case p.cfg.TransactionalID != "":
		if p.abort == nil {
			p.abort = err
		}
		b.settle(broker.NoOffset, err)
		p.dropAll(err)
		return
	}
	b.settle(broker.NoOffset, err)
	p.resetID = p.cfg.Acks == broker.AcksAll
}

// failPart settles all of a partition.
func (p *producer) failPart(q *producerPart, err error) {
	for len(q.queue) > 0 {
		b := q.queue[0]
		q.queue = q.queue[1:]
		p.refused(b, err)
	}
}

// dropAll settles everything that is not settled with err. What is under way may still be written.
func (p *producer) dropAll(err error) {
	for _, q := range p.order {
		waiting := q.queue
		q.queue = nil
		for _, b := range q.flying {
			b.settle(broker.NoOffset, err)
		}
		for _, b := range waiting {
			b.settle(broker.NoOffset, err)
		}
	}
}

// askNewID gets a new producer id once nothing of the old one is under way, and numbers what waits anew.
func (p *producer) askNewID() {
	for _, n := range p.flying {
		if n > 0 {
			return
		}
	}
	if p.asking {
		return
	}
	p.asking = true
	p.c.net.CallAsync(p.c.p, p.c.anyBroker(), &initProducerRequest{producer: noProducer}, requestBytes, func(resp any, err error) {
		p.asking = false
		if err != nil {
			p.drainAt(p.c.p.Now().Add(retryBackoff))
			return
		}
		p.resetID = false
		r := resp.(*initProducerResponse)
		p.restart(r.producer, r.epoch)
		for _, q := range p.order {
			for _, b := range q.queue {
				b.sequence = noSequence
			}
		}
		p.drain()
	})
}

// watchExpiry looks at the given time for batches whose delivery time-out has passed.
func (p *producer) watchExpiry(at time.Time) {
	p.expiry = p.c.p.After(at.Sub(p.c.p.Now()), func() {
		p.expiry = nil
		if next := p.expire(); !next.IsZero() && !p.closed {
			p.watchExpiry(next)
		}
	})
}

// expire settles what is too old, and returns when the next batch will be.
func (p *producer) expire() time.Time {
	var next time.Time
	limit := p.c.p.Now().Add(-p.cfg.DeliveryTimeout)
	for _, q := range p.order {
		for _, b := range append(q.flying[:len(q.flying):len(q.flying)], q.queue...) {
			switch {
			case b.settled:
			case !b.created.After(limit):
				q.queue = without(q.queue, b)
				p.refused(b, codeRequestTimedOut.err("Produce", "delivery time-out for "+q.tp.String()))
			case next.IsZero() || b.created.Before(next.Add(-p.cfg.DeliveryTimeout)):
				next = b.created.Add(p.cfg.DeliveryTimeout)
			}
		}
	}
	p.drain()
	return next
}

func without(bs []*producerBatch, b *producerBatch) []*producerBatch {
	out := bs[:0:0]
	for _, o := range bs {
		if o != b {
			out = append(out, o)
		}
	}
	return out
}
