package simulated

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// offsetCommitRequest is OffsetCommit; tps and offsets belong together.
type offsetCommitRequest struct {
	group, member, instance string
	generation              int32 // -1 with an empty member: a commit from outside an empty group
	tps                     []broker.TopicPartition
	offsets                 []broker.OffsetAndMetadata
}

type offsetCommitResponse struct{ code code }

func (b *node) offsetCommit(r *offsetCommitRequest, out reply) {
	answer := func(e code) {
		out(&offsetCommitResponse{e}, smallResponse)
		b.emitCommitRefused("OffsetCommit", r, e)
	}
	c := b.groupCoordinator(r.group)
	if c == nil {
		answer(codeNotCoordinator)
		return
	}
	if e := c.mayCommit(r, false); e != codeNone {
		answer(e)
		return
	}
	g := c.group(r.group)
	if m := g.member(r.member); m != nil && g.streams == nil {
		c.alive(g, m)
	}
	c.commit(r, noProducer, 0, answer)
	c.watchOffsets(g)
}

// emitCommitRefused traces that a commit of someone who is no longer what it thinks was refused.
func (b *node) emitCommitRefused(api string, r *offsetCommitRequest, c code) {
	switch c {
	case codeUnknownMember, codeIllegalGeneration, codeFencedInstance, codeInvalidProducerEpoch, codeInvalidProducerID:
		if b.tracing() {
			b.emit("offset.refused", trace.F("api", api), trace.F("group", r.group), trace.F("member", r.member),
				trace.I("generation", int64(r.generation)), trace.F("code", codes[c].name))
		}
	}
}

// mayCommit judges a commit; a transactional one is judged the same, but that it may come while a rebalance ends.
func (c *groupCoordinator) mayCommit(r *offsetCommitRequest, transactional bool) code {
	g := c.groups[r.group]
	outside := r.generation < 0 && r.member == "" && r.instance == ""
	switch {
	case g == nil && outside, g != nil && outside && (g.empty() || transactional):
		return c.checkOffsets(r)
	case g == nil:
		return codeIllegalGeneration
	case g.streams != nil:
		if e := g.streams.checkCommit(r.member, r.generation); e != codeNone {
			return e
		}
		return c.checkOffsets(r)
	}
	if e := g.check(r.member, r.instance, r.generation); e != codeNone {
		return e
	}
	if g.state == groupCompleting && !transactional {
		return codeRebalanceInProgress
	}
	return c.checkOffsets(r)
}

func (c *groupCoordinator) checkOffsets(r *offsetCommitRequest) code {
	for i, tp := range r.tps {
		if len(r.offsets[i].Metadata) > c.m.cfg.OffsetMetadataMaxBytes {
			return codeOffsetMetadataTooLarge
		}
		if c.m.partition(tp) == nil {
			return codeUnknownTopic
		}
	}
	return codeNone
}

func (c *groupCoordinator) commit(r *offsetCommitRequest, producer int64, epoch int16, answer func(code)) {
	records := make([]any, len(r.tps))
	now := c.m.k.Now()
	for i, tp := range r.tps {
		records[i] = offsetRecord{group: r.group, tp: tp, value: r.offsets[i], at: now, producer: producer, epoch: epoch}
	}
	c.l.write(answer, records...)
	if !c.m.k.Tracing() {
		return
	}
	for i, tp := range r.tps {
		fields := []trace.Field{
			trace.F("group", r.group), trace.F("topic", tp.Topic), trace.I("partition", int64(tp.Partition)), trace.I("offset", r.offsets[i].Offset),
			crcField(c.m.sums.metadata(r.offsets[i])),
		}
		if producer != noProducer {
			fields = append(fields, trace.I("producer", producer))
		}
		c.emit("offset.commit", fields...)
	}
}

// txnOffsetCommitRequest is TxnOffsetCommit, version 5: it adds the group to the transaction by itself.
type txnOffsetCommitRequest struct {
	transactionalID string
	producer        int64
	epoch           int16
	offsetCommitRequest
}

func (b *node) txnOffsetCommit(r *txnOffsetCommitRequest, out reply) {
	answer := func(e code) {
		out(&offsetCommitResponse{e}, smallResponse)
		b.emitCommitRefused("TxnOffsetCommit", &r.offsetCommitRequest, e)
	}
	if b.groupCoordinator(r.group) == nil {
		answer(codeNotCoordinator)
		return
	}
	b.addToTxn(r.transactionalID, b.m.groupLog(r.group).tp, r.producer, r.epoch, func(e code) {
		c := b.groupCoordinator(r.group)
		if c == nil && e == codeNone {
			e = codeNotCoordinator
		}
		if e == codeNone {
			e = c.mayCommit(&r.offsetCommitRequest, true)
		}
		if e != codeNone {
			answer(e)
			return
		}
		c.commit(&r.offsetCommitRequest, r.producer, r.epoch, answer)
	}).send()
}
