package simulated

import (
	"time"

	"github.com/kstreamlab/kstreamlab/sim"
)

// cleanerState is a partition's one timer for retention and compaction. It is set for the next time at which there can be
// something to do, as far as the topic's settings ask for any: a partition at rest costs nothing.
type cleanerState struct {
	timer    *sim.Timer
	at       time.Time // zero: not set
	segments int       // when it was last looked at
}

// scheduleCleaning is called after each append.
func (p *partition) scheduleCleaning() {
	t, s := p.topic, &p.cleaner
	if !t.cleaned() {
		return
	}
	if !s.at.IsZero() && s.segments == len(p.log.segments) && (t.retentionBytes < 0 || p.log.bytes <= t.retentionBytes) {
		return
	}
	s.segments = len(p.log.segments)
	at := p.nextCleaning()
	if at.IsZero() || !s.at.IsZero() && !at.Before(s.at) {
		return
	}
	s.at = at
	if d := at.Sub(p.m.k.Now()); s.timer == nil {
		s.timer = p.m.k.After(d, p.clean)
	} else {
		s.timer.Reset(d)
	}
}

// cleaned says whether the topic's settings ask for anything.
func (t *topic) cleaned() bool {
	return t.compact || t.remove && (t.retentionMs >= 0 || t.retentionBytes >= 0)
}

// nextCleaning is when there may be something to do; zero: not as things are.
func (p *partition) nextCleaning() time.Time {
	t, l, now := p.topic, p.log, p.m.k.Now()
	var next time.Time
	earlier := func(at time.Time) {
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	if t.remove && len(l.segments) > 0 {
		check := p.m.cfg.LogRetentionCheckInterval
		if t.retentionMs >= 0 {
			due := time.UnixMilli(l.segments[0].maxTimestamp + t.retentionMs + 1)
			if due.Before(now) {
				due = now
			}
			earlier(due.Truncate(check).Add(check))
		}
		if t.retentionBytes >= 0 && l.bytes-l.segments[0].bytes >= t.retentionBytes {
			earlier(now.Truncate(check).Add(check))
		}
	}
	if t.compact && l.dirty(p.cleanable()) > t.dirtyRatio {
		earlier(now.Add(p.m.cfg.LogCleanerBackoff))
	}
	return next
}

// clean does what is due. It runs at the leader; a partition without one is left alone until the next append.
func (p *partition) clean() {
	p.cleaner.at = time.Time{}
	if p.deleted || p.set.leader < 0 {
		return
	}
	t, l, now := p.topic, p.log, p.m.k.Now().UnixMilli()
	if t.remove {
		stable := l.lastStable(p.set.hw)
		l.moveStart(l.expired(now, t.retentionMs, t.retentionBytes, stable))
	}
	if end := p.cleanable(); t.compact && l.dirty(end) > t.dirtyRatio {
		l.compact(end, now, t.deleteRetention)
	}
	p.scheduleCleaning()
}

// cleanable is the offset up to which the log may be compacted: neither the active segment, nor anything that an open transaction
// may still change, nor what is younger than min.compaction.lag.ms.
func (p *partition) cleanable() int64 {
	l := p.log
	if len(l.segments) == 0 {
		return l.start
	}
	end := min(l.lastStable(p.set.hw), l.segments[len(l.segments)-1].base)
	if lag := p.topic.compactionLag; lag > 0 {
		young := p.m.k.Now().UnixMilli() - lag
		for _, s := range l.segments {
			if s.maxTimestamp > young {
				end = min(end, s.base)
				break
			}
		}
	}
	return end
}

// expired is the offset below which whole segments are too old or too many, but never above limit. The active segment may go too,
// when it is too old.
func (l *log) expired(now, retentionMs, retentionBytes, limit int64) int64 {
	to, bytes := l.start, l.bytes
	for i, s := range l.segments {
		upper, active := l.end, i == len(l.segments)-1
		if !active {
			upper = l.segments[i+1].base
		}
		old := retentionMs >= 0 && s.maxTimestamp+retentionMs < now
		big := retentionBytes >= 0 && !active && bytes-s.bytes >= retentionBytes
		if upper > limit || !old && !big {
			break
		}
		to = upper
		bytes -= s.bytes
	}
	return to
}

// dirty is the share of bytes below end that compaction has not seen; 0 when there are none.
func (l *log) dirty(end int64) float64 {
	var clean, dirty int64
	for _, s := range l.segments {
		switch {
		case s.base >= end:
		case s.base < l.cleaned:
			clean += s.bytes
		default:
			dirty += s.bytes
		}
	}
	if dirty == 0 {
		return 0
	}
	return float64(dirty) / float64(clean+dirty)
}

// compact keeps, below end, the last record of each key. Aborted records go; tombstones and markers go once they have been seen
// by a compaction deleteRetention ms ago. Offsets do not change, and neither does the log start.
func (l *log) compact(end, now, deleteRetention int64) {
	latest := map[string]int64{}
	n := l.find(end)
	for _, b := range l.batches[l.find(l.cleaned):n] {
		if b.control != noMarker || l.isAborted(b) {
			continue
		}
		for i := range b.records {
			latest[string(b.records[i].Key)] = b.offset(i)
		}
	}
	kept := make([]*batch, 0, len(l.batches))
	for _, b := range l.batches[:n] {
		if c := l.compacted(b, latest, now, deleteRetention); c != nil {
			kept = append(kept, c)
		}
	}
	l.batches = append(kept, l.batches[n:]...)
	l.cleaned = end
	l.recount()
}

// compacted is what compaction leaves of a batch; nil: nothing.
func (l *log) compacted(b *batch, latest map[string]int64, now, deleteRetention int64) *batch {
	c := *b
	if c.horizon == 0 {
		c.horizon = now + deleteRetention
	}
	over := now >= c.horizon && b.horizon != 0
	if b.control != noMarker {
		if over {
			return nil
		}
		return &c
	}
	if l.isAborted(b) {
		return nil
	}
	c.records, c.deltas, c.bytes = nil, nil, batchOverhead
	for i := range b.records {
		r := &b.records[i]
		if last, ok := latest[string(r.Key)]; ok && b.offset(i) < last || r.Value == nil && over {
			continue
		}
		c.records = append(c.records, *r)
		c.deltas = append(c.deltas, int32(b.offset(i)-b.base))
		c.bytes += recordBytes(r)
	}
	if len(c.records) == 0 {
		return nil
	}
	return &c
}

// isAborted says whether a data batch belongs to an aborted transaction.
func (l *log) isAborted(b *batch) bool {
	if !b.transaction {
		return false
	}
	for _, t := range l.aborted {
		if t.producer == b.producer && t.first <= b.base && b.base < t.marker {
			return true
		}
	}
	return false
}

// recount computes the sizes anew.
func (l *log) recount() {
	l.bytes = 0
	for i := range l.segments {
		l.segments[i].bytes = 0
	}
	i := 0
	for _, b := range l.batches {
		for i+1 < len(l.segments) && l.segments[i+1].base <= b.base {
			i++
		}
		l.segments[i].bytes += int64(b.bytes)
		l.bytes += int64(b.bytes)
	}
}
