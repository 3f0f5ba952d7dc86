package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// TableSource turns records into a table's changes: KTableSource. Without a store it does not know old values.
type TableSource[K, V any] struct {
	Stored[K, V]
	Node string
}

// Process implements processor.Processor.
func (n *TableSource[K, V]) Process(r *processor.Record[K, V]) (err error) {
	if r.NullKey {
		n.Task().Drop(n.Node, "null key")
		return nil
	}
	c := processor.Change[V]{New: r.Value, NullNew: r.NullValue, NullOld: true}
	if n.store != nil {
		if c.Old, c.NullOld, err = n.kept(r.Key); err != nil {
			return err
		}
	}
	return n.put(r.Key, c, r.Timestamp, r.Headers)
}

// TableFilter keeps the rows for which Where says true, and deletes those for which it no longer does: KTableFilter.
type TableFilter[K, V any] struct {
	Stored[K, V]
	Where func(k K, v V) (bool, error)
	Not   bool
	// Versioned: the table is a versioned one, and each version that does not pass is a deletion.
	Versioned bool
}

// filtered is v, or null where it does not pass.
func (n *TableFilter[K, V]) filtered(k K, v V, null bool) (V, bool, error) {
	return FilterValue(n.Where, n.Not, k, v, null)
}

// FilterValue is a value of a filtered table: v, or null where it is null or does not pass.
func FilterValue[K, V any](where func(k K, v V) (bool, error), not bool, k K, v V, null bool) (V, bool, error) {
	var zero V
	if null {
		return zero, true, nil
	}
	ok, err := where(k, v)
	if err != nil || ok == not {
		return zero, true, err
	}
	return v, false, nil
}

// Process implements processor.Processor.
func (n *TableFilter[K, V]) Process(r *processor.Record[K, processor.Change[V]]) (err error) {
	c := processor.Change[V]{NullOld: true, Stale: r.Value.Stale}
	if c.New, c.NullNew, err = n.filtered(r.Key, r.Value.New, r.Value.NullNew); err != nil {
		return err
	}
	if n.SendOld {
		if n.store != nil {
			c.Old, c.NullOld, err = n.kept(r.Key)
		} else {
			c.Old, c.NullOld, err = n.filtered(r.Key, r.Value.Old, r.Value.NullOld)
		}
		if err != nil {
			return err
		}
		if c.NullOld && c.NullNew && !n.Versioned {
			return nil
		}
	}
	return n.put(r.Key, c, r.Timestamp, r.Headers)
}

// TableMapValues gives each row a new value: KTableMapValues.
type TableMapValues[K, V, V2 any] struct {
	Stored[K, V2]
	F func(k K, v V) (V2, error)
}

// MapValue is a value of a mapped table: null stays null, and f is not asked.
func MapValue[K, V, V2 any](f func(k K, v V) (V2, error), null func(*V2) bool, k K, v V, isNull bool) (V2, bool, error) {
	var zero V2
	if isNull {
		return zero, true, nil
	}
	out, err := f(k, v)
	if err != nil {
		return zero, true, err
	}
	return out, null(&out), nil
}

// Process implements processor.Processor.
func (n *TableMapValues[K, V, V2]) Process(r *processor.Record[K, processor.Change[V]]) (err error) {
	c := processor.Change[V2]{NullOld: true, Stale: r.Value.Stale}
	if c.New, c.NullNew, err = MapValue(n.F, n.nullValue, r.Key, r.Value.New, r.Value.NullNew); err != nil {
		return err
	}
	if n.SendOld {
		if n.store != nil {
			c.Old, c.NullOld, err = n.kept(r.Key)
		} else {
			c.Old, c.NullOld, err = MapValue(n.F, n.nullValue, r.Key, r.Value.Old, r.Value.NullOld)
		}
		if err != nil {
			return err
		}
	}
	return n.put(r.Key, c, r.Timestamp, r.Headers)
}
