package streams

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// Processor takes the records of one task, one at a time. It must not change a record. With a method Close() it is told when its task ends.
//
// An error goes to the processing exception handler; one that Forward returned must be returned as it is.
type Processor[K, V any] = processor.Processor[K, V]

// ProcessorContext is what a processor sees of its task: it forwards records of KO and VO, schedules punctuations, and opens stores.
type ProcessorContext[KO, VO any] = operator.Context[KO, VO]

// ProcessorSupplier makes the processor of one task, after its stores are restored. The context is the processor's for its whole life.
type ProcessorSupplier[K, V, KO, VO any] func(c *ProcessorContext[KO, VO]) (Processor[K, V], error)

// FixedKeyProcessor is a Processor that cannot change keys, so that nothing need be repartitioned behind it.
type FixedKeyProcessor[K, V any] = operator.FixedKeyProcessor[K, V]

// FixedKeyRecord is a record whose key cannot be changed.
type FixedKeyRecord[K, V any] = operator.FixedKeyRecord[K, V]

// FixedKeyContext is a FixedKeyProcessor's context.
type FixedKeyContext[K, VO any] = operator.FixedKeyContext[K, VO]

// FixedKeySupplier makes the processor of one task.
type FixedKeySupplier[K, V, VO any] func(c *FixedKeyContext[K, VO]) (FixedKeyProcessor[K, V], error)

// WithValue is a record with another value.
func WithValue[K, V, V2 any](r FixedKeyRecord[K, V], v V2) FixedKeyRecord[K, V2] {
	return operator.WithValue(r, v)
}

// ProcessorFunc is a processor that is a function.
type ProcessorFunc[K, V any] func(r *Record[K, V]) error

// Process implements Processor.
func (f ProcessorFunc[K, V]) Process(r *Record[K, V]) error { return f(r) }

// FixedKeyFunc is a fixed-key processor that is a function.
type FixedKeyFunc[K, V any] func(r FixedKeyRecord[K, V]) error

// Process implements FixedKeyProcessor.
func (f FixedKeyFunc[K, V]) Process(r FixedKeyRecord[K, V]) error { return f(r) }

// PunctuationType says which clock drives a punctuation: StreamTime or WallClockTime.
type PunctuationType = processor.PunctuationType

// The two clocks.
const (
	StreamTime    = processor.StreamTime
	WallClockTime = processor.WallClockTime
)

// ProcessOptions configure a processor step.
type ProcessOptions struct {
	Name string
	// Stores are the names of the stores that the processor uses: of AddStateStore, of a table, or of Add.
	Stores []string
	// Add are stores that the processor brings with it: they are added, and connected.
	Add []*StoreBuilder
}

// Process sends a stream through a processor: KStream.process. The result has no serdes, and its key counts as changed.
func Process[K, V, KO, VO any](s *KStream[K, V], supplier ProcessorSupplier[K, V, KO, VO], opts ...ProcessOptions) *KStream[KO, VO] {
	o := first(opts)
	name := o.name(s.b, "KSTREAM-PROCESSOR-")
	stores := o.stores()
	n := custom(s, name, stores, o.Add, func() processor.Instance {
		return &operator.Custom[K, V, KO, VO]{Node: name, Stores: stores, Supplier: supplier}
	})
	return changed[K, V, KO, VO](s, n, nil, nil, true)
}

// ProcessValues sends a stream through a processor that keeps the keys: KStream.processValues.
func ProcessValues[K, V, VO any](s *KStream[K, V], supplier FixedKeySupplier[K, V, VO], opts ...ProcessOptions) *KStream[K, VO] {
	o := first(opts)
	name := o.name(s.b, "KSTREAM-PROCESSVALUES-")
	stores := o.stores()
	n := custom(s, name, stores, o.Add, func() processor.Instance {
		return &operator.CustomValues[K, V, VO]{Node: name, Stores: stores, Supplier: supplier}
	})
	return changed[K, V, K, VO](s, n, s.key, nil, false)
}

// name is the step's. A number is used up only where it is generated.
func (o *ProcessOptions) name(b *Builder, prefix string) string {
	if o.Name == "" {
		return b.g.NewName(prefix)
	}
	b.check(o.Name)
	return o.Name
}

// stores are the names of all stores that are connected.
func (o *ProcessOptions) stores() []string {
	out := append([]string(nil), o.Stores...)
	for _, s := range o.Add {
		out = append(out, s.spec.Name)
	}
	return out
}

func custom[K, V any](s *KStream[K, V], name string, stores []string, add []*StoreBuilder, make func() processor.Instance) *graph.Node {
	for _, a := range add {
		a.finish(s.b)
	}
	return s.b.g.Add(&graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		for _, a := range add {
			a.write(tb)
		}
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, Stores: stores, New: make})
	}}, s.node)
}

// StoreContext opens stores: a ProcessorContext or a FixedKeyContext.
type StoreContext interface {
	Open(store string) (*operator.Opened, error)
}

// The stores, typed. Global stores can only be read: their puts return an error.
type (
	// KeyValueStore holds values by key. An LRU store is one too.
	KeyValueStore[K, V any] = state.Plain[K, V]
	// TimestampedStore holds values with a timestamp; the store of a table is one.
	TimestampedStore[K, V any] = state.Timestamped[K, V]
	// WindowStore holds values by key and the start of a window.
	WindowStore[K, V any] = state.PlainWindow[K, V]
	// TimestampedWindowStore is that with timestamps; the store of a windowed table is one.
	TimestampedWindowStore[K, V any] = state.Window[K, V]
	// SessionStore holds values by key and session.
	SessionStore[K, V any] = state.Session[K, V]
	// VersionedStore holds the versions of each key.
	VersionedStore[K, V any] = state.Versions[K, V]
	// VersionOf is a version of a key in a versioned store.
	VersionOf[V any] = state.VersionOf[V]
	// StoreKindError is a store of another kind than the one that is asked for.
	StoreKindError = state.KindError
	// Bounds select the keys of a walk over a store.
	Bounds[K any] = state.Bounds[K]
)

// open finds a store and its serdes.
func open[K, V any](c StoreContext, name string) (*operator.Opened, serde.Serde[K], serde.Serde[V], error) {
	o, err := c.Open(name)
	if err != nil {
		return nil, nil, nil, err
	}
	key, ok := o.Key.(serde.Serde[K])
	if !ok {
		return nil, nil, nil, fmt.Errorf("streams: store %s has keys of serde %v, and is asked for with another type", name, o.Key)
	}
	value, ok := o.Value.(serde.Serde[V])
	if !ok {
		return nil, nil, nil, fmt.Errorf("streams: store %s has values of serde %v, and is asked for with another type", name, o.Value)
	}
	return o, key, value, nil
}

// typed opens a store with the constructor of its type.
func typed[K, V, S any](c StoreContext, name string, make func(h *state.Handle, topic string, key serde.Serde[K], value serde.Serde[V]) (S, error)) (S, error) {
	o, key, value, err := open[K, V](c, name)
	if err != nil {
		var zero S
		return zero, err
	}
	return make(o.Handle, o.Topic, key, value)
}

// KeyValueStoreOf opens a key-value or LRU store.
func KeyValueStoreOf[K, V any](c StoreContext, name string) (*KeyValueStore[K, V], error) {
	return typed(c, name, state.NewPlain[K, V])
}

// TimestampedStoreOf opens a timestamped store. Of a versioned table's store it shows the latest versions.
func TimestampedStoreOf[K, V any](c StoreContext, name string) (*TimestampedStore[K, V], error) {
	return typed(c, name, state.NewTimestamped[K, V])
}

// WindowStoreOf opens a window store.
func WindowStoreOf[K, V any](c StoreContext, name string) (*WindowStore[K, V], error) {
	o, key, value, err := open[K, V](c, name)
	if err != nil {
		return nil, err
	}
	return state.NewPlainWindow(o.Handle, o.Topic, key, value, o.Seq)
}

// TimestampedWindowStoreOf opens a timestamped window store.
func TimestampedWindowStoreOf[K, V any](c StoreContext, name string) (*TimestampedWindowStore[K, V], error) {
	return typed(c, name, state.NewWindow[K, V])
}

// SessionStoreOf opens a session store.
func SessionStoreOf[K, V any](c StoreContext, name string) (*SessionStore[K, V], error) {
	return typed(c, name, state.NewSession[K, V])
}

// VersionedStoreOf opens a versioned store.
func VersionedStoreOf[K, V any](c StoreContext, name string) (*VersionedStore[K, V], error) {
	return typed(c, name, state.NewVersions[K, V])
}

// RecordMetadata is where a record came from.
type RecordMetadata = operator.Metadata
