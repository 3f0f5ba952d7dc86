// Package avroschema is for Avro where the schema is known only at run time: schemas as Java's library parses and writes them, values without
// generated types, their binary form, and the resolution of a writer's schema to a reader's. It backs the generic serde of Kafka Streams
// and Confluent's Avro converter of Kafka Connect.
package avroschema

import (
	"fmt"
	"strings"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// Type is an Avro type.
type Type uint8

// The types.
const (
	Null Type = iota
	Boolean
	Int
	Long
	Float
	Double
	Bytes
	String
	Record
	Enum
	Array
	Map
	Union
	Fixed
)

var typeNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "array", "map", "union", "fixed"}

func (t Type) String() string { return typeNames[t] }

// Named tells whether schemas of the type have a name.
func (t Type) Named() bool { return t == Record || t == Enum || t == Fixed }

// Schema is a parsed schema. Do not change one that somebody else may read. Records may contain themselves.
type Schema struct {
	Type Type
	// Name and Namespace of a record, enum or fixed; the namespace may be empty.
	Name, Namespace string
	Doc             string
	HasDoc          bool
	Aliases         []string // full names
	Fields          []*Field
	Error           bool // a record written as "error"
	Symbols         []string
	Default         string // of an enum
	HasDefault      bool
	Elem            *Schema   // of arrays and maps
	Branches        []*Schema // of unions
	Size            int       // of fixed
	// Props are the attributes that Avro gives no meaning, and those of logical types.
	Props jsontree.Object

	// Logical is the logical type where it is valid on the type; for a decimal with Precision and Scale.
	Logical          string
	Precision, Scale int

	fields map[string]int
	// text is the schema as Java writes it, once it was asked for. Schemas are not shared between threads before.
	text string
}

// Field is a field of a record.
type Field struct {
	Name       string
	Schema     *Schema
	Doc        string
	HasDoc     bool
	Default    any // a value of jsontree
	HasDefault bool
	Order      string // ascending is empty
	Aliases    []string
	Props      jsontree.Object
	// Value is Default as a value of the schema; shared, do not change it.
	Value any
}

// FullName is the name with its namespace; of other types the type's name.
func (s *Schema) FullName() string {
	if !s.Type.Named() {
		return s.Type.String()
	}
	return join(s.Namespace, s.Name)
}

func join(space, name string) string {
	if space == "" {
		return name
	}
	return space + "." + name
}

// Index is the place of a field; -1: there is none.
func (s *Schema) Index(name string) int {
	if i, ok := s.fields[name]; ok {
		return i
	}
	return -1
}

// Field returns a field of a record by its name, or nil.
func (s *Schema) Field(name string) *Field {
	if i := s.Index(name); i >= 0 {
		return s.Fields[i]
	}
	return nil
}

// SetFields gives a record its fields; names are unique.
func (s *Schema) SetFields(fields []*Field) {
	s.Fields = fields
	s.fields = make(map[string]int, len(fields))
	for i, f := range fields {
		s.fields[f.Name] = i
	}
}

// Symbol is the place of an enum's symbol; -1: there is none.
func (s *Schema) Symbol(name string) int {
	for i, sym := range s.Symbols {
		if sym == name {
			return i
		}
	}
	return -1
}

// Prim makes the schema of a type without attributes.
func Prim(t Type) *Schema { return &Schema{Type: t} }

// Of makes an array or a map.
func Of(t Type, elem *Schema) *Schema { return &Schema{Type: t, Elem: elem} }

// NewUnion makes a union.
func NewUnion(branches ...*Schema) *Schema { return &Schema{Type: Union, Branches: branches} }

// NewNamed makes a record, enum or fixed of a full name.
func NewNamed(t Type, fullName string) *Schema {
	s := &Schema{Type: t}
	s.Namespace, s.Name = split(fullName)
	if t == Record {
		s.SetFields(nil)
	}
	return s
}

func split(fullName string) (space, name string) {
	if i := strings.LastIndexByte(fullName, '.'); i >= 0 {
		return fullName[:i], fullName[i+1:]
	}
	return "", fullName
}

// SetLogical gives a schema a logical type with its attributes; a decimal's are precision and scale.
func (s *Schema) SetLogical(name string, attributes ...any) {
	s.Props.Set("logicalType", name)
	for i := 0; i < len(attributes); i += 2 {
		s.Props.Set(attributes[i].(string), attributes[i+1])
	}
	s.readLogical()
}

// Nullable tells whether null is a value.
func (s *Schema) Nullable() bool {
	if s.Type == Union {
		for _, b := range s.Branches {
			if b.Type == Null {
				return true
			}
		}
	}
	return s.Type == Null
}

// Rename gives a record another full name, and puts the names in it that had no namespace, or the record's, into the new one.
func (s *Schema) Rename(fullName string) error {
	if s.Type != Record {
		return fmt.Errorf("only a record can be renamed, not %s", s.FullName())
	}
	space, name := split(fullName)
	if err := CheckName(name); err != nil {
		return err
	}
	old := s.Namespace
	s.walk(map[*Schema]bool{}, func(n *Schema) {
		if n.Type.Named() && n.Namespace == old {
			n.Namespace = space
		}
		n.text = ""
	})
	s.Name = name
	s.text = s.Referring(nil)
	return nil
}
