package debezium_test

import (
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms/debezium"
)

var (
	rowSchema    = data.NewStructBuilder().Name("db.t.Value").Optional().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).MustBuild()
	sourceSchema = data.NewStructBuilder().Field("table", data.StringSchema).Field("ts_ms", data.Int64Schema).MustBuild()
	eventSchema  = data.NewStructBuilder().Name("db.t.Envelope").Field("before", rowSchema).Field("after", rowSchema).Field("source", sourceSchema).
			Field("op", data.StringSchema).Field("ts_ms", data.OptionalInt64Schema).MustBuild()
)

func put(t *testing.T, s *data.Struct, name string, v any) {
	t.Helper()
	if err := s.Put(name, v); err != nil {
		t.Fatal(err)
	}
}

func row(t *testing.T, id int32, name any) *data.Struct {
	t.Helper()
	s := data.NewStruct(rowSchema)
	put(t, s, "id", id)
	put(t, s, "name", name)
	return s
}

// event is a change event: c, u, d or t.
func event(t *testing.T, op string, before, after *data.Struct) *connect.Record {
	t.Helper()
	source, s := data.NewStruct(sourceSchema), data.NewStruct(eventSchema)
	put(t, source, "table", "t")
	put(t, source, "ts_ms", int64(7))
	put(t, s, "source", source)
	put(t, s, "op", op)
	if before != nil {
		put(t, s, "before", before)
	}
	if after != nil {
		put(t, s, "after", after)
	}
	return &connect.Record{Topic: "db.t", Partition: connect.NoPartition, KeySchema: data.Int32Schema, Key: int32(1), ValueSchema: eventSchema, Value: s,
		Timestamp: connect.NoTimestamp}
}

func extract(t *testing.T, props config.Props) *debezium.ExtractNewRecordState {
	t.Helper()
	x := &debezium.ExtractNewRecordState{}
	if err := x.Configure(props); err != nil {
		t.Fatal(err)
	}
	return x
}

// text is what became of a record.
func text(r *connect.Record) string {
	switch {
	case r == nil:
		return "dropped"
	case r.Value == nil && r.ValueSchema == nil:
		return "null"
	case r.Value == nil:
		return "null with a schema"
	}
	return data.Text(r.Value)
}

// TestDeletes: what becomes of an insert, a delete, its tombstone and a truncation in each mode.
func TestDeletes(t *testing.T) {
	for _, c := range []struct{ mode, insert, remove, tombstone string }{
		{"", "Struct{id=1,name=a}", "null with a schema", "dropped"},
		{"drop", "Struct{id=1,name=a}", "dropped", "dropped"},
		{"tombstone", "Struct{id=1,name=a}", "null with a schema", "dropped"},
		{"rewrite", "Struct{id=1,name=a,__deleted=false}", "Struct{id=1,name=a,__deleted=true}", "dropped"},
		{"rewrite-with-tombstone", "Struct{id=1,name=a,__deleted=false}", "Struct{id=1,name=a,__deleted=true}", "null"},
		{"delete-to-tombstone", "Struct{id=1,name=a}", "null", "dropped"},
	} {
		props := config.Props{}
		if c.mode != "" {
			props["delete.tombstone.handling.mode"] = c.mode
		}
		x := extract(t, props)
		for _, s := range []struct {
			what string
			r    *connect.Record
			want string
		}{
			{"insert", event(t, "c", nil, row(t, 1, "a")), c.insert},
			{"update", event(t, "u", row(t, 1, "old"), row(t, 1, "a")), c.insert},
			{"delete", event(t, "d", row(t, 1, "a"), nil), c.remove},
			{"tombstone", &connect.Record{Topic: "db.t", Key: int32(1)}, c.tombstone},
			{"truncation", event(t, "t", nil, nil), "dropped"},
			{"another record", &connect.Record{ValueSchema: data.StringSchema, Value: "heartbeat"}, "heartbeat"},
		} {
			got, err := x.Apply(s.r)
			if err != nil || text(got) != s.want {
				t.Errorf("%s: %s: %s %v, want %s", c.mode, s.what, text(got), err, s.want)
			}
		}
	}
}

func TestAddedFieldsAndHeaders(t *testing.T) {
	x := extract(t, config.Props{"add.fields": "op,table,source.ts_ms:at,nowhere", "add.fields.prefix": "_", "add.headers": "op,source.table", "route.by.field": "name"})
	in := event(t, "c", nil, row(t, 1, "routed"))
	got, err := x.Apply(in)
	if err != nil {
		t.Fatal(data.StackTrace(err))
	}
	if text(got) != "Struct{id=1,name=routed,_op=c,_table=t,_at=7}" || got.Topic != "routed" {
		t.Errorf("%s to %s", text(got), got.Topic)
	}
	var headers []string
	for h := range got.Headers.All() {
		headers = append(headers, h.Key+"="+data.Text(h.Value))
	}
	if strings.Join(headers, " ") != "__op=c __source_table=t" {
		t.Errorf("headers %q", headers)
	}
	if in.Headers.Len() != 0 || in.Topic != "db.t" {
		t.Error("the record that came was changed")
	}
	if got.ValueSchema.Optional() || got.ValueSchema.Name() != "db.t.Value" {
		t.Errorf("the row's schema is %v", got.ValueSchema)
	}
}

// TestDroppedFields: a header names the fields to leave out; those that are required stay, unless they need not.
func TestDroppedFields(t *testing.T) {
	for _, c := range []struct{ compatible, want string }{{"true", "Struct{id=1}"}, {"false", "Struct{}"}} {
		x := extract(t, config.Props{"drop.fields.header.name": "drop", "drop.fields.keep.schema.compatible": c.compatible})
		in := event(t, "c", nil, row(t, 1, "a"))
		in.Headers = data.NewHeaders(data.Header{Key: "drop", Value: []any{"id", "name"}})
		got, err := x.Apply(in)
		if err != nil || text(got) != c.want {
			t.Errorf("%s: %s %v, want %s", c.compatible, text(got), err, c.want)
		}
	}
}

func TestRefusedSettings(t *testing.T) {
	for _, props := range []config.Props{{"delete.tombstone.handling.mode": "keep"}, {"drop.fields.from.key": "perhaps"}, {"add.fields": "a:b:c"}} {
		if err := new(debezium.ExtractNewRecordState).Configure(props); err == nil {
			t.Errorf("%v is taken", props)
		}
	}
}

func TestByLogicalTableRouter(t *testing.T) {
	x := &debezium.ByLogicalTableRouter{}
	if err := x.Configure(config.Props{"topic.regex": `(.*)\.shard(\d+)`, "topic.replacement": "$1.all", "key.field.name": "shard", "key.field.regex": `.*(\d+)`,
		"key.field.replacement": "$1"}); err != nil {
		t.Fatal(data.StackTrace(err))
	}
	key := data.NewStruct(data.NewStructBuilder().Name("db.t.Key").Field("id", data.Int32Schema).MustBuild())
	put(t, key, "id", int32(5))
	in := event(t, "c", nil, row(t, 1, "a"))
	in.Topic, in.KeySchema, in.Key = "db.shard12", key.Schema(), key
	got, err := x.Apply(in)
	if err != nil {
		t.Fatal(data.StackTrace(err))
	}
	if got.Topic != "db.all" || data.Text(got.Key) != "Struct{id=5,shard=2}" || got.ValueSchema.Name() != "db.all.Envelope" {
		t.Errorf("%s %s %s", got.Topic, data.Text(got.Key), got.ValueSchema.Name())
	}
	in.Topic = "db.other"
	if got, err := x.Apply(in); err != nil || got != in {
		t.Errorf("a topic that does not match: %v %v", got, err)
	}
}

func TestEventRouter(t *testing.T) {
	outbox := data.NewStructBuilder().Name("db.outbox.Value").Optional().Field("id", data.StringSchema).Field("aggregatetype", data.StringSchema).
		Field("aggregateid", data.StringSchema).Field("type", data.StringSchema).Field("payload", data.OptionalStringSchema).MustBuild()
	schema := data.NewStructBuilder().Name("db.outbox.Envelope").Field("before", outbox).Field("after", outbox).Field("op", data.StringSchema).
		Field("ts_ms", data.OptionalInt64Schema).MustBuild()
	change := func(op string) *connect.Record {
		after, s := data.NewStruct(outbox), data.NewStruct(schema)
		for k, v := range map[string]string{"id": "e1", "aggregatetype": "Order", "aggregateid": "42", "type": "Created", "payload": `{"n":1}`} {
			put(t, after, k, v)
		}
		put(t, s, "op", op)
		put(t, s, "after", after)
		put(t, s, "ts_ms", int64(1000))
		return &connect.Record{Topic: "db.outbox", ValueSchema: schema, Value: s, Partition: connect.NoPartition, Timestamp: connect.NoTimestamp}
	}
	x := &debezium.EventRouter{}
	if err := x.Configure(config.Props{"table.fields.additional.placement": "type:header:kind", "table.op.invalid.behavior": "fatal"}); err != nil {
		t.Fatal(data.StackTrace(err))
	}
	got, err := x.Apply(change("c"))
	if err != nil {
		t.Fatal(data.StackTrace(err))
	}
	id, _ := got.Headers.Last("id")
	kind, _ := got.Headers.Last("kind")
	if got.Topic != "outbox.event.Order" || got.Key != "42" || text(got) != `{"n":1}` || id.Value != "e1" || kind.Value != "Created" {
		t.Errorf("%s %v %s, id %v, kind %v", got.Topic, got.Key, text(got), id.Value, kind.Value)
	}
	if got, err := x.Apply(change("d")); err != nil || got != nil {
		t.Errorf("a delete: %v %v", got, err)
	}
	if _, err := x.Apply(change("u")); err == nil {
		t.Error("an update of the outbox is taken, though table.op.invalid.behavior is fatal")
	}
}
