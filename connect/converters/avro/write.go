package avro

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
)

// encoded is a logical value as the type that carries it.
func encoded(s *data.Schema, v any) (any, error) {
	if s == nil || !s.HasName() {
		return v, nil
	}
	invalid := func(what, want string) error {
		return data.DataException.Errorf("Invalid type for %s, expected %s but was class %s", what, want, data.ClassOf(v))
	}
	switch s.Name() {
	case data.DecimalName:
		d, ok := v.(data.Decimal)
		if !ok {
			return nil, invalid("Decimal", "BigDecimal")
		}
		return data.DecimalToBytes(s, d)
	case data.DateName:
		if t, ok := v.(time.Time); ok {
			return data.DateToDays(s, t)
		}
		return nil, invalid("Date", "Date")
	case data.TimeName:
		if t, ok := v.(time.Time); ok {
			return data.TimeToMillis(s, t)
		}
		return nil, invalid("Time", "Date")
	case data.TimestampName:
		if t, ok := v.(time.Time); ok {
			return data.TimestampToMillis(s, t)
		}
		return nil, invalid("Timestamp", "Date")
	}
	return v, nil
}

// writer writes values of a Connect schema as values of an Avro schema: AvroData.fromConnectData and Avro's GenericDatumWriter in one.
type writer struct {
	options
	from   *data.Schema
	to     *avroschema.Schema // without the union that makes it optional
	branch int                // of to in its union; negative: there is no union
	null   int                // the branch of null; negative: there is none
	parts  []*writer          // fields, elements, keys and values
}

// newWriter goes along both schemas.
func (o options) newWriter(from *data.Schema, to *avroschema.Schema) *writer {
	w := &writer{options: o, from: from, to: to, branch: -1, null: -1}
	if from == nil {
		w.to = anything
		return w
	}
	if to.Type == avroschema.Union {
		for i, b := range to.Branches {
			if b.Type == avroschema.Null {
				w.null = i
			} else {
				w.branch, w.to = i, b
			}
		}
		if from.Type() == data.StructType && isUnion(from) {
			w.unionParts(to)
			return w
		}
	}
	switch w.to.Type {
	case avroschema.Record:
		for i, f := range from.Fields() {
			w.parts = append(w.parts, o.newWriter(f.Schema, w.to.Fields[i].Schema))
		}
	case avroschema.Array:
		if from.Type() == data.MapType {
			w.parts = []*writer{o.newWriter(from.KeySchema(), w.to.Elem.Fields[0].Schema), o.newWriter(from.ValueSchema(), w.to.Elem.Fields[1].Schema)}
		} else {
			w.parts = []*writer{o.newWriter(from.ValueSchema(), w.to.Elem)}
		}
	case avroschema.Map:
		w.parts = []*writer{nil, o.newWriter(from.ValueSchema(), w.to.Elem)}
	}
	return w
}

// unionParts are the fields of a struct that stands for a union: the i-th is of the i-th branch that is not null.
func (w *writer) unionParts(to *avroschema.Schema) {
	w.to, w.branch = to, -1
	fields := w.from.Fields()
	for i, b := range to.Branches {
		if b.Type == avroschema.Null {
			continue
		}
		part := w.newWriter(fields[len(w.parts)].Schema, b)
		part.branch = i
		w.parts = append(w.parts, part)
	}
}

var errNull = data.DataException.Errorf("Found null value for non-optional schema")

// append appends a value that is not at the top, or not null.
func (w *writer) append(dst []byte, v any) ([]byte, error) {
	if w.from == nil {
		return w.appendAnything(dst, v)
	}
	if v == nil {
		if !w.from.Optional() {
			return dst, errNull
		}
		if w.null < 0 { // an optional part of a union
			return dst, errNull
		}
		return binary.AppendVarint(dst, int64(w.null)), nil
	}
	if w.branch >= 0 {
		dst = binary.AppendVarint(dst, int64(w.branch))
	}
	v, err := encoded(w.from, v)
	if err != nil {
		return dst, err
	}
	return w.appendValue(dst, v)
}

func (w *writer) wrong(v any) error {
	return data.DataException.Errorf("Invalid type for %s: class %s", w.from.Type(), data.ClassOf(v))
}

func (w *writer) appendValue(dst []byte, v any) ([]byte, error) {
	switch w.from.Type() {
	case data.Int8:
		if n, ok := v.(int8); ok {
			return binary.AppendVarint(dst, int64(n)), nil
		}
	case data.Int16:
		if n, ok := v.(int16); ok {
			return binary.AppendVarint(dst, int64(n)), nil
		}
	case data.Int32:
		if n, ok := v.(int32); ok {
			return binary.AppendVarint(dst, int64(n)), nil
		}
	case data.Int64:
		if n, ok := v.(int64); ok {
			return binary.AppendVarint(dst, n), nil
		}
	case data.Float32:
		if f, ok := v.(float32); ok {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(f)), nil
		}
	case data.Float64:
		if f, ok := v.(float64); ok {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
		}
	case data.Boolean:
		if b, ok := v.(bool); ok {
			if b {
				return append(dst, 1), nil
			}
			return append(dst, 0), nil
		}
	case data.String:
		if t, ok := v.(string); ok {
			return w.appendString(dst, t)
		}
	case data.Bytes:
		switch b := v.(type) {
		case []byte:
			return w.appendBytes(dst, b)
		case data.Buffer:
			return w.appendBytes(dst, b)
		}
	default:
		return w.appendNested(dst, v)
	}
	return dst, w.wrong(v)
}

func (w *writer) appendString(dst []byte, t string) ([]byte, error) {
	if w.to.Type != avroschema.Enum {
		return append(binary.AppendVarint(dst, int64(len(t))), t...), nil
	}
	i := w.to.Symbol(t)
	if i < 0 {
		return dst, data.SerializationException.Errorf("Unknown symbol in enum %s: %s", w.to.FullName(), t)
	}
	return binary.AppendVarint(dst, int64(i)), nil
}

func (w *writer) appendBytes(dst, b []byte) ([]byte, error) {
	if w.to.Type != avroschema.Fixed {
		return append(binary.AppendVarint(dst, int64(len(b))), b...), nil
	}
	if isDecimal(w.from) {
		if len(b) > w.to.Size {
			return dst, data.DataException.Errorf("Unscaled value byte array length %d is greater than fixed size %d", len(b), w.to.Size)
		}
		b = avroschema.TwosComplement(data.FromTwosComplement(b), w.to.Size)
	}
	if len(b) != w.to.Size {
		return dst, confluent.Misfit("a fixed of %d bytes has %d", w.to.Size, len(b))
	}
	return append(dst, b...), nil
}

func (w *writer) appendNested(dst []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case []any:
		if w.from.Type() == data.Array {
			return appendBlocks(dst, len(v), func(dst []byte, i int) ([]byte, error) { return w.parts[0].append(dst, v[i]) })
		}
	case *data.Map:
		if w.from.Type() == data.MapType {
			return w.appendMap(dst, v)
		}
	case *data.Struct:
		if w.from.Type() != data.StructType {
			break
		}
		if v.Schema() != w.from && !v.Schema().Equal(w.from) {
			return dst, data.DataException.Errorf("Mismatching struct schema")
		}
		if w.to.Type == avroschema.Union {
			return w.appendUnion(dst, v)
		}
		for i, part := range w.parts {
			if dst, err = part.append(dst, w.fieldValue(v, i)); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
	return dst, w.wrong(v)
}

// fieldValue is a field's value, or its default, unless nulls are to stay.
func (w *writer) fieldValue(st *data.Struct, i int) any {
	if v := st.At(i); v != nil || w.ignoreDefault {
		return v
	}
	return w.parts[i].from.Default()
}

// appendUnion appends the first field that is not null.
func (w *writer) appendUnion(dst []byte, st *data.Struct) ([]byte, error) {
	for i, part := range w.parts {
		if v := w.fieldValue(st, i); v != nil {
			return part.append(dst, v)
		}
	}
	if w.null < 0 {
		return dst, errNull
	}
	return binary.AppendVarint(dst, int64(w.null)), nil
}

// appendBlocks appends n elements in one block.
func appendBlocks(dst []byte, n int, one func(dst []byte, i int) ([]byte, error)) ([]byte, error) {
	if n > 0 {
		dst = binary.AppendVarint(dst, int64(n))
	}
	var err error
	for i := range n {
		if dst, err = one(dst, i); err != nil {
			return dst, err
		}
	}
	return append(dst, 0), nil
}

func (w *writer) appendMap(dst []byte, m *data.Map) ([]byte, error) {
	entries := m.Entries()
	if w.to.Type == avroschema.Map {
		entries = confluent.HashOrder(entries, 16)
	}
	return appendBlocks(dst, len(entries), func(dst []byte, i int) (_ []byte, err error) {
		e := entries[i]
		if w.to.Type == avroschema.Map {
			k, ok := e.Key.(string)
			if !ok {
				return dst, w.wrong(e.Key)
			}
			dst = append(binary.AppendVarint(dst, int64(len(k))), k...)
		} else if dst, err = w.parts[0].append(dst, e.Key); err != nil {
			return dst, err
		}
		return w.parts[1].append(dst, e.Value)
	})
}

// appendAnything appends a value without a schema.
func (w *writer) appendAnything(dst []byte, v any) ([]byte, error) {
	at, value := -1, any(nil)
	switch v := v.(type) {
	case nil:
	case bool:
		at, value = 0, v
	case float64:
		at, value = 2, v
	case float32:
		at, value = 3, v
	case int8:
		at, value = 4, int32(v)
	case int16:
		at, value = 4, int32(v)
	case int32:
		at, value = 4, v
	case int64:
		at, value = 5, v
	case string:
		at, value = 6, v
	case []any:
		at = 7
	case *data.Map:
		at = 8
	default:
		return dst, data.DataException.Errorf("Unknown Java type for schemaless data: class %s", data.ClassOf(v))
	}
	for i, f := range anything.Fields {
		if i != at {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 2)
		var err error
		switch v := v.(type) {
		case []any:
			dst, err = appendBlocks(dst, len(v), func(dst []byte, i int) ([]byte, error) { return w.appendAnything(dst, v[i]) })
		case *data.Map:
			entries := v.Entries()
			dst, err = appendBlocks(dst, len(entries), func(dst []byte, i int) ([]byte, error) {
				dst, err := w.appendAnything(dst, entries[i].Key)
				if err != nil {
					return dst, err
				}
				return w.appendAnything(dst, entries[i].Value)
			})
		default:
			dst, err = f.Schema.Branches[1].Append(dst, value)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}
