package protobuf

import (
	"math"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// reader makes values of bytes without a message between them, where the message is plain enough: the rest, and all that is wrong, is left to
// messageOf.
type reader struct {
	options options
	message protoreflect.MessageDescriptor
	schema  *data.Schema
	plain   bool
	absent  []any                             // the values of fields that are not there
	fields  map[protowire.Number]*fieldReader // by number
	few     []*fieldReader                    // by number, where numbers are low
}

// fieldReader reads a field.
type fieldReader struct {
	at     int
	fd     protoreflect.FieldDescriptor
	kind   protoreflect.Kind
	schema *data.Schema // of one value
	list   bool
	wire   protowire.Type
	part   *reader // of messages
}

func (o options) newReader(s *data.Schema, d protoreflect.MessageDescriptor) *reader {
	r := &reader{options: o, message: d, schema: s}
	if s.Type() != data.StructType || o.structForNull || d.ParentFile().Syntax() != protoreflect.Proto3 {
		return r
	}
	for i := range d.Oneofs().Len() {
		if !d.Oneofs().Get(i).IsSynthetic() {
			return r
		}
	}
	empty, err := o.structOf(s, dynamicpb.NewMessage(d))
	if err != nil {
		return r
	}
	r.fields = map[protowire.Number]*fieldReader{}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if f.IsMap() || isMap(f) || f.Kind() == protoreflect.GroupKind {
			return r
		}
		one := &fieldReader{at: i, fd: f, kind: f.Kind(), schema: s.Fields()[i].Schema, list: f.IsList(), wire: wireType(f.Kind())}
		if one.list {
			one.schema = one.schema.ValueSchema()
		}
		if f.Kind() == protoreflect.MessageKind {
			one.wire, one.part = protowire.BytesType, o.newReader(one.schema, f.Message())
		}
		r.fields[f.Number()] = one
		if n := int(f.Number()); n < 64 {
			for len(r.few) <= n {
				r.few = append(r.few, nil)
			}
			r.few[n] = one
		}
		r.absent = append(r.absent, empty.At(i))
	}
	r.plain = true
	return r
}

// malformed is the error of bytes that are no message.
type malformed struct{ error }

// read makes the value of a message's bytes.
func (r *reader) read(b []byte) (any, error) {
	if r.plain {
		if out, ok := r.fast(b); ok {
			return out, nil
		}
	}
	if r.schema.Name() == data.TimestampName {
		if t, ok := timestampFrom(b, r.message); ok {
			return t, nil
		}
	}
	m := dynamicpb.NewMessage(r.message)
	if err := protoschema.Unmarshal(b, m); err != nil {
		return nil, malformed{err}
	}
	return r.options.messageOf(r.schema, m)
}

// fast makes a struct; ok is false where the bytes are not as simple as most are.
func (r *reader) fast(b []byte) (*data.Struct, bool) {
	out := data.NewStruct(r.schema)
	for i, v := range r.absent {
		if v != nil {
			out.Set(i, v)
		}
	}
	var seen uint64 // messages among the first fields
	for len(b) > 0 {
		n, wire, size := protowire.ConsumeTag(b)
		if size < 0 || n > protowire.MaxValidNumber {
			return nil, false
		}
		b = b[size:]
		f := r.field(n)
		if f == nil || f.wire != wire && !(f.list && wire == protowire.BytesType) {
			if size = protowire.ConsumeFieldValue(n, wire, b); size < 0 {
				return nil, false
			}
			b = b[size:]
			continue
		}
		if f.part != nil && !f.list {
			if f.at > 63 || seen&(1<<f.at) != 0 {
				return nil, false // messages that come in parts
			}
			seen |= 1 << f.at
		}
		size, ok := f.into(out, b, wire)
		if !ok {
			return nil, false
		}
		b = b[size:]
	}
	return out, true
}

func (r *reader) field(n protowire.Number) *fieldReader {
	if int(n) < len(r.few) {
		return r.few[n]
	}
	return r.fields[n]
}

// into takes a value off the bytes, and returns how long it is.
func (f *fieldReader) into(out *data.Struct, b []byte, wire protowire.Type) (int, bool) {
	if !f.list {
		v, size, ok := f.one(b)
		if ok {
			out.Set(f.at, v)
		}
		return size, ok
	}
	list, _ := out.At(f.at).([]any)
	if f.wire == wire {
		v, size, ok := f.one(b)
		if ok {
			out.Set(f.at, append(list, v))
		}
		return size, ok
	}
	packed, whole := protowire.ConsumeBytes(b)
	if whole < 0 {
		return 0, false
	}
	for len(packed) > 0 {
		v, size, ok := f.one(packed)
		if !ok {
			return 0, false
		}
		list, packed = append(list, v), packed[size:]
	}
	if list != nil {
		out.Set(f.at, list)
	}
	return whole, true
}

// one takes one value.
func (f *fieldReader) one(b []byte) (v any, size int, ok bool) {
	switch f.wire {
	case protowire.BytesType:
		text, size := protowire.ConsumeBytes(b)
		if size < 0 {
			return nil, 0, false
		}
		switch f.kind {
		case protoreflect.StringKind:
			return string(text), size, utf8.Valid(text)
		case protoreflect.BytesKind:
			return data.Buffer(append([]byte{}, text...)), size, true
		}
		v, err := f.part.read(text)
		return v, size, err == nil
	case protowire.Fixed32Type:
		n, size := protowire.ConsumeFixed32(b)
		if size < 0 {
			return nil, 0, false
		}
		switch f.kind {
		case protoreflect.FloatKind:
			return math.Float32frombits(n), size, true
		case protoreflect.Sfixed32Kind:
			return f.whole(int64(int32(n))), size, true
		}
		return f.whole(int64(n)), size, true
	case protowire.Fixed64Type:
		n, size := protowire.ConsumeFixed64(b)
		if size < 0 {
			return nil, 0, false
		}
		if f.kind == protoreflect.DoubleKind {
			return math.Float64frombits(n), size, true
		}
		return f.whole(int64(n)), size, true
	}
	n, size := protowire.ConsumeVarint(b)
	if size < 0 {
		return nil, 0, false
	}
	switch f.kind {
	case protoreflect.BoolKind:
		return protowire.DecodeBool(n), size, true
	case protoreflect.EnumKind:
		v, err := options{}.value(f.schema, protoreflect.ValueOfEnum(protoreflect.EnumNumber(n)), f.fd)
		return v, size, err == nil
	case protoreflect.Int32Kind:
		return f.whole(int64(int32(n))), size, true
	case protoreflect.Sint32Kind:
		return f.whole(int64(int32(protowire.DecodeZigZag(n & math.MaxUint32)))), size, true
	case protoreflect.Uint32Kind:
		return f.whole(int64(uint32(n))), size, true
	case protoreflect.Sint64Kind:
		return f.whole(protowire.DecodeZigZag(n)), size, true
	}
	return f.whole(int64(n)), size, true
}

// whole is a whole number as the schema has it.
func (f *fieldReader) whole(n int64) any {
	switch f.schema.Type() {
	case data.Int8:
		return int8(n)
	case data.Int16:
		return int16(n)
	case data.Int32:
		return int32(n)
	}
	return n
}

// timestampFrom reads the two fields of a google.protobuf.Timestamp.
func timestampFrom(b []byte, d protoreflect.MessageDescriptor) (time.Time, bool) {
	var none time.Time
	if d.FullName() != timestampType {
		return none, false
	}
	var parts [3]int64
	for len(b) > 0 {
		n, wire, size := protowire.ConsumeTag(b)
		if size < 0 || n > 2 || wire != protowire.VarintType {
			return none, false
		}
		v, length := protowire.ConsumeVarint(b[size:])
		if length < 0 {
			return none, false
		}
		parts[n] = int64(v)
		b = b[size+length:]
	}
	t, err := timestampOf(parts[1], int64(int32(parts[2])))
	if err != nil {
		return none, false
	}
	made, ok := t.(time.Time)
	return made, ok
}
