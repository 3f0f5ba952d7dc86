package streams

import (
	"strconv"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/state"
)

// CogroupInput is a grouped stream with the way in which its values go into the common aggregate. Cogrouped makes it.
type CogroupInput[K, A any] struct {
	group any // the *KGroupedStream
	b     *Builder
	fold  operator.Fold[K, any, A]
	feed  func(operator.Aggregation[K]) processor.Instance
	// through makes the node of the repartition topic named after the grouping or after the store; nil: the stream needs none.
	through func(store string, generated bool) *graph.Node
	again   func(store string) // uses up the numbers of one that is there already
	node    *graph.Node
	sources []*graph.Node
}

// Cogrouped is a grouped stream whose values go into the common aggregate by add.
func Cogrouped[K, V, A any](g *KGroupedStream[K, V], add func(k K, v V, agg A) (A, error)) CogroupInput[K, A] {
	in := CogroupInput[K, A]{group: g, b: g.s.b, fold: operator.CogroupFold(add), node: g.s.node, sources: g.s.sources}
	in.feed = func(a operator.Aggregation[K]) processor.Instance {
		return &operator.CogroupInput[K, V]{Aggregation: a}
	}
	if !g.s.repartition {
		return in
	}
	base := func(store string) string {
		if g.name != "" {
			return g.name
		}
		return store
	}
	in.through = func(store string, generated bool) *graph.Node {
		if generated && g.name == "" {
			in.b.unnamed("repartition topic", store+"-repartition")
		}
		return g.s.mergeable(base(store), g.key, g.value)
	}
	in.again = func(store string) { in.b.repartitionNames(base(store), base(store)) }
	return in
}

// CogroupedKStream is several grouped streams that are aggregated together.
type CogroupedKStream[K, A any] struct {
	b       *Builder
	inputs  []CogroupInput[K, A]
	parents map[any]*graph.Node // the nodes that feed the aggregations, by grouped stream, once there are some
}

// Cogroup aggregates several grouped streams of one key into one aggregate. A stream that is given twice counts once, in the first place and
// with the last way.
func Cogroup[K, A any](first CogroupInput[K, A], more ...CogroupInput[K, A]) *CogroupedKStream[K, A] {
	c := &CogroupedKStream[K, A]{b: first.b, inputs: []CogroupInput[K, A]{first}, parents: map[any]*graph.Node{}}
	for _, in := range more {
		c.add(in)
	}
	return c
}

func (c *CogroupedKStream[K, A]) add(in CogroupInput[K, A]) {
	for i := range c.inputs {
		if c.inputs[i].group == in.group {
			c.inputs[i].fold = in.fold
			return
		}
	}
	c.inputs = append(c.inputs, in)
}

// WindowedCogroupedKStream is a cogrouped stream cut into windows. It emits on update.
type WindowedCogroupedKStream[K, A any] struct {
	c *CogroupedKStream[K, A]
	w Windows
}

// WindowedBy cuts the streams into windows.
func (c *CogroupedKStream[K, A]) WindowedBy(w Windows) *WindowedCogroupedKStream[K, A] {
	w.check(c.b)
	return &WindowedCogroupedKStream[K, A]{c, w}
}

// Cogrouping is a cogrouped stream, with windows or without. KR is the key of its aggregates: K, or serde.Windowed[K].
type Cogrouping[K, A, KR any] interface {
	cogrouping() (c *CogroupedKStream[K, A], w *windowing[K, KR])
}

func (c *CogroupedKStream[K, A]) cogrouping() (*CogroupedKStream[K, A], *windowing[K, K]) {
	return c, nil
}

func (t *WindowedCogroupedKStream[K, A]) cogrouping() (*CogroupedKStream[K, A], *windowing[K, serde.Windowed[K]]) {
	return t.c, plainWindows[K](t.w, OnWindowUpdate)
}

// AggregateCogroup aggregates the streams of a cogroup by key (and window); the aggregate begins as init says. The store's serdes are given
// or the defaults: none is inherited. For sessions see AggregateCogroupSessions.
func AggregateCogroup[K, A, KR any](in Cogrouping[K, A, KR], init func() (A, error), opts ...Materialized[K, A]) *KTable[KR, A] {
	c, w := in.cogrouping()
	if w != nil && w.kind == sessions {
		c.b.illegal("sessions merge, and AggregateCogroup does not know how: use AggregateCogroupSessions")
	}
	return cogroup(in, aggregation[K, any, A]{init: init}, first(opts))
}

// AggregateCogroupSessions is AggregateCogroup for sessions: merge makes one aggregate of two, when a record joins their sessions.
func AggregateCogroupSessions[K, A, KR any](in Cogrouping[K, A, KR], init func() (A, error), merge func(k K, left, right A) (A, error), opts ...Materialized[K, A]) *KTable[KR, A] {
	c, w := in.cogrouping()
	if w == nil || w.kind != sessions {
		c.b.illegal("nothing but sessions is merged: use AggregateCogroup")
	}
	return cogroup(in, aggregation[K, any, A]{init: init, merge: merged(merge)}, first(opts))
}

// cogroup plans an aggregation: a node for each input, over one store, and one that their changes meet in.
func cogroup[K, A, KR any](in Cogrouping[K, A, KR], f aggregation[K, any, A], m Materialized[K, A]) *KTable[KR, A] {
	c, w := in.cogrouping()
	b := c.b
	b.check(m.StepName)
	spec := &state.Spec{Kind: m.kind(), History: m.History.Milliseconds()}
	if w != nil {
		*spec, m = windowStore(b, w, m)
	}
	b.check(m.Name)
	if spec.Name = m.Name; spec.Name == "" {
		spec.Name = b.g.NewName("COGROUPKSTREAM-AGGREGATE-STATE-STORE-")
		b.unnamed("store", spec.Name)
	}
	spec.InMemory, spec.Caching, spec.Logging, spec.LogConfig = m.InMemory || b.InMemory && !m.Persistent, !m.NoCaching, !m.NoLogging, m.LogConfig
	sources := c.feeds(spec.Name, m.Name == "")
	key := need(b, m.Key, b.DefaultKeySerde, spec.Name, "key")
	value := need(b, m.Value, b.DefaultValueSerde, spec.Name, "value")
	of := aggregateTable[KR, A]{old: new(bool)}
	var nodes []*graph.Node
	for i := range c.inputs {
		x := &c.inputs[i]
		f.fold = x.fold
		name := b.suffixed(m.StepName, "-cogroup-agg-"+strconv.Itoa(i), "COGROUPKSTREAM-AGGREGATE-")
		instance, view := cogroupAggregator(w, f, name, spec, key, value, of.old)
		of.view = view
		n := &graph.Node{Name: name, Write: func(tb *topology.Builder, parents []string) {
			tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: name, Parents: parents, New: func() processor.Instance { return x.feed(instance()) }})
			tb.AddStore(spec, name)
			tb.StoreSerdes(spec.Name, key, value)
		}}
		if w != nil {
			grace := w.grace()
			n.Grace = &grace
		}
		nodes = append(nodes, b.g.Add(n, c.parents[x.group]))
	}
	merge := b.suffixed(m.StepName, "-cogroup-merge", "COGROUPKSTREAM-MERGE-")
	versions := spec.Kind == state.Versioned
	n := b.g.Add(&graph.Node{Name: merge, Versioned: &versions, Write: func(tb *topology.Builder, parents []string) {
		tb.Add(&topology.Node{Kind: topology.ProcessorNode, Name: merge, Parents: parents, New: func() processor.Instance {
			return &operator.Pass[KR, processor.Change[A]]{}
		}})
	}}, nodes...)
	table := &KTable[KR, A]{b: b, node: n, name: merge, value: m.Value, queryable: m.Name, sources: sources, from: of}
	own := keyOf(b, m.Key)
	switch {
	case own == nil:
	case w != nil:
		table.key = w.serde(own)
	default:
		table.key = any(own).(serde.Serde[KR]) // without windows KR is K
	}
	return table
}

// cogroupAggregator makes the nodes that aggregate one input, and the viewer of the table.
func cogroupAggregator[K, A, KR any](w *windowing[K, KR], f aggregation[K, any, A], node string, spec *state.Spec, key serde.Serde[K], value serde.Serde[A], old *bool) (func() aggregator[K, any], operator.Viewer[KR, A]) {
	if w != nil {
		return windowAggregator(w, f, node, spec, key, value, old)
	}
	open := openKeys(key, value)
	view := any(operator.StoreViewer(spec.Name, open)).(operator.Viewer[KR, A]) // without windows KR is K
	return func() aggregator[K, any] { return keyAggregator(f, node, spec, open, *old) }, view
}

// feeds finds the nodes that feed the aggregations, behind repartition topics where keys may have changed. A second aggregation of the
// same cogroup shares these; the numbers of their nodes are used up again, as in Kafka.
func (c *CogroupedKStream[K, A]) feeds(store string, generated bool) []*graph.Node {
	var all [][]*graph.Node
	for i := range c.inputs {
		x := &c.inputs[i]
		have := c.parents[x.group]
		switch {
		case x.through == nil:
			c.parents[x.group] = x.node
		case have != nil:
			x.again(store)
		default:
			n := x.through(store, generated)
			c.b.g.Add(n, x.node)
			c.parents[x.group], x.sources = n, []*graph.Node{n}
		}
		all = append(all, x.sources)
	}
	sources := union(all...)
	c.b.g.Copartition(sources)
	return sources
}
