package operator

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Suppress holds a table's changes back: KTableSuppress. Of each key it keeps the last change, in the order of the keys' buffer times,
// and lets go of those whose time has come, or which no longer fit.
//
// Its stream time is committed with the task, as a WindowTable's is.
type Suppress[K, V any] struct {
	processor.Output[K, processor.Change[V]]
	Node, Store string
	Key         serde.Serde[K]
	Value       serde.Serde[V]
	// UntilWindowCloses: a key's buffer time is the end of its window, and deletions are not sent on; else it is the time of the first
	// change held.
	UntilWindowCloses bool
	// Wait is how long stream time must be past a key's buffer time.
	Wait int64
	// MaxRecords and MaxBytes bound the buffer. Strict: more is an error; else the oldest leave early.
	MaxRecords, MaxBytes int64
	Strict               bool

	buffer *state.Buffer
	topic  string
	time   *int64
	ctx    *processor.RecordContext
	out    processor.Record[K, processor.Change[V]]
}

// Init implements processor.Instance.
func (n *Suppress[K, V]) Init(t processor.Task) error {
	n.buffer, n.topic = t.Store(n.Store).Buffer, t.Changelog(n.Store)
	n.time, n.ctx = t.Metadata(TimeKey+n.Node, -1), t.Context()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *Suppress[K, V]) Process(r *processor.Record[K, processor.Change[V]]) error {
	*n.time = max(*n.time, r.Timestamp)
	if err := n.hold(r); err != nil {
		return err
	}
	for first := n.buffer.First(); first != nil && first.Time <= *n.time-n.Wait; first = n.buffer.First() {
		if err := n.letGo(first); err != nil {
			return err
		}
	}
	for first := n.buffer.First(); first != nil && n.full(); first = n.buffer.First() {
		if n.Strict {
			return &BufferFullError{n.Node, n.buffer.Len(), n.buffer.Size(), n.MaxRecords, n.MaxBytes}
		}
		if err := n.letGo(first); err != nil {
			return err
		}
	}
	return nil
}

func (n *Suppress[K, V]) full() bool {
	return int64(n.buffer.Len()) > n.MaxRecords || n.buffer.Size() > n.MaxBytes
}

// bounded is a key with a window.
type bounded interface{ Bounds() serde.Window }

func (n *Suppress[K, V]) hold(r *processor.Record[K, processor.Change[V]]) error {
	at := r.Timestamp
	if n.UntilWindowCloses {
		w, ok := any(r.Key).(bounded)
		if !ok {
			return fmt.Errorf("streams: %s waits for windows to close, and the key %v has none", n.Node, r.Key)
		}
		at = w.Bounds().End
	}
	key, err := n.Key.Append(nil, n.topic, r.Key)
	if err != nil {
		return err
	}
	old, err := n.encode(r.Value.Old, r.Value.NullOld)
	if err != nil {
		return err
	}
	value, err := n.encode(r.Value.New, r.Value.NullNew)
	if err != nil {
		return err
	}
	ctx := *n.ctx
	ctx.Timestamp, ctx.Headers = r.Timestamp, r.Headers
	n.buffer.Hold(at, key, old, value, ctx)
	return nil
}

func (n *Suppress[K, V]) encode(v V, null bool) ([]byte, error) {
	if null {
		return nil, nil
	}
	return n.Value.Append([]byte{}, n.topic, v)
}

func (n *Suppress[K, V]) decode(b []byte) (v V, null bool, err error) {
	if b == nil {
		return v, true, nil
	}
	v, err = n.Value.Decode(n.topic, b)
	return v, false, err
}

// letGo sends a change on, in the context of its last update, and forgets it.
func (n *Suppress[K, V]) letGo(h *state.Held) (err error) {
	if h.New != nil || !n.UntilWindowCloses {
		n.out = processor.Record[K, processor.Change[V]]{Timestamp: h.Context.Timestamp, Headers: h.Context.Headers}
		if n.out.Key, err = n.Key.Decode(n.topic, h.Key); err != nil {
			return err
		}
		c := &n.out.Value
		if c.New, c.NullNew, err = n.decode(h.New); err != nil {
			return err
		}
		if c.Old, c.NullOld, err = n.decode(h.Old); err != nil {
			return err
		}
		saved := *n.ctx
		*n.ctx = h.Context
		err = n.Forward(&n.out)
		*n.ctx = saved
		if err != nil {
			return err
		}
	}
	n.buffer.Release(h)
	return nil
}

// BufferFullError is a buffer that holds more than it may.
type BufferFullError struct {
	Node                 string
	Records              int
	Bytes                int64
	MaxRecords, MaxBytes int64
}

func (e *BufferFullError) Error() string {
	return fmt.Sprintf("%s buffer exceeded its max capacity. Currently [%d/%d] records and [%d/%d] bytes.", e.Node, e.Records, e.MaxRecords, e.Bytes, e.MaxBytes)
}

// Class is Kafka's name of the error kind.
func (e *BufferFullError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// SuppressViewer is the viewer of a suppressed table: a key that is held back has the value that it had before.
func SuppressViewer[K, V any](store string, key serde.Serde[K], value serde.Serde[V], parent Viewer[K, V]) Viewer[K, V] {
	return Viewer[K, V]{Stores: append([]string{store}, parent.Stores...), Open: func(t processor.Task) (View[K, V], error) {
		p, err := parent.Open(t)
		return suppressView[K, V]{Suppress[K, V]{Key: key, Value: value, buffer: t.Store(store).Buffer, topic: t.Changelog(store)}, p}, err
	}}
}

type suppressView[K, V any] struct {
	n      Suppress[K, V]
	parent View[K, V]
}

func (v suppressView[K, V]) Get(k K) (out Valued[V], err error) {
	key, err := v.n.Key.Append(nil, v.n.topic, k)
	if err != nil {
		return out, err
	}
	h := v.n.buffer.Held(key)
	if h == nil {
		return v.parent.Get(k)
	}
	null := false
	out.Time = -1
	out.Value, null, err = v.n.decode(h.Prior)
	out.Has = !null
	return out, err
}
