package converters

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// SimpleHeader is Kafka's SimpleHeaderConverter: values as text, from which their type is guessed again.
type SimpleHeader struct{}

var noProperties = config.NewDef()

// Config declares no properties.
func (SimpleHeader) Config() *config.Def { return noProperties }

// ConfigureHeaders takes anything.
func (SimpleHeader) ConfigureHeaders(config.Props) error { return nil }

// Close does nothing.
func (SimpleHeader) Close() {}

// FromHeader returns the text of a value.
func (SimpleHeader) FromHeader(_, _ string, _ *data.Schema, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return data.AppendValue([]byte{}, v, false)
}

// ToHeader guesses: see data.ParseString. The text null is no schema and no value.
func (SimpleHeader) ToHeader(_, _ string, b []byte) (data.SchemaAndValue, error) {
	if b == nil {
		return data.SchemaAndValue{}, nil
	}
	v, _ := data.ParseString(decodeUTF8(b))
	return v, nil
}
