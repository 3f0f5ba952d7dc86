package simulated

import (
	"context"
	"errors"

	"github.com/kstreamlab/kstreamlab/broker"
)

// addToTxnRequest is AddPartitionsToTxn, and AddOffsetsToTxn where a group is named: the client's step of transaction.version 1 before
// the first write to a partition or group.
type addToTxnRequest struct {
	transactionalID string
	producer        int64
	epoch           int16
	tps             []broker.TopicPartition
	group           string
}

type addToTxnResponse struct{ code code }

func (b *node) addPartitionsToTxn(r *addToTxnRequest, out reply) {
	answer := func(c code) {
		if c == codeInvalidProducerEpoch {
			c = codeProducerFenced
			b.emitRefused("AddPartitionsToTxn", r.producer, r.epoch, c)
		}
		out(&addToTxnResponse{c}, smallResponse)
	}
	l := b.m.txnLog(r.transactionalID)
	if !l.active(b.id) {
		answer(codeNotCoordinator)
		return
	}
	tps := r.tps
	if r.group != "" {
		tps = []broker.TopicPartition{b.m.groupLog(r.group).tp}
	}
	l.state.(*txnCoordinator).addPartitions(r.transactionalID, r.producer, r.epoch, tps, answer)
}

// adds says whether this producer adds partitions to its transactions itself.
func (p *producer) adds() bool {
	return p.cfg.TransactionalID != "" && p.c.m.cfg.TransactionVersion < 2
}

// addPartitions adds those that wait for their first batch to go out.
func (p *producer) addPartitions() {
	var parts []*producerPart
	req := &addToTxnRequest{transactionalID: p.cfg.TransactionalID, producer: p.id, epoch: p.epoch}
	for _, q := range p.order {
		if !q.added && !q.adding && len(q.queue) > 0 && p.inTxn && p.abort == nil {
			q.adding = true
			parts, req.tps = append(parts, q), append(req.tps, q.tp)
		}
	}
	if parts != nil {
		p.adding++
		p.sendAdd(req, parts, 0)
	}
}

func (p *producer) sendAdd(req *addToTxnRequest, parts []*producerPart, tries int) {
	p.c.askCoordinator(txnKind, p.cfg.TransactionalID, req, func(resp any, err error) {
		wait := backoff(tries)
		c := codeCoordinatorUnavailable
		if err == nil {
			c = resp.(*addToTxnResponse).code
		}
		if c.moved() {
			p.c.forgetCoordinator(txnKind, p.cfg.TransactionalID)
		}
		if c == codeConcurrentTransactions {
			wait = concurrentBackoff
		}
		if c.retriable() && !p.closed {
			p.c.p.After(wait, func() { p.sendAdd(req, parts, tries+1) })
			return
		}
		p.adding--
		p.added(parts, c)
	})
}

func (p *producer) added(parts []*producerPart, c code) {
	for _, q := range parts {
		q.adding, q.added = false, c == codeNone
	}
	p.touched = p.touched || c == codeNone
	if err := c.err("AddPartitionsToTxn", p.cfg.TransactionalID); err != nil {
		if errors.Is(err, broker.ErrFenced) {
			p.fatal = err
		} else if p.abort == nil {
			p.abort = err
		}
		p.dropAll(err)
	}
	p.sig.wake()
	if !p.closed {
		p.drain()
	}
}

// addGroup adds a group to the transaction.
func (p *producer) addGroup(ctx context.Context, group string) error {
	_, err := p.c.callCoordinator(ctx, coordinatorCall{
		op: "AddOffsetsToTxn", kind: txnKind, key: p.cfg.TransactionalID, text: p.cfg.TransactionalID,
		req:  &addToTxnRequest{transactionalID: p.cfg.TransactionalID, producer: p.id, epoch: p.epoch, group: group},
		code: func(resp any) code { return resp.(*addToTxnResponse).code },
	})
	return err
}
