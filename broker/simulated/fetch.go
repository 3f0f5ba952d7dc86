package simulated

import (
	"maps"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// fetchRequest reads from partitions that one broker leads. A session has one fetch at a broker at a time: a newer one makes the
// broker answer the older one, empty. With nothing to read the request is parked: there is no fetch.max.wait unless MinBytes asks for
// more than there is.
type fetchRequest struct {
	session   int64
	client    string
	isolation broker.IsolationLevel
	maxBytes  int
	minBytes  int
	maxWait   time.Duration
	parts     []fetchPart
}

type fetchPart struct {
	tp          broker.TopicPartition
	offset      int64
	leaderEpoch int32 // of the client's metadata
	maxBytes    int
}

type fetchResponse struct {
	parts    []fetchedPart // those with something to tell
	throttle time.Duration // for how long the client must be silent
}

// fetchedPart is a run of a log. The batches are the log's own and never change.
type fetchedPart struct {
	tp         broker.TopicPartition
	code       code
	offset     int64 // as asked
	start      int64
	hw, stable int64
	batches    []*batch
	aborted    []abortedTxn // under ReadCommitted
}

// closeSession, as a session's request without partitions, forgets the session.

// fetchSession is one consumer at one broker.
type fetchSession struct {
	node   *node
	id     int64
	owner  string
	parts  []*partition // of the parked or last request; those that this broker leads
	req    *fetchRequest
	out    reply // nil: nothing is parked
	waited *sim.Timer
}

func (b *node) fetch(from string, r *fetchRequest, out reply) {
	s := b.sessions[r.session]
	if s == nil {
		if len(r.parts) == 0 {
			out(&fetchResponse{}, smallResponse)
			return
		}
		s = &fetchSession{node: b, id: r.session, owner: from}
		b.sessions[r.session] = s
	}
	s.release()
	if len(r.parts) == 0 {
		s.watch(nil)
		delete(b.sessions, s.id)
		out(&fetchResponse{}, smallResponse)
		return
	}
	s.req, s.out = r, out
	if d := b.use(consumerQuota, r.client, 0); d > 0 {
		s.finish(&fetchResponse{throttle: d}, smallResponse)
		return
	}
	if s.answer(false) {
		return
	}
	s.watch(r)
	if r.minBytes > 1 && r.maxWait > 0 {
		s.waited = b.m.k.After(r.maxWait, func() { s.answer(true) })
	}
}

// release answers a parked request with nothing.
func (s *fetchSession) release() {
	if s.out != nil {
		s.finish(&fetchResponse{}, smallResponse)
	}
}

func (s *fetchSession) finish(resp *fetchResponse, bytes int) {
	out := s.out
	s.out = nil
	if s.waited != nil {
		s.waited.Stop()
		s.waited = nil
	}
	out(resp, bytes)
}

// retry is called when something has changed in one of the session's partitions.
func (s *fetchSession) retry() {
	if s.out != nil {
		s.answer(false)
	}
}

// answer replies when there is enough to tell, or in any case when late.
func (s *fetchSession) answer(late bool) bool {
	if s.out == nil {
		return false
	}
	r, left := s.req, s.req.maxBytes
	var resp *fetchResponse
	total, ready := 0, late
	for i := range r.parts {
		f, bytes := s.node.readPart(r, &r.parts[i], left, total == 0)
		if f.code == codeNone && len(f.batches) == 0 {
			continue
		}
		if resp == nil {
			resp = &fetchResponse{parts: make([]fetchedPart, 0, len(r.parts)-i)}
		}
		resp.parts = append(resp.parts, f)
		ready = ready || f.code != codeNone
		total += bytes
		left -= bytes
		if left <= 0 {
			break
		}
	}
	if !ready && (total == 0 || total < r.minBytes) {
		return false
	}
	if resp == nil {
		resp = &fetchResponse{}
	}
	s.node.use(consumerQuota, r.client, total)
	s.finish(resp, smallResponse+total)
	return true
}

func (b *node) readPart(r *fetchRequest, q *fetchPart, left int, first bool) (fetchedPart, int) {
	f := fetchedPart{tp: q.tp, offset: q.offset}
	p, c := b.led(q.tp)
	switch {
	case c != codeNone:
		f.code = c
	case q.leaderEpoch >= 0 && q.leaderEpoch < p.set.epoch:
		f.code = codeFencedLeaderEpoch
	case q.leaderEpoch > p.set.epoch:
		f.code = codeUnknownLeaderEpoch
	}
	if f.code != codeNone {
		return f, 0
	}
	f.start, f.hw = p.log.start, p.set.hw
	f.stable = p.limit(broker.ReadCommitted)
	if q.offset < f.start || q.offset > p.log.end {
		f.code = codeOffsetOutOfRange
		return f, 0
	}
	limit := f.hw
	if r.isolation == broker.ReadCommitted {
		limit = f.stable
	}
	if q.offset >= limit || left <= 0 && !first {
		return f, 0
	}
	var bytes int
	f.batches, bytes = p.log.read(q.offset, limit, min(q.maxBytes, left))
	if r.isolation == broker.ReadCommitted && len(f.batches) > 0 && len(p.log.aborted) > 0 {
		f.aborted = p.log.abortedIn(q.offset, f.batches[len(f.batches)-1].last+1)
	}
	return f, bytes
}

// watch registers the session with exactly the partitions of the request.
func (s *fetchSession) watch(r *fetchRequest) {
	if r != nil && s.same(r) {
		return
	}
	for _, p := range s.parts {
		p.fetches = slices.DeleteFunc(p.fetches, func(o *fetchSession) bool { return o == s })
	}
	s.parts = s.parts[:0]
	if r == nil {
		return
	}
	for i := range r.parts {
		if p := s.node.m.partition(r.parts[i].tp); p != nil {
			s.parts = append(s.parts, p)
			p.fetches = append(p.fetches, s)
		}
	}
}

func (s *fetchSession) same(r *fetchRequest) bool {
	if len(s.parts) != len(r.parts) {
		return false
	}
	for i, p := range s.parts {
		if p.deleted || p.tp != r.parts[i].tp {
			return false
		}
	}
	return true
}

// dropSessions forgets all sessions, as a crash does.
func (b *node) dropSessions() {
	b.dropWhere(func(*fetchSession) bool { return true })
}

func (b *node) dropSessionsOf(process string) {
	b.dropWhere(func(s *fetchSession) bool { return s.owner == process })
}

func (b *node) dropWhere(drop func(*fetchSession) bool) {
	for _, id := range slices.Sorted(maps.Keys(b.sessions)) {
		if s := b.sessions[id]; drop(s) {
			s.out = nil
			s.watch(nil)
			delete(b.sessions, id)
		}
	}
}
