package simulated

import (
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

// producerRequest is one produce request under way. After request.timeout.ms the client gives it up, as it does with the connection,
// and sends its batches again: the answer, should it still come, is of no use.
type producerRequest struct {
	p       *producer
	to      int32
	batches []*producerBatch
	due     time.Time
}

// answered takes the answer, or its loss.
func (r *producerRequest) answered(resp any, err error) {
	p := r.p
	i := slices.Index(p.requests, r)
	if i < 0 {
		return // given up
	}
	p.requests = slices.Delete(p.requests, i, i+1)
	p.flying[r.to]--
	if err == nil {
		p.mute(r.to, resp.(*produceResponse).throttle)
	}
	p.answered(r.batches, resp, err)
}

// mute keeps silent towards a broker that says so.
func (p *producer) mute(id int32, d time.Duration) {
	if d <= 0 {
		return
	}
	p.muted[id] = p.c.p.Now().Add(d)
	p.c.p.After(d, func() {
		if !p.closed {
			p.drain()
		}
	})
}

// watchRequests sees to it that one timer looks for the oldest request to be overdue; it is not moved when that is answered.
func (p *producer) watchRequests() {
	if p.late == nil && len(p.requests) > 0 {
		p.late = p.c.p.After(p.requests[0].due.Sub(p.c.p.Now()), p.giveUp)
	}
}

func (p *producer) giveUp() {
	p.late = nil
	now := p.c.p.Now()
	for len(p.requests) > 0 && !p.requests[0].due.After(now) && !p.closed {
		p.requests[0].answered(nil, sim.ErrTimeout)
	}
	if !p.closed {
		p.watchRequests()
	}
}
