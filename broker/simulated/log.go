package simulated

import (
	"maps"
	"slices"
	"sort"
)

// log is one partition's log: batches, the producers' state, the index of aborted transactions, leader epochs and segments.
// The high watermark is the replica set's; the log is told of it.
type log struct {
	batches  []*batch
	start    int64
	end      int64
	bytes    int64
	segments []segment
	epochs   []epochStart
	aborted  []abortedTxn // by marker offset

	producers map[int64]*producerState
	// open are the transactions without a marker yet, by first offset; unstable those whose marker is at or above the high watermark.
	open     []openTxn
	unstable []abortedTxn // every ended transaction, not only aborted ones

	cleaned int64 // compaction has seen everything below
}

// segment is a run of offsets that retention and compaction treat as one. It ends where the next begins.
type segment struct {
	base         int64
	bytes        int64
	firstTime    int64
	maxTimestamp int64
}

type epochStart struct {
	epoch int32
	start int64
}

type openTxn struct {
	producer int64
	first    int64
}

// abortedTxn is a transaction that ended: its first offset and its marker's.
type abortedTxn struct {
	producer int64
	first    int64
	marker   int64
}

func newLog() *log { return &log{producers: map[int64]*producerState{}} }

// append puts a batch at the end and gives it its offsets. The caller has checked it (checkProducer, checkMarker).
func (l *log) append(b *batch, roll segmentRoll) {
	b.base = l.end
	b.last = l.end + int64(b.count) - 1
	l.beginEpoch(b.leaderEpoch, b.base)
	l.take(b, roll)
}

// take puts a batch that has its offsets at the end.
func (l *log) take(b *batch, roll segmentRoll) {
	l.toSegment(b, roll)
	l.batches = append(l.batches, b)
	l.end = b.last + 1
	l.bytes += int64(b.bytes)
	l.replay(b)
}

// segmentRoll is when a segment is full.
type segmentRoll struct {
	bytes int64
	ms    int64
}

func (l *log) toSegment(b *batch, roll segmentRoll) {
	n := len(l.segments)
	if n > 0 {
		s := &l.segments[n-1]
		full := s.bytes+int64(b.bytes) > roll.bytes || b.maxTimestamp-s.firstTime > roll.ms
		if !full || s.bytes == 0 {
			s.bytes += int64(b.bytes)
			s.maxTimestamp = max(s.maxTimestamp, b.maxTimestamp)
			return
		}
	}
	l.segments = append(l.segments, segment{b.base, int64(b.bytes), b.maxTimestamp, b.maxTimestamp})
}

// replay applies an appended batch to the producers' state.
func (l *log) replay(b *batch) {
	if b.producer == noProducer {
		return
	}
	p := l.producers[b.producer]
	if p == nil {
		p = &producerState{epoch: -1, txnFirst: -1, coordEpoch: -1}
		l.producers[b.producer] = p
	}
	if b.control != noMarker {
		l.endTxn(p, b)
		return
	}
	p.add(b)
	if b.transaction && p.txnFirst < 0 {
		p.txnFirst = b.base
		l.open = append(l.open, openTxn{b.producer, b.base})
	}
}

func (l *log) endTxn(p *producerState, b *batch) {
	if b.epoch > p.epoch {
		p.epoch, p.entries = b.epoch, p.entries[:0]
	}
	p.coordEpoch, p.written = b.coordEpoch, b.written
	p.lastTimestamp = b.maxTimestamp
	if p.txnFirst < 0 {
		return
	}
	t := abortedTxn{b.producer, p.txnFirst, b.base}
	l.unstable = append(l.unstable, t)
	if b.control == abortMarker {
		l.aborted = append(l.aborted, t)
	}
	l.open = slices.DeleteFunc(l.open, func(o openTxn) bool { return o.producer == b.producer })
	p.txnFirst = -1
}

// replicated tells that everything below hw is in the in-sync replicas.
func (l *log) replicated(hw int64) {
	if len(l.unstable) > 0 {
		l.unstable = slices.DeleteFunc(l.unstable, func(t abortedTxn) bool { return t.marker < hw })
	}
}

// lastStable is the last stable offset under this high watermark.
func (l *log) lastStable(hw int64) int64 {
	if len(l.open) > 0 {
		hw = min(hw, l.open[0].first)
	}
	for _, t := range l.unstable {
		hw = min(hw, t.first)
	}
	return hw
}

// find is the index of the batch that holds offset, or of the first one after it.
func (l *log) find(offset int64) int {
	n := len(l.batches)
	if n > 0 && offset > l.batches[n-1].last {
		return n
	}
	return sort.Search(n, func(i int) bool { return l.batches[i].last >= offset })
}

// read returns the batches from offset up to limit, at least one and otherwise not more than maxBytes, and their bytes.
func (l *log) read(offset, limit int64, maxBytes int) ([]*batch, int) {
	i := l.find(offset)
	j, bytes := i, 0
	for j < len(l.batches) && l.batches[j].last < limit {
		if j > i && bytes+l.batches[j].bytes > maxBytes {
			break
		}
		bytes += l.batches[j].bytes
		j++
	}
	return l.batches[i:j:j], bytes
}

// abortedIn returns the aborted transactions that touch [from, to).
func (l *log) abortedIn(from, to int64) []abortedTxn {
	i := sort.Search(len(l.aborted), func(i int) bool { return l.aborted[i].marker >= from })
	var out []abortedTxn
	for _, t := range l.aborted[i:] {
		if t.first < to {
			out = append(out, t)
		}
	}
	return out
}

// offsetForTime is the first offset below limit whose record has this timestamp or a later one, with that timestamp; -1 if there is none.
func (l *log) offsetForTime(ts, limit int64) (int64, int64) {
	for _, b := range l.batches {
		if b.last >= limit {
			break
		}
		if b.maxTimestamp < ts || b.last < l.start {
			continue
		}
		if b.control != noMarker { // a marker has the time at which it was written
			return b.base, b.maxTimestamp
		}
		for i := range b.records {
			if t := b.timestamp(i); t >= ts && b.offset(i) >= l.start {
				return b.offset(i), t
			}
		}
	}
	return -1, -1
}

// offsetOfMaxTime is the first offset below limit with the largest timestamp of all; -1 if there is none.
func (l *log) offsetOfMaxTime(limit int64) int64 {
	best, at := int64(-1), int64(-1)
	for _, b := range l.batches {
		if b.last >= limit {
			break
		}
		if b.maxTimestamp <= best || b.last < l.start {
			continue
		}
		if b.control != noMarker {
			best, at = b.maxTimestamp, b.base
		}
		for i := range b.records {
			if t := b.timestamp(i); t > best && b.offset(i) >= l.start {
				best, at = t, b.offset(i)
			}
		}
	}
	return at
}

// moveStart raises the log start offset and drops what is wholly below it.
func (l *log) moveStart(to int64) {
	if to <= l.start {
		return
	}
	l.start = to
	i := l.find(to)
	for _, b := range l.batches[:i] {
		l.bytes -= int64(b.bytes)
	}
	l.batches = slices.Clone(l.batches[i:])
	for len(l.segments) > 1 && l.segments[1].base <= to {
		l.segments = l.segments[1:]
	}
	if len(l.batches) == 0 {
		l.segments = nil
	}
	l.aborted = slices.DeleteFunc(l.aborted, func(t abortedTxn) bool { return t.marker < to })
	l.cleaned = max(l.cleaned, to)
}

// truncate cuts the log back to end (a batch boundary), as after the election of a replica that has no more, and rebuilds the
// producers' state from what is left.
func (l *log) truncate(end int64) {
	if end >= l.end {
		return
	}
	old := l.batches
	l.batches = slices.Clone(old[:l.find(end)])
	l.end = end
	l.start = min(l.start, end)
	l.cleaned = min(l.cleaned, end)
	l.epochs = slices.DeleteFunc(l.epochs, func(e epochStart) bool { return e.start >= end })
	for n := len(l.segments); n > 0 && l.segments[n-1].base >= end; n-- {
		l.segments = l.segments[:n-1]
	}
	if n := len(l.segments); n > 0 {
		s := &l.segments[n-1]
		s.bytes = 0
		for _, b := range l.batches[l.find(s.base):] {
			s.bytes += int64(b.bytes)
		}
	}
	l.rebuild(old[len(l.batches):])
}

// rebuild replays the whole log into a fresh producers' state. Producers that wrote nothing of what was cut keep theirs: the log
// may no longer hold all of their batches.
func (l *log) rebuild(cut []*batch) {
	before := l.producers
	for _, b := range cut {
		delete(before, b.producer)
	}
	l.open, l.unstable, l.aborted, l.bytes = nil, nil, nil, 0
	l.producers = make(map[int64]*producerState, len(before))
	for _, b := range l.batches {
		l.bytes += int64(b.bytes)
		l.replay(b)
	}
	maps.Copy(l.producers, before)
}
