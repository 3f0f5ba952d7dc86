package state

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// PebbleOptions configures the databases of one instance.
type PebbleOptions struct {
	FS  vfs.FS       // required
	Log *slog.Logger // required: where Pebble's errors go
	// Cache is shared by the tasks of an instance; nil: 8 MiB for each.
	Cache *pebble.Cache
	// MemTableSize in bytes; default 16 MiB.
	MemTableSize uint64
}

// Pebble is the engine of stores that outlive the process: one database a task. Apply writes its log without waiting for
// the disk: a machine that dies may lose the commits since the last Sync, but always a suffix of them, and with each the changelog
// offset that went with it, so the changelog brings it back.
type Pebble struct {
	db *pebble.DB
}

// OpenPebble opens or creates the database in dir.
func OpenPebble(dir string, o PebbleOptions) (*Pebble, error) {
	if o.MemTableSize == 0 {
		o.MemTableSize = 16 << 20
	}
	opts := &pebble.Options{FS: o.FS, Cache: o.Cache, MemTableSize: o.MemTableSize, Logger: pebbleLog{o.Log}, FormatMajorVersion: pebble.FormatNewest}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	db, err := pebble.Open(dir, opts)
	if err != nil {
		return nil, fmt.Errorf("state: open %s: %w", dir, err)
	}
	return &Pebble{db}, nil
}

// Get implements Engine.
func (p *Pebble) Get(key []byte) ([]byte, error) {
	v, c, err := p.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("state: get: %w", err)
	}
	v = append(make([]byte, 0, len(v)), v...)
	return v, c.Close()
}

// Scan implements Engine. It sees the rows as they are now.
func (p *Pebble) Scan(from, to []byte, reverse bool) Iterator {
	if to != nil && bytes.Compare(from, to) >= 0 {
		return &rowsIter{} // bounds that cross are not Pebble's to judge
	}
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: from, UpperBound: to})
	return &pebbleIter{it: it, err: err, reverse: reverse}
}

// Apply implements Engine.
func (p *Pebble) Apply(b *Batch) error {
	w := p.db.NewBatch()
	defer w.Close()
	for _, o := range b.ops {
		var err error
		switch {
		case o.end != nil && bytes.Compare(o.key, o.end) >= 0:
		case o.end != nil:
			err = w.DeleteRange(o.key, o.end, nil)
		case o.value == nil:
			err = w.Delete(o.key, nil)
		default:
			err = w.Set(o.key, o.value, nil)
		}
		if err != nil {
			return fmt.Errorf("state: batch: %w", err)
		}
	}
	if err := w.Commit(pebble.NoSync); err != nil {
		return fmt.Errorf("state: commit: %w", err)
	}
	return nil
}

// Sync implements Engine: an empty entry of the log is waited for, and with it all before.
func (p *Pebble) Sync() error {
	if err := p.db.LogData(nil, pebble.Sync); err != nil {
		return fmt.Errorf("state: sync: %w", err)
	}
	return nil
}

// Close implements Engine. All iterators must be closed.
func (p *Pebble) Close() error { return p.db.Close() }

type pebbleIter struct {
	it      *pebble.Iterator
	err     error
	reverse bool
	started bool
}

func (i *pebbleIter) Next() bool {
	switch {
	case i.err != nil:
		return false
	case !i.started && i.reverse:
		i.started = true
		return i.it.Last()
	case !i.started:
		i.started = true
		return i.it.First()
	case i.reverse:
		return i.it.Prev()
	default:
		return i.it.Next()
	}
}

func (i *pebbleIter) Key() []byte { return slices.Clone(i.it.Key()) }

func (i *pebbleIter) Value() []byte { return append([]byte{}, i.it.Value()...) } // never nil

func (i *pebbleIter) Err() error {
	if i.err != nil {
		return i.err
	}
	return i.it.Error()
}

func (i *pebbleIter) Close() error {
	if i.it == nil {
		return nil
	}
	return i.it.Close()
}

type pebbleLog struct{ l *slog.Logger }

func (l pebbleLog) Infof(string, ...any)         {}
func (l pebbleLog) Errorf(f string, args ...any) { l.l.Error("pebble: " + fmt.Sprintf(f, args...)) }
func (l pebbleLog) Fatalf(f string, args ...any) {
	panic("pebble: " + fmt.Sprintf(f, args...))
}
