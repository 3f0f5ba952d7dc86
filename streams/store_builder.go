package streams

import (
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// StoreBuilder describes a store of processors: the factories of Kafka's Stores and its StoreBuilder. It belongs to one Builder.
type StoreBuilder struct {
	spec state.Spec
	err  error
	// serdes finds the store's serdes, or the builder's defaults.
	serdes     func(b *Builder) (key, value any)
	key, value any
}

// StoreOptions configure a store. The zero value is Kafka's default: persistent, logged, not cached.
type StoreOptions struct {
	InMemory   bool
	Caching    bool
	NoLogging  bool
	LogConfig  map[string]string // settings of the changelog topic
	Duplicates bool              // window stores: keep every put
}

func newStore[K, V any](spec state.Spec, key serde.Serde[K], value serde.Serde[V], opts []StoreOptions) *StoreBuilder {
	o := first(opts)
	spec.InMemory = spec.InMemory || o.InMemory
	spec.Caching, spec.Logging, spec.LogConfig, spec.Duplicates = o.Caching, !o.NoLogging, o.LogConfig, o.Duplicates
	s := &StoreBuilder{spec: spec, serdes: func(b *Builder) (any, any) {
		return need(b, key, b.DefaultKeySerde, spec.Name, "key"), need(b, value, b.DefaultValueSerde, spec.Name, "value")
	}}
	if spec.Duplicates && spec.Caching {
		s.spec.Caching = false // as in Kafka, which warns of it
	}
	return s
}

// NewKeyValueStore is a store of values by key.
func NewKeyValueStore[K, V any](name string, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	return newStore(state.Spec{Name: name, Kind: state.KeyValue}, key, value, opts)
}

// NewTimestampedStore is a store of values with timestamps.
func NewTimestampedStore[K, V any](name string, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	return newStore(state.Spec{Name: name, Kind: state.TimestampedKeyValue}, key, value, opts)
}

// NewLRUStore is a key-value store in memory that keeps the entries used last; those that have to go are deleted from the changelog too.
func NewLRUStore[K, V any](name string, entries int, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	s := newStore(state.Spec{Name: name, Kind: state.KeyValue, InMemory: true, Entries: entries}, key, value, opts)
	if entries < 1 {
		s.err = &ArgumentError{"an LRU store must keep at least one entry"}
	}
	return s
}

// NewWindowStore is a store of values by key and start of a window, which are kept for the retention.
func NewWindowStore[K, V any](name string, retention, size time.Duration, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	return newWindowStore(state.WindowStore, name, retention, size, key, value, opts)
}

// NewTimestampedWindowStore is that with timestamps.
func NewTimestampedWindowStore[K, V any](name string, retention, size time.Duration, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	return newWindowStore(state.TimestampedWindow, name, retention, size, key, value, opts)
}

func newWindowStore[K, V any](kind state.Kind, name string, retention, size time.Duration, key serde.Serde[K], value serde.Serde[V], opts []StoreOptions) *StoreBuilder {
	s := newStore(state.Spec{Name: name, Kind: kind, Retention: retention.Milliseconds(), WindowSize: size.Milliseconds()}, key, value, opts)
	switch {
	case retention < 0:
		s.err = &ArgumentError{"the retention of a window store cannot be negative"}
	case size < 0:
		s.err = &ArgumentError{"the window size of a window store cannot be negative"}
	case size > retention:
		s.err = &ArgumentError{"the retention of window store " + name + " must be no smaller than its window size"}
	}
	return s
}

// NewSessionStore is a store of values by key and session, which are kept for the retention.
func NewSessionStore[K, V any](name string, retention time.Duration, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	s := newStore(state.Spec{Name: name, Kind: state.SessionStore, Retention: retention.Milliseconds()}, key, value, opts)
	if retention < 0 {
		s.err = &ArgumentError{"the retention of a session store cannot be negative"}
	}
	return s
}

// NewVersionedStore is a store of the versions of each key: the latest ones, and as far back as history. It cannot have a cache.
func NewVersionedStore[K, V any](name string, history time.Duration, key serde.Serde[K], value serde.Serde[V], opts ...StoreOptions) *StoreBuilder {
	s := newStore(state.Spec{Name: name, Kind: state.Versioned, History: history.Milliseconds()}, key, value, opts)
	switch {
	case history < 0:
		s.err = &ArgumentError{"the history of a versioned store cannot be negative"}
	case s.spec.Caching:
		s.err = &CachingError{name}
	}
	return s
}

// CachingError is a versioned store that is to have a cache.
type CachingError struct{ Store string }

func (e *CachingError) Error() string {
	return "streams: store " + e.Store + " is a versioned one, and those have no cache"
}

// Class is Kafka's name of the error kind.
func (e *CachingError) Class() string { return "java.lang.IllegalStateException" }

// AddStateStore adds a store, for processors that name it: StreamsBuilder.addStateStore. The same StoreBuilder may be added again.
func (b *Builder) AddStateStore(s *StoreBuilder) {
	s.finish(b)
	b.g.Add(&graph.Node{Write: func(tb *topology.Builder, _ []string) { s.write(tb) }}, b.g.Root())
}

// finish checks the store, and finds its serdes.
func (s *StoreBuilder) finish(b *Builder) {
	if err := CheckName(s.spec.Name); err != nil && b.err == nil {
		b.err = err
	}
	if s.err != nil && b.err == nil {
		b.err = s.err
	}
	if s.key == nil {
		s.key, s.value = s.serdes(b)
	}
}

func (s *StoreBuilder) write(tb *topology.Builder) {
	tb.AddStore(&s.spec)
	tb.StoreSerdes(s.spec.Name, s.key, s.value)
}
