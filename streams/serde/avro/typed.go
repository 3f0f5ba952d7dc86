package avro

import (
	"fmt"
	"reflect"

	"github.com/twmb/avro"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// Named gives the record that [Of] makes of a Go type a full name, such as com.acme.Order. By default it is the type's own name, in no
// namespace.
func Named(fullName string) Option { return func(o *options) { o.name = fullName } }

// typed is a serde of Go values. Its caches may be used by several threads.
type typed[T any] struct {
	*codec
	own     *Schema
	text    *avro.Schema // own, as the codec of Go values has it
	readers *registry.Cache[registry.Ident, *avro.Schema]
	writers *registry.Cache[string, typedWriter] // by topic
}

type typedWriter struct {
	id     int
	latest *avroschema.Reader // from T's schema to the one that is written, where that is another
}

// Of is the serde of a Go struct: Confluent's SpecificAvroSerde. Fields are named by their avro tags, `avro:"name"`, or as they are; pointers are
// optional; time.Time is timestamp-millis; a tag may say more, such as `avro:"price,decimal(10,2)"` on a *big.Rat or
// `avro:"at,timestamp-micros"`. The schema is made of the type, or is the one of [ReadAs]. What others have written is read by Avro's
// rules: fields that T lacks are passed over, fields that the writer lacked get their default.
//
// It panics when there is no schema for T: that is a mistake in the program.
func Of[T any](r *schemaregistry.Registry, options ...Option) serde.Serde[T] {
	c := newCodec(r, options)
	s := &typed[T]{codec: c, readers: registry.NewCache[registry.Ident, *avro.Schema](c.reg.Host(), c.reg.Limit(), 0),
		writers: registry.NewCache[string, typedWriter](c.reg.Host(), c.reg.Limit(), 0)}
	if err := s.schema(); err != nil {
		panic(fmt.Sprintf("avro: no schema for %s: %v", reflect.TypeFor[T](), err))
	}
	return s
}

// SchemaOf is the schema that [Of] makes of a Go type. It panics where Of does.
func SchemaOf[T any](options ...Option) *Schema {
	s := &typed[T]{codec: &codec{opts: collect(options)}}
	if err := s.schema(); err != nil {
		panic(fmt.Sprintf("avro: no schema for %s: %v", reflect.TypeFor[T](), err))
	}
	return s.own
}

func (s *typed[T]) schema() error {
	if s.own = s.opts.reader; s.own == nil {
		inferred, err := avro.SchemaFor[T]()
		if err != nil {
			return err
		}
		if s.own, err = Parse(inferred.String()); err != nil {
			return err
		}
		if s.opts.name != "" {
			if err := s.own.Rename(s.opts.name); err != nil {
				return err
			}
		}
	}
	var err error
	s.text, err = avro.Parse(s.own.String())
	return err
}

func (s *typed[T]) writer(topic string) (typedWriter, error) {
	if w, ok := s.writers.Peek(topic); ok {
		return w, nil
	}
	return s.writers.Load(topic, func() (typedWriter, error) {
		w, err := s.codec.writer(topic, s.own)
		if err != nil {
			return typedWriter{}, err
		}
		if w.schema == s.own {
			return typedWriter{id: w.id}, nil
		}
		return typedWriter{w.id, avroschema.NewReader(s.own, w.schema, 0)}, err
	})
}

// Append implements serde.Serde.
func (s *typed[T]) Append(dst []byte, topic string, v T) ([]byte, error) {
	const message = "Error serializing Avro message"
	w, err := s.writer(topic)
	if err != nil {
		return dst, s.fail(message, err)
	}
	start := len(dst)
	dst, err = s.text.AppendEncode(registry.AppendHeader(dst, w.id), &v)
	if err == nil && w.latest != nil {
		dst, err = translate(dst, start+registry.HeaderSize, w.latest)
	}
	if err != nil {
		return dst[:start], s.fail(message, err)
	}
	return dst, nil
}

// translate puts what is in dst from start on into another schema.
func translate(dst []byte, start int, r *avroschema.Reader) ([]byte, error) {
	v, _, err := r.Decode(dst[start:])
	if err != nil {
		return dst, err
	}
	return r.Schema.Append(dst[:start], v)
}

func (s *typed[T]) reader(id registry.Ident) (*avro.Schema, error) {
	if r, ok := s.readers.Peek(id); ok {
		return r, nil
	}
	return s.readers.Load(id, func() (*avro.Schema, error) {
		found, err := s.reg.Resolve(id, registry.Avro, s.key)
		if err != nil {
			return nil, err
		}
		written, err := s.parse(found)
		if err != nil {
			return nil, err
		}
		w, err := avro.Parse(written.String())
		if err != nil {
			return nil, err
		}
		return avro.Resolve(w, s.text)
	})
}

// Decode implements serde.Serde.
func (s *typed[T]) Decode(_ string, b []byte) (v T, err error) {
	id, rest, err := registry.ReadHeader(b)
	if err != nil {
		return v, s.fail(err.Error(), err)
	}
	r, err := s.reader(id)
	if err == nil {
		_, err = r.Decode(rest, &v)
	}
	if err != nil {
		return v, s.fail("Error deserializing Avro message for id "+id.String(), err)
	}
	return v, nil
}
