package task

import (
	"container/heap"
	"errors"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// punctuation is one schedule. due is on its own clock, in ms.
type punctuation struct {
	due, interval int64
	node          string
	f             func(now int64) error
	cancelled     bool
}

// punctuations are the schedules of one clock: a heap by due time. Of several that are due at the same time the heap's own order decides, as
// in Kafka, whose PriorityQueue moves its elements in the same way. A cancelled one stays until its time comes.
type punctuations []*punctuation

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (p punctuations) Len() int           { return len(p) }
func (p punctuations) Less(i, j int) bool { return p[i].due < p[j].due }
func (p punctuations) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }
func (p *punctuations) Push(x any)        { *p = append(*p, x.(*punctuation)) }

// Pop implements heap.Interface.
func (p *punctuations) Pop() any {
	last := len(*p) - 1
	s := (*p)[last]
	(*p)[last] = nil
	*p = (*p)[:last]
	return s
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
	case start >= 0 && start >= now:
		due = start
	case start >= 0:
		due = start + ((now-start)/interval+1)*interval
	case kind == processor.WallClockTime:
		due = now + interval
	}
	s := &punctuation{due: due, interval: interval, node: node, f: f}
	heap.Push(p, s)
	return func() { s.cancelled = true }
}

// Punctuate runs what is due: the stream-time schedules, then those of the wall clock. It returns how many ran.
func (t *Task) Punctuate(now int64) (int, error) {
	n, err := t.PunctuateStreamTime(now)
	if err != nil {
		return n, err
	}
	m, err := t.punctuate(&t.puncts[processor.WallClockTime], now, now)
	return n + m, err
}

// PunctuateStreamTime runs what is due by stream time, and returns how many ran.
func (t *Task) PunctuateStreamTime(now int64) (int, error) {
	return t.punctuate(&t.puncts[processor.StreamTime], t.time, now)
}

func (t *Task) punctuate(p *punctuations, clock, now int64) (n int, err error) {
	if clock < 0 {
		return 0, nil
	}
	for len(*p) > 0 && (*p)[0].due <= clock {
		s := heap.Pop(p).(*punctuation)
		if s.cancelled {
			continue
		}
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
			heap.Push(p, s)
		}
	}
	return n, nil
}

// NextWallClock is when the next wall-clock punctuation is due, in ms; 0: none.
func (t *Task) NextWallClock() int64 {
	p := &t.puncts[processor.WallClockTime]
	for len(*p) > 0 && (*p)[0].cancelled {
		heap.Pop(p)
	}
	if len(*p) == 0 {
		return 0
	}
	return (*p)[0].due
}
