package simulated

import "slices"

// adopt makes the partition's log that of one of its replicas: the common beginning with the log as it was, then the replica's
// tail. Where others had something else from there on, that becomes their tail: they keep it on disk until they follow the new leader
// and cut it, or until one of them leads again.
func (p *partition) adopt(i int) {
	s := p.set
	if i == p.holder {
		return
	}
	at, mine := s.ends[i], s.tail(i)
	if p.log.end == at && mine == nil {
		p.holder = i // it has all there is
		return
	}
	beyond := slices.Clone(p.log.batches[p.log.find(at):]) // what the old leader had
	if s.tails == nil {
		s.tails = make([][]*batch, len(s.replicas))
	}
	for j := range s.replicas {
		if j == i || s.ends[j] < at {
			continue
		}
		own := slices.Concat(below(beyond, s.ends[j]), s.tails[j])
		n := agree(own, mine)
		s.ends[j] = at
		if n > 0 {
			s.ends[j] = own[n-1].last + 1
		}
		s.tails[j] = own[n:]
		if len(own) == n {
			s.tails[j] = nil
		}
	}
	p.log.truncate(at)
	p.log.restore(mine, p.topic.roll)
	s.tails[i], s.ends[i] = nil, p.log.end
	p.holder = i
}

// below are the batches that end at or before an offset.
func below(bs []*batch, end int64) []*batch {
	n := 0
	for n < len(bs) && bs[n].last < end {
		n++
	}
	return bs[:n]
}

// agree is how many batches two logs have in common from one offset on: a batch is known by its offset and leader epoch.
func agree(a, b []*batch) int {
	n := 0
	for n < len(a) && n < len(b) && a[n].base == b[n].base && a[n].leaderEpoch == b[n].leaderEpoch {
		n++
	}
	return n
}

// restore puts batches that have their offsets at the end of the log again.
func (l *log) restore(bs []*batch, roll segmentRoll) {
	for _, b := range bs {
		l.beginEpoch(b.leaderEpoch, b.base)
		l.take(b, roll)
	}
}

// beginEpoch notes where a leader epoch starts; an entry for an epoch in which nothing was written gives way.
func (l *log) beginEpoch(epoch int32, start int64) {
	if n := len(l.epochs); n > 0 && l.epochs[n-1].epoch == epoch {
		return
	}
	for n := len(l.epochs); n > 0 && l.epochs[n-1].start >= start; n-- {
		l.epochs = l.epochs[:n-1]
	}
	l.epochs = append(l.epochs, epochStart{epoch, start})
}

// epochEnd is the largest epoch up to the given one in which something could be written, and where it ends; -1, -1: unknown.
func (l *log) epochEnd(epoch int32) (int32, int64) {
	if n := len(l.epochs); n > 0 && epoch >= l.epochs[n-1].epoch {
		return l.epochs[n-1].epoch, l.end
	}
	for i := len(l.epochs) - 2; i >= 0; i-- {
		if l.epochs[i].epoch <= epoch {
			return l.epochs[i].epoch, l.epochs[i+1].start
		}
	}
	return -1, -1
}
