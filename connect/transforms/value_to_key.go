package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// ValueToKey makes the key of fields of the value: Kafka's ValueToKey.
type ValueToKey struct {
	key     place
	get     reading
	fields  []string
	layouts schemas.Cache[*layout]
}

var valueToKeyDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Validator: config.Distinct(false, false), Importance: config.High,
		Doc: "The fields of the value that make the key."},
	replaceNull())

// Config declares the properties.
func (*ValueToKey) Config() *config.Def { return valueToKeyDef }

// Close does nothing.
func (*ValueToKey) Close() {}

// Configure reads the properties.
func (t *ValueToKey) Configure(props config.Props) error {
	v, get, err := parse(valueToKeyDef, props)
	t.get, t.fields = get, v.List("fields")
	return err
}

const valueToKeyPurpose = "copying fields from value to key"

// Apply makes the key.
func (t *ValueToKey) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *ValueToKey) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *ValueToKey) apply(r input) (*connect.Record, error) {
	if r.ValueSchema == nil {
		m, err := asMap(r.Value, valueToKeyPurpose)
		if err != nil {
			return nil, err
		}
		key := data.MakeMap(len(t.fields))
		for _, name := range t.fields {
			v, _ := m.Get(name)
			key.Put(name, v)
		}
		return t.key.with(r, nil, key)
	}
	st, err := asStruct(r.Value, valueToKeyPurpose)
	if err != nil {
		return nil, err
	}
	s := st.Schema()
	l, err := t.layouts.Get(s, nil, func() (*layout, error) { return t.layout(s) })
	if err != nil {
		return nil, err
	}
	key, err := t.get.copyStruct(&t.key.structs, l, st)
	if err != nil {
		return nil, err
	}
	c, err := t.key.with(r, l.schema, key)
	if err != nil {
		return nil, err
	}
	c.ValueSchema = s
	return c, nil
}

func (t *ValueToKey) layout(s *data.Schema) (*layout, error) {
	b := data.NewStructBuilder()
	from := make([]*data.Field, len(t.fields))
	for i, name := range t.fields {
		if from[i] = s.Field(name); from[i] == nil {
			return nil, data.DataException.Errorf("Field does not exist: %s", name)
		}
		b.Field(name, from[i].Schema)
	}
	made, err := b.Build()
	if err != nil {
		return nil, err
	}
	l := &layout{schema: made}
	for i, f := range made.Fields() {
		l.moves = append(l.moves, moving(from[i], f))
	}
	return l, nil
}
