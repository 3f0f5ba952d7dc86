package processor

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Input is a source node. A task asks it for one Slot per partition.
type Input interface {
	Instance
	NewSlot(tp broker.TopicPartition) Slot
}

// Slot holds the next record of one partition, read but not processed.
type Slot interface {
	// Load reads raw into the slot and returns its timestamp. partitionTime is the highest timestamp that the partition has
	// processed, -1 for none. A *DeserializationError goes to the deserialization handler; other errors are fatal. A negative
	// timestamp without an error means: leave the record out.
	Load(raw *broker.Record, partitionTime int64) (timestamp int64, err error)
	// Process sends the record in the slot down the topology.
	Process() error
}

// DeserializationError is a key or value that cannot be read.
type DeserializationError struct {
	Origin string // "key" or "value"
	Err    error
}

func (e *DeserializationError) Error() string {
	return "deserialize " + e.Origin + ": " + e.Err.Error()
}
func (e *DeserializationError) Unwrap() error { return e.Err }

// Extracted is what a timestamp extractor sees: Kafka's ConsumerRecord.
type Extracted[K, V any] struct {
	broker.TopicPartition
	Offset int64
	// Record's Timestamp is the one that the record has on the topic.
	*Record[K, V]
	// Clock is the wall clock in ms.
	Clock func() int64
}

// Extractor is a TimestampExtractor. A negative result without an error leaves the record out.
type Extractor[K, V any] func(r Extracted[K, V], partitionTime int64) (int64, error)

// FailOnInvalidTimestamp is the default extractor: the record's own timestamp, and an error where that is negative.
func FailOnInvalidTimestamp[K, V any](r Extracted[K, V], _ int64) (int64, error) {
	if r.Timestamp < 0 {
		return 0, fmt.Errorf("streams: input record %s offset %d has the invalid (negative) timestamp %d: set a timestamp extractor", r.TopicPartition, r.Offset, r.Timestamp)
	}
	return r.Timestamp, nil
}

// Source is a source node.
type Source[K, V any] struct {
	Output[K, V]
	Key     serde.Serde[K]
	Value   serde.Serde[V]
	Extract Extractor[K, V] // nil: FailOnInvalidTimestamp

	nullKey   func(*K) bool
	nullValue func(*V) bool
	// textKey and textValue are Key and Value where both are of texts; else nil.
	textKey   serde.TextDecoder[K]
	textValue serde.TextDecoder[V]
}

// Init implements Instance.
func (s *Source[K, V]) Init(t Task) error {
	s.nullKey, s.nullValue = NullTest[K](), NullTest[V]()
	k, isKey := s.Key.(serde.TextDecoder[K])
	v, isValue := s.Value.(serde.TextDecoder[V])
	if isKey && isValue {
		s.textKey, s.textValue = k, v
	}
	return s.Output.Init(t)
}

func (s *Source[K, V]) now() int64 { return s.Task().Now() }

// NewSlot implements Input.
func (s *Source[K, V]) NewSlot(tp broker.TopicPartition) Slot {
	return &slot[K, V]{src: s, tp: tp}
}

type slot[K, V any] struct {
	src *Source[K, V]
	tp  broker.TopicPartition
	rec Record[K, V]
}

func (s *slot[K, V]) Load(raw *broker.Record, partitionTime int64) (int64, error) {
	r := &s.rec
	*r = Record[K, V]{NullKey: raw.Key == nil, NullValue: raw.Value == nil, Timestamp: raw.Timestamp, Headers: raw.Headers}
	if err := s.decode(raw); err != nil {
		return 0, err
	}
	extract := s.src.Extract
	if extract == nil {
		if raw.Timestamp >= 0 {
			return raw.Timestamp, nil
		}
		extract = FailOnInvalidTimestamp[K, V]
	}
	ts, err := extract(Extracted[K, V]{s.tp, raw.Offset, r, s.src.now}, partitionTime)
	r.Timestamp = ts
	return ts, err
}

// decode reads key and value.
func (s *slot[K, V]) decode(raw *broker.Record) (err error) {
	r := &s.rec
	var text string // key and value in one allocation
	both := s.src.textKey != nil && !r.NullKey && !r.NullValue
	if both {
		var b strings.Builder
		b.Grow(len(raw.Key) + len(raw.Value))
		b.Write(raw.Key)
		b.Write(raw.Value)
		text = b.String()
	}
	if !r.NullKey {
		if both {
			r.Key, err = s.src.textKey.DecodeText(s.tp.Topic, text[:len(raw.Key)])
		} else {
			r.Key, err = s.src.Key.Decode(s.tp.Topic, raw.Key)
		}
		if err != nil {
			return &DeserializationError{"key", err}
		}
		r.NullKey = s.src.nullKey(&r.Key)
	}
	if !r.NullValue {
		if both {
			r.Value, err = s.src.textValue.DecodeText(s.tp.Topic, text[len(raw.Key):])
		} else {
			r.Value, err = s.src.Value.Decode(s.tp.Topic, raw.Value)
		}
		if err != nil {
			return &DeserializationError{"value", err}
		}
		r.NullValue = s.src.nullValue(&r.Value)
	}
	return nil
}

func (s *slot[K, V]) Process() error { return s.src.Forward(&s.rec) }
