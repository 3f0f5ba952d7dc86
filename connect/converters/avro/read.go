package avro

import (
	"maps"
	"slices"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
)

// reader makes Connect's values of Avro's, along both schemas: AvroData.toConnectData.
type reader struct {
	options
	from  *avroschema.Schema
	to    *data.Schema
	parts []*reader
	union bool   // to is a struct that stands for a union
	as    string // to's logical name, if it is one
}

// newReader goes along both schemas. Of a union that is one in Connect parts are those of its branches, nil for null.
func (o options) newReader(from *avroschema.Schema, to *data.Schema) *reader {
	r := &reader{options: o, from: from, to: to}
	if to == nil {
		return r
	}
	if from.Type == avroschema.Union {
		if inner, _ := (&fromAvro{options: o}).transparent(from); inner != nil {
			return o.newReader(inner, to)
		}
		r.unionParts()
		return r
	}
	switch to.Name() {
	case data.DecimalName, data.DateName, data.TimeName, data.TimestampName:
		r.as = to.Name()
	}
	switch to.Type() {
	case data.Array:
		r.parts = []*reader{o.newReader(from.Elem, to.ValueSchema())}
	case data.MapType:
		if from.Type == avroschema.Map {
			r.parts = []*reader{nil, o.newReader(from.Elem, to.ValueSchema())}
		} else {
			r.parts = []*reader{o.newReader(from.Elem.Field(keyField).Schema, to.KeySchema()), o.newReader(from.Elem.Field(valueField).Schema, to.ValueSchema())}
		}
	case data.StructType:
		for i, f := range to.Fields() {
			r.parts = append(r.parts, o.newReader(from.Fields[i].Schema, f.Schema))
		}
	}
	return r
}

func (r *reader) unionParts() {
	r.union = true
	i := 0
	for _, b := range r.from.Branches {
		if b.Type == avroschema.Null {
			r.parts = append(r.parts, nil)
			continue
		}
		r.parts = append(r.parts, r.newReader(b, r.to.Fields()[i].Schema))
		i++
	}
}

func (r *reader) wrong(v any) error {
	return data.DataException.Errorf("Invalid type for %s: class %T", r.to.Type(), v)
}

// value makes a value. Bytes and strings are shared with v.
func (r *reader) value(v any) (any, error) {
	if r.to == nil {
		return r.anything(v)
	}
	if v == nil {
		if !r.to.Optional() {
			return nil, errNull
		}
		return nil, nil
	}
	if r.union {
		return r.member(v)
	}
	switch r.to.Type() {
	case data.Int8:
		if n, ok := v.(int32); ok {
			return int8(n), nil
		}
	case data.Int16:
		if n, ok := v.(int32); ok {
			return int16(n), nil
		}
	case data.Int32:
		if n, ok := v.(int32); ok {
			return r.integer(n, v)
		}
	case data.Int64:
		if n, ok := v.(int64); ok {
			if r.as == data.TimestampName {
				return data.TimestampFromMillis(r.to, n)
			}
			return v, nil
		}
	case data.Float32:
		if _, ok := v.(float32); ok {
			return v, nil
		}
	case data.Float64:
		if _, ok := v.(float64); ok {
			return v, nil
		}
	case data.Boolean:
		if _, ok := v.(bool); ok {
			return v, nil
		}
	case data.String:
		switch t := v.(type) {
		case string:
			return v, nil
		case avroschema.Symbol:
			return string(t), nil
		}
	case data.Bytes:
		return r.bytes(v)
	default:
		return r.nested(v)
	}
	return nil, r.wrong(v)
}

func (r *reader) integer(n int32, v any) (any, error) {
	switch r.as {
	case data.DateName:
		return data.DateFromDays(r.to, n)
	case data.TimeName:
		return data.TimeFromMillis(r.to, n)
	}
	return v, nil
}

func (r *reader) bytes(v any) (any, error) {
	var b []byte
	switch x := v.(type) {
	case []byte:
		b = x
	case avroschema.Bin:
		b = x
	default:
		return nil, r.wrong(v)
	}
	if r.as == data.DecimalName {
		return data.DecimalFromBytes(r.to, b)
	}
	return data.Buffer(b), nil
}

func (r *reader) nested(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case []any:
		if r.to.Type() == data.MapType {
			return r.entries(v)
		}
		if r.to.Type() != data.Array {
			break
		}
		out := make([]any, len(v))
		for i, e := range v {
			if out[i], err = r.parts[0].value(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case avroschema.Entries:
		return r.mapping(v)
	case map[string]any: // of a default value
		var entries avroschema.Entries
		for _, k := range slices.Sorted(maps.Keys(v)) {
			entries = append(entries, avroschema.Entry{Key: k, Value: v[k]})
		}
		return r.mapping(entries)
	case *avroschema.Datum:
		if r.to.Type() != data.StructType {
			break
		}
		out := data.NewStruct(r.to)
		for i, part := range r.parts {
			made, err := part.value(v.Values[i])
			if err != nil {
				return nil, err
			}
			out.Set(i, made)
		}
		return out, nil
	}
	return nil, r.wrong(v)
}

// mapping makes a map in the order in which Java's HashMap of that size has it.
func (r *reader) mapping(entries avroschema.Entries) (any, error) {
	if r.to.Type() != data.MapType {
		return nil, r.wrong(entries)
	}
	list := make([]data.Entry, len(entries))
	for i, e := range entries {
		made, err := r.parts[1].value(e.Value)
		if err != nil {
			return nil, err
		}
		list[i] = data.Entry{Key: e.Key, Value: made}
	}
	return ordered(confluent.UTF8Order(list, buckets(len(list))), len(list)), nil // Avro's map, then Connect's
}

// ordered is a map in the order of a HashMap that was made for n entries.
func ordered(list []data.Entry, n int) *data.Map {
	return data.NewMap(confluent.HashOrder(list, buckets(n))...)
}

// buckets is how many a HashMap for n entries has at first.
func buckets(n int) int {
	b := 1
	for b < n {
		b *= 2
	}
	return b
}

// entries makes a map whose keys are not strings.
func (r *reader) entries(list []any) (any, error) {
	out := data.MakeMap(len(list))
	for _, e := range list {
		d, ok := e.(*avroschema.Datum)
		if !ok {
			return nil, r.wrong(e)
		}
		k, err := r.parts[0].value(d.Get(keyField))
		if err != nil {
			return nil, err
		}
		v, err := r.parts[1].value(d.Get(valueField))
		if err != nil {
			return nil, err
		}
		out.Put(k, v)
	}
	return ordered(out.Entries(), len(list)), nil
}

// member makes the struct that stands for a union's value.
func (r *reader) member(v any) (any, error) {
	at := r.from.Branch(v)
	if at < 0 {
		return nil, data.DataException.Errorf("Did not find matching union field for data")
	}
	out := data.NewStruct(r.to)
	index := 0
	for i, part := range r.parts {
		if i == at {
			made, err := part.value(v)
			if err != nil {
				return nil, err
			}
			out.Set(index, made)
			return out, nil
		}
		if part != nil {
			index++
		}
	}
	return nil, data.DataException.Errorf("Did not find matching union field for data")
}

// anything makes a value without a schema.
func (r *reader) anything(v any) (any, error) {
	d, ok := v.(*avroschema.Datum)
	if !ok || len(d.Values) != len(anything.Fields) {
		return nil, data.DataException.Errorf("Invalid Avro data for schemaless Connect data")
	}
	for i, inner := range d.Values {
		if inner == nil {
			continue
		}
		switch x := inner.(type) {
		case []byte:
			return data.Buffer(x), nil
		case []any:
			if i == 8 {
				return r.anyMap(x)
			}
			out := make([]any, len(x))
			for j, e := range x {
				var err error
				if out[j], err = r.anything(e); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
		return inner, nil
	}
	return nil, nil
}

func (r *reader) anyMap(list []any) (any, error) {
	out := data.MakeMap(len(list))
	for _, e := range list {
		d, ok := e.(*avroschema.Datum)
		if !ok {
			return nil, data.DataException.Errorf("Invalid Avro data for schemaless Connect data")
		}
		k, err := r.anything(d.Get(keyField))
		if err != nil {
			return nil, err
		}
		v, err := r.anything(d.Get(valueField))
		if err != nil {
			return nil, err
		}
		out.Put(k, v)
	}
	return ordered(out.Entries(), len(list)), nil
}
