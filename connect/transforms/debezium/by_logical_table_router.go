package debezium

import (
	"strconv"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// ByLogicalTableRouter sends the events of several tables to one topic, renames their schemas after it, and adds the table to the key:
// Debezium's topic routing.
type ByLogicalTableRouter struct {
	topics, ids           *javaregex.Rewriter // ids may be nil
	keyField              string
	unique                bool
	names                 adjuster
	keySchemas, envelopes schemas.Cache[*data.Schema]
}

var byLogicalTableDef = config.NewDef(
	config.Key{Name: "topic.regex", Type: config.String, Importance: config.Low, Width: config.WidthLong, DisplayName: "Topic regex",
		Doc: "A regular expression of the topics to route, in Java's syntax."},
	config.Key{Name: "topic.replacement", Type: config.String, Importance: config.Low, Width: config.WidthLong, DisplayName: "Topic replacement",
		Doc: "The new topic; $1 or ${name} is a group of the expression."},
	config.Key{Name: "key.enforce.uniqueness", Type: config.Boolean, Default: true, Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Add source topic name into key", Doc: "Whether the key gets a field that tells the tables apart."},
	config.Key{Name: "key.field.regex", Type: config.String, Importance: config.Low, Width: config.WidthLong, DisplayName: "Key field regex",
		Doc: "A regular expression of the old topic, of which that field is made; the old topic itself where it is not set or does not match."},
	config.Key{Name: "key.field.replacement", Type: config.String, Importance: config.Low, Width: config.WidthLong, DisplayName: "Key field replacement",
		Doc: "The value of that field; $1 or ${name} is a group of the expression."},
	config.Key{Name: "logical.table.cache.size", Type: config.Int, Default: 16, Importance: config.Low, Width: config.WidthLong,
		DisplayName: "Logical table cache size", Doc: "For how many schemas the new ones are remembered."})

const defaultKeyField = "__dbz__physicalTableIdentifier"

var byLogicalTableRules = []rule{
	{"topic.regex", regex}, {"topic.regex", required}, {"topic.replacement", required},
	{"key.enforce.uniqueness", boolean}, {"key.field.regex", regex},
	{"key.field.replacement", func(s settings, name string) string {
		if !javastring.Blank(s.or("key.field.regex")) && javastring.Blank(s.or(name)) {
			return "key.field.replacement must be non-empty if key.field.regex is set."
		}
		return ""
	}},
	{"schema.name.adjustment.mode", oneOf(adjusterModes...)}, {"logical.table.cache.size", integer},
}

// Config declares the properties.
func (*ByLogicalTableRouter) Config() *config.Def { return byLogicalTableDef }

// Close does nothing.
func (*ByLogicalTableRouter) Close() {}

// Configure reads the properties.
func (t *ByLogicalTableRouter) Configure(props config.Props) (err error) {
	s := settings{byLogicalTableDef, props}
	if err := s.validate(byLogicalTableRules); err != nil {
		return err
	}
	if t.topics, err = rewriter(s.or("topic.regex"), s.or("topic.replacement")); err != nil {
		return err
	}
	t.unique = s.bool("key.enforce.uniqueness")
	if pattern := s.or("key.field.regex"); !javastring.Blank(pattern) {
		if t.ids, err = rewriter(pattern, s.or("key.field.replacement")); err != nil {
			return err
		}
	}
	var named bool
	if t.keyField, named = s.text("key.field.name"); !named {
		t.keyField = defaultKeyField
	}
	t.names = adjusterOf(s.or("schema.name.adjustment.mode"), false)
	size, err := strconv.Atoi(s.or("logical.table.cache.size"))
	if err != nil {
		return data.NumberFormatException.Errorf("For input string: %q", s.or("logical.table.cache.size"))
	}
	if size <= 0 {
		size = -1
	}
	t.keySchemas.Size, t.envelopes.Size = size, size
	return nil
}

func rewriter(pattern, replacement string) (*javaregex.Rewriter, error) {
	p, err := javaregex.Compile(pattern)
	if err != nil {
		return nil, data.IllegalArgumentException.Errorf("%s", err)
	}
	return javaregex.NewRewriter(p, replacement), nil
}

const updatePurpose = "Updating schema"

// Apply routes.
func (t *ByLogicalTableRouter) Apply(r *connect.Record) (*connect.Record, error) {
	topic, matched, err := t.topics.Rewrite(r.Topic)
	switch {
	case err != nil:
		return nil, err
	case !matched:
		return r, nil
	case topic == "": // Debezium logs it, and lets the record pass
		return r, nil
	}
	out, err := newRecord(r)
	if err != nil {
		return nil, err
	}
	out.Topic, out.KeySchema, out.Key = topic, nil, nil
	if r.Key != nil {
		key, err := asStruct(r.Key, updatePurpose)
		if err != nil {
			return nil, err
		}
		made, err := t.key(key, r.Topic, topic)
		if err != nil {
			return nil, err
		}
		out.KeySchema, out.Key = made.Schema(), made
	}
	if r.Value == nil || !envelope(r) {
		return out, nil
	}
	event, err := asStruct(r.Value, updatePurpose)
	if err != nil {
		return nil, err
	}
	made, err := t.envelope(event, topic)
	if err != nil {
		return nil, err
	}
	out.ValueSchema, out.Value = made.Schema(), made
	return out, nil
}

// ApplyInPlace is Apply: it makes a record anyway.
func (t *ByLogicalTableRouter) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.Apply(r)
}

// key makes the new key. Its schema depends on that of the old one alone, once it is remembered.
func (t *ByLogicalTableRouter) key(old *data.Struct, from, to string) (*data.Struct, error) {
	s, err := t.keySchemas.Get(old.Schema(), nil, func() (*data.Schema, error) {
		b := unnamed(old.Schema()).Name(t.names.adjust(to + ".Key"))
		copyFields(b, old.Schema())
		if t.unique {
			b.Field(t.keyField, data.StringSchema)
		}
		return b.Build()
	})
	if err != nil {
		return nil, err
	}
	key, err := rebuilt(s, old)
	if err != nil || !t.unique {
		return key, err
	}
	id := from
	if t.ids != nil {
		if id, _, err = t.ids.Rewrite(from); err != nil {
			return nil, err
		}
	}
	return key, key.Put(t.keyField, id)
}

func (t *ByLogicalTableRouter) envelope(old *data.Struct, topic string) (*data.Struct, error) {
	s, err := t.envelopes.Get(old.Schema(), nil, func() (*data.Schema, error) { return t.envelopeSchema(old.Schema(), topic) })
	if err != nil {
		return nil, err
	}
	row := s.Field("before").Schema
	out := data.NewStruct(s)
	for _, f := range old.Schema().Fields() {
		v := old.Value(f)
		if (f.Name == "before" || f.Name == "after") && v != nil {
			st, err := asStruct(v, updatePurpose)
			if err != nil {
				return nil, err
			}
			if v, err = rebuilt(row, st); err != nil {
				return nil, err
			}
		}
		if err := out.Put(f.Name, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *ByLogicalTableRouter) envelopeSchema(old *data.Schema, topic string) (*data.Schema, error) {
	before := old.Field("before")
	switch {
	case before == nil:
		return nil, data.NullPointerException.Errorf("there is no field before")
	case before.Schema.Type() != data.StructType:
		return nil, data.DataException.Errorf("Cannot list fields on non-struct type")
	}
	rowBuilder := unnamed(before.Schema).Name(t.names.adjust(topic + ".Value"))
	copyFields(rowBuilder, before.Schema)
	row, err := rowBuilder.Build()
	if err != nil {
		return nil, err
	}
	b := unnamed(old).Name(t.names.adjust(topic + ".Envelope"))
	for _, f := range old.Fields() {
		if f.Name == "before" || f.Name == "after" {
			b.Field(f.Name, row)
		} else {
			b.Field(f.Name, f.Schema)
		}
	}
	return b.Build()
}

// unnamed starts a struct schema like s without its name, fields and default.
func unnamed(s *data.Schema) *data.Builder {
	b := data.NewStructBuilder()
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if d, ok := s.Doc(); ok {
		b.Doc(d)
	}
	return b.Parameters(s.Parameters()...).SetOptional(s.Optional())
}

func copyFields(b *data.Builder, s *data.Schema) {
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
}

// rebuilt is the struct with another schema, which has all its fields. Defaults take the place of nulls.
func rebuilt(s *data.Schema, old *data.Struct) (*data.Struct, error) {
	out := data.NewStruct(s)
	for _, f := range old.Schema().Fields() {
		if err := out.Put(f.Name, old.Value(f)); err != nil {
			return nil, err
		}
	}
	return out, nil
}
