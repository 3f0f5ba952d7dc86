package task

import (
	"cmp"
	"errors"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// punctuation is one schedule. due is on its own clock, in ms.
type punctuation struct {
	due, interval int64
	node          string
	f             func(now int64) error
	cancelled     bool
	seq           int
}

// punctuations are the schedules of one clock, by due time, then by age.
type punctuations struct {
	list []*punctuation
	seq  int
}

func (p *punctuations) insert(s *punctuation) {
	i, _ := slices.BinarySearchFunc(p.list, s, func(a, b *punctuation) int {
		if c := cmp.Compare(a.due, b.due); c != 0 {
			return c
		}
		return cmp.Compare(a.seq, b.seq)
	})
	p.list = slices.Insert(p.list, i, s)
}

// Schedule implements processor.Task.
func (t *Task) Schedule(start, interval int64, kind processor.PunctuationType, node string, f func(now int64) error) func() {
	p := &t.puncts[kind]
	now := t.time
	if kind == processor.WallClockTime {
		now = t.cfg.Host.Now().UnixMilli()
	}
	due := int64(0)
	switch {
	case start >= 0 && start > now:
		due = start
	case start >= 0:
		due = start + ((now-start)/interval+1)*interval
	case kind == processor.WallClockTime:
		due = now + interval
	}
	p.seq++
	s := &punctuation{due: due, interval: interval, node: node, f: f, seq: p.seq}
	p.insert(s)
	return func() {
		s.cancelled = true
		p.list = slices.DeleteFunc(p.list, func(x *punctuation) bool { return x == s })
	}
}

// Punctuate runs what is due: the stream-time schedules, then those of the wall clock. It returns how many ran.
func (t *Task) Punctuate(now int64) (int, error) {
	n, err := t.punctuate(&t.puncts[processor.StreamTime], t.time, now)
	if err != nil {
		return n, err
	}
	m, err := t.punctuate(&t.puncts[processor.WallClockTime], now, now)
	return n + m, err
}

func (t *Task) punctuate(p *punctuations, clock, now int64) (n int, err error) {
	if clock < 0 {
		return 0, nil
	}
	for len(p.list) > 0 && p.list[0].due <= clock {
		s := p.list[0]
		p.list = p.list[1:]
		t.wall = now
		t.ctx = processor.RecordContext{Partition: -1, Offset: -1, Timestamp: clock}
		t.dirty = true
		n++
		if err := s.f(clock); err != nil {
			if processor.IsTaskError(err) || errors.As(err, new(*processor.Failed)) || !t.Handle(s.node, err) {
				return n, t.located(s.node, err)
			}
		}
		if !s.cancelled {
			s.due += ((clock-s.due)/s.interval + 1) * s.interval
			p.insert(s)
		}
	}
	return n, nil
}

// NextWallClock is when the next wall-clock punctuation is due, in ms; 0: none.
func (t *Task) NextWallClock() int64 {
	if l := t.puncts[processor.WallClockTime].list; len(l) > 0 {
		return l[0].due
	}
	return 0
}
