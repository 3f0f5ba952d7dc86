// Package jsonschema is for keys and values in JSON with their schemas in a Schema Registry, in the wire format of Confluent's
// KafkaJsonSchemaSerializer, so that programs on the JVM and ours read each other.
//
// [Of] has Go types, [Any] values whose type is known only at run time.
package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsonschema"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// Schema is a parsed JSON schema of draft 4, 6, 7, 2019-09 or 2020-12, by its $schema; 7 without one.
type Schema struct {
	text       string
	parsed     *jsonschema.Schema
	references []registry.Reference
}

// Parse reads a schema. references are the texts of other schemas by the names by which $ref names them. Nothing is ever loaded from a
// file or the net.
func Parse(text string, references map[string]string) (*Schema, error) {
	parsed, err := jsonschema.Parse(text, references)
	if err != nil {
		return nil, err
	}
	return &Schema{text: text, parsed: parsed}, nil
}

// MustParse is Parse for texts in programs: it panics where Parse fails.
func MustParse(text string, references map[string]string) *Schema {
	s, err := Parse(text, references)
	if err != nil {
		panic("jsonschema: " + err.Error())
	}
	return s
}

// Reference tells that a name of the schema's references is kept under a subject of its own. It returns s.
func (s *Schema) Reference(name, subject string, version int) *Schema {
	s.references = append(s.references, registry.Reference{Name: name, Subject: subject, Version: version})
	return s
}

// String is the schema's text.
func (s *Schema) String() string { return s.text }

// Validate tells why a JSON text is not of the schema; nil: it is.
func (s *Schema) Validate(text []byte) error { return s.parsed.Validate(text) }

// jsonSerde is the serde of T. Its caches may be used by several threads.
type jsonSerde[T any] struct {
	reg      *registry.Client
	key      bool
	schema   *Schema
	strict   bool // json.fail.unknown.properties
	validate bool // json.fail.invalid.schema
	writers  *registry.Cache[string, writer]
	readers  *registry.Cache[registry.Ident, *jsonschema.Schema]
}

// writer is how values are written to a topic.
type writer struct {
	id     int
	schema *jsonschema.Schema
}

// Of is the serde of a Go type in the JSON of encoding/json: Confluent's KafkaJsonSchemaSerde. The schema is the one given, or, where it is
// nil, the one that [For] makes of the type. With json.fail.invalid.schema values are checked against the schema when they are written and
// read; members that T does not have are an error unless json.fail.unknown.properties is false.
//
// It panics when there is no schema for T: that is a mistake in the program.
func Of[T any](r *schemaregistry.Registry, schema *Schema) serde.Serde[T] {
	if schema == nil {
		schema = For[T]()
	}
	c := r.Client()
	return &jsonSerde[T]{reg: c, key: r.IsKey(), schema: schema, strict: c.Value("json.fail.unknown.properties") == "true",
		validate: c.Value("json.fail.invalid.schema") == "true", writers: registry.NewCache[string, writer](c.Host(), c.Limit(), 0),
		readers: registry.NewCache[registry.Ident, *jsonschema.Schema](c.Host(), c.Limit(), 0)}
}

// Any is the serde of values of encoding/json: nil, bool, float64, string, []any and map[string]any; integers and structs are written too.
func Any(r *schemaregistry.Registry, schema *Schema) serde.Serde[any] { return Of[any](r, schema) }

// String implements serde.Serde.
func (s *jsonSerde[T]) String() string { return "jsonschema" }

// fail is an error as Kafka's SerializationException, with Confluent's message.
func (s *jsonSerde[T]) fail(message string, err error) error {
	var f *registry.Failure
	if errors.As(err, &f) {
		message, err = f.Message, f.Err
	}
	return &serde.Error{Serde: s.String(), Err: err, Kafka: message}
}

func (s *jsonSerde[T]) writer(topic string) (writer, error) {
	if w, ok := s.writers.Peek(topic); ok {
		return w, nil
	}
	return s.writers.Load(topic, func() (writer, error) {
		own := registry.Schema{Type: registry.JSON, Text: s.schema.text, References: s.schema.references}
		chosen, err := s.reg.Pick(registry.Named{Topic: topic, Key: s.key, Record: s.schema.parsed.Title()}, own)
		if err != nil || chosen.Own {
			return writer{chosen.ID, s.schema.parsed}, err
		}
		other, err := s.parse(chosen.Schema)
		return writer{chosen.ID, other}, err
	})
}

func (s *jsonSerde[T]) parse(text registry.Schema) (*jsonschema.Schema, error) {
	_, references, err := s.reg.Texts(text)
	if err != nil {
		return nil, err
	}
	return jsonschema.Parse(text.Text, references)
}

// Append implements serde.Serde.
func (s *jsonSerde[T]) Append(dst []byte, topic string, v T) ([]byte, error) {
	const message = "Error serializing JSON message"
	w, err := s.writer(topic)
	if err != nil {
		return dst, s.fail(message, err)
	}
	out := bytes.NewBuffer(registry.AppendHeader(dst, w.id))
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return dst, s.fail(message, err)
	}
	b := out.Bytes()
	b = b[:len(b)-1] // Encode ends with a new line
	if s.validate {
		if err := w.schema.Validate(b[len(dst)+registry.HeaderSize:]); err != nil {
			return dst, s.fail("Validation error in JSON", err)
		}
	}
	return b, nil
}

func (s *jsonSerde[T]) reader(id registry.Ident) (*jsonschema.Schema, error) {
	if r, ok := s.readers.Peek(id); ok {
		return r, nil
	}
	return s.readers.Load(id, func() (*jsonschema.Schema, error) {
		found, err := s.reg.Resolve(id, registry.JSON, s.key)
		if err != nil {
			return nil, err
		}
		return s.parse(found)
	})
}

// Decode implements serde.Serde.
func (s *jsonSerde[T]) Decode(_ string, b []byte) (v T, err error) {
	id, rest, err := registry.ReadHeader(b)
	if err != nil {
		return v, s.fail(err.Error(), err)
	}
	message := "Error deserializing JSON message for id " + id.String()
	r, err := s.reader(id) // its writer's schema must exist, and be one of JSON, whether it is looked at or not
	if err != nil {
		return v, s.fail(message, err)
	}
	if s.validate {
		if err := r.Validate(rest); err != nil {
			return v, s.fail("JSON does not match schema of type JSON", err)
		}
	}
	d := json.NewDecoder(bytes.NewReader(rest))
	if s.strict {
		d.DisallowUnknownFields()
	}
	if err = d.Decode(&v); err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			err = errors.New("there is something after the JSON value")
		}
	} else if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		var none T
		return none, s.fail(message, err)
	}
	return v, nil
}

// For makes a schema of a Go type, as encoding/json writes it: an object of its fields, none of them required, so that fields can be added and
// taken away later, and no others allowed. Pointers, slices and maps may be null. A field's description is in the tag `doc:"..."`. It
// panics for types that are no JSON, such as channels.
func For[T any]() *Schema {
	t := reflect.TypeFor[T]()
	root, err := describe(t, nil)
	if err != nil {
		panic(fmt.Sprintf("jsonschema: no schema for %s: %v", t, err))
	}
	root.Set("$schema", "http://json-schema.org/draft-07/schema#")
	if t.Name() != "" && t.Kind() == reflect.Struct {
		root.Set("title", t.Name())
	}
	return MustParse(text(root), nil)
}
