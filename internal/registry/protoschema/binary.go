package protoschema

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// InOrder tells whether Go's own encoder writes the fields of a message, and of those in it, in the order of their numbers, as Java's does:
// Go writes a oneof where its first field is.
func InOrder(m protoreflect.MessageDescriptor) bool {
	return inOrder(m, map[protoreflect.FullName]bool{})
}

func inOrder(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[m.FullName()] {
		return true
	}
	seen[m.FullName()] = true
	for i := range m.Oneofs().Len() {
		o := m.Oneofs().Get(i)
		least, most := protoreflect.FieldNumber(math.MaxInt32), protoreflect.FieldNumber(0)
		for j := range o.Fields().Len() {
			least, most = min(least, o.Fields().Get(j).Number()), max(most, o.Fields().Get(j).Number())
		}
		for j := range m.Fields().Len() {
			if f := m.Fields().Get(j); f.ContainingOneof() != o && f.Number() > least && f.Number() < most {
				return false
			}
		}
	}
	for i := range m.Fields().Len() {
		if sub := m.Fields().Get(i).Message(); sub != nil && !inOrder(sub, seen) {
			return false
		}
	}
	return true
}

// Append appends a message's binary form with its fields in the order of their numbers, as Java writes it; entries of maps are in the order
// of their keys, unknown fields come last.
func Append(dst []byte, m protoreflect.Message) []byte {
	type entry struct {
		fd protoreflect.FieldDescriptor
		v  protoreflect.Value
	}
	var room [16]entry
	list := room[:0]
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		list = append(list, entry{fd, v})
		return true
	})
	slices.SortFunc(list, func(a, b entry) int { return cmp.Compare(a.fd.Number(), b.fd.Number()) })
	for _, e := range list {
		dst = appendField(dst, e.fd, e.v)
	}
	return append(dst, m.GetUnknown()...)
}

func appendField(dst []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch {
	case fd.IsMap():
		return appendMap(dst, fd, v.Map())
	case fd.IsList():
		list := v.List()
		if !fd.IsPacked() {
			for i := range list.Len() {
				dst = appendSingle(dst, fd, list.Get(i))
			}
			return dst
		}
		var packed []byte
		for i := range list.Len() {
			packed = appendScalar(packed, fd, list.Get(i))
		}
		return protowire.AppendBytes(protowire.AppendTag(dst, fd.Number(), protowire.BytesType), packed)
	}
	return appendSingle(dst, fd, v)
}

func appendMap(dst []byte, fd protoreflect.FieldDescriptor, m protoreflect.Map) []byte {
	var keys []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		keys = append(keys, k)
		return true
	})
	slices.SortFunc(keys, compareKeys)
	for _, k := range keys {
		entry := appendSingle(nil, fd.MapKey(), k.Value())
		entry = appendSingle(entry, fd.MapValue(), m.Get(k))
		dst = protowire.AppendBytes(protowire.AppendTag(dst, fd.Number(), protowire.BytesType), entry)
	}
	return dst
}

func compareKeys(a, b protoreflect.MapKey) int {
	switch x := a.Interface().(type) {
	case string:
		return cmp.Compare(x, b.String())
	case int32, int64:
		return cmp.Compare(a.Int(), b.Int())
	case uint32, uint64:
		return cmp.Compare(a.Uint(), b.Uint())
	case bool:
		if x == b.Bool() {
			return 0
		} else if b.Bool() {
			return -1
		}
	}
	return 1
}

func appendSingle(dst []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	number := fd.Number()
	switch fd.Kind() {
	case protoreflect.MessageKind:
		return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), Append(nil, v.Message()))
	case protoreflect.GroupKind:
		dst = Append(protowire.AppendTag(dst, number, protowire.StartGroupType), v.Message())
		return protowire.AppendTag(dst, number, protowire.EndGroupType)
	}
	return appendScalar(protowire.AppendTag(dst, number, wireType(fd.Kind())), fd, v)
}

func wireType(k protoreflect.Kind) protowire.Type {
	switch k {
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	case protoreflect.StringKind, protoreflect.BytesKind:
		return protowire.BytesType
	}
	return protowire.VarintType
}

func appendScalar(dst []byte, fd protoreflect.FieldDescriptor, v protoreflect.Value) []byte {
	switch fd.Kind() {
	case protoreflect.BoolKind:
		return protowire.AppendVarint(dst, protowire.EncodeBool(v.Bool()))
	case protoreflect.EnumKind:
		return protowire.AppendVarint(dst, uint64(v.Enum()))
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return protowire.AppendVarint(dst, uint64(v.Int()))
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		return protowire.AppendVarint(dst, v.Uint())
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.AppendVarint(dst, protowire.EncodeZigZag(v.Int()))
	case protoreflect.Fixed32Kind:
		return protowire.AppendFixed32(dst, uint32(v.Uint()))
	case protoreflect.Sfixed32Kind:
		return protowire.AppendFixed32(dst, uint32(v.Int()))
	case protoreflect.Fixed64Kind:
		return protowire.AppendFixed64(dst, v.Uint())
	case protoreflect.Sfixed64Kind:
		return protowire.AppendFixed64(dst, uint64(v.Int()))
	case protoreflect.FloatKind:
		return protowire.AppendFixed32(dst, math.Float32bits(float32(v.Float())))
	case protoreflect.DoubleKind:
		return protowire.AppendFixed64(dst, math.Float64bits(v.Float()))
	case protoreflect.StringKind:
		return protowire.AppendString(dst, v.String())
	}
	return protowire.AppendBytes(dst, v.Bytes())
}

// Unmarshal reads a message whose type is known only at run time. Bytes that google.golang.org/protobuf panics at, such as a map's entry whose
// key has another wire type, are an error; it never blocks, so that no other panic is caught.
func Unmarshal(b []byte, m proto.Message) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the bytes are no %s: %v", m.ProtoReflect().Descriptor().FullName(), p)
		}
	}()
	return proto.Unmarshal(b, m)
}
