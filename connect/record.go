package connect

import (
	"math"
	"strconv"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// NoPartition and NoTimestamp stand for Java's null in a Record.
const (
	NoPartition int32 = math.MinInt32
	NoTimestamp int64 = math.MinInt64
)

// TimestampType says where a consumed record's timestamp is from.
type TimestampType int8

// The timestamp types of a consumed record.
const (
	NoTimestampType TimestampType = iota - 1
	CreateTime
	LogAppendTime
)

func (t TimestampType) String() string {
	switch t {
	case CreateTime:
		return "CREATE_TIME"
	case LogAppendTime:
		return "LOG_APPEND_TIME"
	}
	return "NO_TIMESTAMP_TYPE"
}

// Record is a record on its way through Connect: Kafka's ConnectRecord, SourceRecord (Source is set) and SinkRecord (Sink is set). A record is
// immutable once it was handed over; a transform changes a Copy, or offers ApplyInPlace.
type Record struct {
	Topic       string
	Partition   int32 // NoPartition: the producer's partitioner decides
	KeySchema   *data.Schema
	Key         any
	ValueSchema *data.Schema
	Value       any
	Timestamp   int64 // milliseconds since the epoch, or NoTimestamp
	Headers     data.Headers

	Source *SourcePosition // shared by all copies
	Sink   *SinkPosition   // shared by all copies
}

// SourcePosition is where a source record is from: see SourceTask. Both maps have strings as keys and primitive values; either may be nil.
type SourcePosition struct{ Partition, Offset *data.Map }

// SinkPosition is where a sink record was consumed, whatever transforms have made of its topic and partition.
type SinkPosition struct {
	Offset        int64
	TimestampType TimestampType
	Topic         string // Kafka's originalTopic
	Partition     int32  // Kafka's originalKafkaPartition
	// Consumed is the record as it was consumed, for dead letter queues; nil when the record did not come from a worker.
	Consumed *broker.Record
}

// NewSourceRecord returns a source record without key, partition and timestamp.
func NewSourceRecord(partition, offset *data.Map, topic string, s *data.Schema, v any) *Record {
	return &Record{Topic: topic, Partition: NoPartition, Timestamp: NoTimestamp, ValueSchema: s, Value: v, Source: &SourcePosition{partition, offset}}
}

// NewSinkRecord returns a sink record without a timestamp.
func NewSinkRecord(tp broker.TopicPartition, offset int64, keySchema *data.Schema, key any, valueSchema *data.Schema, value any) *Record {
	return &Record{Topic: tp.Topic, Partition: tp.Partition, Timestamp: NoTimestamp, KeySchema: keySchema, Key: key, ValueSchema: valueSchema, Value: value,
		Sink: &SinkPosition{Offset: offset, TimestampType: NoTimestampType, Topic: tp.Topic, Partition: tp.Partition}}
}

// Copy returns a record that may be changed without changing r, its headers too. It is Kafka's newRecord.
func (r *Record) Copy() *Record {
	c := *r
	return &c
}

// Copier makes copies of records, in blocks: for one thread that makes many. A record that is kept keeps its block of 64 from being freed. The zero value is
// ready.
type Copier struct {
	block []Record
	next  int
}

// Copy is Record.Copy.
func (c *Copier) Copy(r *Record) *Record {
	if c.next == len(c.block) {
		c.block, c.next = make([]Record, 64), 0
	}
	n := &c.block[c.next]
	c.next++
	*n = *r
	return n
}

// Equal compares everything but Consumed.
func (r *Record) Equal(o *Record) bool {
	return r.Topic == o.Topic && r.Partition == o.Partition && r.Timestamp == o.Timestamp &&
		r.KeySchema.Equal(o.KeySchema) && data.Equal(r.Key, o.Key) &&
		r.ValueSchema.Equal(o.ValueSchema) && data.Equal(r.Value, o.Value) &&
		r.Headers.Equal(o.Headers) && r.Source.equal(o.Source) && r.Sink.equal(o.Sink)
}

func (p *SourcePosition) equal(o *SourcePosition) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Partition.Equal(o.Partition) && p.Offset.Equal(o.Offset)
}

func (p *SinkPosition) equal(o *SinkPosition) bool {
	if p == nil || o == nil {
		return p == o
	}
	return p.Offset == o.Offset && p.TimestampType == o.TimestampType && p.Topic == o.Topic && p.Partition == o.Partition
}

// String is the text that Kafka writes to logs.
func (r *Record) String() string {
	partition, timestamp := "null", "null"
	if r.Partition != NoPartition {
		partition = strconv.Itoa(int(r.Partition))
	}
	if r.Timestamp != NoTimestamp {
		timestamp = strconv.FormatInt(r.Timestamp, 10)
	}
	s := "ConnectRecord{topic='" + r.Topic + "', kafkaPartition=" + partition + ", key=" + data.Text(r.Key) + ", keySchema=" + r.KeySchema.String() +
		", value=" + data.Text(r.Value) + ", valueSchema=" + r.ValueSchema.String() + ", timestamp=" + timestamp + ", headers=" + r.Headers.String() + "}"
	switch {
	case r.Source != nil:
		return "SourceRecord{sourcePartition=" + mapText(r.Source.Partition) + ", sourceOffset=" + mapText(r.Source.Offset) + "} " + s
	case r.Sink != nil:
		return "SinkRecord{kafkaOffset=" + strconv.FormatInt(r.Sink.Offset, 10) + ", timestampType=" + r.Sink.TimestampType.String() +
			", originalTopic=" + r.Sink.Topic + ", originalKafkaPartition=" + strconv.Itoa(int(r.Sink.Partition)) +
			", originalKafkaOffset=" + strconv.FormatInt(r.Sink.Offset, 10) + "} " + s
	}
	return s
}

func mapText(m *data.Map) string {
	if m == nil {
		return "null"
	}
	return m.String()
}
