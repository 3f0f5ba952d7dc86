package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// HoistField wraps the key or value in a struct, or a map where there is no schema, of one field: Kafka's HoistField. A null without a schema
// becomes a map too.
type HoistField struct {
	on   place
	name any // a string, or nil
	made schemas.Cache[*data.Schema]
}

var hoistFieldDef = config.NewDef(config.Key{Name: "field", Type: config.String, Required: true, Importance: config.Medium,
	Doc: "The name of the field."})

// Config declares the properties.
func (*HoistField) Config() *config.Def { return hoistFieldDef }

// Close does nothing.
func (*HoistField) Close() {}

// Configure reads the properties.
func (t *HoistField) Configure(props config.Props) error {
	v, err := hoistFieldDef.Parse(props)
	t.name = v["field"]
	return err
}

// Apply wraps.
func (t *HoistField) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *HoistField) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *HoistField) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if s == nil {
		m := data.MakeMap(1)
		m.Put(t.name, v)
		return t.on.with(r, nil, m)
	}
	name, _ := t.name.(string) // null and empty are the same to a builder
	made, err := t.made.Get(s, nil, func() (*data.Schema, error) { return data.NewStructBuilder().Field(name, s).Build() })
	if err != nil {
		return nil, err
	}
	st := t.on.structs.Struct(made)
	if err := st.PutField(made.Fields()[0], v); err != nil {
		return nil, err
	}
	return t.on.with(r, made, st)
}
