package kafka

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/kstreamlab/kstreamlab/broker"
)

const (
	// lanes is how many fetches may be under way to one broker, each on a connection of its own, for a broker answers a connection's
	// requests one after the other: a partition whose buffer has room again must not wait for a fetch of others that is parked
	// because they have nothing new. So that there is always a lane for it, the last free one never parks: it fetches only
	// partitions that had something when they were last asked, and asks the broker not to wait.
	lanes = 3
	// readAhead is how many fetches of a partition wait for Poll.
	readAhead = 2
	// replicaFor is how long a follower is fetched from before the leader is asked again.
	replicaFor = 5 * time.Minute
)

// wanted is a partition in a fetch request, as it was when the request was made.
type wanted struct {
	p       *partition
	version int
	from    int64
	epoch   int32
	replica bool
	topic   string
	id      [16]byte

	// the answer
	chunk *chunk
	err   error
	code  int16
	hint  int32 // the preferred read replica; -1 none
}

// dispatch starts what can be started: look-ups, and fetches of the partitions whose buffer has room. The mutex is held.
func (c *consumer) dispatch() {
	if c.closed {
		return
	}
	now := time.Now()
	var next time.Time
	resolve := false
	var brokers []int32
	byBroker := make(map[int32][]*wanted, 4)
	for _, p := range c.ring {
		if p.fetching || p.fault != nil || len(p.chunks) >= readAhead {
			continue
		}
		if p.retryAt.After(now) {
			if next.IsZero() || p.retryAt.Before(next) {
				next = p.retryAt
			}
			continue
		}
		if p.find != findNothing || p.leader < 0 {
			resolve = true
			continue
		}
		if p.replica >= 0 && now.After(p.replicaUntil) {
			p.replica = -1
		}
		to, w := p.leader, &wanted{p: p, version: p.version, from: p.fetchAt, epoch: p.epoch, topic: p.tp.Topic, id: p.topicID, hint: -1}
		if p.replica >= 0 {
			to, w.replica = p.replica, true
		}
		if byBroker[to] == nil {
			brokers = append(brokers, to)
		}
		byBroker[to] = append(byBroker[to], w)
	}
	for _, id := range brokers {
		c.startFetch(id, byBroker[id])
	}
	if resolve && !c.resolving {
		c.resolving = true
		go c.resolve()
	}
	c.retryAt(next)
}

// retryAt dispatches again at that time; zero: not needed.
func (c *consumer) retryAt(at time.Time) {
	if c.due != nil {
		c.due.Stop()
		c.due = nil
	}
	if at.IsZero() {
		return
	}
	c.due = time.AfterFunc(time.Until(at), func() {
		c.mu.Lock()
		c.dispatch()
		c.mu.Unlock()
	})
}

// startFetch fetches from a broker if one of its lanes is free.
func (c *consumer) startFetch(id int32, ws []*wanted) {
	if c.busy[id] == nil {
		c.busy[id] = new([lanes]bool)
	}
	lane, wait := slices.Index(c.busy[id][:], false), c.cfg.MaxWait
	if lane < 0 {
		return
	}
	if slices.Index(c.busy[id][lane+1:], false) < 0 {
		wait = 0
		ws = slices.DeleteFunc(ws, func(w *wanted) bool { return w.p.idle })
		if len(ws) == 0 {
			return
		}
	}
	c.busy[id][lane] = true
	for _, w := range ws {
		w.p.fetching = true
	}
	go c.fetch(id, lane, wait, ws)
}

// fetch asks one broker once and hands over the answer.
func (c *consumer) fetch(id int32, lane int, wait time.Duration, ws []*wanted) {
	cl, err := c.lane(lane)
	var resp *kmsg.FetchResponse
	if err == nil {
		var r kmsg.Response
		if r, err = cl.Broker(int(id)).Request(c.ctx, c.fetchRequest(wait, ws)); err == nil {
			resp = r.(*kmsg.FetchResponse)
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
	}
	if err != nil {
		if cl != nil && lane > 0 && c.ctx.Err() == nil {
			_, _ = topicsMetadata(c.ctx, cl, nil, false) // the lane's client may not have met this broker; the fetch itself is retried
		}
		for _, w := range ws {
			w.err = err
		}
	} else {
		c.decodeResponse(resp, ws)
	}
	c.mu.Lock()
	c.busy[id][lane] = false
	for _, w := range ws {
		c.land(w)
	}
	c.dispatch()
	c.mu.Unlock()
	c.notify()
}

// lane returns the client of a lane, made when it is first needed.
func (c *consumer) lane(i int) (*kgo.Client, error) {
	c.mu.Lock()
	cl, closed := c.lanes[i], c.closed
	c.mu.Unlock()
	if closed {
		return nil, broker.ErrClosed
	}
	if cl != nil {
		return cl, nil
	}
	cl, err := c.c.newClient(&c.set, c.cfg.ClientID)
	if err != nil {
		return nil, err
	}
	if _, err := topicsMetadata(c.ctx, cl, nil, false); err != nil {
		cl.Close()
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.lanes[i] != nil {
		defer cl.Close()
		if c.closed {
			return nil, broker.ErrClosed
		}
		return c.lanes[i], nil
	}
	c.lanes[i] = cl
	return cl, nil
}

func (c *consumer) fetchRequest(wait time.Duration, ws []*wanted) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis = int32(wait.Milliseconds())
	req.MinBytes, req.MaxBytes = int32(c.cfg.MinBytes), int32(c.cfg.MaxBytes)
	req.IsolationLevel = int8(c.cfg.Isolation)
	req.SessionEpoch = -1 // no fetch session: the set changes with every request
	req.Rack = c.cfg.Rack
	for _, w := range ws {
		if n := len(req.Topics); n == 0 || req.Topics[n-1].Topic != w.topic {
			t := kmsg.NewFetchRequestTopic()
			t.Topic, t.TopicID = w.topic, w.id
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.CurrentLeaderEpoch = w.p.tp.Partition, w.from, w.epoch
		p.PartitionMaxBytes = int32(c.cfg.PartitionMax)
		t := &req.Topics[len(req.Topics)-1]
		t.Partitions = append(t.Partitions, p)
	}
	return req
}

// decodeResponse fills in the answers.
func (c *consumer) decodeResponse(resp *kmsg.FetchResponse, ws []*wanted) {
	d := decoder{decompress: decompressor, trusting: !c.set.checkCRC}
	for i := range resp.Topics {
		t := &resp.Topics[i]
		for j := range t.Partitions {
			rp := &t.Partitions[j]
			for _, w := range ws {
				if w.p.tp.Partition == rp.Partition && (w.topic == t.Topic || t.Topic == "" && w.id == t.TopicID) {
					c.decodePartition(&d, rp, w)
					break
				}
			}
		}
	}
}

var decompressor = kgo.DefaultDecompressor()

func (c *consumer) decodePartition(d *decoder, rp *kmsg.FetchResponseTopicPartition, w *wanted) {
	w.code, w.hint = rp.ErrorCode, rp.PreferredReadReplica
	if w.code != 0 {
		return
	}
	ch := &chunk{bytes: len(rp.RecordBatches), next: w.from, highWatermark: rp.HighWatermark, lastStable: rp.LastStableOffset}
	if len(rp.RecordBatches) > 0 {
		var into []broker.Record
		c.mu.Lock()
		if n := len(c.free); n > 0 {
			into, c.free = c.free[n-1], c.free[:n-1]
		}
		c.mu.Unlock()
		var aborted []kmsg.FetchResponseTopicPartitionAbortedTransaction
		if c.cfg.Isolation == broker.ReadCommitted {
			aborted = rp.AbortedTransactions
		}
		ch.records, ch.next, w.err = d.decode(rp.RecordBatches, w.from, aborted, into)
	}
	w.chunk = ch
}

// land puts an answer where Poll finds it. The mutex is held.
func (c *consumer) land(w *wanted) {
	p := w.p
	p.fetching = false
	if w.version != p.version || c.parts[p.tp] != p {
		return
	}
	switch {
	case w.code != 0:
		c.failed(p, w)
	case w.chunk == nil:
		// the broker could not be reached, or did not answer for this partition
		p.leader, p.replica = -1, -1
		c.backOff(p)
	default:
		p.retries, p.idle = 0, w.chunk.bytes == 0
		if w.hint >= 0 && w.hint != p.leader {
			p.replica, p.replicaUntil = w.hint, time.Now().Add(replicaFor)
		}
		if w.chunk.next > w.from {
			p.chunks = append(p.chunks, w.chunk)
			p.buffered += w.chunk.bytes
			p.fetchAt = w.chunk.next
		} else if w.err != nil {
			p.fault = &broker.Error{Op: "Fetch", Kind: broker.ErrFatal, Text: p.tp.String() + ": " + w.err.Error()}
		}
	}
}

// failed deals with a code in a fetch response.
func (c *consumer) failed(p *partition, w *wanted) {
	switch w.code {
	case kerr.OffsetOutOfRange.Code:
		if w.replica {
			p.replica = -1 // the follower may be behind; the leader knows
			return
		}
		if len(p.chunks) == 0 {
			p.find = findRange
			return
		}
		c.backOff(p) // what was fetched is read first
	case kerr.TopicAuthorizationFailed.Code, kerr.ClusterAuthorizationFailed.Code, kerr.UnsupportedVersion.Code, kerr.InvalidRequest.Code:
		p.fault = codeError("Fetch", w.code, p.tp.String())
	default:
		p.leader, p.replica = -1, -1
		c.backOff(p)
	}
}

func (c *consumer) backOff(p *partition) {
	p.retries++
	p.retryAt = time.Now().Add(c.set.backoff(p.retries))
}

// resolve finds leaders and positions until nothing is left to be found.
func (c *consumer) resolve() {
	for {
		c.mu.Lock()
		leaders, finds := c.unresolved()
		if len(leaders) == 0 && len(finds) == 0 || c.closed {
			c.resolving = false
			c.dispatch()
			c.mu.Unlock()
			c.notify()
			return
		}
		c.mu.Unlock()
		if len(leaders) > 0 {
			c.findLeaders(leaders)
		}
		if len(finds) > 0 {
			c.findPositions(finds)
		}
	}
}

// sought is a partition as it was when a look-up began.
type sought struct {
	p       *partition
	version int
	find    find
	from    int64
}

func (c *consumer) unresolved() (leaders []*partition, finds []sought) {
	now := time.Now()
	for _, p := range c.ring {
		if p.fault != nil || p.retryAt.After(now) {
			continue
		}
		if p.leader < 0 {
			leaders = append(leaders, p)
		}
		if p.find != findNothing {
			finds = append(finds, sought{p, p.version, p.find, p.fetchAt})
		}
	}
	return leaders, finds
}

// findLeaders asks for the leaders of partitions; those without one are tried again later.
func (c *consumer) findLeaders(ps []*partition) {
	var topics []string
	for _, p := range ps {
		if len(topics) == 0 || topics[len(topics)-1] != p.tp.Topic {
			topics = append(topics, p.tp.Topic)
		}
	}
	found, err := topicsMetadata(c.ctx, c.lanes[0], topics, c.set.autoCreate)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, p := range ps {
		p.leader = -1
		if err == nil {
			t := found[p.tp.Topic]
			for _, tp := range t.Partitions {
				if tp.Partition == p.tp.Partition && tp.ErrorCode != kerr.LeaderNotAvailable.Code {
					p.leader, p.epoch, p.topicID = tp.Leader, tp.LeaderEpoch, t.TopicID
				}
			}
		}
		if p.leader < 0 {
			c.backOff(p)
		}
	}
}

// findPositions finds where partitions start. One that fails is tried again later, unless trying is of no use.
func (c *consumer) findPositions(finds []sought) {
	var committed, reset, outside []sought
	for _, s := range finds {
		switch s.find {
		case findCommitted:
			committed = append(committed, s)
		case findReset:
			reset = append(reset, s)
		default:
			outside = append(outside, s)
		}
	}
	if len(committed) > 0 {
		found, err := fetchCommitted(c.ctx, c.lanes[0], c.group, partitionsOf(committed))
		c.found(committed, err, func(s sought) {
			if o, ok := found[s.p.tp]; ok {
				c.start(s.p, o.Offset)
			} else {
				c.toReset(s.p)
			}
		})
	}
	if len(reset) > 0 {
		at := earliestOffset
		if c.cfg.Reset == broker.ResetLatest {
			at = latestOffset
		}
		if c.cfg.Reset == broker.ResetNone {
			c.found(reset, nil, func(s sought) { c.toReset(s.p) })
			return
		}
		found, err := listOffsets(c.ctx, c.lanes[0], c.cfg.Isolation, at, partitionsOf(reset))
		c.found(reset, err, func(s sought) { c.start(s.p, found[s.p.tp]) })
	}
	if len(outside) > 0 {
		c.findRanges(outside)
	}
}

// findRanges learns what there is instead of offsets that are out of range.
func (c *consumer) findRanges(outside []sought) {
	tps := partitionsOf(outside)
	earliest, err := listOffsets(c.ctx, c.lanes[0], broker.ReadUncommitted, earliestOffset, tps)
	var latest map[broker.TopicPartition]int64
	if err == nil {
		latest, err = listOffsets(c.ctx, c.lanes[0], c.cfg.Isolation, latestOffset, tps)
	}
	c.found(outside, err, func(s sought) {
		lo, hi := earliest[s.p.tp], latest[s.p.tp]
		switch {
		case s.from >= lo && s.from <= hi:
			s.p.find = findNothing // it is in range by now
		case c.cfg.Reset == broker.ResetEarliest:
			c.start(s.p, lo)
		case c.cfg.Reset == broker.ResetLatest:
			c.start(s.p, hi)
		default:
			s.p.fault = &broker.OffsetOutOfRange{TopicPartition: s.p.tp, Offset: s.from, Earliest: lo, Latest: hi}
		}
	})
}

// found applies the outcome of a look-up to the partitions that have not been moved meanwhile.
func (c *consumer) found(ss []sought, err error, apply func(sought)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range ss {
		if s.version != s.p.version || s.p.find != s.find {
			continue
		}
		if err == nil {
			s.p.retries = 0
			apply(s)
			continue
		}
		if coded(err, kerr.GroupAuthorizationFailed, kerr.TopicAuthorizationFailed) {
			s.p.fault = err
			continue
		}
		s.p.leader = -1
		c.backOff(s.p)
	}
}

func (c *consumer) start(p *partition, offset int64) { p.seek(offset) }

// toReset follows the reset policy for a partition that has no position.
func (c *consumer) toReset(p *partition) {
	if c.cfg.Reset != broker.ResetNone {
		p.find = findReset
		return
	}
	p.fault = &broker.Error{Op: "OffsetFetch", Kind: broker.ErrNoOffset, Text: p.tp.String()}
}

func partitionsOf(ss []sought) []broker.TopicPartition {
	tps := make([]broker.TopicPartition, len(ss))
	for i, s := range ss {
		tps[i] = s.p.tp
	}
	return tps
}
