package operator

import (
	"fmt"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// SlidingAggregate is count, reduce and aggregate over sliding windows: KStreamSlidingWindowAggregate. A record at t belongs to all windows
// [x, x+Size] around it that begin or end at some record: when it comes, the windows that are there take it in, and those that begin right
// after the record before, end at it and begin right after it are made where they are missing and not empty.
type SlidingAggregate[K, V, A, KR any] struct {
	WindowTable[K, A, KR] // Size is the time difference
	Grace                 int64
	Initializer           func() (A, error) // nil: a reduce
	Fold                  Fold[K, V, A]

	starts []int64 // of the windows found for the record in hand
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

// slidingRow is a window that was found.
type slidingRow[A any] struct {
	start, time int64
	value       A
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
	right    slidingRow[A]
	hasRight bool
	// left is the latest window that ends before the record, where hasLeft; leftThere: the one that ends at it is there already.
	left      slidingRow[A]
	hasLeft   bool
	leftThere bool
	// combined is the window of early records, where hasCombined.
	combined    slidingRow[A]
	hasCombined bool
}

// find calls f with the windows of the record's key that start in [from, to], as long as f says so. Like Kafka's, it walks over a store
// that f changes.
func (s *sliding[K, V, A, KR]) find(from, to int64, reverse bool, f func(w slidingRow[A]) (more bool, err error)) error {
	n := s.n
	n.starts = n.starts[:0]
	rows, err := n.store.WindowsByRange(s.r.Key, from, to, reverse)
	if err != nil {
		return err
	}
	for more := true; more && err == nil && rows.Next(); {
		w := slidingRow[A]{rows.Row().Window.Start, rows.Row().Time, rows.Row().Value}
		n.starts = append(n.starts, w.start)
		more, err = f(w)
	}
	if err2 := rows.Close(); err == nil {
		err = err2
	}
	return err
}

// there says whether a window that starts at this time was found.
func (s *sliding[K, V, A, KR]) there(start int64) bool { return slices.Contains(s.n.starts, start) }

// process is for a record whose windows begin at 0 or later.
func (s *sliding[K, V, A, KR]) process() error {
	n, t := s.n, s.r.Timestamp
	complete := false // all windows were made when another record of this time came
	err := s.find(t-2*n.Size, t+1, true, func(w slidingRow[A]) (more bool, err error) {
		switch end := w.start + n.Size; {
		case w.start == t+1:
		case end > t:
			if !s.hasRight {
				s.right, s.hasRight = w, true
			}
			err = s.update(w.start, w.value, true, w.time)
		case end == t:
			s.leftThere = true
			err = s.update(w.start, w.value, true, w.time)
			complete = w.time >= t
			s.previous, s.hasPrevious = w.time, true
		default:
			s.left, s.hasLeft = w, true
			s.previous, s.hasPrevious = w.time, true
		}
		return !s.hasLeft && !complete, err
	})
	if err != nil || complete {
		return err
	}
	if start := s.previous + 1; s.hasPrevious && !s.there(start) && start+n.Size >= t {
		if err := s.create(start); err != nil {
			return err
		}
	}
	if !s.leftThere {
		if err := s.createLeft(); err != nil {
			return err
		}
	}
	return s.createRight()
}

// early is for a record so early that the window that ends at it would begin before 0: all of these share the window [0, Size].
func (s *sliding[K, V, A, KR]) early() error {
	t := s.r.Timestamp
	err := s.find(0, t+1, false, func(w slidingRow[A]) (more bool, err error) {
		switch {
		case w.start == 0:
			s.combined, s.hasCombined = w, true
			if w.time < t {
				s.previous, s.hasPrevious = w.time, true
			}
		case w.start <= t:
			s.right, s.hasRight = w, true
			err = s.update(w.start, w.value, true, w.time)
		}
		return true, err
	})
	if err != nil {
		return err
	}
	if !s.hasRight && s.hasCombined && s.combined.time > t {
		s.right, s.hasRight = s.combined, true // it holds nothing but later records then
	}
	if err := s.createRight(); err != nil {
		return err
	}
	if start := s.previous + 1; s.hasPrevious && !s.there(start) {
		if err := s.create(start); err != nil {
			return err
		}
	}
	if !s.hasCombined {
		return s.create(0)
	}
	return s.update(0, s.combined.value, true, s.combined.time)
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
func (s *sliding[K, V, A, KR]) createLeft() (err error) {
	start := s.r.Timestamp - s.n.Size
	var agg A
	has := true
	if s.hasLeft && start <= s.previous {
		agg = s.left.value
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
	if !s.hasRight || s.right.time <= s.r.Timestamp || s.there(start) {
		return nil
	}
	return n.put(s.r.Key, start, processor.Change[A]{New: s.right.value, NullOld: true}, s.right.time, s.r.Headers)
}

// WindowError is a window that cannot be.
type WindowError struct{ Text string }

func (e *WindowError) Error() string { return "streams: " + e.Text }

// Message is Kafka's text.
func (e *WindowError) Message() string { return e.Text }

// Class is Kafka's name of the error kind.
func (e *WindowError) Class() string { return "java.lang.IllegalArgumentException" }
