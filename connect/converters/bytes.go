package converters

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// ByteArray is Kafka's ByteArrayConverter: bytes as they are.
type ByteArray struct{}

// Config declares the properties.
func (*ByteArray) Config() *config.Def { return typeDef }

// Configure takes anything.
func (*ByteArray) Configure(config.Props, bool) error { return nil }

// ConfigureHeaders takes anything.
func (*ByteArray) ConfigureHeaders(config.Props) error { return nil }

// Close does nothing.
func (*ByteArray) Close() {}

// FromConnect returns the bytes.
func (*ByteArray) FromConnect(_ string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if s != nil && s.Type() != data.Bytes {
		return nil, data.DataException.Errorf("Invalid schema type for ByteArrayConverter: %s", s.Type())
	}
	switch v := v.(type) {
	case nil:
		return nil, nil
	case []byte:
		return v, nil
	case data.Buffer:
		return v, nil
	}
	return nil, data.DataException.Errorf("ByteArrayConverter is not compatible with objects of type class %s", data.ClassOf(v))
}

// ToConnect returns optional bytes, which are b itself.
func (*ByteArray) ToConnect(_ string, _ []broker.Header, b []byte) (data.SchemaAndValue, error) {
	out := data.SchemaAndValue{Schema: data.OptionalBytesSchema}
	if b != nil {
		out.Value = b
	}
	return out, nil
}

// FromHeader is FromConnect.
func (c *ByteArray) FromHeader(topic, _ string, s *data.Schema, v any) ([]byte, error) {
	return c.FromConnect(topic, nil, s, v)
}

// ToHeader is ToConnect.
func (c *ByteArray) ToHeader(topic, _ string, b []byte) (data.SchemaAndValue, error) {
	return c.ToConnect(topic, nil, b)
}

// Boolean is Kafka's BooleanConverter: one byte.
type Boolean struct{}

// Config declares the properties.
func (*Boolean) Config() *config.Def { return typeDef }

// Configure checks the properties.
func (*Boolean) Configure(props config.Props, key bool) error {
	_, err := typeDef.Parse(withType(props, key))
	return err
}

// ConfigureHeaders checks the properties.
func (*Boolean) ConfigureHeaders(props config.Props) error {
	_, err := typeDef.Parse(forHeaders(props))
	return err
}

// Close does nothing.
func (*Boolean) Close() {}

// FromConnect returns 0 or 1.
func (*Boolean) FromConnect(_ string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if s != nil && s.Type() != data.Boolean {
		return nil, data.DataException.Errorf("Invalid schema type for BooleanConverter: %s", s.Type())
	}
	switch v {
	case nil:
		return nil, nil
	case true:
		return []byte{1}, nil
	case false:
		return []byte{0}, nil
	}
	return nil, data.DataException.Errorf("BooleanConverter is not compatible with objects of type class %s", data.ClassOf(v))
}

// ToConnect returns an optional boolean.
func (*Boolean) ToConnect(_ string, _ []broker.Header, b []byte) (data.SchemaAndValue, error) {
	out := data.SchemaAndValue{Schema: data.OptionalBooleanSchema}
	var cause error
	switch {
	case b == nil:
		return out, nil
	case len(b) != 1:
		cause = data.SerializationException.Errorf("Size of data received by BooleanDeserializer is not 1")
	case b[0] > 1:
		cause = data.SerializationException.Errorf("Unexpected byte received by BooleanDeserializer: %d", int8(b[0]))
	default:
		out.Value = b[0] == 1
		return out, nil
	}
	return data.SchemaAndValue{}, data.DataException.Wrap(cause, "Failed to deserialize boolean: ")
}

// FromHeader is FromConnect.
func (c *Boolean) FromHeader(topic, _ string, s *data.Schema, v any) ([]byte, error) {
	return c.FromConnect(topic, nil, s, v)
}

// ToHeader is ToConnect.
func (c *Boolean) ToHeader(topic, _ string, b []byte) (data.SchemaAndValue, error) {
	return c.ToConnect(topic, nil, b)
}
