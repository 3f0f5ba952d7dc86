package streams

import (
	"math"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// SuppressBuffer bounds what a suppressed table holds back. The zero value holds any number of changes and has a changelog.
type SuppressBuffer struct {
	// Records and Bytes are the most that is held; 0: no bound; negative: nothing may be held.
	Records, Bytes int64
	// EmitEarly lets the oldest changes go when there are more; else more is an error, which stops the application.
	EmitEarly bool
	NoLogging bool
	LogConfig map[string]string // settings of the changelog topic
}

// bounds are the most records and bytes.
func (b SuppressBuffer) bounds() (records, bytes int64) {
	bound := func(n int64) int64 {
		if n == 0 {
			return math.MaxInt64
		}
		return max(n, 0)
	}
	return bound(b.Records), bound(b.Bytes)
}

// Suppressed says which changes of a table are held back: made by UntilWindowCloses or UntilTimeLimit.
type Suppressed struct {
	closes bool
	wait   time.Duration
	buffer SuppressBuffer
}

// UntilWindowCloses holds back all but the last change of each window, until it is closed. The buffer cannot emit early.
func UntilWindowCloses(b SuppressBuffer) Suppressed { return Suppressed{closes: true, buffer: b} }

// UntilTimeLimit holds back the changes of a key until wait has gone by since the first of them, in the time of the records, and sends the
// last one.
func UntilTimeLimit(wait time.Duration, b SuppressBuffer) Suppressed {
	return Suppressed{wait: wait, buffer: b}
}

// Suppress holds changes of a table back: KTable.suppress. Nothing but a record that comes moves the time on.
func (t *KTable[K, V]) Suppress(s Suppressed, name ...Named) *KTable[K, V] {
	b := t.b
	step, store := string(first(name)), string(first(name))+"-store"
	if step == "" { // a name uses up no number here, and Kafka does not look at it
		step, store = b.g.NewName("KTABLE-SUPPRESS-"), b.g.NewName("KTABLE-SUPPRESS-STATE-STORE-")
		if !s.buffer.NoLogging {
			b.unnamed("changelog topic", store+"-changelog")
		}
	}
	if t.node.GivesVersions() {
		b.fail("%s is above a versioned table: suppress() is only supported for non-versioned KTables", step)
	}
	wait := s.wait.Milliseconds()
	if s.closes {
		if s.buffer.EmitEarly {
			b.illegal("%s waits for windows to close: its buffer cannot emit early", step)
		}
		grace, ok := t.node.WindowGrace()
		if !ok {
			b.fail("%s waits for windows to close, and there are none above it", step)
		}
		wait = grace
	}
	spec := &state.Spec{Name: store, Kind: state.SuppressBuffer, InMemory: true,
		Logging: !s.buffer.NoLogging, LogConfig: s.buffer.LogConfig}
	t.from.sendOld(true)
	key := need(b, t.key, b.DefaultKeySerde, step, "key")
	value := need(b, t.value, b.DefaultValueSerde, step, "value")
	records, bytes := s.buffer.bounds()
	n := b.g.Add(&graph.Node{Name: step, Versioned: new(bool), Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: step, Parents: parents, New: func() processor.Instance {
			return &operator.Suppress[K, V]{Node: step, Store: spec.Name, Key: key, Value: value, UntilWindowCloses: s.closes, Wait: wait,
				MaxRecords: records, MaxBytes: bytes, Strict: !s.buffer.EmitEarly}
		}})
		tb.AddStore(spec, step)
		tb.StoreSerdes(spec.Name, key, value)
	}}, t.node)
	return &KTable[K, V]{b: b, node: n, name: step, key: t.key, value: t.value, sources: t.sources, from: suppressedTable[K, V]{t.from, spec.Name, key, value}}
}

// suppressedTable is a table whose changes are held back.
type suppressedTable[K, V any] struct {
	parent tableNode[K, V]
	store  string
	key    serde.Serde[K]
	value  serde.Serde[V]
}

func (t suppressedTable[K, V]) viewer() operator.Viewer[K, V] {
	return operator.SuppressViewer(t.store, t.key, t.value, t.parent.viewer())
}

func (t suppressedTable[K, V]) sendOld(force bool) bool { return t.parent.sendOld(force) }
