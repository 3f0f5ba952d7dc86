package operator

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Valued is what a table holds for a key: ValueAndTimestamp. Without Has there is nothing, and Value is the zero value.
type Valued[V any] struct {
	Value V
	Has   bool
	Time  int64
}

// View reads a table: KTableValueGetter. It is used by one task.
type View[K, V any] interface {
	Get(k K) (Valued[V], error)
}

// Viewer makes views of one table: KTableValueGetterSupplier. A node that reads through it must be connected to Stores.
type Viewer[K, V any] struct {
	Stores []string
	Open   func(t processor.Task) (View[K, V], error)
}

// OpenStore types an open store.
type OpenStore[K, V any] func(h *state.Handle, changelog string) (*state.Timestamped[K, V], error)

// StoreViewer is the viewer of a table that has a store.
func StoreViewer[K, V any](store string, open OpenStore[K, V]) Viewer[K, V] {
	return Viewer[K, V]{Stores: []string{store}, Open: func(t processor.Task) (View[K, V], error) {
		s, err := open(t.Store(store), t.Changelog(store))
		return storeView[K, V]{s}, err
	}}
}

type storeView[K, V any] struct{ s *state.Timestamped[K, V] }

// GlobalView is the view of a global table.
func GlobalView[K, V any](t processor.Task, store string, open OpenStore[K, V]) (View[K, V], error) {
	s, err := open(t.GlobalStore(store), t.Changelog(store))
	return storeView[K, V]{s}, err
}

// AsOf is a view that may be of a versioned table.
type AsOf[K, V any] interface {
	Versioned() bool
	// GetAsOf is Get of what was valid at a time.
	GetAsOf(k K, at int64) (Valued[V], error)
}

func (v storeView[K, V]) Versioned() bool { return v.s.Versioned() }

func (v storeView[K, V]) GetAsOf(k K, at int64) (out Valued[V], err error) {
	out.Value, out.Time, out.Has, err = v.s.GetAsOf(k, at)
	return out, err
}

func (v storeView[K, V]) Get(k K) (out Valued[V], err error) {
	out.Value, out.Time, out.Has, err = v.s.Get(k)
	return out, err
}

// mapped is the view of a table without a store whose values are computed from its parent's.
type mapped[K, V, V2 any] struct {
	parent View[K, V]
	f      func(k K, v Valued[V]) (Valued[V2], error)
}

func (m mapped[K, V, V2]) Get(k K) (Valued[V2], error) {
	v, err := m.parent.Get(k)
	if err != nil {
		return Valued[V2]{}, err
	}
	return m.f(k, v)
}

func (m mapped[K, V, V2]) Versioned() bool {
	p, ok := m.parent.(AsOf[K, V])
	return ok && p.Versioned()
}

func (m mapped[K, V, V2]) GetAsOf(k K, at int64) (Valued[V2], error) {
	v, err := m.parent.(AsOf[K, V]).GetAsOf(k, at) // asked only where Versioned says yes
	if err != nil {
		return Valued[V2]{}, err
	}
	return m.f(k, v)
}

// MappedViewer is the viewer of such a table.
func MappedViewer[K, V, V2 any](parent Viewer[K, V], f func(k K, v Valued[V]) (Valued[V2], error)) Viewer[K, V2] {
	return Viewer[K, V2]{Stores: parent.Stores, Open: func(t processor.Task) (View[K, V2], error) {
		p, err := parent.Open(t)
		return mapped[K, V, V2]{p, f}, err
	}}
}

// Stored is the half of a table's node that keeps the table in a store, if it has one, and sends its changes on.
type Stored[K, V any] struct {
	updates[K, V]
	Store   string // empty: the table is not materialized
	Open    OpenStore[K, V]
	SendOld bool // a node below asked for old values

	store *state.Timestamped[K, V]
	ctx   *processor.RecordContext
}

// Init implements processor.Instance.
func (s *Stored[K, V]) Init(t processor.Task) (err error) {
	s.sendOld, s.ctx = s.SendOld, t.Context()
	if s.Store != "" {
		h := t.Store(s.Store)
		if s.store, err = s.Open(h, t.Changelog(s.Store)); err != nil {
			return err
		}
		s.keep(h, s.flushed)
	}
	return s.init(t)
}

func (s *Stored[K, V]) flushed(key, value, old []byte) error {
	k, err := s.store.DecodeKey(key)
	if err != nil {
		return err
	}
	c, ts, err := decodeChange(s.store.DecodeValue, value, old, s.ctx.Timestamp)
	if err != nil {
		return err
	}
	return s.emit(k, c, ts, s.ctx.Headers)
}

// kept is a row's value in the store, which there must be, before the change in hand.
func (s *Stored[K, V]) kept(k K) (v V, null bool, err error) {
	v, _, has, err := s.store.Get(k)
	return v, !has, err
}

// put writes a change to the store, where there is one, and sends it on; a cache sends it when it is flushed.
func (s *Stored[K, V]) put(k K, c processor.Change[V], ts int64, headers []broker.Header) (err error) {
	if s.store != nil {
		validTo, err := s.store.PutVersion(k, c.New, c.NullNew, ts)
		if err != nil || validTo == state.NotPut {
			return err
		}
		c.Stale = validTo != state.IsLatest
	}
	return s.forward(k, c, ts, headers)
}
