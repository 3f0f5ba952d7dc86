package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// Flatten brings the fields of nested structs or maps to the top, their names joined: Kafka's Flatten. Arrays stay as they are.
type Flatten struct {
	on        place
	delimiter string
	trees     schemas.Cache[*flattened]
}

// flattened is a flat schema, and where its fields are from: the tree of a struct's schema.
type flattened struct {
	schema *data.Schema
	tree   []branch
}

// branch is a field of a nested schema: either a leaf, which becomes the field to, or a struct.
type branch struct {
	from   *data.Field
	to     *data.Field
	nested []branch
	sure   bool // what is valid in from is valid in to
}

var flattenDef = config.NewDef(config.Key{Name: "delimiter", Type: config.String, Default: ".", Importance: config.Medium,
	Doc: "What stands between the names of which a field's name is made."})

// Config declares the properties.
func (*Flatten) Config() *config.Def { return flattenDef }

// Close does nothing.
func (*Flatten) Close() {}

// Configure reads the properties.
func (t *Flatten) Configure(props config.Props) error {
	v, err := flattenDef.Parse(props)
	t.delimiter = data.Text(v["delimiter"])
	return err
}

const flattenPurpose = "flattening"

// Apply flattens.
func (t *Flatten) Apply(r *connect.Record) (*connect.Record, error) { return t.apply(input{r, false}) }

// ApplyInPlace is Apply of a record that it may change.
func (t *Flatten) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *Flatten) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if v == nil {
		return r.Record, nil
	}
	if s == nil {
		m, err := asMap(v, flattenPurpose)
		if err != nil {
			return nil, err
		}
		out := data.MakeMap(m.Len())
		if err := t.flattenMap(m, "", out); err != nil {
			return nil, err
		}
		return t.on.with(r, nil, out)
	}
	st, err := asStruct(v, flattenPurpose)
	if err != nil {
		return nil, err
	}
	f, err := t.trees.Get(s, st.Schema(), func() (*flattened, error) { return t.plan(s, st.Schema()) })
	if err != nil {
		return nil, err
	}
	out := t.on.structs.Struct(f.schema)
	if err := fill(out, st, f.tree); err != nil {
		return nil, err
	}
	return t.on.with(r, f.schema, out)
}

func (t *Flatten) name(prefix, name string) string {
	if prefix == "" {
		return name
	}
	return prefix + t.delimiter + name
}

func (t *Flatten) flattenMap(m *data.Map, prefix string, out *data.Map) error {
	for _, e := range m.Entries() {
		var key any // null stays null at the top
		switch k := e.Key.(type) {
		case string:
			key = t.name(prefix, k)
		case nil:
			if prefix != "" {
				key = t.name(prefix, "null")
			}
		default:
			return data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.String", data.ClassOf(k))
		}
		if err := t.flattenEntry(key, e.Value, out); err != nil {
			return err
		}
	}
	return nil
}

func (t *Flatten) flattenEntry(key, v any, out *data.Map) error {
	switch typ := data.TypeOf(v); typ {
	case data.MapType:
		prefix, _ := key.(string)
		if key == nil {
			return data.NullPointerException.Errorf("the name of the field is null")
		}
		return t.flattenMap(v.(*data.Map), prefix, out)
	case data.StructType:
		return data.DataException.Errorf("Flatten transformation does not support class %s for record without schemas (for field %s).", data.ClassOf(v), data.Text(key))
	case 0:
		if v != nil {
			return data.DataException.Errorf("Flatten transformation was passed a value of type class %s which is not supported by Connect's data API", data.ClassOf(v))
		}
	}
	out.Put(key, v)
	return nil
}

// fill puts the fields of st where the tree says. It puts defaults in for nulls; a nested null leaves its fields unset.
func fill(out, st *data.Struct, tree []branch) error {
	for i := range tree {
		b := &tree[i]
		if b.to != nil {
			v := st.Value(b.from)
			if v != nil && b.sure {
				out.PutValid(b.to, v)
			} else if err := out.PutField(b.to, v); err != nil {
				return err
			}
			continue
		}
		if nested, ok := st.At(b.from.Index).(*data.Struct); ok {
			if err := fill(out, nested, b.nested); err != nil {
				return err
			}
		}
	}
	return nil
}

// plan makes the flat schema for s, and the tree of a struct's own schema.
func (t *Flatten) plan(s, own *data.Schema) (*flattened, error) {
	b := schemas.Basics(s, data.NewStructBuilder())
	def, _ := s.Default().(*data.Struct)
	if _, err := fieldsOf(s); err != nil {
		return nil, err
	}
	if err := t.addFields(b, s, "", s.Optional(), def); err != nil {
		return nil, err
	}
	schema, err := b.Build()
	if err != nil {
		return nil, err
	}
	tree, err := t.tree(own, "", schema)
	return &flattened{schema, tree}, err
}

func (t *Flatten) unsupported(f *data.Field, name string) error {
	return data.DataException.Errorf("Flatten transformation does not support %s for record with schemas (for field %s).", f.Schema.Type(), name)
}

// addFields adds the fields of s. A field is optional where anything above it is; its default may come from that of a struct above it.
func (t *Flatten) addFields(b *data.Builder, s *data.Schema, prefix string, optional bool, above *data.Struct) error {
	for _, f := range s.Fields() {
		name, optional := t.name(prefix, f.Name), optional || f.Schema.Optional()
		def := f.Schema.Default()
		if def == nil && above != nil {
			def = above.Value(f)
		}
		switch f.Schema.Type() {
		case data.MapType:
			return t.unsupported(f, name)
		case data.StructType:
			st, _ := def.(*data.Struct)
			if err := t.addFields(b, f.Schema, name, optional, st); err != nil {
				return err
			}
		default:
			leaf, err := leafSchema(f.Schema, optional, def)
			if err != nil {
				return err
			}
			b.Field(name, leaf)
		}
		if err := b.Err(); err != nil {
			return err
		}
	}
	return nil
}

func leafSchema(s *data.Schema, optional bool, def any) (*data.Schema, error) {
	b := schemas.SameType(s).SetOptional(optional)
	if def != nil {
		b.Default(def)
	}
	return b.Build()
}

func (t *Flatten) tree(s *data.Schema, prefix string, flat *data.Schema) ([]branch, error) {
	var out []branch
	for _, f := range s.Fields() {
		name := t.name(prefix, f.Name)
		b := branch{from: f}
		switch f.Schema.Type() {
		case data.MapType:
			return nil, t.unsupported(f, name)
		case data.StructType:
			var err error
			if b.nested, err = t.tree(f.Schema, name, flat); err != nil {
				return nil, err
			}
		default:
			if b.to = flat.Field(name); b.to == nil {
				return nil, data.DataException.Errorf("%s is not a valid field name", name)
			}
			b.sure = f.Schema.Type().Primitive() && f.Schema.Type() == b.to.Schema.Type() && f.Schema.Logical() == b.to.Schema.Logical()
		}
		out = append(out, b)
	}
	return out, nil
}
