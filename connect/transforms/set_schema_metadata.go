package transforms

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// SetSchemaMetadata sets the name or the version of a struct schema: Kafka's SetSchemaMetadata. Another schema is an error, as in Kafka 4.2.
type SetSchemaMetadata struct {
	on      place
	get     reading
	name    *string
	version *int32
	made    schemas.Cache[*data.Schema]
	layouts schemas.Cache[*layout] // of the schemas made
}

var setSchemaMetadataDef = config.NewDef(
	config.Key{Name: "schema.name", Type: config.String, Importance: config.High, Doc: "The name to set."},
	config.Key{Name: "schema.version", Type: config.Int, Importance: config.High, Doc: "The version to set."},
	replaceNull())

// Config declares the properties.
func (*SetSchemaMetadata) Config() *config.Def { return setSchemaMetadataDef }

// Close does nothing.
func (*SetSchemaMetadata) Close() {}

// Configure reads the properties.
func (t *SetSchemaMetadata) Configure(props config.Props) error {
	v, get, err := parse(setSchemaMetadataDef, props)
	if err != nil {
		return err
	}
	t.get = get
	if name, ok := v["schema.name"].(string); ok {
		t.name = &name
	}
	if version, ok := v["schema.version"].(int32); ok {
		t.version = &version
	}
	if t.name == nil && t.version == nil {
		return data.ConfigException.Errorf("Neither schema name nor version configured")
	}
	return nil
}

// Apply sets them.
func (t *SetSchemaMetadata) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *SetSchemaMetadata) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *SetSchemaMetadata) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if s == nil {
		if v == nil {
			return r.Record, nil
		}
		return nil, data.DataException.Errorf("Schema required for [updating schema metadata]")
	}
	made, err := t.made.Get(s, nil, func() (*data.Schema, error) {
		_, err := fieldsOf(s) // Kafka wants a struct
		return s.Relabel(t.name, t.version), err
	})
	if err != nil {
		return nil, err
	}
	if st, ok := v.(*data.Struct); ok {
		if v, err = t.rebuild(made, st); err != nil {
			return nil, err
		}
	}
	return t.on.with(r, made, v)
}

// rebuild makes a struct of another schema with the same fields.
func (t *SetSchemaMetadata) rebuild(s *data.Schema, st *data.Struct) (any, error) {
	own := st.Schema()
	l, err := t.layouts.Get(s, own, func() (*layout, error) {
		l := &layout{schema: s}
		for _, f := range s.Fields() {
			from, err := target(own, f)
			if err != nil {
				return nil, err
			}
			l.moves = append(l.moves, moving(from, f))
		}
		return l, nil
	})
	if err != nil {
		return nil, err
	}
	out, err := t.get.copyStruct(&t.on.structs, l, st)
	if err != nil {
		return nil, err
	}
	return out, nil
}
