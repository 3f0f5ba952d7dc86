package state

import "bytes"

// Budget is the record cache of one thread: Kafka's ThreadCache. Its caches share a number of bytes. As in Kafka, the number in use is
// counted when a step of a cache (a put, an eviction, a flush) is over, by what the cache takes more or less than before it. Steps that
// it led to in the same cache on the way are so counted twice.
type Budget struct {
	max, used int64
}

// NewBudget returns a budget of max bytes; 0 keeps nothing, but a cache over it still works.
func NewBudget(max int64) *Budget { return &Budget{max: max} }

// Used is the number of bytes in use.
func (b *Budget) Used() int64 { return b.used }

// Flushed is told of each row as it leaves the cache, after it was put into the store below, with the record context of its last
// update in force. old is nil unless WantOld asks for it. A deletion of what never was below is not told of.
type Flushed func(key, value, old []byte) error

// Cache holds back the updates of one store until a commit, or until the budget is spent: Kafka's caching stores over NamedCache.
// After an error it is good for nothing but to be dropped with its task.
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
	// extra is what an entry takes beside what entrySize counts.
	extra int
	// interval is how long a segment is. exact: the store below is in memory, and to Kafka's cache each millisecond is a segment.
	interval int64
	exact    bool
	// observed is the latest time of a key that was put, for a cache over Segments.
	observed int64

	size  int64    // of all entries
	rows  *ordered // key to value, as the layer over below; nil value: deleted
	times *ordered // an exact one's rows by time and key; nil until the first scan of a key
	lru   chain
	dirty chain
	spare []update // memory for the next flush
}

// cached is an entry: the row, and what the cache knows of it.
type cached struct {
	cell
	size  int64
	ctx   RecordContext
	links [2]link // by chain
}

func (m *cached) dirty() bool { return m.links[byUpdate].in }

// NewCache lays a cache over a store. ctx is the task's record in hand.
func NewCache(below Bytes, budget *Budget, ctx *RecordContext) *Cache {
	return &Cache{below: below, budget: budget, ctx: ctx, rows: newOrdered(), lru: chain{which: byUse}, dirty: chain{which: byUpdate}}
}

// OnFlush sets the one who is told.
func (c *Cache) OnFlush(f Flushed) { c.flushed = f }

// Get implements Bytes.
func (c *Cache) Get(key []byte) ([]byte, error) {
	if row, ok := c.rows.get(key); ok {
		c.use(row.entry)
		return row.value, nil
	}
	v, err := c.below.Get(key)
	if err != nil || v == nil || c.Segment != nil {
		return v, err
	}
	// a clean entry, as Kafka's caching key-value store makes on a read; its window store does not
	return v, c.enter(key, v, false)
}

// Put implements Bytes.
func (c *Cache) Put(key, value []byte) error {
	if c.Time != nil {
		c.observed = max(c.observed, c.Time(key))
	}
	return c.enter(key, value, true)
}

func (c *Cache) use(m *cached) {
	if c.lru.front != m {
		c.lru.remove(m)
		c.lru.pushFront(m)
	}
}

func (c *Cache) enter(key, value []byte, dirty bool) error {
	before := c.size
	var m *cached
	if row, ok := c.rows.get(key); ok {
		m = row.entry
		c.rows.set(row, value)
		c.use(m)
		c.size -= m.size
	} else {
		m = &cached{cell: cell{key: string(key), value: value}}
		m.entry = m
		c.rows.add(&m.cell)
		if c.times != nil {
			c.times.add(c.timed(m))
		}
		c.lru.pushFront(m)
	}
	if dirty {
		m.ctx = *c.ctx
		c.dirty.remove(m)
		c.dirty.pushBack(m)
	}
	m.size = c.entrySize(key, value, &m.ctx)
	c.size += m.size
	c.count(before)
	return c.evict()
}

// count brings the budget up to date after a step of the cache.
func (c *Cache) count(before int64) { c.budget.used += c.size - before }

// entrySize is Kafka's LRUCacheEntry.size plus the node around it. The cache of a window store has 8 bytes of segment before each key.
func (c *Cache) entrySize(key, value []byte, ctx *RecordContext) int64 {
	n := len(key) + 24 + 1 + len(value) + 8 + 8 + 4 + len(ctx.Topic)
	if c.Segment != nil {
		n += 8 + c.extra
	}
	for _, h := range ctx.Headers {
		n += len(h.Key) + len(h.Value)
	}
	return int64(n)
}

// evict drops the entries used longest ago until the budget holds or the cache is empty. A dirty one takes all dirty ones with it:
// it is flushed first, the rest in order of their last update. It is out of the cache before that, so that what the flush leads to finds it
// in the store below.
func (c *Cache) evict() error {
	for c.budget.used > c.budget.max && c.lru.back != nil {
		before := c.size
		m := c.lru.back
		dirty := m.dirty()
		c.forget(m)
		if dirty {
			if err := c.flush(m); err != nil {
				return err
			}
		}
		c.count(before)
	}
	return nil
}

func (c *Cache) forget(m *cached) {
	c.lru.remove(m)
	c.dirty.remove(m)
	c.rows.drop(&m.cell)
	if c.times != nil {
		c.times.remove(timeKey(c.Time(m.keyBytes()), m.keyBytes()))
	}
	c.size -= m.size
}

// Flush writes all dirty entries below, and tells of them.
func (c *Cache) Flush() error {
	before := c.size
	if err := c.flush(nil); err != nil {
		return err
	}
	c.count(before)
	return nil
}

// update is what a flush writes of an entry: as it was when the flush began, since what the flush leads to downstream may change or evict it.
type update struct {
	m     *cached
	value []byte
	ctx   RecordContext
}

func (c *Cache) flush(first *cached) error {
	batch := c.spare[:0]
	c.spare = nil // a flush inside this one needs its own
	take := func(m *cached) {
		batch = append(batch, update{m, m.value, m.ctx})
		c.dirty.remove(m)
	}
	if first != nil {
		take(first)
	}
	for c.dirty.front != nil {
		take(c.dirty.front)
	}
	saved := *c.ctx
	defer func() {
		*c.ctx = saved
		clear(batch)
		c.spare = batch
	}()
	for i := range batch {
		if err := c.write(&batch[i]); err != nil {
			return err
		}
	}
	for _, u := range batch {
		if m := u.m; m.value == nil && !m.dirty() && m.links[byUse].in {
			c.forget(m) // a deletion that is written needs no place
		}
	}
	return nil
}

func (c *Cache) write(u *update) error {
	*c.ctx = u.ctx
	key := []byte(u.m.key)
	if c.flushed == nil {
		return c.below.Put(key, u.value)
	}
	var old []byte
	if u.value == nil || c.WantOld {
		var err error
		if old, err = c.below.Get(key); err != nil {
			return err
		}
	}
	if u.value == nil && old == nil {
		return nil
	}
	if err := c.below.Put(key, u.value); err != nil {
		return err
	}
	if !c.WantOld {
		old = nil
	}
	return c.flushed(key, u.value, old)
}

// Scan implements Bytes.
func (c *Cache) Scan(s Span) Iterator {
	if len(c.rows.cells) == 0 {
		return c.below.Scan(s)
	}
	if c.Segment != nil {
		return c.scanSegments(s)
	}
	top := c.rows.scan(s.From, s.To, s.Reverse)
	return merged(&using{top, c}, c.below.Scan(s), bytes.Compare, s.Reverse)
}

// using walks over rows of a cache. Each one that it comes to is used by that, as in Kafka.
type using struct {
	Iterator
	c *Cache
}

func (u *using) Next() bool {
	if !u.Iterator.Next() {
		return false
	}
	if row, ok := u.c.rows.get(u.Key()); ok {
		u.c.use(row.entry)
	}
	return true
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
	defer c.count(c.size)
	for c.lru.back != nil {
		c.forget(c.lru.back)
	}
}
