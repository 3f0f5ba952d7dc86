package avro

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// fromAvro makes a Connect schema of Avro's: AvroData.toConnectSchema.
type fromAvro struct {
	options
	unions *int // how many unions had a name of their own, in the life of the converter
	within []*avroschema.Schema
}

// connectSchema converts a schema; version is the registry's number, which counts where the schema has none of its own; negative: none.
func (o options) connectSchema(s *avroschema.Schema, version int32, unions *int) (*data.Schema, error) {
	c := &fromAvro{options: o, unions: unions}
	return c.schema(s, false, field{}, version)
}

// field is what the field around a schema says of it.
type field struct {
	doc        string
	hasDoc     bool
	def        any // JSON
	hasDefault bool
}

// schema converts a schema; forced makes it optional.
func (c *fromAvro) schema(s *avroschema.Schema, forced bool, f field, version int32) (*data.Schema, error) {
	if s.Type == avroschema.Union {
		if inner, optional := c.transparent(s); inner != nil {
			return c.nested(inner, optional, field{doc: f.doc, hasDoc: f.hasDoc})
		}
	}
	b, err := c.builder(s)
	if err != nil {
		return nil, err
	}
	c.docs(b, s, f)
	if err := c.version(b, s, version); err != nil {
		return nil, err
	}
	if err := c.parameters(b, s); err != nil {
		return nil, err
	}
	if err := c.defaults(b, s, f); err != nil {
		return nil, err
	}
	if err := c.name(b, s); err != nil {
		return nil, err
	}
	if forced {
		b.Optional()
	}
	return b.Build()
}

// transparent is what a union stands for that is not one in Connect: of one schema, or of one and null.
func (c *fromAvro) transparent(s *avroschema.Schema) (inner *avroschema.Schema, optional bool) {
	switch n := len(s.Branches); {
	case n == 1 && c.flatten:
		return s.Branches[0], false
	case n == 2 && s.Branches[0].Type == avroschema.Null && s.Branches[1].Type != avroschema.Null:
		return s.Branches[1], true
	case n == 2 && s.Branches[1].Type == avroschema.Null && s.Branches[0].Type != avroschema.Null:
		return s.Branches[0], true
	}
	return nil, false
}

// nested is schema for what is inside another.
func (c *fromAvro) nested(s *avroschema.Schema, forced bool, f field) (*data.Schema, error) {
	if slices.Contains(c.within, s) {
		return nil, data.DataException.Errorf("The Avro schema %s contains itself: Connect has no such schemas", s.FullName())
	}
	return c.schema(s, forced, f, -1)
}

func (c *fromAvro) builder(s *avroschema.Schema) (*data.Builder, error) {
	logical, _ := s.Props.Text("logicalType")
	switch s.Type {
	case avroschema.Boolean:
		return data.NewBuilder(data.Boolean), nil
	case avroschema.Float:
		return data.NewBuilder(data.Float32), nil
	case avroschema.Double:
		return data.NewBuilder(data.Float64), nil
	case avroschema.String:
		return data.NewBuilder(data.String), nil
	case avroschema.Bytes, avroschema.Fixed:
		return c.bytes(s, logical)
	case avroschema.Int:
		return c.integer(s, logical)
	case avroschema.Long:
		if strings.EqualFold(logical, "timestamp-millis") {
			return data.TimestampBuilder(), nil
		}
		return data.NewBuilder(data.Int64), nil
	case avroschema.Array:
		return c.array(s)
	case avroschema.Map:
		values, err := c.nested(s.Elem, false, field{})
		if err != nil {
			return nil, err
		}
		return data.MapOf(data.StringSchema, values), nil
	case avroschema.Record:
		return c.record(s)
	case avroschema.Enum:
		return c.enum(s), nil
	case avroschema.Union:
		return c.union(s)
	}
	return nil, data.DataException.Errorf("Standalone null schemas are not supported by this converter")
}

// numeric is a property that is a number; ok is false where it is another thing, or nothing.
func numeric(s *avroschema.Schema, name string) (n int, given, ok bool) {
	v, given := s.Props.Get(name)
	switch v := v.(type) {
	case int:
		return v, given, true
	case json.Number:
		f, err := v.Float64()
		return int(f), given, err == nil
	}
	return 0, given, false
}

func (c *fromAvro) bytes(s *avroschema.Schema, logical string) (*data.Builder, error) {
	b := data.NewBuilder(data.Bytes)
	if strings.EqualFold(logical, "decimal") {
		scale, _, _ := numeric(s, "scale")
		b = data.DecimalBuilder(int32(scale))
		precision, given, ok := numeric(s, "precision")
		if given && !ok {
			return nil, data.DataException.Errorf("precision property must be a JSON Integer. https://avro.apache.org/docs/1.9.1/spec.html#Decimal")
		}
		if given && precision != defaultPrecision {
			b.Parameter(propPrecision, strconv.Itoa(precision))
		}
	}
	if s.Type == avroschema.Fixed {
		b.Parameter(propFixedSize, strconv.Itoa(s.Size))
	}
	return b, nil
}

func (c *fromAvro) integer(s *avroschema.Schema, logical string) (*data.Builder, error) {
	kind, typed := s.Props.Text(propType)
	switch {
	case strings.EqualFold(logical, "date"):
		return data.DateBuilder(), nil
	case strings.EqualFold(logical, "time-millis"):
		return data.TimeBuilder(), nil
	case logical != "" || !typed:
		return data.NewBuilder(data.Int32), nil
	case kind == "int8":
		return data.NewBuilder(data.Int8), nil
	case kind == "int16":
		return data.NewBuilder(data.Int16), nil
	}
	return nil, data.DataException.Errorf("Connect type annotation for Avro int field is null")
}

// isEntry tells whether a record is the entry of a map whose keys are not strings.
func isEntry(s *avroschema.Schema) bool {
	if s.Type != avroschema.Record {
		return false
	}
	internal, _ := s.Props.Text(propInternal)
	return s.Namespace == namespace && s.Name == mapEntry || internal == mapEntry
}

func (c *fromAvro) array(s *avroschema.Schema) (*data.Builder, error) {
	if !isEntry(s.Elem) {
		elem, err := c.nested(s.Elem, false, field{})
		if err != nil {
			return nil, err
		}
		return data.ArrayOf(elem), nil
	}
	k, v := s.Elem.Field(keyField), s.Elem.Field(valueField)
	if len(s.Elem.Fields) != 2 || k == nil || v == nil {
		return nil, data.DataException.Errorf("Found map encoded as array of key-value pairs, but array elements do not match the expected format.")
	}
	keys, err := c.schema(k.Schema, false, field{}, -1)
	if err != nil {
		return nil, err
	}
	values, err := c.schema(v.Schema, false, field{}, -1)
	if err != nil {
		return nil, err
	}
	return data.MapOf(keys, values), nil
}

func (c *fromAvro) record(s *avroschema.Schema) (*data.Builder, error) {
	c.within = append(c.within, s)
	defer func() { c.within = c.within[:len(c.within)-1] }()
	b := data.NewStructBuilder()
	keep := !c.discard && c.meta
	if keep && s.HasDoc {
		b.Parameter(recordDoc, s.Doc)
	}
	for _, f := range s.Fields {
		if keep && f.HasDoc {
			b.Parameter(fieldDoc+f.Name, f.Doc)
		}
		made, err := c.schema(f.Schema, false, field{f.Doc, f.HasDoc, f.Default, f.HasDefault}, -1)
		if err != nil {
			return nil, err
		}
		if params, ok := f.Props.Get(propParams); ok && c.meta {
			if o, ok := params.(*jsontree.Object); ok {
				if made, err = withParameters(made, o); err != nil {
					return nil, err
				}
			}
		}
		b.Field(f.Name, made)
	}
	return b, nil
}

// withParameters adds the parameters of a field to those of its type, where they differ.
func withParameters(s *data.Schema, params *jsontree.Object) (*data.Schema, error) {
	same := true
	for _, m := range params.Members {
		if v, ok := s.Parameter(m.Name); !ok || v != plainText(m.Value) {
			same = false
		}
	}
	if same {
		return s, nil
	}
	b := s.Copy()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	for _, m := range params.Members {
		b.Parameter(m.Name, plainText(m.Value))
	}
	return b.Build()
}

// plainText is what Java's toString gives of a property.
func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return jsontree.String(v)
}

func (c *fromAvro) enum(s *avroschema.Schema) *data.Builder {
	b := data.NewBuilder(data.String)
	if c.meta {
		if s.HasDoc && c.discard {
			b.Parameter(propEnumDoc, s.Doc)
		} else if s.HasDoc {
			b.Parameter(enumDoc+s.Name, s.Doc)
		}
		if !c.discard && s.HasDefault {
			b.Parameter(enumDefault+s.Name, s.Default)
		}
	}
	name := c.enumParameter()
	b.Parameter(name, s.FullName())
	for i, symbol := range s.Symbols {
		value := symbol
		if c.general {
			value = strconv.Itoa(i)
		}
		b.Parameter(name+"."+symbol, value)
	}
	return b
}

func (c *fromAvro) union(s *avroschema.Schema) (*data.Builder, error) {
	name := unionName
	if c.general {
		name = generalPrefix + strconv.Itoa(*c.unions)
		*c.unions++
	}
	b := data.NewStructBuilder().Name(name)
	if c.general {
		b.Parameter(generalUnion, name)
	}
	for i, branch := range s.Branches {
		if branch.Type == avroschema.Null {
			b.Optional()
			continue
		}
		member := c.memberName(branch, i)
		if b.HasField(member) {
			return nil, data.DataException.Errorf("Multiple union schemas map to the Connect union field name")
		}
		made, err := c.nested(branch, true, field{})
		if err != nil {
			return nil, err
		}
		b.Field(member, made)
	}
	return b, nil
}

// memberName is the field that stands for a branch of a union.
func (o options) memberName(s *avroschema.Schema, index int) string {
	switch {
	case o.general:
		return generalField + strconv.Itoa(index)
	case !s.Type.Named():
		return s.Type.String()
	case o.enhanced:
		return s.FullName()
	}
	return o.scrubbed(s.Name)
}

func (c *fromAvro) docs(b *data.Builder, s *avroschema.Schema, f field) {
	own, hasOwn := s.Props.Text(propDoc)
	if !c.discard {
		if c.meta && hasOwn {
			b.Doc(own)
		}
		return
	}
	switch {
	case f.hasDoc:
		b.Doc(f.doc)
	case s.HasDoc:
		b.Doc(s.Doc)
	case hasOwn:
		b.Doc(own)
	}
	if c.meta && s.HasDoc {
		b.Parameter(propRecordDoc, s.Doc)
	}
}

func (c *fromAvro) version(b *data.Builder, s *avroschema.Schema, version int32) error {
	own, given, ok := numeric(s, propVersion)
	if given && !ok {
		v, _ := s.Props.Get(propVersion)
		return data.DataException.Errorf("Invalid Connect version found: %s", plainText(v))
	}
	if given {
		version = int32(own)
	}
	if version < 0 {
		return nil
	}
	now, err := b.Build()
	if err != nil {
		return err
	}
	if has, ok := now.Version(); ok && has != version {
		return data.DataException.Errorf("Mismatched versions: version already added to SchemaBuilder (%d) differs from version in source schema (%d)", has, version)
	}
	b.Version(version)
	return nil
}

func (c *fromAvro) parameters(b *data.Builder, s *avroschema.Schema) error {
	if v, ok := s.Props.Get(propParams); ok && c.meta && v != nil {
		o, ok := v.(*jsontree.Object)
		if !ok {
			return data.DataException.Errorf("Expected JSON object for schema parameters but found: %s", plainText(v))
		}
		for _, m := range o.Members {
			text, ok := m.Value.(string)
			if !ok {
				return data.DataException.Errorf("Expected schema parameter values to be strings but found: %s", plainText(m.Value))
			}
			b.Parameter(m.Name, text)
		}
	}
	for _, m := range s.Props.Members {
		if strings.HasPrefix(m.Name, avroPrefix) {
			b.Parameter(m.Name, plainText(m.Value))
		}
	}
	return nil
}

// defaults takes the field's default, or the schema's own. One that does not fit is left out, as in Java.
func (c *fromAvro) defaults(b *data.Builder, s *avroschema.Schema, f field) error {
	own, hasOwn := s.Props.Get(propDefault)
	v := own
	switch {
	case f.hasDefault:
		v = f.def
		if !c.discard && c.meta && !hasOwn {
			b.Parameter(fieldDefault, "true")
		}
	case !hasOwn:
		return nil
	}
	if v == nil {
		return nil
	}
	now, err := b.Build()
	if err != nil {
		return err
	}
	made, err := c.defaultValue(now, s, v)
	if err == nil && made != nil && data.Validate(now, made) == nil {
		b.Default(made)
	}
	return nil
}

func (c *fromAvro) name(b *data.Builder, s *avroschema.Schema) error {
	now, err := b.Build()
	if err != nil {
		return err
	}
	name := ""
	if v, ok := s.Props.Get(propName); ok {
		if name, ok = v.(string); !ok {
			return data.DataException.Errorf("Invalid schema name: %s", plainText(v))
		}
	} else if s.Type == avroschema.Record || s.Type == avroschema.Enum || s.Type == avroschema.Fixed && now.Name() != data.DecimalName {
		name = s.FullName()
	}
	if name == "" || strings.HasPrefix(name, defaultFullName) {
		return nil
	}
	if now.HasName() && now.Name() != name {
		return data.DataException.Errorf("Mismatched names: name already added to SchemaBuilder (%s) differs from name in source schema (%s)", now.Name(), name)
	}
	b.Name(name)
	return nil
}

// defaultValue is a default, JSON, as a value of the Connect schema.
func (c *fromAvro) defaultValue(to *data.Schema, s *avroschema.Schema, v any) (any, error) {
	if s.Type == avroschema.Array && to.Type() == data.MapType {
		return c.defaultEntries(to, s, v)
	}
	plain, err := s.DefaultValue(v)
	if err != nil {
		return nil, fmt.Errorf("invalid default: %w", err)
	}
	return c.newReader(s, to).value(plain)
}

// defaultEntries reads a map with keys that are not strings: pairs of key and value.
func (c *fromAvro) defaultEntries(to *data.Schema, s *avroschema.Schema, v any) (any, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, data.DataException.Errorf("Invalid JSON for array default value")
	}
	out := data.MakeMap(len(list))
	for _, e := range list {
		pair, ok := e.([]any)
		if !ok || len(pair) != 2 {
			return nil, data.DataException.Errorf("Invalid JSON for map default value")
		}
		k, err := c.defaultValue(to.KeySchema(), unwrapped(s.Elem.Field(keyField).Schema), pair[0])
		if err != nil {
			return nil, err
		}
		v, err := c.defaultValue(to.ValueSchema(), unwrapped(s.Elem.Field(valueField).Schema), pair[1])
		if err != nil {
			return nil, err
		}
		out.Put(k, v)
	}
	return out, nil
}

// unwrapped is the branch of a union that is not null.
func unwrapped(s *avroschema.Schema) *avroschema.Schema {
	for _, b := range s.Branches {
		if b.Type != avroschema.Null {
			return b
		}
	}
	return s
}
