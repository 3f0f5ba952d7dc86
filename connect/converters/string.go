package converters

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// String is Kafka's StringConverter: the text of any value.
type String struct{ charset charset }

var stringDef = config.NewDef(typeKey, config.Key{Name: "converter.encoding", Type: config.String, Default: "UTF-8", Importance: config.High,
	Width: config.WidthMedium, DisplayName: "Encoding", Doc: "The name of the Java character set to use for encoding strings as byte arrays."})

// Config declares the properties.
func (*String) Config() *config.Def { return stringDef }

// Configure configures for keys or values.
func (c *String) Configure(props config.Props, key bool) error {
	return c.configure(withType(props, key))
}

// ConfigureHeaders configures for headers.
func (c *String) ConfigureHeaders(props config.Props) error { return c.configure(forHeaders(props)) }

func (c *String) configure(props config.Props) error {
	v, err := stringDef.Parse(props)
	if err != nil {
		return err
	}
	c.charset, err = charsetNamed(v.String("converter.encoding"))
	return err
}

// Close does nothing.
func (*String) Close() {}

// FromConnect returns the text of a value: what Java prints of it.
func (c *String) FromConnect(_ string, _ *[]broker.Header, _ *data.Schema, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	return c.charset.encode(data.Text(v)), nil
}

// ToConnect returns an optional string.
func (c *String) ToConnect(_ string, _ []broker.Header, b []byte) (data.SchemaAndValue, error) {
	out := data.SchemaAndValue{Schema: data.OptionalStringSchema}
	if b != nil {
		out.Value = c.charset.decode(b)
	}
	return out, nil
}

// FromHeader is FromConnect.
func (c *String) FromHeader(topic, _ string, s *data.Schema, v any) ([]byte, error) {
	return c.FromConnect(topic, nil, s, v)
}

// ToHeader is ToConnect.
func (c *String) ToHeader(topic, _ string, b []byte) (data.SchemaAndValue, error) {
	return c.ToConnect(topic, nil, b)
}
