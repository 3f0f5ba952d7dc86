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
}

// WindowedByDynamic cuts a stream into windows. The keys of its aggregates are serde.Windowed[any].
func WindowedByDynamic[V any](g *KGroupedStream[any, V], w Windows) *DynamicWindowedKStream[V] {
	w.check(g.s.b)
	return &DynamicWindowedKStream[V]{g, w}
}

func (t *DynamicWindowedKStream[V]) grouping() (*KGroupedStream[any, V], *windowing[any, any]) {
	plain := func(k any) serde.Windowed[any] {
		w, _ := k.(serde.Windowed[any]) // the table's own keys are
		return w
	}
	return t.g, &windowing[any, any]{t.w, func(k serde.Windowed[any]) any { return k }, plain, dynamicWindowed}
}

func dynamicWindowed(inner serde.Serde[any], size int64) serde.Serde[any] {
	return serde.Dynamic(serde.TimeWindowed(inner, size))
}

// CountDynamic is Count with a result of any, which holds an int64. materialized says that m stands for more than a step's name: Kafka's
// form with Materialized, which uses up one more number where the store has no name. long is the serde of a count where m has none.
func CountDynamic[K, V, KR any](in Grouping[K, V, KR], m Materialized[K, any], materialized bool, long serde.Serde[any]) *KTable[KR, any] {
	g, _ := in.grouping()
	if materialized {
		burn(g.s.b, m.Name)
	}
	if m.Value == nil {
		m.Value = long
	}
	return aggregate(in, m, "KSTREAM-AGGREGATE-", func() (any, error) { return int64(0), nil }, countAny[K, V])
}

func countAny[K, V any](_ K, _ *processor.Record[K, V], n any, _ bool) (any, error) {
	return n.(int64) + 1, nil
}
