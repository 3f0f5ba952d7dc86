package streams

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/operator"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// ValueTransformer gives a table's rows new values: ValueTransformerWithKey. has says whether there is a value: a deletion is transformed too. A
// nil result is a null. With a method Close() it is told when its task ends.
type ValueTransformer[K, V, V2 any] = operator.ValueTransformer[K, V, V2]

// ValueContext is what a ValueTransformer sees of its task. It opens stores as a ProcessorContext does, and cannot forward.
type ValueContext = operator.ValueContext

// ValueTransformerSupplier makes the transformer of one task, and another for each step that looks rows up in a table that keeps no store: these
// are asked again and again, and must not depend on what else was asked.
type ValueTransformerSupplier[K, V, V2 any] func(c *ValueContext) (ValueTransformer[K, V, V2], error)

// ValueTransformerFunc is a transformer that is a function.
type ValueTransformerFunc[K, V, V2 any] func(k K, v V, has bool) (V2, error)

// Transform implements ValueTransformer.
func (f ValueTransformerFunc[K, V, V2]) Transform(k K, v V, has bool) (V2, error) {
	return f(k, v, has)
}

// TransformTableValues gives each row a new value by a transformer that may use stores: KTable.transformValues. Name and stores of the step are in o;
// StepName in the Materialized option is not used.
func TransformTableValues[K, V, V2 any](t *KTable[K, V], supplier ValueTransformerSupplier[K, V, V2], o ProcessOptions, opts ...Materialized[K, V2]) *KTable[K, V2] {
	b, m := t.b, first(opts)
	k := newKept(b, m, "")
	k.step = b.named(o.Name, "KTABLE-TRANSFORMVALUES-")
	stores := o.stores()
	for _, s := range o.Add {
		s.finish(b)
	}
	n := t.below(k.step, func(tb *topology.Builder) {
		for _, s := range o.Add {
			s.write(tb)
		}
		tb.Connect(k.step, stores...)
		k.write(tb)
	}, func() processor.Instance {
		return &operator.TableTransform[K, V, V2]{Stored: k.half(), Node: k.step, Stores: stores, Supplier: supplier}
	})
	n.Versioned = k.inherited(len(opts) > 0)
	m = inherit(m, t.key, nil)
	return &KTable[K, V2]{b: b, node: n, name: k.step, key: m.Key, value: m.Value, queryable: m.Name, sources: t.sources,
		from: transformed[K, V, V2]{derived[K, V, V2]{keptTable: k, parent: t.from}, stores, supplier}}
}

// transformed is the result: a table that is derived row by row, with a transformer where there is no store.
type transformed[K, V, V2 any] struct {
	derived[K, V, V2]
	stores   []string
	supplier ValueTransformerSupplier[K, V, V2]
}

func (t transformed[K, V, V2]) viewer() operator.Viewer[K, V2] {
	if t.kept {
		return t.derived.viewer()
	}
	return operator.TransformedViewer(t.parent.viewer(), t.step, t.stores, t.supplier)
}
