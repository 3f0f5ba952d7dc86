// Package jsonschema is for Confluent's JsonSchemaConverter: Connect's values in JSON with their schemas in a Schema Registry, as
// io.confluent.connect.json.JsonSchemaConverter writes them, and what its JsonSchemaData makes of schemas.
package jsonschema

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsonschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// Class is the Java class.
const Class = "io.confluent.connect.json.JsonSchemaConverter"

// Converter is a JsonSchemaConverter. It belongs to one thread.
type Converter struct {
	host    host.Host
	reg     *confluent.Registry
	options options
	check   bool // json.fail.invalid.schema
	buf     []byte
	doc     jackson.Document

	made   *confluent.Schemas[*made]
	chosen *registry.Cache[place, *chosen]
	read   *registry.Cache[source, *reading]
}

// made is a Connect schema as a JSON schema.
type made struct{ text, title string }

// place is where values of a schema are written.
type place struct {
	topic string
	made  *made
}

// chosen is what they are written with; the schema is nil where it is not looked at.
type chosen struct {
	id     int
	schema *jsonschema.Schema
}

// source is where bytes of a schema come from.
type source struct {
	topic string
	id    registry.Ident
}

// reading is how they are read.
type reading struct {
	json   *jsonschema.Schema
	schema *data.Schema
}

var _ connect.Converter = (*Converter)(nil)

// New returns a converter to be configured. It takes time, waiting and HTTP from h.
func New(h host.Host) *Converter { return &Converter{host: h} }

// Register registers the converter.
func Register(p *connect.Plugins) {
	p = p.WithVersion(connect.Version)
	p.RegisterConverter(Class, func(h host.Host) connect.Converter { return New(h) })
}

// Config declares no properties: Confluent's converters declare none to Connect, which so checks none before they are configured.
func (*Converter) Config() *config.Def { return config.NewDef() }

// Configure configures the converter for keys or values. Nothing is asked of the registry yet.
func (c *Converter) Configure(props config.Props, key bool) (err error) {
	if c.options, err = parseOptions(props); err != nil {
		return err
	}
	if c.reg, err = confluent.Open(props, key, c.host, registry.JSON); err != nil {
		return err
	}
	c.check = c.reg.Value("json.fail.invalid.schema") == "true"
	h, limit := c.reg.Host(), c.reg.Limit()
	c.made = confluent.NewSchemas[*made](h, c.options.cache)
	c.chosen = registry.NewCache[place, *chosen](h, limit, 0)
	c.read = registry.NewCache[source, *reading](h, limit, 0)
	return nil
}

// FromConnect returns the bytes of a value. A null of an optional schema is the text null, as Confluent has it; of a required one, or without a
// schema, it has no bytes.
func (c *Converter) FromConnect(topic string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if s == nil && v != nil {
		return nil, data.NullPointerException.Errorf("JsonSchemaConverter writes no value without a schema")
	}
	if c.options.missing(s, v) {
		return nil, nil
	}
	m, err := c.made.Get(s, func() (*made, error) {
		o, err := c.options.schemaOf(s)
		if err != nil {
			return nil, err
		}
		title, _ := o.Text("title")
		return &made{jsontree.String(o), title}, nil
	})
	if err != nil {
		return nil, err
	}
	b, err := c.options.append(append(c.buf[:0], 0, 0, 0, 0, 0), s, v)
	if err != nil {
		return nil, err
	}
	c.buf = b
	w, err := c.choose(topic, m)
	if err != nil {
		return nil, c.reg.Writing(topic, err)
	}
	payload := b[registry.HeaderSize:]
	if w.schema != nil {
		if err := w.schema.Validate(payload); err != nil {
			return nil, c.reg.Writing(topic, &registry.Failure{Message: "Validation error in JSON", Err: err})
		}
	}
	return append(registry.AppendHeader(make([]byte, 0, len(b)), w.id), payload...), nil
}

func (c *Converter) choose(topic string, m *made) (*chosen, error) {
	return c.chosen.Load(place{topic, m}, func() (*chosen, error) {
		pick, err := c.reg.Pick(registry.Named{Topic: topic, Key: c.reg.Key, Record: m.title}, registry.Schema{Type: registry.JSON, Text: m.text})
		if err != nil || !c.check {
			return &chosen{id: pick.ID}, err
		}
		s, err := c.parse(pick.Schema)
		return &chosen{pick.ID, s}, err
	})
}

// parse reads a schema of the registry, with those that it refers to.
func (c *Converter) parse(s registry.Schema) (*jsonschema.Schema, error) {
	_, references, err := c.reg.Texts(s)
	if err != nil {
		return nil, err
	}
	return jsonschema.Parse(s.Text, references)
}

// ToConnect returns the value of bytes.
func (c *Converter) ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error) {
	var none data.SchemaAndValue
	if b == nil {
		return none, nil
	}
	id, payload, err := c.reg.Read(headers, b)
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	r, err := c.read.Load(source{topic, id}, func() (*reading, error) { return c.open(topic, id) })
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	if c.check {
		if err := r.json.Validate(payload); err != nil {
			return none, c.reg.Reading(topic, id, &registry.Failure{Message: "JSON does not match schema of type JSON", Err: err})
		}
	}
	n, err := c.doc.Parse(payload)
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	v, err := c.options.read(r.schema, n, n.Kind() != jackson.Missing)
	if err != nil {
		return none, err
	}
	return data.SchemaAndValue{Schema: r.schema, Value: v}, nil
}

// open finds out how bytes of a schema are read. The version of the Connect schema is the number that it has in the registry.
func (c *Converter) open(topic string, id registry.Ident) (*reading, error) {
	text, err := c.reg.Resolve(id, registry.JSON, c.reg.Key)
	if err != nil {
		return nil, err
	}
	s, err := c.parse(text)
	if err != nil {
		return nil, err
	}
	version, err := c.reg.VersionOf(registry.Named{Topic: topic, Record: s.Title()}, text, id)
	if err != nil {
		return nil, err
	}
	schema, err := c.options.connectSchema(s, version)
	return &reading{s, schema}, err
}
