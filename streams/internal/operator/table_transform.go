package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// ValueTransformer gives a table's rows new values. has says whether there is a value: a deletion is transformed too. A nil result is a null.
type ValueTransformer[K, V, V2 any] interface {
	Transform(k K, v V, has bool) (V2, error)
}

// ValueContext is what a ValueTransformer sees of its task. It cannot forward.
type ValueContext struct{ Surroundings }

// TableTransform gives each row a new value by a transformer with stores: KTableTransformValues.
type TableTransform[K, V, V2 any] struct {
	Stored[K, V2]
	Node     string
	Stores   []string // connected
	Supplier func(c *ValueContext) (ValueTransformer[K, V, V2], error)

	f ValueTransformer[K, V, V2]
}

// Init implements processor.Instance. It makes the user's transformer.
func (n *TableTransform[K, V, V2]) Init(t processor.Task) (err error) {
	if err := n.Stored.Init(t); err != nil {
		return err
	}
	n.f, err = newTransformer(t, n.Node, n.Stores, n.Supplier)
	return err
}

func newTransformer[K, V, V2 any](t processor.Task, node string, stores []string, supplier func(c *ValueContext) (ValueTransformer[K, V, V2], error)) (ValueTransformer[K, V, V2], error) {
	c := &ValueContext{Surroundings{t: t, node: node, stores: stores}}
	f, err := supplier(c)
	if err != nil {
		return nil, &InitError{node, err}
	}
	c.made = true
	return f, nil
}

// Close implements processor.Instance.
func (n *TableTransform[K, V, V2]) Close() { closeUser(n.f) }

// Process implements processor.Processor.
func (n *TableTransform[K, V, V2]) Process(r *processor.Record[K, processor.Change[V]]) (err error) {
	c := processor.Change[V2]{NullOld: true, Stale: r.Value.Stale}
	if c.New, err = n.f.Transform(r.Key, r.Value.New, !r.Value.NullNew); err != nil {
		return err
	}
	c.NullNew = n.nullValue(&c.New)
	switch {
	case n.SendOld && n.store != nil:
		c.Old, c.NullOld, err = n.kept(r.Key)
	case n.SendOld:
		c.Old, err = n.f.Transform(r.Key, r.Value.Old, !r.Value.NullOld)
		c.NullOld = n.nullValue(&c.Old)
	}
	if err != nil {
		return err
	}
	return n.put(r.Key, c, r.Timestamp, r.Headers)
}

// TransformedViewer is the viewer of such a table without a store: it transforms what the parent holds, with a transformer of its own. The
// record context is then that of the row: no topic, and its time.
func TransformedViewer[K, V, V2 any](parent Viewer[K, V], node string, stores []string, supplier func(c *ValueContext) (ValueTransformer[K, V, V2], error)) Viewer[K, V2] {
	null := processor.NullTest[V2]()
	return Viewer[K, V2]{Stores: parent.Stores, Open: func(t processor.Task) (View[K, V2], error) {
		p, err := parent.Open(t)
		if err != nil {
			return nil, err
		}
		f, err := newTransformer(t, node, stores, supplier)
		return mapped[K, V, V2]{p, func(k K, v Valued[V]) (out Valued[V2], err error) {
			ctx := t.Context()
			before := *ctx
			*ctx = processor.RecordContext{Partition: -1, Offset: -1, Timestamp: -1}
			if v.Has {
				ctx.Timestamp = v.Time
			}
			out.Value, err = f.Transform(k, v.Value, v.Has)
			*ctx = before
			out.Has, out.Time = err == nil && !null(&out.Value), v.Time
			return out, err
		}}, err
	}}
}
