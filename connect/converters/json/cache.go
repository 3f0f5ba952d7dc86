package json

import "container/list"

// cache keeps the values that were used last, at most limit of them.
type cache[K comparable, V any] struct {
	limit int
	last  *cached[K, V] // what was asked for last
	byKey map[K]*list.Element
	order list.List // of cached[K, V], the last used first
}

type cached[K comparable, V any] struct {
	key   K
	value V
}

func (c *cache[K, V]) get(key K) (v V, ok bool) {
	if c.last != nil && c.last.key == key {
		return c.last.value, true
	}
	e := c.byKey[key]
	if e == nil {
		return v, false
	}
	c.order.MoveToFront(e)
	c.last = e.Value.(*cached[K, V])
	return c.last.value, true
}

func (c *cache[K, V]) put(key K, v V) {
	if c.limit <= 0 {
		return
	}
	if c.byKey == nil {
		c.byKey = map[K]*list.Element{}
	}
	for c.order.Len() >= c.limit {
		last := c.order.Back()
		delete(c.byKey, last.Value.(*cached[K, V]).key)
		c.order.Remove(last)
	}
	c.byKey[key] = c.order.PushFront(&cached[K, V]{key, v})
}
