package state

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// DB is the state of one task: its tables over one engine, and what is committed with them. Writes stay in memory, where reads see
// them, until Commit.
type DB struct {
	engine  Engine
	layers  []layer
	offsets map[string]int64 // by store: the changelog offset after the last record that the committed rows contain
	batch   Batch
	names   []string          // of a commit, used again
	keys    map[string][]byte // by store: the engine's key of its offset
}

// layer is a part of a DB with uncommitted writes.
type layer interface {
	collect(b *Batch)
	discard()
	pending() int64
	// reset empties the layer, for a store that was wiped.
	reset()
	store() string
}

// OpenDB wraps an engine. Engine keys begin with one byte: 'o' for offsets, 'd' for rows.
func OpenDB(e Engine) *DB {
	return &DB{engine: e, offsets: map[string]int64{}, keys: map[string][]byte{}}
}

// Offset is the changelog offset from which a store is to be restored; -1 when nothing was ever committed.
func (db *DB) Offset(store string) (int64, error) {
	if o, ok := db.offsets[store]; ok {
		return o, nil
	}
	v, err := db.engine.Get(db.offsetKey(store))
	if err != nil || len(v) != 8 {
		return -1, err
	}
	o := int64(binary.BigEndian.Uint64(v))
	db.offsets[store] = o
	return o, nil
}

// Commit makes all uncommitted rows and the given changelog offsets durable in one step. After an error nothing is committed, and it may
// be called again.
func (db *DB) Commit(offsets map[string]int64) error {
	db.batch.Reset()
	for _, l := range db.layers {
		l.collect(&db.batch)
	}
	names := db.names[:0]
	for s := range offsets { // sorted below
		names = append(names, s)
	}
	db.names = names
	slices.Sort(names)
	for _, s := range names {
		if have, ok := db.offsets[s]; ok && have == offsets[s] {
			continue
		}
		db.batch.Set(db.offsetKey(s), binary.BigEndian.AppendUint64(nil, uint64(offsets[s])))
	}
	if db.batch.Len() == 0 {
		return nil
	}
	if err := db.engine.Apply(&db.batch); err != nil {
		return err
	}
	for _, s := range names {
		db.offsets[s] = offsets[s]
	}
	for _, l := range db.layers {
		l.discard()
	}
	return nil
}

func (db *DB) offsetKey(store string) []byte {
	k, ok := db.keys[store]
	if !ok {
		k = append([]byte{'o'}, store...)
		db.keys[store] = k
	}
	return k
}

// Sync makes durable what was committed so far: no crash loses it afterwards.
func (db *DB) Sync() error { return db.engine.Sync() }

// Wipe deletes everything that a store holds, its offset too, at once and durably.
func (db *DB) Wipe(store string) error {
	for _, l := range db.layers {
		if l.store() == store {
			l.reset()
		}
	}
	var b Batch
	p := rowPrefix(store)
	b.DeleteRange(p, PrefixEnd(p))
	b.Set(db.offsetKey(store), nil)
	delete(db.offsets, store)
	return db.engine.Apply(&b)
}

// Pending is about how many bytes are uncommitted.
func (db *DB) Pending() int64 {
	var n int64
	for _, l := range db.layers {
		n += l.pending()
	}
	return n
}

// Close closes the engine; uncommitted writes are lost.
func (db *DB) Close() error { return db.engine.Close() }

func rowPrefix(store string) []byte {
	p := append(make([]byte, 0, len(store)+10), 'd')
	p = append(p, store...)
	return append(p, 0) // store names have no zero byte
}

func storeOf(prefix []byte) string { return string(prefix[1 : len(prefix)-1]) }

// Table is one store's rows: what is uncommitted, over the engine.
type Table struct {
	engine  Engine
	prefix  []byte
	dirty   *ordered
	scratch []byte
	direct  *ordered // the rows of an engine that takes writes at once; else nil
}

// Table returns the table of a store.
func (db *DB) Table(store string) *Table {
	t := newTable(db.engine, rowPrefix(store))
	db.layers = append(db.layers, t)
	return t
}

func newTable(e Engine, prefix []byte) *Table {
	t := &Table{engine: e, prefix: prefix, dirty: newOrdered(), scratch: slices.Clone(prefix)}
	if m, ok := e.(*Memory); ok && m.immediate {
		t.direct = m.rows
	}
	return t
}

func (t *Table) full(key []byte) []byte {
	t.scratch = append(t.scratch[:len(t.prefix)], key...)
	return t.scratch
}

// Get implements Bytes.
func (t *Table) Get(key []byte) ([]byte, error) {
	if t.direct == nil {
		if c, ok := t.dirty.get(key); ok {
			return c.value, nil
		}
	}
	return t.engine.Get(t.full(key))
}

// Put implements Bytes.
func (t *Table) Put(key, value []byte) error {
	switch {
	case t.direct == nil:
		t.dirty.put(key, value)
	case value == nil:
		t.direct.remove(t.full(key))
	default:
		t.direct.put(t.full(key), slices.Clip(value))
	}
	return nil
}

// Scan implements Bytes.
func (t *Table) Scan(s Span) Iterator {
	from := slices.Concat(t.prefix, s.From)
	to := PrefixEnd(t.prefix)
	if s.To != nil {
		to = slices.Concat(t.prefix, s.To)
	}
	below := &stripIter{t.engine.Scan(from, to, s.Reverse), len(t.prefix)}
	if len(t.dirty.cells) == 0 {
		return below
	}
	return merged(t.dirty.scan(s.From, s.To, s.Reverse), below, bytes.Compare, s.Reverse)
}

func (t *Table) collect(b *Batch) {
	t.dirty.each(func(c *cell) { b.Set(b.key(t.prefix, c.key), c.value) })
}

func (t *Table) discard()       { t.dirty.clear() }
func (t *Table) pending() int64 { return t.dirty.bytes }
func (t *Table) reset()         { t.dirty.clear() }
func (t *Table) store() string  { return storeOf(t.prefix) }

type stripIter struct {
	Iterator
	n int
}

func (s *stripIter) Key() []byte { return s.Iterator.Key()[s.n:] }
