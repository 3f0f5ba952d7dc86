package registry

import (
	"context"
	"fmt"
	"strings"
)

// Choice is the schema that a record is written with, and how bytes name it.
type Choice struct {
	Schema Schema
	ID     int
	// Own is true when it is the record's own schema.
	Own bool
}

// Choose decides what a record of schema s is written with, as Confluent's serializers do: its own schema, registered (auto.register.schemas)
// or looked up, the one of use.schema.id, or the subject's latest (use.latest.version). reads tells why the first schema cannot
// read what the second one writes, nil when it can.
func (c *Client) Choose(ctx context.Context, subject string, s Schema, reads func(reader, writer Schema) error) (Choice, error) {
	switch {
	case c.AutoRegister:
		id, err := c.Register(ctx, subject, s)
		return Choice{s, id, true}, err
	case c.UseID >= 0:
		other, err := c.Schema(ctx, Ident{ID: c.UseID})
		if err != nil {
			return Choice{}, err
		}
		return c.choose(other, c.UseID, s, c.IDStrict, "id.compatibility.strict", reads)
	case c.UseLatest:
		last, err := c.Latest(ctx, subject)
		if err != nil {
			return Choice{}, err
		}
		return c.choose(last.Schema, last.ID, s, c.LatestStrict, "latest.compatibility.strict", reads)
	}
	found, err := c.Lookup(ctx, subject, s)
	return Choice{s, found.ID, true}, err
}

func (c *Client) choose(other Schema, id int, own Schema, strict bool, name string, reads func(reader, writer Schema) error) (Choice, error) {
	if other.Type != own.Type {
		return Choice{}, fmt.Errorf("schema %d is of type %s, and the record's is of type %s", id, other.Type, own.Type)
	}
	if strict && !other.Equal(own) {
		if err := reads(other, own); err != nil {
			//lint:ignore ST1005 Kafka's words
			return Choice{}, fmt.Errorf("Incompatible schema of type '%s'. Set %s=false to disable this check: %w", other.Type, name, err)
		}
	}
	return Choice{Schema: other, ID: id, Own: other.Equal(own)}, nil
}

// Failure is what Confluent's serializers and deserializers throw: their message, and why.
type Failure struct {
	Message string // Confluent's words
	Err     error
}

func (e *Failure) Error() string { return e.Message + ": " + e.Err.Error() }
func (e *Failure) Unwrap() error { return e.Err }

// languages are the names of schema types in messages.
var languages = map[string]string{Avro: "Avro", Protobuf: "Protobuf", JSON: "JSON"}

// Pick names the subject of a record's schema and chooses what the record is written with. Errors are of type *Failure, with
// Confluent's message for what was tried.
func (c *Client) Pick(n Named, s Schema) (Choice, error) {
	subject, err := c.Subject(n)
	if err != nil {
		return Choice{}, &Failure{err.Error(), err}
	}
	choice, err := c.Choose(context.Background(), subject, s, c.Reads)
	if err == nil {
		return choice, nil
	}
	doing := "retrieving %s schema"
	switch {
	case c.AutoRegister:
		doing = "registering %s schema"
	case c.UseID >= 0:
		doing = "retrieving schema ID"
	case c.UseLatest && s.Type == Avro:
		doing = "retrieving latest version of Avro schema"
	case c.UseLatest:
		doing = "retrieving latest version: "
	}
	if n := "%s"; strings.Contains(doing, n) {
		doing = fmt.Sprintf(doing, languages[s.Type])
		if s.Type != Avro {
			doing += ": "
		}
	}
	return Choice{}, &Failure{"Error " + doing + s.Text, err}
}

// Refer registers a file that a Protobuf schema imports, or looks it up where auto.register.schemas is false, and says how to refer to it.
func (c *Client) Refer(file string, s Schema) (Reference, error) {
	subject, ctx := c.ReferenceSubject(file), context.Background()
	fail := func(doing string, err error) (Reference, error) {
		return Reference{}, &Failure{"Error " + doing + ": " + s.Text, err}
	}
	if !c.AutoRegister && c.UseLatest {
		last, err := c.Latest(ctx, subject)
		if err != nil {
			return fail("retrieving latest version", err)
		}
		return Reference{file, subject, last.Version}, nil
	}
	if c.AutoRegister {
		if _, err := c.Register(ctx, subject, s); err != nil {
			return fail("registering Protobuf schema", err)
		}
	}
	found, err := c.Lookup(ctx, subject, s)
	if err != nil {
		return fail("retrieving Protobuf schema", err)
	}
	return Reference{file, subject, found.Version}, nil
}

// Resolve finds the schema that a record's header names, of the type that the caller reads. Errors are of type *Failure.
func (c *Client) Resolve(id Ident, want string, key bool) (Schema, error) {
	s, err := c.Schema(context.Background(), id)
	if err != nil {
		part := " value"
		if key {
			part = " key"
		}
		if want != Avro {
			part = ""
		}
		return s, &Failure{fmt.Sprintf("Error retrieving %s%s schema for id %s", languages[want], part, id), err}
	}
	if s.Type != want {
		err := fmt.Errorf("schema %s is of type %s: use the serde or converter of that type", id, s.Type)
		return s, &Failure{fmt.Sprintf("Error deserializing %s message for id %s", languages[want], id), err}
	}
	return s, nil
}
