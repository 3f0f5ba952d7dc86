package simulated

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

const (
	maxInFlight  = 5        // max.in.flight.requests.per.connection
	bufferMemory = 32 << 20 // buffer.memory
)

// producer is the client side of writing. The thread that owns it fills batches; events send them, and take the answers.
type producer struct {
	c      *client
	cfg    broker.ProducerConfig
	sig    *signal
	id     int64
	epoch  int16
	parts  map[broker.TopicPartition]*producerPart
	order  []*producerPart // in order of first use
	flying []int           // requests under way, by broker id

	muted    []time.Time        // by broker id: until when nothing may be sent
	requests []*producerRequest // under way, oldest first
	late     *sim.Timer         // looks for those that take too long

	open     int // batches that are not settled
	buffered int // their bytes
	flushing bool
	resetID  bool // a new producer id is needed before anything more is sent
	asking   bool // it is being asked for
	sender   *sim.Timer
	senderAt time.Time
	expiry   *sim.Timer

	acks    []settledSend
	lost    error // the first error of a send without a callback since the last Flush
	inTxn   bool
	adding  int   // version 1: requests under way that add partitions
	bump    bool  // version 1: a new epoch is needed before the next transaction
	touched bool  // the transaction may have reached the cluster
	fatal   error // good for Close only
	abort   error // good for Abort only
	closed  bool
}

// settledSend is the outcome of one Send, for the owner's thread.
type settledSend struct {
	ack  broker.Ack
	base int64
	err  error
}

// NewProducer is broker.Cluster's.
func (c *client) NewProducer(ctx context.Context, cfg broker.ProducerConfig) (broker.Producer, error) {
	cfg.ClientID, cfg.Compression = cmp.Or(cfg.ClientID, c.p.Name()), cmp.Or(cfg.Compression, "none")
	if _, ok := compressedShare[cfg.Compression]; !ok {
		return nil, &broker.Error{Op: "InitProducerId", Kind: broker.ErrFatal, Text: "unknown compression type " + cfg.Compression}
	}
	cfg.TransactionTimeout = cmp.Or(cfg.TransactionTimeout, time.Minute)
	cfg.BatchSize = cmp.Or(cfg.BatchSize, 16384)
	cfg.MaxRequestSize = cmp.Or(cfg.MaxRequestSize, 1048576)
	cfg.DeliveryTimeout = cmp.Or(cfg.DeliveryTimeout, 120*time.Second)
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, 30*time.Second)
	if cfg.TransactionalID != "" && cfg.Acks != broker.AcksAll {
		return nil, &broker.Error{Op: "InitProducerId", Kind: broker.ErrFatal, Text: "a transactional producer needs acks=all"}
	}
	p := &producer{
		c: c, cfg: cfg, sig: newSignal(c.p), id: noProducer, parts: map[broker.TopicPartition]*producerPart{},
		flying: make([]int, len(c.m.brokers)+1), muted: make([]time.Time, len(c.m.brokers)+1),
	}
	if err := p.init(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *producer) init(ctx context.Context) error {
	if p.cfg.Acks != broker.AcksAll {
		return nil // not idempotent
	}
	req := &initProducerRequest{p.cfg.TransactionalID, p.cfg.TransactionTimeout, p.id, p.epoch}
	var resp any
	var err error
	if p.cfg.TransactionalID == "" {
		resp, err = p.c.callAny(ctx, "InitProducerId", req)
	} else {
		resp, err = p.c.callCoordinator(ctx, coordinatorCall{
			op: "InitProducerId", kind: txnKind, key: p.cfg.TransactionalID, req: req, text: p.cfg.TransactionalID,
			code: func(resp any) code { return resp.(*initProducerResponse).code },
		})
	}
	if err != nil {
		return err
	}
	r := resp.(*initProducerResponse)
	p.restart(r.producer, r.epoch)
	return nil
}

// Partitions is broker.Producer's.
func (p *producer) Partitions(ctx context.Context, topic string) (int32, error) {
	t, err := p.c.topic(ctx, topic)
	if err != nil {
		return 0, err
	}
	return int32(len(t.leaders)), nil
}

func (p *producer) usable() error {
	switch {
	case p.closed:
		return broker.ErrClosed
	case p.fatal != nil:
		return p.fatal
	case p.abort != nil:
		return fmt.Errorf("%w: %w", broker.ErrAbortable, p.abort)
	}
	return nil
}

// Send is broker.Producer's.
func (p *producer) Send(ctx context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	p.runAcks()
	if err := p.usable(); err != nil {
		return err
	}
	if p.cfg.TransactionalID != "" && !p.inTxn {
		return &broker.Error{Op: "Produce", Kind: broker.ErrFatal, Text: "Send outside of a transaction"}
	}
	wrong, err := p.checkSend(ctx, tp, records)
	if err != nil {
		return err
	}
	if wrong != nil { // an outcome like any other
		p.acks = append(p.acks, settledSend{ack, broker.NoOffset, wrong})
		if p.cfg.TransactionalID != "" {
			p.judge(wrong)
		}
		return nil
	}
	for p.buffered > bufferMemory {
		if err := p.await(ctx); err != nil {
			return err
		}
		p.runAcks()
		if err := p.usable(); err != nil {
			return err
		}
	}
	p.part(tp).add(records, ack)
	return nil
}

// checkSend says what is wrong with records, so that no broker needs to be asked. err is the context's end.
func (p *producer) checkSend(ctx context.Context, tp broker.TopicPartition, records []broker.Record) (wrong, err error) {
	t, err := p.c.topic(ctx, tp.Topic)
	switch {
	case errors.Is(err, broker.ErrUnknownTopic):
		return err, nil
	case err != nil:
		return nil, err
	case tp.Partition < 0 || int(tp.Partition) >= len(t.leaders):
		return codeUnknownTopic.err("Produce", tp.String()), nil
	}
	for i := range records {
		if n := recordBytes(&records[i]); n+batchOverhead > p.cfg.MaxRequestSize {
			return codeMessageTooLarge.err("Produce", fmt.Sprintf("a record of %d bytes for %s; max.request.size is %d", n, tp, p.cfg.MaxRequestSize)), nil
		}
	}
	return nil, nil
}

// await blocks until something has come back.
func (p *producer) await(ctx context.Context) error { return p.sig.wait(ctx, time.Time{}) }

func (p *producer) part(tp broker.TopicPartition) *producerPart {
	q := p.parts[tp]
	if q == nil {
		q = &producerPart{p: p, tp: tp, added: !p.adds()}
		p.parts[tp] = q
		p.order = append(p.order, q)
	}
	return q
}

// runAcks calls what has been settled since, on the owner's thread.
func (p *producer) runAcks() {
	for len(p.acks) > 0 {
		ready := p.acks
		p.acks = nil
		for _, a := range ready {
			switch {
			case a.ack != nil:
				a.ack(a.base, a.err)
			case a.err != nil && p.lost == nil:
				p.lost = a.err
			}
		}
	}
}

// Flush is broker.Producer's.
func (p *producer) Flush(ctx context.Context) error {
	if p.closed {
		return broker.ErrClosed
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	err := p.lost
	p.lost = nil
	if err == nil {
		err = p.fatal
	}
	return err
}

// settle sends everything and blocks until all of it is settled and all acks have run.
func (p *producer) settle(ctx context.Context) error {
	p.flushing = true
	defer func() { p.flushing = false }()
	p.drain()
	for {
		p.runAcks()
		if p.open == 0 && len(p.acks) == 0 {
			return nil
		}
		if err := p.await(ctx); err != nil {
			return err
		}
	}
}

// Begin is broker.Producer's.
func (p *producer) Begin() error {
	if err := p.usable(); err != nil {
		return err
	}
	if p.cfg.TransactionalID == "" || p.inTxn {
		return &broker.Error{Op: "Begin", Kind: broker.ErrFatal, Text: "not transactional, or already in a transaction"}
	}
	p.inTxn, p.touched, p.lost = true, false, nil
	for _, q := range p.order {
		q.added = !p.adds()
	}
	return nil
}

// SendOffsets is broker.Producer's.
func (p *producer) SendOffsets(ctx context.Context, g broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	p.runAcks()
	if err := p.usable(); err != nil {
		return err
	}
	if !p.inTxn {
		return &broker.Error{Op: "TxnOffsetCommit", Kind: broker.ErrFatal, Text: "outside of a transaction"}
	}
	if len(offsets) == 0 {
		return nil
	}
	if p.adds() {
		if err := p.addGroup(ctx, g.Group); err != nil {
			p.judge(err)
			return err
		}
	}
	p.touched = true
	_, err := p.c.callCoordinator(ctx, coordinatorCall{
		op: "TxnOffsetCommit", kind: groupKind, key: g.Group, text: g.Group,
		req:  &txnOffsetCommitRequest{p.cfg.TransactionalID, p.id, p.epoch, commitRequest(g, offsets)},
		code: func(resp any) code { return resp.(*offsetCommitResponse).code },
	})
	p.judge(err)
	return err
}

// judge notes what an error of the transaction means for what may follow.
func (p *producer) judge(err error) {
	switch {
	case err == nil:
	case errors.Is(err, broker.ErrFenced):
		p.fatal = err
	case p.abort == nil:
		p.abort = err
	}
}

// Commit is broker.Producer's.
func (p *producer) Commit(ctx context.Context) error {
	if p.closed {
		return broker.ErrClosed
	}
	if p.cfg.TransactionalID == "" || !p.inTxn {
		return &broker.Error{Op: "EndTxn", Kind: broker.ErrFatal, Text: "outside of a transaction"}
	}
	if err := p.settle(ctx); err != nil {
		return err
	}
	p.lost = nil
	if err := p.usable(); err != nil {
		return err
	}
	if err := p.end(ctx, true); err != nil {
		p.judge(err)
		return err
	}
	p.inTxn = false
	return nil
}

// Abort is broker.Producer's.
func (p *producer) Abort(ctx context.Context) error {
	if p.closed {
		return broker.ErrClosed
	}
	if p.fatal != nil {
		return p.fatal
	}
	if p.cfg.TransactionalID == "" || !p.inTxn {
		return &broker.Error{Op: "EndTxn", Kind: broker.ErrFatal, Text: "outside of a transaction"}
	}
	p.bump = p.bump || p.open > 0 || p.abort != nil
	p.dropAll(&broker.Error{Op: "Produce", Kind: broker.ErrAbortable, Text: "the transaction was aborted"})
	p.runAcks()
	for p.adding > 0 { // whether the transaction has begun is not known before
		if err := p.await(ctx); err != nil {
			return err
		}
	}
	if err := p.end(ctx, false); err != nil {
		if errors.Is(err, broker.ErrFenced) {
			p.fatal = err
		}
		return err
	}
	if p.adds() && p.bump { // sequence numbers are lost: begin anew under the next epoch (KIP-360)
		if err := p.init(ctx); err != nil {
			p.judge(err)
			return err
		}
		p.bump = false
	}
	p.inTxn, p.abort, p.lost = false, nil, nil
	return nil
}

// end sends EndTxn; the answer brings the epoch of the next transaction, in which sequences start again.
func (p *producer) end(ctx context.Context, commit bool) error {
	if !p.touched {
		return nil
	}
	resp, err := p.c.callCoordinator(ctx, coordinatorCall{
		op: "EndTxn", kind: txnKind, key: p.cfg.TransactionalID, text: p.cfg.TransactionalID,
		req:  &endTxnRequest{p.cfg.TransactionalID, p.id, p.epoch, commit},
		code: func(resp any) code { return resp.(*endTxnResponse).code },
	})
	if err != nil {
		return err
	}
	if r := resp.(*endTxnResponse); !p.adds() {
		p.restart(r.producer, r.epoch)
	}
	p.touched = false
	return nil
}

// restart begins the sequences anew under another epoch or producer id.
func (p *producer) restart(id int64, epoch int16) {
	p.id, p.epoch = id, epoch
	for _, q := range p.order {
		q.next, q.acked = 0, false
	}
}

// Close is broker.Producer's.
func (p *producer) Close() {
	if p.closed {
		return
	}
	p.closed = true
	p.dropAll(broker.ErrClosed)
	p.acks = nil
	for _, t := range []*sim.Timer{p.sender, p.expiry, p.late} {
		if t != nil {
			t.Stop()
		}
	}
}
