package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
)

// ExtractNewRecordState makes of a change event the row after the change: Debezium's event flattening. What becomes of a delete, and of the
// tombstone after it, is a setting.
type ExtractNewRecordState struct {
	mode              string
	after, before     *transforms.ExtractField
	removed, updated  *transforms.InsertField
	fields, headers   []fieldReference
	routeBy           string
	dropHeader        string
	dropKey, dropSafe bool
	rows              schemas.Cache[*rowSchema]
	dropped           [2]dropping
}

// rowSchema is the schema of a row, and the fields of it that were added: one for each of add.fields, nil where the event has no such field.
type rowSchema struct {
	schema *data.Schema
	added  []*data.Field
}

// dropping is the transform that leaves fields out, for the list it was last made for.
type dropping struct {
	list  string
	apply *transforms.ReplaceField
}

var extractDef = config.NewDef(
	config.Key{Name: "delete.tombstone.handling.mode", Type: config.String, Default: "tombstone", Importance: config.Medium, Width: config.WidthMedium,
		DisplayName: "Handle delete and tombstone records",
		Doc:         "What becomes of a delete: drop, tombstone, rewrite, rewrite-with-tombstone, or delete-to-tombstone."},
	config.Key{Name: "route.by.field", Type: config.String, Default: "", Importance: config.Low, Width: config.WidthLong,
		DisplayName: "Route by field name", Doc: "The column whose value becomes the topic."},
	config.Key{Name: "add.fields.prefix", Type: config.String, Default: "__", Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Field prefix to be added to each field.", Doc: "What the names of added fields begin with."},
	config.Key{Name: "add.fields", Type: config.List, Default: "", Importance: config.Low, Width: config.WidthLong,
		DisplayName: "Adds the specified field(s) to the message if they exist.",
		Doc:         "Fields of the event to add to the row: op, table, source.ts_ms; each may have a new name after a colon."},
	config.Key{Name: "add.headers.prefix", Type: config.String, Default: "__", Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Header prefix to be added to each header.", Doc: "What the names of added headers begin with."},
	config.Key{Name: "add.headers", Type: config.List, Default: "", Importance: config.Low, Width: config.WidthLong,
		DisplayName: "Adds the specified fields to the header if they exist.", Doc: "Fields of the event to add as headers, written as in add.fields."},
	config.Key{Name: "drop.fields.header.name", Type: config.String, Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Specifies a header that contains a list of field names to be removed", Doc: "A header with a list of fields to leave out."},
	config.Key{Name: "drop.fields.from.key", Type: config.Boolean, Default: false, Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Specifies whether the fields to be dropped should also be omitted from the key", Doc: "Whether they are left out of the key too."},
	config.Key{Name: "drop.fields.keep.schema.compatible", Type: config.Boolean, Default: true, Importance: config.Low, Width: config.WidthShort,
		DisplayName: "Specifies if fields are dropped, will the event's schemas be compatible", Doc: "Whether only optional fields are left out."})

var extractRules = []rule{
	{"delete.tombstone.handling.mode", oneOf("drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone")},
	{"drop.fields.from.key", boolean}, {"drop.fields.keep.schema.compatible", boolean},
}

// Config declares the properties.
func (*ExtractNewRecordState) Config() *config.Def { return extractDef }

// Close does nothing.
func (*ExtractNewRecordState) Close() {}

// Configure reads the properties.
func (t *ExtractNewRecordState) Configure(props config.Props) (err error) {
	s := settings{extractDef, props}
	if err := s.validate(extractRules); err != nil {
		return err
	}
	if t.fields, err = parseReferences(s.or("add.fields.prefix"), s.or("add.fields")); err != nil {
		return err
	}
	if t.headers, err = parseReferences(s.or("add.headers.prefix"), s.or("add.headers")); err != nil {
		return err
	}
	t.mode = strings.ToLower(javastring.Trim(s.or("delete.tombstone.handling.mode")))
	t.routeBy, t.dropHeader = s.or("route.by.field"), s.or("drop.fields.header.name")
	t.dropKey, t.dropSafe = s.bool("drop.fields.from.key"), s.bool("drop.fields.keep.schema.compatible")
	t.after, t.before = extract("after"), extract("before")
	replaceNull := "true"
	if strings.EqualFold(javastring.Trim(props.Text("replace.null.with.default")), "false") {
		replaceNull = "false"
	}
	if t.removed, err = deleted("true", replaceNull); err != nil {
		return err
	}
	t.updated, err = deleted("false", replaceNull)
	return err
}

// deleted makes the transform that adds the field __deleted.
func deleted(value, replaceNull string) (*transforms.InsertField, error) {
	t := transforms.NewInsertField(transforms.Value)
	return t, t.Configure(config.Props{"static.field": "__deleted", "static.value": value, "replace.null.with.default": replaceNull})
}

// Apply makes the row. What it extracts is a record of its own, which the steps after that change in place.
func (t *ExtractNewRecordState) Apply(r *connect.Record) (*connect.Record, error) {
	event := envelope(r)
	if (event || r.Value == nil) && len(t.headers) > 0 {
		var err error
		if r, err = t.addHeaders(r); err != nil {
			return nil, err
		}
	}
	switch {
	case r.Value == nil && t.mode == "rewrite-with-tombstone":
		return r, nil
	case r.Value == nil:
		return nil, nil
	case !event:
		return r, nil
	}
	after, err := t.after.Apply(r)
	if err != nil {
		return nil, err
	}
	if after.Value != nil {
		return t.changed(r, after)
	}
	before, err := t.before.Apply(r)
	if err != nil || before.Value == nil { // a truncation, or a message
		return nil, err
	}
	return t.deleted(r, after, before)
}

// ApplyInPlace is Apply: it makes a record anyway.
func (t *ExtractNewRecordState) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.Apply(r)
}

// addHeaders adds what add.headers names. A tombstone has the operation only: a delete.
func (t *ExtractNewRecordState) addHeaders(r *connect.Record) (*connect.Record, error) {
	out := r.Copy()
	var event *data.Struct
	if r.Value != nil {
		var ok bool
		if event, ok = r.Value.(*data.Struct); !ok {
			return nil, data.ClassCastException.Errorf("class %s cannot be cast to class org.apache.kafka.connect.data.Struct", data.ClassOf(r.Value))
		}
	}
	for i := range t.headers {
		f := &t.headers[i]
		if event == nil {
			if f.field == "op" {
				op := "d"
				out.Headers.AddString(f.name, &op)
			}
			continue
		}
		s, err := f.schema(event.Schema())
		if err != nil {
			return nil, err
		}
		if s == nil {
			continue
		}
		v, err := f.value(event)
		if err != nil {
			return nil, err
		}
		if err := out.Headers.Add(f.name, s, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// changed makes the row of an insert or update.
func (t *ExtractNewRecordState) changed(r, row *connect.Record) (*connect.Record, error) {
	var err error
	if _, ok := row.Value.(*data.Struct); ok && strings.HasPrefix(t.mode, "rewrite") {
		if row, err = t.updated.ApplyInPlace(row); err != nil {
			return nil, err
		}
	}
	if t.routeBy != "" {
		st, err := asStruct(row.Value, "Read record to set topic routing for CREATE / UPDATE")
		if err != nil {
			return nil, err
		}
		if err := t.route(row, st); err != nil {
			return nil, err
		}
	}
	if err := t.addFields(r, row); err != nil {
		return nil, err
	}
	if t.dropHeader == "" {
		return row, nil
	}
	return t.drop(row)
}

// deleted makes what is wanted of a delete.
func (t *ExtractNewRecordState) deleted(r, after, before *connect.Record) (row *connect.Record, err error) {
	old, isRow := before.Value.(*data.Struct)
	switch t.mode {
	case "drop":
		return nil, nil
	case "tombstone":
		row = after
	case "delete-to-tombstone":
		if row, err = newRecord(r); err != nil {
			return nil, err
		}
		row.ValueSchema, row.Value = nil, nil
	default:
		row = before
		if isRow {
			if row, err = t.removed.ApplyInPlace(before); err != nil {
				return nil, err
			}
		}
	}
	if t.routeBy != "" {
		if !isRow {
			return nil, data.DataException.Errorf("Field 'before' is not of type STRUCT")
		}
		if err := t.route(row, old); err != nil {
			return nil, err
		}
	}
	if !javastring.Blank(t.dropHeader) {
		if row, err = t.drop(row); err != nil {
			return nil, err
		}
	}
	if row.Value == nil {
		return row, nil
	}
	return row, t.addFields(r, row)
}

// route sets the topic to the value of a column, where it has one.
func (t *ExtractNewRecordState) route(row *connect.Record, st *data.Struct) error {
	topic, _, err := text(st, t.routeBy)
	if err == nil && !javastring.Blank(topic) {
		row.Topic = topic
	}
	return err
}

// addFields adds what add.fields names. The row is made anew even where that is nothing: its schema is not optional then.
func (t *ExtractNewRecordState) addFields(r, row *connect.Record) error {
	st, err := asStruct(row.Value, "source field insertion")
	if err != nil {
		return err
	}
	event, err := asStruct(r.Value, "source field insertion")
	if err != nil {
		return err
	}
	if _, _, err := text(event, "op"); err != nil {
		return err
	}
	made, err := t.rows.Get(st.Schema(), event.Schema(), func() (*rowSchema, error) { return t.withFields(st.Schema(), event.Schema()) })
	if err != nil {
		return err
	}
	out := data.NewStruct(made.schema)
	fields := made.schema.Fields()
	for i, f := range st.Schema().Fields() {
		if err := out.PutField(fields[i], st.At(f.Index)); err != nil {
			return err
		}
	}
	for i := range t.fields {
		f := made.added[i]
		if f == nil {
			continue
		}
		v, err := t.fields[i].value(event)
		if err != nil {
			return err
		}
		if err := out.PutField(f, v); err != nil {
			return err
		}
	}
	row.ValueSchema, row.Value = made.schema, out
	return nil
}

func (t *ExtractNewRecordState) withFields(s, event *data.Schema) (*rowSchema, error) {
	b := schemas.Basics(s, data.NewStructBuilder())
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	there := make([]bool, len(t.fields))
	for i := range t.fields {
		added, err := t.fields[i].schema(event)
		if err != nil {
			return nil, err
		}
		if there[i] = added != nil; there[i] {
			if b.Field(t.fields[i].name, added); b.Err() != nil {
				return nil, b.Err()
			}
		}
	}
	made, err := b.Build()
	if err != nil {
		return nil, err
	}
	out := &rowSchema{made, make([]*data.Field, len(t.fields))}
	for i := range t.fields {
		if there[i] {
			out.added[i] = made.Field(t.fields[i].name)
		}
	}
	return out, nil
}

// drop leaves out the fields that the record's header names, in place.
func (t *ExtractNewRecordState) drop(r *connect.Record) (*connect.Record, error) {
	var names []any
	for h := range r.Headers.All() {
		if h.Key != t.dropHeader {
			continue
		}
		list, ok := h.Value.([]any)
		if !ok && h.Value != nil {
			return nil, data.ClassCastException.Errorf("class %s cannot be cast to class java.util.List", data.ClassOf(h.Value))
		}
		names = list
		break
	}
	if len(names) == 0 || javastring.Blank(t.dropHeader) {
		return r, nil
	}
	var err error
	if t.dropKey && r.Key != nil {
		if r, err = t.dropFrom(r, transforms.Key, r.KeySchema, names); err != nil {
			return nil, err
		}
	}
	return t.dropFrom(r, transforms.Value, r.ValueSchema, names)
}

func (t *ExtractNewRecordState) dropFrom(r *connect.Record, on transforms.Side, s *data.Schema, names []any) (*connect.Record, error) {
	if t.dropSafe {
		var err error
		if names, err = optionalFields(s, names); err != nil {
			return nil, err
		}
	}
	if len(names) == 0 {
		return r, nil
	}
	list, d := joined(names), &t.dropped[on]
	if d.apply == nil || d.list != list {
		x := transforms.NewReplaceField(on)
		if err := x.Configure(config.Props{"exclude": list}); err != nil {
			return nil, err
		}
		*d = dropping{list, x}
	}
	return d.apply.ApplyInPlace(r)
}

// optionalFields are the names of optional fields of s among those given.
func optionalFields(s *data.Schema, names []any) (out []any, err error) {
	switch {
	case s == nil:
		return nil, data.NullPointerException.Errorf("there is no schema")
	case s.Type() != data.StructType:
		return nil, data.DataException.Errorf("Cannot list fields on non-struct type")
	}
	wanted := map[string]bool{}
	for _, n := range names {
		if name, ok := n.(string); ok {
			wanted[name] = true
		}
	}
	for _, f := range s.Fields() {
		if f.Schema.Optional() && wanted[f.Name] {
			out = append(out, f.Name)
		}
	}
	return out, nil
}
