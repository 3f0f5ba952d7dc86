package operator

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// TableRegroup maps a table's rows, old and new, to the keys and values by which they are grouped: KTableRepartitionMap. A change whose
// keys are equal is one record (KIP-904), else the old row goes before the new one.
type TableRegroup[K, V, K2, V2 any] struct {
	processor.Output[K2, processor.Change[V2]]
	F     func(k K, v V) (K2, V2, error)
	Equal func(a, b K2) (bool, error)
	// Apart: old and new are two records also where their keys are equal, as before KIP-904.
	Apart bool
	// Versioned: the table is a versioned one, and changes that are not its latest are left out.
	Versioned bool

	out       processor.Record[K2, processor.Change[V2]]
	nullKey   func(*K2) bool
	nullValue func(*V2) bool
}

// Init implements processor.Instance.
func (n *TableRegroup[K, V, K2, V2]) Init(t processor.Task) error {
	n.nullKey, n.nullValue = processor.NullTest[K2](), processor.NullTest[V2]()
	return n.Output.Init(t)
}

// regrouped maps one row; ok is false where there is nothing to forward.
func (n *TableRegroup[K, V, K2, V2]) regrouped(k K, v V, null bool) (k2 K2, v2 V2, ok bool, err error) {
	if null {
		return k2, v2, false, nil
	}
	k2, v2, err = n.F(k, v)
	return k2, v2, err == nil && !n.nullKey(&k2) && !n.nullValue(&v2), err
}

// Process implements processor.Processor.
func (n *TableRegroup[K, V, K2, V2]) Process(r *processor.Record[K, processor.Change[V]]) error {
	if r.NullKey {
		return &KeyError{"Record key for the grouping KTable should not be null."}
	}
	c := &r.Value
	if n.Versioned && c.Stale {
		return nil
	}
	newKey, newValue, hasNew, err := n.regrouped(r.Key, c.New, c.NullNew)
	if err != nil {
		return err
	}
	oldKey, oldValue, hasOld, err := n.regrouped(r.Key, c.Old, c.NullOld)
	if err != nil {
		return err
	}
	n.out = processor.Record[K2, processor.Change[V2]]{Timestamp: r.Timestamp, Headers: r.Headers}
	if hasNew && hasOld && !n.Apart {
		same, err := n.Equal(oldKey, newKey)
		if err != nil {
			return err
		}
		if same {
			n.out.Key, n.out.Value = newKey, processor.Change[V2]{New: newValue, Old: oldValue, Stale: c.Stale}
			return n.Forward(&n.out)
		}
	}
	if hasOld {
		n.out.Key, n.out.Value = oldKey, processor.Change[V2]{Old: oldValue, NullNew: true, Stale: c.Stale}
		if err := n.Forward(&n.out); err != nil {
			return err
		}
	}
	if hasNew {
		n.out.Key, n.out.Value = newKey, processor.Change[V2]{New: newValue, NullOld: true, Stale: c.Stale}
		return n.Forward(&n.out)
	}
	return nil
}

// KeyError is a null key where a table's rows are needed: Kafka's StreamsException.
type KeyError struct{ Text string }

func (e *KeyError) Error() string { return e.Text }

// Class is Kafka's name of the error kind.
func (e *KeyError) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// TableAggregate is count, reduce and aggregate of a grouped table: KTableAggregate, KTableReduce. Old values are taken out of the
// aggregate, then new ones are put in.
type TableAggregate[K, V, A any] struct {
	Stored[K, A]
	Initializer func() (A, error) // nil: a reduce, whose first value stands as it is
	Add, Remove func(k K, v V, agg A) (A, error)
}

// Process implements processor.Processor.
func (n *TableAggregate[K, V, A]) Process(r *processor.Record[K, processor.Change[V]]) error {
	if r.NullKey {
		return &KeyError{fmt.Sprintf("Record key for KTable aggregate operator with state %s should not be null.", n.Store)}
	}
	old, oldTime, has, err := n.store.Get(r.Key)
	if err != nil {
		return err
	}
	agg, null, ts := old, !has, r.Timestamp
	if !r.Value.NullOld && has {
		if agg, err = n.Remove(r.Key, r.Value.Old, agg); err != nil {
			return err
		}
		null, ts = n.nullValue(&agg), max(ts, oldTime)
	}
	if !r.Value.NullNew {
		touched := has && (n.Initializer != nil || !null)
		if agg, err = n.added(r, agg, null); err != nil {
			return err
		}
		if null = n.nullValue(&agg); touched {
			ts = max(ts, oldTime)
		}
	}
	return n.put(r.Key, processor.Change[A]{New: agg, NullNew: null, Old: old, NullOld: !has}, ts, r.Headers)
}

func (n *TableAggregate[K, V, A]) added(r *processor.Record[K, processor.Change[V]], agg A, null bool) (A, error) {
	if null {
		if n.Initializer == nil {
			v, ok := any(r.Value.New).(A) // a reduce: V is A
			if !ok {
				return agg, fmt.Errorf("streams: a reduce of %T gives %T", r.Value.New, agg)
			}
			return v, nil
		}
		var err error
		if agg, err = n.Initializer(); err != nil {
			return agg, err
		}
	}
	return n.Add(r.Key, r.Value.New, agg)
}
