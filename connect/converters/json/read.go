package json

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// valueOf reads a value of schema s, which is nil where there is none. there is false for a struct's member that is absent.
func (c *Converter) valueOf(s *data.Schema, n jackson.Node, there bool) (any, error) {
	if s == nil {
		if n.Kind() == jackson.String {
			return n.Text(), nil
		}
		return c.plain.Parse(n.Raw())
	}
	if !there || n.Kind() == jackson.Null {
		switch {
		case s.Default() != nil && c.defaults:
			return s.Default(), nil
		case s.Optional():
			return nil, nil
		}
		return nil, data.DataException.Errorf("Invalid null value for required %s field", s.Type())
	}
	switch s.Logical() {
	case data.LogicalDecimal:
		return decimalOf(s, n)
	case data.LogicalDate, data.LogicalTime, data.LogicalTimestamp:
		return momentOf(s, n)
	}
	return c.typed(s, n)
}

// orNil keeps a nil map from becoming a value.
func orNil(m *data.Map, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return m, nil
}

// typed reads by the schema's type. Scalars are not checked: what is of another kind is 0, false or null, as in Kafka.
func (c *Converter) typed(s *data.Schema, n jackson.Node) (any, error) {
	switch s.Type() {
	case data.Int8:
		return int8(n.Int64()), nil
	case data.Int16:
		return int16(n.Int64()), nil
	case data.Int32:
		return int32(n.Int64()), nil
	case data.Int64:
		return n.Int64(), nil
	case data.Float32:
		return n.Float32(), nil
	case data.Float64:
		return n.Float64(), nil
	case data.Boolean:
		return n.Kind() == jackson.True, nil
	case data.String:
		if n.Kind() != jackson.String {
			return nil, nil
		}
		return n.Text(), nil
	case data.Bytes:
		if n.Kind() != jackson.String {
			return nil, nil
		}
		b, ok := n.Bytes()
		if !ok {
			return nil, data.DataException.Wrap(badBase64(), "Invalid bytes field")
		}
		return b, nil
	case data.Array:
		return c.list(s.ValueSchema(), n)
	case data.MapType:
		if s.KeySchema().Type() != data.String {
			return c.pairs(s, n)
		}
		if n.Kind() != jackson.Object {
			return nil, data.DataException.Errorf("Maps with string fields should be encoded as JSON objects, but found %s", n.Kind())
		}
		return orNil(c.object(s.ValueSchema(), n))
	}
	return c.structure(s, n)
}

func badBase64() error {
	return data.IllegalArgumentException.Errorf("the text is not base64")
}

func decimalOf(s *data.Schema, n jackson.Node) (any, error) {
	switch n.Kind() {
	case jackson.Integer, jackson.Float:
		return n.Decimal(), nil
	case jackson.String:
		b, ok := n.Bytes()
		if !ok {
			return nil, data.DataException.Wrap(badBase64(), "Invalid bytes for Decimal field")
		}
		d, err := data.DecimalFromBytes(s, b)
		if err != nil {
			return nil, data.DataException.Wrap(err, "Invalid bytes for Decimal field")
		}
		return d, nil
	}
	return nil, data.DataException.Errorf("Invalid type for Decimal, underlying representation should be numeric or bytes but was %s", n.Kind())
}

func momentOf(s *data.Schema, n jackson.Node) (any, error) {
	switch {
	case s.Name() == data.TimestampName:
		if n.Kind() != jackson.Integer {
			return nil, data.DataException.Errorf("Invalid type for Timestamp, underlying representation should be integral but was %s", n.Kind())
		}
		return data.TimestampFromMillis(s, n.Int64())
	case !n.IsInt():
		short := s.Name()[len("org.apache.kafka.connect.data."):]
		return nil, data.DataException.Errorf("Invalid type for %s, underlying representation should be integer but was %s", short, n.Kind())
	case s.Name() == data.DateName:
		return data.DateFromDays(s, int32(n.Int64()))
	}
	return data.TimeFromMillis(s, int32(n.Int64()))
}

// list reads an array's elements, or an object's values; other kinds have none.
func (c *Converter) list(elements *data.Schema, n jackson.Node) (any, error) {
	switch n.Kind() {
	case jackson.Array:
	case jackson.Object:
		m, err := c.object(elements, n)
		if err != nil {
			return nil, err
		}
		out := []any{}
		for _, e := range m.Entries() {
			out = append(out, e.Value)
		}
		return out, nil
	default:
		return []any{}, nil
	}
	out := make([]any, 0, n.Len())
	e := n.First()
	for range n.Len() {
		v, err := c.valueOf(elements, e, true)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		e = e.Next()
	}
	return out, nil
}

func (c *Converter) object(values *data.Schema, n jackson.Node) (*data.Map, error) {
	m := data.MakeMap(n.Len())
	name := n.First()
	for range n.Len() {
		value := name.Next()
		v, err := c.valueOf(values, value, true)
		if err != nil {
			return nil, err
		}
		m.Put(name.Text(), v)
		name = value.Next()
	}
	return m, nil
}

func (c *Converter) pairs(s *data.Schema, n jackson.Node) (any, error) {
	if n.Kind() != jackson.Array {
		return nil, data.DataException.Errorf("Maps with non-string fields should be encoded as JSON array of tuples, but found %s", n.Kind())
	}
	m := data.MakeMap(n.Len())
	e := n.First()
	for range n.Len() {
		switch {
		case e.Kind() != jackson.Array:
			return nil, data.DataException.Errorf("Found invalid map entry instead of array tuple: %s", e.Kind())
		case e.Len() != 2:
			return nil, data.DataException.Errorf("Found invalid map entry, expected length 2 but found :%d", e.Len())
		}
		k, err := c.valueOf(s.KeySchema(), e.First(), true)
		if err != nil {
			return nil, err
		}
		v, err := c.valueOf(s.ValueSchema(), e.First().Next(), true)
		if err != nil {
			return nil, err
		}
		m.Put(k, v)
		e = e.Next()
	}
	return m, nil
}

func (c *Converter) structure(s *data.Schema, n jackson.Node) (any, error) {
	if n.Kind() != jackson.Object {
		return nil, data.DataException.Errorf("Structs should be encoded as JSON objects, but found %s", n.Kind())
	}
	st := data.NewStruct(s)
	ordered, next := inOrder(s, n), n.First()
	for i, f := range s.Fields() {
		var member jackson.Node
		there := ordered
		if ordered {
			member = next.Next()
			next = member.Next()
		} else {
			member, there = n.Get(f.Name)
		}
		v, err := c.valueOf(f.Schema, member, there)
		if err != nil {
			return nil, err
		}
		// A collection may have nulls where they must not be, and a scalar of the wrong kind is null.
		if v == nil && !f.Schema.Optional() || !f.Schema.Type().Primitive() {
			if err := st.PutField(f, v); err != nil {
				return nil, err
			}
			continue
		}
		st.Set(i, v)
	}
	return st, nil
}

// inOrder says whether an object has exactly a struct's fields, in their order, as a JsonConverter writes them.
func inOrder(s *data.Schema, n jackson.Node) bool {
	if n.Len() != len(s.Fields()) {
		return false
	}
	name := n.First()
	for _, f := range s.Fields() {
		if !name.Is(f.Name) {
			return false
		}
		name = name.Next().Next()
	}
	return true
}
