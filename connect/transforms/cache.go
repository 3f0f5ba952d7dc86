package transforms

import "github.com/kstreamlab/kstreamlab/connect/data"

// cacheSize is that of Kafka's schema caches.
const cacheSize = 16

// cache remembers what was made for the last schemas: of a record, and of the struct in it, which mostly are the same. It looks for the same
// pointers first, then for equal schemas. The zero cache is empty.
type cache[V any] struct{ entries []cached[V] }

type cached[V any] struct {
	record, value *data.Schema
	made          V
}

// get is what was made for two schemas; make makes it where it is not there. An error is not remembered.
func (c *cache[V]) get(record, value *data.Schema, make func() (V, error)) (V, error) {
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
	if len(c.entries) < cacheSize {
		c.entries = append(c.entries, cached[V]{})
	}
	copy(c.entries[1:], c.entries)
	c.entries[0] = cached[V]{record, value, made}
	return made, nil
}

// used moves an entry to the front.
func (c *cache[V]) used(i int) V {
	e := c.entries[i]
	if i > 0 {
		copy(c.entries[1:i+1], c.entries[:i])
		c.entries[0] = e
	}
	return e.made
}
