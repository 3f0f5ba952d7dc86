package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// ExtractField puts one field in the place of the whole key or value: Kafka's ExtractField, with nested paths by KIP-821.
type ExtractField struct {
	on   place
	get  reading
	path FieldPath
	text string
	// The field of the last schema, and its place where the struct has that schema and the path is one step.
	schema *data.Schema
	field  *data.Field
	single bool
}

// NewExtractField returns one that must be configured.
func NewExtractField(on Side) *ExtractField { return &ExtractField{on: place{Side: on}} }

var extractFieldDef = config.NewDef(
	config.Key{Name: "field", Type: config.String, Required: true, Importance: config.Medium, Doc: "The field to extract."},
	replaceNull(), syntaxVersion)

// Config declares the properties.
func (*ExtractField) Config() *config.Def { return extractFieldDef }

// Close does nothing.
func (*ExtractField) Close() {}

// Configure reads the properties.
func (t *ExtractField) Configure(props config.Props) error {
	v, get, err := parse(extractFieldDef, props)
	if err != nil {
		return err
	}
	t.get, t.text = get, data.Text(v["field"])
	t.path, err = pathOf(v, "field")
	t.single = len(t.path.steps) == 1
	return err
}

// Apply extracts the field.
func (t *ExtractField) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *ExtractField) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *ExtractField) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if s == nil {
		return t.withoutSchema(r, v)
	}
	st, err := asStructOrNil(v, "field extraction")
	if err != nil {
		return nil, err
	}
	f := t.field
	if s != t.schema {
		if f, err = t.path.Field(s); err != nil {
			return nil, err
		}
		if f == nil {
			return nil, data.IllegalArgumentException.Errorf("Unknown field: %s", t.text)
		}
		t.schema, t.field = s, f
	}
	if st == nil {
		return t.on.with(r, f.Schema, nil)
	}
	if t.single && st.Schema() == s {
		return t.on.with(r, f.Schema, t.get.field(st, f))
	}
	v, err = t.path.inStruct(st, t.get)
	if err != nil {
		return nil, err
	}
	return t.on.with(r, f.Schema, v)
}

func (t *ExtractField) withoutSchema(r input, v any) (*connect.Record, error) {
	if v == nil {
		return t.on.with(r, nil, nil)
	}
	m, err := asMap(v, "field extraction")
	if err != nil {
		return nil, err
	}
	if v, err = t.path.inMap(m); err != nil {
		return nil, err
	}
	return t.on.with(r, nil, v)
}
