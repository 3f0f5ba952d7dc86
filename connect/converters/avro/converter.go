// Package avro is for Confluent's AvroConverter: Connect's values in Avro with their schemas in a Schema Registry, byte for byte as
// io.confluent.connect.avro.AvroConverter writes them, and what its AvroData makes of schemas.
package avro

import (
	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
)

// Class is the Java class.
const Class = "io.confluent.connect.avro.AvroConverter"

// Converter is an AvroConverter. It belongs to one thread.
type Converter struct {
	host    host.Host
	reg     *confluent.Registry
	options options
	buf     []byte
	unions  int
	structs data.Slabs
	last    source // what was read last
	lastBy  *reading

	made   *confluent.Schemas[*made]
	chosen *registry.Cache[place, *chosen]
	read   *registry.Cache[source, *reading]
}

// made is a Connect schema in Avro.
type made struct {
	schema *avroschema.Schema
	writer *writer
}

// place is where values of a schema are written.
type place struct {
	topic string
	made  *made
}

// chosen is what they are written with.
type chosen struct {
	id     int
	latest *avroschema.Reader // from the own schema to the one that is written, where that is another
}

// source is where bytes of a schema come from.
type source struct {
	topic string
	id    registry.Ident
}

// reading is how they are read.
type reading struct {
	avro   *avroschema.Reader
	values *reader
	schema *data.Schema
	fused  *fused // the two in one, where the writer's schema is the reader's; else nil
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
	c.lastBy = nil
	if c.reg, err = confluent.Open(props, key, c.host, registry.Avro); err != nil {
		return err
	}
	h, limit := c.reg.Host(), c.reg.Limit()
	c.made = confluent.NewSchemas[*made](h, c.options.cache)
	c.chosen = registry.NewCache[place, *chosen](h, limit, 0)
	c.read = registry.NewCache[source, *reading](h, limit, 0)
	return nil
}

// FromConnect returns the bytes of a value.
func (c *Converter) FromConnect(topic string, _ *[]broker.Header, s *data.Schema, v any) ([]byte, error) {
	if v == nil {
		if s != nil && !s.Optional() {
			return nil, errNull
		}
		return nil, nil
	}
	m, err := c.made.Get(s, func() (*made, error) {
		to, err := c.options.schemaOf(s)
		if err != nil {
			return nil, err
		}
		return &made{to, c.options.newWriter(s, to)}, nil
	})
	if err != nil {
		return nil, err
	}
	b, err := m.writer.append(append(c.buf[:0], 0, 0, 0, 0, 0), v) // a value that does not fit is told before the registry is asked
	if err != nil {
		return nil, c.writing(topic, err)
	}
	c.buf = b
	w, err := c.choose(topic, m)
	if err != nil {
		return nil, c.reg.Writing(topic, err)
	}
	payload := b[registry.HeaderSize:]
	if w.latest != nil {
		if payload, err = translate(payload, w.latest); err != nil {
			return nil, c.reg.Writing(topic, err)
		}
	} else if m.schema.Type == avroschema.Bytes {
		_, payload, err = avroschema.SplitBytes(payload)
		if err != nil {
			return nil, err
		}
	}
	return append(registry.AppendHeader(make([]byte, 0, registry.HeaderSize+len(payload)), w.id), payload...), nil
}

// writing wraps only what Avro's own writer would have thrown.
func (c *Converter) writing(topic string, err error) error {
	if data.ClassOfError(err) == data.SerializationException {
		message, _ := data.MessageOfError(err)
		return c.reg.Writing(topic, confluent.Misfit("%s", message))
	}
	return c.reg.Writing(topic, err)
}

func translate(b []byte, r *avroschema.Reader) ([]byte, error) {
	v, _, err := r.Decode(b)
	if err != nil {
		return nil, err
	}
	return r.Schema.Append(nil, v)
}

func (c *Converter) choose(topic string, m *made) (*chosen, error) {
	return c.chosen.Load(place{topic, m}, func() (*chosen, error) {
		n := registry.Named{Topic: topic, Key: c.reg.Key, Record: recordName(m.schema)}
		pick, err := c.reg.Pick(n, registry.Schema{Type: registry.Avro, Text: m.schema.String()})
		if err != nil || pick.Own {
			return &chosen{id: pick.ID}, err
		}
		other, err := c.parse(pick.Schema)
		if err != nil {
			return nil, err
		}
		return &chosen{pick.ID, avroschema.NewReader(m.schema, other, avroschema.Ordered)}, nil
	})
}

// recordName is the name that subjects may have in them.
func recordName(s *avroschema.Schema) string {
	if s.Type != avroschema.Record {
		return ""
	}
	return s.FullName()
}

// parse reads a schema of the registry, with those that it refers to.
func (c *Converter) parse(s registry.Schema) (*avroschema.Schema, error) {
	needed, _, err := c.reg.Texts(s)
	if err != nil {
		return nil, err
	}
	return avroschema.Parse(s.Text, needed...)
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
	s, err := c.reading(source{topic, id})
	if err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	if s.fused != nil {
		if v, ok := s.fused.read(payload, &c.structs); ok && v != nil {
			return data.SchemaAndValue{Schema: s.schema, Value: v}, nil
		}
	}
	var v any
	if s.avro.RawBytes() {
		v = payload
	} else if v, _, err = s.avro.Decode(payload); err != nil {
		return none, c.reg.Reading(topic, id, err)
	}
	if v == nil {
		return none, nil
	}
	if v, err = s.values.value(v); err != nil {
		return none, err
	}
	return data.SchemaAndValue{Schema: s.schema, Value: v}, nil
}

// reading is how bytes of a source are read.
func (c *Converter) reading(from source) (*reading, error) {
	if c.lastBy != nil && c.last == from {
		return c.lastBy, nil
	}
	s, err := c.read.Load(from, func() (*reading, error) { return c.open(from.topic, from.id) })
	if err == nil {
		c.last, c.lastBy = from, s
	}
	return s, err
}

// open finds out how bytes of a schema are read. The version of the Connect schema is the number that the writer's has in the registry.
func (c *Converter) open(topic string, id registry.Ident) (*reading, error) {
	text, err := c.reg.Resolve(id, registry.Avro, c.reg.Key)
	if err != nil {
		return nil, err
	}
	written, err := c.parse(text)
	if err != nil {
		return nil, err
	}
	n := registry.Named{Topic: topic, Key: c.reg.Key, Record: recordName(written)}
	reads := written
	if c.reg.UseLatest {
		if reads, err = c.latest(n); err != nil {
			return nil, err
		}
	}
	version, err := c.reg.VersionOf(n, text, id)
	if err != nil {
		return nil, err
	}
	out := &reading{avro: avroschema.NewReader(written, reads, avroschema.Ordered)}
	if reads.String() != anything.String() {
		if out.schema, err = c.options.connectSchema(reads, version, &c.unions); err != nil {
			return nil, err
		}
	}
	out.values = c.options.newReader(reads, out.schema)
	if reads == written && out.schema != nil && !out.avro.RawBytes() {
		out.fused = c.options.fuse(reads, out.schema, 0)
	}
	return out, nil
}

// latest is the last schema of a subject, with which use.latest.version reads too.
func (c *Converter) latest(n registry.Named) (*avroschema.Schema, error) {
	subject, err := c.reg.Subject(n)
	if err != nil {
		return nil, err
	}
	last, err := c.reg.Last(subject)
	if err != nil {
		return nil, &registry.Failure{Message: "Error retrieving latest version of Avro schema", Err: err}
	}
	return c.parse(last.Schema)
}
