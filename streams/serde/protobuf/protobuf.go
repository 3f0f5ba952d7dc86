// Package protobuf is for keys and values in Protocol Buffers with their schemas in a Schema Registry: the bytes are those of Confluent's
// KafkaProtobufSerializer, so that programs on the JVM and ours read each other.
//
// [Of] has generated messages, [Dynamic] those whose schema is known only at run time.
package protobuf

import (
	"errors"
	"fmt"
	"reflect"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// File is a parsed .proto schema. It has the descriptors of its messages.
type File = protoschema.File

// Parse reads .proto text. imports are the texts of the files that it imports, by the names it gives them; those of google/protobuf and
// a few of google/type and confluent are known.
func Parse(text string, imports map[string]string) (*File, error) {
	return protoschema.Parse(text, imports)
}

// codec is what both serdes have in common. Its caches may be used by several threads.
type codec struct {
	reg     *registry.Client
	key     bool
	writers *registry.Cache[place, writer]
	readers *registry.Cache[registry.Ident, *protoschema.File]
}

// place is where a message is written: the topic decides on the subject.
type place struct {
	topic   string
	message protoreflect.MessageDescriptor
}

// writer is how messages of a type are written to a topic.
type writer struct {
	header  []byte
	inOrder bool // Go's encoder writes fields in the order of their numbers
}

func newCodec(r *schemaregistry.Registry) *codec {
	c := r.Client()
	return &codec{reg: c, key: r.IsKey(), writers: registry.NewCache[place, writer](c.Host(), c.Limit(), 0),
		readers: registry.NewCache[registry.Ident, *protoschema.File](c.Host(), c.Limit(), 0)}
}

// String implements serde.Serde.
func (c *codec) String() string { return "protobuf" }

// fail is an error as Kafka's SerializationException, with Confluent's message.
func (c *codec) fail(message string, err error) error {
	var f *registry.Failure
	if errors.As(err, &f) {
		message, err = f.Message, f.Err
	}
	return &serde.Error{Serde: c.String(), Err: err, Kafka: message}
}

func (c *codec) writer(topic string, m protoreflect.MessageDescriptor) (writer, error) {
	p := place{topic, m}
	if w, ok := c.writers.Peek(p); ok {
		return w, nil
	}
	return c.writers.Load(p, func() (writer, error) {
		file := m.ParentFile()
		s, err := c.schema(file)
		if err != nil {
			return writer{}, err
		}
		chosen, err := c.reg.Pick(registry.Named{Topic: topic, Key: c.key, Record: string(m.FullName())}, s)
		if err != nil {
			return writer{}, err
		}
		written := protoschema.FromDescriptor(file)
		if !chosen.Own {
			if written, err = c.parse(chosen.Schema); err != nil {
				return writer{}, err
			}
		}
		indexes := written.Indexes(m.FullName())
		if indexes == nil {
			return writer{}, fmt.Errorf("schema %d has no message %s", chosen.ID, m.FullName())
		}
		return writer{registry.AppendIndexes(registry.AppendHeader(nil, chosen.ID), indexes), protoschema.InOrder(m)}, nil
	})
}

// schema is a file's schema, with the files that it imports registered, or looked up, under subjects of their own.
func (c *codec) schema(file protoreflect.FileDescriptor) (registry.Schema, error) {
	s := registry.Schema{Type: registry.Protobuf, Text: protoschema.FromDescriptor(file).Text()}
	for _, dep := range protoschema.Imports(file) {
		sub, err := c.schema(dep)
		if err != nil {
			return s, err
		}
		r, err := c.reg.Refer(dep.Path(), sub)
		if err != nil {
			return s, err
		}
		s.References = append(s.References, r)
	}
	return s, nil
}

// parse reads a schema of the registry, with those that it imports.
func (c *codec) parse(s registry.Schema) (*protoschema.File, error) {
	_, imports, err := c.reg.Texts(s)
	if err != nil {
		return nil, err
	}
	return protoschema.Parse(s.Text, imports)
}

const writing = "Error serializing Protobuf message"

func (c *codec) append(dst []byte, topic string, m proto.Message) ([]byte, error) {
	if m == nil || reflect.ValueOf(m).IsNil() {
		return dst, c.fail(writing, errors.New("a nil message: a null value has no bytes"))
	}
	w, err := c.writer(topic, m.ProtoReflect().Descriptor())
	if err == nil {
		err = proto.CheckInitialized(m)
	}
	if err != nil {
		return dst, c.fail(writing, err)
	}
	if _, dynamic := m.(*dynamicpb.Message); dynamic || !w.inOrder {
		return protoschema.Append(append(dst, w.header...), m.ProtoReflect()), nil
	}
	out, err := proto.MarshalOptions{Deterministic: true, AllowPartial: true}.MarshalAppend(append(dst, w.header...), m)
	if err != nil {
		return dst, c.fail(writing, err)
	}
	return out, nil
}

// file is the schema that bytes name.
func (c *codec) file(id registry.Ident) (*protoschema.File, error) {
	if f, ok := c.readers.Peek(id); ok {
		return f, nil
	}
	return c.readers.Load(id, func() (*protoschema.File, error) {
		s, err := c.reg.Resolve(id, registry.Protobuf, c.key)
		if err != nil {
			return nil, err
		}
		return c.parse(s)
	})
}

// read splits bytes into the message's descriptor, as the writer had it, and the message.
func (c *codec) read(b []byte) (protoreflect.MessageDescriptor, []byte, registry.Ident, error) {
	id, rest, err := registry.ReadHeader(b)
	if err != nil {
		return nil, nil, id, c.fail(err.Error(), err)
	}
	indexes, rest, err := registry.ReadIndexes(rest)
	var f *protoschema.File
	if err == nil {
		f, err = c.file(id)
	}
	var m protoreflect.MessageDescriptor
	if err == nil {
		m, err = f.Message(indexes)
	}
	if err != nil {
		return nil, nil, id, c.failReading(id, err)
	}
	return m, rest, id, nil
}

func (c *codec) failReading(id registry.Ident, err error) error {
	return c.fail("Error deserializing Protobuf message for id "+id.String(), err)
}

// typed is a serde of generated messages.
type typed[T proto.Message] struct {
	*codec
	new func() T
	own protoreflect.FullName
}

// Of is the serde of a generated message type, such as *shop.Order: Confluent's KafkaProtobufSerde. The schema that is registered is the
// whole file that the message comes from, and the files that it imports are registered under subjects of their own.
//
// What is read must be a message of the same full name, whatever other schema its writer had: unknown fields are kept.
func Of[T proto.Message](r *schemaregistry.Registry) serde.Serde[T] {
	var zero T
	t := reflect.TypeFor[T]()
	if t.Kind() != reflect.Pointer {
		panic(fmt.Sprintf("protobuf: %s is no generated message: use protobuf.Of[*Message]", t))
	}
	kind := zero.ProtoReflect().Type()
	return &typed[T]{newCodec(r), func() T { return kind.New().Interface().(T) }, kind.Descriptor().FullName()}
}

// Append implements serde.Serde.
func (s *typed[T]) Append(dst []byte, topic string, v T) ([]byte, error) {
	return s.append(dst, topic, v)
}

// Decode implements serde.Serde.
func (s *typed[T]) Decode(_ string, b []byte) (T, error) {
	v := s.new()
	m, rest, id, err := s.read(b)
	if err == nil && m.FullName() != s.own {
		err = s.failReading(id, fmt.Errorf("the message is a %s, not a %s", m.FullName(), s.own))
	}
	if err == nil {
		if err = proto.Unmarshal(rest, v); err != nil {
			err = s.failReading(id, err)
		}
	}
	if err != nil {
		var none T
		return none, err
	}
	return v, nil
}

type dynamic struct{ *codec }

// Dynamic is the serde of messages without generated types: what is read has the descriptor of its writer's schema. Make descriptors once,
// not for each message: the id that the registry gave one is found by its pointer. To make a message, take a descriptor of [Parse]:
//
//	order := dynamicpb.NewMessage(file.Descriptor.Messages().ByName("Order"))
func Dynamic(r *schemaregistry.Registry) serde.Serde[*dynamicpb.Message] {
	return dynamic{newCodec(r)}
}

// Append implements serde.Serde.
func (s dynamic) Append(dst []byte, topic string, v *dynamicpb.Message) ([]byte, error) {
	return s.append(dst, topic, v)
}

// Decode implements serde.Serde.
func (s dynamic) Decode(_ string, b []byte) (*dynamicpb.Message, error) {
	m, rest, id, err := s.read(b)
	if err != nil {
		return nil, err
	}
	v := dynamicpb.NewMessage(m)
	if err := protoschema.Unmarshal(rest, v); err != nil {
		return nil, s.failReading(id, err)
	}
	return v, nil
}
