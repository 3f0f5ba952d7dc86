package data

import "time"

// Validate says whether v is a value of s: a DataException that tells what is wrong. It is Kafka's ConnectSchema.validateValue. A default
// does not make nil valid.
func Validate(s *Schema, v any) error { return validate(s, v, valuePlace) }

// ValidateField is Validate with a field's name in the error.
func ValidateField(field string, s *Schema, v any) error { return validate(s, v, place{field: field}) }

// place says where a value is. Its text is made only when something is wrong.
type place struct {
	field string // empty: the value itself
	value bool
	outer *place
	what  string // "element of array" and the like, of outer
}

var valuePlace = place{value: true}

func (p place) String() string {
	switch {
	case p.outer != nil:
		return p.what + " " + p.outer.String()
	case p.value:
		return "value"
	default:
		return `field: "` + p.field + `"`
	}
}

// plain says that v is a value of s where that is quickly told: a null of an optional schema, or a primitive.
func plain(s *Schema, v any) (ok bool) {
	if v == nil {
		return s.optional
	}
	if s.logical != 0 {
		return s.typ.Primitive() && accepts(s, v)
	}
	switch s.typ {
	case Int8:
		_, ok = v.(int8)
	case Int16:
		_, ok = v.(int16)
	case Int32:
		_, ok = v.(int32)
	case Int64:
		_, ok = v.(int64)
	case Float32:
		_, ok = v.(float32)
	case Float64:
		_, ok = v.(float64)
	case Boolean:
		_, ok = v.(bool)
	case String:
		_, ok = v.(string)
	case Bytes:
		if _, ok = v.([]byte); !ok {
			_, ok = v.(Buffer)
		}
	}
	return ok
}

func validate(s *Schema, v any, at place) error {
	if plain(s, v) {
		return nil
	}
	return validateFully(s, v, at)
}

func validateFully(s *Schema, v any, at place) error {
	if v == nil {
		if s.optional {
			return nil
		}
		return DataException.Errorf("Invalid value: null used for required %s, schema type: %s", at, s.typ)
	}
	if !accepts(s, v) {
		return wrongClass(s, v, at)
	}
	switch s.typ {
	case StructType:
		if st, ok := v.(*Struct); ok {
			if !st.schema.Equal(s) {
				return DataException.Errorf("Struct schemas do not match.")
			}
			return st.Validate()
		}
	case Array:
		if list, ok := v.([]any); ok {
			outer := at // at itself must not escape: most values are structs
			return validateList(s, list, place{outer: &outer, what: "element of array"})
		}
	case MapType:
		if m, ok := v.(*Map); ok {
			return validateMap(s, m, at)
		}
	}
	return nil
}

func wrongClass(s *Schema, v any, at place) error {
	name := ""
	if s.name != nil {
		name = ` "` + *s.name + `"`
	}
	return DataException.Errorf("Invalid Java object for schema%s with type %s: class %s for %s", name, s.typ, ClassOf(v), at)
}

func validateList(s *Schema, list []any, at place) error {
	if s.value == nil {
		return DataException.Errorf("No schema defined for %s", at)
	}
	for _, e := range list {
		if err := validate(s.value, e, at); err != nil {
			return err
		}
	}
	return nil
}

func validateMap(s *Schema, m *Map, at place) error {
	keys, values := place{outer: &at, what: "key of map"}, place{outer: &at, what: "value of map"}
	if s.key == nil {
		return DataException.Errorf("No schema defined for %s", keys)
	}
	if s.value == nil {
		return DataException.Errorf("No schema defined for %s", values)
	}
	for _, e := range m.Entries() {
		if err := validate(s.key, e.Key, keys); err != nil {
			return err
		}
		if err := validate(s.value, e.Value, values); err != nil {
			return err
		}
	}
	return nil
}

// accepts says whether v has the Go type that belongs to s: the logical one where s has the name of a logical type.
func accepts(s *Schema, v any) bool {
	switch s.logical {
	case LogicalDecimal:
		_, ok := v.(Decimal)
		return ok
	case LogicalDate, LogicalTime, LogicalTimestamp:
		_, ok := v.(time.Time)
		return ok
	}
	if s.typ == Bytes {
		if _, ok := v.(Buffer); ok {
			return true
		}
	}
	return TypeOf(v) == s.typ
}

// TypeOf is the schema type of a Go value without a schema: Kafka's ConnectSchema.schemaType. It is 0 for nil, for the logical values
// (which need a schema) and for foreign Go types.
func TypeOf(v any) Type {
	switch v.(type) {
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case float32:
		return Float32
	case float64:
		return Float64
	case bool:
		return Boolean
	case string:
		return String
	case []byte, Buffer:
		return Bytes
	case []any:
		return Array
	case *Map:
		return MapType
	case *Struct:
		return StructType
	}
	return 0
}
