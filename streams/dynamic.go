package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// What a layer needs that is written over streams of any, such as app.yaml: a windowed key is there a serde.Windowed[any] in an any, so
// that all streams and tables have one type.

// DynamicWindowedKStream is a grouped stream of any, cut into windows.
type DynamicWindowedKStream[V any] struct {
	g *KGroupedStream[any, V]
	w Windows
	e EmitStrategy
}

// WindowedByDynamic cuts a stream into windows. The keys of its aggregates are serde.Windowed[any].
func WindowedByDynamic[V any](g *KGroupedStream[any, V], w Windows, e EmitStrategy) *DynamicWindowedKStream[V] {
	w.check(g.s.b)
	w.emit(g.s.b, e)
	return &DynamicWindowedKStream[V]{g, w, e}
}

func (t *DynamicWindowedKStream[V]) grouping() (*KGroupedStream[any, V], *windowing[any, any]) {
	return t.g, dynamicWindows(t.w, t.e)
}

// DynamicWindowedCogroup is a cogrouped stream of any, cut into windows.
type DynamicWindowedCogroup[A any] struct {
	c *CogroupedKStream[any, A]
	w Windows
}

// CogroupWindowedByDynamic cuts a cogrouped stream into windows. The keys of its aggregates are serde.Windowed[any].
func CogroupWindowedByDynamic[A any](c *CogroupedKStream[any, A], w Windows) *DynamicWindowedCogroup[A] {
	w.check(c.b)
	return &DynamicWindowedCogroup[A]{c, w}
}

func (t *DynamicWindowedCogroup[A]) cogrouping() (*CogroupedKStream[any, A], *windowing[any, any]) {
	return t.c, dynamicWindows(t.w, OnWindowUpdate)
}

func dynamicWindows(w Windows, e EmitStrategy) *windowing[any, any] {
	plain := func(k any) serde.Windowed[any] {
		w, _ := k.(serde.Windowed[any]) // the table's own keys are
		return w
	}
	inner := windowedSerde[any](w)
	return &windowing[any, any]{w, e, func(k serde.Windowed[any]) any { return k }, plain, func(key serde.Serde[any]) serde.Serde[any] {
		return serde.Dynamic(inner(key))
	}}
}

// CountDynamic is Count with a result of any, which holds an int64. materialized says that m stands for more than a step's name: Kafka's
// form with Materialized, which uses up one more number where the store has no name. long is the serde of a count where m has none.
func CountDynamic[K, V, KR any](in Grouping[K, V, KR], m Materialized[K, any], materialized bool, long serde.Serde[any]) *KTable[KR, any] {
	g, w := in.grouping()
	if materialized && burns(w) {
		burn(g.s.b, m.Name)
	}
	if m.Value == nil {
		m.Value = long
	}
	f := aggregation[K, V, any]{func() (any, error) { return int64(0), nil }, countAny[K, V], sumAny[K]}
	return aggregate(in, m, "KSTREAM-AGGREGATE-", f)
}

func countAny[K, V any](_ K, _ *processor.Record[K, V], n any, _ bool) (any, error) {
	return n.(int64) + 1, nil
}

func sumAny[K any](_ K, x any, _ bool, y any) (any, error) { return x.(int64) + y.(int64), nil }
