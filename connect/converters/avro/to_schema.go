package avro

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// anything is the schema of values without one.
var anything = func() *avroschema.Schema {
	s := avroschema.NewNamed(avroschema.Record, anythingName)
	entry := avroschema.NewNamed(avroschema.Record, namespace+"."+mapEntry)
	entry.SetFields([]*avroschema.Field{{Name: keyField, Schema: s}, {Name: valueField, Schema: s}})
	var fields []*avroschema.Field
	optional := func(name string, of *avroschema.Schema) {
		fields = append(fields, &avroschema.Field{Name: name, Schema: avroschema.NewUnion(avroschema.Prim(avroschema.Null), of), HasDefault: true})
	}
	for _, t := range []avroschema.Type{avroschema.Boolean, avroschema.Bytes, avroschema.Double, avroschema.Float, avroschema.Int, avroschema.Long, avroschema.String} {
		optional(t.String(), avroschema.Prim(t))
	}
	optional("array", avroschema.Of(avroschema.Array, s))
	optional("map", avroschema.Of(avroschema.Array, entry))
	s.SetFields(fields)
	return s
}()

// toAvro makes an Avro schema of Connect's: AvroData.fromConnectSchema.
type toAvro struct {
	options
	done     map[string][]doneSchema       // by name and type
	records  map[string]*avroschema.Schema // by Connect name
	seen     map[string]bool               // names of fields' schemas
	unnamed  int                           // how many records had no name
	deepness int
}

type doneSchema struct {
	from *data.Schema
	to   *avroschema.Schema
}

func (o options) schemaOf(s *data.Schema) (*avroschema.Schema, error) {
	if s == nil {
		return anything, nil
	}
	c := &toAvro{options: o, done: map[string][]doneSchema{}, records: map[string]*avroschema.Schema{}, seen: map[string]bool{}}
	out, err := c.schema(s, false, false)
	if err != nil {
		return nil, err
	}
	// The text goes to the registry, where a parser must be able to read it.
	return out, checkNames(out)
}

func checkNames(s *avroschema.Schema) error {
	if _, err := avroschema.Parse(s.String()); err != nil {
		return confluent.InvalidName.Errorf("%s", capital(err.Error()))
	}
	return nil
}

func capital(s string) string {
	if i := strings.LastIndex(s, "illegal character"); i >= 0 {
		return "Illegal character" + s[i+len("illegal character"):]
	}
	return s
}

func doneKey(s *data.Schema) string { return s.Type().Name() + " " + s.Name() }

// sameButOptional compares schemas whatever their optional flags.
func sameButOptional(a, b *data.Schema) bool {
	if a == b || a.Equal(b) {
		return true
	}
	if a.Optional() == b.Optional() || a.Type() != b.Type() || a.Name() != b.Name() {
		return false
	}
	return required(a).Equal(required(b))
}

// required is a copy that is not optional, without its default.
func required(s *data.Schema) *data.Schema {
	var b *data.Builder
	switch s.Type() {
	case data.Array:
		b = data.ArrayOf(s.ValueSchema())
	case data.MapType:
		b = data.MapOf(s.KeySchema(), s.ValueSchema())
	default:
		b = data.NewBuilder(s.Type())
	}
	if s.HasName() {
		b.Name(s.Name())
	}
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if d, ok := s.Doc(); ok {
		b.Doc(d)
	}
	b.Parameters(s.Parameters()...)
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	out, err := b.Build()
	if err != nil {
		return s // it was a schema before
	}
	return out
}

// nested is schema for what is inside another: a record that is being made is referred to.
func (c *toAvro) nested(s *data.Schema, asRequired, ignoreOptional bool) (*avroschema.Schema, error) {
	if s != nil && s.HasName() {
		if r := c.records[s.Name()]; r != nil {
			if ignoreOptional || asRequired {
				return r, nil
			}
			return maybeOptional(s, r), nil
		}
	}
	return c.schema(s, asRequired, ignoreOptional)
}

// schema converts a schema; asRequired as if it were not optional; ignoreOptional leaves the union with null out, and nothing else.
func (c *toAvro) schema(s *data.Schema, asRequired, ignoreOptional bool) (*avroschema.Schema, error) {
	if s == nil {
		return anything, nil
	}
	optional := s.Optional() && !asRequired
	if !optional && !isUnion(s) {
		for _, d := range c.done[doneKey(s)] {
			if sameButOptional(s, d.from) {
				return d.to, nil
			}
		}
	}
	base, err := c.base(s, optional)
	if err != nil {
		return nil, err
	}
	if base.Type != avroschema.Union {
		if err := c.properties(base, s); err != nil {
			return nil, err
		}
		if !ignoreOptional && optional {
			base = maybeOptional(s, base)
		}
	}
	if !optional {
		c.done[doneKey(s)] = append(c.done[doneKey(s)], doneSchema{s, base})
	}
	return base, nil
}

// maybeOptional makes a union with null of an optional schema: null comes first, unless there is a default.
func maybeOptional(s *data.Schema, base *avroschema.Schema) *avroschema.Schema {
	switch null := avroschema.Prim(avroschema.Null); {
	case !s.Optional():
		return base
	case s.Default() != nil:
		return avroschema.NewUnion(base, null)
	default:
		return avroschema.NewUnion(null, base)
	}
}

// simple are the Avro types of primitive types.
var simple = map[data.Type]avroschema.Type{data.Int8: avroschema.Int, data.Int16: avroschema.Int, data.Int32: avroschema.Int, data.Int64: avroschema.Long,
	data.Float32: avroschema.Float, data.Float64: avroschema.Double, data.Boolean: avroschema.Boolean, data.String: avroschema.String, data.Bytes: avroschema.Bytes}

// base is a schema without its properties.
func (c *toAvro) base(s *data.Schema, optional bool) (*avroschema.Schema, error) {
	switch s.Type() {
	case data.String:
		if (c.general || c.enhanced) && isEnum(s) {
			return c.enum(s)
		}
	case data.Bytes:
		return c.bytes(s)
	case data.Array:
		elem, err := c.nested(s.ValueSchema(), false, false)
		if err != nil {
			return nil, err
		}
		return avroschema.Of(avroschema.Array, elem), nil
	case data.MapType:
		return c.mapping(s)
	case data.StructType:
		return c.structure(s, optional)
	}
	t, ok := simple[s.Type()]
	if !ok {
		return nil, data.DataException.Errorf("Unknown schema type: %s", s.Type())
	}
	return avroschema.Prim(t), nil
}

// name is a record's name, or the next default.
func (c *toAvro) name(s *data.Schema) (full, last string) {
	if s.HasName() {
		space, name := c.split(s.Name())
		if space == "" {
			return name, name
		}
		return space + "." + name, name
	}
	c.unnamed++
	name := defaultName
	if c.unnamed > 1 {
		name += strconv.Itoa(c.unnamed)
	}
	return namespace + "." + name, name
}

func (c *toAvro) enum(s *data.Schema) (*avroschema.Schema, error) {
	parameter := c.enumParameter()
	_, last := c.name(s)
	full, ok := s.Parameter(parameter)
	if !ok {
		return nil, data.NullPointerException.Errorf("there is no parameter %s", parameter)
	}
	out := avroschema.NewNamed(avroschema.Enum, full)
	for _, p := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(p.Key, parameter+"."); ok {
			out.Symbols = append(out.Symbols, symbol)
		}
	}
	if c.discard {
		out.Doc, out.HasDoc = s.Parameter(propEnumDoc)
		return out, nil
	}
	out.Doc, out.HasDoc = s.Parameter(enumDoc + last)
	if out.Default, out.HasDefault = s.Parameter(enumDefault + last); out.HasDefault && out.Symbol(out.Default) < 0 {
		return nil, confluent.InvalidName.Errorf("The Enum Default: %s is not in the enum symbol set: %v", out.Default, out.Symbols)
	}
	return out, nil
}

func number(text string) (int, error) {
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, data.NumberFormatException.Errorf("For input string: %q", text)
	}
	return int(n), nil
}

func isDecimal(s *data.Schema) bool { return strings.EqualFold(s.Name(), data.DecimalName) }

func (c *toAvro) bytes(s *data.Schema) (*avroschema.Schema, error) {
	out := avroschema.Prim(avroschema.Bytes)
	if isFixed(s) {
		full, _ := c.name(s)
		out = avroschema.NewNamed(avroschema.Fixed, full)
		text, _ := s.Parameter(propFixedSize)
		var err error
		if out.Size, err = number(text); err != nil {
			return nil, err
		}
	}
	if isDecimal(s) {
		scale, precision, err := decimalOf(s)
		if err != nil {
			return nil, err
		}
		out.Props.Set("scale", scale)
		out.Props.Set("precision", precision)
	}
	return out, nil
}

func decimalOf(s *data.Schema) (scale, precision int, err error) {
	precision = defaultPrecision
	text, ok := s.Parameter(data.ScaleParameter)
	if !ok {
		return 0, 0, data.NumberFormatException.Errorf("Cannot parse null string: null")
	}
	if scale, err = number(text); err != nil {
		return 0, 0, err
	}
	if text, ok = s.Parameter(propPrecision); ok {
		precision, err = number(text)
	}
	return scale, precision, err
}

func (c *toAvro) mapping(s *data.Schema) (*avroschema.Schema, error) {
	if c.stringKeys(s) {
		elem, err := c.nested(s.ValueSchema(), false, false)
		if err != nil {
			return nil, err
		}
		return avroschema.Of(avroschema.Map, elem), nil
	}
	entry := avroschema.NewNamed(avroschema.Record, namespace+"."+mapEntry)
	if s.HasName() {
		full, _ := c.name(s)
		entry = avroschema.NewNamed(avroschema.Record, full)
		entry.Props.Set(propInternal, mapEntry)
	}
	var fields []*avroschema.Field
	for _, f := range []*data.Field{{Name: keyField, Schema: s.KeySchema()}, {Name: valueField, Schema: s.ValueSchema()}} {
		made, err := c.field(f.Name, f.Schema, "", false)
		if err != nil {
			return nil, err
		}
		fields = append(fields, made)
	}
	entry.SetFields(fields)
	return avroschema.Of(avroschema.Array, entry), nil
}

func (c *toAvro) structure(s *data.Schema, optional bool) (*avroschema.Schema, error) {
	null := avroschema.Prim(avroschema.Null)
	if isUnion(s) {
		out := avroschema.NewUnion()
		if optional {
			out.Branches = append(out.Branches, null)
		}
		for _, f := range s.Fields() {
			b, err := c.nested(f.Schema, true, true)
			if err != nil {
				return nil, err
			}
			out.Branches = append(out.Branches, b)
		}
		return out, nil
	}
	if optional {
		b, err := c.nested(s, true, false)
		if err != nil {
			return nil, err
		}
		return avroschema.NewUnion(null, b), nil
	}
	if c.deepness++; c.deepness > 200 {
		return nil, data.DataException.Errorf("The schema of %s is nested too deeply", s.Name())
	}
	defer func() { c.deepness-- }()
	full, _ := c.name(s)
	out := avroschema.NewNamed(avroschema.Record, full)
	parameter := recordDoc
	if c.discard {
		parameter = propRecordDoc
	}
	out.Doc, out.HasDoc = s.Parameter(parameter)
	if s.HasName() {
		c.records[s.Name()] = out
	}
	var fields []*avroschema.Field
	for _, f := range s.Fields() {
		doc, hasDoc := "", false
		if !c.discard {
			doc, hasDoc = s.Parameter(fieldDoc + f.Name)
		}
		made, err := c.field(c.scrubbed(f.Name), f.Schema, doc, hasDoc)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(fields, func(o *avroschema.Field) bool { return o.Name == made.Name }) {
			return nil, confluent.InvalidName.Errorf("Duplicate field %s in record %s", made.Name, out.FullName())
		}
		fields = append(fields, made)
	}
	out.SetFields(fields)
	return out, nil
}

func (c *toAvro) field(name string, s *data.Schema, doc string, hasDoc bool) (*avroschema.Field, error) {
	out := &avroschema.Field{Name: name, Doc: doc, HasDoc: hasDoc}
	switch {
	case s.Default() != nil:
		v, err := c.defaultValue(s, s.Default())
		if err != nil {
			return nil, err
		}
		out.Default, out.HasDefault = v, true
	case s.Optional():
		out.HasDefault = true
	}
	scrubbed := c.full(s.Name())
	again := s.HasName() && c.seen[scrubbed]
	if s.HasName() {
		c.seen[scrubbed] = true
	}
	var err error
	if out.Schema, err = c.schema(s, false, false); err != nil {
		return nil, err
	}
	if c.discard {
		out.Doc, out.HasDoc = s.Doc()
	}
	if out.HasDefault {
		if out.Value, err = out.Schema.DefaultValue(out.Default); err != nil { // as in Java, a default that does not fit is left out
			out.Default, out.HasDefault = nil, false
		}
	}
	if c.meta && again && len(s.Parameters()) > 0 && isNamed(out.Schema) {
		if params := c.parameters(s); params.Len() > 0 {
			out.Props.Set(propParams, params)
		}
	}
	return out, nil
}

func isNamed(s *avroschema.Schema) bool {
	return s.Type.Named() || slices.ContainsFunc(s.Branches, func(b *avroschema.Schema) bool { return b.Type.Named() })
}

func (c *toAvro) parameters(s *data.Schema) *jsontree.Object {
	out := jsontree.Of()
	for _, p := range s.Parameters() {
		if c.discard || p.Key != fieldDefault {
			out.Set(p.Key, p.Value)
		}
	}
	return out
}

// properties keeps what Avro has no place for, and sets the logical type.
func (c *toAvro) properties(base *avroschema.Schema, s *data.Schema) error {
	if c.meta {
		if err := c.metaData(base, s); err != nil {
			return err
		}
	}
	switch {
	case isDecimal(s):
		scale, precision, err := decimalOf(s)
		if err != nil {
			return err
		}
		if _, given := s.Parameter(propPrecision); given || scale >= 0 && scale <= precision {
			base.SetLogical("decimal")
		} else { // Avro does not allow it: the properties alone tell
			base.Props.Set("logicalType", "decimal")
		}
	case strings.EqualFold(s.Name(), data.TimeName):
		base.SetLogical("time-millis")
	case strings.EqualFold(s.Name(), data.TimestampName):
		base.SetLogical("timestamp-millis")
	case strings.EqualFold(s.Name(), data.DateName):
		base.SetLogical("date")
	}
	for _, p := range s.Parameters() {
		if strings.HasPrefix(p.Key, avroPrefix) {
			base.Props.Set(p.Key, p.Value)
		}
	}
	return nil
}

func (c *toAvro) metaData(base *avroschema.Schema, s *data.Schema) error {
	if doc, ok := s.Doc(); ok {
		base.Props.Set(propDoc, doc)
	}
	if v, ok := s.Version(); ok {
		base.Props.Set(propVersion, int(v))
	}
	if params := c.parameters(s); params.Len() > 0 {
		base.Props.Set(propParams, params)
	}
	if s.Default() != nil {
		if _, fromField := s.Parameter(fieldDefault); c.discard || !fromField {
			v, err := c.defaultValue(s, s.Default())
			if err != nil {
				return err
			}
			base.Props.Set(propDefault, v)
		}
	}
	if s.HasName() {
		base.Props.Set(propName, s.Name())
	}
	switch s.Type() {
	case data.Int8, data.Int16:
		base.Props.Set(propType, s.Type().Name())
	}
	return nil
}

// defaultValue is a default as JSON.
func (c *toAvro) defaultValue(s *data.Schema, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	v, err := encoded(s, v)
	if err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case int8:
		return int(v), nil
	case int16:
		return int(v), nil
	case float32:
		if f := float64(v); !math.IsNaN(f) && !math.IsInf(f, 0) {
			return json.Number(data.FloatText(v)), nil
		}
		return v, nil
	case float64:
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			return json.Number(data.DoubleText(v)), nil
		}
		return v, nil
	case int32, int64, bool, string:
		return v, nil
	case []byte:
		return avroschema.ISO88591(v), nil
	case data.Buffer:
		return avroschema.ISO88591(v), nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			if out[i], err = c.defaultValue(s.ValueSchema(), e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case *data.Map:
		return c.defaultMap(s, v)
	case *data.Struct:
		return c.defaultStruct(s, v)
	}
	return nil, data.DataException.Errorf("Invalid type used for default value of %s field: %s", s.Type(), data.ClassOf(v))
}

func (c *toAvro) defaultMap(s *data.Schema, m *data.Map) (any, error) {
	object, list := jsontree.Of(), []any{}
	for _, e := range m.Entries() {
		v, err := c.defaultValue(s.ValueSchema(), e.Value)
		if err != nil {
			return nil, err
		}
		if c.stringKeys(s) {
			object.Set(fmt.Sprint(e.Key), v)
			continue
		}
		k, err := c.defaultValue(s.KeySchema(), e.Key)
		if err != nil {
			return nil, err
		}
		list = append(list, []any{k, v})
	}
	if c.stringKeys(s) {
		return object, nil
	}
	return list, nil
}

func (c *toAvro) defaultStruct(s *data.Schema, st *data.Struct) (any, error) {
	out := jsontree.Of()
	for _, f := range s.Fields() {
		v, err := st.Get(f.Name)
		if err == nil {
			v, err = c.defaultValue(f.Schema, v)
		}
		if err != nil {
			return nil, err
		}
		if isUnion(s) {
			return v, nil
		}
		out.Set(c.scrubbed(f.Name), v)
	}
	return out, nil
}
