package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// SelfJoin is a stream-stream join of a stream with itself over one store: KStreamKStreamSelfJoin (the optimisation
// single.store.self.join).
type SelfJoin[K, V, R any] struct {
	processor.Output[K, R]
	Node      string
	Span      JoinSpan
	Retention int64
	Store     string
	Open      OpenJoinWindow[K, V]
	Join      func(k K, left, right V) (R, error)

	store *state.JoinWindow[K, V]
	time  *int64
	null  func(*R) bool
	out   processor.Record[K, R]
}

// Init implements processor.Instance.
func (n *SelfJoin[K, V, R]) Init(t processor.Task) (err error) {
	n.null = processor.NullTest[R]()
	n.time = t.Metadata(TimeKey+n.Node, -1)
	if n.store, err = n.Open.in(t, n.Store); err != nil {
		return err
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *SelfJoin[K, V, R]) Process(r *processor.Record[K, V]) error {
	if r.NullKey || r.NullValue {
		n.Task().Drop(n.Node, "null key or value")
		return nil
	}
	*n.time = max(*n.time, r.Timestamp)
	self := r.Timestamp > *n.time-n.Retention+1
	rows, err := n.store.Fetch(r.Key, max(0, r.Timestamp-n.Span.Before), max(0, r.Timestamp+n.Span.After))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := n.send(r, r.Value, row.Value, max(r.Timestamp, row.Time)); err != nil {
			return err
		}
	}
	if rows, err = n.store.Fetch(r.Key, max(0, r.Timestamp-n.Span.After), max(0, r.Timestamp+n.Span.Before)); err != nil {
		return err
	}
	for _, row := range rows {
		if self && row.Time > r.Timestamp { // so that what is sent follows in order of time
			self = false
			if err := n.send(r, r.Value, r.Value, r.Timestamp); err != nil {
				return err
			}
		}
		if err := n.send(r, row.Value, r.Value, max(r.Timestamp, row.Time)); err != nil {
			return err
		}
	}
	if self {
		return n.send(r, r.Value, r.Value, r.Timestamp)
	}
	return nil
}

func (n *SelfJoin[K, V, R]) send(r *processor.Record[K, V], left, right V, ts int64) error {
	v, err := n.Join(r.Key, left, right)
	if err != nil {
		return err
	}
	n.out = processor.Record[K, R]{Key: r.Key, Value: v, NullValue: n.null(&v), Timestamp: ts, Headers: r.Headers}
	return n.ForwardAt(&n.out)
}
