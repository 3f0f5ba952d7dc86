package simulated

import (
	"math"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/internal/trace"
)

// produceRequest writes one batch each to some partitions. With AcksNone nobody waits for the answer.
type produceRequest struct {
	transactionalID string
	client          string
	acks            broker.Acks
	timeout         time.Duration // request.timeout.ms: how long the leader waits for the replicas
	parts           []producePart
}

type producePart struct {
	tp    broker.TopicPartition
	batch batch // a template: the broker copies it before it appends
}

type produceResponse struct {
	parts    []producedPart // as in the request
	throttle time.Duration  // for how long the client must be silent
}

type producedPart struct {
	code code
	base int64
}

// pendingProduce gathers the answers of one request's partitions.
type pendingProduce struct {
	m    *Model
	resp produceResponse
	left int
	out  reply
}

func (p *pendingProduce) done(i int, c code, base int64) {
	p.resp.parts[i] = producedPart{code: c, base: base}
	if c != codeNone && p.m.produceRefused != nil {
		p.m.produceRefused(c)
	}
	p.left--
	if p.left == 0 {
		p.out(&p.resp, smallResponse)
	}
}

func (b *node) produce(r *produceRequest, out reply) {
	p := &pendingProduce{m: b.m, left: len(r.parts), out: out}
	if b.m.quotas != nil {
		bytes := 0
		for i := range r.parts {
			bytes += r.parts[i].batch.bytes
		}
		p.resp.throttle = b.use(producerQuota, r.client, bytes)
	}
	p.resp.parts = make([]producedPart, len(r.parts))
	for i := range r.parts {
		w := &partitionWrite{node: b, pending: p, index: i, batch: new(batch), acks: r.acks}
		if r.timeout > 0 {
			w.due = b.m.k.Now().Add(r.timeout)
		}
		*w.batch = r.parts[i].batch
		w.accept(r.parts[i].tp, r.transactionalID)
	}
}

// partitionWrite is one batch on its way into a partition.
type partitionWrite struct {
	node    *node
	p       *partition
	pending *pendingProduce
	index   int
	batch   *batch
	acks    broker.Acks
	due     time.Time // of the answer; zero: never
}

func (w *partitionWrite) fail(c code) {
	w.pending.done(w.index, c, -1)
	if c == codeInvalidProducerEpoch {
		w.node.emitRefused("Produce", w.batch.producer, w.batch.epoch, c)
	}
}

// emitRefused traces that a fenced producer was refused.
func (b *node) emitRefused(api string, producer int64, epoch int16, c code) {
	if b.tracing() {
		b.emit("txn.refused", trace.F("api", api), trace.I("producer", producer), trace.I("epoch", int64(epoch)), trace.F("code", codes[c].name))
	}
}

func (w *partitionWrite) accept(tp broker.TopicPartition, id string) {
	w.p = w.node.m.partition(tp)
	switch {
	case w.p == nil:
		w.fail(codeUnknownTopic)
	case w.p.set.leader != w.node.id:
		w.fail(codeNotLeader)
	case w.compressed() > w.p.topic.maxMessage:
		w.fail(codeMessageTooLarge)
	case w.acks == broker.AcksAll && len(w.p.set.isr) < w.p.topic.minISR:
		w.fail(codeNotEnoughReplicas)
	case w.batch.transaction && !w.p.inTxn(w.batch.producer, w.batch.epoch):
		w.p.join(w, id)
	default:
		w.append()
	}
}

// compressed sets the batch's size to what the topic's codec makes of it, and returns it.
func (w *partitionWrite) compressed() int {
	if codec := w.p.topic.compression; codec != "producer" {
		w.batch.bytes = compressed(w.batch.raw, codec)
	}
	return w.batch.bytes
}

func (w *partitionWrite) append() {
	p, b := w.p, w.batch
	switch {
	case p.topic.compact && !keyed(b.records):
		w.fail(codeInvalidRecord)
		return
	case !p.topic.timely(b, w.node.m.k.Now().UnixMilli()):
		w.fail(codeInvalidTimestamp)
		return
	}
	cfg := &w.node.m.cfg
	dup, c := p.log.checkProducer(b, w.node.m.k.Now().UnixMilli()-cfg.ProducerIDExpiration.Milliseconds(), cfg.TransactionVersion >= 2)
	switch {
	case c != codeNone:
		w.fail(c)
		return
	case dup >= 0:
		p.set.waitUntil(p.log.end, w.due, func(c code) { w.pending.done(w.index, c, dup) })
		return
	case w.acks != broker.AcksAll:
		p.append(b, time.Time{}, nil)
		w.pending.done(w.index, codeNone, b.base)
	default:
		p.append(b, w.due, func(c code) { w.pending.done(w.index, c, b.base) })
	}
	if w.node.tracing() {
		w.node.emit("produce", trace.F("topic", p.tp.Topic), trace.I("partition", int64(p.tp.Partition)), trace.I("base", b.base),
			trace.I("count", int64(b.count)), crcField(w.node.m.sums.batch(b)))
	}
}

// timely says whether the records' timestamps are near enough to the broker's time: message.timestamp.before.max.ms, after.max.ms.
func (t *topic) timely(b *batch, now int64) bool {
	if t.appendTime {
		return true
	}
	if b.maxTimestamp > now && b.maxTimestamp-now > t.afterMax {
		return false
	}
	if t.beforeMax == math.MaxInt64 {
		return true
	}
	for i := range b.records {
		if now-b.records[i].Timestamp > t.beforeMax {
			return false
		}
	}
	return true
}

// keyed says whether all records have a key, as a compacted topic wants it.
func keyed(rs []broker.Record) bool {
	for i := range rs {
		if rs[i].Key == nil {
			return false
		}
	}
	return true
}

// inTxn says whether the partition is known to be in this producer's open transaction, or to have a newer producer: then the
// append itself judges.
func (p *partition) inTxn(producer int64, epoch int16) bool {
	s := p.log.producers[producer]
	return s != nil && (s.epoch > epoch || s.epoch == epoch && s.txnFirst >= 0)
}

// txnJoin is a partition that is being added to a producer's transaction before the first batch is written. Batches that come
// meanwhile wait here, in order.
type txnJoin struct {
	p        *partition
	producer int64
	epoch    int16
	writes   []*partitionWrite
	ask      *txnAsk
}

func (p *partition) join(w *partitionWrite, id string) {
	for _, j := range p.joining {
		if j.producer == w.batch.producer && j.epoch == w.batch.epoch {
			j.writes = append(j.writes, w)
			return
		}
	}
	j := &txnJoin{p: p, producer: w.batch.producer, epoch: w.batch.epoch, writes: []*partitionWrite{w}}
	p.joining = append(p.joining, j)
	j.ask = w.node.addToTxn(id, p.tp, j.producer, j.epoch, j.end)
	j.ask.send()
}

// end writes what has waited, or refuses it.
func (j *txnJoin) end(c code) {
	j.p.joining = slices.DeleteFunc(j.p.joining, func(o *txnJoin) bool { return o == j })
	for _, w := range j.writes {
		if c != codeNone {
			w.fail(c)
		} else {
			w.append()
		}
	}
}

// cancel refuses what has waited without an answer from the coordinator.
func (j *txnJoin) cancel(c code) { j.ask.end(c) }
