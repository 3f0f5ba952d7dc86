package kafka

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
)

// maxBuffered is how many records a producer holds before Send blocks; buffer.memory limits their bytes.
const maxBuffered = 1 << 17

// maxSpared is how many of kgo's records are kept for later Sends, about 200 bytes each.
const maxSpared = 1 << 16

// producer is broker.Producer: one idempotent kgo client. Transactions are in transaction.go.
type producer struct {
	c      *Cluster
	set    settings
	cl     *kgo.Client
	ctx    context.Context // ends with the producer
	cancel context.CancelFunc
	id     string // the transactional id
	v2     bool   // the cluster runs transactions v2

	delivery time.Duration // delivery.timeout.ms
	untold   bool          // acks=0: no broker says where records went

	// done is told when deliveries have ended.
	done chan struct{}
	mu   sync.Mutex
	// ended are the deliveries whose records are all written or have failed; guarded by mu.
	ended []*delivery

	// the thread's own
	records, bytes int         // not ended yet
	spare          []*delivery // to be used again
	spared         int         // their records, at most maxSpared
	lost           error       // the first error that no callback was told
	counts         map[string]int32
	closed         bool
	txn            transaction
	limit          deadline
}

var _ broker.Producer = (*producer)(nil)

// delivery is what became of one Send.
type delivery struct {
	slab    []kgo.Record
	headers []kgo.RecordHeader
	left    int
	bytes   int
	base    int64
	err     error
	ack     broker.Ack
	promise func(*kgo.Record, error) // made once: a closure over the delivery
}

// NewProducer returns an idempotent or transactional producer. With a transactional id it fences its predecessors before it returns.
func (c *Cluster) NewProducer(ctx context.Context, cfg broker.ProducerConfig) (broker.Producer, error) {
	set, err := c.settings(property.Producer, cfg.Properties)
	if err != nil {
		return nil, err
	}
	def := set.producer
	cfg.ClientID = cmp.Or(cfg.ClientID, def.ClientID)
	cfg.TransactionTimeout = cmp.Or(cfg.TransactionTimeout, def.TransactionTimeout)
	cfg.Linger = cmp.Or(cfg.Linger, def.Linger)
	cfg.MaxRequestSize = cmp.Or(cfg.MaxRequestSize, def.MaxRequestSize)
	cfg.Compression = cmp.Or(cfg.Compression, def.Compression)
	cfg.DeliveryTimeout = cmp.Or(cfg.DeliveryTimeout, def.DeliveryTimeout)
	cfg.RequestTimeout = cmp.Or(cfg.RequestTimeout, def.RequestTimeout)
	cfg.Acks = cmp.Or(cfg.Acks, def.Acks)
	opts, err := set.produceOpts(cfg)
	if err != nil {
		return nil, err
	}
	p := &producer{c: c, set: set, untold: cfg.Acks == broker.AcksNone, id: cfg.TransactionalID, delivery: cfg.DeliveryTimeout, done: make(chan struct{}, 1), counts: make(map[string]int32)}
	if p.cl, err = c.newClient(&p.set, cfg.ClientID, opts...); err != nil {
		return nil, err
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if p.id == "" {
		return p, nil
	}
	if p.v2, err = c.transactionsV2(ctx); err == nil {
		_, _, err = p.cl.ProducerID(ctx) // InitProducerId: fences, and waits for what was left open
	}
	if err != nil {
		p.Close()
		return nil, wrap(ctx, "InitProducerId", err, p.id)
	}
	return p, nil
}

// produceOpts are kgo's options for a producer.
func (s *settings) produceOpts(cfg broker.ProducerConfig) ([]kgo.Opt, error) {
	compression, err := s.codec(cfg.Compression)
	if err != nil {
		return nil, err
	}
	opts := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(compression),
		// a batch grows while its predecessor is on its way, up to what one request may hold: kgo would refuse a record over a smaller
		// limit (batch.size), and not only cut the batch before it
		kgo.ProducerBatchMaxBytes(int32(max(512, cfg.MaxRequestSize))),
		kgo.ProducerLinger(cfg.Linger),
		kgo.MaxBufferedRecords(math.MaxInt32),
		kgo.ProduceRequestTimeout(max(100*time.Millisecond, cfg.RequestTimeout)),
	}
	if s.recordRetries >= 0 {
		opts = append(opts, kgo.RecordRetries(s.recordRetries))
	}
	acks := map[broker.Acks]kgo.Acks{broker.AcksAll: kgo.AllISRAcks(), broker.AcksLeader: kgo.LeaderAck(), broker.AcksNone: kgo.NoAck()}
	opts = append(opts, kgo.RequiredAcks(acks[cfg.Acks]))
	if cfg.TransactionalID == "" {
		if cfg.Acks != broker.AcksAll || !s.idempotent {
			opts = append(opts, kgo.DisableIdempotentWrite(), kgo.MaxProduceRequestsInflightPerBroker(s.inFlight))
		}
		return opts, nil
	}
	if cfg.Acks != broker.AcksAll || !s.idempotent {
		return nil, &broker.Error{Op: "InitProducerId", Kind: broker.ErrFatal, Text: cfg.TransactionalID + ": a transactional producer needs acks=all and enable.idempotence=true"}
	}
	return append(opts, kgo.TransactionalID(cfg.TransactionalID), kgo.TransactionTimeout(cfg.TransactionTimeout)), nil
}

func (p *producer) Partitions(ctx context.Context, topic string) (int32, error) {
	if n, ok := p.counts[topic]; ok {
		return n, nil
	}
	n, err := partitionCount(ctx, p.cl, topic)
	if err == nil {
		p.counts[topic] = n
	}
	return n, err
}

func (p *producer) Send(ctx context.Context, tp broker.TopicPartition, records []broker.Record, ack broker.Ack) error {
	p.runAcks()
	if err := p.sendable(); err != nil {
		return err
	}
	size := 0
	for i := range records {
		size += len(records[i].Key) + len(records[i].Value)
	}
	if err := p.makeRoom(ctx, len(records), size); err != nil {
		return err
	}
	if len(records) == 0 {
		p.finish(&delivery{base: broker.NoOffset, ack: ack})
		return nil
	}
	p.txn.sent = p.txn.sent || p.txn.open
	d := p.newDelivery(len(records))
	d.left, d.bytes, d.ack, d.base, d.err = len(records), size, ack, broker.NoOffset, nil
	p.records += len(records)
	p.bytes += size
	d.fill(tp, records, p.c.cfg.Host.Now)
	until := p.recordContext()
	for i := range d.slab {
		p.cl.Produce(until, &d.slab[i], d.promise)
	}
	return nil
}

// deadline is the context of the records that are sent within a while. It is what makes delivery.timeout.ms: kgo's own limit is
// measured from a record's timestamp, which may be of any year.
type deadline struct {
	ctx    context.Context
	cancel context.CancelFunc
	until  time.Time // it is used for new records until then
}

// recordContext is the context for records that are sent now. The contexts of single calls will not do: they may end before the
// records are written.
func (p *producer) recordContext() context.Context {
	now := time.Now()
	if p.limit.ctx == nil || now.After(p.limit.until) {
		step := p.delivery / 16
		p.limit.until = now.Add(step)
		p.limit.ctx, p.limit.cancel = context.WithTimeout(p.ctx, p.delivery+step)
	}
	return p.limit.ctx
}

// sendable says whether Send may take records now.
func (p *producer) sendable() error {
	switch {
	case p.closed:
		return broker.ErrClosed
	case p.id != "" && !p.txn.open:
		return &broker.Error{Op: "Produce", Kind: broker.ErrFatal, Text: "no transaction has begun"}
	case p.txn.err != nil:
		return p.txn.err
	}
	return nil
}

// makeRoom blocks until n records of size bytes fit, or nothing is held; at most max.block.ms.
func (p *producer) makeRoom(ctx context.Context, n, size int) error {
	full := func() bool { return p.records > 0 && (p.records+n > maxBuffered || p.bytes+size > p.set.buffer) }
	if !full() {
		return p.txn.err
	}
	limit := time.NewTimer(p.set.maxBlock)
	defer limit.Stop()
	for full() {
		select {
		case <-p.done:
			p.runAcks()
		case <-limit.C:
			return &broker.Error{Op: "Produce", Kind: broker.ErrTimeout, Text: fmt.Sprintf("there was no room for %d bytes within max.block.ms, %s; buffer.memory is %d", size, p.set.maxBlock, p.set.buffer)}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return p.txn.err
}

// newDelivery returns one with room for n records.
func (p *producer) newDelivery(n int) *delivery {
	var d *delivery
	if last := len(p.spare) - 1; last >= 0 {
		d, p.spare = p.spare[last], p.spare[:last]
		p.spared -= cap(d.slab)
	} else {
		d = new(delivery)
		d.promise = func(r *kgo.Record, err error) { p.delivered(d, r, err) }
	}
	if cap(d.slab) < n {
		d.slab = make([]kgo.Record, n)
	}
	d.slab = d.slab[:n]
	return d
}

// fill makes kgo's records.
func (d *delivery) fill(tp broker.TopicPartition, records []broker.Record, now func() time.Time) {
	headers := 0
	for i := range records {
		headers += len(records[i].Headers)
	}
	if cap(d.headers) < headers {
		d.headers = make([]kgo.RecordHeader, 0, headers)
	}
	d.headers = d.headers[:0]
	for i := range records {
		r, out := &records[i], &d.slab[i]
		*out = kgo.Record{Key: r.Key, Value: r.Value, Topic: tp.Topic, Partition: tp.Partition}
		if r.Timestamp == broker.NoTimestamp {
			out.Timestamp = now()
		} else {
			out.Timestamp = time.UnixMilli(r.Timestamp)
		}
		if n := len(r.Headers); n > 0 {
			from := len(d.headers)
			for _, h := range r.Headers {
				d.headers = append(d.headers, kgo.RecordHeader(h))
			}
			out.Headers = d.headers[from:len(d.headers):len(d.headers)]
		}
	}
}

// delivered is told of one record. kgo calls it for one record at a time, from goroutines of its own.
func (p *producer) delivered(d *delivery, r *kgo.Record, err error) {
	if err != nil {
		if d.err == nil {
			d.err = err
		}
	} else if r == &d.slab[0] && !p.untold {
		d.base = r.Offset
	}
	d.left--
	if d.left > 0 {
		return
	}
	p.mu.Lock()
	p.ended = append(p.ended, d)
	p.mu.Unlock()
	select {
	case p.done <- struct{}{}:
	default:
	}
}

// runAcks tells the engine of the deliveries that have ended.
func (p *producer) runAcks() {
	for {
		p.mu.Lock()
		ended := p.ended
		p.ended = nil
		p.mu.Unlock()
		if len(ended) == 0 {
			return
		}
		for _, d := range ended {
			p.records -= len(d.slab)
			p.bytes -= d.bytes
			p.finish(d)
		}
	}
}

// finish runs one delivery's ack and keeps it for the next Send.
func (p *producer) finish(d *delivery) {
	var err error
	if d.err != nil {
		d.base = broker.NoOffset
		err = wrap(p.ctx, "Produce", d.err, d.place())
		if p.id != "" {
			p.failTransaction(err)
		}
	}
	ack := d.ack
	d.ack, d.err = nil, nil
	if d.promise != nil && p.spared+cap(d.slab) <= maxSpared {
		p.spared += cap(d.slab)
		p.spare = append(p.spare, d)
	}
	if ack != nil {
		ack(d.base, err)
	} else if err != nil && p.lost == nil {
		p.lost = err
	}
}

func (d *delivery) place() string {
	return fmt.Sprintf("%s-%d, %d records", d.slab[0].Topic, d.slab[0].Partition, len(d.slab))
}

func (p *producer) Flush(ctx context.Context) error {
	if p.closed {
		return broker.ErrClosed
	}
	if err := p.flush(ctx); err != nil {
		return err
	}
	err := p.lost
	p.lost = nil
	return err
}

// flush waits until everything is acknowledged, and runs the acks.
func (p *producer) flush(ctx context.Context) error {
	p.runAcks()
	for p.records > 0 {
		if err := p.cl.Flush(ctx); err != nil {
			return wrap(ctx, "Produce", err, "flush")
		}
		p.runAcks()
	}
	return nil
}

func (p *producer) Close() {
	if p.closed {
		return
	}
	p.closed = true
	p.cancel()
	p.cl.Close()
}

// errLost marks a commit whose outcome is unknown.
var errLost = errors.New("the outcome of the commit is unknown")
