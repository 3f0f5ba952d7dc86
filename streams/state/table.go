package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// DB is the state of one task: its tables over one engine, and what is committed with them. Writes stay in memory, where reads see
// them, until Commit.
type DB struct {
	engine    Engine
	layers    []layer
	positions []*Position // by the name of the store
	// lazy: positions are written at the end only, since the engine shows every write at once and takes none back.
	lazy  bool
	batch Batch
}

// Position is how far a store is in its changelog. It belongs to its DB.
type Position struct {
	store     string
	key       []byte // the engine's
	committed int64  // the changelog offset after the last record that the committed rows contain; -1: none
	next      int64  // what the next commit commits
	unwritten bool   // of a lazy DB
}

// Committed is the changelog offset from which the store is to be restored; -1 when nothing was ever committed.
func (p *Position) Committed() int64 { return p.committed }

// Advance says what the next commit is to commit.
func (p *Position) Advance(offset int64) { p.next = offset }

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
	m, ok := e.(*Memory)
	return &DB{engine: e, lazy: ok && m.immediate}
}

// Position is a store's.
func (db *DB) Position(store string) (*Position, error) {
	i, ok := slices.BinarySearchFunc(db.positions, store, func(p *Position, s string) int { return strings.Compare(p.store, s) })
	if ok {
		return db.positions[i], nil
	}
	p := &Position{store: store, key: append([]byte{'o'}, store...), committed: -1}
	v, err := db.engine.Get(p.key)
	if err != nil {
		return nil, err
	}
	if len(v) == 8 {
		p.committed = int64(binary.BigEndian.Uint64(v))
	}
	p.next = p.committed
	db.positions = slices.Insert(db.positions, i, p)
	return p, nil
}

// Offset is the committed position of a store.
func (db *DB) Offset(store string) (int64, error) {
	p, err := db.Position(store)
	if err != nil {
		return -1, err
	}
	return p.committed, nil
}

// Commit is CommitPositions after the given stores have advanced to the given changelog offsets.
func (db *DB) Commit(offsets map[string]int64) error {
	for s, o := range offsets { // each by itself
		p, err := db.Position(s)
		if err != nil {
			return err
		}
		p.next = o
	}
	return db.CommitPositions()
}

// CommitPositions makes all uncommitted rows, and the positions that have advanced, durable in one step. After an error nothing is committed, and it
// may be called again.
func (db *DB) CommitPositions() error {
	db.batch.Reset()
	for _, l := range db.layers {
		l.collect(&db.batch)
	}
	for _, p := range db.positions {
		switch {
		case p.next == p.committed:
		case db.lazy:
			p.committed, p.unwritten = p.next, true
		default:
			db.batch.Set(p.key, p.encode())
		}
	}
	if db.batch.Len() == 0 {
		return nil
	}
	if err := db.engine.Apply(&db.batch); err != nil {
		return err
	}
	for _, p := range db.positions {
		p.committed = p.next
	}
	for _, l := range db.layers {
		l.discard()
	}
	return nil
}

func (p *Position) encode() []byte { return binary.BigEndian.AppendUint64(nil, uint64(p.next)) }

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
	at, err := db.Position(store)
	if err != nil {
		return err
	}
	b.Set(at.key, nil)
	at.committed, at.next, at.unwritten = -1, -1, false
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
func (db *DB) Close() error {
	db.batch.Reset()
	for _, p := range db.positions {
		if p.unwritten {
			db.batch.Set(p.key, p.encode())
		}
	}
	if db.batch.Len() > 0 {
		if err := db.engine.Apply(&db.batch); err != nil {
			return errors.Join(err, db.engine.Close())
		}
	}
	return db.engine.Close()
}

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
