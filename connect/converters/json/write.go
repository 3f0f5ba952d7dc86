package json

import (
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// typeName is the name of a type in JSON; float32 and float64 have others than in Kafka's schemas.
func typeName(t data.Type) string {
	switch t {
	case data.Float32:
		return "float"
	case data.Float64:
		return "double"
	}
	return t.Name()
}

// text is a schema's JSON.
type text struct {
	schema *data.Schema
	json   []byte
}

// appendSchema appends a schema's JSON. It is kept, by the schema's identity and by its content: connectors send the same schemas again and
// again.
func (c *Converter) appendSchema(b []byte, s *data.Schema) ([]byte, error) {
	if s == nil {
		return append(b, "null"...), nil
	}
	if json, ok := c.written.get(s); ok {
		return append(b, json...), nil
	}
	if t, ok := c.equals.get(s.Hash()); ok && t.schema.Equal(s) && sameOrder(t.schema, s) {
		c.written.put(s, t.json)
		return append(b, t.json...), nil
	}
	from := len(b)
	b, err := c.appendMembers(append(b, '{'), s)
	if err != nil {
		return nil, err
	}
	b = append(b, '}')
	json := append([]byte(nil), b[from:]...)
	c.written.put(s, json)
	c.equals.put(s.Hash(), text{s, json})
	return b, nil
}

// sameOrder says whether the parameters of equal schemas come in the same order; those of inner schemas are not looked at, as Kafka's cache
// does not either.
func sameOrder(a, b *data.Schema) bool { return slices.Equal(a.Parameters(), b.Parameters()) }

func (c *Converter) appendMembers(b []byte, s *data.Schema) (_ []byte, err error) {
	b = append(append(append(b, `"type":"`...), typeName(s.Type())...), '"')
	switch s.Type() {
	case data.Array:
		b, err = c.appendSchema(append(b, `,"items":`...), s.ValueSchema())
	case data.MapType:
		if b, err = c.appendSchema(append(b, `,"keys":`...), s.KeySchema()); err == nil {
			b, err = c.appendSchema(append(b, `,"values":`...), s.ValueSchema())
		}
	case data.StructType:
		b, err = c.appendFields(b, s)
	}
	if err != nil {
		return nil, err
	}
	b = strconv.AppendBool(append(b, `,"optional":`...), s.Optional())
	if s.HasName() {
		b = jackson.AppendString(append(b, `,"name":`...), s.Name())
	}
	if v, ok := s.Version(); ok {
		b = strconv.AppendInt(append(b, `,"version":`...), int64(v), 10)
	}
	if d, ok := s.Doc(); ok {
		b = jackson.AppendString(append(b, `,"doc":`...), d)
	}
	if s.Parameters() != nil {
		b = append(b, `,"parameters":{`...)
		for i, p := range s.Parameters() {
			if i > 0 {
				b = append(b, ',')
			}
			b = jackson.AppendString(append(jackson.AppendString(b, p.Key), ':'), p.Value)
		}
		b = append(b, '}')
	}
	if s.Default() != nil {
		b, err = c.appendValue(append(b, `,"default":`...), s, s.Default())
	}
	return b, err
}

func (c *Converter) appendFields(b []byte, s *data.Schema) (_ []byte, err error) {
	b = append(b, `,"fields":[`...)
	for i, f := range s.Fields() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendMembers(append(b, '{'), f.Schema); err != nil {
			return nil, err
		}
		b = append(jackson.AppendString(append(b, `,"field":`...), f.Name), '}')
	}
	return append(b, ']'), nil
}

func (c *Converter) appendValue(b []byte, s *data.Schema, v any) ([]byte, error) {
	if v == nil {
		switch {
		case s == nil:
			return append(b, "null"...), nil
		case s.Default() != nil && c.defaults:
			return c.appendValue(b, s, s.Default())
		case s.Optional():
			return append(b, "null"...), nil
		}
		return nil, data.DataException.Errorf("Conversion error: null value for field that is required and has no default value")
	}
	if s != nil && s.Logical() != 0 {
		return c.appendLogical(b, s, v)
	}
	return c.appendPlain(b, s, v)
}

// appendPlain appends a value that is of no logical type. The Go type must be that of the schema, if there is one.
func (c *Converter) appendPlain(b []byte, s *data.Schema, v any) ([]byte, error) {
	var t data.Type
	switch v := v.(type) {
	case int8:
		t, b = data.Int8, strconv.AppendInt(b, int64(v), 10)
	case int16:
		t, b = data.Int16, strconv.AppendInt(b, int64(v), 10)
	case int32:
		t, b = data.Int32, strconv.AppendInt(b, int64(v), 10)
	case int64:
		t, b = data.Int64, strconv.AppendInt(b, v, 10)
	case float32:
		t, b = data.Float32, jackson.AppendFloat(b, v)
	case float64:
		t, b = data.Float64, jackson.AppendDouble(b, v)
	case bool:
		t, b = data.Boolean, strconv.AppendBool(b, v)
	case string:
		t, b = data.String, jackson.AppendString(b, v)
	case []byte:
		t, b = data.Bytes, appendBase64(b, v)
	case data.Buffer:
		t, b = data.Bytes, appendBase64(b, v)
	default:
		return c.appendCollection(b, s, v)
	}
	if s != nil && s.Type() != t {
		return nil, wrongType(s, v)
	}
	return b, nil
}

func (c *Converter) appendCollection(b []byte, s *data.Schema, v any) ([]byte, error) {
	t := data.TypeOf(v)
	switch {
	case s != nil && s.Type() != t:
		return nil, wrongType(s, v)
	case t == 0:
		return nil, data.DataException.Errorf("Java class class %s does not have corresponding schema type.", data.ClassOf(v))
	}
	switch v := v.(type) {
	case []any:
		return c.appendList(b, s, v)
	case *data.Map:
		return c.appendMap(b, s, v)
	}
	return c.appendStruct(b, s, v.(*data.Struct))
}

func wrongType(s *data.Schema, v any) error {
	if s.Type() == data.Bytes {
		return data.DataException.Errorf("Invalid type for bytes type: class %s", data.ClassOf(v))
	}
	return data.DataException.Errorf("Invalid type for %s: class %s", s.Type(), data.ClassOf(v))
}

func appendBase64(b, raw []byte) []byte {
	return append(base64.StdEncoding.AppendEncode(append(b, '"'), raw), '"')
}

func (c *Converter) appendLogical(b []byte, s *data.Schema, v any) ([]byte, error) {
	if s.Logical() == data.LogicalDecimal {
		d, ok := v.(data.Decimal)
		if !ok {
			return nil, data.DataException.Errorf("Invalid type for Decimal, expected BigDecimal but was class %s", data.ClassOf(v))
		}
		if c.numeric {
			return d.Append(b), nil
		}
		raw, err := data.DecimalToBytes(s, d)
		if err != nil {
			return nil, err
		}
		return appendBase64(b, raw), nil
	}
	t, ok := v.(time.Time)
	if !ok {
		short := s.Name()[len("org.apache.kafka.connect.data."):]
		return nil, data.DataException.Errorf("Invalid type for %s, expected Date but was class %s", short, data.ClassOf(v))
	}
	n, err := momentNumber(s, t)
	return strconv.AppendInt(b, n, 10), err
}

func momentNumber(s *data.Schema, t time.Time) (int64, error) {
	switch s.Logical() {
	case data.LogicalDate:
		n, err := data.DateToDays(s, t)
		return int64(n), err
	case data.LogicalTime:
		n, err := data.TimeToMillis(s, t)
		return int64(n), err
	}
	return data.TimestampToMillis(s, t)
}

func (c *Converter) appendList(b []byte, s *data.Schema, list []any) (_ []byte, err error) {
	var elements *data.Schema
	if s != nil {
		elements = s.ValueSchema()
	}
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendValue(b, elements, e); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func (c *Converter) appendMap(b []byte, s *data.Schema, m *data.Map) ([]byte, error) {
	var keys, values *data.Schema
	object := true
	if s != nil {
		keys, values = s.KeySchema(), s.ValueSchema()
		if keys == nil {
			return nil, data.NullPointerException.Errorf("the schema of the keys is not known")
		}
		object = keys.Type() == data.String
	} else {
		for _, e := range m.Entries() {
			if _, ok := e.Key.(string); !ok {
				object = false
				break
			}
		}
	}
	if !object {
		return c.appendPairs(b, keys, values, m)
	}
	return c.appendObject(b, keys, values, m)
}

func (c *Converter) appendPairs(b []byte, keys, values *data.Schema, m *data.Map) (_ []byte, err error) {
	b = append(b, '[')
	for i, e := range m.Entries() {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = c.appendValue(append(b, '['), keys, e.Key); err != nil {
			return nil, err
		}
		if b, err = c.appendValue(append(b, ','), values, e.Value); err != nil {
			return nil, err
		}
		b = append(b, ']')
	}
	return append(b, ']'), nil
}

func (c *Converter) appendObject(b []byte, keys, values *data.Schema, m *data.Map) (_ []byte, err error) {
	b = append(b, '{')
	for i, e := range m.Entries() {
		if i > 0 {
			b = append(b, ',')
		}
		from := len(b)
		if b, err = c.appendValue(b, keys, e.Key); err != nil {
			return nil, err
		}
		if b[from] != '"' { // null, or a number under a logical name: its text is the name
			text := string(b[from:])
			b = jackson.AppendString(b[:from], text)
		}
		if b, err = c.appendValue(append(b, ':'), values, e.Value); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func (c *Converter) appendStruct(b []byte, s *data.Schema, st *data.Struct) (_ []byte, err error) {
	if !st.Schema().Equal(s) {
		return nil, data.DataException.Errorf("Mismatching schema.")
	}
	for i, name := range c.namesOf(s) {
		b = append(b, name...)
		if b, err = c.appendValue(b, s.Fields()[i].Schema, st.At(i)); err != nil {
			return nil, err
		}
	}
	if len(s.Fields()) == 0 {
		b = append(b, '{')
	}
	return append(b, '}'), nil
}

// namesOf is what comes before each value of a struct: {"a": and then ,"b": for the fields a and b.
func (c *Converter) namesOf(s *data.Schema) [][]byte {
	if n, ok := c.fields.get(s); ok {
		return n
	}
	out := make([][]byte, len(s.Fields()))
	before := byte('{')
	for i, f := range s.Fields() {
		out[i] = append(jackson.AppendString([]byte{before}, f.Name), ':')
		before = ','
	}
	c.fields.put(s, out)
	return out
}
