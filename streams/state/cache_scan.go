package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// scanSegments is Scan for a cache over segments. It goes by the rows that are there now, each as it is when it is reached, since the
// reader may change the store on its way.
func (c *Cache) scanSegments(s Span) Iterator {
	w := &cacheWalk{c: c, span: s, keys: c.reach(s)}
	order := c.bySegment
	if c.exact && s.Key != nil {
		order = c.byTime
	}
	slices.SortStableFunc(w.keys, func(a, b []byte) int {
		if s.Reverse {
			a, b = b, a
		}
		return order(a, b)
	})
	return merged(w, c.below.Scan(s), c.bySegment, s.Reverse)
}

// reach are the keys of the rows that Kafka's caches come by on a scan, which is more than those that are asked for: coming by is use.
func (c *Cache) reach(s Span) (keys [][]byte) {
	from, to := s.From, s.To
	switch {
	case s.Key == nil:
	case c.exact: // one range over all keys, from the first time to the last
		c.indexTimes()
		first := timeKey(s.FromTime, s.From)
		if s.Wide {
			first = timeKey(0, s.Key)
		}
		c.times.walk(first, timeKey(s.ToTime, s.To), func(t *cell) { keys = append(keys, t.entry.keyBytes()) })
		return keys
	default:
		if s.Reverse { // the last segment from its beginning on
			from = binary.BigEndian.AppendUint64(slices.Clip(s.Key), uint64(max(s.FromTime, 0)/c.interval*c.interval))
		}
		// no segment after the last one that was put into
		if end := (c.observed/c.interval + 1) * c.interval; end <= s.ToTime {
			to = binary.BigEndian.AppendUint64(slices.Clip(s.Key), uint64(end))
		}
	}
	c.rows.walk(from, to, func(row *cell) { keys = append(keys, row.keyBytes()) })
	return keys
}

// indexTimes makes the index by time, which is kept from then on.
func (c *Cache) indexTimes() {
	if c.times != nil {
		return
	}
	c.times = newOrdered()
	c.rows.each(func(row *cell) { c.times.add(c.timed(row.entry)) })
}

// timed is the cell of a row in the index by time.
func (c *Cache) timed(m *cached) *cell {
	key := m.keyBytes()
	return &cell{key: string(timeKey(c.Time(key), key)), entry: m}
}

// timeKey orders by time, then by key.
func timeKey(t int64, key []byte) []byte {
	out := make([]byte, 8, 8+len(key))
	binary.BigEndian.PutUint64(out, uint64(t)^1<<63) // earlier times first, also before 1970
	return append(out, key...)
}

// cacheWalk walks over rows of a cache. Each one that it comes by is used by that.
type cacheWalk struct {
	c    *Cache
	span Span
	// keys are where to go.
	keys       [][]byte
	key, value []byte
	// ordered: the keys are in order of time, and the first one past the span is the last one looked at.
	ordered bool
}

// Next implements Iterator.
func (w *cacheWalk) Next() bool {
	for len(w.keys) > 0 {
		key := w.keys[0]
		w.keys = w.keys[1:]
		row, ok := w.c.rows.get(key)
		if !ok {
			continue
		}
		w.c.use(row.entry)
		t := w.c.Time(key)
		if w.ordered && t > w.span.ToTime {
			w.keys = nil
			return false
		}
		if t < w.span.FromTime || t > w.span.ToTime || w.span.Key != nil && !w.of(key) {
			continue
		}
		w.key, w.value = key, row.value
		return true
	}
	return false
}

// of says whether a row is of the span's key.
func (w *cacheWalk) of(key []byte) bool {
	return len(key) == len(w.span.From) && bytes.HasPrefix(key, w.span.Key)
}

func (w *cacheWalk) Key() []byte   { return w.key }
func (w *cacheWalk) Value() []byte { return w.value }
func (w *cacheWalk) Err() error    { return nil }
func (w *cacheWalk) Close() error  { return nil }

func (c *Cache) bySegment(a, b []byte) int {
	if d := cmp.Compare(c.Segment(a), c.Segment(b)); d != 0 {
		return d
	}
	return bytes.Compare(a, b)
}

func (c *Cache) byTime(a, b []byte) int {
	if d := cmp.Compare(c.Time(a), c.Time(b)); d != 0 {
		return d
	}
	return bytes.Compare(a, b)
}

// scanTimes is Handle.ScanTimes over a cache; below are the store's rows.
func (c *Cache) scanTimes(from, to int64, byTime func(key []byte) []byte, below Iterator) Iterator {
	w := &cacheWalk{c: c, span: Span{FromTime: from, ToTime: to}, ordered: !c.exact}
	c.rows.walk(nil, nil, func(row *cell) {
		key := row.keyBytes()
		if t := c.Time(key); c.exact || t >= from && t/c.interval <= to/c.interval {
			w.keys = append(w.keys, key)
		}
	})
	compare := func(a, b []byte) int { return bytes.Compare(byTime(a), byTime(b)) }
	slices.SortFunc(w.keys, compare)
	return merged(w, below, compare, false)
}
