package operator

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// FixedKeyRecord is a record whose key cannot be changed.
type FixedKeyRecord[K, V any] struct {
	key       K
	nullKey   bool
	Value     V
	NullValue bool // tells a null from a zero value, for types that have no nil
	Timestamp int64
	Headers   []broker.Header
}

// Key is the record's key, and whether it is not null.
func (r FixedKeyRecord[K, V]) Key() (key K, ok bool) { return r.key, !r.nullKey }

// WithValue is the record with another value.
func WithValue[K, V, V2 any](r FixedKeyRecord[K, V], v V2) FixedKeyRecord[K, V2] {
	return FixedKeyRecord[K, V2]{key: r.key, nullKey: r.nullKey, Value: v, Timestamp: r.Timestamp, Headers: r.Headers}
}

// FixedKeyProcessor takes records whose keys it cannot change.
type FixedKeyProcessor[K, V any] interface {
	Process(r FixedKeyRecord[K, V]) error
}

// FixedKeyContext is a FixedKeyProcessor's: FixedKeyProcessorContext.
type FixedKeyContext[K, VO any] struct {
	Surroundings
	c *Context[K, VO]
}

// Forward is Context.Forward.
func (c *FixedKeyContext[K, VO]) Forward(r FixedKeyRecord[K, VO]) error {
	return c.c.Forward(r.record())
}

// ForwardTo is Context.ForwardTo.
func (c *FixedKeyContext[K, VO]) ForwardTo(child string, r FixedKeyRecord[K, VO]) error {
	return c.c.ForwardTo(child, r.record())
}

func (r *FixedKeyRecord[K, V]) record() processor.Record[K, V] {
	return processor.Record[K, V]{Key: r.key, NullKey: r.nullKey, Value: r.Value, NullValue: r.NullValue, Timestamp: r.Timestamp, Headers: r.Headers}
}

// CustomValues is a fixed-key processor of the user's: the node of KStream.processValues.
type CustomValues[K, V, VO any] struct {
	processor.Output[K, VO]
	Node     string
	Stores   []string // connected
	Supplier func(c *FixedKeyContext[K, VO]) (FixedKeyProcessor[K, V], error)

	p FixedKeyProcessor[K, V]
}

// Init implements processor.Instance. It makes the user's processor.
func (n *CustomValues[K, V, VO]) Init(t processor.Task) (err error) {
	if err := n.Output.Init(t); err != nil {
		return err
	}
	inner := newContext(t, &n.Output, n.Node, n.Stores)
	c := &FixedKeyContext[K, VO]{inner.Surroundings, inner}
	if n.p, err = n.Supplier(c); err != nil {
		return &InitError{n.Node, err}
	}
	c.made, inner.made = true, true
	return nil
}

// Process implements processor.Processor.
func (n *CustomValues[K, V, VO]) Process(r *processor.Record[K, V]) error {
	return n.p.Process(FixedKeyRecord[K, V]{r.Key, r.NullKey, r.Value, r.NullValue, r.Timestamp, r.Headers})
}

// Close implements processor.Instance.
func (n *CustomValues[K, V, VO]) Close() { closeUser(n.p) }
