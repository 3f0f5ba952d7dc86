package jsonschema

import (
	"encoding/base64"
	"strconv"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// append writes a value as JSON: JsonSchemaData.fromConnectData and Jackson in one. What Java leaves out, a null in a required field, is
// told by missing.
func (o options) append(dst []byte, s *data.Schema, v any) ([]byte, error) {
	if v == nil {
		if s != nil && s.Default() != nil && !o.ignoreDefault {
			return o.append(dst, s, s.Default())
		}
		return append(dst, "null"...), nil
	}
	if s != nil && s.HasName() {
		if out, ok, err := o.logical(dst, s, v); ok || err != nil {
			return out, err
		}
	}
	t := data.Type(0)
	if s != nil {
		t = s.Type()
	}
	out, ok, err := o.value(dst, s, t, v)
	if err == nil && !ok {
		what := "unknown schema"
		if s != nil {
			what = t.String()
		}
		err = data.DataException.Errorf("Invalid type for %s: class %s", what, data.ClassOf(v))
	}
	return out, err
}

// missing tells whether a null is left out: it is required, and has no default.
func (o options) missing(s *data.Schema, v any) bool {
	return v == nil && (s == nil || !s.Optional() && (s.Default() == nil || o.ignoreDefault))
}

// logical writes a value of a logical type; ok is false where the name is none of theirs.
func (o options) logical(dst []byte, s *data.Schema, v any) (_ []byte, ok bool, err error) {
	if s.Name() == data.DecimalName {
		d, ok := v.(data.Decimal)
		if !ok {
			return dst, true, data.DataException.Errorf("Invalid type for Decimal, expected BigDecimal but was class %s", data.ClassOf(v))
		}
		if o.numeric {
			return d.Append(dst), true, nil
		}
		b, err := data.DecimalToBytes(s, d)
		return appendBytes(dst, b), true, err
	}
	var n int64
	what := ""
	t, isTime := v.(time.Time)
	switch s.Name() {
	case data.DateName:
		what = "Date"
		if isTime {
			var days int32
			days, err = data.DateToDays(s, t)
			n = int64(days)
		}
	case data.TimeName:
		what = "Time"
		if isTime {
			var ms int32
			ms, err = data.TimeToMillis(s, t)
			n = int64(ms)
		}
	case data.TimestampName:
		what = "Timestamp"
		if isTime {
			n, err = data.TimestampToMillis(s, t)
		}
	default:
		return dst, false, nil
	}
	if !isTime {
		err = data.DataException.Errorf("Invalid type for %s, expected Date but was class %s", what, data.ClassOf(v))
	}
	return strconv.AppendInt(dst, n, 10), true, err
}

func appendBytes(dst, b []byte) []byte {
	dst = append(dst, '"')
	return append(base64.StdEncoding.AppendEncode(dst, b), '"')
}

// value writes a value of a type; 0 is any. ok is false where it is not of the type.
func (o options) value(dst []byte, s *data.Schema, t data.Type, v any) (_ []byte, ok bool, err error) {
	is := func(want data.Type) bool { return t == want || t == 0 }
	switch v := v.(type) {
	case int8:
		return strconv.AppendInt(dst, int64(v), 10), is(data.Int8), nil
	case int16:
		return strconv.AppendInt(dst, int64(v), 10), is(data.Int16), nil
	case int32:
		return strconv.AppendInt(dst, int64(v), 10), is(data.Int32), nil
	case int64:
		return strconv.AppendInt(dst, v, 10), is(data.Int64), nil
	case float32:
		return jackson.AppendFloat(dst, v), is(data.Float32), nil
	case float64:
		return jackson.AppendDouble(dst, v), is(data.Float64), nil
	case bool:
		return strconv.AppendBool(dst, v), is(data.Boolean), nil
	case string:
		return jackson.AppendString(dst, v), is(data.String), nil
	case []byte:
		return appendBytes(dst, v), is(data.Bytes), nil
	case data.Buffer:
		return appendBytes(dst, v), is(data.Bytes), nil
	case data.Decimal:
		return v.Append(dst), t == data.Bytes, nil
	case []any:
		if !is(data.Array) {
			return dst, false, nil
		}
		out, err := o.appendList(dst, s, v)
		return out, true, err
	case *data.Map:
		if !is(data.MapType) {
			return dst, false, nil
		}
		out, err := o.appendMapping(dst, s, v)
		return out, true, err
	case *data.Struct:
		if t != data.StructType {
			return dst, false, nil
		}
		out, err := o.appendStructure(dst, s, v)
		return out, true, err
	}
	return dst, false, nil
}

func (o options) appendList(dst []byte, s *data.Schema, list []any) ([]byte, error) {
	var elem *data.Schema
	if s != nil {
		elem = s.ValueSchema()
	}
	dst = append(dst, '[')
	for i, e := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = o.append(dst, elem, e); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), nil
}

func (o options) appendMapping(dst []byte, s *data.Schema, m *data.Map) ([]byte, error) {
	var keys, values *data.Schema
	object := true
	if s != nil {
		keys, values, object = s.KeySchema(), s.ValueSchema(), stringKeys(s)
	} else {
		for _, e := range m.Entries() {
			_, text := e.Key.(string)
			object = object && text
		}
	}
	open, end := byte('['), byte(']')
	if object {
		open, end = '{', '}'
	}
	dst = append(dst, open)
	for i, e := range m.Entries() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = o.entry(dst, keys, values, e, object); err != nil {
			return dst, err
		}
	}
	return append(dst, end), nil
}

func (o options) entry(dst []byte, keys, values *data.Schema, e data.Entry, object bool) (_ []byte, err error) {
	if !object {
		dst = append(dst, `{"key":`...)
	}
	if object {
		k, ok := e.Key.(string)
		if !ok {
			return dst, data.DataException.Errorf("Invalid type for STRING: class %s", data.ClassOf(e.Key))
		}
		dst = jackson.AppendString(dst, k)
	} else if dst, err = o.append(dst, keys, e.Key); err != nil {
		return dst, err
	}
	if object {
		dst = append(dst, ':')
	} else {
		dst = append(dst, `,"value":`...)
	}
	if dst, err = o.append(dst, values, e.Value); err == nil && !object {
		dst = append(dst, '}')
	}
	return dst, err
}

func (o options) appendStructure(dst []byte, s *data.Schema, st *data.Struct) ([]byte, error) {
	if st.Schema() != s && !st.Schema().Equal(s) {
		return dst, data.DataException.Errorf("Mismatching schema.")
	}
	get := func(f *data.Field) any {
		if o.ignoreDefault {
			return st.At(f.Index)
		}
		return st.Value(f)
	}
	if isUnion(s) {
		for _, f := range s.Fields() {
			if v := get(f); v != nil {
				return o.append(dst, f.Schema, v)
			}
		}
		return o.append(dst, s, nil)
	}
	dst = append(dst, '{')
	first := true
	for _, f := range s.Fields() {
		v := get(f)
		if o.missing(f.Schema, v) {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(jackson.AppendString(dst, f.Name), ':')
		var err error
		if dst, err = o.append(dst, f.Schema, v); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}
