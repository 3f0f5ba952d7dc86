package state

import (
	"encoding/binary"
)

// windowByTime is a window store's key with the start in front: 8 bytes of start, key, 4 of sequence.
func windowByTime(key []byte) []byte {
	n := len(key) - 12
	out := append(make([]byte, 0, len(key)), key[n:n+8]...)
	return append(append(out, key[:n]...), key[n+8:]...)
}

// sessionByTime is a session store's key with the window in front: 8 bytes of end, 8 of start, key.
func sessionByTime(key []byte) []byte {
	n := len(key) - 16
	return append(append(make([]byte, 0, len(key)), key[n:]...), key[:n]...)
}

// sessionByEnd is a session store's key with the end in front: 8 bytes of end, key, 8 of start.
func sessionByEnd(key []byte) []byte {
	n := len(key) - 16
	out := append(make([]byte, 0, len(key)), key[n:n+8]...)
	return append(append(out, key[:n]...), key[n+8:]...)
}

// ScanTimes walks over the rows of all keys whose times are in [from, to], in order of time. The rows' keys are as everywhere.
func (s *Segments) ScanTimes(from, to int64) Iterator {
	if from = max(from, 0); !s.cfg.Whole {
		from = max(from, s.oldest())
	}
	if to < from {
		return &chainIter{}
	}
	span := Span{From: binary.BigEndian.AppendUint64(nil, uint64(from)), To: binary.BigEndian.AppendUint64(nil, uint64(to)+1)}
	lo, _ := s.find(from / s.interval)
	hi, ok := s.find(to / s.interval)
	if ok {
		hi++
	}
	var open []func() Iterator
	for _, g := range s.live[lo:max(lo, hi)] {
		open = append(open, func() Iterator { return &indexIter{Iterator: g.index.Scan(span), rows: g.Table} })
	}
	return &chainIter{open: open}
}

// indexIter walks over an index and gives the rows that it points to.
type indexIter struct {
	Iterator
	rows  *Table
	value []byte
	err   error
}

func (i *indexIter) Next() bool {
	for i.err == nil && i.Iterator.Next() {
		if i.value, i.err = i.rows.Get(i.Iterator.Value()); i.value != nil && i.err == nil {
			return true
		}
	}
	return false
}

func (i *indexIter) Key() []byte   { return i.Iterator.Value() }
func (i *indexIter) Value() []byte { return i.value }

func (i *indexIter) Err() error {
	if i.err != nil {
		return i.err
	}
	return i.Iterator.Err()
}

// ScanTimes walks over the rows of all keys whose times are in [from, to], in order of time: start for windows, end for sessions. The spec
// must have ByTime. What the cache holds is seen too.
func (h *Handle) ScanTimes(from, to int64) Iterator {
	below := h.segs.ScanTimes(from, to)
	if h.Cache == nil || len(h.Cache.rows.cells) == 0 {
		return below
	}
	return h.Cache.scanTimes(from, to, h.segs.cfg.ByTime, below)
}
