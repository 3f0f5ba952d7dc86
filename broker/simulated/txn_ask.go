package simulated

import (
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// txnAsk is a leader's question to the transaction coordinator before the first write of a transaction: add this partition to it
// (KIP-890). It is the message too; the answer names it.
type txnAsk struct {
	node     *node
	id       string
	tp       broker.TopicPartition
	producer int64
	epoch    int16
	verify   bool // version 1: the client has added it; only look
	then     func(code)
	timer    *sim.Timer
	over     bool
}

type txnAnswer struct {
	ask  *txnAsk
	code code
}

const askTimeout = 2 * time.Second

func (b *node) addToTxn(id string, tp broker.TopicPartition, producer int64, epoch int16, then func(code)) *txnAsk {
	verify := b.m.cfg.TransactionVersion < 2
	return &txnAsk{node: b, id: id, tp: tp, producer: producer, epoch: epoch, verify: verify, then: then}
}

func (a *txnAsk) send() {
	l := a.node.m.txnLog(a.id)
	if a.verify && a.node.m.cfg.NoTransactionVerification {
		a.end(codeNone)
		return
	}
	if l.set.leader < 0 {
		a.end(codeCoordinatorUnavailable)
		return
	}
	a.timer = a.node.m.k.After(askTimeout, func() { a.end(codeCoordinatorUnavailable) })
	a.node.send(l.node(), a, smallResponse)
}

// end tells the asker, once.
func (a *txnAsk) end(c code) {
	if a.over {
		return
	}
	a.over = true
	if a.timer != nil {
		a.timer.Stop()
	}
	a.then(c)
}

// answerAsk is the coordinator's side.
func (b *node) answerAsk(a *txnAsk) {
	answer := func(c code) { b.send(a.node, &txnAnswer{a, c}, smallResponse) }
	l := b.m.txnLog(a.id)
	if !l.active(b.id) {
		answer(codeNotCoordinator)
		return
	}
	c := l.state.(*txnCoordinator)
	if a.verify {
		c.verifyPartition(a.id, a.producer, a.epoch, a.tp, answer)
		return
	}
	c.addPartitions(a.id, a.producer, a.epoch, []broker.TopicPartition{a.tp}, answer)
}
