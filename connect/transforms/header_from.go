package transforms

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// HeaderFrom copies or moves fields into headers: Kafka's HeaderFrom. A null key or value is an error.
type HeaderFrom struct {
	on      place
	get     reading
	fields  []string
	headers []string
	move    bool
	purpose string
	layouts schemas.Cache[*layout]
	sources schemas.Cache[[]source]
}

var headerFromDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Validator: config.NonEmptyList, Importance: config.High,
		Doc: "The fields whose values become headers."},
	config.Key{Name: "headers", Type: config.List, Required: true, Validator: config.NonEmptyList, Importance: config.High,
		Doc: "The names of the headers, one for each field in order."},
	config.Key{Name: "operation", Type: config.String, Required: true, Validator: config.In("move", "copy"), Importance: config.High,
		Doc: "move: the fields are removed; copy: they stay."},
	replaceNull())

// Config declares the properties.
func (*HeaderFrom) Config() *config.Def { return headerFromDef }

// Close does nothing.
func (*HeaderFrom) Close() {}

// Configure reads the properties.
func (t *HeaderFrom) Configure(props config.Props) error {
	v, get, err := parse(headerFromDef, props)
	if err != nil {
		return err
	}
	t.get, t.fields, t.headers = get, v.List("fields"), v.List("headers")
	t.move, t.purpose = v.String("operation") == "move", "header "+v.String("operation")
	if len(t.fields) != len(t.headers) {
		return data.ConfigException.Errorf("'fields' config must have the same number of elements as 'headers' config.")
	}
	return nil
}

// Apply copies or moves.
func (t *HeaderFrom) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *HeaderFrom) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *HeaderFrom) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if s == nil {
		return t.withoutSchema(r, v)
	}
	st, err := asStruct(v, t.purpose)
	if err != nil {
		return nil, err
	}
	schema, out := s, st
	if t.move {
		l, err := t.layouts.Get(s, st.Schema(), func() (*layout, error) { return t.layout(s, st.Schema()) })
		if err != nil {
			return nil, err
		}
		if out, err = t.get.copyStruct(&t.on.structs, l, st); err != nil {
			return nil, err
		}
		schema = l.schema
	}
	from, err := t.sources.Get(s, st.Schema(), func() ([]source, error) { return t.sourcesOf(s, st.Schema()), nil })
	if err != nil {
		return nil, err
	}
	t.on.headers.Grow(len(from))
	headers := r.Headers
	for i := range from {
		x := &from[i]
		if x.err != nil {
			return nil, x.err
		}
		var v any
		if x.own != nil {
			v = t.get.field(st, x.own)
		}
		if v != nil && x.sure {
			headers = t.on.headers.Append(headers, t.headers[i], x.schema, v)
		} else if headers, err = t.on.headers.Add(headers, t.headers[i], x.schema, v); err != nil {
			return nil, err
		}
	}
	return t.with(r, schema, out, headers)
}

func (t *HeaderFrom) with(r input, schema *data.Schema, v any, headers data.Headers) (*connect.Record, error) {
	c, err := t.on.with(r, schema, v)
	if err != nil {
		return nil, err
	}
	c.Headers = headers
	return c, nil
}

// source is where a header is from: the schema that the record's schema has for the field, and the struct's own field, which may be nil.
type source struct {
	schema *data.Schema
	own    *data.Field
	sure   bool  // what is valid in the field is valid in the header
	err    error // there is no such header: told when its turn comes
}

func (t *HeaderFrom) sourcesOf(s, own *data.Schema) []source {
	out := make([]source, len(t.fields))
	for i, name := range t.fields {
		f, err := fieldOf(s, name)
		if f == nil {
			if err == nil {
				err = data.NullPointerException.Errorf("there is no field %s", name)
			}
			out[i].err = err
			continue
		}
		out[i] = source{schema: f.Schema, own: own.Field(name)}
		out[i].sure = out[i].own != nil && out[i].own.Schema == f.Schema
	}
	return out
}

// layout is the schema without the fields, and the moves from a struct's own schema.
func (t *HeaderFrom) layout(s, own *data.Schema) (*layout, error) {
	fields, err := fieldsOf(s)
	if err != nil {
		return nil, err
	}
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range fields {
		if !slices.Contains(t.fields, f.Name) {
			b.Field(f.Name, f.Schema)
		}
	}
	schema, err := b.Build()
	if err != nil {
		return nil, err
	}
	l := &layout{schema: schema}
	for _, f := range schema.Fields() {
		from, err := target(own, f)
		if err != nil {
			return nil, err
		}
		l.moves = append(l.moves, moving(from, f))
	}
	return l, nil
}

func (t *HeaderFrom) withoutSchema(r input, v any) (*connect.Record, error) {
	m, err := asMap(v, t.purpose)
	if err != nil {
		return nil, err
	}
	out := m.Copy()
	t.on.headers.Grow(len(t.fields))
	headers := r.Headers
	for i, name := range t.fields {
		v, _ := m.Get(name)
		if t.move {
			out.Delete(name)
		}
		headers = t.on.headers.Append(headers, t.headers[i], nil, v)
	}
	return t.with(r, nil, out, headers)
}
