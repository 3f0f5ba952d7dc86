package simulated

import (
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// txnCoordinator is the coordinator of the transactional ids of one partition of __transaction_state. Under transaction.version 2 the
// producer's epoch rises at each end of a transaction, and partitions join by the first write; see Config.TransactionVersion.
type txnCoordinator struct {
	m    *Model
	l    *coordinatorLog
	txns map[string]*txn
	dead bool
}

func newTxnCoordinator(l *coordinatorLog) coordinator {
	return &txnCoordinator{m: l.m, l: l, txns: map[string]*txn{}}
}

func (c *txnCoordinator) replay(record any) {
	r := record.(txnRecord)
	if r.gone {
		delete(c.txns, r.id)
		return
	}
	t := c.txns[r.id]
	if t == nil {
		t = &txn{}
		c.txns[r.id] = t
	}
	t.txnRecord = r
}

func (c *txnCoordinator) snapshot() []any {
	out := make([]any, 0, len(c.txns))
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		out = append(out, c.txns[id].txnRecord)
	}
	return out
}

func (c *txnCoordinator) start() {
	for _, id := range slices.Sorted(maps.Keys(c.txns)) {
		t := c.txns[id]
		c.watchIdle(t)
		switch {
		case t.state == txnOngoing:
			c.watch(t)
		case t.state.preparing():
			c.l.read(func(e code) {
				if e == codeNone && !c.dead {
					c.sendMarkers(t)
				}
			})
		}
	}
}

func (c *txnCoordinator) stop() { c.dead = true }

// initProducerRequest is InitProducerId. Without a transactional id it only asks for a producer id; with a producer id it asks for the
// next epoch of that (KIP-360).
type initProducerRequest struct {
	transactionalID string
	timeout         time.Duration
	producer        int64 // noProducer: a new incarnation
	epoch           int16
}

type initProducerResponse struct {
	code     code
	producer int64
	epoch    int16
}

func (b *node) initProducer(r *initProducerRequest, out reply) {
	if r.transactionalID == "" {
		out(&initProducerResponse{producer: b.m.newProducerID()}, smallResponse)
		return
	}
	l := b.m.txnLog(r.transactionalID)
	if !l.active(b.id) {
		out(&initProducerResponse{code: codeNotCoordinator}, smallResponse)
		return
	}
	l.state.(*txnCoordinator).initProducer(r, func(resp initProducerResponse) { out(&resp, smallResponse) })
}

func (m *Model) newProducerID() int64 {
	m.nextProducer++
	return m.nextProducer - 1
}

func (c *txnCoordinator) initProducer(r *initProducerRequest, answer func(initProducerResponse)) {
	if r.timeout <= 0 || r.timeout > c.m.cfg.TransactionMaxTimeout {
		answer(initProducerResponse{code: codeInvalidTxnTimeout})
		return
	}
	t := c.txns[r.transactionalID]
	next := txnRecord{id: r.transactionalID, previous: noProducer, timeout: r.timeout, bumpedFrom: -1}
	switch {
	case t == nil && r.producer != noProducer:
		answer(initProducerResponse{code: codeInvalidProducerID})
		return
	case t != nil && r.producer != noProducer && t.producer == r.producer && t.bumpedFrom == r.epoch && t.state == txnEmpty:
		c.l.read(func(e code) { answer(initProducerResponse{e, t.producer, t.epoch}) }) // the answer was lost
		return
	case t != nil && r.producer != noProducer && (t.producer != r.producer || t.epoch != r.epoch):
		answer(initProducerResponse{code: codeProducerFenced})
		return
	case t == nil:
		next.producer = c.m.newProducerID()
	case t.state.preparing():
		answer(initProducerResponse{code: codeConcurrentTransactions})
		return
	case t.state == txnOngoing:
		c.fence(t, "txn.fence")
		answer(initProducerResponse{code: codeConcurrentTransactions})
		return
	case t.epoch >= lastEpoch:
		next.producer, next.previous = c.m.newProducerID(), t.producer
	default:
		next.producer, next.epoch = t.producer, t.epoch+1
		if r.producer != noProducer {
			next.bumpedFrom = r.epoch
		}
	}
	c.put(next, func(e code) {
		if e == codeNone {
			c.emit("txn.init", &next)
		}
		answer(initProducerResponse{e, next.producer, next.epoch})
	})
	c.watchIdle(c.txns[next.id])
}

// fence aborts an ongoing transaction under a higher epoch, so that its producer can do no more.
func (c *txnCoordinator) fence(t *txn, why string) {
	r := t.txnRecord
	c.emit(why, &r)
	c.prepare(t, false, c.fenceBump(), func(code, *txnRecord) {})
}

// fenceBump is by how much the epoch rises to fence a producer: under version 2 by one more than at its own end of the transaction, so
// that its own EndTxn does not look like a retry.
func (c *txnCoordinator) fenceBump() int16 { return c.endBump() + 1 }

// endBump is by how much the epoch rises at the producer's own end of a transaction.
func (c *txnCoordinator) endBump() int16 {
	if c.m.cfg.TransactionVersion >= 2 {
		return 1
	}
	return 0
}

// put writes a new state.
func (c *txnCoordinator) put(r txnRecord, done func(code)) {
	r.updated = c.m.k.Now()
	c.l.write(done, r)
}

// FenceProducer makes the present producer of a transactional id a stale one, as the start of another would: what it has open is
// aborted. It says whether the id is known and not just ending a transaction.
func (m *Model) FenceProducer(id string) bool {
	c, ok := m.txnLog(id).state.(*txnCoordinator)
	if !ok || c.txns[id] == nil || c.txns[id].state.preparing() {
		return false
	}
	t := c.txns[id]
	if t.state == txnOngoing {
		c.fence(t, "txn.fence")
		return true
	}
	c.emit("txn.fence", &t.txnRecord)
	c.prepare(t, false, c.fenceBump(), func(code, *txnRecord) {})
	return true
}

// verifyPartition says whether a partition is in the producer's open transaction.
func (c *txnCoordinator) verifyPartition(id string, producer int64, epoch int16, tp broker.TopicPartition, answer func(code)) {
	t := c.txns[id]
	switch {
	case t == nil || t.producer != producer:
		answer(codeInvalidProducerID)
	case t.epoch != epoch:
		answer(codeInvalidProducerEpoch)
	case t.state.preparing():
		answer(codeConcurrentTransactions)
	case t.state != txnOngoing || !t.has(tp):
		answer(codeTransactionAbortable)
	default:
		answer(codeNone)
	}
}

// addPartitions adds partitions to the producer's transaction; the first one begins it.
func (c *txnCoordinator) addPartitions(id string, producer int64, epoch int16, tps []broker.TopicPartition, answer func(code)) {
	t := c.txns[id]
	switch {
	case t == nil || t.producer != producer:
		answer(codeInvalidProducerID)
	case t.epoch != epoch:
		answer(codeInvalidProducerEpoch) // PRODUCER_FENCED, as the partition's leader hands it on
	case t.state.preparing():
		answer(codeConcurrentTransactions)
	case t.state == txnOngoing && !slices.ContainsFunc(tps, func(tp broker.TopicPartition) bool { return !t.has(tp) }):
		c.l.read(answer)
	default:
		began := t.state != txnOngoing
		next := t.txnRecord
		for _, tp := range tps {
			next = next.with(tp, c.m.k.Now())
		}
		c.put(next, answer)
		if began {
			c.watch(t)
			c.emit("txn.begin", &t.txnRecord)
		}
	}
}

func (t *txn) has(tp broker.TopicPartition) bool {
	_, found := slices.BinarySearchFunc(t.partitions, tp, broker.TopicPartition.Compare)
	return found
}

// watch makes sure that a timer looks for the time-out of an ongoing transaction. There is at most one timer for an id: it finds
// out when it fires whether the transaction that was open then still is.
func (c *txnCoordinator) watch(t *txn) {
	if t.timer != nil {
		return
	}
	every := c.m.cfg.TransactionAbortInterval
	due := t.started.Add(t.timeout).Truncate(every).Add(every)
	t.timer = c.m.k.At(due, func() {
		t.timer = nil
		if c.dead || t.state != txnOngoing {
			return
		}
		if !t.started.Add(t.timeout).After(c.m.k.Now()) {
			c.fence(t, "txn.timeout")
			return
		}
		c.watch(t)
	})
}

// endTxnRequest is EndTxn, version 5.
type endTxnRequest struct {
	transactionalID string
	producer        int64
	epoch           int16
	commit          bool
}

// endTxnResponse carries the producer id and epoch for the next transaction.
type endTxnResponse struct {
	code     code
	producer int64
	epoch    int16
}

func (b *node) endTxn(r *endTxnRequest, out reply) {
	l := b.m.txnLog(r.transactionalID)
	if !l.active(b.id) {
		out(&endTxnResponse{code: codeNotCoordinator}, smallResponse)
		return
	}
	l.state.(*txnCoordinator).endTxn(r, func(e code, t *txnRecord) {
		if e != codeNone {
			out(&endTxnResponse{code: e}, smallResponse)
			if e == codeProducerFenced {
				b.emitRefused("EndTxn", r.producer, r.epoch, e)
			}
			return
		}
		out(&endTxnResponse{producer: t.producer, epoch: t.epoch}, smallResponse)
	})
}

func (c *txnCoordinator) endTxn(r *endTxnRequest, answer func(code, *txnRecord)) {
	t := c.txns[r.transactionalID]
	if t == nil {
		answer(codeInvalidProducerID, nil)
		return
	}
	if c.m.cfg.TransactionVersion < 2 {
		c.endTxn1(t, r, answer)
		return
	}
	overflow := t.previous == r.producer && r.epoch == lastEpoch && t.epoch == 0
	retry := overflow || t.producer == r.producer && t.epoch == r.epoch+1
	switch {
	case t.producer != r.producer && !overflow:
		answer(codeInvalidProducerID, nil)
	case t.state.preparing() && retry:
		answer(t.endedAs(r.commit, codeConcurrentTransactions), nil)
	case t.state == txnCompleteCommit && retry, t.state == txnCompleteAbort && retry:
		e := t.endedAs(r.commit, codeNone)
		c.l.read(func(lost code) { answer(max(e, lost), &t.txnRecord) })
	case t.producer != r.producer || t.epoch != r.epoch:
		answer(codeProducerFenced, nil)
	case t.state.preparing(): // of the transaction before; what was sent of this one has not come in yet
		answer(codeConcurrentTransactions, nil)
	case t.state == txnOngoing, !r.commit:
		c.prepare(t, r.commit, c.endBump(), answer)
	default:
		answer(codeInvalidTxnState, nil)
	}
}

// endTxn1 is endTxn under version 1: a retry is told from a new request by the state alone.
func (c *txnCoordinator) endTxn1(t *txn, r *endTxnRequest, answer func(code, *txnRecord)) {
	switch {
	case t.producer != r.producer:
		answer(codeInvalidProducerID, nil)
	case t.epoch != r.epoch:
		answer(codeProducerFenced, nil)
	case t.state == txnOngoing:
		c.prepare(t, r.commit, 0, answer)
	case t.state.preparing():
		answer(t.endedAs(r.commit, codeConcurrentTransactions), nil)
	case t.state == txnCompleteCommit, t.state == txnCompleteAbort:
		e := t.endedAs(r.commit, codeNone)
		c.l.read(func(lost code) { answer(max(e, lost), &t.txnRecord) })
	default:
		answer(codeInvalidTxnState, nil)
	}
}

// endedAs is c when the transaction ended, or is ending, in the way that is asked for.
func (t *txn) endedAs(commit bool, c code) code {
	if commit == (t.state == txnPrepareCommit || t.state == txnCompleteCommit) {
		return c
	}
	return codeInvalidTxnState
}

// prepare decides the end of a transaction. The answer goes out as soon as the decision is replicated; the markers follow. An
// abort when no partition was added yet raises the epoch all the same. The epoch rises by bump: 1 for the producer's own end, so that
// it may go on; 2 to fence it, so that its own EndTxn does not look like a retry.
func (c *txnCoordinator) prepare(t *txn, commit bool, bump int16, answer func(code, *txnRecord)) {
	next := t.txnRecord
	next.state = txnPrepareAbort
	if commit {
		next.state = txnPrepareCommit
	}
	if t.state != txnOngoing {
		next.partitions = nil
	}
	next.markerProducer, next.markerEpoch, next.previous = t.producer, t.epoch+bump, noProducer
	next.epoch += bump
	if next.epoch > lastEpoch || next.epoch < 0 {
		next.producer, next.previous, next.epoch = c.m.newProducerID(), t.producer, 0
	}
	c.put(next, func(e code) {
		answer(e, &next)
		if e == codeNone && !c.dead {
			c.sendMarkers(t)
		}
	})
}

// complete is called when all markers are written.
func (c *txnCoordinator) complete(t *txn) {
	next := t.txnRecord
	next.state, next.partitions = txnCompleteAbort, nil
	kind := "txn.abort"
	if t.state == txnPrepareCommit {
		next.state, kind = txnCompleteCommit, "txn.commit"
	}
	t.round = nil
	c.emit(kind, &next)
	c.put(next, func(code) {})
}

// watchIdle lets a transactional id expire that has done nothing for long. There is at most one timer for an id.
func (c *txnCoordinator) watchIdle(t *txn) {
	keep := c.m.cfg.TransactionalIDExpiration
	if keep < 0 || t.idle != nil {
		return
	}
	t.idle = c.m.k.At(t.updated.Add(keep), func() {
		t.idle = nil
		switch {
		case c.dead || c.txns[t.id] != t:
		case t.updated.Add(keep).After(c.m.k.Now()):
			c.watchIdle(t)
		case t.state == txnOngoing || t.state.preparing(): // its end will be an update
			t.idle = c.m.k.After(c.m.cfg.TransactionMaxTimeout, func() {
				t.idle = nil
				c.watchIdle(t)
			})
		default:
			c.emit("txn.expire", &t.txnRecord)
			c.l.write(func(code) {}, txnRecord{id: t.id, gone: true})
		}
	})
}

func (c *txnCoordinator) emit(kind string, t *txnRecord) {
	if c.m.k.Tracing() {
		c.l.node().emit(kind, trace.F("id", t.id), trace.I("producer", t.producer), trace.I("epoch", int64(t.epoch)))
	}
}
