package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"unicode/utf16"

	"github.com/tidwall/btree"

	"github.com/kstreamlab/kstreamlab/broker"
)

// Buffer holds back a table's updates, the last one of each key, in order of time: the store of suppress, Kafka's
// InMemoryTimeOrderedKeyValueChangeBuffer. It is in memory; its changelog is written at a commit, a record for each key that has changed
// since the last one, and all of it is restored from there.
//
// As Bytes it has a row for each key, in the form of the changelog.
type Buffer struct {
	name  string
	log   Log // nil: no changelog
	byKey map[string]*Held
	order *btree.BTreeG[*Held]
	size  int64
	dirty javaSet
	was   map[string]*Held // what was logged last of the keys that are dirty; nil: nothing
}

// Held is a key's update in a Buffer. It is immutable.
type Held struct {
	Time int64 // of the first update, since when the key is held
	Key  []byte
	// Prior is the value before the key was held, Old and New are those of the last update; nil is null.
	Prior, Old, New []byte
	// Context is the last update's.
	Context RecordContext
}

func newBuffer(spec *Spec, cfg OpenConfig) *Buffer {
	b := &Buffer{name: spec.Name, log: cfg.Log}
	b.reset()
	return b
}

func (b *Buffer) reset() {
	b.byKey, b.size, b.dirty, b.was = map[string]*Held{}, 0, javaSet{}, map[string]*Held{}
	b.order = btree.NewBTreeGOptions(func(x, y *Held) bool {
		if x.Time != y.Time {
			return x.Time < y.Time
		}
		return bytes.Compare(x.Key, y.Key) < 0
	}, btree.Options{NoLocks: true})
}

// Len is how many keys are held.
func (b *Buffer) Len() int { return len(b.byKey) }

// Size is how many bytes they take, by Kafka's count.
func (b *Buffer) Size() int64 { return b.size }

// First is the one with the lowest time, and among those the lowest key; nil: there is none.
func (b *Buffer) First() *Held {
	h, _ := b.order.Min()
	return h
}

// Held is a key's update; nil: the key is not held.
func (b *Buffer) Held(key []byte) *Held { return b.byKey[string(key)] }

// Hold takes in an update. A key that is held already keeps its time and the value before.
func (b *Buffer) Hold(time int64, key, old, value []byte, ctx RecordContext) {
	h := &Held{Time: time, Key: key, Prior: old, Old: old, New: value, Context: ctx}
	if have := b.byKey[string(key)]; have != nil {
		h.Time, h.Prior = have.Time, have.Prior
	}
	b.touch(key)
	b.set(h)
}

func (b *Buffer) set(h *Held) {
	if have := b.byKey[string(h.Key)]; have != nil {
		b.size -= have.bytes()
		b.order.Delete(have)
	}
	b.byKey[string(h.Key)] = h
	b.order.Set(h)
	b.size += h.bytes()
}

// Release lets go of what is held of a key.
func (b *Buffer) Release(h *Held) {
	b.touch(h.Key)
	b.remove(h)
}

func (b *Buffer) remove(h *Held) {
	delete(b.byKey, string(h.Key))
	b.order.Delete(h)
	b.size -= h.bytes()
}

func (b *Buffer) touch(key []byte) {
	if b.log != nil && b.dirty.add(key) {
		b.was[string(key)] = b.byKey[string(key)]
	}
}

// bytes is Kafka's estimate of what an update takes in memory.
func (h *Held) bytes() int64 {
	n := 8 + len(h.Key) + len(h.Prior) + len(h.New) + 8 + 8 + len(utf16.Encode([]rune(h.Context.Topic))) + 4
	if !same(h.Prior, h.Old) {
		n += len(h.Old)
	}
	for _, x := range h.Context.Headers {
		n += len(utf16.Encode([]rune(x.Key))) + len(x.Value)
	}
	return int64(n)
}

// same tells null from empty.
func same(x, y []byte) bool { return (x == nil) == (y == nil) && bytes.Equal(x, y) }

// changelogHeaders say that the records are of version 3 of Kafka's format.
var changelogHeaders = []broker.Header{{Key: "v", Value: []byte{3}}}

// Flush writes the changelog of the keys that have changed since the last time, in the order of Java's HashSet.
func (b *Buffer) Flush() error {
	for _, key := range b.dirty.list() {
		var value []byte
		var headers []broker.Header
		if h := b.byKey[string(key)]; h != nil {
			value, headers = h.encode(), changelogHeaders
		}
		if err := b.log(key, value, broker.NoTimestamp, headers); err != nil {
			return err
		}
	}
	b.dirty.clear()
	clear(b.was)
	return nil
}

// logged are the rows as they were at the last Flush, by key.
func (b *Buffer) logged() (rows [][2][]byte) {
	for key, h := range b.byKey { // sorted below
		if !b.dirty.has(key) {
			rows = append(rows, [2][]byte{h.Key, h.encode()})
		}
	}
	for _, h := range b.was { // sorted below
		if h != nil {
			rows = append(rows, [2][]byte{h.Key, h.encode()})
		}
	}
	slices.SortFunc(rows, func(x, y [2][]byte) int { return bytes.Compare(x[0], y[0]) })
	return rows
}

// Get implements Bytes.
func (b *Buffer) Get(key []byte) ([]byte, error) {
	if h := b.byKey[string(key)]; h != nil {
		return h.encode(), nil
	}
	return nil, nil
}

// Put implements Bytes: it takes in a record of the changelog. Its time is the record's: a key that was let go of and held again between two
// flushes has no record of that. (Kafka keeps the time that the key had before.)
func (b *Buffer) Put(key, value []byte) error {
	if value == nil {
		if h := b.byKey[string(key)]; h != nil {
			b.remove(h)
		}
		return nil
	}
	h, err := decodeHeld(value)
	if err != nil {
		return fmt.Errorf("state: the changelog of store %s: %w", b.name, err)
	}
	h.Key = slices.Clone(key)
	b.set(h)
	return nil
}

// Scan implements Bytes: by key.
func (b *Buffer) Scan(s Span) Iterator {
	rows := &rowsIter{}
	for _, h := range b.byKey { // sorted below
		if bytes.Compare(h.Key, s.From) >= 0 && (s.To == nil || bytes.Compare(h.Key, s.To) < 0) {
			rows.rows = append(rows.rows, op{key: h.Key, value: h.encode()})
		}
	}
	slices.SortFunc(rows.rows, func(x, y op) int {
		if s.Reverse {
			x, y = y, x
		}
		return bytes.Compare(x.key, y.key)
	})
	return rows
}

func (b *Buffer) collect(*Batch) {}
func (b *Buffer) discard()       {}
func (b *Buffer) pending() int64 { return 0 }
func (b *Buffer) store() string  { return b.name }

// sameAsPrior stands for the length of an old value that is equal to the prior one.
const sameAsPrior = -2

// encode is the changelog's form: the record context, the prior, the old and the new value, the time.
func (h *Held) encode() []byte {
	c := &h.Context
	out := binary.BigEndian.AppendUint64(make([]byte, 0, 64+len(h.Prior)+len(h.Old)+len(h.New)), uint64(c.Timestamp))
	out = binary.BigEndian.AppendUint64(out, uint64(c.Offset))
	out = appendSized(out, []byte(c.Topic), false)
	out = binary.BigEndian.AppendUint32(out, uint32(c.Partition))
	out = binary.BigEndian.AppendUint32(out, uint32(len(c.Headers)))
	for _, x := range c.Headers {
		out = appendSized(out, []byte(x.Key), false)
		out = appendSized(out, x.Value, x.Value == nil)
	}
	out = appendSized(out, h.Prior, h.Prior == nil)
	if h.Old != nil && same(h.Prior, h.Old) {
		out = binary.BigEndian.AppendUint32(out, uint32(1<<32+sameAsPrior))
	} else {
		out = appendSized(out, h.Old, h.Old == nil)
	}
	out = appendSized(out, h.New, h.New == nil)
	return binary.BigEndian.AppendUint64(out, uint64(h.Time))
}

func appendSized(dst, b []byte, null bool) []byte {
	if null {
		return binary.BigEndian.AppendUint32(dst, math.MaxUint32)
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(b))), b...)
}

func decodeHeld(value []byte) (*Held, error) {
	r := heldReader{b: value}
	h := &Held{}
	h.Context.Timestamp, h.Context.Offset = int64(r.uint64()), int64(r.uint64())
	h.Context.Topic = string(r.sized(r.int32()))
	h.Context.Partition = r.int32()
	for range max(r.int32(), 0) { // -1 was written for none once
		x := broker.Header{Key: string(r.sized(r.int32()))}
		x.Value = r.sized(r.int32())
		if r.err != nil {
			break
		}
		h.Context.Headers = append(h.Context.Headers, x)
	}
	h.Prior = r.sized(r.int32())
	if n := r.int32(); n == sameAsPrior {
		h.Old = h.Prior
	} else {
		h.Old = r.sized(n)
	}
	h.New = r.sized(r.int32())
	h.Time = int64(r.uint64())
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes are left behind a held update", len(r.b))
	}
	return h, r.err
}

// heldReader reads a held update; after an error it gives zeros.
type heldReader struct {
	b   []byte
	err error
}

func (r *heldReader) take(n int) []byte {
	if r.err == nil && (n < 0 || n > len(r.b)) {
		r.err = errors.New("a held update ends early, or is of a version before 3")
	}
	if r.err != nil {
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *heldReader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (r *heldReader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// sized reads n bytes; n of -1 is null.
func (r *heldReader) sized(n int32) []byte {
	if n == -1 {
		return nil
	}
	return r.take(int(n))
}

// javaSet is a set of keys that is walked over in the order of Java's HashSet of Bytes: by bucket, then by age. Like it, it never gets
// smaller than it was.
type javaSet struct {
	keys    map[string]int // to their places in order of age
	order   [][]byte
	buckets uint32
}

// add says whether the key is new. It keeps the key.
func (s *javaSet) add(key []byte) bool {
	if _, ok := s.keys[string(key)]; ok {
		return false
	}
	if s.keys == nil {
		s.keys, s.buckets = map[string]int{}, 16
	}
	s.keys[string(key)] = len(s.order)
	s.order = append(s.order, key)
	if len(s.order) > int(s.buckets/4*3) {
		s.buckets *= 2
	}
	return true
}

func (s *javaSet) has(key string) bool { _, ok := s.keys[key]; return ok }

func (s *javaSet) list() [][]byte {
	list := slices.Clone(s.order)
	slices.SortStableFunc(list, func(x, y []byte) int { return cmp.Compare(s.bucket(x), s.bucket(y)) })
	return list
}

func (s *javaSet) bucket(key []byte) uint32 {
	h := uint32(1)
	for _, b := range key {
		h = 31*h + uint32(int32(int8(b)))
	}
	return (h ^ h>>16) & (s.buckets - 1)
}

func (s *javaSet) clear() {
	clear(s.keys)
	s.order = nil
}
