package operator

import (
	"math"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Keys of numbers that a stream-stream join commits with its task, beside TimeKey.
const (
	sequenceKey = "kstreamlab.sequence." // + store: the number of the last row of a store with duplicates
	waitingKey  = "kstreamlab.waiting."  // + node: the lowest time that may wait for a match
)

// OpenJoinWindow types the store of one side.
type OpenJoinWindow[K, V any] func(h *state.Handle, changelog string, seq *int64) (*state.JoinWindow[K, V], error)

func (open OpenJoinWindow[K, V]) in(t processor.Task, store string) (*state.JoinWindow[K, V], error) {
	return open(t.Store(store), t.Changelog(store), t.Metadata(sequenceKey+store, 0))
}

// JoinWindowed is the node of one side that keeps its records: KStreamJoinWindow. A record is joined before it is kept.
type JoinWindowed[K, V any] struct {
	processor.Output[K, V]
	Store string
	Open  OpenJoinWindow[K, V]

	store *state.JoinWindow[K, V]
}

// Init implements processor.Instance.
func (n *JoinWindowed[K, V]) Init(t processor.Task) (err error) {
	if n.store, err = n.Open.in(t, n.Store); err != nil {
		return err
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *JoinWindowed[K, V]) Process(r *processor.Record[K, V]) error {
	if err := n.Pass(r); err != nil {
		return err
	}
	if r.NullKey {
		return nil
	}
	return n.store.Put(r.Key, r.Timestamp, r.Value, r.NullValue)
}

// JoinSpan is a JoinWindows: the right record's time lies in [left - Before, left + After]. In ms.
type JoinSpan struct{ Before, After, Grace int64 }

// Unmatched is the store of unmatched records of a left or outer join.
type Unmatched[K, VL, VR any] struct {
	Store string // empty: an inner join
	Open  func(h *state.Handle, changelog string) (*state.Unmatched[K, VL, VR], error)
}

// StreamJoin is one side of a stream-stream join: KStreamKStreamJoin. V is this side's value, VO the other's.
type StreamJoin[K, V, VO, VL, VR, R any] struct {
	processor.Output[K, R]
	Node  string
	Clock string // the name under which both sides share the join's stream time
	Left  bool   // this is the left side
	Span  JoinSpan
	Outer bool // records of this side without a match are emitted
	Other string
	Open  OpenJoinWindow[K, VO]
	Wait  Unmatched[K, VL, VR]
	// Join joins a record with one of the other side, or with none; JoinWaiting joins an unmatched record with none.
	Join        func(k K, v V, o VO, has bool) (R, error)
	JoinWaiting func(w *state.Waiting[K, VL, VR], i int) (R, error)
	Put         func(s *state.Unmatched[K, VL, VR], k K, ts int64, v V) error

	other   *state.JoinWindow[K, VO]
	waiting *state.Unmatched[K, VL, VR]
	time    *int64
	lowest  *int64
	next    *int64 // wall clock of the next emission; shared by both sides
	null    func(*R) bool
	out     processor.Record[K, R]
}

// Init implements processor.Instance.
func (n *StreamJoin[K, V, VO, VL, VR, R]) Init(t processor.Task) (err error) {
	n.null = processor.NullTest[R]()
	n.time, n.lowest = t.Metadata(TimeKey+n.Clock, -1), t.Metadata(waitingKey+n.Clock, math.MaxInt64)
	n.next = t.Scratch(n.Clock)
	if n.other, err = n.Open.in(t, n.Other); err != nil {
		return err
	}
	if n.Wait.Store != "" {
		if n.waiting, err = n.Wait.Open(t.Store(n.Wait.Store), t.Changelog(n.Wait.Store)); err != nil {
			return err
		}
	}
	return n.Output.Init(t)
}

// reach is the span of the other side's times that a record of this side matches.
func (n *StreamJoin[K, V, VO, VL, VR, R]) reach() (before, after int64) {
	if n.Left {
		return n.Span.Before, n.Span.After
	}
	return n.Span.After, n.Span.Before
}

// Process implements processor.Processor.
func (n *StreamJoin[K, V, VO, VL, VR, R]) Process(r *processor.Record[K, V]) error {
	*n.time = max(*n.time, r.Timestamp)
	if n.Outer && r.NullKey && !r.NullValue {
		return n.alone(r)
	}
	if r.NullKey || r.NullValue {
		n.Task().Drop(n.Node, "null key or value")
		return nil
	}
	if n.waiting != nil && r.Timestamp == *n.time {
		if err := n.release(r); err != nil {
			return err
		}
	}
	before, after := n.reach()
	from, to := max(0, r.Timestamp-before), max(0, r.Timestamp+after)
	rows, err := n.other.Fetch(r.Key, from, to)
	if err != nil {
		return err
	}
	for i := range rows {
		if err := n.match(r, &rows[i]); err != nil {
			return err
		}
	}
	if !n.Outer || len(rows) > 0 {
		return nil
	}
	if to < *n.time {
		return n.alone(r)
	}
	*n.lowest = min(*n.lowest, r.Timestamp)
	return n.Put(n.waiting, r.Key, r.Timestamp, r.Value)
}

func (n *StreamJoin[K, V, VO, VL, VR, R]) alone(r *processor.Record[K, V]) error {
	var none VO
	v, err := n.Join(r.Key, r.Value, none, false)
	if err != nil {
		return err
	}
	return n.send(r.Key, r.NullKey, v, r.Timestamp, r)
}

func (n *StreamJoin[K, V, VO, VL, VR, R]) send(k K, nullKey bool, v R, ts int64, r *processor.Record[K, V]) error {
	n.out = processor.Record[K, R]{Key: k, NullKey: nullKey, Value: v, NullValue: n.null(&v), Timestamp: ts, Headers: r.Headers}
	return n.ForwardAt(&n.out)
}

// match joins with one record of the other side, which then waits no longer.
func (n *StreamJoin[K, V, VO, VL, VR, R]) match(r *processor.Record[K, V], row *state.Row[VO]) error {
	if n.waiting != nil {
		if err := n.waiting.Remove(r.Key, row.Time, !n.Left); err != nil {
			return err
		}
	}
	v, err := n.Join(r.Key, r.Value, row.Value, true)
	if err != nil {
		return err
	}
	return n.send(r.Key, false, v, max(r.Timestamp, row.Time), r)
}

// release emits the unmatched records whose windows have closed, in order of time, side and key. What Kafka keeps as the lowest waiting
// time is that of the last record looked at.
func (n *StreamJoin[K, V, VO, VL, VR, R]) release(r *processor.Record[K, V]) error {
	_, after := n.reach()
	if *n.lowest != math.MaxInt64 && *n.lowest+after+n.Span.Grace >= *n.time {
		return nil
	}
	now := n.Task().WallClock()
	if now < *n.next {
		return nil
	}
	*n.next = now + n.Task().EmitInterval()
	*n.lowest = math.MaxInt64
	var last *state.Waiting[K, VL, VR]
	leftOpen, rightOpen := false, false
	err := n.waiting.All(func(w *state.Waiting[K, VL, VR]) (bool, error) {
		*n.lowest = w.Time
		if leftOpen && rightOpen {
			return false, nil
		}
		if n.open(w) {
			leftOpen, rightOpen = leftOpen || w.IsLeft, rightOpen || !w.IsLeft
			return true, nil
		}
		for i := range len(w.Left) + len(w.Right) {
			v, err := n.JoinWaiting(w, i)
			if err != nil {
				return false, err
			}
			if err := n.send(w.Key, false, v, w.Time, r); err != nil {
				return false, err
			}
			if i == 0 && last != nil {
				if err := n.waiting.Delete(last); err != nil {
					return false, err
				}
			}
		}
		last = w
		return true, nil
	})
	if err != nil || last == nil {
		return err
	}
	return n.waiting.Delete(last)
}

// open says whether a record may still find a match.
func (n *StreamJoin[K, V, VO, VL, VR, R]) open(w *state.Waiting[K, VL, VR]) bool {
	reach := n.Span.Before
	if w.IsLeft {
		reach = n.Span.After
	}
	return w.Time+reach+n.Span.Grace >= *n.time
}
