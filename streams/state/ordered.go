package state

import "github.com/tidwall/btree"

// ordered is a map of bytes that is a plain hash map until somebody asks for its order; from then on a tree beside it knows the order.
// Point access, which is all that counting needs, stays a hash look-up.
type ordered struct {
	cells map[string]*cell
	tree  *btree.Map[string, *cell] // nil until the first scan
	bytes int64
}

// cell holds one row. A nil value is a deletion, where the map is a layer over another.
type cell struct {
	key   string
	value []byte
}

func newOrdered() *ordered { return &ordered{cells: map[string]*cell{}} }

func (o *ordered) get(key []byte) (*cell, bool) {
	c, ok := o.cells[string(key)]
	return c, ok
}

func (o *ordered) put(key, value []byte) {
	if c, ok := o.cells[string(key)]; ok {
		o.bytes += int64(len(value) - len(c.value))
		c.value = value
		return
	}
	c := &cell{string(key), value}
	o.cells[c.key] = c
	o.bytes += int64(len(key) + len(value))
	if o.tree != nil {
		o.tree.Set(c.key, c)
	}
}

func (o *ordered) remove(key []byte) {
	c, ok := o.cells[string(key)]
	if !ok {
		return
	}
	o.bytes -= int64(len(c.key) + len(c.value))
	delete(o.cells, c.key)
	if o.tree != nil {
		o.tree.Delete(c.key)
	}
}

func (o *ordered) clear() {
	clear(o.cells)
	o.tree = nil
	o.bytes = 0
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

// scan walks [from, to). The iterator finds its place again by key after each step, so the map may change meanwhile.
func (o *ordered) scan(from, to []byte, reverse bool) *orderedIter {
	it := &orderedIter{o: o, from: string(from), to: string(to), toOpen: to == nil, reverse: reverse}
	return it
}

type orderedIter struct {
	o        *ordered
	from, to string
	toOpen   bool
	reverse  bool
	started  bool
	cur      *cell
}

func (it *orderedIter) Next() bool {
	tree := it.o.index()
	var found *cell
	take := func(k string, c *cell) bool {
		found = c
		return false
	}
	switch {
	case it.reverse:
		pivot := it.to
		if it.started {
			pivot = it.cur.key
		}
		skip := it.started || !it.toOpen // the pivot itself is not wanted
		f := func(k string, c *cell) bool {
			if skip && k == pivot {
				return true
			}
			return take(k, c)
		}
		if !it.started && it.toOpen {
			tree.Reverse(f)
		} else {
			tree.Descend(pivot, f)
		}
		if found != nil && found.key < it.from {
			found = nil
		}
	case it.started:
		tree.Ascend(it.cur.key, func(k string, c *cell) bool {
			if k == it.cur.key {
				return true
			}
			return take(k, c)
		})
	default:
		tree.Ascend(it.from, take)
	}
	if found != nil && !it.reverse && !it.toOpen && found.key >= it.to {
		found = nil
	}
	it.started = true
	if found == nil {
		return false
	}
	it.cur = &cell{found.key, found.value}
	return true
}

func (it *orderedIter) Key() []byte   { return []byte(it.cur.key) }
func (it *orderedIter) Value() []byte { return it.cur.value }
func (it *orderedIter) Err() error    { return nil }
func (it *orderedIter) Close() error  { return nil }
