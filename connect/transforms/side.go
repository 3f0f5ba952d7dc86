package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Side says what of a record a transform works on.
type Side uint8

// The sides.
const (
	Key Side = iota
	Value
)

// input is a record that a transform is given. own is whether it may be changed.
type input struct {
	*connect.Record
	own bool
}

// of is the schema and value of this side.
func (s Side) of(r input) (*data.Schema, any) {
	if s == Key {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

// copies makes the records of one transform.
type copies struct{ connect.Copier }

// of returns a record like r that may be changed, r itself where that may be: Kafka's newRecord, which cannot make a sink record without a partition. A
// transform calls it when nothing else can fail, and has read by then what it changes.
func (c *copies) of(r input) (*connect.Record, error) {
	switch {
	case r.Sink != nil && r.Partition == connect.NoPartition:
		return nil, data.NullPointerException.Errorf("the partition of a sink record is null")
	case r.own:
		return r.Record, nil
	}
	return c.Copy(r.Record), nil
}

// place is a side, and makes records that are changed there, and structs and headers for them.
type place struct {
	Side
	copies  copies
	structs data.Slab
	headers data.HeaderSlab
}

// with returns a record like r with another schema and value on this side: see copies.of.
func (p *place) with(r input, schema *data.Schema, v any) (*connect.Record, error) {
	c, err := p.copies.of(r)
	if err != nil {
		return nil, err
	}
	if p.Side == Key {
		c.KeySchema, c.Key = schema, v
	} else {
		c.ValueSchema, c.Value = schema, v
	}
	return c, nil
}

// The rest is Kafka's Requirements.

func asMap(v any, purpose string) (*data.Map, error) {
	if m, ok := v.(*data.Map); ok {
		return m, nil
	}
	return nil, data.DataException.Errorf("Only Map objects supported in absence of schema for [%s], found: %s", purpose, data.ClassOf(v))
}

func asStruct(v any, purpose string) (*data.Struct, error) {
	if st, ok := v.(*data.Struct); ok {
		return st, nil
	}
	return nil, data.DataException.Errorf("Only Struct objects supported for [%s], found: %s", purpose, data.ClassOf(v))
}

// asStructOrNil takes nil too.
func asStructOrNil(v any, purpose string) (*data.Struct, error) {
	if v == nil {
		return nil, nil
	}
	return asStruct(v, purpose)
}

// fieldOf is a field by name, nil when there is none; a schema that is no struct is a DataException.
func fieldOf(s *data.Schema, name string) (*data.Field, error) {
	if s.Type() != data.StructType {
		return nil, data.DataException.Errorf("Cannot look up fields on non-struct type")
	}
	return s.Field(name), nil
}

// fieldsOf are the fields of a struct schema.
func fieldsOf(s *data.Schema) ([]*data.Field, error) {
	if s.Type() != data.StructType {
		return nil, data.DataException.Errorf("Cannot list fields on non-struct type")
	}
	return s.Fields(), nil
}
