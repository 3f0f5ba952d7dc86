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

// of is the schema and value of this side.
func (s Side) of(r *connect.Record) (*data.Schema, any) {
	if s == Key {
		return r.KeySchema, r.Key
	}
	return r.ValueSchema, r.Value
}

// copies makes the records of one transform.
type copies struct{ connect.Copier }

// of returns a copy that may be changed: Kafka's newRecord, which cannot make a sink record without a partition.
func (c *copies) of(r *connect.Record) (*connect.Record, error) {
	if r.Sink != nil && r.Partition == connect.NoPartition {
		return nil, data.NullPointerException.Errorf("the partition of a sink record is null")
	}
	return c.Copy(r), nil
}

// place is a side, and makes records that are changed there, and structs and headers for them.
type place struct {
	Side
	copies  copies
	structs data.Slab
	headers data.HeaderSlab
}

// with returns a copy of r with another schema and value on this side.
func (p *place) with(r *connect.Record, schema *data.Schema, v any) (*connect.Record, error) {
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
