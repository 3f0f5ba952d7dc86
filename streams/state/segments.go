package state

import (
	"encoding/binary"
	"math"
	"slices"
)

// MinSegmentInterval is the shortest time, in ms, that a segment of a persistent window store spans.
const MinSegmentInterval = 60_000

// TimeOf finds the time in a store's key by which it expires.
type TimeOf func(key []byte) int64

// WindowTime is the start in a window store's key: key, 8 bytes of start, 4 of sequence.
func WindowTime(key []byte) int64 {
	return int64(binary.BigEndian.Uint64(key[len(key)-12:]))
}

// SegmentsConfig configures Segments.
type SegmentsConfig struct {
	Retention int64 // ms
	Time      TimeOf
	// Exact: a row expires to the millisecond, as in Kafka's in-memory stores; else with its segment, as in the persistent ones.
	Exact bool
	// ByTime makes a key's form whose order is that of time: there is an index of these then, and ScanTimes walks it. Nil: there is none.
	ByTime func(key []byte) []byte
	// Slack is for how many ms longer than the retention reads see a row.
	Slack int64
	// Whole: ScanTimes sees a row as long as its segment lives, also where other reads do not.
	Whole bool
	// Expired, when set, is called for each put that came too late.
	Expired func()
}

// Segments is a store of rows that expire: Kafka's segmented stores. Each segment spans max(retention/2, 60 s) of time and goes as a
// whole. The store's own time, the highest ever put, is committed with the rows.
type Segments struct {
	cfg      SegmentsConfig
	engine   Engine
	name     string
	prefix   []byte
	interval int64
	observed int64
	was      int64 // observed as committed
	live     []*segment
	drop     []int64 // ids below the first live one, to be deleted at the next commit
	first    int64   // the lowest id that is not expired
}

// segment is the rows of one span of time, and the index of their keys by time, if there is one: its values are the keys.
type segment struct {
	*Table
	id    int64
	index *Table
}

// indexMark begins the keys of indexes, behind the store's prefix. Segment ids, with which rows begin, are not negative.
const indexMark = 0x80

// Segments returns the segmented rows of a store.
func (db *DB) Segments(store string, cfg SegmentsConfig) (*Segments, error) {
	s := &Segments{cfg: cfg, engine: db.engine, name: store, prefix: rowPrefix(store), interval: max(cfg.Retention/2, MinSegmentInterval), observed: -1}
	db.layers = append(db.layers, s)
	v, err := s.engine.Get(s.timeKey())
	if err != nil {
		return nil, err
	}
	if len(v) == 8 {
		s.observed = int64(binary.BigEndian.Uint64(v))
	}
	s.was = s.observed
	s.first = s.firstLive()
	return s, s.discover()
}

// The store's time has the segment id -1 (8 bytes of 0xff), which no row has: times are not negative.
func (s *Segments) timeKey() []byte { return s.segmentPrefix(-1) }

func (s *Segments) segmentPrefix(id int64) []byte {
	return binary.BigEndian.AppendUint64(slices.Clip(slices.Clone(s.prefix)), uint64(id))
}

func (s *Segments) indexPrefix(id int64) []byte {
	return binary.BigEndian.AppendUint64(append(slices.Clip(slices.Clone(s.prefix)), indexMark), uint64(id))
}

// discover finds the segments that the engine has.
func (s *Segments) discover() error {
	from, to := s.prefix, append(slices.Clip(slices.Clone(s.prefix)), indexMark)
	for {
		it := s.engine.Scan(from, to, false)
		ok := it.Next()
		var id int64
		if ok {
			id = int64(binary.BigEndian.Uint64(it.Key()[len(s.prefix):]))
		}
		err := it.Err()
		if err2 := it.Close(); err == nil {
			err = err2
		}
		if err != nil || !ok {
			return err
		}
		s.segment(id)
		from = s.segmentPrefix(id + 1)
	}
}

func (s *Segments) firstLive() int64 {
	if s.observed < s.cfg.Retention {
		return 0
	}
	return (s.observed - s.cfg.Retention) / s.interval
}

func (s *Segments) find(id int64) (int, bool) {
	return slices.BinarySearchFunc(s.live, id, func(g *segment, id int64) int {
		switch {
		case g.id < id:
			return -1
		case g.id > id:
			return 1
		}
		return 0
	})
}

func (s *Segments) segment(id int64) *segment {
	i, ok := s.find(id)
	if !ok {
		g := &segment{Table: newTable(s.engine, s.segmentPrefix(id)), id: id}
		if s.cfg.ByTime != nil {
			g.index = newTable(s.engine, s.indexPrefix(id))
		}
		s.live = slices.Insert(s.live, i, g)
	}
	return s.live[i]
}

// Observed is the highest time ever put, -1 before the first.
func (s *Segments) Observed() int64 { return s.observed }

// oldest is the first time that reads may see.
func (s *Segments) oldest() int64 { return s.observed - s.cfg.Retention + 1 - s.cfg.Slack }

// Get implements Bytes.
func (s *Segments) Get(key []byte) ([]byte, error) {
	t := s.cfg.Time(key)
	if t < s.oldest() {
		return nil, nil
	}
	i, ok := s.find(t / s.interval)
	if !ok {
		return nil, nil
	}
	return s.live[i].Get(key)
}

// Put implements Bytes. A row that is too old is left out, and told of.
func (s *Segments) Put(key, value []byte) error {
	t := s.cfg.Time(key)
	if !s.observe(t) {
		return nil
	}
	g := s.segment(t / s.interval)
	if g.index != nil {
		if err := g.index.Put(s.cfg.ByTime(key), indexed(key, value)); err != nil {
			return err
		}
	}
	return g.Put(key, value)
}

// observe takes notice of a row's time, and says whether the row may be put; if not, it has told of it.
func (s *Segments) observe(t int64) bool {
	if t > s.observed {
		s.observed = t
		s.expire()
	}
	if t/s.interval >= s.first && !(s.cfg.Exact && t < s.oldest()) {
		return true
	}
	if s.cfg.Expired != nil {
		s.cfg.Expired()
	}
	return false
}

// indexed is the index's value for a row: its key, or nothing where the row is deleted.
func indexed(key, value []byte) []byte {
	if value == nil {
		return nil
	}
	return slices.Clone(key)
}

func (s *Segments) expire() {
	first := s.firstLive()
	if first <= s.first {
		return
	}
	s.first = first
	for len(s.live) > 0 && s.live[0].id < first {
		s.drop = append(s.drop, s.live[0].id)
		s.live = slices.Delete(s.live, 0, 1)
	}
}

// Scan implements Bytes: segment by segment in order of time, each in order of keys.
func (s *Segments) Scan(sp Span) Iterator {
	from := max(sp.FromTime, s.oldest(), 0)
	if sp.ToTime < from {
		return &chainIter{}
	}
	lo, _ := s.find(from / s.interval)
	hi, ok := s.find(sp.ToTime / s.interval)
	if ok {
		hi++
	}
	var open []func() Iterator
	for _, g := range s.live[lo:max(lo, hi)] {
		open = append(open, func() Iterator { return &timedIter{g.Scan(sp), s.cfg.Time, from, sp.ToTime} })
	}
	if sp.Reverse {
		slices.Reverse(open)
	}
	return &chainIter{open: open}
}

// AllTime spans all times.
func AllTime(s Span) Span {
	s.FromTime, s.ToTime = 0, math.MaxInt64
	return s
}

type timedIter struct {
	Iterator
	time     TimeOf
	from, to int64
}

func (i *timedIter) Next() bool {
	for i.Iterator.Next() {
		if t := i.time(i.Key()); t >= i.from && t <= i.to {
			return true
		}
	}
	return false
}

func (s *Segments) collect(b *Batch) {
	for _, id := range s.drop {
		b.DeleteRange(s.segmentPrefix(id), s.segmentPrefix(id+1))
		if s.cfg.ByTime != nil {
			b.DeleteRange(s.indexPrefix(id), s.indexPrefix(id+1))
		}
	}
	for _, g := range s.live {
		g.collect(b)
		if g.index != nil {
			g.index.collect(b)
		}
	}
	if s.observed != s.was {
		b.Set(s.timeKey(), binary.BigEndian.AppendUint64(nil, uint64(s.observed)))
	}
}

func (s *Segments) discard() {
	s.drop = nil
	s.was = s.observed
	for _, g := range s.live {
		g.discard()
		if g.index != nil {
			g.index.discard()
		}
	}
}

func (s *Segments) pending() int64 {
	var n int64
	for _, g := range s.live {
		n += g.pending()
		if g.index != nil {
			n += g.index.pending()
		}
	}
	return n
}

func (s *Segments) reset() {
	s.live, s.drop, s.observed, s.was, s.first = nil, nil, -1, -1, 0
}

func (s *Segments) store() string { return s.name }
