package simulated

import (
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// openTxnsRequest is DescribeProducers of partitions that one broker leads: their open transactions.
type openTxnsRequest struct{ tps []broker.TopicPartition }

type openTxnsResponse struct {
	codes []code // as in the request
	open  []broker.HangingTransaction
}

func (b *node) openTxns(r *openTxnsRequest, out reply) {
	resp := &openTxnsResponse{codes: make([]code, len(r.tps))}
	for i, tp := range r.tps {
		p, c := b.led(tp)
		if resp.codes[i] = c; c != codeNone {
			continue
		}
		for _, o := range p.log.open {
			resp.open = append(resp.open, broker.HangingTransaction{
				TopicPartition: tp, ProducerID: o.producer, Epoch: p.log.producers[o.producer].epoch, FirstOffset: o.first,
			})
		}
	}
	out(resp, smallResponse+32*len(resp.open))
}

// listTxnsRequest is ListTransactions and DescribeTransactions of all ids that a broker coordinates.
type listTxnsRequest struct{}

type listTxnsResponse struct {
	txns []broker.TransactionDescription
}

func (b *node) listTxns(out reply) {
	resp := &listTxnsResponse{}
	for _, l := range b.m.txns {
		if !l.active(b.id) {
			continue
		}
		c := l.state.(*txnCoordinator)
		for _, id := range slices.Sorted(maps.Keys(c.txns)) {
			t := c.txns[id]
			resp.txns = append(resp.txns, broker.TransactionDescription{
				TransactionalID: id, ProducerID: t.producer, Epoch: t.epoch, State: t.state.String(), Partitions: slices.Clone(t.partitions),
			})
		}
	}
	out(resp, smallResponse+64*len(resp.txns))
}

// abortTxnRequest is WriteTxnMarkers as an operator sends it: it ends one open transaction of a partition.
type abortTxnRequest struct{ txn broker.HangingTransaction }

type abortTxnResponse struct{ code code }

func (b *node) abortTxn(r *abortTxnRequest, out reply) {
	answer := func(c code) { out(&abortTxnResponse{c}, smallResponse) }
	p := b.m.partition(r.txn.TopicPartition)
	switch {
	case p == nil:
		answer(codeUnknownTopic)
		return
	case p.set.leader != b.id:
		answer(codeNotLeader)
		return
	}
	s := p.log.producers[r.txn.ProducerID]
	if s == nil || s.txnFirst != r.txn.FirstOffset || s.epoch != r.txn.Epoch {
		answer(codeInvalidTxnState)
		return
	}
	p.append(&batch{
		producer: r.txn.ProducerID, epoch: s.epoch, sequence: noSequence, count: 1, transaction: true, control: abortMarker,
		coordEpoch: s.coordEpoch, maxTimestamp: b.m.k.Now().UnixMilli(), bytes: batchOverhead + 17,
	}, time.Time{}, answer)
}
