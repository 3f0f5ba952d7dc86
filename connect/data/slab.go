package data

import "slices"

// slab is how many structs a Slab has in a block.
const slab = 16

// Slab makes structs in blocks, which costs about half of what making each alone does: for converters and transforms, which make one after the other. A
// struct that is kept keeps its block of 16, with their values, from being freed. It belongs to one thread; the structs do not. The zero Slab is ready.
type Slab struct {
	structs []Struct
	values  []any
}

// Struct returns a struct of a struct schema with all values null, like NewStruct. It belongs to the caller.
func (x *Slab) Struct(s *Schema) *Struct {
	if s.typ != StructType {
		return NewStruct(s)
	}
	n := len(s.fields)
	if len(x.structs) == 0 {
		x.structs = make([]Struct, slab)
	}
	if len(x.values) < n {
		if n > 4*slab {
			return makeStruct(s)
		}
		x.values = make([]any, slab*n)
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
