// Package protobuf is for Confluent's ProtobufConverter: Connect's values in Protocol Buffers with their schemas in a Schema Registry, byte for
// byte as io.confluent.connect.protobuf.ProtobufConverter writes them, and what its ProtobufData makes of schemas.
package protobuf

import (
	"errors"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// Class is the Java class.
const Class = "io.confluent.connect.protobuf.ProtobufConverter"

// Converter is a ProtobufConverter. It belongs to one thread.
type Converter struct {
	host    host.Host
	reg     *confluent.Registry
	options options

	made   *confluent.Schemas[*made]
	chosen *registry.Cache[place, []byte] // what stands before the message
	files  *registry.Cache[source, *file]
	read   *registry.Cache[part, *reader]
}

// made is a Connect schema in Protobuf.
type made struct {
	target *target
	root   *writer      // of a struct
	scalar *valueWriter // of anything else
}

// place is where values of a schema are written.
type place struct {
	topic string
	made  *made
}

// source is where bytes of a schema come from.
type source struct {
	topic string
	id    registry.Ident
}

// file is the schema of bytes.
type file struct {
	*protoschema.File
	text registry.Schema
}

// part is a message of a schema.
type part struct {
	source
	message protoreflect.FullName
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
	if c.reg, err = confluent.Open(props, key, c.host, registry.Protobuf); err != nil {
		return err
	}
	h, limit := c.reg.Host(), c.reg.Limit()
	c.made = confluent.NewSchemas[*made](h, c.options.cache)
	c.chosen = registry.NewCache[place, []byte](h, limit, 0)
	c.files = registry.NewCache[source, *file](h, limit, 0)
	c.read = registry.NewCache[part, *reader](h, limit, 0)
	return nil
}

// FromConnect returns the bytes of a value. A null has none, whatever the schema.
func (c *Converter) FromConnect(topic string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if v == nil {
		return nil, nil
	}
	if s == nil {
		return nil, data.NullPointerException.Errorf("ProtobufConverter writes no value without a schema")
	}
	m, err := c.made.Get(s, func() (*made, error) { return c.make(s) })
	if err != nil {
		return nil, err
	}
	b, err := m.payload(v)
	if err != nil {
		return nil, c.reg.Writing(topic, err)
	}
	header, err := c.choose(topic, m)
	if err != nil {
		return nil, c.reg.Writing(topic, err)
	}
	return append(append(make([]byte, 0, len(header)+len(b)), header...), b...), nil
}

func (c *Converter) make(s *data.Schema) (*made, error) {
	t, err := c.options.schemaOf(s)
	if err != nil {
		return nil, err
	}
	m := &made{target: t}
	if s.Type() == data.StructType {
		m.root, err = c.options.newWriter(s, t.message)
		return m, err
	}
	m.scalar = &valueWriter{options: c.options, schema: s, fd: t.message.Fields().ByNumber(1)}
	return m, nil
}

// payload is a value as a message.
func (m *made) payload(v any) ([]byte, error) {
	if m.root != nil {
		return m.root.append(nil, v)
	}
	if _, ok := logicalTypes[m.scalar.schema.Name()]; ok {
		return nil, confluent.Misfit("a %s at the top has no message of its own in the schema", m.scalar.schema.Name())
	}
	n, text, err := m.scalar.scalar(v)
	if err != nil || n == 0 && text == "" {
		return nil, err
	}
	kind := m.scalar.fd.Kind()
	return appendScalar(protowire.AppendTag(nil, 1, wireType(kind)), kind, n, text), nil
}

// choose is what stands before the message: the schema's id and the message's indexes.
func (c *Converter) choose(topic string, m *made) ([]byte, error) {
	return c.chosen.Load(place{topic, m}, func() ([]byte, error) {
		name := m.target.message.FullName()
		pick, err := c.reg.Pick(registry.Named{Topic: topic, Key: c.reg.Key, Record: string(name)}, registry.Schema{Type: registry.Protobuf, Text: m.target.text})
		if err != nil {
			return nil, err
		}
		written := m.target.file
		if !pick.Own {
			if written, err = c.parse(pick.Schema); err != nil {
				return nil, err
			}
		}
		indexes := written.Indexes(name)
		if indexes == nil {
			return nil, confluent.Misfit("schema %d has no message %s", pick.ID, name)
		}
		return registry.AppendIndexes(registry.AppendHeader(nil, pick.ID), indexes), nil
	})
}

// parse reads a schema of the registry, with those that it imports.
func (c *Converter) parse(s registry.Schema) (*protoschema.File, error) {
	_, imports, err := c.reg.Texts(s)
	if err != nil {
		return nil, err
	}
	return protoschema.Parse(s.Text, imports)
}

// ToConnect returns the value of bytes.
func (c *Converter) ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error) {
	var none data.SchemaAndValue
	if b == nil {
		return none, nil
	}
	id, rest, err := c.reg.Read(headers, b)
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	r, err := c.open(topic, id, &rest)
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	v, err := r.read(rest)
	var bad malformed
	if errors.As(err, &bad) {
		return none, c.reg.Reading(topic, id, bad.error)
	}
	if err != nil {
		return none, err
	}
	return data.SchemaAndValue{Schema: r.schema, Value: v}, nil
}

// open finds the message that bytes are, takes its indexes off them, and converts its schema to a reader.
func (c *Converter) open(topic string, id registry.Ident, b *[]byte) (*reader, error) {
	indexes, rest, err := registry.ReadIndexes(*b)
	if err != nil {
		return nil, err
	}
	*b = rest
	from := source{topic, id}
	f, err := c.files.Load(from, func() (*file, error) {
		text, err := c.reg.Resolve(id, registry.Protobuf, c.reg.Key)
		if err != nil {
			return nil, err
		}
		parsed, err := c.parse(text)
		return &file{parsed, text}, err
	})
	if err != nil {
		return nil, err
	}
	m, err := f.Message(indexes)
	if err != nil {
		return nil, err
	}
	return c.read.Load(part{from, m.FullName()}, func() (*reader, error) {
		version, err := c.reg.VersionOf(registry.Named{Topic: topic, Record: string(m.FullName())}, f.text, id)
		if err != nil {
			return nil, err
		}
		s, err := c.options.connectSchema(m, version)
		if err != nil {
			return nil, err
		}
		return c.options.newReader(s, m), nil
	})
}
