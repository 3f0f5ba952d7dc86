package jsonschema

import (
	"strconv"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// valueOf makes a value of a JSON text.
func (o options) valueOf(s *data.Schema, text string) (any, error) {
	var d jackson.Document
	n, err := d.Parse([]byte(text))
	if err != nil {
		return nil, err
	}
	return o.read(s, n, true)
}

// read makes a value of JSON: JsonSchemaData.toConnectData. ok is false where there is no JSON.
func (o options) read(s *data.Schema, n jackson.Node, ok bool) (any, error) {
	if s == nil {
		return o.anything(n)
	}
	if !ok || n.Kind() == jackson.Null {
		switch {
		case s.Default() != nil:
			return s.Default(), nil
		case !ok || s.Optional():
			return nil, nil
		}
		return nil, data.DataException.Errorf("Invalid null value for required %s field", s.Type())
	}
	switch s.Name() {
	case data.DecimalName, data.DateName, data.TimeName, data.TimestampName:
		return logical(s, n)
	}
	switch s.Type() {
	case data.Array:
		return o.list(s, n)
	case data.MapType:
		return o.mapping(s, n)
	case data.StructType:
		if isUnion(s) {
			return o.union(s, n)
		}
		return o.structure(s, n)
	}
	return scalar(s, n)
}

// anything makes a value without a schema.
func (o options) anything(n jackson.Node) (any, error) {
	switch n.Kind() {
	case jackson.Null:
		return nil, nil
	case jackson.True, jackson.False:
		return n.Kind() == jackson.True, nil
	case jackson.Integer:
		return n.Int64(), nil
	case jackson.Float:
		return n.Float64(), nil
	case jackson.String:
		return n.Text(), nil
	case jackson.Array:
		return o.elements(nil, n)
	case jackson.Object:
		return o.members(nil, n)
	}
	return nil, data.DataException.Errorf("Unknown schema type: null")
}

// scalar follows Jackson's lenient accessors: what is of another kind is 0, false or null.
func scalar(s *data.Schema, n jackson.Node) (any, error) {
	switch s.Type() {
	case data.Boolean:
		return n.Kind() == jackson.True, nil
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
	case data.String:
		if n.Kind() != jackson.String {
			return nil, nil
		}
		return n.Text(), nil
	}
	if n.Kind() != jackson.String {
		if isNumber(n) {
			return n.Decimal(), nil
		}
		return nil, nil
	}
	b, ok := n.Bytes()
	if !ok {
		return nil, data.DataException.Errorf("Invalid bytes field")
	}
	return b, nil
}

func isNumber(n jackson.Node) bool { return n.Kind() == jackson.Integer || n.Kind() == jackson.Float }

func logical(s *data.Schema, n jackson.Node) (any, error) {
	switch s.Name() {
	case data.DecimalName:
		if isNumber(n) {
			return n.Decimal(), nil
		}
		if n.Kind() != jackson.String {
			return nil, data.DataException.Errorf("Invalid type for Decimal, underlying representation should be numeric or bytes but was %s", n.Kind())
		}
		b, ok := n.Bytes()
		if !ok {
			return nil, data.DataException.Errorf("Invalid bytes for Decimal field")
		}
		d, err := data.DecimalFromBytes(s, b)
		if err != nil {
			return nil, data.DataException.Wrap(err, "Invalid bytes for Decimal field")
		}
		return d, nil
	case data.DateName:
		if !n.IsInt() {
			return nil, data.DataException.Errorf("Invalid type for Date, underlying representation should be integer but was %s", n.Kind())
		}
		return data.DateFromDays(s, int32(n.Int64()))
	case data.TimeName:
		if !n.IsInt() {
			return nil, data.DataException.Errorf("Invalid type for Time, underlying representation should be integer but was %s", n.Kind())
		}
		return data.TimeFromMillis(s, int32(n.Int64()))
	}
	if n.Kind() != jackson.Integer {
		return nil, data.DataException.Errorf("Invalid type for Timestamp, underlying representation should be integral but was %s", n.Kind())
	}
	return data.TimestampFromMillis(s, n.Int64())
}

func (o options) list(s *data.Schema, n jackson.Node) (any, error) {
	if n.Kind() != jackson.Array && n.Kind() != jackson.Object {
		return []any{}, nil
	}
	return o.elements(s.ValueSchema(), n)
}

// elements are those of an array, or the values of an object.
func (o options) elements(s *data.Schema, n jackson.Node) (any, error) {
	out := make([]any, 0, n.Len())
	c := n.First()
	for range n.Len() {
		if n.Kind() == jackson.Object {
			c = c.Next()
		}
		v, err := o.read(s, c, true)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		c = c.Next()
	}
	return out, nil
}

// members are those of an object as a map, in the order of Java's HashMap.
func (o options) members(s *data.Schema, n jackson.Node) (any, error) {
	out := data.MakeMap(n.Len())
	c := n.First()
	for range n.Len() {
		name := c.Text()
		c = c.Next()
		v, err := o.read(s, c, true)
		if err != nil {
			return nil, err
		}
		out.Put(name, v)
		c = c.Next()
	}
	return data.NewMap(confluent.HashOrder(out.Entries(), 16)...), nil
}

func (o options) mapping(s *data.Schema, n jackson.Node) (any, error) {
	if stringKeys(s) {
		if n.Kind() != jackson.Object {
			return nil, data.DataException.Errorf("Maps with string fields should be encoded as JSON objects, but found %s", n.Kind())
		}
		return o.members(s.ValueSchema(), n)
	}
	if n.Kind() != jackson.Array {
		return nil, data.DataException.Errorf("Maps with non-string fields should be encoded as JSON array of objects, but found %s", n.Kind())
	}
	out := data.MakeMap(n.Len())
	c := n.First()
	for range n.Len() {
		if c.Kind() != jackson.Object {
			return nil, data.DataException.Errorf("Found invalid map entry instead of object: %s", c.Kind())
		}
		if c.Len() != 2 {
			return nil, data.DataException.Errorf("Found invalid map entry, expected length 2 but found :%d", c.Len())
		}
		kn, hasKey := c.Get(keyField)
		vn, hasValue := c.Get(valueField)
		k, err := o.read(s.KeySchema(), kn, hasKey)
		if err != nil {
			return nil, err
		}
		v, err := o.read(s.ValueSchema(), vn, hasValue)
		if err != nil {
			return nil, err
		}
		out.Put(k, v)
		c = c.Next()
	}
	return data.NewMap(confluent.HashOrder(out.Entries(), 16)...), nil
}

func (o options) structure(s *data.Schema, n jackson.Node) (any, error) {
	if n.Kind() != jackson.Object {
		return nil, data.DataException.Errorf("Structs should be encoded as JSON objects, but found %s", n.Kind())
	}
	out := data.NewStruct(s)
	for i, f := range s.Fields() {
		member, ok := n.Get(f.Name)
		v, err := o.read(f.Schema, member, ok)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if err := data.ValidateField(f.Name, f.Schema, v); err != nil {
			return nil, err
		}
		out.Set(i, v)
	}
	return out, nil
}

// union takes the first simple schema that the JSON is of, else the struct that has most of its members.
func (o options) union(s *data.Schema, n jackson.Node) (any, error) {
	most, chosen := 0, -1
	for i, f := range s.Fields() {
		if isOf(f.Schema, n) {
			chosen = i
			break
		}
		if m := matching(f.Schema, n); m > most {
			most, chosen = m, i
		}
	}
	if chosen < 0 {
		return nil, data.DataException.Errorf("Did not find matching oneof field for data")
	}
	f := s.Fields()[chosen]
	prefix := unionName + ".field."
	if _, general := s.Parameter(generalUnion); general {
		prefix = generalField
	}
	if f.Name != prefix+strconv.Itoa(chosen) {
		return nil, data.DataException.Errorf("%s%d is not a valid field name", prefix, chosen)
	}
	v, err := o.read(f.Schema, n, true)
	if err != nil {
		return nil, err
	}
	out := data.NewStruct(s)
	if err := out.PutField(f, v); err != nil {
		return nil, err
	}
	return out, nil
}

func isOf(s *data.Schema, n jackson.Node) bool {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		return n.Kind() == jackson.Integer
	case data.Float32, data.Float64:
		return isNumber(n)
	case data.Boolean:
		return n.Kind() == jackson.True || n.Kind() == jackson.False
	case data.String:
		return n.Kind() == jackson.String
	case data.Bytes:
		return n.Kind() == jackson.Float
	case data.Array:
		return n.Kind() == jackson.Array
	case data.MapType:
		return n.Kind() == jackson.Object || n.Kind() == jackson.Array
	}
	return false
}

// matching counts the members that a struct has fields for, at all depths.
func matching(s *data.Schema, n jackson.Node) int {
	if s.Type() != data.StructType || n.Kind() != jackson.Object {
		return 0
	}
	count := 0
	for _, f := range s.Fields() {
		if member, ok := n.Get(f.Name); ok {
			count += 1 + matching(f.Schema, member)
		}
	}
	return count
}
