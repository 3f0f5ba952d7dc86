package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

const defaultKey = "replace.null.with.default"

// replaceNull is the property of most transforms that says how a field of a struct is read.
func replaceNull() config.Key {
	return config.Key{Name: defaultKey, Type: config.Boolean, Default: true, Importance: config.Medium,
		Doc: "Whether a null is read as the default value of its field, where it has one."}
}

// reading says how fields are read: the setting of replace.null.with.default. It is kept the other way round so that the zero value is Kafka's.
type reading struct{ raw bool }

// parse parses properties of which replaceNull is one; a null for it is an error.
func parse(def *config.Def, props config.Props) (config.Values, reading, error) {
	v, err := def.Parse(props)
	if err == nil && !v.Has(defaultKey) {
		err = data.NullPointerException.Errorf("%s is null", defaultKey)
	}
	return v, reading{raw: !v.Bool(defaultKey)}, err
}

// field is the value of a field of the struct's own schema.
func (g reading) field(st *data.Struct, f *data.Field) any {
	if g.raw {
		return st.At(f.Index)
	}
	return st.Value(f)
}

// move is a field that is taken over from one struct to another.
type move struct {
	from, to *data.Field
	sure     bool // what was valid there is valid here
}

// moving is the move of a field. What was valid there needs no look where the schema is the same. The default of a struct field does: its schema is
// that of the field without the default, and Kafka refuses it.
func moving(from, to *data.Field) move {
	s := from.Schema
	return move{from, to, s == to.Schema && (s.Type() != data.StructType || s.Default() == nil)}
}

// put puts the value of the field that it is from.
func (m *move) put(to *data.Struct, v any) error {
	if v != nil && m.sure {
		to.PutValid(m.to, v)
		return nil
	}
	return to.PutField(m.to, v)
}

// layout is a new schema, and where its fields are from.
type layout struct {
	schema   *data.Schema
	moves    []move
	straight int // how many of the first moves are from and to their own index, plus 1; 0: that is not counted yet
}

// start returns a struct of the layout, made in x, whose first straight values are those of st.
func (l *layout) start(x *data.Slab, st *data.Struct) (out *data.Struct, straight int) {
	if l.straight == 0 {
		for straight < len(l.moves) && l.moves[straight].from.Index == straight && l.moves[straight].to.Index == straight {
			straight++
		}
		l.straight = straight + 1
	}
	return x.CopyOf(st, l.schema, l.straight-1), l.straight - 1
}

// copyStruct returns a struct of the layout, made in x, its fields taken over from st.
func (g reading) copyStruct(x *data.Slab, l *layout, st *data.Struct) (*data.Struct, error) {
	out, straight := l.start(x, st)
	for i := range l.moves {
		m := &l.moves[i]
		if i < straight && m.sure && out.At(i) != nil {
			continue
		}
		if err := m.put(out, g.field(st, m.from)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// target is the field of s for a field of another schema: one of the same name, most likely in the same place.
func target(s *data.Schema, f *data.Field) (*data.Field, error) {
	if all := s.Fields(); f.Index < len(all) && all[f.Index].Name == f.Name {
		return all[f.Index], nil
	}
	if t := s.Field(f.Name); t != nil {
		return t, nil
	}
	return nil, data.DataException.Errorf("%s is not a valid field name", f.Name)
}

// moves pairs the fields of a struct's schema with those of the same names in another.
func moves(from, to *data.Schema) ([]move, error) {
	out := make([]move, 0, len(from.Fields()))
	for _, f := range from.Fields() {
		t, err := target(to, f)
		if err != nil {
			return nil, err
		}
		out = append(out, moving(f, t))
	}
	return out, nil
}
