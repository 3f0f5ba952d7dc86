package simulated

import "slices"

// producerState is what a partition's leader knows of one producer id: the last five batches, for duplicates and gaps in
// the sequence, and the open transaction.
type producerState struct {
	epoch         int16
	entries       []sequenceRange // oldest first, at most duplicateWindow
	txnFirst      int64           // first offset of the open transaction; -1: none
	coordEpoch    int32
	lastTimestamp int64
	written       int64 // when (ms) the last batch was appended
}

const duplicateWindow = 5

type sequenceRange struct {
	first, last int32
	base        int64
	timestamp   int64
}

func (p *producerState) add(b *batch) {
	if b.epoch > p.epoch {
		p.epoch, p.entries = b.epoch, p.entries[:0]
	}
	if len(p.entries) == duplicateWindow {
		copy(p.entries, p.entries[1:])
		p.entries = p.entries[:duplicateWindow-1]
	}
	if p.entries == nil {
		p.entries = make([]sequenceRange, 0, duplicateWindow)
	}
	p.entries = append(p.entries, sequenceRange{b.sequence, b.lastSequence(), b.base, b.maxTimestamp})
	p.lastTimestamp, p.written = b.maxTimestamp, b.written
}

// checkProducer judges a data batch of an idempotent producer. dup is the offset of the batch that it repeats, or -1. A producer that
// has written nothing since the time before (ms) is forgotten. Under strict a transaction must begin with the first sequence number.
func (l *log) checkProducer(b *batch, before int64, strict bool) (dup int64, c code) {
	p := l.producers[b.producer]
	if p != nil && p.txnFirst < 0 && p.written < before {
		delete(l.producers, b.producer)
		p = nil
	}
	switch {
	case p == nil && strict && b.transaction && b.sequence != 0:
		return -1, codeOutOfOrderSequence
	case p == nil:
		return -1, codeNone
	}
	if b.epoch < p.epoch {
		return -1, codeInvalidProducerEpoch
	}
	if b.epoch > p.epoch {
		if b.sequence != 0 {
			return -1, codeOutOfOrderSequence
		}
		return -1, codeNone
	}
	i := slices.IndexFunc(p.entries, func(e sequenceRange) bool { return e.first == b.sequence && e.last == b.lastSequence() })
	if i >= 0 {
		return p.entries[i].base, codeNone
	}
	switch n := len(p.entries); {
	case n == 0 && b.sequence != 0:
		return -1, codeOutOfOrderSequence
	case n > 0 && addSequence(p.entries[n-1].last, 1) != b.sequence:
		return -1, codeOutOfOrderSequence
	}
	return -1, codeNone
}

// checkMarker judges a control batch: a marker of an older producer epoch, or of a coordinator that has been replaced, is refused. A
// marker's epoch is above that of the transaction that it ends; with the same epoch it is a late copy of the last one's. Under version 1
// the two cannot be told apart.
func (l *log) checkMarker(m *markerMessage) code {
	p := l.producers[m.producer]
	switch {
	case p == nil:
		return codeNone
	case m.epoch < p.epoch, !m.own && m.epoch == p.epoch && p.txnFirst >= 0:
		return codeInvalidProducerEpoch
	case m.coordEpoch < p.coordEpoch:
		return codeTxnCoordinatorFenced
	}
	return codeNone
}
