package state

// Engine keeps the committed rows of all stores of one task. It is used by one thread at a time.
type Engine interface {
	// Get returns nil where there is nothing. The result is immutable and may be kept; key is the caller's again.
	Get(key []byte) ([]byte, error)
	// Scan walks [from, to); nil is open. Rows of later Applies may or may not be seen. Close the iterator before the engine.
	Scan(from, to []byte, reverse bool) Iterator
	// Apply makes a batch visible, all of it or nothing, also after a crash. A crash may lose the last batches, never one before
	// another that it keeps.
	Apply(b *Batch) error
	// Sync makes durable what was applied so far: no crash loses it afterwards.
	Sync() error
	// Close ends the engine's use.
	Close() error
}

// Batch is a list of changes, applied in order. The zero value is empty. Keys and values are the batch's until Reset.
type Batch struct {
	ops  []op
	keys []byte // memory of keys, used again after Reset
}

type op struct {
	key, value []byte // value nil: delete key
	end        []byte // not nil: delete [key, end)
}

// Set puts a row; a nil value deletes it.
func (b *Batch) Set(key, value []byte) { b.ops = append(b.ops, op{key: key, value: value}) }

// key is a key in the batch's own memory. An engine that keeps keys beyond Apply copies them.
func (b *Batch) key(prefix []byte, key string) []byte {
	n := len(b.keys)
	b.keys = append(append(b.keys, prefix...), key...)
	return b.keys[n:len(b.keys):len(b.keys)]
}

// DeleteRange deletes [from, to); to is not nil.
func (b *Batch) DeleteRange(from, to []byte) { b.ops = append(b.ops, op{key: from, end: to}) }

// Len is the number of changes.
func (b *Batch) Len() int { return len(b.ops) }

// Reset empties the batch and keeps its memory.
func (b *Batch) Reset() {
	clear(b.ops)
	b.ops, b.keys = b.ops[:0], b.keys[:0]
}
