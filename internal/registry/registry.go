// Package registry is for the serdes of Kafka Streams and the converters of Kafka Connect that keep their schemas in a Schema Registry:
// Confluent's configuration, subjects, wire format and caches, over franz-go's client, or over a registry in memory.
package registry

import (
	"context"
	"fmt"
	"slices"
)

// Schema types, as registries name them.
const (
	Avro     = "AVRO"
	Protobuf = "PROTOBUF"
	JSON     = "JSON"
)

// Reference names a schema that another one needs: an Avro name or an imported file, and where the registry has it.
type Reference struct {
	Name    string
	Subject string
	Version int
}

// Schema is a schema as a registry keeps it.
type Schema struct {
	Type       string // Avro, Protobuf or JSON
	Text       string
	References []Reference
}

// Equal tells whether type, text and references are the same.
func (s Schema) Equal(o Schema) bool {
	return s.Type == o.Type && s.Text == o.Text && slices.Equal(s.References, o.References)
}

// key is the schema as the key of a map.
func (s Schema) key() string {
	if len(s.References) == 0 {
		return s.Type + "\x00" + s.Text
	}
	key := s.Type + "\x00" + s.Text
	for _, r := range s.References {
		key += fmt.Sprintf("\x00%q %q %d", r.Name, r.Subject, r.Version)
	}
	return key
}

// Registered is a schema under a subject.
type Registered struct {
	Schema
	Subject string
	Version int
	ID      int
}

// Server is a registry: the remote one, or one in memory. Errors are of type *Error. All methods may be called from several threads.
type Server interface {
	// Register adds a schema to a subject, if it is not there, and returns its id.
	Register(ctx context.Context, subject string, s Schema, normalize bool) (int, error)
	// Lookup finds a schema in a subject.
	Lookup(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error)
	// ByID finds the schema of an id.
	ByID(ctx context.Context, id int) (Schema, error)
	// ByGUID finds the schema of a globally unique id (magic byte 1), in its text form.
	ByGUID(ctx context.Context, guid string) (Schema, error)
	// ByVersion finds a version of a subject; Latest is the last.
	ByVersion(ctx context.Context, subject string, version int) (Registered, error)
	// Address is where the registry is, without credentials.
	Address() string
}

// Latest is the version that stands for a subject's last one.
const Latest = -1
