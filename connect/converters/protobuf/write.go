package protobuf

import (
	"cmp"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// writer writes structs of a Connect schema as a message: ProtobufData.fromConnectData and the message's toByteArray in one.
type writer struct {
	options
	schema *data.Schema
	slots  []slot // in the order of numbers
}

// slot is where a field's value goes: a field of the message.
type slot struct {
	index  int // of the Connect field
	member int // of that union's field; negative: it is none
	value  *valueWriter
}

// valueWriter writes a value of a schema as a field.
type valueWriter struct {
	options
	schema *data.Schema
	fd     protoreflect.FieldDescriptor
	wrap   bool         // as a message of google/protobuf/wrappers.proto
	inner  *writer      // of structs
	elem   *valueWriter // of lists
	key    *valueWriter // of maps
	val    *valueWriter
}

func (o options) newWriter(s *data.Schema, m protoreflect.MessageDescriptor) (*writer, error) {
	w := &writer{options: o, schema: s}
	for i, f := range s.Fields() {
		if f.Schema.Type() == data.StructType && isUnion(f.Schema) {
			for j, member := range f.Schema.Fields() {
				v, err := o.newField(member.Schema, m, member.Name, true)
				if err != nil {
					return nil, err
				}
				w.slots = append(w.slots, slot{i, j, v})
			}
			continue
		}
		v, err := o.newField(f.Schema, m, f.Name, false)
		if err != nil {
			return nil, err
		}
		w.slots = append(w.slots, slot{i, -1, v})
	}
	slices.SortStableFunc(w.slots, func(a, b slot) int { return cmp.Compare(a.value.fd.Number(), b.value.fd.Number()) })
	return w, nil
}

func (o options) newField(s *data.Schema, m protoreflect.MessageDescriptor, name string, member bool) (*valueWriter, error) {
	fd := m.Fields().ByName(protoreflect.Name(o.scrubbed(name)))
	if fd == nil {
		return nil, data.DataException.Errorf("Cannot find field with name %s", name)
	}
	return o.newValue(s, fd, member)
}

func (o options) newValue(s *data.Schema, fd protoreflect.FieldDescriptor, member bool) (_ *valueWriter, err error) {
	w := &valueWriter{options: o, schema: s, fd: fd}
	switch s.Type() {
	case data.Array:
		w.elem, err = o.newValue(s.ValueSchema(), fd, false)
	case data.MapType:
		if w.key, err = o.newField(s.KeySchema(), fd.Message(), keyField, false); err == nil {
			w.val, err = o.newField(s.ValueSchema(), fd.Message(), valueField, false)
		}
	case data.StructType:
		w.inner, err = o.newWriter(s, fd.Message())
	default:
		_, logical := logicalTypes[s.Name()]
		w.wrap = !logical && !isEnum(s) && o.wrapped(s, member)
	}
	return w, err
}

// append appends a struct's fields.
func (w *writer) append(dst []byte, v any) ([]byte, error) {
	st, ok := v.(*data.Struct)
	if !ok {
		return dst, wrong(w.schema, v)
	}
	if st.Schema() != w.schema && !st.Schema().Equal(w.schema) {
		return dst, data.DataException.Errorf("Mismatching struct schema")
	}
	var err error
	for _, s := range w.slots {
		v := w.get(st, s.index)
		if s.member >= 0 && v != nil {
			if v, err = w.chosen(v, s.member, w.schema.Fields()[s.index].Schema); err != nil {
				return dst, err
			}
		}
		if v == nil {
			continue
		}
		if dst, err = s.value.append(dst, v); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// get is a field's value, or its default, unless nulls are to stay.
func (w *writer) get(st *data.Struct, i int) any {
	if w.ignoreDefault {
		return st.At(i)
	}
	return st.Value(st.Schema().Fields()[i])
}

// chosen is the value of a union's member if it is the first that is not null, else nil.
func (w *writer) chosen(v any, member int, s *data.Schema) (any, error) {
	st, ok := v.(*data.Struct)
	if !ok {
		return nil, wrong(s, v)
	}
	if st.Schema() != s && !st.Schema().Equal(s) {
		return nil, data.DataException.Errorf("Mismatching struct schema")
	}
	for i := range s.Fields() {
		if v := w.get(st, i); v != nil {
			if i == member {
				return v, nil
			}
			return nil, nil
		}
	}
	return nil, data.DataException.Errorf("Cannot find non-null field")
}

func wrong(s *data.Schema, v any) error {
	return data.DataException.Errorf("Invalid type for %s: class %s", s.Type(), data.ClassOf(v))
}

// append appends a value that is not null, with its tag.
func (w *valueWriter) append(dst []byte, v any) ([]byte, error) {
	number := w.fd.Number()
	if _, ok := logicalTypes[w.schema.Name()]; ok {
		b, err := logical(w.schema, v)
		return appendMessage(dst, number, b), err
	}
	switch w.schema.Type() {
	case data.StructType:
		b, err := w.inner.append(nil, v)
		return appendMessage(dst, number, b), err
	case data.Array:
		return w.appendList(dst, v)
	case data.MapType:
		return w.appendMap(dst, v)
	}
	if w.wrap {
		b, err := w.wrapper(v)
		return appendMessage(dst, number, b), err
	}
	n, text, err := w.scalar(v)
	if err != nil {
		return dst, err
	}
	if !w.fd.HasPresence() && !w.fd.IsList() && n == 0 && text == "" {
		return dst, nil
	}
	return appendScalar(protowire.AppendTag(dst, number, wireType(w.fd.Kind())), w.fd.Kind(), n, text), nil
}

func appendMessage(dst []byte, number protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(dst, number, protowire.BytesType), b)
}

func (w *valueWriter) appendList(dst []byte, v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok {
		return dst, wrong(w.schema, v)
	}
	if len(list) == 0 {
		return dst, nil
	}
	if slices.Contains(list, nil) {
		return dst, data.NullPointerException.Errorf("a null in a list: Protobuf has none")
	}
	if !w.fd.IsPacked() {
		for _, e := range list {
			var err error
			if dst, err = w.elem.append(dst, e); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
	var packed []byte
	for _, e := range list {
		n, text, err := w.elem.scalar(e)
		if err != nil {
			return dst, err
		}
		packed = appendScalar(packed, w.fd.Kind(), n, text)
	}
	return appendMessage(dst, w.fd.Number(), packed), nil
}

func (w *valueWriter) appendMap(dst []byte, v any) ([]byte, error) {
	m, ok := v.(*data.Map)
	if !ok {
		return dst, wrong(w.schema, v)
	}
	for _, e := range m.Entries() {
		var b []byte
		var err error
		if e.Key != nil {
			if b, err = w.key.append(b, e.Key); err != nil {
				return dst, err
			}
		}
		if e.Value != nil {
			if b, err = w.val.append(b, e.Value); err != nil {
				return dst, err
			}
		}
		dst = appendMessage(dst, w.fd.Number(), b)
	}
	return dst, nil
}

// scalar is a value as the bits of a number, or as text or bytes. For a float they are those of its type.
func (w *valueWriter) scalar(v any) (n uint64, text string, err error) {
	s := w.schema
	if w.fd.Kind() == protoreflect.EnumKind {
		return w.enum(v)
	}
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		n, ok := integer(v)
		if !ok {
			return 0, "", wrong(s, v)
		}
		if s.Type() != data.Int64 {
			n = int64(int32(n))
		}
		return uint64(n), "", nil
	case data.Float32, data.Float64:
		f, ok := float(v)
		if !ok {
			return 0, "", wrong(s, v)
		}
		if w.fd.Kind() == protoreflect.FloatKind || w.wrap && s.Type() == data.Float32 {
			return uint64(math.Float32bits(float32(f))), "", nil
		}
		return math.Float64bits(f), "", nil
	case data.Boolean:
		if b, ok := v.(bool); ok {
			return protowire.EncodeBool(b), "", nil
		}
	case data.String:
		if t, ok := v.(string); ok {
			return 0, t, nil
		}
	case data.Bytes:
		switch b := v.(type) {
		case []byte:
			return 0, string(b), nil
		case data.Buffer:
			return 0, string(b), nil
		}
	}
	return 0, "", wrong(s, v)
}

// enum is the number of a symbol, or a number itself.
func (w *valueWriter) enum(v any) (uint64, string, error) {
	values := w.fd.Enum().Values()
	if t, ok := v.(string); ok {
		if e := values.ByName(protoreflect.Name(t)); e != nil {
			return uint64(e.Number()), "", nil
		}
		return 0, "", confluent.Misfit("the enum %s has no symbol %q", w.fd.Enum().FullName(), t)
	}
	n, ok := integer(v)
	if !ok {
		return 0, "", wrong(w.schema, v)
	}
	if values.ByNumber(protoreflect.EnumNumber(n)) == nil { // Java leaves the field out
		return 0, "", nil
	}
	return uint64(n), "", nil
}

func integer(v any) (int64, bool) {
	switch n := v.(type) {
	case int8:
		return int64(n), true
	case int16:
		return int64(n), true
	case int32:
		return int64(n), true
	case int64:
		return n, true
	case float32:
		return data.DoubleToLong(float64(n)), true
	case float64:
		return data.DoubleToLong(n), true
	}
	return 0, false
}

func float(v any) (float64, bool) {
	switch f := v.(type) {
	case float32:
		return float64(f), true
	case float64:
		return f, true
	}
	n, ok := integer(v)
	return float64(n), ok
}

// wrapper is the message of google/protobuf/wrappers.proto around a value: its field 1, unless it is zero.
func (w *valueWriter) wrapper(v any) ([]byte, error) {
	n, text, err := w.scalar(v)
	if err != nil || n == 0 && text == "" {
		return nil, err
	}
	kind := w.fd.Message().Fields().ByNumber(1).Kind()
	if kind == protoreflect.Uint32Kind {
		kind, n = protoreflect.Int32Kind, uint64(int64(int32(n))) // Confluent puts an Int32Value there
	}
	return appendScalar(protowire.AppendTag(nil, 1, wireType(kind)), kind, n, text), nil
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

func appendScalar(dst []byte, k protoreflect.Kind, n uint64, text string) []byte {
	switch wireType(k) {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(dst, uint32(n))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(dst, n)
	case protowire.BytesType:
		return protowire.AppendString(dst, text)
	}
	switch k {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		n = protowire.EncodeZigZag(int64(n))
	case protoreflect.Uint32Kind:
		n = uint64(uint32(n))
	}
	return protowire.AppendVarint(dst, n)
}

// fields appends numbers as varint fields of a message; zeros are left out.
func fields(dst []byte, numbers ...int64) []byte {
	for i, n := range numbers {
		if n != 0 {
			dst = protowire.AppendVarint(protowire.AppendTag(dst, protowire.Number(i+1), protowire.VarintType), uint64(n))
		}
	}
	return dst
}

// logical is the message of a value of a logical type.
func logical(s *data.Schema, v any) ([]byte, error) {
	if s.Name() == data.DecimalName {
		d, ok := v.(data.Decimal)
		if !ok {
			return nil, data.DataException.Errorf("Invalid type for Decimal, expected BigDecimal but was class %s", data.ClassOf(v))
		}
		b := appendMessage(nil, 1, data.TwosComplement(d.Unscaled()))
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(d.Precision()))
		if d.Scale() != 0 {
			b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), uint64(int64(d.Scale())))
		}
		return b, nil
	}
	t, ok := v.(time.Time)
	if !ok {
		what := s.Name()[len("org.apache.kafka.connect.data."):]
		return nil, data.DataException.Errorf("Invalid type for %s, expected Date but was class %s", what, data.ClassOf(v))
	}
	t = t.UTC()
	switch s.Name() {
	case data.DateName:
		if t.Hour() != 0 || t.Minute() != 0 || t.Second() != 0 || t.Nanosecond() >= int(time.Millisecond) {
			return nil, data.DataException.Errorf("Kafka Connect Date type should not have any time fields set to non-zero values.")
		}
		return fields(nil, int64(t.Year()), int64(t.Month()), int64(t.Day())), nil
	case data.TimeName:
		if ms := t.UnixMilli(); ms < 0 || ms > 24*60*60*1000 {
			return nil, data.DataException.Errorf("Time values must use number of millis greater than 0 and less than 86400000")
		}
		return fields(nil, int64(t.Hour()), int64(t.Minute()), int64(t.Second()), int64(t.Nanosecond())), nil
	}
	ms, err := data.TimestampToMillis(s, t)
	if err != nil {
		return nil, err
	}
	seconds := ms / 1000
	nanos := ms % 1000 * int64(time.Millisecond)
	if nanos < 0 {
		seconds, nanos = seconds-1, nanos+int64(time.Second)
	}
	return fields(nil, seconds, nanos), nil
}
