package avro

import (
	"encoding/binary"
	"math"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
)

// fused reads Connect's values straight from bytes that were written with the schema that they are read with: an avroschema.Reader and a reader in one,
// without Avro's values in between. It knows all that is common; what it does not know it leaves to those two. It tells no errors: of bytes that it
// cannot read they do.
type fused struct {
	kind    fusedKind
	level   int // of a struct: how many are around it
	to      *data.Schema
	parts   []*fused // of a struct's fields; of an array's elements or an optional value one
	null    int64    // the branch of an optional value that is null; -1: none
	symbols []any    // strings
	avro    *avroschema.Reader
	values  *reader // with avro: for the rest
}

type fusedKind uint8

const (
	fusedRest fusedKind = iota
	fusedBoolean
	fusedInt8
	fusedInt16
	fusedInt32
	fusedDate
	fusedTime
	fusedInt64
	fusedTimestamp
	fusedFloat32
	fusedFloat64
	fusedString
	fusedEnum
	fusedBytes
	fusedDecimal
	fusedArray
	fusedStruct
	fusedOptional
)

// fuse goes along both schemas, as newReader does.
func (o options) fuse(from *avroschema.Schema, to *data.Schema, level int) *fused {
	f := &fused{to: to, null: -1, level: level}
	if f.kind = o.fusedKind(from, to); f.kind == fusedRest {
		f.avro, f.values = avroschema.NewReader(from, from, avroschema.Ordered), o.newReader(from, to)
		return f
	}
	switch f.kind {
	case fusedOptional:
		for i, b := range from.Branches {
			if b.Type == avroschema.Null {
				f.null = int64(i)
			} else {
				f.parts = append(f.parts, o.fuse(b, to, level))
			}
		}
	case fusedArray:
		f.parts = []*fused{o.fuse(from.Elem, to.ValueSchema(), level)}
	case fusedStruct:
		for i, field := range to.Fields() {
			f.parts = append(f.parts, o.fuse(from.Fields[i].Schema, field.Schema, level+1))
		}
	case fusedEnum:
		for _, s := range from.Symbols {
			f.symbols = append(f.symbols, s)
		}
	}
	return f
}

// fusedKind is fusedRest where the schemas do not go together in a simple way.
func (o options) fusedKind(from *avroschema.Schema, to *data.Schema) fusedKind {
	if to == nil {
		return fusedRest
	}
	if from.Type == avroschema.Union {
		if inner, _ := (&fromAvro{options: o}).transparent(from); inner == nil || inner.Type == avroschema.Union || inner.Type == avroschema.Null {
			return fusedRest
		}
		return fusedOptional
	}
	switch {
	case from.Type == avroschema.Record && to.Type() == data.StructType && len(from.Fields) == len(to.Fields()):
		return fusedStruct
	case from.Type == avroschema.Array && to.Type() == data.Array && to.ValueSchema() != nil && takesBytes(from.Elem):
		return fusedArray
	}
	return fusedScalar(from, to)
}

// takesBytes tells that no value of the schema is without bytes, where that is plain.
func takesBytes(s *avroschema.Schema) bool {
	switch s.Type {
	case avroschema.Null, avroschema.Record:
		return false
	case avroschema.Fixed:
		return s.Size > 0
	}
	return true
}

func fusedScalar(from *avroschema.Schema, to *data.Schema) fusedKind {
	type pair struct {
		from avroschema.Type
		to   data.Type
	}
	switch (pair{from.Type, to.Type()}) {
	case pair{avroschema.Boolean, data.Boolean}:
		return fusedBoolean
	case pair{avroschema.Int, data.Int8}:
		return fusedInt8
	case pair{avroschema.Int, data.Int16}:
		return fusedInt16
	case pair{avroschema.Int, data.Int32}:
		switch to.Name() {
		case data.DateName:
			return fusedDate
		case data.TimeName:
			return fusedTime
		}
		return fusedInt32
	case pair{avroschema.Long, data.Int64}:
		if to.Name() == data.TimestampName {
			return fusedTimestamp
		}
		return fusedInt64
	case pair{avroschema.Float, data.Float32}:
		return fusedFloat32
	case pair{avroschema.Double, data.Float64}:
		return fusedFloat64
	case pair{avroschema.String, data.String}:
		return fusedString
	case pair{avroschema.Enum, data.String}:
		return fusedEnum
	case pair{avroschema.Bytes, data.Bytes}:
		if to.Name() == data.DecimalName {
			return fusedDecimal
		}
		return fusedBytes
	}
	return fusedRest
}

// maxShared is how long bytes may be that all strings in them share one copy of: a string that is kept keeps the copy.
const maxShared = 1 << 10

// fusing is the reading of one value.
type fusing struct {
	b       []byte
	at      int
	text    string // a copy of b, once a string of it is made
	structs *data.Slabs
}

// read reads one value, all of whose memory is its own. ok is false where the bytes are not such a value.
func (f *fused) read(b []byte, structs *data.Slabs) (v any, ok bool) {
	x := fusing{b: b, structs: structs}
	return x.value(f)
}

func (x *fusing) varint() (n int64, ok bool) {
	if x.at < len(x.b) && x.b[x.at] < 0x80 {
		c := x.b[x.at]
		x.at++
		return int64(c>>1) ^ -int64(c&1), true
	}
	n, size := binary.Varint(x.b[x.at:])
	if size <= 0 {
		return 0, false
	}
	x.at += size
	return n, true
}

// take steps over n bytes.
func (x *fusing) take(n int64) (b []byte, ok bool) {
	if n < 0 || n > int64(len(x.b)-x.at) {
		return nil, false
	}
	b = x.b[x.at : x.at+int(n)]
	x.at += int(n)
	return b, true
}

// data steps over bytes that have their length before them.
func (x *fusing) data() (b []byte, ok bool) {
	n, ok := x.varint()
	if !ok {
		return nil, false
	}
	return x.take(n)
}

func (x *fusing) string() (s string, ok bool) {
	b, ok := x.data()
	if !ok || len(b) == 0 || len(x.b) > maxShared {
		return string(b), ok
	}
	if x.text == "" {
		x.text = string(x.b)
	}
	return x.text[x.at-len(b) : x.at], true
}

func (x *fusing) value(f *fused) (v any, ok bool) {
	switch f.kind {
	case fusedBoolean:
		if b, ok := x.take(1); ok {
			return b[0] == 1, true
		}
	case fusedInt8, fusedInt16, fusedInt32, fusedDate, fusedTime:
		if n, ok := x.varint(); ok && int64(int32(n)) == n {
			return integer(f, int32(n))
		}
	case fusedInt64:
		if n, ok := x.varint(); ok {
			return n, true
		}
	case fusedTimestamp:
		if n, ok := x.varint(); ok {
			t, err := data.TimestampFromMillis(f.to, n)
			return t, err == nil
		}
	case fusedFloat32:
		if b, ok := x.take(4); ok {
			return math.Float32frombits(binary.LittleEndian.Uint32(b)), true
		}
	case fusedFloat64:
		if b, ok := x.take(8); ok {
			return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
		}
	case fusedString:
		if s, ok := x.string(); ok {
			return s, true
		}
	case fusedEnum:
		if n, ok := x.varint(); ok && n >= 0 && n < int64(len(f.symbols)) {
			return f.symbols[n], true
		}
	case fusedBytes:
		if b, ok := x.data(); ok {
			return data.Buffer(append(make([]byte, 0, len(b)), b...)), true
		}
	case fusedDecimal:
		if b, ok := x.data(); ok {
			d, err := data.DecimalFromBytes(f.to, b)
			return d, err == nil
		}
	case fusedStruct:
		return x.structure(f)
	case fusedArray:
		return x.array(f)
	case fusedOptional:
		return x.optional(f)
	default:
		return x.rest(f)
	}
	return nil, false
}

func integer(f *fused, n int32) (v any, ok bool) {
	switch f.kind {
	case fusedInt8:
		return int8(n), true
	case fusedInt16:
		return int16(n), true
	case fusedDate:
		t, err := data.DateFromDays(f.to, n)
		return t, err == nil
	case fusedTime:
		t, err := data.TimeFromMillis(f.to, n)
		return t, err == nil
	}
	return n, true
}

func (x *fusing) structure(f *fused) (v any, ok bool) {
	out := x.structs.At(f.level).Struct(f.to)
	for i, part := range f.parts {
		v, ok := x.value(part)
		if !ok {
			return nil, false
		}
		out.Set(i, v)
	}
	return out, true
}

func (x *fusing) optional(f *fused) (v any, ok bool) {
	n, ok := x.varint()
	switch {
	case !ok || n < 0 || n >= 2 || f.null < 0 && n > 0:
		return nil, false
	case n == f.null:
		return nil, f.to.Optional()
	}
	return x.value(f.parts[0])
}

// array reads blocks of elements, each of which has a byte at the least.
func (x *fusing) array(f *fused) (v any, ok bool) {
	out := []any{}
	for {
		n, ok := x.varint()
		if n < 0 && n != math.MinInt64 && ok {
			n = -n
			_, ok = x.varint() // the block's size in bytes
		}
		if !ok || n < 0 || n > int64(len(x.b)-x.at) {
			return nil, false
		}
		if n == 0 {
			return out, true
		}
		if len(out) == 0 {
			out = make([]any, 0, min(n, 4096))
		}
		for range n {
			v, ok := x.value(f.parts[0])
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
	}
}

// rest leaves a value to those who know all.
func (x *fusing) rest(f *fused) (v any, ok bool) {
	v, left, err := f.avro.Decode(x.b[x.at:])
	if err != nil {
		return nil, false
	}
	x.at = len(x.b) - len(left)
	v, err = f.values.value(v)
	return v, err == nil
}
