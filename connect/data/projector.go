package data

import (
	"math"
	"strings"
)

// Project makes a value of schema target from one of schema source: Kafka's SchemaProjector. Numbers may become wider, fields may be
// dropped, and fields may be added that are optional or have a default. Otherwise it is a SchemaProjectorException.
func Project(source *Schema, v any, target *Schema) (any, error) {
	if err := projectable(source, target); err != nil {
		return nil, err
	}
	if source.optional && !target.optional {
		if target.def == nil {
			return nil, SchemaProjectorException.Errorf("Writer schema is optional, however, target schema does not provide a default value.")
		}
		if v == nil {
			return target.def, nil
		}
	}
	if v == nil {
		return nil, nil
	}
	switch target.typ {
	case StructType:
		if st, ok := v.(*Struct); ok {
			return projectStruct(source, st, target)
		}
		return nil, ClassCastException.Errorf("class %s cannot be cast to class org.apache.kafka.connect.data.Struct", ClassOf(v))
	case Array:
		return projectList(source, v, target)
	case MapType:
		return projectMap(source, v, target)
	}
	return promote(v, target.typ), nil
}

func projectable(source, target *Schema) error {
	switch {
	case source.typ != target.typ && !(source.typ <= target.typ && target.typ <= Float64):
		return SchemaProjectorException.Errorf("Schema type mismatch. source type: %s and target type: %s", source.typ, target.typ)
	case !same(source.name, target.name):
		return SchemaProjectorException.Errorf("Schema name mismatch. source name: %s and target name: %s", nullable(source.name), nullable(target.name))
	case !sameParameters(source.parameters, target.parameters):
		return SchemaProjectorException.Errorf("Schema parameters not equal. source parameters: %s and target parameters: %s",
			parametersText(source.parameters), parametersText(target.parameters))
	}
	return nil
}

func nullable(s *string) string {
	if s == nil {
		return "null"
	}
	return *s
}

func parametersText(all []Parameter) string {
	if all == nil {
		return "null"
	}
	parts := make([]string, len(all))
	for i, p := range all {
		parts[i] = p.Key + "=" + p.Value
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func projectStruct(source *Schema, v *Struct, target *Schema) (any, error) {
	out := NewStruct(target)
	for _, f := range target.fields {
		from := source.Field(f.Name)
		switch {
		case from != nil:
			if err := projectField(v, from, out, f); err != nil {
				return nil, err
			}
		case f.Schema.optional:
		case f.Schema.def != nil:
			if err := out.PutField(f, f.Schema.def); err != nil {
				return nil, err
			}
		default:
			return nil, SchemaProjectorException.Errorf("Required field `%s` is missing from source schema: %s", f.Name, source)
		}
	}
	return out, nil
}

func projectField(v *Struct, from *Field, out *Struct, to *Field) error {
	old, err := v.Get(from.Name)
	if err != nil {
		return err
	}
	p, err := Project(from.Schema, old, to.Schema)
	if err != nil {
		if ClassOfError(err).Extends(SchemaProjectorException) {
			return SchemaProjectorException.Wrap(err, "Error projecting "+from.Name)
		}
		return err
	}
	return out.PutField(to, p)
}

func projectList(source *Schema, v any, target *Schema) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, ClassCastException.Errorf("class %s cannot be cast to class java.util.List", ClassOf(v))
	}
	if source.value == nil || target.value == nil {
		return nil, NullPointerException.Errorf("the schema of the elements is not known")
	}
	out := make([]any, len(list))
	for i, e := range list {
		p, err := Project(source.value, e, target.value)
		if err != nil {
			return nil, err
		}
		out[i] = p
	}
	return out, nil
}

func projectMap(source *Schema, v any, target *Schema) (any, error) {
	m, ok := v.(*Map)
	if !ok {
		return nil, ClassCastException.Errorf("class %s cannot be cast to class java.util.Map", ClassOf(v))
	}
	if source.key == nil || target.key == nil || source.value == nil || target.value == nil {
		return nil, NullPointerException.Errorf("the schema of keys or values is not known")
	}
	out := NewMap()
	for _, e := range m.Entries() {
		k, err := Project(source.key, e.Key, target.key)
		if err != nil {
			return nil, err
		}
		w, err := Project(source.value, e.Value, target.value)
		if err != nil {
			return nil, err
		}
		out.Put(k, w)
	}
	return out, nil
}

// promote makes a number of type t of another, as Java's Number does; other values stay what they are.
func promote(v any, t Type) any {
	n, ok := number(v)
	if !ok || t > Float64 {
		return v
	}
	return n.to(t)
}

// num is a number as Java's Number sees it.
type num struct {
	whole int64
	frac  float64
	float bool
}

func number(v any) (num, bool) {
	switch v := v.(type) {
	case int8:
		return num{whole: int64(v)}, true
	case int16:
		return num{whole: int64(v)}, true
	case int32:
		return num{whole: int64(v)}, true
	case int64:
		return num{whole: v}, true
	case float32:
		return num{frac: float64(v), float: true}, true
	case float64:
		return num{frac: v, float: true}, true
	}
	return num{}, false
}

// to narrows like Java: integers wrap, floats saturate.
func (n num) to(t Type) any {
	switch t {
	case Int8:
		return int8(n.int())
	case Int16:
		return int16(n.int())
	case Int32:
		return n.int()
	case Int64:
		if n.float {
			return DoubleToLong(n.frac)
		}
		return n.whole
	case Float32:
		if n.float {
			return float32(n.frac)
		}
		return float32(n.whole)
	}
	if n.float {
		return n.frac
	}
	return float64(n.whole)
}

func (n num) int() int32 {
	if n.float {
		return DoubleToInt(n.frac)
	}
	return int32(n.whole)
}

// DoubleToLong is Java's cast: NaN is 0, what is out of range is the nearest bound.
func DoubleToLong(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

// DoubleToInt is Java's cast: NaN is 0, what is out of range is the nearest bound.
func DoubleToInt(f float64) int32 {
	return int32(min(max(DoubleToLong(f), math.MinInt32), math.MaxInt32))
}
