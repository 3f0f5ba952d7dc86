package transforms

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// Cast changes the type of fields, or of the whole key or value: Kafka's Cast. Numbers are narrowed as Java narrows them, without an error.
type Cast struct {
	on      place
	get     reading
	whole   data.Type            // 0: fields
	fields  map[string]data.Type // by name
	order   []string             // the names in the order of Kafka's hash map, which decides on the first error
	layouts schemas.Cache[*castLayout]
	texts   data.TextSlab
}

// castLayout is a layout with the types that the moved fields are cast to, 0 for none.
type castLayout struct {
	layout
	types []data.Type
}

var castDef = config.NewDef(
	config.Key{Name: "spec", Type: config.List, Required: true, Importance: config.High,
		Validator: config.Func(func(_ string, v any) error {
			list, _ := v.([]string)
			if len(list) == 0 {
				return data.ConfigException.Errorf("Must specify at least one field to cast.")
			}
			_, _, err := parseCasts(list)
			return err
		}, "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>"),
		Doc: "Fields and the types they are cast to, as field:type; or one type for the whole. Types are int8, int16, int32, int64, float32, float64, boolean and string."},
	replaceNull())

// Config declares the properties.
func (*Cast) Config() *config.Def { return castDef }

// Close does nothing.
func (*Cast) Close() {}

// Configure reads the properties.
func (c *Cast) Configure(props config.Props) error {
	v, get, err := parse(castDef, props)
	if err != nil {
		return err
	}
	c.get = get
	c.fields, c.order, err = parseCasts(v.List("spec"))
	c.whole, c.order = c.fields[wholeCast], javastring.HashOrder(c.order)
	return err
}

// wholeCast is where parseCasts puts a type without a field. A field cannot have this name: it has a colon.
const wholeCast = ":"

func parseCasts(list []string) (types map[string]data.Type, order []string, err error) {
	types = map[string]data.Type{}
	for _, item := range list {
		parts := javastring.Split(item, ":")
		name, text := wholeCast, ""
		switch len(parts) {
		case 0:
			return nil, nil, data.IndexOutOfBoundsException.Errorf("Index 1 out of bounds for length 0")
		case 1:
			text = javastring.Trim(parts[0])
		case 2:
			name, text = javastring.Trim(parts[0]), javastring.Trim(parts[1])
		default:
			return nil, nil, config.Invalid("renames", list, "Invalid rename mapping: "+item)
		}
		t, err := castType(text)
		if err != nil {
			return nil, nil, err
		}
		if _, twice := types[name]; !twice {
			order = append(order, name)
		}
		types[name] = t
	}
	if types[wholeCast] != 0 && len(list) > 1 {
		return nil, nil, data.ConfigException.Errorf("Cast transformations that specify a type to cast the entire value to may only specify a single cast in their spec")
	}
	return types, order, nil
}

var (
	castOutputs = []data.Type{data.Int8, data.Int16, data.Int32, data.Int64, data.Float32, data.Float64, data.Boolean, data.String}
	castInputs  = append(slices.Clip(castOutputs), data.Bytes)
)

func castType(text string) (data.Type, error) {
	upper := strings.ToUpper(text)
	t, ok := data.TypeNamed(strings.ToLower(upper))
	if !ok || t.String() != upper {
		return 0, config.Invalid("Invalid type found in casting spec: "+text, "java.lang.IllegalArgumentException: No enum constant org.apache.kafka.connect.data.Schema.Type."+upper, "")
	}
	if !slices.Contains(castOutputs, t) {
		return 0, data.ConfigException.Errorf("Cast transformation does not support casting to %s; supported types are %s", t, typeList(castOutputs))
	}
	return t, nil
}

func typeList(all []data.Type) string {
	names := make([]string, len(all))
	for i, t := range all {
		names[i] = t.String()
	}
	return "[" + strings.Join(names, ", ") + "]"
}

// Apply casts.
func (c *Cast) Apply(r *connect.Record) (*connect.Record, error) { return c.apply(input{r, false}) }

// ApplyInPlace is Apply of a record that it may change.
func (c *Cast) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return c.apply(input{r, true})
}

func (c *Cast) apply(r input) (*connect.Record, error) {
	s, v := c.on.of(r)
	switch {
	case v == nil:
		return r.Record, nil
	case s == nil:
		return c.withoutSchema(r, v)
	case c.whole != 0:
		l, err := c.layouts.Get(s, nil, func() (*castLayout, error) { return c.wholeLayout(s) })
		if err != nil {
			return nil, err
		}
		if v, err = castValue(s, v, c.whole); err != nil {
			return nil, err
		}
		return c.on.with(r, l.schema, v)
	}
	return c.structs(r, s, v)
}

func (c *Cast) withoutSchema(r input, v any) (*connect.Record, error) {
	if c.whole != 0 {
		v, err := castValue(nil, v, c.whole)
		if err != nil {
			return nil, err
		}
		return c.on.with(r, nil, v)
	}
	m, err := asMap(v, "cast types")
	if err != nil {
		return nil, err
	}
	out := m.Copy()
	for _, name := range c.order {
		old, _ := m.Get(name)
		made, err := castValue(nil, old, c.fields[name])
		if err != nil {
			return nil, err
		}
		out.Put(name, made)
	}
	return c.on.with(r, nil, out)
}

func (c *Cast) structs(r input, s *data.Schema, v any) (*connect.Record, error) {
	var own *data.Schema
	st, isStruct := v.(*data.Struct)
	if isStruct {
		own = st.Schema()
	}
	l, err := c.layouts.Get(s, own, func() (*castLayout, error) { return c.layout(s, own) })
	if err != nil {
		return nil, err
	}
	if !isStruct {
		_, err := asStruct(v, "cast types")
		return nil, err
	}
	out, straight := l.start(&c.on.structs, st)
	for i := range l.moves {
		m := &l.moves[i]
		if i < straight && m.sure && l.types[i] == 0 && out.At(i) != nil {
			continue
		}
		v := c.get.field(st, m.from)
		if t := l.types[i]; t != 0 {
			if v, err = c.cast(m.from.Schema, v, t); err != nil {
				return nil, err
			}
		}
		if err := m.put(out, v); err != nil {
			return nil, err
		}
	}
	return c.on.with(r, l.schema, out)
}

// cast is castValue, with shorter ways for numbers: it makes their texts in blocks.
func (c *Cast) cast(s *data.Schema, v any, t data.Type) (any, error) {
	var room [32]byte
	var whole int64
	switch x := v.(type) {
	case int32:
		whole = int64(x)
	case int64:
		whole = x
	case float32:
		if t == data.String {
			return c.texts.String(data.AppendFloat(room[:0], x)), nil
		}
		return castValue(s, v, t)
	case float64:
		if t == data.String {
			return c.texts.String(data.AppendDouble(room[:0], x)), nil
		}
		return castValue(s, v, t)
	default:
		return castValue(s, v, t)
	}
	switch {
	case t == data.String:
		return c.texts.String(strconv.AppendInt(room[:0], whole, 10)), nil
	case s.HasName(): // it could be a time
		return castValue(s, v, t)
	}
	return number{whole: whole}.to(t), nil
}

func (c *Cast) wholeLayout(s *data.Schema) (*castLayout, error) {
	schema, err := finishCast(s, schemas.Basics(s, data.NewBuilder(c.whole)), c.whole)
	return &castLayout{layout: layout{schema: schema}}, err
}

// layout makes the schema for s, and the moves from a struct's own schema, which may be nil.
func (c *Cast) layout(s, own *data.Schema) (*castLayout, error) {
	fields, err := fieldsOf(s)
	if err != nil {
		return nil, err
	}
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range fields {
		fs := f.Schema
		if t := c.fields[f.Name]; t != 0 {
			if fs, err = finishCast(fs, data.NewBuilder(t), t); err != nil {
				return nil, err
			}
		}
		b.Field(f.Name, fs)
	}
	l := &castLayout{}
	if l.schema, err = finishCast(s, b, data.StructType); err != nil || own == nil {
		return l, err
	}
	if l.moves, err = moves(own, l.schema); err != nil {
		return nil, err
	}
	for _, m := range l.moves {
		l.types = append(l.types, c.fields[m.from.Name])
	}
	return l, nil
}

// finishCast gives a schema the optionality and the default of s.
func finishCast(s *data.Schema, b *data.Builder, t data.Type) (*data.Schema, error) {
	b.SetOptional(s.Optional())
	if s.Default() != nil {
		v, err := castValue(s, s.Default(), t)
		if err != nil {
			return nil, err
		}
		b.Default(v)
	}
	return b.Build()
}
