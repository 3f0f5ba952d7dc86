package simulated

import (
	"errors"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// fetch sees to it that every partition that can be read is being read: positions are looked up, and each broker has one fetch
// for all that it leads and that is neither paused nor buffered. A fetch that waits there already is left alone.
func (c *consumer) fetch() {
	if !c.dirty || c.closed {
		return
	}
	c.dirty = false
	c.findPositions()
	c.validate()
	now := c.c.p.Now()
	var unknown []string
	for _, p := range c.parts {
		t := c.c.topics[p.tp.Topic]
		if t == nil || t.stale || int(p.tp.Partition) >= len(t.leaders) || t.leaders[p.tp.Partition] < 0 {
			if !slices.Contains(unknown, p.tp.Topic) {
				unknown = append(unknown, p.tp.Topic)
			}
		}
	}
	for id := 1; id < len(c.nodes); id++ {
		c.fetchFrom(int32(id), now)
	}
	if unknown != nil && !c.asking {
		c.asking = true
		c.c.refreshSoon(unknown, func() { c.leadersKnown(unknown) })
	}
}

// leadersKnown goes on after a refresh: at once, or after a back-off when it was of no use.
func (c *consumer) leadersKnown(topics []string) {
	c.asking = false
	for _, name := range topics {
		t := c.c.topics[name]
		if t == nil || t.stale || slices.Contains(t.leaders, -1) {
			c.later(retryBackoff)
			return
		}
	}
	c.later(0)
}

// later has fetch run after a while.
func (c *consumer) later(d time.Duration) {
	again := func() {
		c.dirty = true
		c.fetch()
	}
	if d == 0 {
		again()
		return
	}
	c.c.p.After(d, again)
}

func (c *consumer) wanted(id int32) []fetchPart {
	var out []fetchPart
	for _, p := range c.parts {
		if p.pos < 0 || p.looking || p.paused || p.buffered {
			continue
		}
		t := c.c.topics[p.tp.Topic]
		if t == nil || t.stale {
			continue
		}
		if leader, epoch := c.c.leader(p.tp); leader == id && !p.unvalidated(epoch) {
			out = append(out, fetchPart{p.tp, p.pos, epoch, c.cfg.PartitionMax})
		}
	}
	return out
}

func (c *consumer) fetchFrom(id int32, now time.Time) {
	n := &c.nodes[id]
	want := c.wanted(id)
	if len(want) == 0 || covers(n.parts, want) || now.Before(n.again) {
		return
	}
	n.serial++
	n.parts = want
	serial := n.serial
	req := &fetchRequest{
		session: c.session, client: c.cfg.ClientID, isolation: c.cfg.Isolation, maxBytes: c.cfg.MaxBytes, minBytes: c.cfg.MinBytes, maxWait: c.cfg.MaxWait, parts: want,
	}
	asked := make([]*consumerPart, len(want))
	for i := range want {
		asked[i] = c.index[want[i].tp]
	}
	c.c.net.CallAsync(c.c.p, brokerAddr(id), req, requestBytes+32*len(want), func(resp any, err error) {
		if n := &c.nodes[id]; n.serial == serial && !c.closed {
			n.parts = nil
			c.arrived(id, asked, want, resp, err)
		}
	})
}

// covers says whether a fetch under way asks for all that is wanted, at the same offsets.
func covers(under, want []fetchPart) bool {
	i := 0
	for _, w := range want {
		for i < len(under) && under[i].tp != w.tp {
			i++
		}
		if i == len(under) || under[i] != w {
			return false
		}
	}
	return true
}

// arrived takes the answer to the one fetch under way at a broker.
func (c *consumer) arrived(id int32, asked []*consumerPart, want []fetchPart, resp any, err error) {
	c.dirty = true
	if err != nil {
		for _, p := range asked {
			c.stale(p.tp.Topic)
		}
		c.nodes[id].again = c.c.p.Now().Add(retryBackoff)
		c.later(retryBackoff)
		return
	}
	parts := resp.(*fetchResponse).parts
	if d := resp.(*fetchResponse).throttle; d > 0 {
		c.nodes[id].again = c.c.p.Now().Add(d)
		c.later(d)
	}
	for i := range parts {
		f := &parts[i]
		j := slices.IndexFunc(asked, func(p *consumerPart) bool { return p.tp == f.tp })
		if p := asked[j]; !p.gone && !p.buffered && p.pos == f.offset {
			p.validated = max(p.validated, want[j].leaderEpoch)
			c.received(p, f)
		}
	}
	c.fetch()
	c.sig.wake()
}

func (c *consumer) stale(topic string) {
	if t := c.c.topics[topic]; t != nil {
		t.stale = true
	}
}

// received takes one partition's share.
func (c *consumer) received(p *consumerPart, f *fetchedPart) {
	switch f.code {
	case codeNone:
		p.buffered = true
		c.queue = append(c.queue, &fetched{part: p, fetchedPart: *f})
	case codeOffsetOutOfRange:
		if c.cfg.Reset == broker.ResetNone {
			c.outOfRange(p)
			return
		}
		p.pos, p.reset = broker.NoOffset, true
	default:
		c.stale(p.tp.Topic)
		if f.code == codeUnknownTopic {
			c.later(retryBackoff)
		}
	}
}

// outOfRange makes Poll fail, once it is known what is there instead. The partition waits for a Seek.
func (c *consumer) outOfRange(p *consumerPart) {
	offset := p.pos
	p.pos, p.looking = broker.NoOffset, true
	c.lookUp(earliestTimestamp, []*consumerPart{p}, func(_ *consumerPart, earliest int64) {
		c.lookUp(latestTimestamp, []*consumerPart{p}, func(_ *consumerPart, latest int64) {
			p.pos = offset
			p.fault = &broker.OffsetOutOfRange{TopicPartition: p.tp, Offset: offset, Earliest: earliest, Latest: latest}
			c.sig.wake()
		})
	})
}

// findPositions starts to look up the positions that are not known.
func (c *consumer) findPositions() {
	var resets, committed []*consumerPart
	for _, p := range c.parts {
		switch {
		case p.pos >= 0 || p.looking:
		case p.reset || c.committed == nil:
			resets = append(resets, p)
		default:
			committed = append(committed, p)
		}
	}
	if len(committed) > 0 {
		c.findCommitted(committed)
	}
	if len(resets) == 0 {
		return
	}
	ts := earliestTimestamp
	switch c.cfg.Reset {
	case broker.ResetLatest:
		ts = latestTimestamp
	case broker.ResetNone:
		for _, p := range resets {
			p.looking = true
			p.fault = &broker.Error{Op: "OffsetFetch", Kind: broker.ErrNoOffset, Text: p.tp.String()}
		}
		c.sig.wake()
		return
	}
	for _, p := range resets {
		p.looking = true
	}
	c.lookUp(ts, resets, c.found)
}

// found sets a position that was looked up.
func (c *consumer) found(p *consumerPart, offset int64) {
	p.looking, p.reset, p.pos = false, false, offset
	c.dirty = true
	c.fetch()
	c.sig.wake()
}

func (c *consumer) findCommitted(parts []*consumerPart) {
	tps := make([]broker.TopicPartition, len(parts))
	for i, p := range parts {
		p.looking = true
		tps[i] = p.tp
	}
	c.committed(tps, func(offsets map[broker.TopicPartition]broker.OffsetAndMetadata, err error) {
		if err != nil && !errors.Is(err, broker.ErrRetriable) {
			c.failed = err
			c.sig.wake()
		}
		for _, p := range parts {
			p.looking = false
			if p.gone || err != nil {
				continue
			}
			if o, ok := offsets[p.tp]; ok {
				p.pos, p.epoch = o.Offset, o.LeaderEpoch
				p.validated = o.LeaderEpoch
			} else {
				p.reset = true
			}
		}
		c.dirty = true
		if err != nil {
			c.later(retryBackoff)
			return
		}
		c.fetch()
		c.sig.wake()
	})
}

// lookUp asks for offsets by time without blocking, until each partition has an answer or is no longer assigned.
func (c *consumer) lookUp(ts int64, parts []*consumerPart, found func(*consumerPart, int64)) {
	isolation := c.cfg.Isolation
	again := func(ps []*consumerPart, topics []string) {
		c.c.p.After(retryBackoff, func() {
			c.c.refreshSoon(topics, func() { c.lookUp(ts, ps, found) })
		})
	}
	for id := int32(-1); int(id) < len(c.nodes); id++ {
		var mine []*consumerPart
		req := &listOffsetsRequest{timestamp: ts, isolation: isolation}
		var topics []string
		for _, p := range parts {
			leader, _ := c.c.leader(p.tp)
			if p.gone || leader != id {
				continue
			}
			mine, req.tps = append(mine, p), append(req.tps, p.tp)
			if !slices.Contains(topics, p.tp.Topic) {
				topics = append(topics, p.tp.Topic)
			}
		}
		switch {
		case mine == nil:
		case id < 1:
			again(mine, topics)
		default:
			c.c.net.CallAsync(c.c.p, brokerAddr(id), req, requestBytes, func(resp any, err error) {
				failed := mine
				if err == nil {
					failed = c.lookedUp(mine, resp.(*listOffsetsResponse), found)
				}
				if failed != nil {
					again(failed, topics)
				}
			})
		}
	}
}

// lookedUp hands on what was found, and returns the partitions that have to be asked for again.
func (c *consumer) lookedUp(parts []*consumerPart, r *listOffsetsResponse, found func(*consumerPart, int64)) []*consumerPart {
	var failed []*consumerPart
	for i, p := range parts {
		switch {
		case p.gone || c.closed:
		case r.codes[i] != codeNone:
			failed = append(failed, p)
		default:
			found(p, r.offsets[i])
		}
	}
	return failed
}
