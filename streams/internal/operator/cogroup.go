package operator

import (
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
)

// Aggregation is an aggregating node of a cogrouped stream: it takes pointers to values, whatever their type is.
type Aggregation[K any] interface {
	processor.Instance
	processor.Processor[K, any]
}

// CogroupInput is one input of a cogrouped stream in front of its Aggregation, which it feeds with pointers to its values: nothing is
// boxed.
type CogroupInput[K, V any] struct {
	Aggregation[K]
	out processor.Record[K, any]
}

// Process implements processor.Processor.
func (n *CogroupInput[K, V]) Process(r *processor.Record[K, V]) error {
	n.out = processor.Record[K, any]{Key: r.Key, NullKey: r.NullKey, Value: &r.Value, NullValue: r.NullValue, Timestamp: r.Timestamp, Headers: r.Headers}
	return n.Aggregation.Process(&n.out)
}

// CogroupFold is a Fold of values behind a CogroupInput.
func CogroupFold[K, V, A any](add func(k K, v V, agg A) (A, error)) Fold[K, any, A] {
	return func(k K, r *processor.Record[K, any], agg A, _ bool) (A, error) { return add(k, *r.Value.(*V), agg) }
}
