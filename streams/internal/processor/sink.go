package processor

import (
	"fmt"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Sink is a sink node: it writes records to a topic.
type Sink[K, V any] struct {
	Topic string
	// Dynamic chooses the topic by record: TopicNameExtractor. Used when Topic is empty.
	Dynamic func(r *Record[K, V], ctx *RecordContext) (string, error)
	Key     serde.Serde[K]
	Value   serde.Serde[V]
	// Partition chooses the partition: StreamPartitioner. Nil: by the hash of the key's bytes (of the inner key, for a windowed one).
	Partition func(topic string, r *Record[K, V], partitions int32) (int32, error)
	// Multicast chooses any number of partitions, which each get the record; with none it is dropped. It comes before Partition.
	Multicast func(topic string, r *Record[K, V], partitions int32) ([]int32, error)
	Node      string // the sink's name, for what is dropped

	t     Task
	name  string                 // of Topic on the cluster, which serdes and partitioner are given
	inner serde.InnerAppender[K] // not nil for a windowed key
	buf   []byte
}

// Connect implements Instance.
func (s *Sink[K, V]) Connect(children []Child) error {
	if len(children) > 0 {
		return fmt.Errorf("streams: a sink cannot have a child (%s)", children[0].Name)
	}
	return nil
}

// Init implements Instance.
func (s *Sink[K, V]) Init(t Task) error {
	s.t, s.name = t, t.TopicName(s.Topic)
	s.inner, _ = s.Key.(serde.InnerAppender[K])
	return nil
}

// Close implements Instance.
func (s *Sink[K, V]) Close() {}

// Process implements Processor.
func (s *Sink[K, V]) Process(r *Record[K, V]) error {
	topic := s.name
	if topic == "" {
		var err error
		if topic, err = s.Dynamic(r, s.t.Context()); err != nil {
			return err
		}
	}
	out := broker.Record{Timestamp: r.Timestamp, Headers: r.Headers}
	var err error
	var hash []byte
	if !r.NullKey {
		if out.Key, err = s.encode(topic, r); err != nil {
			return s.refused("key", topic, r, err)
		}
		hash = out.Key
		if s.inner != nil {
			if s.buf, err = s.inner.AppendInner(s.buf[:0], topic, r.Key); err != nil {
				return s.refused("key", topic, r, err)
			}
			hash = s.buf
		}
	}
	if !r.NullValue {
		b := s.t.Alloc(64)
		if b, err = s.Value.Append(b, topic, r.Value); err != nil {
			return s.refused("value", topic, r, err)
		}
		s.t.Keep(b)
		out.Value = nonNil(b)
	}
	ctx := s.t.Context() // Kafka lets go of the source record's bytes here: dead letters of the sink's later siblings are without
	ctx.RawKey, ctx.RawValue = nil, nil
	partition := int32(-1)
	switch {
	case s.Multicast != nil:
		return s.multicast(topic, r, out)
	case s.Partition != nil:
		return s.partitioned(topic, r, out)
	}
	return s.t.Send(topic, partition, hash, out)
}

func (s *Sink[K, V]) encode(topic string, r *Record[K, V]) ([]byte, error) {
	b, err := s.Key.Append(s.t.Alloc(64), topic, r.Key)
	if err != nil {
		return nil, err
	}
	s.t.Keep(b)
	return nonNil(b), nil
}

func (s *Sink[K, V]) partitioned(topic string, r *Record[K, V], out broker.Record) error {
	n, err := s.t.Partitions(topic)
	if err != nil {
		return err
	}
	p, err := s.Partition(topic, r, n)
	if err != nil {
		return err
	}
	if p >= n {
		return noPartition(topic, p, n)
	}
	return s.t.Send(topic, p, out.Key, out)
}

func noPartition(topic string, p, n int32) error {
	return fmt.Errorf("streams: the partitioner of topic %s chose partition %d of %d", topic, p, n)
}

func (s *Sink[K, V]) multicast(topic string, r *Record[K, V], out broker.Record) error {
	n, err := s.t.Partitions(topic)
	if err != nil {
		return err
	}
	to, err := s.Multicast(topic, r, n)
	if err != nil {
		return err
	}
	if len(to) == 0 {
		s.t.Drop(s.Node, "its partitioner chose no partition")
		return nil
	}
	for _, p := range to {
		if p < 0 || p >= n {
			return noPartition(topic, p, n)
		}
		if err := s.t.Send(topic, p, out.Key, out); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink[K, V]) refused(origin, topic string, r *Record[K, V], err error) error {
	if s.t.HandleSerialization(s.Node, origin, err) {
		return nil
	}
	return &SerializationError{topic, r.Timestamp, err}
}

// SerializationError is a record that a sink cannot write.
type SerializationError struct {
	Topic     string
	Timestamp int64
	Err       error
}

func (e *SerializationError) Error() string { return e.Message() + ": " + e.Err.Error() }
func (e *SerializationError) Unwrap() error { return e.Err }

// Message is Kafka's text, which lacks a bracket.
func (e *SerializationError) Message() string {
	return fmt.Sprintf("Unable to serialize record. ProducerRecord(topic=[%s], partition=[null], timestamp=[%d]", e.Topic, e.Timestamp)
}

// Class is Kafka's name of the error kind.
func (e *SerializationError) Class() string {
	return "org.apache.kafka.streams.errors.StreamsException"
}

func nonNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
