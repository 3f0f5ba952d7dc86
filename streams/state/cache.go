package state

import (
	"bytes"
	"cmp"
	"container/list"
	"slices"
)

// Budget is the record cache of one thread: Kafka's ThreadCache. Its caches share a number of bytes.
type Budget struct {
	max, used int64
}

// NewBudget returns a budget of max bytes; 0 keeps nothing, but a cache over it still works.
func NewBudget(max int64) *Budget { return &Budget{max: max} }

// Used is the number of bytes in use.
func (b *Budget) Used() int64 { return b.used }

// Flushed is told of each row as it leaves the cache, after it was put into the store below, with the record context of its last
// update in force. old is nil unless it was asked for or value is nil.
type Flushed func(key, value, old []byte) error

// Cache holds back the updates of one store until a commit, or until the budget is spent: Kafka's caching stores over NamedCache.
type Cache struct {
	below   Bytes
	budget  *Budget
	ctx     *RecordContext
	flushed Flushed
	// WantOld: read the old value from below at each flush.
	WantOld bool
	// Segment, for a cache over Segments: which segment a key is in, so that scans keep the order of the store below.
	Segment func(key []byte) int64
	// Time, for a cache over Segments.
	Time TimeOf

	rows  *ordered // key to value, as the layer over below; nil value: deleted
	meta  map[string]*cached
	lru   *list.List // of *cached, front: used last
	dirty *list.List // of *cached, front: updated first
}

type cached struct {
	key   string
	size  int64
	ctx   RecordContext
	lru   *list.Element
	dirty *list.Element // nil: clean
}

// NewCache lays a cache over a store. ctx is the task's record in hand.
func NewCache(below Bytes, budget *Budget, ctx *RecordContext) *Cache {
	return &Cache{below: below, budget: budget, ctx: ctx, rows: newOrdered(), meta: map[string]*cached{}, lru: list.New(), dirty: list.New()}
}

// OnFlush sets the one who is told.
func (c *Cache) OnFlush(f Flushed) { c.flushed = f }

// Get implements Bytes.
func (c *Cache) Get(key []byte) ([]byte, error) {
	if m, ok := c.meta[string(key)]; ok {
		c.lru.MoveToFront(m.lru)
		return c.rows.cells[m.key].value, nil
	}
	v, err := c.below.Get(key)
	if err != nil || v == nil {
		return v, err
	}
	// a clean entry, as Kafka's caching stores make on a read
	if err := c.enter(key, v, false); err != nil {
		return nil, err
	}
	return v, nil
}

// Put implements Bytes.
func (c *Cache) Put(key, value []byte) error { return c.enter(key, value, true) }

func (c *Cache) enter(key, value []byte, dirty bool) error {
	m, ok := c.meta[string(key)]
	if !ok {
		m = &cached{key: string(key)}
		c.meta[m.key] = m
		m.lru = c.lru.PushFront(m)
	} else {
		c.lru.MoveToFront(m.lru)
		c.budget.used -= m.size
	}
	c.rows.put(key, value)
	if dirty {
		m.ctx = *c.ctx
		if m.dirty != nil {
			c.dirty.MoveToBack(m.dirty)
		} else {
			m.dirty = c.dirty.PushBack(m)
		}
	}
	m.size = entrySize(key, value, &m.ctx)
	c.budget.used += m.size
	return c.evict()
}

// entrySize is Kafka's LRUCacheEntry.size plus the node around it.
func entrySize(key, value []byte, ctx *RecordContext) int64 {
	n := len(key) + 24 + 1 + len(value) + 8 + 8 + 4 + len(ctx.Topic)
	for _, h := range ctx.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}

// evict drops the entries used longest ago until the budget holds or the cache is empty. A dirty one takes all dirty ones with it:
// it is flushed first, the rest in order of their last update.
func (c *Cache) evict() error {
	for c.budget.used > c.budget.max && c.lru.Len() > 0 {
		m := c.lru.Back().Value.(*cached)
		if m.dirty != nil {
			if err := c.flush(m); err != nil {
				return err
			}
			if c.meta[m.key] != m || m.dirty != nil {
				continue // what the flush led to touched it again
			}
		}
		c.forget(m)
	}
	return nil
}

func (c *Cache) forget(m *cached) {
	c.lru.Remove(m.lru)
	delete(c.meta, m.key)
	c.rows.remove([]byte(m.key))
	c.budget.used -= m.size
}

// Flush writes all dirty entries below, and tells of them.
func (c *Cache) Flush() error { return c.flush(nil) }

func (c *Cache) flush(first *cached) error {
	batch := make([]*cached, 0, c.dirty.Len())
	if first != nil {
		batch = append(batch, first)
	}
	for e := c.dirty.Front(); e != nil; e = e.Next() {
		if m := e.Value.(*cached); m != first {
			batch = append(batch, m)
		}
	}
	for _, m := range batch {
		m.dirty = nil
	}
	c.dirty.Init()
	saved := *c.ctx
	defer func() { *c.ctx = saved }()
	for _, m := range batch {
		cell, ok := c.rows.cells[m.key]
		if !ok {
			continue
		}
		if err := c.write([]byte(m.key), cell.value, m); err != nil {
			return err
		}
		if cell.value == nil && c.meta[m.key] == m && m.dirty == nil {
			c.forget(m) // a deletion that is written needs no place
		}
	}
	return nil
}

func (c *Cache) write(key, value []byte, m *cached) error {
	*c.ctx = m.ctx
	if c.flushed == nil {
		return c.below.Put(key, value)
	}
	var old []byte
	if value == nil || c.WantOld {
		var err error
		if old, err = c.below.Get(key); err != nil {
			return err
		}
	}
	if value == nil && old == nil {
		return nil
	}
	if err := c.below.Put(key, value); err != nil {
		return err
	}
	if !c.WantOld {
		old = nil
	}
	return c.flushed(key, value, old)
}

// Scan implements Bytes.
func (c *Cache) Scan(s Span) Iterator {
	if len(c.rows.cells) == 0 {
		return c.below.Scan(s)
	}
	top := c.rows.scan(s.From, s.To, s.Reverse)
	if c.Segment == nil {
		return merged(top, c.below.Scan(s), bytes.Compare, s.Reverse)
	}
	rows := &rowsIter{}
	for top.Next() {
		if t := c.Time(top.Key()); t >= s.FromTime && t <= s.ToTime {
			rows.rows = append(rows.rows, op{key: top.Key(), value: top.Value()})
		}
	}
	slices.SortStableFunc(rows.rows, func(a, b op) int {
		if s.Reverse {
			a, b = b, a
		}
		return c.bySegment(a.key, b.key)
	})
	return merged(rows, c.below.Scan(s), c.bySegment, s.Reverse)
}

func (c *Cache) bySegment(a, b []byte) int {
	if d := cmp.Compare(c.Segment(a), c.Segment(b)); d != 0 {
		return d
	}
	return bytes.Compare(a, b)
}

// rowsIter walks over rows in memory.
type rowsIter struct {
	rows []op
	at   int
}

func (i *rowsIter) Next() bool {
	i.at++
	return i.at <= len(i.rows)
}
func (i *rowsIter) Key() []byte   { return i.rows[i.at-1].key }
func (i *rowsIter) Value() []byte { return i.rows[i.at-1].value }
func (i *rowsIter) Err() error    { return nil }
func (i *rowsIter) Close() error  { return nil }

// release drops everything, dirty entries too.
func (c *Cache) release() {
	for c.lru.Len() > 0 {
		c.forget(c.lru.Back().Value.(*cached))
	}
	c.dirty.Init()
}
