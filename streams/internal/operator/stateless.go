// Package operator is for the nodes of the DSL: one type an operation, each a direct rendering of the rule of the Kafka Streams
// processor of the same name.
package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Filter passes what Where says true to: KStreamFilter. With Not, the others.
type Filter[K, V any] struct {
	processor.Output[K, V]
	Where func(k K, v V) (bool, error)
	Not   bool
}

// Process implements processor.Processor.
func (n *Filter[K, V]) Process(r *processor.Record[K, V]) error {
	ok, err := n.Where(r.Key, r.Value)
	if err != nil || ok == n.Not {
		return err
	}
	return n.Forward(r)
}

// Map gives every record a new key and value: KStreamMap.
type Map[K, V, K2, V2 any] struct {
	processor.Output[K2, V2]
	F func(k K, v V) (K2, V2, error)

	out       processor.Record[K2, V2]
	nullKey   func(*K2) bool
	nullValue func(*V2) bool
}

// Init implements processor.Instance.
func (n *Map[K, V, K2, V2]) Init(t processor.Task) error {
	n.nullKey, n.nullValue = processor.NullTest[K2](), processor.NullTest[V2]()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *Map[K, V, K2, V2]) Process(r *processor.Record[K, V]) (err error) {
	o := &n.out
	if o.Key, o.Value, err = n.F(r.Key, r.Value); err != nil {
		return err
	}
	o.NullKey, o.NullValue = n.nullKey(&o.Key), n.nullValue(&o.Value)
	o.Timestamp, o.Headers = r.Timestamp, r.Headers
	return n.Forward(o)
}

// MapValues gives every record a new value: KStreamMapValues.
type MapValues[K, V, V2 any] struct {
	processor.Output[K, V2]
	F func(k K, v V) (V2, error)

	out       processor.Record[K, V2]
	nullValue func(*V2) bool
}

// Init implements processor.Instance.
func (n *MapValues[K, V, V2]) Init(t processor.Task) error {
	n.nullValue = processor.NullTest[V2]()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *MapValues[K, V, V2]) Process(r *processor.Record[K, V]) (err error) {
	o := &n.out
	if o.Value, err = n.F(r.Key, r.Value); err != nil {
		return err
	}
	o.NullValue = n.nullValue(&o.Value)
	o.Key, o.NullKey, o.Timestamp, o.Headers = r.Key, r.NullKey, r.Timestamp, r.Headers
	return n.Forward(o)
}

// SelectKey gives every record a new key: KStreamMap under the name KSTREAM-KEY-SELECT.
type SelectKey[K, V, K2 any] struct {
	processor.Output[K2, V]
	F func(k K, v V) (K2, error)

	out     processor.Record[K2, V]
	nullKey func(*K2) bool
}

// Init implements processor.Instance.
func (n *SelectKey[K, V, K2]) Init(t processor.Task) error {
	n.nullKey = processor.NullTest[K2]()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *SelectKey[K, V, K2]) Process(r *processor.Record[K, V]) (err error) {
	o := &n.out
	if o.Key, err = n.F(r.Key, r.Value); err != nil {
		return err
	}
	o.NullKey = n.nullKey(&o.Key)
	o.Value, o.NullValue, o.Timestamp, o.Headers = r.Value, r.NullValue, r.Timestamp, r.Headers
	return n.Forward(o)
}

// Pair is one result of FlatMap.
type Pair[K, V any] struct {
	Key   K
	Value V
}

// FlatMap gives any number of records for one: KStreamFlatMap.
type FlatMap[K, V, K2, V2 any] struct {
	processor.Output[K2, V2]
	F func(k K, v V) ([]Pair[K2, V2], error)

	nullKey   func(*K2) bool
	nullValue func(*V2) bool
	out       processor.Record[K2, V2]
}

// Init implements processor.Instance.
func (n *FlatMap[K, V, K2, V2]) Init(t processor.Task) error {
	n.nullKey, n.nullValue = processor.NullTest[K2](), processor.NullTest[V2]()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *FlatMap[K, V, K2, V2]) Process(r *processor.Record[K, V]) error {
	pairs, err := n.F(r.Key, r.Value)
	if err != nil {
		return err
	}
	for i := range pairs {
		p := &pairs[i]
		n.out = processor.Record[K2, V2]{Key: p.Key, Value: p.Value, NullKey: n.nullKey(&p.Key), NullValue: n.nullValue(&p.Value),
			Timestamp: r.Timestamp, Headers: r.Headers}
		if err := n.Forward(&n.out); err != nil {
			return err
		}
	}
	return nil
}

// FlatMapValues gives any number of values for one: KStreamFlatMapValues.
type FlatMapValues[K, V, V2 any] struct {
	processor.Output[K, V2]
	F func(k K, v V) ([]V2, error)

	nullValue func(*V2) bool
	out       processor.Record[K, V2]
}

// Init implements processor.Instance.
func (n *FlatMapValues[K, V, V2]) Init(t processor.Task) error {
	n.nullValue = processor.NullTest[V2]()
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *FlatMapValues[K, V, V2]) Process(r *processor.Record[K, V]) error {
	values, err := n.F(r.Key, r.Value)
	if err != nil {
		return err
	}
	for i := range values {
		n.out = processor.Record[K, V2]{Key: r.Key, NullKey: r.NullKey, Value: values[i], NullValue: n.nullValue(&values[i]),
			Timestamp: r.Timestamp, Headers: r.Headers}
		if err := n.Forward(&n.out); err != nil {
			return err
		}
	}
	return nil
}

// Peek shows every record to F and passes it on: KStreamPeek. It is also foreach, which has no children.
type Peek[K, V any] struct {
	processor.Output[K, V]
	F func(k K, v V) error
}

// Process implements processor.Processor.
func (n *Peek[K, V]) Process(r *processor.Record[K, V]) error {
	if err := n.F(r.Key, r.Value); err != nil {
		return err
	}
	return n.Forward(r)
}

// Pass passes every record on: PassThrough, the node of merges and branches.
type Pass[K, V any] struct{ processor.Output[K, V] }

// Process implements processor.Processor.
func (n *Pass[K, V]) Process(r *processor.Record[K, V]) error { return n.Output.Pass(r) }

// Branch passes every record to the first child whose predicate says true: KStreamBranch. The children are found by name; a nil
// predicate is the default branch.
type Branch[K, V any] struct {
	processor.Output[K, V]
	Children []string
	Where    []func(k K, v V) (bool, error)

	at []int
}

// Init implements processor.Instance.
func (n *Branch[K, V]) Init(t processor.Task) error {
	for _, c := range n.Children {
		n.at = append(n.at, n.Child(c))
	}
	return n.Output.Init(t)
}

// Process implements processor.Processor.
func (n *Branch[K, V]) Process(r *processor.Record[K, V]) error {
	for i, where := range n.Where {
		ok := where == nil
		if !ok {
			var err error
			if ok, err = where(r.Key, r.Value); err != nil {
				return err
			}
		}
		if ok {
			if n.at[i] < 0 {
				return nil
			}
			return n.ForwardTo(n.at[i], r)
		}
	}
	return nil
}

// RepartitionFilter drops null keys in front of a repartition topic, unless AllowNull.
type RepartitionFilter[K, V any] struct {
	processor.Output[K, V]
	AllowNull bool
}

// Process implements processor.Processor.
func (n *RepartitionFilter[K, V]) Process(r *processor.Record[K, V]) error {
	if r.NullKey && !n.AllowNull {
		return nil
	}
	return n.Forward(r)
}
