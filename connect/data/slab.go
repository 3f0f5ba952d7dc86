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
	structs []Struct
	values  []any
	maps    []Map
	entries []Entry
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
	if len(x.structs) == 0 {
		x.structs = make([]Struct, slab)
	}
	if len(x.values) < n {
		const most = room / 16
		if n > most/8 {
			return makeStruct(s)
		}
		x.values = make([]any, min(slab*n, most))
	}
	st := &x.structs[0]
	x.structs = x.structs[1:]
	st.schema, st.values = s, x.values[:n:n]
	x.values = x.values[n:]
	return st
}

// HeaderSlab makes lists of headers in blocks, as Slab makes structs: a list that is kept keeps its block of 64 headers from being freed. It belongs to
// one thread; the lists do not. The zero HeaderSlab is ready.
type HeaderSlab struct{ block []Header }

func (x *HeaderSlab) take(n int) []Header {
	const block = 64
	if n > block/4 {
		return make([]Header, n)
	}
	if len(x.block) < n {
		x.block = make([]Header, block)
	}
	list := x.block[:n:n]
	x.block = x.block[n:]
	return list
}

// Append returns headers that are those of h and more, which are not validated. h is not touched.
func (x *HeaderSlab) Append(h Headers, more ...Header) Headers {
	list := x.take(len(h.list) + len(more))
	copy(list[copy(list, h.list):], more)
	return Headers{list}
}

// Without returns the headers of h whose keys are not among names. What is left shares the list of h where it is one piece of that.
func (x *HeaderSlab) Without(h Headers, names []string) Headers {
	from, to, left := 0, 0, 0 // left are between from and to
	for i := range h.list {
		if slices.Contains(names, h.list[i].Key) {
			continue
		}
		if left == 0 {
			from = i
		}
		left, to = left+1, i+1
	}
	if to-from == left {
		return Headers{h.list[from:to:to]}
	}
	list := x.take(left)[:0]
	for i := range h.list {
		if !slices.Contains(names, h.list[i].Key) {
			list = append(list, h.list[i])
		}
	}
	return Headers{list}
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
	if len(x.entries) < n {
		x.entries = make([]Entry, min(slab*max(n, 4), most))
	}
	room := x.entries[:0:n]
	x.entries = x.entries[n:]
	return room
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
	if len(x.maps) == 0 {
		x.maps = make([]Map, slab)
	}
	m := &x.maps[0]
	x.maps = x.maps[1:]
	return m
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
