package simulated

import "github.com/kstreamlab/kstreamlab/broker"

// epochRequest is OffsetForLeaderEpoch of partitions that one broker leads: where in its log each epoch ends.
type epochRequest struct {
	parts []epochPart
}

type epochPart struct {
	tp      broker.TopicPartition
	current int32 // the leader's epoch, as the client knows it
	epoch   int32
}

type epochResponse struct {
	codes  []code // as in the request
	epochs []int32
	ends   []int64
}

func (b *node) offsetForEpoch(r *epochRequest, out reply) {
	n := len(r.parts)
	resp := &epochResponse{make([]code, n), make([]int32, n), make([]int64, n)}
	for i, q := range r.parts {
		p, c := b.led(q.tp)
		switch {
		case c != codeNone:
			resp.codes[i] = c
		case q.current < p.set.epoch:
			resp.codes[i] = codeFencedLeaderEpoch
		case q.current > p.set.epoch:
			resp.codes[i] = codeUnknownLeaderEpoch
		default:
			resp.epochs[i], resp.ends[i] = p.log.epochEnd(q.epoch)
		}
	}
	out(resp, smallResponse+12*n)
}

// unvalidated says that a position was read under another leader: whether the log still has what came before it is asked first
// (KIP-320).
func (p *consumerPart) unvalidated(leaderEpoch int32) bool {
	return p.epoch >= 0 && leaderEpoch > p.validated
}

// validate asks the leaders about the positions that were read under another one.
func (c *consumer) validate() {
	for id := int32(1); int(id) < len(c.nodes); id++ {
		req := &epochRequest{}
		var parts []*consumerPart
		for _, p := range c.parts {
			leader, epoch := c.c.leader(p.tp)
			if leader != id || p.pos < 0 || p.looking || p.buffered || !p.unvalidated(epoch) || c.isStale(p.tp.Topic) {
				continue
			}
			p.looking = true
			parts, req.parts = append(parts, p), append(req.parts, epochPart{p.tp, epoch, p.epoch})
		}
		if parts == nil {
			continue
		}
		c.c.net.CallAsync(c.c.p, brokerAddr(id), req, requestBytes+16*len(parts), func(resp any, err error) {
			c.validatedBy(req, parts, resp, err)
		})
	}
}

func (c *consumer) isStale(topic string) bool {
	t := c.c.topics[topic]
	return t == nil || t.stale
}

func (c *consumer) validatedBy(req *epochRequest, parts []*consumerPart, resp any, err error) {
	again := false
	for i, p := range parts {
		p.looking = false
		switch {
		case p.gone || c.closed:
		case err != nil || resp.(*epochResponse).codes[i] != codeNone:
			c.stale(p.tp.Topic)
			again = true
		default:
			r := resp.(*epochResponse)
			p.validated = req.parts[i].current
			c.compare(p, r.epochs[i], r.ends[i])
		}
	}
	c.dirty = true
	if again {
		c.later(retryBackoff)
		return
	}
	c.fetch()
	c.sig.wake()
}

// compare judges where the leader says that the epoch ends in which the position was read.
func (c *consumer) compare(p *consumerPart, epoch int32, end int64) {
	switch {
	case epoch == p.epoch && end >= p.pos:
	case c.cfg.Reset == broker.ResetNone:
		c.failed = &broker.LogTruncated{TopicPartition: p.tp, Offset: p.pos, Divergent: end}
		p.epoch = -1
		p.looking = true // until a Seek
		c.sig.wake()
	case end < 0:
		p.pos, p.reset, p.epoch = broker.NoOffset, true, -1
	case end < p.pos:
		p.pos, p.epoch = end, epoch
	}
}
