// Package confluent is for what the converters of Kafka Connect that keep their schemas in a Schema Registry have in common: the way to the
// registry, ids in bytes and in headers, and the exceptions that Confluent's converters throw.
package confluent

import (
	"errors"
	"fmt"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

// Exceptions that Connect itself does not throw.
const (
	networkException = data.Class("org.apache.kafka.common.errors.NetworkException")
	// InvalidName is what Avro's library throws for a name that is none of its.
	InvalidName = data.Class("org.apache.avro.SchemaParseException")
)

// Registry is a converter's way to the registry.
type Registry struct {
	*registry.Client
	// Language is the schema type: registry.Avro and so on.
	Language string
	Key      bool
}

// names are the languages in messages.
var names = map[string]string{registry.Avro: "Avro", registry.Protobuf: "Protobuf", registry.JSON: "JSON"}

// Open reads a converter's properties. Nothing is asked of the registry yet. The error is a ConfigException.
func Open(props config.Props, key bool, h host.Host, language string) (*Registry, error) {
	text := map[string]string{}
	for k, v := range props { // into a map: order does not matter
		if p, ok := v.(config.Password); ok {
			text[k] = p.Value()
		} else if v != nil {
			text[k] = fmt.Sprint(v)
		}
	}
	c, err := registry.Open(text, registry.Options{Host: h})
	if err != nil {
		return nil, data.ConfigException.Errorf("%s", err.Error())
	}
	return &Registry{c, language, key}, nil
}

// idHeaders are the headers in which newer serializers put a schema's GUID instead of before the payload.
var idHeaders = map[bool]string{true: "__key_schema_id", false: "__value_schema_id"}

// Read splits bytes into the schema that they, or a header, name, and the payload: Confluent's DualSchemaIdDeserializer.
func (r *Registry) Read(headers []broker.Header, b []byte) (registry.Ident, []byte, error) {
	for i := len(headers) - 1; i >= 0; i-- {
		if headers[i].Key == idHeaders[r.Key] {
			id, rest, err := registry.ReadHeader(headers[i].Value)
			if err == nil && r.Language == registry.Protobuf {
				return id, append(rest[:len(rest):len(rest)], b...), nil // the indexes are in the header too
			}
			return id, b, err
		}
	}
	return registry.ReadHeader(b)
}

// Writing makes of an error what Confluent's converters throw when they write.
func (r *Registry) Writing(topic string, err error) error {
	lang := names[r.Language]
	if r.Language == registry.JSON {
		failed := fmt.Sprintf("Converting Kafka Connect data to byte[] failed due to serialization error of topic %s: ", topic)
		return r.failure(err, "Error serializing JSON message", failed, fmt.Sprintf("Network connection error while serializing Json data for topic %s: ", topic), failed)
	}
	return r.failure(err, fmt.Sprintf("Error serializing %s message", lang), fmt.Sprintf("Failed to serialize %s data from topic %s :", lang, topic),
		fmt.Sprintf("Network connection error while serializing %s data for topic %s: ", lang, topic), fmt.Sprintf("Failed to serialize %s data from topic %s:", lang, topic))
}

// Reading makes of an error what Confluent's converters throw when they read. id may be empty.
func (r *Registry) Reading(topic string, id registry.Ident, err error) error {
	lang := names[r.Language]
	message := fmt.Sprintf("Error deserializing %s message for id %s", lang, id)
	network := fmt.Sprintf("Network connection error while deserializing data for topic %s: ", topic)
	if r.Language == registry.JSON {
		failed := fmt.Sprintf("Converting byte[] to Kafka Connect data failed due to serialization error of topic %s: ", topic)
		return r.failure(err, message, failed, network, failed)
	}
	return r.failure(err, message, fmt.Sprintf("Failed to deserialize data for topic %s to %s: ", topic, lang), network, fmt.Sprintf("Failed to deserialize data for topic %s to %s:", topic, lang))
}

// failure follows the catch clauses of the converters: exceptions of Connect's own pass through.
func (r *Registry) failure(err error, message, retry, network, failed string) error {
	var own *data.Error
	if errors.As(err, &own) {
		return err
	}
	var f *registry.Failure
	if errors.As(err, &f) {
		message, err = f.Message, f.Err
	}
	var e *registry.Error
	if !errors.As(err, &e) {
		return data.DataException.Wrap(data.SerializationException.Wrap(err, message), failed)
	}
	switch class := data.Class(e.Class()); {
	case e.Status == 0:
		return networkException.Wrap(data.SerializationException.Wrap(err, message), network+e.Error())
	case class == "org.apache.kafka.common.errors.TimeoutException":
		return data.RetriableException.Wrap(class.Wrap(err, message), retry)
	case class == data.SerializationException:
		return data.DataException.Wrap(class.Wrap(err, message), failed)
	default:
		return class.Wrap(err, message)
	}
}

// VersionOf is the number that a schema has under the subject of its topic: what Connect sets as the schema's version.
func (r *Registry) VersionOf(n registry.Named, s registry.Schema, id registry.Ident) (int32, error) {
	n.Key = r.Key
	subject, err := r.Subject(n)
	if err != nil {
		return 0, err
	}
	found, err := r.Find(subject, s)
	if err != nil {
		part := "value"
		if r.Key {
			part = "key"
		}
		return 0, &registry.Failure{Message: fmt.Sprintf("Error retrieving %s %s schema version for id %s", names[r.Language], part, id), Err: err}
	}
	return int32(found.Version), nil
}

// Misfit is an error of Avro's, Protobuf's or Jackson's own, which Confluent's serializers wrap.
func Misfit(format string, args ...any) error { return fmt.Errorf(format, args...) }
