package data

import "slices"

// Builder makes a Schema: Kafka's SchemaBuilder. The calls chain; the first that is wrong sticks, and Err and Build return it (a
// SchemaBuilderException). Optional, Required, Name, Version, Doc and Default may be set once: again only to the same value. A Builder may
// build more than once, and go on after that.
type Builder struct {
	schema   Schema
	required bool // Required was called
	err      error
}

// NewBuilder starts a schema of any type. The elements of an array or map are unknown: see ArrayOf and MapOf.
func NewBuilder(t Type) *Builder { return &Builder{schema: Schema{typ: t}} }

// NewStructBuilder starts a struct schema.
func NewStructBuilder() *Builder { return NewBuilder(StructType) }

// ArrayOf starts an array schema.
func ArrayOf(elements *Schema) *Builder {
	b := NewBuilder(Array)
	b.schema.value = elements
	if elements == nil {
		b.fail(SchemaBuilderException.Errorf("valueSchema cannot be null."))
	}
	return b
}

// MapOf starts a map schema.
func MapOf(keys, values *Schema) *Builder {
	b := NewBuilder(MapType)
	b.schema.key, b.schema.value = keys, values
	if keys == nil {
		b.fail(SchemaBuilderException.Errorf("keySchema cannot be null."))
	}
	if values == nil {
		b.fail(SchemaBuilderException.Errorf("valueSchema cannot be null."))
	}
	return b
}

// NewLooseBuilder starts an array or map schema of which keys, values or both may be unknown (nil): only parsing text makes such ones.
func NewLooseBuilder(t Type, keys, values *Schema) *Builder {
	b := NewBuilder(t)
	b.schema.key, b.schema.value = keys, values
	return b
}

// Copy starts a builder with all attributes of s but its fields: name, version, doc, parameters, optional, default, keys and values.
func (s *Schema) Copy() *Builder {
	b := s.CopyBasics()
	b.schema.optional, b.schema.def, b.schema.key, b.schema.value = s.optional, s.def, s.key, s.value
	return b
}

// CopyBasics starts a builder with the type, name, version, doc and parameters of s: Kafka's SchemaUtil.copySchemaBasics. The struct has no
// fields yet; optional and default are lost, as they are in Kafka.
func (s *Schema) CopyBasics() *Builder {
	return &Builder{schema: Schema{typ: s.typ, name: s.name, version: s.version, doc: s.doc, parameters: slices.Clip(s.parameters)}}
}

// Relabel returns s with another name, another version or both; nil leaves what there is. All else stays, fields too.
func (s *Schema) Relabel(name *string, version *int32) *Schema {
	c := *s
	if name != nil {
		c.name = name
	}
	if version != nil {
		c.version = version
	}
	return c.seal()
}

func (b *Builder) fail(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *Builder) twice(what string) {
	b.fail(SchemaBuilderException.Errorf("Invalid SchemaBuilder call: %s has already been set.", what))
}

// Err is what went wrong so far.
func (b *Builder) Err() error { return b.err }

// Optional makes null a value.
func (b *Builder) Optional() *Builder {
	if b.required {
		b.twice("optional")
	}
	b.schema.optional = true
	return b
}

// Required says what is so from the start, for good.
func (b *Builder) Required() *Builder {
	if b.schema.optional {
		b.twice("optional")
	}
	b.required = true
	return b
}

// SetOptional is Optional or Required: for copying another schema's.
func (b *Builder) SetOptional(optional bool) *Builder {
	if optional {
		return b.Optional()
	}
	return b
}

func set[T comparable](b *Builder, p **T, v T, what string) *Builder {
	if *p != nil && **p != v {
		b.twice(what)
		return b
	}
	*p = &v
	return b
}

// Name sets the semantic name.
func (b *Builder) Name(name string) *Builder { return set(b, &b.schema.name, name, "name") }

// Version sets the version.
func (b *Builder) Version(version int32) *Builder {
	return set(b, &b.schema.version, version, "version")
}

// Doc sets the documentation.
func (b *Builder) Doc(doc string) *Builder { return set(b, &b.schema.doc, doc, "doc") }

// Parameter sets a parameter; a later one of the same key replaces it in its place.
func (b *Builder) Parameter(key, value string) *Builder {
	i := slices.IndexFunc(b.schema.parameters, func(p Parameter) bool { return p.Key == key })
	if i < 0 {
		b.schema.parameters = append(b.schema.parameters, Parameter{key, value})
		return b
	}
	b.schema.parameters = slices.Clone(b.schema.parameters)
	b.schema.parameters[i].Value = value
	return b
}

// Parameters sets all of them.
func (b *Builder) Parameters(all ...Parameter) *Builder {
	for _, p := range all {
		b.Parameter(p.Key, p.Value)
	}
	return b
}

// Default sets the default value, which must be a value of the schema as it is by now: call Optional before a nil.
func (b *Builder) Default(v any) *Builder {
	if b.err != nil {
		return b
	}
	if b.schema.def != nil && !Equal(b.schema.def, v) {
		b.twice("default")
		return b
	}
	if err := Validate(b.snapshot(), v); err != nil {
		b.fail(SchemaBuilderException.Wrap(err, "Invalid default value"))
		return b
	}
	b.schema.def = v
	return b
}

// Field appends a field to a struct.
func (b *Builder) Field(name string, s *Schema) *Builder {
	switch {
	case b.schema.typ != StructType:
		b.fail(SchemaBuilderException.Errorf("Cannot create fields on type %s", b.schema.typ))
	case name == "":
		b.fail(SchemaBuilderException.Errorf("fieldName cannot be null."))
	case s == nil:
		b.fail(SchemaBuilderException.Errorf("fieldSchema for field %s cannot be null.", name))
	case b.HasField(name):
		b.fail(SchemaBuilderException.Errorf("Cannot create field because of field name duplication %s", name))
	default:
		b.schema.fields = append(b.schema.fields, &Field{Name: name, Index: len(b.schema.fields), Schema: s})
	}
	return b
}

// HasField says whether a field of that name is there already.
func (b *Builder) HasField(name string) bool {
	return slices.ContainsFunc(b.schema.fields, func(f *Field) bool { return f.Name == name })
}

// snapshot is the schema as it is by now, which later calls do not change.
func (b *Builder) snapshot() *Schema {
	s := b.schema
	s.parameters, s.fields = slices.Clip(s.parameters), slices.Clip(s.fields)
	return s.seal()
}

// Build returns the schema, or the first error.
func (b *Builder) Build() (*Schema, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.snapshot(), nil
}

// MustBuild is Build for schemas that are written down in a program: it panics on an error.
func (b *Builder) MustBuild() *Schema {
	s, err := b.Build()
	if err != nil {
		panic(err)
	}
	return s
}
