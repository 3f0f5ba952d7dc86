package task

import (
	"context"
	"errors"
	"math/rand/v2"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// batchRecords is how many records of one partition are gathered before they are handed to the producer without waiting for the end of
// the round.
const batchRecords = 512

// arenaBlock is the size of the blocks that keys and values are cut from.
const arenaBlock = 64 << 10

// Collector gathers what the tasks of one thread write, and hands it to the thread's producer in batches: Kafka's RecordCollector.
type Collector struct {
	producer broker.Producer
	ctx      context.Context
	txn      bool // transactional
	open     bool // a transaction is open

	topics map[string]*topicOut
	order  []*partitionOut // those that have something pending, in order of their first record
	spare  []*partitionOut // memory for the next order
	stuck  []*topicOut     // those that have a sticky partition
	err    error
	failed func(f *WriteFailure) Answer // the production exception handler
	rand   *rand.Rand
	arena  []byte
	batch  int
	free   [][]broker.Record
}

type topicOut struct {
	name   string
	parts  []*partitionOut
	sticky int32
}

type partitionOut struct {
	tp      broker.TopicPartition
	records []broker.Record
	ack     broker.Ack
	sent    [][]broker.Record // handed over, oldest first, one ack each
	next    int64             // the offset after the last record written; -1: none was
}

// NewCollector returns a collector over a producer. ctx is the thread's. failed is the production exception handler; nil: FAIL.
func NewCollector(ctx context.Context, p broker.Producer, transactional bool, r *rand.Rand, failed func(f *WriteFailure) Answer) *Collector {
	return &Collector{producer: p, ctx: ctx, txn: transactional, topics: map[string]*topicOut{}, failed: failed, rand: r, batch: batchRecords}
}

// SetBatch changes how many records of one partition are gathered; 1 keeps the order of records over all partitions.
func (c *Collector) SetBatch(n int) { c.batch = n }

// Producer is the thread's producer.
func (c *Collector) Producer() broker.Producer { return c.producer }

// InTransaction says whether something was sent since the last commit or abort.
func (c *Collector) InTransaction() bool { return c.open }

func (c *Collector) topic(name string) (*topicOut, error) {
	if t, ok := c.topics[name]; ok {
		return t, nil
	}
	n, err := c.producer.Partitions(c.ctx, name)
	if err != nil {
		if errors.Is(err, broker.ErrUnknownTopic) {
			return nil, err
		}
		return nil, &processor.TaskError{Err: err}
	}
	t := &topicOut{name: name, sticky: -1}
	for i := range n {
		p := &partitionOut{tp: broker.TopicPartition{Topic: name, Partition: i}, next: -1}
		p.ack = func(base int64, err error) { c.acked(p, base, err) }
		t.parts = append(t.parts, p)
	}
	c.topics[name] = t
	return t, nil
}

// Partitions is the number of partitions of a topic.
func (c *Collector) Partitions(topic string) (int32, error) {
	t, err := c.topic(topic)
	if err != nil {
		return 0, err
	}
	return int32(len(t.parts)), nil
}

// Send takes a record. See processor.Task.
func (c *Collector) Send(topic string, partition int32, hash []byte, r broker.Record) error {
	if c.err != nil {
		return c.err
	}
	t, err := c.topic(topic)
	if err != nil {
		return err
	}
	return c.send(c.partition(t, partition, hash), r)
}

func (c *Collector) send(p *partitionOut, r broker.Record) error {
	if c.err != nil {
		return c.err
	}
	c.add(p, r)
	if len(p.records) >= c.batch {
		return c.Dispatch()
	}
	return nil
}

// gather is Send that leaves it to the next one to hand anything over: inside an ack.
func (c *Collector) gather(topic string, partition int32, hash []byte, r broker.Record) error {
	t, err := c.topic(topic)
	if err == nil {
		c.add(c.partition(t, partition, hash), r)
	}
	return err
}

func (c *Collector) partition(t *topicOut, partition int32, hash []byte) *partitionOut {
	n := int32(len(t.parts))
	switch {
	case partition >= 0:
	case hash != nil && n == 1:
		partition = 0
	case hash != nil:
		partition = broker.PartitionForKey(hash, n)
	default:
		if t.sticky < 0 {
			t.sticky = c.rand.Int32N(n)
			c.stuck = append(c.stuck, t)
		}
		partition = t.sticky
	}
	return t.parts[partition]
}

func (c *Collector) add(p *partitionOut, r broker.Record) {
	if len(p.records) == 0 {
		c.order = append(c.order, p)
		if k := len(c.free); p.records == nil && k > 0 {
			p.records, c.free = c.free[k-1], c.free[:k-1]
		}
	}
	p.records = append(p.records, r)
}

// Dispatch hands everything gathered to the producer, and begins a transaction where one is due.
func (c *Collector) Dispatch() error {
	if len(c.order) == 0 {
		return c.err
	}
	if c.txn && !c.open {
		if err := c.producer.Begin(); err != nil {
			return &processor.TaskError{Err: err}
		}
		c.open = true
	}
	order := c.order
	c.order = c.spare[:0] // an ack may gather again
	defer func() { c.spare = order }()
	for _, p := range order {
		records := p.records
		p.records = nil
		p.sent = append(p.sent, records)
		if err := c.producer.Send(c.ctx, p.tp, records, p.ack); err != nil {
			return &processor.TaskError{Err: err}
		}
	}
	for _, t := range c.stuck {
		t.sticky = -1
	}
	c.stuck = c.stuck[:0]
	return c.err
}

func (c *Collector) acked(p *partitionOut, base int64, err error) {
	records := p.sent[0]
	if len(p.sent) == 1 {
		p.sent = p.sent[:0]
	} else {
		p.sent = p.sent[1:]
	}
	if err == nil {
		p.next = base + int64(len(records))
	} else if c.err == nil {
		if errors.Is(err, broker.ErrFenced) || errors.Is(err, broker.ErrAbortable) || errors.Is(err, broker.ErrClosed) || !c.handled(p, records, err) {
			c.err = &processor.TaskError{Err: err}
		}
	}
	if cap(records) <= 4*batchRecords && len(c.free) < 64 {
		clear(records)
		c.free = append(c.free, records[:0])
	}
}

// handled asks the production exception handler about each record that was not written, and writes those again that it says.
func (c *Collector) handled(p *partitionOut, records []broker.Record, err error) bool {
	if c.failed == nil {
		return false
	}
	var again []broker.Record
	for i := range records {
		a := c.failed(&WriteFailure{p.tp, &records[i], err})
		for _, l := range a.DeadLetters {
			if err := c.gather(l.Topic, l.Partition, l.Key, l.Record); err != nil {
				return false
			}
		}
		switch {
		case a.Decision == Continue:
		case a.Decision == Retry && errors.Is(err, broker.ErrRetriable) && !c.txn:
			again = append(again, records[i])
		default:
			return false
		}
	}
	if len(again) > 0 {
		if len(p.records) == 0 {
			c.order = append(c.order, p)
		}
		p.records = append(again, p.records...)
	}
	return true
}

// Flush sends everything and waits until it is written.
func (c *Collector) Flush() error {
	for {
		if err := c.Dispatch(); err != nil {
			return err
		}
		if err := c.producer.Flush(c.ctx); err != nil {
			return &processor.TaskError{Err: err}
		}
		if c.err != nil || len(c.order) == 0 {
			return c.err
		} // else a handler has asked for another try, or written dead letters
	}
}

// written is where a partition's records go, nil when none was sent.
func (c *Collector) written(tp broker.TopicPartition) *partitionOut {
	t := c.topics[tp.Topic]
	if t == nil || int(tp.Partition) >= len(t.parts) {
		return nil
	}
	return t.parts[tp.Partition]
}

// Commit ends the transaction, with the positions of the group in it. The caller has flushed.
func (c *Collector) Commit(group broker.GroupMetadata, offsets map[broker.TopicPartition]broker.OffsetAndMetadata) error {
	if len(offsets) > 0 {
		if !c.open {
			if err := c.producer.Begin(); err != nil {
				return err
			}
			c.open = true
		}
		if err := c.producer.SendOffsets(c.ctx, group, offsets); err != nil {
			return err
		}
	}
	if !c.open {
		return nil
	}
	if err := c.producer.Commit(c.ctx); err != nil {
		return err
	}
	c.open = false
	return nil
}

// Abort drops what is gathered and ends an open transaction without effect. After an error the producer must be replaced.
func (c *Collector) Abort() error {
	for _, p := range c.order {
		p.records = nil
	}
	c.order = c.order[:0]
	if c.txn && c.open {
		if err := c.producer.Abort(c.ctx); err != nil {
			return err
		}
		c.open = false
	}
	c.err = nil
	return nil
}

// Alloc and Keep: see processor.Task.
func (c *Collector) Alloc(n int) []byte {
	if cap(c.arena)-len(c.arena) < n {
		c.arena = make([]byte, 0, max(arenaBlock, n))
	}
	return c.arena[len(c.arena):]
}

// Keep marks what was appended to Alloc's slice as used. Where it did not fit, append has moved it, and nothing is to be marked.
func (c *Collector) Keep(b []byte) {
	if len(c.arena)+len(b) <= cap(c.arena) && len(b) > 0 && &c.arena[:cap(c.arena)][len(c.arena)] == &b[0] {
		c.arena = c.arena[:len(c.arena)+len(b)]
	}
}

// clone copies bytes into the arena.
func (c *Collector) clone(b []byte) []byte {
	out := append(c.Alloc(len(b)), b...)
	c.Keep(out)
	if out == nil {
		out = []byte{}
	}
	return out[:len(out):len(out)]
}
