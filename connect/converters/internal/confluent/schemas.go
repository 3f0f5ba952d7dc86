package confluent

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

// Schemas remembers what was made of Connect schemas. Connectors that make a schema anew for each record find it too: by its content, after
// its identity.
type Schemas[T any] struct {
	byIdentity *registry.Cache[*data.Schema, T]
	byContent  *registry.Cache[uint64, entry[T]]
}

type entry[T any] struct {
	schema *data.Schema
	made   T
}

// NewSchemas remembers up to limit schemas.
func NewSchemas[T any](h host.Host, limit int) *Schemas[T] {
	return &Schemas[T]{registry.NewCache[*data.Schema, T](h, limit, 0), registry.NewCache[uint64, entry[T]](h, limit, 0)}
}

// Get returns what was made of a schema, or makes it. A nil schema is one too.
func (c *Schemas[T]) Get(s *data.Schema, load func() (T, error)) (T, error) {
	if v, ok := c.byIdentity.Peek(s); ok {
		return v, nil
	}
	return c.byIdentity.Load(s, func() (T, error) {
		e, err := c.byContent.Load(s.Hash(), func() (entry[T], error) {
			made, err := load()
			return entry[T]{s, made}, err
		})
		if err == nil && !e.schema.Equal(s) { // two schemas of one hash: the other one keeps the place
			return load()
		}
		return e.made, err
	})
}
