package data

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
)

// Type is a schema's type: Kafka's Schema.Type.
type Type uint8

// The types. The zero Type is none of them.
const (
	Int8 Type = iota + 1
	Int16
	Int32
	Int64
	Float32
	Float64
	Boolean
	String
	Bytes
	Array
	MapType
	StructType
)

var typeNames = [...]string{"", "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "bytes", "array", "map", "struct"}

// Name is the type's name in lower case, as Kafka's getName: int8, string, struct.
func (t Type) Name() string {
	if int(t) >= len(typeNames) {
		return ""
	}
	return typeNames[t]
}

// String is the name of Kafka's constant: INT8, STRING, STRUCT.
func (t Type) String() string { return strings.ToUpper(t.Name()) }

// Primitive is true for everything but array, map and struct.
func (t Type) Primitive() bool { return t >= Int8 && t <= Bytes }

// TypeNamed is the type of that lower-case name; ok is false when there is none.
func TypeNamed(name string) (t Type, ok bool) {
	i := slices.Index(typeNames[:], name)
	return Type(max(i, 0)), i > 0
}

// Parameter is one of a schema's parameters.
type Parameter struct{ Key, Value string }

// Field is a field of a struct schema. It belongs to the schema and must not be changed.
type Field struct {
	Name   string
	Index  int
	Schema *Schema
}

// Schema is an immutable schema, made by a Builder. A nil *Schema is no schema. It may be shared between threads. Compare with Equal,
// not ==: two schemas with the same attributes are the same.
type Schema struct {
	typ        Type
	optional   bool
	name       *string
	version    *int32
	doc        *string
	def        any
	parameters []Parameter
	fields     []*Field
	byName     map[string]*Field // only when there are many fields
	key, value *Schema
	hash       uint64
	logical    Logical
}

// Logical is which of Kafka's logical types a schema's name makes it; 0 is none.
type Logical uint8

// The logical types.
const (
	LogicalDecimal Logical = iota + 1
	LogicalDate
	LogicalTime
	LogicalTimestamp
)

var logicals = map[string]Logical{DecimalName: LogicalDecimal, DateName: LogicalDate, TimeName: LogicalTime, TimestampName: LogicalTimestamp}

// Logical is the logical type of the schema's name, whatever its type.
func (s *Schema) Logical() Logical { return s.logical }

// Type is the schema's type.
func (s *Schema) Type() Type { return s.typ }

// Optional says whether null is a value of this schema.
func (s *Schema) Optional() bool { return s.optional }

// Default is the default value; nil is none.
func (s *Schema) Default() any { return s.def }

// Name is the semantic name; empty where there is none. A nil schema has none.
func (s *Schema) Name() string {
	if s == nil || s.name == nil {
		return ""
	}
	return *s.name
}

// HasName tells an empty name from none.
func (s *Schema) HasName() bool { return s.name != nil }

// Version is the version, if there is one.
func (s *Schema) Version() (version int32, ok bool) {
	if s.version == nil {
		return 0, false
	}
	return *s.version, true
}

// Doc is the documentation, if there is one.
func (s *Schema) Doc() (doc string, ok bool) {
	if s.doc == nil {
		return "", false
	}
	return *s.doc, true
}

// Parameters are the parameters in the order of their insertion; nil where Kafka's are null. They are the schema's.
func (s *Schema) Parameters() []Parameter { return s.parameters }

// Parameter is the value of one parameter.
func (s *Schema) Parameter(key string) (value string, ok bool) {
	for i := range s.parameters {
		if s.parameters[i].Key == key {
			return s.parameters[i].Value, true
		}
	}
	return "", false
}

// Fields are a struct's fields in order, the schema's own slice; nil for other types.
func (s *Schema) Fields() []*Field { return s.fields }

// Field is the field of that name; nil when there is none, also for other types than struct.
func (s *Schema) Field(name string) *Field {
	if s.byName != nil {
		return s.byName[name]
	}
	for _, f := range s.fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// KeySchema is the schema of a map's keys; nil where it is not known, and for other types.
func (s *Schema) KeySchema() *Schema { return s.key }

// ValueSchema is the schema of an array's elements or a map's values; nil where it is not known, and for other types.
func (s *Schema) ValueSchema() *Schema { return s.value }

// Hash is equal for equal schemas of one process.
func (s *Schema) Hash() uint64 {
	if s == nil {
		return 0
	}
	return s.hash
}

func (s *Schema) String() string {
	switch {
	case s == nil:
		return "null"
	case s.name != nil:
		return "Schema{" + *s.name + ":" + s.typ.String() + "}"
	default:
		return "Schema{" + s.typ.String() + "}"
	}
}

// Equal compares all attributes, deeply; the order of parameters does not count. Two nil schemas are equal.
func (s *Schema) Equal(o *Schema) bool {
	if s == o {
		return true
	}
	if s == nil || o == nil || s.hash != o.hash {
		return false
	}
	return s.typ == o.typ && s.optional == o.optional && same(s.name, o.name) && same(s.version, o.version) && same(s.doc, o.doc) &&
		sameParameters(s.parameters, o.parameters) && slices.EqualFunc(s.fields, o.fields, sameField) &&
		s.key.Equal(o.key) && s.value.Equal(o.value) && Equal(s.def, o.def)
}

func same[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }

func sameField(a, b *Field) bool { return a == b || a.Name == b.Name && a.Schema.Equal(b.Schema) }

func sameParameters(a, b []Parameter) bool {
	if len(a) != len(b) || (a == nil) != (b == nil) {
		return false
	}
	for _, p := range a {
		if !slices.Contains(b, p) {
			return false
		}
	}
	return true
}

var hashSeed = maphash.MakeSeed()

// seal fills in what is derived from the attributes.
func (s *Schema) seal() *Schema {
	const linear = 8
	if s.name != nil {
		s.logical = logicals[*s.name]
	}
	if len(s.fields) > linear {
		s.byName = make(map[string]*Field, len(s.fields))
		for _, f := range s.fields {
			s.byName[f.Name] = f
		}
	}
	var h maphash.Hash
	h.SetSeed(hashSeed)
	fmt.Fprint(&h, s.typ.Name(), s.optional, s.Name(), s.def == nil)
	if s.version != nil {
		fmt.Fprint(&h, *s.version)
	}
	if s.doc != nil {
		fmt.Fprint(&h, *s.doc)
	}
	sum := h.Sum64()
	for _, p := range s.parameters { // without order
		sum += maphash.String(hashSeed, p.Key) ^ 3*maphash.String(hashSeed, p.Value)
	}
	for _, f := range s.fields {
		sum = sum*31 + maphash.String(hashSeed, f.Name) ^ f.Schema.hash
	}
	s.hash = (sum*31+s.key.Hash())*31 + s.value.Hash()
	return s
}

// The schemas of the primitive types.
var (
	Int8Schema    = NewBuilder(Int8).MustBuild()
	Int16Schema   = NewBuilder(Int16).MustBuild()
	Int32Schema   = NewBuilder(Int32).MustBuild()
	Int64Schema   = NewBuilder(Int64).MustBuild()
	Float32Schema = NewBuilder(Float32).MustBuild()
	Float64Schema = NewBuilder(Float64).MustBuild()
	BooleanSchema = NewBuilder(Boolean).MustBuild()
	StringSchema  = NewBuilder(String).MustBuild()
	BytesSchema   = NewBuilder(Bytes).MustBuild()

	OptionalInt8Schema    = NewBuilder(Int8).Optional().MustBuild()
	OptionalInt16Schema   = NewBuilder(Int16).Optional().MustBuild()
	OptionalInt32Schema   = NewBuilder(Int32).Optional().MustBuild()
	OptionalInt64Schema   = NewBuilder(Int64).Optional().MustBuild()
	OptionalFloat32Schema = NewBuilder(Float32).Optional().MustBuild()
	OptionalFloat64Schema = NewBuilder(Float64).Optional().MustBuild()
	OptionalBooleanSchema = NewBuilder(Boolean).Optional().MustBuild()
	OptionalStringSchema  = NewBuilder(String).Optional().MustBuild()
	OptionalBytesSchema   = NewBuilder(Bytes).Optional().MustBuild()
)

// PrimitiveSchema is the required schema of a primitive type without a name; nil for other types.
func PrimitiveSchema(t Type) *Schema {
	all := [...]*Schema{Int8: Int8Schema, Int16: Int16Schema, Int32: Int32Schema, Int64: Int64Schema, Float32: Float32Schema,
		Float64: Float64Schema, Boolean: BooleanSchema, String: StringSchema, Bytes: BytesSchema}
	if !t.Primitive() {
		return nil
	}
	return all[t]
}

// SchemaAndValue is a value with its schema; the zero value is Kafka's SchemaAndValue.NULL.
type SchemaAndValue struct {
	Schema *Schema
	Value  any
}

// Equal compares schema and value.
func (a SchemaAndValue) Equal(b SchemaAndValue) bool {
	return a.Schema.Equal(b.Schema) && Equal(a.Value, b.Value)
}

func (a SchemaAndValue) String() string {
	return "SchemaAndValue{schema=" + a.Schema.String() + ", value=" + Text(a.Value) + "}"
}
