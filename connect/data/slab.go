package data

import (
	"slices"
	"strings"
)

// slab is how many structs or maps a Slab has in a block, room how many bytes for their values it makes at once at the most: as many as connect.Copier
// makes records.
const (
	slab = 64
	room = 8 << 10
)

// Slab makes structs and maps in blocks, which costs about half of what making each alone does: for converters and transforms, which make one after the
// other. A struct or map that is kept keeps its block of up to 64, with their values, from being freed. So what a Slab has made must never hold anything else that it has made,
// or each block would keep the one before it, without an end: Slabs makes what is inside other things. It belongs to one thread; what it makes does not.
// The zero Slab is ready.
type Slab struct {
	structs blocks[Struct]
	values  blocks[any]
	maps    blocks[Map]
	entries blocks[Entry]
}

// blocks gives out room for some of a type, from one block after the other. It counts what is used: to move a slice would be a write of a pointer each time,
// which costs more while the collector runs.
type blocks[T any] struct {
	block []T
	next  int
}

// has says whether there is room for n in the block.
func (b *blocks[T]) has(n int) bool { return len(b.block)-b.next >= n }

// begin begins a block for n.
func (b *blocks[T]) begin(n int) { b.block, b.next = make([]T, n), 0 }

// take is the room for the next n, which the block must have.
func (b *blocks[T]) take(n int) []T {
	from := b.next
	b.next += n
	return b.block[from:b.next:b.next]
}

// one is the room for one, in a new block of slab where the last is used up.
func (b *blocks[T]) one() *T {
	if !b.has(1) {
		b.begin(slab)
	}
	b.next++
	return &b.block[b.next-1]
}

// Slabs are a Slab for each of the first levels of things in things.
type Slabs [4]Slab

// At is the Slab for a level: 0 for what is outermost. It is nil for levels that are too deep; a nil Slab makes each thing alone.
func (x *Slabs) At(level int) *Slab {
	if level >= len(x) {
		return nil
	}
	return &x[level]
}

// Struct returns a struct of a struct schema with all values null, like NewStruct. It belongs to the caller.
func (x *Slab) Struct(s *Schema) *Struct {
	if x == nil || s.typ != StructType {
		return NewStruct(s)
	}
	n := len(s.fields)
	if !x.values.has(n) {
		const most = room / 16
		if n > most/8 {
			return makeStruct(s)
		}
		x.values.begin(min(slab*n, most))
	}
	st := x.structs.one()
	st.schema, st.values = s, x.values.take(n)
	return st
}

// HeaderSlab adds headers, for which it makes room in blocks, as Slab makes structs: a header that is kept keeps its block of up to 64 from being freed, with
// those before each. So headers to which it has added must not come to it again, but those of Add. It belongs to one thread; the headers do not. The zero
// HeaderSlab is ready.
type HeaderSlab struct{ nodes blocks[headerNode] }

// Grow makes sure that the next n headers are in one block. Whoever adds more than one to the same headers must call it before, or each block would keep
// the one before it.
func (x *HeaderSlab) Grow(n int) {
	if !x.nodes.has(n) {
		x.nodes.begin(max(n, slab))
	}
}

// Append returns headers that are those of h and one more, which is not validated. h is not touched.
func (x *HeaderSlab) Append(h Headers, key string, s *Schema, v any) Headers {
	n := x.nodes.one()
	n.Key, n.Schema, n.Value, n.before = key, s, v, h.last
	return Headers{n}
}

// Add is Append of a header whose value must fit the schema, as far as Kafka looks: see Headers.Add.
func (x *HeaderSlab) Add(h Headers, key string, s *Schema, v any) (Headers, error) {
	if err := checkHeader(s, v); err != nil {
		return h, err
	}
	return x.Append(h, key, s, v), nil
}

// Without returns the headers of h whose keys are not among names. h is not touched.
func (x *HeaderSlab) Without(h Headers, names []string) Headers {
	return x.keep(h, func(y *headerNode) bool { return !slices.Contains(names, y.Key) })
}

// keep returns the headers of which want is true. They share what is before the first that is removed.
func (x *HeaderSlab) keep(h Headers, want func(*headerNode) bool) Headers {
	kept, after, first := 0, 0, (*headerNode)(nil) // the first that is removed, and how many are kept after it
	for y := h.last; y != nil; y = y.before {
		if want(y) {
			kept++
		} else {
			after, first = kept, y
		}
	}
	switch {
	case first == nil:
		return h
	case after == 0:
		return Headers{first.before}
	}
	x.Grow(after)
	return x.again(h.last, first, want)
}

// again makes the headers from first to last again, those of which want is true, after what is before the first.
func (x *HeaderSlab) again(last, first *headerNode, want func(*headerNode) bool) Headers {
	if last == first {
		return Headers{first.before}
	}
	out := x.again(last.before, first, want)
	if want(last) {
		out = x.Append(out, last.Key, last.Schema, last.Value)
	}
	return out
}

// CopyOf returns a struct of a struct schema that begins with the first n values of st, which are not validated, and has null for the rest.
func (x *Slab) CopyOf(st *Struct, s *Schema, n int) *Struct {
	c := x.Struct(s)
	copy(c.values, st.values[:n])
	return c
}

// Entries returns an empty slice with room for n entries of a map: for Map.
func (x *Slab) Entries(n int) []Entry {
	const most = room / 32
	if x == nil || n > most/8 {
		return make([]Entry, 0, n)
	}
	if !x.entries.has(n) {
		x.entries.begin(min(slab*max(n, 4), most))
	}
	return x.entries.take(n)[:0]
}

// Map returns a map that has and keeps entries, whose keys must all differ: what was appended to a result of Entries, or any other slice.
func (x *Slab) Map(entries []Entry) *Map {
	m := x.mapRoom()
	m.entries = entries
	if len(entries) >= indexFrom {
		m.reindex()
	}
	return m
}

func (x *Slab) mapRoom() *Map {
	if x == nil {
		return &Map{}
	}
	return x.maps.one()
}

// TextSlab makes strings of bytes, short ones in blocks: a string that is kept keeps its block of 1 kB from being freed. It belongs to one thread; the
// strings do not. The zero TextSlab is ready.
type TextSlab struct{ block strings.Builder }

// String is a string of the bytes.
func (x *TextSlab) String(b []byte) string {
	const block = 1 << 10
	if len(b) > block/8 {
		return string(b)
	}
	if x.block.Cap()-x.block.Len() < len(b) {
		x.block.Reset() // the strings keep the old block
		x.block.Grow(block)
	}
	from := x.block.Len()
	x.block.Write(b)
	return x.block.String()[from:]
}
