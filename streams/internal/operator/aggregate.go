package operator

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// updates is the half of a table's node that sends its changes on.
type updates[K, V any] struct {
	processor.Output[K, processor.Change[V]]
	out       processor.Record[K, processor.Change[V]]
	nullValue func(*V) bool
	cached    bool
	sendOld   bool
}

// keep lets changes leave with the flushes of the store's cache, where it has one.
func (u *updates[K, V]) keep(h *state.Handle, flushed state.Flushed) {
	if h.Cache != nil {
		u.cached = true
		h.Cache.WantOld = u.sendOld
		h.Cache.OnFlush(flushed)
	}
}

func (u *updates[K, V]) init(t processor.Task) error {
	u.nullValue = processor.NullTest[V]()
	return u.Output.Init(t)
}

// forward sends a change at once; where there is a cache the change leaves with the flush instead.
func (u *updates[K, V]) forward(k K, c processor.Change[V], ts int64, headers []broker.Header) error {
	if u.cached {
		return nil
	}
	return u.emit(k, c, ts, headers)
}

func (u *updates[K, V]) emit(k K, c processor.Change[V], ts int64, headers []broker.Header) error {
	if !u.sendOld {
		var zero V
		c.Old, c.NullOld = zero, true
	}
	u.out = processor.Record[K, processor.Change[V]]{Key: k, Value: c, Timestamp: ts, Headers: headers}
	return u.ForwardAt(&u.out)
}

// Fold is how an aggregation takes in a record. has is false for the first record of an aggregate; agg is then the initializer's
// result, or the zero value for a reduce. It returns the new aggregate, and whether it is null.
type Fold[K, V, A any] func(k K, r *processor.Record[K, V], agg A, has bool) (A, error)

// Aggregate is count, reduce and aggregate of a grouped stream without windows: KStreamAggregate, KStreamReduce.
type Aggregate[K, V, A any] struct {
	updates[K, A]
	Node        string
	Store       string
	Open        func(h *state.Handle, changelog string) (*state.Timestamped[K, A], error)
	Initializer func() (A, error) // nil: a reduce
	Fold        Fold[K, V, A]
	// SendOld: a node below asked for old values.
	SendOld bool

	store *state.Timestamped[K, A]
	ctx   *processor.RecordContext
}

// Init implements processor.Instance.
func (n *Aggregate[K, V, A]) Init(t processor.Task) (err error) {
	n.sendOld = n.SendOld
	h := t.Store(n.Store)
	if n.store, err = n.Open(h, t.Changelog(n.Store)); err != nil {
		return err
	}
	n.ctx = t.Context()
	n.keep(h, n.flushed)
	return n.init(t)
}

func (n *Aggregate[K, V, A]) flushed(key, value, old []byte) error {
	k, err := n.store.DecodeKey(key)
	if err != nil {
		return err
	}
	c, ts, err := decodeChange(n.store.DecodeValue, value, old, n.ctx.Timestamp)
	if err != nil {
		return err
	}
	return n.emit(k, c, ts, n.ctx.Headers)
}

func decodeChange[A any](decode func([]byte) (A, int64, error), value, old []byte, ctxTime int64) (c processor.Change[A], ts int64, err error) {
	c.NullNew, c.NullOld = value == nil, old == nil
	ts = ctxTime
	if value != nil {
		if c.New, ts, err = decode(value); err != nil {
			return c, ts, err
		}
	}
	if old != nil {
		c.Old, _, err = decode(old)
	}
	return c, ts, err
}

// Process implements processor.Processor.
func (n *Aggregate[K, V, A]) Process(r *processor.Record[K, V]) error {
	if r.NullKey || r.NullValue {
		n.Task().Drop(n.Node, "null key or value")
		return nil
	}
	old, oldTime, has, err := n.store.Get(r.Key)
	if err != nil {
		return err
	}
	c, ts, err := n.fold(n.Initializer, has, old, oldTime, r.Timestamp, func(agg A) (A, error) { return n.Fold(r.Key, r, agg, has) })
	if err != nil {
		return err
	}
	validTo, err := n.store.PutVersion(r.Key, c.New, c.NullNew, ts)
	if err != nil || validTo == state.NotPut {
		return err
	}
	c.Stale = validTo != state.IsLatest
	return n.forward(r.Key, c, ts, r.Headers)
}

// fold applies the initializer where there is no aggregate yet, and the fold; the time of the result is the later of the two. In the change
// that it makes, the old value of a first update is what the initializer gave, as in Kafka, where there is one.
func (u *updates[K, V]) fold(init func() (V, error), has bool, old V, oldTime, recordTime int64, f func(agg V) (V, error)) (c processor.Change[V], ts int64, err error) {
	ts, c.Old, c.NullOld = recordTime, old, !has
	if has {
		ts = max(ts, oldTime)
	} else if init != nil {
		if c.Old, err = init(); err != nil {
			return c, ts, err
		}
		c.NullOld = u.nullValue(&c.Old)
	}
	if c.New, err = f(c.Old); err != nil {
		return c, ts, err
	}
	c.NullNew = u.nullValue(&c.New)
	return c, ts, nil
}
