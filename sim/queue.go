package sim

// entry is one thing that will happen: tm fires at at, unless tm was stopped or set anew (its gen moved on).
type entry struct {
	at  int64
	seq uint64 // order of scheduling; also the identity that the digest takes in
	tm  *Timer
	gen uint32
}

func (e *entry) stale() bool { return e.gen != e.tm.gen }

func (e *entry) before(f *entry) bool { return e.at < f.at || e.at == f.at && e.seq < f.seq }

// queue holds what will happen: ready is due now and taken in random order, later is a 4-ary heap by (at, seq). Stopped timers are
// dropped when they surface, or when the heap has doubled since the last look.
type queue struct {
	ready   []entry
	later   []entry
	seq     uint64
	rng     splitmix
	sweepAt int
}

func (q *queue) push(now, at int64, tm *Timer) {
	q.seq++
	e := entry{at: at, seq: q.seq, tm: tm, gen: tm.gen}
	if at <= now {
		e.at = now
		q.ready = append(q.ready, e)
		return
	}
	if len(q.later) >= q.sweepAt {
		q.sweep()
	}
	q.later = append(q.later, e)
	q.up(len(q.later) - 1)
}

// pop takes the next entry that is due by limit and moves now to its time.
func (q *queue) pop(now *int64, limit int64) (entry, bool) {
	for {
		for len(q.ready) > 0 {
			if *now > limit {
				return entry{}, false
			}
			if e := q.pick(); !e.stale() {
				return e, true
			}
		}
		if len(q.later) == 0 || q.later[0].at > limit {
			return entry{}, false
		}
		e := q.popLater()
		if e.stale() {
			continue
		}
		*now = e.at
		if len(q.later) == 0 || q.later[0].at != e.at {
			return e, true
		}
		q.ready = append(q.ready, e)
		for len(q.later) > 0 && q.later[0].at == e.at {
			q.ready = append(q.ready, q.popLater())
		}
	}
}

// pick removes one ready entry by the seed's choice.
func (q *queue) pick() entry {
	i, last := 0, len(q.ready)-1
	if last > 0 {
		i = q.rng.below(last + 1)
	}
	e := q.ready[i]
	q.ready[i] = q.ready[last]
	q.ready[last] = entry{}
	q.ready = q.ready[:last]
	return e
}

func (q *queue) popLater() entry {
	e := q.later[0]
	last := len(q.later) - 1
	q.later[0] = q.later[last]
	q.later[last] = entry{}
	q.later = q.later[:last]
	if last > 1 {
		q.down(0)
	}
	return e
}

func (q *queue) up(i int) {
	h := q.later
	e := h[i]
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (q *queue) down(i int) {
	h := q.later
	e := h[i]
	for {
		first := 4*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for c := first + 1; c < min(first+4, len(h)); c++ {
			if h[c].before(&h[least]) {
				least = c
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}

// sweep drops the stale entries. (at, seq) is a total order, so the shape of the heap does not show.
func (q *queue) sweep() {
	live := q.later[:0]
	for _, e := range q.later {
		if !e.stale() && (e.tm.p == nil || !e.tm.p.dead.Load()) {
			live = append(live, e)
		}
	}
	clear(q.later[len(live):])
	q.later = live
	for i := len(live)/4 + 1; i >= 0; i-- {
		if i < len(live) {
			q.down(i)
		}
	}
	q.sweepAt = max(1024, 2*len(live))
}

// fifo is a queue of entries in order of arrival.
type fifo struct {
	items []entry
	head  int
}

func (f *fifo) len() int     { return len(f.items) - f.head }
func (f *fifo) push(e entry) { f.items = append(f.items, e) }
func (f *fifo) clear()       { *f = fifo{} }

func (f *fifo) pop() entry {
	e := f.items[f.head]
	f.items[f.head] = entry{}
	if f.head++; f.head == len(f.items) {
		f.items, f.head = f.items[:0], 0
	}
	return e
}
