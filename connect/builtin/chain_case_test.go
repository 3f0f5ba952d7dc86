package builtin_test

import (
	"fmt"
	"math"
	"math/big"
	"math/rand"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// maker makes random records and configurations of one seed.
type maker struct{ *rand.Rand }

var fieldNames = []string{"a", "b", "c", "a.b", "id", "op", "name", "payload", "aggregatetype", "ts", "`q`"}

func pick[T any](m maker, all ...T) T { return all[m.Intn(len(all))] }

func (m maker) chance(percent int) bool { return m.Intn(100) < percent }

// schema makes a schema of at most depth levels, with a default now and then.
func (m maker) schema(depth int) *data.Schema {
	b := m.builder(depth)
	if m.chance(30) {
		b.Doc("doc").Parameter("p", "1")
	}
	if m.chance(40) {
		b.Optional()
	}
	if s, err := b.Build(); err == nil && m.chance(20) {
		b.Default(m.value(s))
	}
	s, err := b.Build()
	if err != nil {
		panic(err)
	}
	return s
}

func (m maker) builder(depth int) *data.Builder {
	if depth == 0 || m.chance(60) {
		if m.chance(25) {
			return pick(m, data.DecimalBuilder(2), data.DateBuilder(), data.TimeBuilder(), data.TimestampBuilder())
		}
		return data.NewBuilder(data.Type(m.Intn(int(data.Bytes)) + 1))
	}
	switch m.Intn(4) {
	case 0:
		return data.ArrayOf(m.schema(depth - 1))
	case 1:
		return data.MapOf(pick(m, data.StringSchema, data.Int32Schema), m.schema(depth-1))
	}
	return m.structBuilder(depth)
}

func (m maker) structBuilder(depth int) *data.Builder {
	b := data.NewStructBuilder()
	if m.chance(30) {
		b.Name(pick(m, "n", "x.Envelope", "a.b.Value")).Version(3)
	}
	for range m.Intn(5) {
		if name := pick(m, fieldNames...); !b.HasField(name) {
			b.Field(name, m.schema(depth-1))
		}
	}
	return b
}

// value makes a value of a schema, null where it may be.
func (m maker) value(s *data.Schema) any {
	if s.Optional() && m.chance(25) {
		return nil
	}
	switch s.Name() {
	case data.DecimalName:
		return data.DecimalOf(m.Int63n(1000)-500, 2)
	case data.DateName:
		return data.Millis((m.Int63n(40000) - 10000) * 86400_000)
	case data.TimeName:
		return data.Millis(m.Int63n(86400_000))
	case data.TimestampName:
		return data.Millis(m.Int63n(1<<42) - 1<<41)
	}
	switch s.Type() {
	case data.Array:
		out := []any{}
		for range m.Intn(3) {
			out = append(out, m.value(s.ValueSchema()))
		}
		return out
	case data.MapType:
		out := data.NewMap()
		for range m.Intn(3) {
			out.Put(m.value(s.KeySchema()), m.value(s.ValueSchema()))
		}
		return out
	case data.StructType:
		st := data.NewStruct(s)
		for i, f := range s.Fields() {
			st.Set(i, m.value(f.Schema))
		}
		return st
	}
	return m.primitive(s.Type())
}

func (m maker) primitive(t data.Type) any {
	n := pick(m, 0, 1, -1, 300, math.MaxInt64, math.MinInt64, m.Int63())
	f := pick(m, 0, -0.5, 3.9, 1e30, math.Inf(1), math.NaN())
	switch t {
	case data.Int8:
		return int8(n)
	case data.Int16:
		return int16(n)
	case data.Int32:
		return int32(n)
	case data.Int64:
		return n
	case data.Float32:
		return float32(f)
	case data.Float64:
		return f
	case data.Boolean:
		return m.chance(50)
	case data.Bytes:
		return pick[any](m, []byte("xy"), data.Buffer{1, 2})
	}
	return pick(m, "", "a", "12", "true", "2024-01-02", `{"a":[{"b":1},{"c":2.5}],"n":null}`, "[1]", "\u00e9\u2028\U0001f600", "c")
}

// loose makes a value without a schema, of any class.
func (m maker) loose(depth int) any {
	if depth > 0 && m.chance(50) {
		out := data.NewMap()
		for range m.Intn(4) {
			var key any = pick(m, fieldNames...)
			if m.chance(5) {
				key = pick[any](m, nil, int32(1))
			}
			out.Put(key, m.loose(depth-1))
		}
		return out
	}
	switch m.Intn(9) {
	case 0:
		return nil
	case 1:
		return []any{m.loose(0)}
	case 2:
		return data.Millis(m.Int63n(1 << 41))
	case 3:
		return data.DecimalOf(12345, 3)
	case 4:
		return big.NewInt(77)
	case 5:
		return data.NewStruct(data.NewStructBuilder().Field("a", data.OptionalInt32Schema).MustBuild())
	}
	return m.primitive(data.Type(m.Intn(int(data.Bytes)) + 1))
}

// side makes a key or value with its schema, if it has one.
func (m maker) side() (*data.Schema, any) {
	switch {
	case m.chance(25):
		return nil, m.loose(3)
	case m.chance(30):
		s := m.event()
		return s, m.value(s)
	case m.chance(70):
		s, err := m.structBuilder(3).Build()
		if err != nil {
			panic(err)
		}
		return s, m.value(s)
	}
	s := m.schema(3)
	return s, m.value(s)
}

// event makes the schema of a change event, or of something like one.
func (m maker) event() *data.Schema {
	row := data.NewStructBuilder().Name("t.Value").Field("id", data.StringSchema).Field("aggregateid", data.StringSchema).
		Field("aggregatetype", data.OptionalStringSchema).Field("type", data.StringSchema).Field("payload", data.OptionalStringSchema).
		Field("version", data.OptionalInt32Schema).Field("qty", data.NewBuilder(data.Int16).Optional().Default(int16(7)).MustBuild()).Optional().MustBuild()
	source := data.NewStructBuilder().Field("db", data.StringSchema).Field("table", data.StringSchema).Field("ts_ms", data.Int64Schema).MustBuild()
	b := data.NewStructBuilder().Name("t.Envelope").Version(1)
	for _, f := range []struct {
		name   string
		schema *data.Schema
	}{{"before", row}, {"after", row}, {"source", source}, {"op", pick(m, data.OptionalStringSchema, data.StringSchema)}, {"ts_ms", data.OptionalInt64Schema}} {
		if m.chance(95) {
			b.Field(f.name, f.schema)
		}
	}
	return b.MustBuild()
}

func (m maker) record() *connect.Record {
	keySchema, key := m.side()
	valueSchema, value := m.side()
	var r *connect.Record
	if m.chance(50) {
		r = connect.NewSinkRecord(broker.TopicPartition{Topic: pick(m, "t", "p.db.t1", ""), Partition: 2}, 42, keySchema, key, valueSchema, value)
	} else {
		r = connect.NewSourceRecord(nil, nil, pick(m, "t", "p.db.t1"), valueSchema, value)
		r.KeySchema, r.Key = keySchema, key
	}
	if m.chance(80) {
		r.Timestamp = pick[int64](m, 0, 1700000000123, math.MaxInt64, math.MinInt64+1)
	}
	for range m.Intn(3) {
		s := m.schema(1)
		r.Headers.Append(data.Header{Key: pick(m, "a", "h"), Schema: s, Value: m.value(s)})
	}
	if m.chance(20) {
		r.Headers.Append(data.Header{Key: "h", Value: []any{"id", "qty", "a"}})
	}
	return r
}

func (m maker) field() string { return pick(m, fieldNames...) }

func (m maker) types() string {
	return pick(m, "int8", "int16", "int32", "int64", "float32", "float64", "boolean", "string", "STRING")
}

// configs make the properties of each transform.
var configs = map[string]func(m maker) map[string]string{
	"Cast": func(m maker) map[string]string {
		if m.chance(30) {
			return map[string]string{"spec": m.types()}
		}
		return map[string]string{"spec": m.field() + ":" + m.types() + "," + m.field() + ":" + m.types()}
	},
	"ExtractField": func(m maker) map[string]string {
		return map[string]string{"field": m.field() + pick(m, "", ".a", ".b.c"), "field.syntax.version": pick(m, "V1", "v2")}
	},
	"Flatten": func(m maker) map[string]string { return map[string]string{"delimiter": pick(m, ".", "_", "")} },
	"HeaderFrom": func(m maker) map[string]string {
		return map[string]string{"fields": m.field(), "headers": "h", "operation": pick(m, "move", "copy")}
	},
	"HoistField": func(m maker) map[string]string { return map[string]string{"field": m.field()} },
	"InsertField": func(m maker) map[string]string {
		// A required partition or timestamp is left unset where the record has none, as in Kafka: then the struct is not valid.
		return map[string]string{pick(m, "topic.field", "offset.field"): m.field() + pick(m, "", "!", "?"),
			pick(m, "partition.field", "timestamp.field"): m.field() + "2", "static.field": "s!", "static.value": "v"}
	},
	"MaskField": func(m maker) map[string]string {
		c := map[string]string{"fields": m.field()}
		if m.chance(40) {
			c["replacement"] = pick(m, "1", "x", "-1.5")
		}
		return c
	},
	"ReplaceField": func(m maker) map[string]string {
		return map[string]string{"exclude": m.field(), "renames": m.field() + ":" + m.field()}
	},
	"SetSchemaMetadata": func(m maker) map[string]string {
		return map[string]string{"schema.name": pick(m, "n", "x.Envelope"), "schema.version": "2"}
	},
	"TimestampConverter": func(m maker) map[string]string {
		return map[string]string{"field": pick(m, "", "ts", "a"), "target.type": pick(m, "string", "unix", "Date", "Time", "Timestamp"),
			"format": pick(m, "yyyy-MM-dd", "YYYY-'W'ww-u EEE G", "yy.DDD HH:mm:ss.SSSXXX z"), "unix.precision": pick(m, "seconds", "milliseconds", "nanoseconds")}
	},
	"DropHeaders": func(m maker) map[string]string { return map[string]string{"headers": "h"} },
	"Filter":      func(m maker) map[string]string { return map[string]string{} },
	"InsertHeader": func(m maker) map[string]string {
		return map[string]string{"header": "a", "value.literal": pick(m, "1", "null", "[1,x]", "{a:1}", "")}
	},
	"RegexRouter": func(m maker) map[string]string {
		return map[string]string{"regex": pick(m, "(.*)", `(?<n>\w+)(\.\w+)*+`, "t(?!x)", `[a-z&&[^b]]`), "replacement": pick(m, "x$1", "$9", "${n}", `\`)}
	},
	"TimestampRouter": func(m maker) map[string]string {
		return map[string]string{"timestamp.format": pick(m, "yyyyMMdd", "q", "D W F u a kk KK")}
	},
	"ValueToKey": func(m maker) map[string]string { return map[string]string{"fields": m.field()} },
	"io.debezium.transforms.ExtractNewRecordState": func(m maker) map[string]string {
		return map[string]string{"delete.tombstone.handling.mode": pick(m, "drop", "tombstone", "rewrite", "rewrite-with-tombstone", "delete-to-tombstone"),
			"add.fields": pick(m, "", "op,table", "source", "before.id,nope"), "add.headers": pick(m, "", "op,db", "source"), "route.by.field": pick(m, "", "type"),
			"drop.fields.header.name": "h", "drop.fields.keep.schema.compatible": pick(m, "true", "false"), "drop.fields.from.key": "true"}
	},
	"io.debezium.transforms.ByLogicalTableRouter": func(m maker) map[string]string {
		return map[string]string{"topic.regex": pick(m, "(.*)", "t"), "topic.replacement": pick(m, "$1.all", "x", "$5"), "key.enforce.uniqueness": pick(m, "true", "false")}
	},
	"io.debezium.transforms.outbox.EventRouter": func(m maker) map[string]string {
		return map[string]string{"table.expand.json.payload": pick(m, "true", "false"), "route.tombstone.on.empty.payload": pick(m, "true", "false"),
			"table.fields.additional.placement": pick(m, "type:header", "type:envelope:t,version:envelope", "version:partition", "zzz:header", "type:nowhere"),
			"table.json.payload.null.behavior":  pick(m, "ignore", "optional_bytes")}
	},
}

var sidedNames = "Cast ExtractField Flatten HeaderFrom HoistField InsertField MaskField ReplaceField SetSchemaMetadata TimestampConverter"

// connector makes a connector's configuration with one to four transforms, each with a predicate now and then.
func (m maker) connector(names []string) map[string]string {
	props := map[string]string{"name": "c", "connector.class": "x", "topics": "t", "predicates": "p0,p1,p2",
		"predicates.p0.type": "RecordIsTombstone", "predicates.p1.type": "HasHeaderKey", "predicates.p1.name": "h",
		"predicates.p2.type": "TopicNameMatches", "predicates.p2.pattern": "t|p.*"}
	var aliases []string
	for i := range m.Intn(4) + 1 {
		alias, name := fmt.Sprintf("t%d", i), pick(m, names...)
		aliases = append(aliases, alias)
		class := name
		if !strings.Contains(name, ".") {
			class = "org.apache.kafka.connect.transforms." + name
		}
		if strings.Contains(" "+sidedNames+" ", " "+name+" ") {
			class += pick(m, "$Key", "$Value")
		}
		prefix := "transforms." + alias + "."
		props[prefix+"type"] = class
		for k, v := range configs[name](m) {
			props[prefix+k] = v
		}
		if m.chance(30) {
			props[prefix+"replace.null.with.default"] = "false"
		}
		if m.chance(20) || name == "Filter" {
			props[prefix+"predicate"] = pick(m, "p0", "p1", "p2")
			props[prefix+"negate"] = pick(m, "true", "false")
		}
	}
	props["transforms"] = strings.Join(aliases, ",")
	return props
}
