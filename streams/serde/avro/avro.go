// Package avro is for keys and values in Avro with their schemas in a Schema Registry: the bytes are those of Confluent's
// KafkaAvroSerializer, so that programs on the JVM and ours read each other.
//
// [Generic] has records whose schema is known only at run time, [Of] has Go types, and [Any] also what is no record.
package avro

import (
	"errors"
	"fmt"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

type (
	// Schema is a parsed Avro schema; its String is the text that Java's Avro library writes.
	Schema = avroschema.Schema
	// Record is a record with its schema: Java's GenericRecord. Get returns a field's value; NewRecord and Set make one. The values of fields
	// are nil, bool, int32, int64, float32, float64, []byte, string, [Symbol], [Fixed], []any, map[string]any and *Record; with
	// avro.use.logical.type.converters also time.Time, time.Duration and [Decimal].
	Record = avroschema.Datum
	// Symbol is a symbol of an enum.
	Symbol = avroschema.Symbol
	// Fixed is the bytes of a fixed.
	Fixed = avroschema.Bin
	// Decimal is an exact number.
	Decimal = avroschema.Decimal
)

// Parse reads a schema. needed are the texts of schemas that define names it refers to, each after those that it needs itself.
func Parse(text string, needed ...string) (*Schema, error) { return avroschema.Parse(text, needed...) }

// MustParse is Parse for texts in programs: it panics where Parse fails.
func MustParse(text string, needed ...string) *Schema {
	s, err := Parse(text, needed...)
	if err != nil {
		panic("avro: " + err.Error())
	}
	return s
}

// NewRecord makes a record of a schema; names and values follow each other. It panics when a name is no field of the schema, or s is no
// record. Whether values fit their fields is found out when the record is written.
func NewRecord(s *Schema, namesAndValues ...any) *Record {
	r := avroschema.NewDatum(s)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		name, _ := namesAndValues[i].(string)
		if !r.Set(name, namesAndValues[i+1]) {
			panic(fmt.Sprintf("avro: %s has no field %q", s.FullName(), name))
		}
	}
	return r
}

// Option changes a serde.
type Option func(*options)

type options struct {
	reader     *Schema
	references []registry.Reference
	name       string
}

// ReadAs makes a serde read all records as if they had been written with this schema: fields that it lacks are passed over, fields that the
// writer lacked get their default, numbers are widened.
func ReadAs(s *Schema) Option { return func(o *options) { o.reader = s } }

// Reference tells that names of the schema are kept under a subject of their own; the registered text then refers to them. name is the
// full name that is defined there.
func Reference(name, subject string, version int) Option {
	return func(o *options) {
		o.references = append(o.references, registry.Reference{Name: name, Subject: subject, Version: version})
	}
}

func collect(list []Option) (o options) {
	for _, option := range list {
		option(&o)
	}
	return o
}

// codec is what generic serdes have in common. Its caches may be used by several threads.
type codec struct {
	name    string
	reg     *registry.Client
	key     bool
	opts    options
	mode    avroschema.Mode
	writers *registry.Cache[place, *writer]
	readers *registry.Cache[registry.Ident, *avroschema.Reader]
}

// place is where a schema is written: the topic decides on the subject.
type place struct {
	topic  string
	schema *Schema
}

// writer is how records of a schema are written to a topic.
type writer struct {
	id     int
	schema *Schema
}

func newCodec(r *schemaregistry.Registry, list []Option) *codec {
	c := r.Client()
	var mode avroschema.Mode
	if c.Value("avro.use.logical.type.converters") == "true" {
		mode = avroschema.Logical
	}
	return &codec{name: "avro", reg: c, key: r.IsKey(), opts: collect(list), mode: mode,
		writers: registry.NewCache[place, *writer](c.Host(), c.Limit(), 0), readers: registry.NewCache[registry.Ident, *avroschema.Reader](c.Host(), c.Limit(), 0)}
}

// String implements serde.Serde.
func (c *codec) String() string { return c.name }

// fail is an error as Kafka's SerializationException, with Confluent's message.
func (c *codec) fail(message string, err error) error {
	var f *registry.Failure
	if errors.As(err, &f) {
		message, err = f.Message, f.Err
	}
	return &serde.Error{Serde: c.name, Err: err, Kafka: message}
}

func (c *codec) writer(topic string, s *Schema) (*writer, error) {
	p := place{topic, s}
	if w, ok := c.writers.Peek(p); ok {
		return w, nil
	}
	return c.writers.Load(p, func() (*writer, error) {
		known := make([]string, 0, len(c.opts.references))
		for _, r := range c.opts.references {
			known = append(known, r.Name)
		}
		n := registry.Named{Topic: topic, Key: c.key}
		if s.Type == avroschema.Record {
			n.Record = s.FullName()
		}
		chosen, err := c.reg.Pick(n, registry.Schema{Type: registry.Avro, Text: s.Referring(known), References: c.opts.references})
		if err != nil || chosen.Own {
			return &writer{chosen.ID, s}, err
		}
		other, err := c.parse(chosen.Schema)
		return &writer{chosen.ID, other}, err
	})
}

// parse reads a schema of the registry, with those that it refers to.
func (c *codec) parse(s registry.Schema) (*Schema, error) {
	needed, _, err := c.reg.Texts(s)
	if err != nil {
		return nil, err
	}
	return avroschema.Parse(s.Text, needed...)
}

func (c *codec) append(dst []byte, topic string, s *Schema, v any) ([]byte, error) {
	const message = "Error serializing Avro message"
	w, err := c.writer(topic, s)
	if err != nil {
		return dst, c.fail(message, err)
	}
	start := len(dst)
	dst = registry.AppendHeader(dst, w.id)
	if b, ok := v.([]byte); ok && w.schema.Type == avroschema.Bytes {
		return append(dst, b...), nil // without its length, as Confluent has it
	}
	if dst, err = w.schema.Append(dst, v); err != nil {
		return dst[:start], c.fail(message, err)
	}
	return dst, nil
}

func (c *codec) reader(id registry.Ident) (*avroschema.Reader, error) {
	if r, ok := c.readers.Peek(id); ok {
		return r, nil
	}
	return c.readers.Load(id, func() (*avroschema.Reader, error) {
		s, err := c.reg.Resolve(id, registry.Avro, c.key)
		if err != nil {
			return nil, err
		}
		written, err := c.parse(s)
		if err != nil {
			return nil, err
		}
		reader := c.opts.reader
		if reader == nil {
			reader = written
		}
		return avroschema.NewReader(written, reader, c.mode), nil
	})
}

func (c *codec) decode(b []byte) (any, error) {
	id, rest, err := registry.ReadHeader(b)
	if err != nil {
		return nil, c.fail(err.Error(), err)
	}
	message := func() string { return "Error deserializing Avro message for id " + id.String() }
	r, err := c.reader(id)
	if err != nil {
		return nil, c.fail(message(), err)
	}
	if r.RawBytes() {
		return append([]byte{}, rest...), nil
	}
	v, _, err := r.Decode(rest)
	if err != nil {
		return nil, c.fail(message(), err)
	}
	return v, nil
}

type generic struct{ *codec }

// Generic is the serde of records with a schema each: Confluent's GenericAvroSerde. Records of different schemas may follow each other.
// Make a schema once, not for each record: the id that the registry gave it is found by its pointer.
func Generic(r *schemaregistry.Registry, options ...Option) serde.Serde[*Record] {
	return generic{newCodec(r, options)}
}

var errNoRecord = errors.New("a nil record: a null value has no bytes")

// Append implements serde.Serde.
func (g generic) Append(dst []byte, topic string, v *Record) ([]byte, error) {
	if v == nil {
		return dst, g.fail("Error serializing Avro message", errNoRecord)
	}
	return g.append(dst, topic, v.Schema, v)
}

// Decode implements serde.Serde.
func (g generic) Decode(_ string, b []byte) (*Record, error) {
	v, err := g.decode(b)
	if err != nil {
		return nil, err
	}
	r, ok := v.(*Record)
	if !ok {
		err := fmt.Errorf("a record is expected, and the value is %T: read it with avro.Any", v)
		return nil, g.fail(err.Error(), err)
	}
	return r, nil
}

type anything struct {
	*codec
	primitives [8]*Schema
}

// Any is the serde of all that Confluent's KafkaAvroSerializer takes: records, and bool, int32, int64, float32, float64, string and
// []byte, whose schemas are the primitive types.
func Any(r *schemaregistry.Registry, options ...Option) serde.Serde[any] {
	a := anything{codec: newCodec(r, options)}
	for t := range a.primitives {
		a.primitives[t] = avroschema.Prim(avroschema.Type(t))
	}
	return a
}

// Append implements serde.Serde.
func (a anything) Append(dst []byte, topic string, v any) ([]byte, error) {
	var t avroschema.Type
	switch v := v.(type) {
	case *Record:
		return generic{a.codec}.Append(dst, topic, v)
	case bool:
		t = avroschema.Boolean
	case int32:
		t = avroschema.Int
	case int64:
		t = avroschema.Long
	case float32:
		t = avroschema.Float
	case float64:
		t = avroschema.Double
	case []byte:
		t = avroschema.Bytes
	case string:
		t = avroschema.String
	default:
		return dst, serde.Unfit(a, v)
	}
	return a.append(dst, topic, a.primitives[t], v)
}

// Decode implements serde.Serde.
func (a anything) Decode(_ string, b []byte) (any, error) { return a.decode(b) }
