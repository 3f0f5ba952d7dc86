package converters

import (
	"encoding/binary"
	"math"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Number is one of Kafka's ShortConverter, IntegerConverter, LongConverter, FloatConverter and DoubleConverter: big-endian bytes. It has no
// state, and may be shared.
type Number struct {
	name         string // in messages
	deserializer string // in messages
	schema       *data.Schema
	size         int
	encode       func(v any) []byte
	decode       func(b []byte) any
}

// numbers are the converters by class.
var numbers = map[string]*Number{
	ShortClass: {"short", "ShortDeserializer", data.OptionalInt16Schema, 2,
		func(v any) []byte { return binary.BigEndian.AppendUint16(nil, uint16(v.(int16))) },
		func(b []byte) any { return int16(binary.BigEndian.Uint16(b)) }},
	IntegerClass: {"integer", "IntegerDeserializer", data.OptionalInt32Schema, 4,
		func(v any) []byte { return binary.BigEndian.AppendUint32(nil, uint32(v.(int32))) },
		func(b []byte) any { return int32(binary.BigEndian.Uint32(b)) }},
	LongClass: {"long", "LongDeserializer", data.OptionalInt64Schema, 8,
		func(v any) []byte { return binary.BigEndian.AppendUint64(nil, uint64(v.(int64))) },
		func(b []byte) any { return int64(binary.BigEndian.Uint64(b)) }},
	FloatClass: {"float", "Deserializer", data.OptionalFloat32Schema, 4,
		func(v any) []byte { return binary.BigEndian.AppendUint32(nil, floatBits(v.(float32))) },
		func(b []byte) any { return math.Float32frombits(binary.BigEndian.Uint32(b)) }},
	DoubleClass: {"double", "Deserializer", data.OptionalFloat64Schema, 8,
		func(v any) []byte { return binary.BigEndian.AppendUint64(nil, doubleBits(v.(float64))) },
		func(b []byte) any { return math.Float64frombits(binary.BigEndian.Uint64(b)) }},
}

// floatBits and doubleBits know one NaN, as Java's floatToIntBits does.
func floatBits(f float32) uint32 {
	if f != f {
		return 0x7fc00000
	}
	return math.Float32bits(f)
}

func doubleBits(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000000
	}
	return math.Float64bits(f)
}

// Config declares the properties.
func (*Number) Config() *config.Def { return typeDef }

// Configure checks the properties.
func (*Number) Configure(props config.Props, key bool) error {
	_, err := typeDef.Parse(withType(props, key))
	return err
}

// ConfigureHeaders checks the properties.
func (*Number) ConfigureHeaders(props config.Props) error {
	_, err := typeDef.Parse(forHeaders(props))
	return err
}

// Close does nothing.
func (*Number) Close() {}

// FromConnect returns the bytes of a number of exactly this type, whatever the schema.
func (n *Number) FromConnect(_ string, _ *[]broker.Header, _ *data.Schema, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if data.TypeOf(v) != n.schema.Type() {
		cause := data.ClassCastException.Errorf("class %s cannot be cast to class %s", data.ClassOf(v), n.name)
		return nil, data.DataException.Wrap(cause, "Failed to serialize to "+n.name+" (was class "+data.ClassOf(v)+"): ")
	}
	return n.encode(v), nil
}

// ToConnect returns an optional number.
func (n *Number) ToConnect(_ string, _ []broker.Header, b []byte) (data.SchemaAndValue, error) {
	out := data.SchemaAndValue{Schema: n.schema}
	switch {
	case b == nil:
		return out, nil
	case len(b) != n.size:
		cause := data.SerializationException.Errorf("Size of data received by %s is not %d", n.deserializer, n.size)
		return data.SchemaAndValue{}, data.DataException.Wrap(cause, "Failed to deserialize "+n.name+": ")
	}
	out.Value = n.decode(b)
	return out, nil
}

// FromHeader is FromConnect.
func (n *Number) FromHeader(topic, _ string, s *data.Schema, v any) ([]byte, error) {
	return n.FromConnect(topic, nil, s, v)
}

// ToHeader is ToConnect.
func (n *Number) ToHeader(topic, _ string, b []byte) (data.SchemaAndValue, error) {
	return n.ToConnect(topic, nil, b)
}
