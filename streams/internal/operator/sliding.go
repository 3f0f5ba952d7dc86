package operator

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// SlidingAggregate is count, reduce and aggregate over sliding windows: KStreamSlidingWindowAggregate. A record at t belongs to all windows
// [x, x+Size] around it that begin or end at some record: when it comes, the windows that are there take it in, and those that begin right
// after the record before, end at it and begin right after it are made where they are missing and not empty.
type SlidingAggregate[K, V, A, KR any] struct {
	WindowTable[K, A, KR] // Size is the time difference
	Grace                 int64
	Initializer           func() (A, error) // nil: a reduce
	Fold                  Fold[K, V, A]

	rows []state.WindowRow[A]
}

// Process implements processor.Processor.
func (n *SlidingAggregate[K, V, A, KR]) Process(r *processor.Record[K, V]) error {
	if r.NullKey || r.NullValue {
		n.Task().Drop(n.Node, "null key or value")
		return nil
	}
	*n.time = max(*n.time, r.Timestamp)
	closed := *n.time - n.Grace
	if end := r.Timestamp + n.Size; end < closed {
		n.late(r.Timestamp, end)
		return nil
	}
	s := sliding[K, V, A, KR]{n: n, r: r, closed: closed}
	if r.Timestamp < n.Size {
		return s.early()
	}
	if err := s.process(); err != nil || !n.Final {
		return err
	}
	return n.close(closed, r)
}

func (n *SlidingAggregate[K, V, A, KR]) late(start, end int64) {
	n.Task().Drop(n.Node, fmt.Sprintf("window [%d,%d] closed at stream time %d", start, end, *n.time))
}

// close emits the windows that have closed since the last time.
func (n *SlidingAggregate[K, V, A, KR]) close(closed int64, r *processor.Record[K, V]) error {
	to := closed - n.Size - 1
	if !n.finals.due(closed) || to < 0 {
		return nil
	}
	from := int64(0)
	if last := *n.finals.last; last != -1 {
		from = max(0, last-n.Size)
	}
	return n.emitFinal(from, to, closed, r.Headers)
}

// sliding is the work on one record.
type sliding[K, V, A, KR any] struct {
	n      *SlidingAggregate[K, V, A, KR]
	r      *processor.Record[K, V]
	closed int64
	// previous is the time of the record before, where hasPrevious.
	previous    int64
	hasPrevious bool
	// right is what the window right after the record begins with, where hasRight.
	right    state.WindowRow[A]
	hasRight bool
}

// there says whether a window that starts at this time was found.
func (s *sliding[K, V, A, KR]) there(start int64) bool {
	for i := range s.n.rows {
		if s.n.rows[i].Start == start {
			return true
		}
	}
	return false
}

// process is for a record whose windows begin at 0 or later.
func (s *sliding[K, V, A, KR]) process() error {
	n, t := s.n, s.r.Timestamp
	n.rows = n.rows[:0]
	err := n.store.Backward(s.r.Key, t-2*n.Size, t+1, func(w state.WindowRow[A]) bool {
		n.rows = append(n.rows, w)
		return w.Start+n.Size >= t
	})
	if err != nil {
		return err
	}
	var left *state.WindowRow[A] // the latest window that ends before the record
	leftThere := false
	for i := range n.rows {
		w := &n.rows[i]
		switch end := w.Start + n.Size; {
		case w.Start == t+1:
		case end > t:
			if !s.hasRight {
				s.right, s.hasRight = *w, true
			}
			err = s.update(w.Start, w.Value, true, w.Time)
		case end == t:
			leftThere = true
			if err = s.update(w.Start, w.Value, true, w.Time); err == nil && w.Time >= t {
				return nil // all windows were made when the other record of this time came
			}
			s.previous, s.hasPrevious = w.Time, true
		default:
			left = w
			s.previous, s.hasPrevious = w.Time, true
		}
		if err != nil {
			return err
		}
	}
	if start := s.previous + 1; s.hasPrevious && !s.there(start) && start+n.Size >= t {
		if err := s.create(start); err != nil {
			return err
		}
	}
	if !leftThere {
		if err := s.createLeft(left); err != nil {
			return err
		}
	}
	return s.createRight()
}

// early is for a record so early that the window that ends at it would begin before 0: all of these share the window [0, Size].
func (s *sliding[K, V, A, KR]) early() error {
	n, t := s.n, s.r.Timestamp
	n.rows = n.rows[:0]
	err := n.store.Forward(s.r.Key, 0, t+1, func(w state.WindowRow[A]) bool {
		n.rows = append(n.rows, w)
		return true
	})
	if err != nil {
		return err
	}
	var combined *state.WindowRow[A]
	for i := range n.rows {
		switch w := &n.rows[i]; {
		case w.Start == 0:
			combined = w
			if w.Time < t {
				s.previous, s.hasPrevious = w.Time, true
			}
		case w.Start <= t:
			s.right, s.hasRight = *w, true
			if err := s.update(w.Start, w.Value, true, w.Time); err != nil {
				return err
			}
		}
	}
	if !s.hasRight && combined != nil && combined.Time > t {
		s.right, s.hasRight = *combined, true // it holds nothing but later records then
	}
	if err := s.createRight(); err != nil {
		return err
	}
	if start := s.previous + 1; s.hasPrevious && !s.there(start) {
		if err := s.create(start); err != nil {
			return err
		}
	}
	if combined == nil {
		return s.create(0)
	}
	return s.update(0, combined.Value, true, combined.Time)
}

// update takes the record into a window whose aggregate is agg, unless it has closed.
func (s *sliding[K, V, A, KR]) update(start int64, agg A, has bool, aggTime int64) (err error) {
	n, r := s.n, s.r
	if end := start + n.Size; end < s.closed {
		n.late(start, end)
		return nil
	}
	ts := r.Timestamp
	if has {
		ts = max(ts, aggTime)
	}
	c := processor.Change[A]{Old: agg, NullOld: !has}
	if c.New, err = n.Fold(r.Key, r, agg, has); err != nil {
		return err
	}
	c.NullNew = n.nullValue(&c.New)
	return n.put(r.Key, start, c, ts, r.Headers)
}

// initial is the aggregate of a new window, and whether it is not null.
func (s *sliding[K, V, A, KR]) initial() (agg A, has bool, err error) {
	if s.n.Initializer == nil {
		return agg, false, nil
	}
	agg, err = s.n.Initializer()
	return agg, err == nil && !s.n.nullValue(&agg), err
}

// create makes a window that holds nothing but the record.
func (s *sliding[K, V, A, KR]) create(start int64) error {
	agg, has, err := s.initial()
	if err != nil {
		return err
	}
	return s.update(start, agg, has, s.r.Timestamp)
}

// createLeft makes the window that ends at the record: it goes on from the latest one before, if the record before is within reach.
func (s *sliding[K, V, A, KR]) createLeft(before *state.WindowRow[A]) (err error) {
	start := s.r.Timestamp - s.n.Size
	var agg A
	has := true
	if before != nil && start <= s.previous {
		agg = before.Value
	} else if agg, has, err = s.initial(); err != nil {
		return err
	}
	if s.n.Size == 0 {
		return &WindowError{"Window endMs must be greater than window startMs."}
	}
	return s.update(start, agg, has, s.r.Timestamp)
}

// createRight makes the window that begins right after the record, where later records are in it.
func (s *sliding[K, V, A, KR]) createRight() error {
	n, start := s.n, s.r.Timestamp+1
	if !s.hasRight || s.right.Time <= s.r.Timestamp || s.there(start) {
		return nil
	}
	return n.put(s.r.Key, start, processor.Change[A]{New: s.right.Value, NullOld: true}, s.right.Time, s.r.Headers)
}

// WindowError is a window that cannot be.
type WindowError struct{ Text string }

func (e *WindowError) Error() string { return "streams: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *WindowError) Class() string { return "java.lang.IllegalArgumentException" }
