package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// StreamTableJoin looks each record up in a table: KStreamKTableJoin and, by LookUp, KStreamGlobalKTableJoin. The table's updates emit
// nothing.
type StreamTableJoin[K, V, KT, VT, R any] struct {
	processor.Output[K, R]
	Node string
	// LookUp gives the table's key of a record, and whether it is null.
	LookUp func(r *processor.Record[K, V]) (k KT, null bool, err error)
	Table  Viewer[KT, VT]
	Join   func(k K, v V, vt VT, has bool) (R, error)
	// Left: records without a match are joined with nothing.
	Left bool

	table View[KT, VT]
	asOf  AsOf[KT, VT] // of a versioned table, which is asked for what was valid at the record's time
	null  func(*R) bool
	out   processor.Record[K, R]
}

// Init implements processor.Instance.
func (n *StreamTableJoin[K, V, KT, VT, R]) Init(t processor.Task) (err error) {
	n.null = processor.NullTest[R]()
	if n.table, err = n.Table.Open(t); err != nil {
		return err
	}
	if v, ok := n.table.(AsOf[KT, VT]); ok && v.Versioned() {
		n.asOf = v
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *StreamTableJoin[K, V, KT, VT, R]) Process(r *processor.Record[K, V]) error {
	k, null, err := n.LookUp(r)
	if err != nil {
		return err
	}
	if n.drops(r, null) {
		return nil
	}
	return n.join(r, k, null)
}

// drops leaves out a record that cannot be joined.
func (n *StreamTableJoin[K, V, KT, VT, R]) drops(r *processor.Record[K, V], nullKey bool) bool {
	if !r.NullValue && (n.Left || !nullKey) {
		return false
	}
	n.Task().Drop(n.Node, "null join key or value")
	return true
}

func (n *StreamTableJoin[K, V, KT, VT, R]) join(r *processor.Record[K, V], k KT, null bool) (err error) {
	var t Valued[VT]
	switch {
	case null:
	case n.asOf != nil:
		t, err = n.asOf.GetAsOf(k, r.Timestamp)
	default:
		t, err = n.table.Get(k)
	}
	if err != nil {
		return err
	}
	if !t.Has && !n.Left {
		return nil
	}
	n.out = processor.Record[K, R]{Key: r.Key, NullKey: r.NullKey, Timestamp: r.Timestamp, Headers: r.Headers}
	if n.out.Value, err = n.Join(r.Key, r.Value, t.Value, t.Has); err != nil {
		return err
	}
	n.out.NullValue = n.null(&n.out.Value)
	return n.Forward(&n.out)
}
