package streamstest

import (
	"fmt"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// InputTopic writes to a topic that the topology reads.
type InputTopic[K, V any] struct {
	d     *Driver
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	next  int
}

// Input is a topic with the serdes to write it.
func Input[K, V any](d *Driver, topic string, key serde.Serde[K], value serde.Serde[V]) *InputTopic[K, V] {
	return &InputTopic[K, V]{d: d, topic: topic, key: key, value: value}
}

// Event is a typed record. NullKey and NullValue stand for nulls, whatever Key and Value are.
type Event[K, V any] struct {
	Key                K
	Value              V
	NullKey, NullValue bool
	Timestamp          int64 // ms
	Headers            []broker.Header
}

// Pipe hands over a record and processes everything that follows from it; an error fails the test.
func (i *InputTopic[K, V]) Pipe(t testing.TB, key K, value V, timestamp int64) {
	t.Helper()
	i.PipeEvents(t, Event[K, V]{Key: key, Value: value, Timestamp: timestamp})
}

// PipeEvents hands over records one after another.
func (i *InputTopic[K, V]) PipeEvents(t testing.TB, events ...Event[K, V]) {
	t.Helper()
	for _, e := range events {
		if err := i.Try(e); err != nil {
			t.Fatal(err)
		}
	}
}

// Try is PipeEvents of one record that returns the error.
func (i *InputTopic[K, V]) Try(e Event[K, V]) (err error) {
	r := Record{Topic: i.topic, Record: broker.Record{Timestamp: e.Timestamp, Headers: e.Headers}}
	if n := i.d.parts; n > 1 {
		defer func() { i.next++ }()
		r.Partition = int32(i.next) % n // records without a key take turns
	}
	if !e.NullKey {
		if r.Key, err = i.key.Append([]byte{}, i.topic, e.Key); err != nil {
			return err
		}
	}
	if !e.NullValue {
		if r.Value, err = i.value.Append([]byte{}, i.topic, e.Value); err != nil {
			return err
		}
	}
	if i.d.parts > 1 && r.Key != nil {
		r.Partition = broker.PartitionForKey(r.Key, i.d.parts)
	}
	return i.d.Pipe(r)
}

// OutputTopic reads what was sent to a topic, each record once.
type OutputTopic[K, V any] struct {
	d     *Driver
	topic string
	key   serde.Serde[K]
	value serde.Serde[V]
	at    int
}

// Output is a topic with the serdes to read it. It begins with the first record ever sent.
func Output[K, V any](d *Driver, topic string, key serde.Serde[K], value serde.Serde[V]) *OutputTopic[K, V] {
	return &OutputTopic[K, V]{d: d, topic: topic, key: key, value: value}
}

// Next returns the next record, and whether there is one.
func (o *OutputTopic[K, V]) Next() (e Event[K, V], ok bool, err error) {
	if o.at = o.d.out.next(o.at, o.topic); o.at < o.d.out.log.n {
		r := o.d.out.at(o.at)
		o.at++
		e = Event[K, V]{NullKey: r.Key == nil, NullValue: r.Value == nil, Timestamp: r.Timestamp, Headers: r.Headers}
		if !e.NullKey {
			if e.Key, err = o.key.Decode(o.topic, r.Key); err != nil {
				return e, true, err
			}
		}
		if !e.NullValue {
			e.Value, err = o.value.Decode(o.topic, r.Value)
		}
		return e, true, err
	}
	return e, false, nil
}

// Read returns the next record; when there is none the test fails.
func (o *OutputTopic[K, V]) Read(t testing.TB) Event[K, V] {
	t.Helper()
	e, ok, err := o.Next()
	if err != nil {
		t.Fatal(err)
	}
	if !ok {
		t.Fatalf("streamstest: no more records in topic %q", o.topic)
	}
	return e
}

// ReadAll returns the records that are left.
func (o *OutputTopic[K, V]) ReadAll(t testing.TB) []Event[K, V] {
	t.Helper()
	var out []Event[K, V]
	for {
		e, ok, err := o.Next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out
		}
		out = append(out, e)
	}
}

// Empty says that there are no more records.
func (o *OutputTopic[K, V]) Empty() bool {
	return o.d.out.next(o.at, o.topic) == o.d.out.log.n
}

func (e Event[K, V]) String() string {
	return fmt.Sprintf("%v=%v@%d", e.Key, e.Value, e.Timestamp)
}
