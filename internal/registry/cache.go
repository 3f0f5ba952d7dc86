package registry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Cache remembers what was loaded for a key, up to a limit: what was not used since the last round goes first. When several threads miss the
// same key at once, one loads and the others wait for it. Errors are not remembered.
//
// A lookup that hits takes a read lock, which is never held across a blocking call, so that it is good in the simulator too; waiting goes
// through the host.
type Cache[K comparable, V any] struct {
	mu    sync.RWMutex
	items map[K]*item[V]
	order []K // in order of loading
	limit int
	host  host.Host
	ttl   time.Duration // 0: for ever

	flights sync.Locker
	landed  host.Cond
	flying  map[K]bool
}

type item[V any] struct {
	value V
	used  atomic.Bool
	until time.Time // zero: for ever
}

// NewCache returns a cache of at most limit values, each for ttl, or for ever where ttl is 0.
func NewCache[K comparable, V any](h host.Host, limit int, ttl time.Duration) *Cache[K, V] {
	c := &Cache[K, V]{items: map[K]*item[V]{}, limit: max(limit, 1), host: h, ttl: ttl, flights: h.NewMutex(), flying: map[K]bool{}}
	c.landed = h.NewCond(c.flights)
	return c
}

// Peek returns the value of a key, if it is there.
func (c *Cache[K, V]) Peek(k K) (v V, ok bool) {
	c.mu.RLock()
	it := c.items[k]
	c.mu.RUnlock()
	if it == nil || c.ttl > 0 && !c.host.Now().Before(it.until) {
		return v, false
	}
	if !it.used.Load() {
		it.used.Store(true)
	}
	return it.value, true
}

// Get returns the value of a key; load makes it if it is not there. load may block.
func (c *Cache[K, V]) Get(ctx context.Context, k K, load func() (V, error)) (V, error) {
	for {
		if v, ok := c.Peek(k); ok {
			return v, nil
		}
		mine, err := c.depart(ctx, k)
		if err != nil {
			var none V
			return none, err
		}
		if mine {
			return c.fly(k, load)
		}
	}
}

// Load is Get for serdes, whose callers give them no context: what load waits for is bounded by the registry's own timeouts, and a thread of
// a process that is killed in the simulator is unwound wherever it waits.
func (c *Cache[K, V]) Load(k K, load func() (V, error)) (V, error) {
	return c.Get(context.Background(), k, load)
}

// depart reserves the loading of a key; mine is false when somebody else has loaded it, or has failed to, meanwhile.
func (c *Cache[K, V]) depart(ctx context.Context, k K) (mine bool, err error) {
	c.flights.Lock()
	defer c.flights.Unlock()
	if !c.flying[k] {
		c.flying[k] = true
		return true, nil
	}
	for c.flying[k] {
		if err := c.landed.Wait(ctx, time.Time{}); err != nil {
			return false, err
		}
	}
	return false, nil
}

// fly loads. The key is free again even when load panics, as in a process of the simulator that is killed.
func (c *Cache[K, V]) fly(k K, load func() (V, error)) (V, error) {
	defer func() {
		c.flights.Lock()
		defer c.flights.Unlock()
		delete(c.flying, k)
		c.landed.Broadcast()
	}()
	if v, ok := c.Peek(k); ok { // loaded between the miss and the departure
		return v, nil
	}
	v, err := load()
	if err == nil {
		c.put(k, v)
	}
	return v, err
}

// Put remembers a value.
func (c *Cache[K, V]) put(k K, v V) {
	it := &item[V]{value: v}
	it.used.Store(true)
	if c.ttl > 0 {
		it.until = c.host.Now().Add(c.ttl)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.items[k]; !ok {
		c.order = append(c.order, k)
	}
	c.items[k] = it
	for len(c.items) > c.limit {
		oldest := c.order[0]
		c.order = c.order[1:]
		if old := c.items[oldest]; old.used.Swap(false) {
			c.order = append(c.order, oldest)
			continue
		}
		delete(c.items, oldest)
	}
}

// Len is how many values are remembered.
func (c *Cache[K, V]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.items)
}
