package transforms

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// InsertField adds fields about the record: its topic, partition, offset and timestamp, and a fixed value. Kafka's InsertField.
type InsertField struct {
	on      place
	get     reading
	fields  []insertion
	layouts schemas.Cache[*insertLayout]
}

// NewInsertField returns one that must be configured.
func NewInsertField(on Side) *InsertField { return &InsertField{on: place{Side: on}} }

// insertion is a field to add.
type insertion struct {
	name     string
	optional bool
	source   *insertSource
	static   any    // a string
	topic    string // the last one
	boxed    any    // the same
}

// insertSource is where an inserted value is from. value returns nil where the field is left unset.
type insertSource struct {
	key                string
	required, optional *data.Schema
	value              func(t *insertion, r *connect.Record, schema bool) (any, error) // boxed once where it comes again
}

var optionalTimestamp = data.TimestampBuilder().Optional().MustBuild()

// insertSources are in the order in which the fields are added.
var insertSources = []*insertSource{
	{"topic.field", data.StringSchema, data.OptionalStringSchema, topicOf},
	{"partition.field", data.Int32Schema, data.OptionalInt32Schema, partitionOf},
	{"offset.field", data.Int64Schema, data.OptionalInt64Schema, offsetOf},
	{"timestamp.field", data.TimestampSchema, optionalTimestamp, timestampOf},
	{"static.field", data.StringSchema, data.OptionalStringSchema, func(t *insertion, _ *connect.Record, _ bool) (any, error) { return t.static, nil }},
}

func topicOf(t *insertion, r *connect.Record, _ bool) (any, error) {
	if t.boxed == nil || t.topic != r.Topic {
		t.topic, t.boxed = r.Topic, r.Topic
	}
	return t.boxed, nil
}

func partitionOf(_ *insertion, r *connect.Record, _ bool) (any, error) {
	if r.Partition == connect.NoPartition {
		return nil, nil
	}
	return r.Partition, nil
}

func offsetOf(_ *insertion, r *connect.Record, _ bool) (any, error) {
	if r.Sink == nil {
		return nil, data.DataException.Errorf("Only SinkRecord supported for [%s], found: org.apache.kafka.connect.source.SourceRecord", insertPurpose)
	}
	return r.Sink.Offset, nil
}

func timestampOf(_ *insertion, r *connect.Record, schema bool) (any, error) {
	switch {
	case r.Timestamp == connect.NoTimestamp:
		return nil, nil
	case schema:
		return data.Millis(r.Timestamp), nil
	}
	return r.Timestamp, nil
}

var insertFieldDef = func() *config.Def {
	const optionality = " With ! at its end the field is required, with ? or nothing it is optional."
	key := func(name, doc string) config.Key {
		return config.Key{Name: name, Type: config.String, Importance: config.Medium, Doc: doc}
	}
	return config.NewDef(
		key("topic.field", "The field for the topic."+optionality),
		key("partition.field", "The field for the partition."+optionality),
		key("offset.field", "The field for the offset: for sinks only."+optionality),
		key("timestamp.field", "The field for the timestamp."+optionality),
		key("static.field", "The field for static.value."+optionality),
		key("static.value", "The value of static.field."),
		replaceNull())
}()

// Config declares the properties.
func (*InsertField) Config() *config.Def { return insertFieldDef }

// Close does nothing.
func (*InsertField) Close() {}

// Configure reads the properties.
func (t *InsertField) Configure(props config.Props) error {
	v, get, err := parse(insertFieldDef, props)
	if err != nil {
		return err
	}
	t.get = get
	for _, source := range insertSources {
		if !v.Has(source.key) {
			continue
		}
		name, optional := v.String(source.key), true
		if short, ok := strings.CutSuffix(name, "?"); ok {
			name = short
		} else if short, ok := strings.CutSuffix(name, "!"); ok {
			name, optional = short, false
		}
		t.fields = append(t.fields, insertion{name: name, optional: optional, source: source, static: v.String("static.value")})
	}
	if len(t.fields) == 0 {
		return data.ConfigException.Errorf("No field insertion configured")
	}
	if v.Has("static.field") && !v.Has("static.value") {
		return config.Invalid("static.value", nil, "No value specified for static field: "+t.fields[len(t.fields)-1].name)
	}
	return nil
}

const insertPurpose = "field insertion"

// Apply adds the fields.
func (t *InsertField) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *InsertField) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *InsertField) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	switch {
	case v == nil:
		return r.Record, nil
	case s == nil:
		return t.withoutSchema(r, v)
	}
	st, err := asStruct(v, insertPurpose)
	if err != nil {
		return nil, err
	}
	l, err := t.layouts.Get(st.Schema(), nil, func() (*insertLayout, error) { return t.layout(st.Schema()) })
	if err != nil {
		return nil, err
	}
	out, err := t.get.copyStruct(&t.on.structs, &l.layout, st)
	if err != nil {
		return nil, err
	}
	for i := range t.fields {
		f := &t.fields[i]
		v, err := f.source.value(f, r.Record, true)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		out.PutValid(l.added[i], v) // sources make what their schemas say
	}
	return t.on.with(r, l.schema, out)
}

// insertLayout is a layout and the fields that are added.
type insertLayout struct {
	layout
	added []*data.Field
}

func (t *InsertField) layout(s *data.Schema) (*insertLayout, error) {
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	for _, f := range t.fields {
		schema := f.source.required
		if f.optional {
			schema = f.source.optional
		}
		b.Field(f.name, schema)
	}
	schema, err := b.Build()
	if err != nil {
		return nil, err
	}
	l := &insertLayout{layout{schema: schema}, schema.Fields()[len(s.Fields()):]}
	l.moves, err = moves(s, schema)
	return l, err
}

func (t *InsertField) withoutSchema(r input, v any) (*connect.Record, error) {
	m, err := asMap(v, insertPurpose)
	if err != nil {
		return nil, err
	}
	out := m.Copy()
	for i := range t.fields {
		f := &t.fields[i]
		v, err := f.source.value(f, r.Record, false)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out.Put(f.name, v)
		}
	}
	return t.on.with(r, nil, out)
}
