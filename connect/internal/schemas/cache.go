// Package schemas is for transforms that make new schemas of those that come: a memory for what was made, and the copying of attributes.
package schemas

import "github.com/kstreamlab/kstreamlab/connect/data"

// CacheSize is that of Kafka's schema caches.
const CacheSize = 16

// Cache remembers what was made for the last schemas: of a record, and of the struct in it, which mostly are the same. It looks for the same
// pointers first, then for equal schemas. The zero Cache is empty and keeps CacheSize entries.
type Cache[V any] struct {
	Size    int // entries to keep instead of CacheSize; negative: none
	entries []cached[V]
}

type cached[V any] struct {
	record, value *data.Schema
	made          V
}

// Get is what was made for two schemas, of which either may be nil; make makes it where it is not there. An error is not remembered.
func (c *Cache[V]) Get(record, value *data.Schema, make func() (V, error)) (V, error) {
	for i := range c.entries {
		if e := &c.entries[i]; e.record == record && e.value == value {
			return c.used(i), nil
		}
	}
	for i := range c.entries {
		if e := &c.entries[i]; e.record.Equal(record) && e.value.Equal(value) {
			e.record, e.value = record, value // the next record has these pointers, more likely than the old ones
			return c.used(i), nil
		}
	}
	made, err := make()
	if err != nil {
		return made, err
	}
	size := c.Size
	if size == 0 {
		size = CacheSize
	}
	if size < 0 {
		return made, nil
	}
	if len(c.entries) < size {
		c.entries = append(c.entries, cached[V]{})
	}
	copy(c.entries[1:], c.entries)
	c.entries[0] = cached[V]{record, value, made}
	return made, nil
}

// used moves an entry to the front.
func (c *Cache[V]) used(i int) V {
	e := c.entries[i]
	if i > 0 {
		copy(c.entries[1:i+1], c.entries[:i])
		c.entries[0] = e
	}
	return e.made
}
