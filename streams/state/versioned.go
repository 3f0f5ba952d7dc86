package state

import (
	"encoding/binary"
	"math"
	"slices"
)

// NotPut is what a Put answers that came too late for a versioned store's history.
const NotPut = math.MinInt64

// IsLatest is what a Put answers whose version is the latest of its key.
const IsLatest = -1

// History is a versioned store at the level of bytes: Kafka's VersionedBytesStore. The latest version of a key is kept for ever, earlier
// ones as long as a look back by Spec.History may see them.
//
// A version is valid from its time until the next one's. The latest ones are in a table: key to time and value. The others are in segments,
// with the key of a session store (key, valid to, valid from), and expire by the end of their validity; the first byte of the value tells
// a deletion. A key whose latest version is a deletion has no row in the table, but one in the segments that begins and ends with it.
type History struct {
	spec   *Spec
	latest *Table
	past   *Segments
	log    Log
	// expired is told of each put that came too late; nil: nobody is.
	expired func()
}

const (
	deletion byte = iota
	aValue
)

func (db *DB) openHistory(spec *Spec, cfg OpenConfig) (*History, error) {
	past, err := db.Segments(spec.Name, SegmentsConfig{Retention: spec.History, Time: SessionTime, Slack: 1})
	if err != nil {
		return nil, err
	}
	latest := newTable(db.engine, append(slices.Clip(rowPrefix(spec.Name)), latestMark))
	h := &History{spec: spec, latest: latest, past: past, log: cfg.Log, expired: cfg.Expired}
	db.layers = append(db.layers, h)
	return h, nil
}

// History is the layer of its latest versions; the past is one of its own.
func (h *History) collect(b *Batch) { h.latest.collect(b) }
func (h *History) discard()         { h.latest.discard() }
func (h *History) pending() int64   { return h.latest.pending() }
func (h *History) reset()           { h.latest.reset() }
func (h *History) store() string    { return h.spec.Name }

// latestMark begins the keys of the latest versions, behind the store's prefix: after segments and their indexes, before the store's time.
const latestMark = 0x90

// Version is one version of a key.
type Version struct {
	Value     []byte
	Timestamp int64
	ValidTo   int64 // the time of the next one; IsLatest: there is none
}

// Get returns the latest version of a key; nil when there is none, or it is a deletion.
func (h *History) Get(key []byte) (*Version, error) {
	b, err := h.latest.Get(key)
	if err != nil || b == nil {
		return nil, err
	}
	return &Version{Value: b[8:], Timestamp: int64(binary.BigEndian.Uint64(b)), ValidTo: IsLatest}, nil
}

// GetAsOf returns the version of a key that was valid at a time; nil when there was none, it was a deletion, or the time is before the
// history.
func (h *History) GetAsOf(key []byte, at int64) (*Version, error) {
	v, err := h.Get(key)
	if err != nil || v != nil && v.Timestamp <= at {
		return v, err
	}
	if at < h.past.observed-h.spec.History {
		return nil, nil
	}
	p, err := h.after(key, at)
	if err != nil || p == nil || p.from > at || p.value[0] == deletion {
		return nil, err
	}
	return &Version{Value: p.value[1:], Timestamp: p.from, ValidTo: p.to}, nil
}

// period is a row of the past.
type period struct {
	from, to int64
	value    []byte
}

// after is the first period of a key that ends after a time.
func (h *History) after(key []byte, at int64) (*period, error) {
	if at == math.MaxInt64 {
		return nil, nil
	}
	return h.find(key, Span{FromTime: at + 1, ToTime: math.MaxInt64})
}

// last is the period of a key that ends last.
func (h *History) last(key []byte) (*period, error) {
	return h.find(key, AllTime(Span{Reverse: true}))
}

func (h *History) find(key []byte, sp Span) (p *period, err error) {
	sp.From = periodKey(key, sp.FromTime, 0)
	sp.To = append(slices.Clone(key), 0x80) // ends are not negative
	it := h.past.Scan(sp)
	for p == nil && it.Next() {
		if k := it.Key(); len(k) == len(key)+16 {
			w := SessionWindow(k)
			p = &period{w.Start, w.End, it.Value()}
		}
	}
	err = it.Err()
	if err2 := it.Close(); err == nil {
		err = err2
	}
	return p, err
}

func periodKey(key []byte, to, from int64) []byte {
	b := append(make([]byte, 0, len(key)+16), key...)
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, uint64(to)), uint64(from))
}

// period sets a row of the past; a nil value removes it.
func (h *History) period(key []byte, from, to int64, value []byte) error {
	return h.past.Put(periodKey(key, to, from), value)
}

func flagged(value []byte) []byte {
	if value == nil {
		return []byte{deletion}
	}
	return append([]byte{aValue}, value...)
}

// Put adds a version, or replaces the one of the same time; a nil value is a deletion. It returns until when the version is valid:
// IsLatest, the time of the next version, or NotPut when it is older than the history. The changelog is told in each case, as in Kafka.
func (h *History) Put(key, value []byte, ts int64) (validTo int64, err error) {
	validTo, err = h.put(key, value, ts)
	if err == nil && h.log != nil {
		err = h.log(key, value, ts, nil)
	}
	return validTo, err
}

// Delete adds a deletion, and returns the version that was valid then.
func (h *History) Delete(key []byte, ts int64) (old *Version, err error) {
	if ts >= h.past.observed-h.spec.History {
		if old, err = h.GetAsOf(key, ts); err != nil {
			return nil, err
		}
	}
	_, err = h.Put(key, nil, ts)
	return old, err
}

func (h *History) put(key, value []byte, ts int64) (int64, error) {
	if ts < h.past.observed-h.spec.History {
		if h.expired != nil {
			h.expired()
		}
		return NotPut, nil
	}
	h.past.advance(ts)
	latest, err := h.Get(key)
	if err != nil {
		return 0, err
	}
	if latest != nil && ts >= latest.Timestamp {
		if ts > latest.Timestamp {
			if err := h.period(key, latest.Timestamp, ts, flagged(latest.Value)); err != nil {
				return 0, err
			}
		}
		return IsLatest, h.setLatest(key, value, ts)
	}
	p, err := h.after(key, ts)
	switch {
	case err != nil:
		return 0, err
	case p != nil:
		return h.insert(key, value, ts, p)
	case latest != nil:
		return latest.Timestamp, h.period(key, ts, latest.Timestamp, flagged(value))
	}
	return IsLatest, h.follow(key, value, ts)
}

// insert adds a version before the end of a period.
func (h *History) insert(key, value []byte, ts int64, p *period) (int64, error) {
	if p.from > ts {
		return p.from, h.period(key, ts, p.from, flagged(value))
	}
	if p.from < ts {
		if err := h.period(key, p.from, p.to, nil); err != nil {
			return 0, err
		}
		if err := h.period(key, p.from, ts, p.value); err != nil {
			return 0, err
		}
	}
	return p.to, h.period(key, ts, p.to, flagged(value))
}

// follow adds a version after all that are known of a key: nothing, or a deletion that comes last.
func (h *History) follow(key, value []byte, ts int64) error {
	p, err := h.last(key)
	if err != nil {
		return err
	}
	if p != nil && p.from == p.to {
		if err := h.period(key, p.from, p.to, nil); err != nil {
			return err
		}
		if p.from < ts {
			if err := h.period(key, p.from, ts, p.value); err != nil {
				return err
			}
		}
	}
	return h.setLatest(key, value, ts)
}

// setLatest makes a version the latest.
func (h *History) setLatest(key, value []byte, ts int64) error {
	if value == nil {
		if err := h.latest.Put(key, nil); err != nil {
			return err
		}
		return h.period(key, ts, ts, flagged(nil))
	}
	return h.latest.Put(key, append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(value)), uint64(ts)), value...))
}

// rows are the latest versions, in the form of a changelog.
func (h *History) rows() (rows [][2][]byte, err error) {
	it := h.latest.Scan(AllTime(Span{}))
	for it.Next() {
		rows = append(rows, [2][]byte{slices.Clone(it.Key()), it.Value()[8:]})
	}
	err = it.Err()
	if err2 := it.Close(); err == nil {
		err = err2
	}
	return rows, err
}

// advance moves the store's time.
func (s *Segments) advance(t int64) {
	if t > s.observed {
		s.observed = t
		s.expire()
	}
}
