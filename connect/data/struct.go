package data

import (
	"slices"
	"strings"
)

// Struct is a struct value: one value a field, by index. It belongs to who made it until it is put into a record; from then on it is
// immutable.
type Struct struct {
	schema *Schema
	values []any
}

// NewStruct returns a struct whose values are all null. s must be a struct schema, else it panics: use MakeStruct where that is not sure.
func NewStruct(s *Schema) *Struct {
	if s.typ != StructType {
		panic(DataException.Errorf("Not a struct schema: %s", s))
	}
	return makeStruct(s)
}

// makeStruct makes a struct and the room for its values in one piece where there are few of them, which is nearly always.
func makeStruct(s *Schema) *Struct {
	switch len(s.fields) {
	case 1:
		st := &struct {
			Struct
			room [1]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 2:
		st := &struct {
			Struct
			room [2]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 3:
		st := &struct {
			Struct
			room [3]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 4:
		st := &struct {
			Struct
			room [4]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 5:
		st := &struct {
			Struct
			room [5]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 6:
		st := &struct {
			Struct
			room [6]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 7:
		st := &struct {
			Struct
			room [7]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	case 8:
		st := &struct {
			Struct
			room [8]any
		}{Struct: Struct{schema: s}}
		st.values = st.room[:]
		return &st.Struct
	}
	return &Struct{schema: s, values: make([]any, len(s.fields))}
}

// MakeStruct is NewStruct that returns a DataException when s is no struct schema.
func MakeStruct(s *Schema) (*Struct, error) {
	if s.typ != StructType {
		return nil, DataException.Errorf("Not a struct schema: %s", s)
	}
	return NewStruct(s), nil
}

// Schema is the struct's schema.
func (st *Struct) Schema() *Schema { return st.schema }

func (st *Struct) lookup(name string) (*Field, error) {
	f := st.schema.Field(name)
	if f == nil {
		return nil, DataException.Errorf("%s is not a valid field name", name)
	}
	return f, nil
}

// Get is a field's value; where that is null, the field's default. A name that is no field's is a DataException.
func (st *Struct) Get(name string) (any, error) {
	f, err := st.lookup(name)
	if err != nil {
		return nil, err
	}
	return st.Value(f), nil
}

// GetWithoutDefault is a field's value as it was put.
func (st *Struct) GetWithoutDefault(name string) (any, error) {
	f, err := st.lookup(name)
	if err != nil {
		return nil, err
	}
	return st.values[f.Index], nil
}

// GetTyped is a field's value as it was put, when the field's type is t, else a DataException: it stands for Kafka's getInt8, getString,
// getStruct and so on. A Buffer is returned as []byte.
func (st *Struct) GetTyped(name string, t Type) (any, error) {
	f, err := st.lookup(name)
	if err != nil {
		return nil, err
	}
	if f.Schema.typ != t {
		return nil, DataException.Errorf("Field '%s' is not of type %s", name, t)
	}
	v := st.values[f.Index]
	if b, ok := v.(Buffer); ok {
		return []byte(b), nil
	}
	return v, nil
}

// Value is the value of a field of this struct's schema, or its default.
func (st *Struct) Value(f *Field) any {
	if v := st.values[f.Index]; v != nil {
		return v
	}
	return f.Schema.def
}

// At is the value of the i-th field as it was put.
func (st *Struct) At(i int) any { return st.values[i] }

// Put sets a field. The value is validated; the struct keeps it.
func (st *Struct) Put(name string, v any) error {
	f, err := st.lookup(name)
	if err != nil {
		return err
	}
	return st.PutField(f, v)
}

// PutValid is PutField of a value that is known to be valid there: one that was read from a field of the same schema.
func (st *Struct) PutValid(f *Field, v any) { st.values[f.Index] = v }

// PutField is Put for a field of this struct's schema.
func (st *Struct) PutField(f *Field, v any) error {
	if !plain(f.Schema, v) {
		if err := validateFully(f.Schema, v, place{field: f.Name}); err != nil {
			return err
		}
	}
	st.values[f.Index] = v
	return nil
}

// Set sets the i-th field without validation: for converters and transforms that have just made the value by its schema.
func (st *Struct) Set(i int, v any) { st.values[i] = v }

// MustPut is Put for programs that know their schema: it panics on an error, and returns the struct, so that calls chain.
func (st *Struct) MustPut(name string, v any) *Struct {
	if err := st.Put(name, v); err != nil {
		panic(err)
	}
	return st
}

// Copy returns a struct with the same values, which may be changed.
func (st *Struct) Copy() *Struct {
	c := makeStruct(st.schema)
	copy(c.values, st.values)
	return c
}

// Validate checks all fields. Null is valid where the field is optional or has a default.
func (st *Struct) Validate() error {
	for _, f := range st.schema.fields {
		v := st.values[f.Index]
		if plain(f.Schema, v) || v == nil && f.Schema.def != nil {
			continue
		}
		if err := validateFully(f.Schema, v, place{field: f.Name}); err != nil {
			return err
		}
	}
	return nil
}

// Equal compares schemas and values.
func (st *Struct) Equal(o *Struct) bool {
	if st == o {
		return true
	}
	if st == nil || o == nil {
		return false
	}
	return st.schema.Equal(o.schema) && slices.EqualFunc(st.values, o.values, Equal)
}

// String is Struct{a=1,b=x}: null fields are left out.
func (st *Struct) String() string {
	var b strings.Builder
	b.WriteString("Struct{")
	first := true
	for i, v := range st.values {
		if v == nil {
			continue
		}
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString(st.schema.fields[i].Name)
		b.WriteByte('=')
		b.WriteString(Text(v))
	}
	b.WriteByte('}')
	return b.String()
}
