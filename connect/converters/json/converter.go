// Package json is for Kafka's JsonConverter: values as JSON, with their schema beside them or without one, byte for byte as Kafka's class
// org.apache.kafka.connect.json.JsonConverter writes them.
package json

import (
	"bytes"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Class is the Java class.
const Class = "org.apache.kafka.connect.json.JsonConverter"

var def = config.NewDef(
	config.Key{Name: "converter.type", Type: config.String, Required: true, Validator: config.In("key", "value", "header"), Importance: config.Low,
		Doc: "How this converter will be used."},
	config.Key{Name: "schemas.enable", Type: config.Boolean, Default: true, Importance: config.High, Group: "Schemas", Width: config.WidthMedium,
		DisplayName: "Enable Schemas", Doc: "Include schemas within each of the serialized values and keys."},
	config.Key{Name: "schemas.cache.size", Type: config.Int, Default: 1000, Importance: config.High, Group: "Schemas", Order: 1, Width: config.WidthMedium,
		DisplayName: "Schema Cache Size", Doc: "The maximum number of schemas that can be cached in this converter instance."},
	config.Key{Name: "schema.content", Type: config.String, Importance: config.High, Group: "Schemas", Order: 2, Width: config.WidthMedium,
		DisplayName: "Schema Content", Doc: "A schema, as JSON, with which every message is read whose own schema is not sent with it; schemas.enable must be true."},
	config.Key{Name: "decimal.format", Type: config.String, Default: "BASE64", Validator: config.InFold("BASE64", "NUMERIC"), Importance: config.Low,
		Group: "Serialization", Width: config.WidthMedium, DisplayName: "Decimal Format",
		Doc: "How decimals are written, BASE64 or NUMERIC, in any case."},
	config.Key{Name: "replace.null.with.default", Type: config.Boolean, Default: true, Importance: config.Low, Group: "Serialization", Order: 1,
		Width: config.WidthMedium, DisplayName: "Replace null with default",
		Doc: "Whether a null in a field that has a default is read and written as the default, or as null."},
)

// Converter is a JsonConverter. It belongs to one thread.
type Converter struct {
	schemas  bool
	numeric  bool
	defaults bool
	fixed    *data.Schema // schema.content

	buf     []byte
	written cache[*data.Schema, []byte] // the schema's JSON by the schema's identity
	equals  cache[uint64, text]         // by its hash
	fields  cache[*data.Schema, [][]byte]
	read    cache[string, *data.Schema] // the schema by its JSON
	doc     jackson.Document
	prefix  []byte       // what the last envelope began with, up to its payload
	same    *data.Schema // its schema
	plain   jackson.Plain
}

var (
	_ connect.Converter       = (*Converter)(nil)
	_ connect.HeaderConverter = (*Converter)(nil)
)

// New returns a converter to be configured.
func New() *Converter { return &Converter{} }

// Register registers the converter.
func Register(p *connect.Plugins) {
	p = p.WithVersion(connect.Version)
	p.RegisterConverter(Class, func(host.Host) connect.Converter { return New() })
}

// Config declares the properties.
func (*Converter) Config() *config.Def { return def }

// Configure configures the converter for keys or values.
func (c *Converter) Configure(props config.Props, key bool) error {
	all := config.Props{"converter.type": "value"}
	if key {
		all["converter.type"] = "key"
	}
	for k, v := range props { // into a map: order does not matter
		if k != "converter.type" {
			all[k] = v
		}
	}
	return c.configure(all)
}

// ConfigureHeaders configures the converter for headers.
func (c *Converter) ConfigureHeaders(props config.Props) error {
	all := config.Props{"converter.type": "header"}
	for k, v := range props { // into a map: order does not matter
		all[k] = v
	}
	return c.configure(all)
}

func (c *Converter) configure(props config.Props) error {
	v, err := def.Parse(props)
	if err != nil {
		return err
	}
	c.schemas, c.defaults = v.Bool("schemas.enable"), v.Bool("replace.null.with.default")
	c.numeric = strings.EqualFold(v.String("decimal.format"), "NUMERIC")
	size := int(v.Int("schemas.cache.size"))
	c.written.limit, c.equals.limit, c.read.limit, c.fields.limit = size, size, size, max(size, 16)
	if content := v.String("schema.content"); c.schemas && content != "" {
		root, err := c.doc.Parse([]byte(content))
		if err != nil {
			return data.DataException.Wrap(data.SerializationException.Wrap(err, err.Error()), "Failed to parse schema in converter config due to serialization error: ")
		}
		if c.fixed, err = c.schemaOf(root); err != nil {
			return err
		}
	}
	return nil
}

// Close does nothing.
func (*Converter) Close() {}

// FromConnect returns the JSON of a value. With schemas.enable it is in an envelope with its schema.
func (c *Converter) FromConnect(_ string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if s == nil && v == nil {
		return nil, nil
	}
	b := c.buf[:0]
	var err error
	if c.schemas {
		b = append(b, beforeSchema...)
		if b, err = c.appendSchema(b, s); err != nil {
			return nil, err
		}
		b = append(b, beforePayload...)
	}
	if b, err = c.appendValue(b, s, v); err != nil {
		return nil, err
	}
	if c.schemas {
		b = append(b, '}')
	}
	c.buf = b
	return append(make([]byte, 0, len(b)), b...), nil
}

// FromHeader is FromConnect.
func (c *Converter) FromHeader(topic, _ string, s *data.Schema, v any) ([]byte, error) {
	return c.FromConnect(topic, nil, s, v)
}

// ToHeader is ToConnect.
func (c *Converter) ToHeader(topic, _ string, b []byte) (data.SchemaAndValue, error) {
	return c.ToConnect(topic, nil, b)
}

// ToConnect returns the value of JSON.
func (c *Converter) ToConnect(_ string, _ []broker.Header, b []byte) (data.SchemaAndValue, error) {
	var out data.SchemaAndValue
	if b == nil {
		return out, nil
	}
	if inner, ok := c.samePrefix(b); ok {
		var err error
		out.Schema = c.same
		out.Value, err = c.valueOf(c.same, inner, true)
		return whole(out, err)
	}
	if c.fixed == nil && !c.schemas {
		var err error
		if out.Value, err = c.plain.Parse(b); err != nil {
			return data.SchemaAndValue{}, unreadable(err)
		}
		return out, nil
	}
	payload, err := c.doc.Parse(b)
	if err != nil {
		return out, unreadable(err)
	}
	switch {
	case c.fixed != nil:
		out.Schema = c.fixed
	case c.schemas:
		schema, ok1 := payload.Get("schema")
		inner, ok2 := payload.Get("payload")
		if !ok1 || !ok2 || members(payload) != 2 {
			return out, data.DataException.Errorf("JsonConverter with schemas.enable requires \"schema\" and \"payload\" fields and may not contain additional fields." +
				" If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.")
		}
		if out.Schema, err = c.schemaOf(schema); err != nil {
			return data.SchemaAndValue{}, err
		}
		payload = inner
		c.keepPrefix(b, schema, out.Schema)
	}
	out.Value, err = c.valueOf(out.Schema, payload, true)
	return whole(out, err)
}

func unreadable(err error) error {
	return data.DataException.Wrap(data.SerializationException.Wrap(err, err.Error()), "Converting byte[] to Kafka Connect data failed due to serialization error: ")
}

func whole(v data.SchemaAndValue, err error) (data.SchemaAndValue, error) {
	if err != nil {
		return data.SchemaAndValue{}, err
	}
	return v, nil
}

const (
	beforeSchema  = `{"schema":`
	beforePayload = `,"payload":`
)

// keepPrefix remembers an envelope as JsonConverter writes it, so that the next one with the same schema need not be read up to its payload.
func (c *Converter) keepPrefix(b []byte, schema jackson.Node, s *data.Schema) {
	n := len(beforeSchema) + len(schema.Raw())
	if s == nil || !bytes.HasPrefix(b, []byte(beforeSchema)) || !bytes.HasPrefix(b[n:], []byte(beforePayload)) {
		return
	}
	c.prefix, c.same = append(c.prefix[:0], b[:n+len(beforePayload)]...), s
}

// samePrefix is the payload of an envelope that begins like the last one.
func (c *Converter) samePrefix(b []byte) (payload jackson.Node, ok bool) {
	if len(c.prefix) == 0 || !bytes.HasPrefix(b, c.prefix) || b[len(b)-1] != '}' {
		return payload, false
	}
	payload, err := c.doc.Parse(b[len(c.prefix) : len(b)-1])
	return payload, err == nil && c.doc.Whole()
}

// members counts an object's different names.
func members(n jackson.Node) int {
	if n.Len() == 2 {
		return 2 // both were found
	}
	seen := map[string]bool{}
	c := n.First()
	for range n.Len() {
		seen[c.Text()] = true
		c = c.Next().Next()
	}
	return len(seen)
}
