package transforms

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// ReplaceField leaves fields out and renames fields: Kafka's ReplaceField.
type ReplaceField struct {
	on               place
	get              reading
	exclude, include []string
	renames          map[string]string
	originals        map[string]string // renames the other way
	layouts          schemas.Cache[*layout]
}

// NewReplaceField returns one that must be configured.
func NewReplaceField(on Side) *ReplaceField { return &ReplaceField{on: place{Side: on}} }

var replaceFieldDef = config.NewDef(
	config.Key{Name: "exclude", Type: config.List, Default: []string{}, Validator: config.Distinct(true, false), Importance: config.Medium,
		Doc: "The fields to leave out, also where include has them."},
	config.Key{Name: "include", Type: config.List, Default: []string{}, Validator: config.Distinct(true, false), Importance: config.Medium,
		Doc: "The fields to keep; empty: all."},
	config.Key{Name: "renames", Type: config.List, Default: []string{}, Importance: config.Medium,
		Validator: config.Func(func(_ string, v any) error {
			list, ok := v.([]string)
			if !ok {
				return data.NullPointerException.Errorf(`Cannot invoke "java.util.List.iterator()" because "mappings" is null`)
			}
			_, _, err := parseRenames(list)
			return err
		}, "list of colon-delimited pairs, e.g. <code>foo:bar,abc:xyz</code>"),
		Doc: "New names of fields, as old:new. exclude and include have the old names."},
	replaceNull())

// Config declares the properties.
func (*ReplaceField) Config() *config.Def { return replaceFieldDef }

// Close does nothing.
func (*ReplaceField) Close() {}

// Configure reads the properties.
func (t *ReplaceField) Configure(props config.Props) error {
	v, get, err := parse(replaceFieldDef, props)
	if err != nil {
		return err
	}
	t.get, t.exclude, t.include = get, v.List("exclude"), v.List("include")
	t.renames, t.originals, err = parseRenames(v.List("renames"))
	return err
}

// parseRenames reads old:new pairs; originals is the other way. Where two have the same new name, Kafka's hash map decides which is the original.
func parseRenames(list []string) (renames, originals map[string]string, err error) {
	renames, originals = map[string]string{}, map[string]string{}
	var order []string
	for _, item := range list {
		parts := javastring.Split(item, ":")
		if len(parts) != 2 {
			return nil, nil, config.Invalid("renames", list, "Invalid rename mapping: "+item)
		}
		if _, twice := renames[parts[0]]; !twice {
			order = append(order, parts[0])
		}
		renames[parts[0]] = parts[1]
	}
	for _, name := range javastring.HashOrder(order) {
		originals[renames[name]] = name
	}
	return renames, originals, nil
}

func (t *ReplaceField) keeps(name string) bool {
	return !slices.Contains(t.exclude, name) && (len(t.include) == 0 || slices.Contains(t.include, name))
}

func (t *ReplaceField) renamed(name string) string {
	if to, ok := t.renames[name]; ok {
		return to
	}
	return name
}

func (t *ReplaceField) original(name string) string {
	if from, ok := t.originals[name]; ok {
		return from
	}
	return name
}

const replacePurpose = "field replacement"

// Apply leaves out and renames.
func (t *ReplaceField) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *ReplaceField) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *ReplaceField) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	switch {
	case v == nil:
		return r.Record, nil
	case s == nil:
		return t.withoutSchema(r, v)
	}
	st, err := asStruct(v, replacePurpose)
	if err != nil {
		return nil, err
	}
	l, err := t.layouts.Get(st.Schema(), nil, func() (*layout, error) { return t.layout(st.Schema()) })
	if err != nil {
		return nil, err
	}
	out, err := t.get.copyStruct(&t.on.structs, l, st)
	if err != nil {
		return nil, err
	}
	return t.on.with(r, l.schema, out)
}

func (t *ReplaceField) layout(s *data.Schema) (*layout, error) {
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range s.Fields() {
		if t.keeps(f.Name) {
			b.Field(t.renamed(f.Name), f.Schema)
		}
	}
	schema, err := b.Build()
	if err != nil {
		return nil, err
	}
	l := &layout{schema: schema}
	for _, f := range schema.Fields() {
		// Where a field has the new name of one that is not there, Kafka looks for that one: an error here as there.
		name := t.original(f.Name)
		from := s.Field(name)
		if from == nil {
			return nil, data.DataException.Errorf("%s is not a valid field name", name)
		}
		l.moves = append(l.moves, moving(from, f))
	}
	return l, nil
}

func (t *ReplaceField) withoutSchema(r input, v any) (*connect.Record, error) {
	m, err := asMap(v, replacePurpose)
	if err != nil {
		return nil, err
	}
	out := data.MakeMap(m.Len())
	for _, e := range m.Entries() {
		switch name := e.Key.(type) {
		case string:
			if t.keeps(name) {
				out.Put(t.renamed(name), e.Value)
			}
		case nil:
			if len(t.include) == 0 {
				out.Put(nil, e.Value)
			}
		default:
			return nil, data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.String", data.ClassOf(name))
		}
	}
	return t.on.with(r, nil, out)
}
