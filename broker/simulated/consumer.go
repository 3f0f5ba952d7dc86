package simulated

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// consumer is the client side of reading. Events fetch ahead; the thread that owns it takes what has come in Poll.
type consumer struct {
	c       *client
	cfg     broker.ConsumerConfig
	sig     *signal
	session int64
	parts   []*consumerPart // sorted
	index   map[broker.TopicPartition]*consumerPart
	queue   []*fetched  // what has come and was not returned, oldest first
	nodes   []nodeFetch // by broker id
	dirty   bool        // what is to be fetched has changed
	woken   bool
	closed  bool
	asking  bool // for leaders

	polling  bool      // its owner is in Poll
	lastPoll time.Time // when Poll returned last

	batches []broker.Batch // of the last Poll
	records []broker.Record

	// committed, when set, finds where partitions without a position start; otherwise the reset policy says.
	committed func(tps []broker.TopicPartition, done func(map[broker.TopicPartition]broker.OffsetAndMetadata, error))
	failed    error // to be returned by the next Poll
}

// consumerPart is one assigned partition.
type consumerPart struct {
	tp       broker.TopicPartition
	pos      int64 // of the next record for Poll; NoOffset: not known yet
	paused   bool
	gone     bool  // no longer assigned, or assigned anew
	buffered bool  // something is in the queue
	looking  bool  // its position is being looked up
	reset    bool  // nothing is committed: the reset policy decides
	fault    error // Poll returns it, until a Seek, unless the partition is paused

	epoch     int32 // the leader epoch of what was read last; -1: not known
	validated int32 // the leader epoch under which the position was last known to be right
}

// fetched is one partition's share of an answer, and how far it was returned.
type fetched struct {
	part *consumerPart
	fetchedPart
	next int // the batch to go on with
}

// nodeFetch is what is under way at one broker.
type nodeFetch struct {
	serial int64
	parts  []fetchPart // empty: nothing
	again  time.Time   // back-off
}

// NewConsumer is broker.Cluster's.
func (c *client) NewConsumer(_ context.Context, cfg broker.ConsumerConfig) (broker.Consumer, error) {
	return newConsumer(c, cfg), nil
}

func newConsumer(c *client, cfg broker.ConsumerConfig) *consumer {
	cfg.ClientID = cmp.Or(cfg.ClientID, c.p.Name())
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, 50<<20)
	cfg.MinBytes = cmp.Or(cfg.MinBytes, 1)
	cfg.PartitionMax = cmp.Or(cfg.PartitionMax, 1<<20)
	cfg.MaxWait = cmp.Or(cfg.MaxWait, 500*time.Millisecond)
	return &consumer{
		c: c, cfg: cfg, sig: newSignal(c.p), session: c.session(), index: map[broker.TopicPartition]*consumerPart{},
		nodes: make([]nodeFetch, len(c.m.brokers)+1), lastPoll: c.p.Now(),
	}
}

// Assign is broker.Consumer's.
func (c *consumer) Assign(ctx context.Context, positions map[broker.TopicPartition]int64) error {
	if c.closed {
		return broker.ErrClosed
	}
	tps := slices.SortedFunc(maps.Keys(positions), broker.TopicPartition.Compare)
	for _, tp := range tps {
		t, err := c.c.topic(ctx, tp.Topic)
		if err != nil {
			return err
		}
		if tp.Partition < 0 || int(tp.Partition) >= len(t.leaders) {
			return codeUnknownTopic.err("Metadata", tp.String())
		}
	}
	c.assign(tps, positions)
	c.fetch()
	return nil
}

// assign replaces the assignment by the sorted tps; those that have no position in the map start, or go on, as Assign says.
func (c *consumer) assign(tps []broker.TopicPartition, positions map[broker.TopicPartition]int64) {
	old, before := c.index, c.parts
	c.index = make(map[broker.TopicPartition]*consumerPart, len(tps))
	c.parts = make([]*consumerPart, 0, len(tps))
	for _, tp := range tps {
		pos, given := positions[tp]
		if !given {
			pos = broker.NoOffset
		}
		p := old[tp]
		switch {
		case p != nil && pos != broker.NoOffset:
			paused := p.paused
			c.forget(p)
			p = &consumerPart{tp: tp, pos: pos, paused: paused, epoch: -1}
		case p == nil:
			p = &consumerPart{tp: tp, pos: pos, reset: c.committed == nil, epoch: -1}
		}
		c.index[tp], c.parts = p, append(c.parts, p)
	}
	for _, p := range before {
		p.gone = p.gone || c.index[p.tp] == nil
	}
	c.queue = slices.DeleteFunc(c.queue, func(f *fetched) bool { return f.part.gone })
	c.dirty = true
}

// forget makes what is under way or buffered for a partition void.
func (c *consumer) forget(p *consumerPart) {
	p.gone = true
	c.queue = slices.DeleteFunc(c.queue, func(f *fetched) bool { return f.part == p })
	c.dirty = true
}

// Seek is broker.Consumer's.
func (c *consumer) Seek(tp broker.TopicPartition, offset int64) {
	p := c.index[tp]
	if p == nil {
		return
	}
	c.forget(p)
	q := &consumerPart{tp: tp, pos: offset, paused: p.paused, reset: offset == broker.NoOffset && c.committed == nil, epoch: -1}
	c.index[tp] = q
	c.parts[slices.Index(c.parts, p)] = q
}

// Position is broker.Consumer's.
func (c *consumer) Position(tp broker.TopicPartition) int64 {
	if p := c.index[tp]; p != nil {
		return p.pos
	}
	return broker.NoOffset
}

// Pause is broker.Consumer's.
func (c *consumer) Pause(tps ...broker.TopicPartition) { c.setPaused(true, tps) }

// Resume is broker.Consumer's.
func (c *consumer) Resume(tps ...broker.TopicPartition) { c.setPaused(false, tps) }

func (c *consumer) setPaused(paused bool, tps []broker.TopicPartition) {
	for _, tp := range tps {
		if p := c.index[tp]; p != nil && p.paused != paused {
			p.paused, c.dirty = paused, true
		}
	}
}

// Wakeup is broker.Consumer's.
func (c *consumer) Wakeup() {
	c.woken = true
	c.sig.wake()
}

// EndOffsets is broker.Consumer's.
func (c *consumer) EndOffsets(ctx context.Context, i broker.IsolationLevel, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return c.c.listOffsets(ctx, latestTimestamp, i, tps)
}

// Close is broker.Consumer's.
func (c *consumer) Close() {
	if c.closed {
		return
	}
	c.closed = true
	c.assign(nil, nil)
	for id := 1; id < len(c.nodes); id++ {
		if c.nodes[id].serial > 0 {
			c.c.net.CallAsync(c.c.p, brokerAddr(int32(id)), &fetchRequest{session: c.session}, requestBytes, nil)
		}
	}
}

// Poll is broker.Consumer's.
func (c *consumer) Poll(ctx context.Context, limit int, wait time.Duration) ([]broker.Batch, error) {
	return c.poll(ctx, limit, wait, nil)
}

// poll is Poll of a consumer or a member. A member's advance takes the steps that are due before each look, and says whether a callback has
// run: then poll returns.
func (c *consumer) poll(ctx context.Context, limit int, wait time.Duration, advance func(context.Context) (called bool, err error)) ([]broker.Batch, error) {
	c.polling = true
	defer func() { c.polling, c.lastPoll = false, c.c.p.Now() }()
	var deadline time.Time
	if wait > 0 {
		deadline = c.c.p.Now().Add(wait)
	}
	for {
		called := false
		if advance != nil && !c.closed {
			var err error
			if called, err = advance(ctx); err != nil {
				return nil, err
			}
		}
		out, over, err := c.pollOnce(limit)
		if over || err != nil || called {
			return out, err
		}
		if wait == 0 || wait > 0 && !c.c.p.Now().Before(deadline) {
			return nil, ctx.Err()
		}
		if err := c.sig.wait(ctx, deadline); err != nil {
			return nil, err
		}
	}
}

// pollOnce says whether there is something to return.
func (c *consumer) pollOnce(limit int) ([]broker.Batch, bool, error) {
	switch {
	case c.closed:
		return nil, true, broker.ErrClosed
	case c.woken:
		c.woken = false
		return nil, true, nil
	case c.failed != nil:
		err := c.failed
		c.failed = nil
		return nil, true, err
	}
	for _, p := range c.parts {
		if p.fault != nil && !p.paused {
			return nil, true, p.fault
		}
	}
	out := c.collect(limit)
	c.fetch() // ahead, while the caller works
	return out, len(out) > 0, nil
}

// collect takes up to limit records out of the queue: a partition's are one batch; paused ones stay.
func (c *consumer) collect(limit int) []broker.Batch {
	c.batches, c.records = c.batches[:0], c.records[:0]
	for i := 0; i < len(c.queue) && limit > 0; {
		f := c.queue[i]
		if f.part.paused {
			i++
			continue
		}
		first := len(c.records)
		done := c.take(f, first+limit)
		got := c.records[first:len(c.records):len(c.records)]
		limit -= len(got)
		c.batches = append(c.batches, broker.Batch{
			TopicPartition: f.part.tp, Records: got, Next: f.part.pos, HighWatermark: f.hw, LastStable: f.stable,
		})
		if !done { // the others come first next time
			c.queue = append(slices.Delete(c.queue, i, i+1), f)
			break
		}
		f.part.buffered = false
		c.queue = slices.Delete(c.queue, i, i+1)
		c.dirty = true
	}
	return c.batches
}

// take moves records until there are most of them, and says whether the answer is used up.
func (c *consumer) take(f *fetched, most int) bool {
	for ; f.next < len(f.batches); f.next++ {
		b := f.batches[f.next]
		if b.control == noMarker && !f.isAborted(b) {
			for i := b.from(f.part.pos); i < len(b.records); i++ {
				if len(c.records) == most {
					f.part.pos, f.part.epoch = b.offset(i), b.leaderEpoch
					return false
				}
				r := b.records[i]
				r.Offset, r.Timestamp = b.offset(i), b.timestamp(i)
				c.records = append(c.records, r)
			}
		}
		f.part.pos, f.part.epoch = b.last+1, b.leaderEpoch
	}
	return true
}

// from is the index of the first record at or after an offset.
func (b *batch) from(offset int64) int {
	if b.deltas == nil {
		return int(max(offset-b.base, 0))
	}
	i, _ := slices.BinarySearch(b.deltas, int32(max(offset-b.base, 0)))
	return i
}

// isAborted says whether a batch belongs to an aborted transaction.
func (f *fetched) isAborted(b *batch) bool {
	if !b.transaction || len(f.aborted) == 0 {
		return false
	}
	return slices.ContainsFunc(f.aborted, func(t abortedTxn) bool {
		return t.producer == b.producer && t.first <= b.base && b.base < t.marker
	})
}
