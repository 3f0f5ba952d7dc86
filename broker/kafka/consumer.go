package kafka

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
)

// consumer is broker.Consumer. Its thread takes from partitions what fetches, on goroutines of their own, have put there.
type consumer struct {
	c      *Cluster
	cfg    broker.ConsumerConfig
	set    settings
	group  string // where committed positions come from; empty: nowhere
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // something happened that a blocked Poll must look at

	mu     sync.Mutex
	parts  map[broker.TopicPartition]*partition
	ring   []*partition // the same, in order
	turn   int          // whose turn it is in ring
	lanes  [lanes]*kgo.Client
	busy   map[int32]*[lanes]bool // by broker: which lanes have a fetch under way
	free   [][]broker.Record
	due    *time.Timer // the next retry
	woken  bool
	closed bool
	// resolving: a goroutine is finding leaders and positions
	resolving bool

	// the thread's own
	timer   *time.Timer
	batches []broker.Batch
	given   [][]broker.Record // what the last Poll returned the end of
}

var _ broker.Consumer = (*consumer)(nil)

// NewConsumer returns a consumer of assigned partitions.
func (c *Cluster) NewConsumer(_ context.Context, cfg broker.ConsumerConfig) (broker.Consumer, error) {
	return c.newConsumer(property.Consumer, cfg, "")
}

func (c *Cluster) newConsumer(kind property.Kind, cfg broker.ConsumerConfig, group string) (*consumer, error) {
	set, err := c.settings(kind, cfg.Properties)
	if err != nil {
		return nil, err
	}
	def := set.consumer
	cfg.ClientID = cmp.Or(cfg.ClientID, def.ClientID)
	cfg.Rack = cmp.Or(cfg.Rack, def.Rack)
	cfg.Isolation = cmp.Or(cfg.Isolation, def.Isolation)
	cfg.Reset = cmp.Or(cfg.Reset, def.Reset)
	cfg.MaxBytes = cmp.Or(cfg.MaxBytes, def.MaxBytes)
	cfg.MinBytes = cmp.Or(cfg.MinBytes, def.MinBytes)
	cfg.PartitionMax = cmp.Or(cfg.PartitionMax, def.PartitionMax)
	cfg.MaxWait = max(cmp.Or(cfg.MaxWait, def.MaxWait), 10*time.Millisecond) // fetches follow each other: without a wait they would spin
	co := &consumer{c: c, cfg: cfg, set: set, group: group, wake: make(chan struct{}, 1),
		parts: make(map[broker.TopicPartition]*partition), busy: make(map[int32]*[lanes]bool)}
	cl, err := c.newClient(&co.set, cfg.ClientID)
	if err != nil {
		return nil, err
	}
	co.lanes[0] = cl
	co.ctx, co.cancel = context.WithCancel(context.Background())
	return co, nil
}

func (c *consumer) Assign(_ context.Context, positions map[broker.TopicPartition]int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return broker.ErrClosed
	}
	kept := make(map[broker.TopicPartition]*partition, len(positions))
	for tp, offset := range positions {
		p := c.parts[tp]
		if p == nil || offset != broker.NoOffset {
			p = newPartition(tp)
			p.find = findReset
			if offset != broker.NoOffset {
				p.seek(offset)
			}
		}
		kept[tp] = p
	}
	c.replace(kept)
	return nil
}

// replace makes parts the assignment.
func (c *consumer) replace(parts map[broker.TopicPartition]*partition) {
	c.parts = parts
	c.ring = c.ring[:0]
	for _, p := range parts {
		c.ring = append(c.ring, p)
	}
	slices.SortFunc(c.ring, func(a, b *partition) int { return a.tp.Compare(b.tp) })
	c.turn = 0
	c.dispatch()
}

func (c *consumer) Poll(ctx context.Context, max int, wait time.Duration) ([]broker.Batch, error) {
	return c.poll(ctx, max, wait, nil)
}

// poll is Poll. events, when not nil, runs what a member's group has for its thread; Poll returns after it said that it ran
// something.
func (c *consumer) poll(ctx context.Context, max int, wait time.Duration, events func(context.Context) (bool, error)) ([]broker.Batch, error) {
	c.recycle()
	var due <-chan time.Time
	if wait > 0 {
		due = c.startTimer(wait)
		defer c.timer.Stop()
	}
	for {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if events != nil {
			if ran, err := events(ctx); ran || err != nil {
				return nil, err
			}
		}
		out, done, err := c.take(max)
		if done || err != nil || wait == 0 {
			return out, err
		}
		select {
		case <-c.wake:
		case <-due:
			wait = 0 // look once more
		case <-ctx.Done():
		}
	}
}

func (c *consumer) startTimer(d time.Duration) <-chan time.Time {
	if c.timer == nil {
		c.timer = time.NewTimer(d)
	} else {
		c.timer.Reset(d)
	}
	return c.timer.C
}

// take returns what is there, at most max records, from one partition after the other; done says that Poll should return.
func (c *consumer) take(max int) (out []broker.Batch, done bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, true, broker.ErrClosed
	}
	done, c.woken = c.woken, false
	c.batches = c.batches[:0]
	n := len(c.ring)
	if c.turn >= n {
		c.turn = 0
	}
	first := c.turn
	for i := range n {
		p := c.ring[(first+i)%n]
		if p.fault != nil && !p.paused {
			return nil, true, p.fault
		}
	}
	for i := 0; i < n && max > 0; i++ {
		at := (first + i) % n
		p := c.ring[at]
		if p.paused || len(p.chunks) == 0 {
			continue
		}
		b, emptied := p.take(max)
		if emptied != nil {
			c.given = append(c.given, emptied)
		}
		max -= len(b.Records)
		c.batches = append(c.batches, b)
		c.turn = at + 1
	}
	if len(c.batches) > 0 {
		done = true
	}
	c.dispatch()
	return c.batches, done, nil
}

// recycle lets fetches reuse what the last Poll gave out.
func (c *consumer) recycle() {
	if len(c.given) == 0 {
		return
	}
	for _, r := range c.given {
		clear(r) // or they would hold on to the bytes
	}
	c.mu.Lock()
	for _, r := range c.given {
		if len(c.free) < 2*len(c.ring) {
			c.free = append(c.free, r[:0])
		}
	}
	c.mu.Unlock()
	clear(c.given)
	c.given = c.given[:0]
}

// notify makes the thread look again. It never blocks.
func (c *consumer) notify() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *consumer) Wakeup() {
	c.mu.Lock()
	c.woken = true
	c.mu.Unlock()
	c.notify()
}

func (c *consumer) Seek(tp broker.TopicPartition, offset int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.parts[tp]; p != nil {
		p.seek(offset)
		c.dispatch()
	}
}

func (c *consumer) Position(tp broker.TopicPartition) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.parts[tp]; p != nil && p.find == findNothing {
		return p.position
	}
	return broker.NoOffset
}

func (c *consumer) Pause(tps ...broker.TopicPartition)  { c.setPaused(tps, true) }
func (c *consumer) Resume(tps ...broker.TopicPartition) { c.setPaused(tps, false) }

func (c *consumer) setPaused(tps []broker.TopicPartition, paused bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tp := range tps {
		if p := c.parts[tp]; p != nil {
			p.paused = paused
		}
	}
}

func (c *consumer) EndOffsets(ctx context.Context, isolation broker.IsolationLevel, tps ...broker.TopicPartition) (map[broker.TopicPartition]int64, error) {
	return c.c.awaitOffsets(ctx, c.lanes[0], &c.set, isolation, latestOffset, tps)
}

func (c *consumer) Close() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed = true
	if c.due != nil {
		c.due.Stop()
	}
	c.mu.Unlock()
	c.notify()
	c.cancel()
	for _, cl := range c.lanes {
		if cl != nil {
			cl.Close()
		}
	}
}

// partition is the state of one assigned partition. It is guarded by the consumer's mutex.
type partition struct {
	tp       broker.TopicPartition
	version  int   // rises at each seek: what was asked for before it is dropped
	position int64 // of the next record that Poll returns
	fetchAt  int64 // of the next fetch
	find     find
	paused   bool
	fault    error // Poll returns it, until a seek

	leader, epoch int32 // leader -1: to be looked up
	topicID       [16]byte
	replica       int32     // a follower to fetch from, as the leader said (KIP-392); -1 none
	replicaUntil  time.Time // when to ask the leader again

	fetching bool
	idle     bool // the last fetch brought nothing
	retries  int
	retryAt  time.Time

	chunks   []*chunk
	buffered int // bytes in chunks
}

// find says what has to be found out before a partition can be fetched.
type find int8

const (
	findNothing   find = iota
	findCommitted      // the group's position, or else as findReset
	findReset          // where the reset policy says
	findRange          // the fetch was out of range: what is there?
)

func newPartition(tp broker.TopicPartition) *partition {
	return &partition{tp: tp, position: broker.NoOffset, fetchAt: broker.NoOffset, leader: -1, replica: -1}
}

func (p *partition) seek(offset int64) {
	p.version++
	p.position, p.fetchAt = offset, offset
	p.find, p.fault = findNothing, nil
	p.chunks, p.buffered = nil, 0
	p.retries, p.retryAt, p.idle = 0, time.Time{}, false
}

// take removes up to max records of the first chunk; emptied are the chunk's records if nothing of it is left.
func (p *partition) take(max int) (b broker.Batch, emptied []broker.Record) {
	ch := p.chunks[0]
	end := min(len(ch.records), ch.at+max)
	b = broker.Batch{TopicPartition: p.tp, Records: ch.records[ch.at:end:end], HighWatermark: ch.highWatermark, LastStable: ch.lastStable}
	ch.at = end
	if end == len(ch.records) {
		b.Next = ch.next
		p.chunks = slices.Delete(p.chunks, 0, 1)
		p.buffered -= ch.bytes
		emptied = ch.records
	} else {
		b.Next = ch.records[end].Offset // beyond offsets that were compacted away
	}
	p.position = b.Next
	return b, emptied
}
