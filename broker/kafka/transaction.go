package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

// transaction is a producer's current one.
//
// kgo ends a transaction at the broker only if it produced a record in it. Offsets that come before the first record are therefore
// kept: if a record follows they join the transaction before it ends; if none does, there is no transaction, and they are
// committed plainly, fenced by the member's generation.
type transaction struct {
	open bool
	sent bool  // a record was handed to kgo
	err  error // why it can only be aborted
	kept []groupOffsets
}

type groupOffsets struct {
	group   broker.GroupMetadata
	offsets map[broker.TopicPartition]broker.OffsetAndMetadata
}

func (p *producer) Begin() error {
	switch {
	case p.closed:
		return broker.ErrClosed
	case p.id == "" || p.txn.open:
		return &broker.Error{Op: "BeginTransaction", Kind: broker.ErrFatal, Text: "not transactional, or in a transaction already"}
	}
	if err := p.cl.BeginTransaction(); err != nil {
		return wrap(p.ctx, "BeginTransaction", err, p.id)
	}
	p.txn = transaction{open: true}
	return nil
}

// failTransaction notes that the transaction can only be aborted.
func (p *producer) failTransaction(err error) {
	if p.txn.open && p.txn.err == nil {
		p.txn.err = transactional(err)
	}
}

func (p *producer) inTransaction(op string) error {
	switch {
	case p.closed:
		return broker.ErrClosed
	case !p.txn.open:
		return &broker.Error{Op: op, Kind: broker.ErrFatal, Text: "no transaction has begun"}
	}
	return p.txn.err
}

func (p *producer) SendOffsets(ctx context.Context, group broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	p.runAcks()
	if err := p.inTransaction("TxnOffsetCommit"); err != nil {
		return err
	}
	if len(offsets) == 0 {
		return nil
	}
	if !p.txn.sent {
		p.txn.kept = append(p.txn.kept, groupOffsets{group, maps.Clone(offsets)})
		return nil
	}
	return p.txnOffsetCommit(ctx, group, offsets)
}

// txnOffsetCommit adds offsets to the transaction. It waits while the last transaction's markers are still being written.
func (p *producer) txnOffsetCommit(ctx context.Context, group broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	err := p.untilCoordinated(ctx, func() error {
		id, epoch, err := p.cl.ProducerID(ctx)
		if err == nil && !p.v2 {
			err = p.addOffsets(ctx, id, epoch, group.Group)
		}
		if err != nil {
			return wrap(ctx, "TxnOffsetCommit", err, group.Group)
		}
		return p.tryTxnOffsetCommit(ctx, id, epoch, group, offsets)
	})
	if err != nil {
		p.txn.err = abortableOnly(err)
	}
	return err
}

// abortableOnly is what the producer answers after err until Abort.
func abortableOnly(err error) error {
	if errors.Is(err, broker.ErrFenced) {
		return err
	}
	return &broker.Error{Op: "TxnOffsetCommit", Kind: broker.ErrAbortable, Text: err.Error()}
}

// untilCoordinated repeats f while it answers CONCURRENT_TRANSACTIONS, or another code that says "not yet"; and for max.block.ms at most while
// nobody answers. kgo looks for a coordinator that is gone at one more broker, which may be gone too.
func (p *producer) untilCoordinated(ctx context.Context, f func() error) error {
	end := p.c.cfg.Host.Now().Add(p.set.maxBlock)
	for pause := 2 * time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		err := f()
		switch {
		case coded(err, kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator):
		case unanswered(err) && p.c.cfg.Host.Now().Before(end):
		default:
			return err
		}
		if err := p.c.cfg.Host.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// addOffsets is AddOffsetsToTxn, which transactions before v2 need.
func (p *producer) addOffsets(ctx context.Context, id int64, epoch int16, group string) error {
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = p.id, id, epoch, group
	resp, err := req.RequestWith(ctx, p.cl)
	if err != nil {
		return err
	}
	return codeError("AddOffsetsToTxn", resp.ErrorCode, p.id)
}

func (p *producer) tryTxnOffsetCommit(ctx context.Context, id int64, epoch int16, group broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.Group, req.ProducerID, req.ProducerEpoch = p.id, group.Group, id, epoch
	req.Generation, req.MemberID, req.InstanceID = group.Generation, group.MemberID, optional(group.InstanceID)
	for _, t := range byTopic(slices.Collect(maps.Keys(offsets))) {
		rt := kmsg.NewTxnOffsetCommitRequestTopic()
		rt.Topic = t.topic
		for _, n := range t.partitions {
			o := offsets[broker.TopicPartition{Topic: t.topic, Partition: n}]
			rp := kmsg.NewTxnOffsetCommitRequestTopicPartition()
			rp.Partition, rp.Offset, rp.LeaderEpoch, rp.Metadata = n, o.Offset, o.LeaderEpoch, &o.Metadata
			rt.Partitions = append(rt.Partitions, rp)
		}
		req.Topics = append(req.Topics, rt)
	}
	resp, err := req.RequestWith(ctx, p.cl)
	if err != nil {
		return wrap(ctx, "TxnOffsetCommit", err, group.Group)
	}
	for _, t := range resp.Topics {
		for _, rp := range t.Partitions {
			tp := broker.TopicPartition{Topic: t.Topic, Partition: rp.Partition}
			if err := codeError("TxnOffsetCommit", rp.ErrorCode, group.Group+" "+tp.String()); err != nil {
				return err
			}
		}
	}
	return nil
}

// Commit flushes and commits. When the reply is lost it asks again until it knows the outcome or ctx ends: only ErrTimeout leaves
// it open whether the transaction was committed.
func (p *producer) Commit(ctx context.Context) error {
	p.runAcks()
	if err := p.inTransaction("EndTxn"); err != nil {
		return err
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	if p.txn.err != nil {
		return p.txn.err
	}
	for len(p.txn.kept) > 0 {
		k := p.txn.kept[0]
		var err error
		if p.txn.sent {
			err = p.txnOffsetCommit(ctx, k.group, k.offsets)
		} else {
			err = commitOffsets(ctx, p.cl, k.group, k.offsets)
		}
		if err != nil {
			if p.txn.err == nil {
				p.txn.err = abortableOnly(err)
			}
			return err
		}
		p.txn.kept = p.txn.kept[1:]
	}
	err := p.endCommit(ctx)
	if err == nil {
		p.txn = transaction{}
	} else if p.txn.err == nil {
		p.txn.err = abortableOnly(err)
	}
	return err
}

// endCommit is EndTxn(commit).
func (p *producer) endCommit(ctx context.Context) error {
	if !p.txn.sent {
		return wrap(ctx, "EndTxn", p.cl.EndTransaction(ctx, kgo.TryCommit), p.id) // kgo sends nothing
	}
	id, epoch, err := p.cl.ProducerID(ctx)
	if err != nil {
		return wrap(ctx, "EndTxn", err, p.id)
	}
	err = p.cl.EndTransaction(ctx, kgo.TryCommit)
	if err == nil {
		return nil
	}
	err = wrap(ctx, "EndTxn", err, p.id)
	if ctx.Err() != nil || !errors.Is(err, broker.ErrRetriable) {
		return err
	}
	if err := p.confirmCommit(ctx, id, epoch); err != nil {
		return err
	}
	// it is committed; kgo must be told to forget the attempt, and gets a new epoch
	return wrap(ctx, "EndTxn", p.cl.EndTransaction(ctx, kgo.TryAbort), p.id)
}

// confirmCommit repeats an EndTxn whose reply was lost. The broker knows a repetition by the epoch, and answers it as it did, or
// would have answered, the first.
func (p *producer) confirmCommit(ctx context.Context, id int64, epoch int16) error {
	for attempt := 1; ; attempt++ {
		req := kmsg.NewPtrEndTxnRequest()
		req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.id, id, epoch, true
		resp, err := req.RequestWith(ctx, p.cl)
		if err == nil {
			err = codeError("EndTxn", resp.ErrorCode, p.id)
		} else {
			err = wrap(ctx, "EndTxn", err, p.id)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return &broker.Error{Op: "EndTxn", Kind: broker.ErrTimeout, Text: errLost.Error()}
		}
		if !errors.Is(err, broker.ErrRetriable) {
			return err
		}
		if err := p.c.cfg.Host.Sleep(ctx, p.set.backoff(attempt)); err != nil {
			return &broker.Error{Op: "EndTxn", Kind: broker.ErrTimeout, Text: errLost.Error()}
		}
	}
}

func (p *producer) Abort(ctx context.Context) error {
	if p.closed {
		return broker.ErrClosed
	}
	if !p.txn.open {
		return &broker.Error{Op: "EndTxn", Kind: broker.ErrFatal, Text: "no transaction has begun"}
	}
	if err := p.cl.AbortBufferedRecords(ctx); err != nil {
		return wrap(ctx, "EndTxn", err, p.id)
	}
	p.runAcks()
	again := false
	err := p.untilCoordinated(ctx, func() error {
		err := p.cl.EndTransaction(ctx, kgo.TryAbort)
		if err == nil && again { // kgo aborts by a new epoch now, and says nothing where it got none
			_, _, err = p.cl.ProducerID(ctx)
		}
		again = true
		return wrap(ctx, "EndTxn", err, p.id)
	})
	if err == nil {
		p.txn = transaction{}
		p.lost = nil
	}
	return err
}
