package state

import (
	"slices"
	"strings"
	"unsafe"

	"github.com/tidwall/btree"
)

// ordered is a map of bytes that is a plain hash map until somebody asks for its order; from then on a tree beside it knows the order.
// Point access, which is all that counting needs, stays a hash look-up.
type ordered struct {
	cells map[string]*cell
	tree  *btree.Map[string, *cell] // nil until the first scan
	bytes int64
	spare []*cell // of a map that was cleared: memory for the next ones
	all   []*cell // memory of each
}

// cell holds one row. A nil value is a deletion, where the map is a layer over another.
type cell struct {
	key   string
	value []byte
	entry *cached // the cache's entry that it is part of, in the rows of a Cache
}

// keyBytes is the key without a copy: keys are immutable, as everything is that a Bytes gives out.
func (c *cell) keyBytes() []byte { return unsafe.Slice(unsafe.StringData(c.key), len(c.key)) }

func newOrdered() *ordered { return &ordered{cells: map[string]*cell{}} }

func (o *ordered) get(key []byte) (*cell, bool) {
	c, ok := o.cells[string(key)]
	return c, ok
}

func (o *ordered) put(key, value []byte) {
	if c, ok := o.cells[string(key)]; ok {
		o.set(c, value)
		return
	}
	c := new(cell)
	if n := len(o.spare); n > 0 {
		c, o.spare = o.spare[n-1], o.spare[:n-1]
	}
	c.key, c.value = string(key), value
	o.add(c)
}

// add takes in a cell whose key is not in the map.
func (o *ordered) add(c *cell) {
	o.cells[c.key] = c
	o.bytes += int64(len(c.key) + len(c.value))
	if o.tree != nil {
		o.tree.Set(c.key, c)
	}
}

// set changes the value of a cell that is in the map.
func (o *ordered) set(c *cell, value []byte) {
	o.bytes += int64(len(value) - len(c.value))
	c.value = value
}

func (o *ordered) remove(key []byte) {
	if c, ok := o.cells[string(key)]; ok {
		o.drop(c)
	}
}

// drop takes out a cell that is in the map.
func (o *ordered) drop(c *cell) {
	o.bytes -= int64(len(c.key) + len(c.value))
	delete(o.cells, c.key)
	if o.tree != nil {
		o.tree.Delete(c.key)
	}
}

// maxSpare is how many cells a map keeps when it is cleared: the uncommitted rows of a small commit.
const maxSpare = 256

func (o *ordered) clear() {
	if len(o.cells) == 0 {
		o.tree, o.bytes = nil, 0
		return
	}
	if len(o.cells) <= maxSpare {
		for _, c := range o.cells { // they are all alike
			if *c = (cell{}); len(o.spare) < maxSpare {
				o.spare = append(o.spare, c)
			}
		}
	}
	clear(o.cells)
	o.tree = nil
	o.bytes = 0
}

// each calls f for all cells in order of their keys. f must not change the map.
func (o *ordered) each(f func(c *cell)) {
	if len(o.cells) == 0 {
		return
	}
	if o.tree != nil {
		o.tree.Scan(func(_ string, c *cell) bool {
			f(c)
			return true
		})
		return
	}
	all := o.all[:0]
	for _, c := range o.cells { // sorted below
		all = append(all, c)
	}
	o.all = nil // f may walk over the map again
	slices.SortFunc(all, func(a, b *cell) int { return strings.Compare(a.key, b.key) })
	for _, c := range all {
		f(c)
	}
	if clear(all); cap(all) <= maxSpare {
		o.all = all
	}
}

func (o *ordered) index() *btree.Map[string, *cell] {
	if o.tree == nil {
		o.tree = btree.NewMap[string, *cell](0)
		for k, c := range o.cells { // any order gives the same tree contents
			o.tree.Set(k, c)
		}
	}
	return o.tree
}

// walk calls f for the cells of [from, to) in order of their keys, to the end where to is nil. f must not change the map.
func (o *ordered) walk(from, to []byte, f func(c *cell)) {
	o.index().Ascend(string(from), func(k string, c *cell) bool {
		if to != nil && k >= string(to) {
			return false
		}
		f(c)
		return true
	})
}

// scan walks [from, to). The iterator finds its place again by key at each step, so the map may change meanwhile.
func (o *ordered) scan(from, to []byte, reverse bool) *orderedIter {
	return &orderedIter{o: o, from: string(from), to: string(to), toOpen: to == nil, reverse: reverse}
}

type orderedIter struct {
	o        *ordered
	from, to string
	toOpen   bool
	reverse  bool
	started  bool
	done     bool
	at       string // where it is
	key      []byte
	value    []byte
}

// Next implements Iterator.
func (it *orderedIter) Next() bool {
	if it.done {
		return false
	}
	found := it.seek()
	if found != nil && (it.reverse && found.key < it.from || !it.reverse && !it.toOpen && found.key >= it.to) {
		found = nil
	}
	it.started, it.done = true, found == nil
	if found == nil {
		return false
	}
	it.at, it.key, it.value = found.key, found.keyBytes(), found.value
	return true
}

// seek finds the next cell, whatever the far bound.
func (it *orderedIter) seek() (found *cell) {
	tree := it.o.index()
	pivot := it.from
	skip := it.started // the pivot itself is not wanted
	switch {
	case it.started:
		pivot = it.at
	case it.reverse:
		pivot, skip = it.to, true
	}
	take := func(k string, c *cell) bool {
		if skip && k == pivot {
			return true
		}
		found = c
		return false
	}
	switch {
	case !it.reverse:
		tree.Ascend(pivot, take)
	case it.started || !it.toOpen:
		tree.Descend(pivot, take)
	default:
		skip = false
		tree.Reverse(take)
	}
	return found
}

// Key implements Iterator.
func (it *orderedIter) Key() []byte { return it.key }

// Value implements Iterator.
func (it *orderedIter) Value() []byte { return it.value }

// Err implements Iterator.
func (it *orderedIter) Err() error { return nil }

// Close implements Iterator.
func (it *orderedIter) Close() error { return nil }
