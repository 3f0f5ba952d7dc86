package streams

import (
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// JoinWindows says which records of two streams meet: those whose right time lies in [left time - Before, left time + After]. One of the two may
// be negative. Unmatched records of a left or outer join are emitted when the window plus Grace has passed.
type JoinWindows struct{ Before, After, Grace time.Duration }

// JoinWithin is the JoinWindows of records that are at most difference apart.
func JoinWithin(difference, grace time.Duration) JoinWindows {
	return JoinWindows{difference, difference, grace}
}

func (w JoinWindows) span(b *Builder) operator.JoinSpan {
	s := operator.JoinSpan{Before: w.Before.Milliseconds(), After: w.After.Milliseconds(), Grace: w.Grace.Milliseconds()}
	switch {
	case s.Before+s.After < 0:
		b.illegal("join window from %d ms before to %d ms after: it ends before it begins", s.Before, s.After)
	case s.Grace < 0:
		b.illegal("join window grace %d ms: it cannot be negative", s.Grace)
	}
	return s
}

// StreamJoined configures a stream-stream join. Zero serdes of the stores are the builder's defaults; they are not inherited, as in Kafka.
type StreamJoined[K, V1, V2 any] struct {
	Key        serde.Serde[K]
	Left       serde.Serde[V1]
	Right      serde.Serde[V2]
	Name       string // of the nodes, and of the repartition topics
	StoreName  string // base of the stores' names
	InMemory   bool
	Persistent bool
	NoLogging  bool
	LogConfig  map[string]string
}

// streamJoin is a join while it is built.
type streamJoin[K, V1, V2, R any] struct {
	b                               *Builder
	kind                            JoinKind
	o                               StreamJoined[K, V1, V2]
	span                            operator.JoinSpan
	join                            Joiner[K, V1, V2, R]
	thisWindowed, otherWindowed     string
	thisName, otherName, merge      string
	thisStore, otherStore, waiting  state.Spec
	key                             serde.Serde[K]
	left                            serde.Serde[V1]
	right                           serde.Serde[V2]
	leftOuter, rightOuter, buffered bool
}

// JoinStreams joins two streams by key within a window: KStream.join, leftJoin, outerJoin. Each side goes through a repartition topic where
// its key may have changed; the topics must have equally many partitions.
func JoinStreams[K, V1, V2, R any](left *KStream[K, V1], kind JoinKind, right *KStream[K, V2], w JoinWindows, join Joiner[K, V1, V2, R], opts ...StreamJoined[K, V1, V2]) *KStream[K, R] {
	j := &streamJoin[K, V1, V2, R]{b: left.b, kind: kind, o: first(opts), span: w.span(left.b), join: join}
	b := j.b
	b.check(j.o.Name)
	b.check(j.o.StoreName)
	nameOf := func(suffix string) string {
		if j.o.Name == "" {
			return ""
		}
		return j.o.Name + suffix
	}
	left = left.forJoin(nameOf("-left"), j.o.Key, j.o.Left)
	right = right.forJoin(nameOf("-right"), j.o.Key, j.o.Right)
	j.leftOuter, j.rightOuter = kind != InnerJoin, kind == OuterJoin
	j.names()
	j.serdes()
	b.g.Add(windowed(j.thisWindowed, j.thisStore.Name, j.openThis), left.node)
	other := b.g.Add(windowed(j.otherWindowed, j.otherStore.Name, j.openOther), right.node)
	n := &graph.Node{Name: j.merge, NullKeys: kind != InnerJoin, OtherSide: other}
	n.Write = func(tb *topology.Builder, _ []string) {
		if n.SelfJoin {
			j.writeSelf(tb)
		} else {
			j.write(tb)
		}
	}
	b.g.Add(n, left.node, right.node)
	b.g.Copartition(union(left.sources, right.sources))
	return &KStream[K, R]{b: b, node: n, name: j.merge, key: j.o.Key, sources: union(left.sources, right.sources)}
}

// names names nodes and stores. Each store's name comes from the generated name of its join node, or from StoreName.
func (j *streamJoin[K, V1, V2, R]) names() {
	b := j.b
	thisSuffix, otherSuffix, thisPrefix, otherPrefix := "-this-join", "-other-join", "KSTREAM-JOINTHIS-", "KSTREAM-JOINOTHER-"
	if j.rightOuter {
		thisSuffix, thisPrefix = "-outer-this-join", "KSTREAM-OUTERTHIS-"
	}
	if j.leftOuter {
		otherSuffix, otherPrefix = "-outer-other-join", "KSTREAM-OUTEROTHER-"
	}
	j.thisWindowed = b.suffixed(j.o.Name, "-this-windowed", "KSTREAM-WINDOWED-")
	j.otherWindowed = b.suffixed(j.o.Name, "-other-windowed", "KSTREAM-WINDOWED-")
	thisGenerated, otherGenerated := b.g.NewName(thisPrefix), b.g.NewName(otherPrefix)
	j.thisName, j.otherName = thisGenerated, otherGenerated
	if j.o.Name != "" {
		j.thisName, j.otherName = j.o.Name+thisSuffix, j.o.Name+otherSuffix
	}
	j.merge = b.suffixed(j.o.Name, "-merge", "KSTREAM-MERGE-")
	thisStore, otherStore := thisGenerated, otherGenerated
	waiting := "KSTREAM-OUTERSHARED-" + strings.TrimPrefix(thisGenerated, thisPrefix)
	if s := j.o.StoreName; s != "" {
		thisStore, otherStore, waiting = s+thisSuffix, s+otherSuffix, s+"-left-shared-join"
		if j.rightOuter {
			waiting = s + "-outer-shared-join"
		}
	} else {
		b.unnamed("store", thisStore+"-store")
		b.unnamed("store", otherStore+"-store")
		if j.leftOuter {
			b.unnamed("store", waiting+"-store")
		}
	}
	size := j.span.Before + j.span.After
	window := state.Spec{Kind: state.WindowStore, Duplicates: true, Retention: size + j.span.Grace, WindowSize: size,
		InMemory: j.o.InMemory || b.InMemory && !j.o.Persistent, Logging: !j.o.NoLogging, LogConfig: j.o.LogConfig}
	j.thisStore, j.otherStore, j.waiting = window, window, window
	j.thisStore.Name, j.otherStore.Name, j.waiting.Name = thisStore+"-store", otherStore+"-store", waiting+"-store"
	j.waiting.Internal = true
	j.waiting.Kind, j.waiting.Duplicates, j.waiting.Retention, j.waiting.WindowSize = state.KeyValue, false, 0, 0
	j.buffered = j.leftOuter
}

func (j *streamJoin[K, V1, V2, R]) serdes() {
	b := j.b
	j.key = need(b, j.o.Key, b.DefaultKeySerde, j.thisName, "key")
	j.left = need(b, j.o.Left, b.DefaultValueSerde, j.thisName, "value")
	j.right = need(b, j.o.Right, b.DefaultValueSerde, j.otherName, "value")
}

func (j *streamJoin[K, V1, V2, R]) openThis(h *state.Handle, topic string, seq *int64) (*state.JoinWindow[K, V1], error) {
	return state.NewJoinWindow(h, topic, j.key, j.left, seq)
}

func (j *streamJoin[K, V1, V2, R]) openOther(h *state.Handle, topic string, seq *int64) (*state.JoinWindow[K, V2], error) {
	return state.NewJoinWindow(h, topic, j.key, j.right, seq)
}

func (j *streamJoin[K, V1, V2, R]) openWaiting(h *state.Handle, topic string) (*state.Unmatched[K, V1, V2], error) {
	return state.NewUnmatched(h, topic, j.key, j.left, j.right)
}

// windowed is the step that keeps the records of one side.
func windowed[K, V any](name, store string, open operator.OpenJoinWindow[K, V]) *graph.Node {
	return &graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance {
			return &operator.JoinWindowed[K, V]{Store: store, Open: open}
		}})
	}}
}

func (j *streamJoin[K, V1, V2, R]) write(tb *topology.Builder) {
	wait := operator.Unmatched[K, V1, V2]{Open: j.openWaiting}
	if j.buffered {
		wait.Store = j.waiting.Name
	}
	waitingJoin := func(w *state.Waiting[K, V1, V2], i int) (R, error) {
		var v1 V1
		var v2 V2
		if i < len(w.Left) {
			return j.join(w.Key, w.Left[i], true, v2, false)
		}
		return j.join(w.Key, v1, false, w.Right[i-len(w.Left)], true)
	}
	tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: j.thisName, Parents: []string{j.thisWindowed}, New: func() processor.Instance {
		return &operator.StreamJoin[K, V1, V2, V1, V2, R]{Node: j.thisName, Clock: j.merge, Left: true, Span: j.span, Outer: j.leftOuter, Other: j.otherStore.Name,
			Open: j.openOther, Wait: wait, Put: (*state.Unmatched[K, V1, V2]).PutLeft, JoinWaiting: waitingJoin,
			Join: func(k K, v V1, o V2, has bool) (R, error) { return j.join(k, v, true, o, has) }}
	}})
	tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: j.otherName, Parents: []string{j.otherWindowed}, New: func() processor.Instance {
		return &operator.StreamJoin[K, V2, V1, V1, V2, R]{Node: j.otherName, Clock: j.merge, Span: j.span, Outer: j.rightOuter, Other: j.thisStore.Name,
			Open: j.openThis, Wait: wait, Put: (*state.Unmatched[K, V1, V2]).PutRight, JoinWaiting: waitingJoin,
			Join: func(k K, v V2, o V1, has bool) (R, error) { return j.join(k, o, has, v, true) }}
	}})
	tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: j.merge, Parents: []string{j.thisName, j.otherName}, New: func() processor.Instance {
		return &operator.Pass[K, R]{}
	}})
	tb.AddStore(&j.thisStore, j.thisWindowed, j.otherName)
	tb.AddStore(&j.otherStore, j.otherWindowed, j.thisName)
	tb.StoreSerdes(j.thisStore.Name, j.key, j.left)
	tb.StoreSerdes(j.otherStore.Name, j.key, j.right)
	if j.buffered {
		tb.AddStore(&j.waiting, j.thisName, j.otherName)
	}
}

// writeSelf writes the join of a stream with itself, over the store of one side. Both sides have one type, since they are one stream.
func (j *streamJoin[K, V1, V2, R]) writeSelf(tb *topology.Builder) {
	tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: j.merge, Parents: []string{j.thisWindowed}, New: func() processor.Instance {
		return &operator.SelfJoin[K, V1, R]{Node: j.merge, Span: j.span, Retention: j.thisStore.Retention, Store: j.thisStore.Name, Open: j.openThis,
			Join: func(k K, l, r V1) (R, error) { return j.join(k, l, true, any(r).(V2), true) }}
	}})
	tb.AddStore(&j.thisStore, j.thisWindowed, j.merge)
	tb.StoreSerdes(j.thisStore.Name, j.key, j.left)
}
