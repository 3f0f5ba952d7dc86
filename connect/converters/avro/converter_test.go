package avro_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/avro"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

// converter makes one of a registry in memory, a new one unless keep.
func converter(t testing.TB, keep bool, properties ...any) *avro.Converter {
	t.Helper()
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
	if !keep {
		registry.DropScope(scope)
	}
	p := config.Props{"schema.registry.url": "mock://" + scope}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i].(string)] = properties[i+1]
	}
	c := avro.New(nil)
	if err := c.Configure(p, false); err != nil {
		t.Fatal(err)
	}
	return c
}

// registered is the text of the last schema of the topic t.
func registered(t testing.TB) string {
	t.Helper()
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
	r, err := registry.MockScope(scope).ByVersion(t.Context(), "t-value", registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	return r.Text
}

func write(t testing.TB, c *avro.Converter, s *data.Schema, v any) []byte {
	t.Helper()
	b, err := c.FromConnect("t", nil, s, v)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return b
}

func read(t testing.TB, c *avro.Converter, b []byte) data.SchemaAndValue {
	t.Helper()
	v, err := c.ToConnect("t", nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func optional(s *data.Schema) *data.Schema {
	b := s.Copy().Optional()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	return b.MustBuild()
}

func row(fields ...any) *data.Schema {
	b := data.NewStructBuilder().Name("shop.Row")
	for i := 0; i < len(fields); i += 2 {
		b.Field(fields[i].(string), fields[i+1].(*data.Schema))
	}
	return b.MustBuild()
}

// TestSchemas compares what is registered with what AvroData makes, and payloads with those worked out by hand.
func TestSchemas(t *testing.T) {
	inner := data.NewStructBuilder().Name("shop.Inner").Field("n", data.Int32Schema).MustBuild()
	decimal := data.DecimalBuilder(2).MustBuild()
	number, err := data.ParseDecimal("-1.28")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		schema  *data.Schema
		value   any
		text    string
		payload string
		back    *data.Schema // nil: the same but for the version 1
	}{
		{"boolean", data.BooleanSchema, true, `"boolean"`, "01", nil},
		{"int8", data.Int8Schema, int8(-1), `{"type":"int","connect.type":"int8"}`, "01", nil},
		{"int16", data.Int16Schema, int16(2), `{"type":"int","connect.type":"int16"}`, "04", nil},
		{"int32", data.Int32Schema, int32(3), `"int"`, "06", nil},
		{"int64", data.Int64Schema, int64(4), `"long"`, "08", nil},
		{"float32", data.Float32Schema, float32(1), `"float"`, "0000803f", nil},
		{"float64", data.Float64Schema, 1.0, `"double"`, "000000000000f03f", nil},
		{"string", data.StringSchema, "é", `"string"`, "04c3a9", nil},
		{"bytes", data.BytesSchema, []byte{1, 2}, `"bytes"`, "0102", nil},
		{"optional string", data.OptionalStringSchema, "x", `["null","string"]`, "020278", nil},
		{"optional bytes", data.OptionalBytesSchema, []byte{1}, `["null","bytes"]`, "020201", nil},
		{"default", data.NewBuilder(data.Int32).Default(int32(7)).MustBuild(), int32(1), `{"type":"int","connect.default":7}`, "02", nil},
		{"optional default", data.NewBuilder(data.Int32).Optional().Default(int32(7)).MustBuild(), int32(1), `[{"type":"int","connect.default":7},"null"]`, "0002", nil},
		{"named", data.NewBuilder(data.String).Name("a.b").Version(3).Doc("d").Parameter("p", "1").MustBuild(), "x",
			`{"type":"string","connect.doc":"d","connect.version":3,"connect.parameters":{"p":"1"},"connect.name":"a.b"}`, "0278", nil},
		{"decimal", decimal, number,
			`{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}`, "80", nil},
		{"date", data.DateSchema, data.Millis(86400000), `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Date","logicalType":"date"}`, "02", nil},
		{"time", data.TimeSchema, data.Millis(64), `{"type":"int","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Time","logicalType":"time-millis"}`, "8001", nil},
		{"timestamp", data.TimestampSchema, data.Millis(-1), `{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}`, "01", nil},
		{"array", data.ArrayOf(data.Int8Schema).MustBuild(), []any{int8(1), int8(2)}, `{"type":"array","items":{"type":"int","connect.type":"int8"}}`, "04020400", nil},
		{"map", data.MapOf(data.StringSchema, data.OptionalInt32Schema).MustBuild(), data.MapOfStrings("k", int32(1)), `{"type":"map","values":["null","int"]}`, "02026b020200", nil},
		{"map of numbers", data.MapOf(data.Int32Schema, data.StringSchema).MustBuild(), data.NewMap(data.Entry{Key: int32(1), Value: "x"}),
			`{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}`, "0202027800", nil},
		{"struct", row("id", data.Int32Schema, "note", data.OptionalStringSchema, "in", inner, "again", optional(inner)), "values",
			`{"type":"record","name":"Row","namespace":"shop","fields":[{"name":"id","type":"int"},{"name":"note","type":["null","string"],"default":null},` +
				`{"name":"in","type":{"type":"record","name":"Inner","fields":[{"name":"n","type":"int"}],"connect.name":"shop.Inner"}},{"name":"again","type":["null","Inner"],"default":null}],"connect.name":"shop.Row"}`,
			"02" + "00" + "04" + "0206", nil},
		{"no name", data.NewStructBuilder().Field("a", data.NewBuilder(data.String).Default("d").MustBuild()).Field("s", data.NewStructBuilder().Field("b", data.BooleanSchema).MustBuild()).MustBuild(), "values",
			`{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a","type":{"type":"string","connect.default":"d"},"default":"d"},` +
				`{"name":"s","type":{"type":"record","name":"ConnectDefault2","fields":[{"name":"b","type":"boolean"}]}}]}`, "0264" + "01", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := c.value
			if v == "values" {
				v = values(c.schema, inner)
			}
			conv := converter(t, false)
			b := write(t, conv, c.schema, v)
			if d := cmp.Diff(c.text, registered(t)); d != "" {
				t.Error(d)
			}
			if got := hex.EncodeToString(b); got != "0000000001"+c.payload {
				t.Errorf("%s, want 0000000001%s", got, c.payload)
			}
			back := read(t, conv, b)
			if want := versioned(c.schema); !back.Schema.Equal(want) {
				t.Errorf("schema %s %v, want %s %v", back.Schema, back.Schema.Parameters(), want, want.Parameters())
			}
			if !data.Equal(plain(back.Value), plain(moved(v, back.Schema))) {
				t.Errorf("value %s, want %s", data.Text(back.Value), data.Text(v))
			}
		})
	}
}

// values fills the two structs of TestSchemas.
func values(s, inner *data.Schema) *data.Struct {
	if s.Field("id") == nil {
		return data.NewStruct(s).MustPut("s", data.NewStruct(s.Field("s").Schema).MustPut("b", true))
	}
	again := optional(inner)
	return data.NewStruct(s).MustPut("id", int32(1)).MustPut("in", data.NewStruct(inner).MustPut("n", int32(2))).
		MustPut("again", data.NewStruct(again).MustPut("n", int32(3)))
}

// versioned is a schema with version 1 where it has none: the registry's number. A union with null loses it, as in Java.
func versioned(s *data.Schema) *data.Schema {
	if _, ok := s.Version(); ok || s.Optional() {
		return s
	}
	b := s.Copy().Version(1)
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	return b.MustBuild()
}

// plain is a value with []byte for every Buffer, and defaults in the place of nulls.
func plain(v any) any {
	switch v := v.(type) {
	case data.Buffer:
		return []byte(v)
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case *data.Map:
		out := data.MakeMap(v.Len())
		for _, e := range v.Entries() {
			out.Put(plain(e.Key), plain(e.Value))
		}
		return out
	case *data.Struct:
		out := data.NewStruct(v.Schema())
		for i, f := range v.Schema().Fields() {
			out.Set(i, plain(v.Value(f)))
		}
		return out
	}
	return v
}

// moved puts the values of a struct into one of another schema, whose version is the only difference.
func moved(v any, s *data.Schema) any {
	st, ok := v.(*data.Struct)
	if !ok {
		return v
	}
	out := data.NewStruct(s)
	for i := range s.Fields() {
		out.Set(i, st.At(i))
	}
	return out
}

func TestNulls(t *testing.T) {
	c := converter(t, false)
	for _, s := range []*data.Schema{nil, data.OptionalStringSchema} {
		if b, err := c.FromConnect("t", nil, s, nil); b != nil || err != nil {
			t.Error(b, err)
		}
	}
	if v, err := c.ToConnect("t", nil, nil); err != nil || v.Schema != nil || v.Value != nil {
		t.Error(v, err)
	}
	_, err := c.FromConnect("t", nil, data.StringSchema, nil)
	if !errors.Is(err, data.DataException) || err.Error() != "Found null value for non-optional schema" {
		t.Error(err)
	}
	if _, err = c.FromConnect("t", nil, data.ArrayOf(data.StringSchema).MustBuild(), []any{nil}); !errors.Is(err, data.DataException) {
		t.Error(err)
	}
}

func TestWithoutSchema(t *testing.T) {
	c := converter(t, false)
	for _, v := range []any{true, int32(1), int64(2), float32(1.5), 2.5, "x", []any{int32(1), nil, "y"}, data.NewMap(data.Entry{Key: "a", Value: int32(1)}, data.Entry{Key: int64(2), Value: []any{}})} {
		back := read(t, c, write(t, c, nil, v))
		if back.Schema != nil || !data.Equal(back.Value, v) {
			t.Errorf("%s: %s", data.Text(v), back)
		}
	}
	if back := read(t, c, write(t, c, nil, int8(3))); back.Value != int32(3) {
		t.Error(back)
	}
	if !strings.HasPrefix(registered(t), `{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[{"name":"boolean","type":["null","boolean"],"default":null}`) {
		t.Error(registered(t))
	}
	if _, err := c.FromConnect("t", nil, nil, []byte{1}); !errors.Is(err, data.DataException) {
		t.Error(err)
	}
}

// avroRecord is registered by hand, and written by hand.
func TestUnionsAndEnums(t *testing.T) {
	text := `{"type":"record","name":"R","namespace":"a","doc":"rd","fields":[
		{"name":"u","type":["null","int",{"type":"record","name":"In","fields":[]},{"type":"enum","name":"E","symbols":["X","Y"],"default":"X","doc":"ed"}],"doc":"fd","default":null},
		{"name":"e","type":"E"},{"name":"f","type":{"type":"fixed","name":"F","size":2}},{"name":"one","type":["string"]},{"name":"d","type":"long","default":5},
		{"name":"micros","type":{"type":"long","logicalType":"timestamp-micros"}}]}`
	payloads := []string{"00", "020e", "04", "0602"}
	rest := "00" + "0102" + "000271" + "0a" + "0e"
	for i, want := range []string{
		"Struct{e=X,f=java.nio.HeapByteBuffer[pos=0 lim=2 cap=2],one=q,d=5,micros=7}",
		"Struct{u=Struct{int=7},e=X,f=java.nio.HeapByteBuffer[pos=0 lim=2 cap=2],one=q,d=5,micros=7}",
		"Struct{u=Struct{In=Struct{}},e=X,f=java.nio.HeapByteBuffer[pos=0 lim=2 cap=2],one=q,d=5,micros=7}",
		"Struct{u=Struct{E=Y},e=X,f=java.nio.HeapByteBuffer[pos=0 lim=2 cap=2],one=q,d=5,micros=7}",
	} {
		for _, enhanced := range []string{"false", "true"} {
			c := converter(t, false, "enhanced.avro.schema.support", enhanced)
			scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
			if _, err := registry.MockScope(scope).Register(t.Context(), "t-value", registry.Schema{Type: registry.Avro, Text: text}, false); err != nil {
				t.Fatal(err)
			}
			b, err := hex.DecodeString("0000000001" + payloads[i] + rest)
			if err != nil {
				t.Fatal(err)
			}
			v := read(t, c, b)
			if enhanced == "true" {
				want = strings.NewReplacer("Struct{In=", "Struct{a.In=", "Struct{E=", "Struct{a.E=").Replace(want)
			}
			if d := cmp.Diff(want, data.Text(v.Value)); d != "" {
				t.Error(d)
			}
			doc, _ := v.Schema.Parameter("io.confluent.connect.avro.field.doc.u")
			symbol, _ := v.Schema.Field("e").Schema.Parameter("io.confluent.connect.avro.Enum.Y")
			size, _ := v.Schema.Field("f").Schema.Parameter("connect.fixed.size")
			if doc != "fd" || symbol != "Y" || size != "2" || v.Schema.Field("d").Schema.Default() != int64(5) || v.Schema.Field("micros").Schema.Type() != data.Int64 {
				t.Error(doc, symbol, size)
			}
			if u := v.Schema.Field("u").Schema; u.Name() != "io.confluent.connect.avro.Union" || !u.Optional() {
				t.Error(u)
			}
			if enhanced == "true" { // it writes what it read
				if again := write(t, c, v.Schema, v.Value); hex.EncodeToString(again[5:]) != payloads[i]+strings.Replace(rest, "000271", "0271", 1) { // a union of one is none any more
					t.Errorf("written again: %x", again[5:])
				}
				if got := registered(t); !strings.Contains(got, `"symbols":["X","Y"],"default":"X"`) || !strings.Contains(got, `"doc":"fd","default":null`) || !strings.Contains(got, `{"type":"fixed","name":"F","size":2`) {
					t.Error(got)
				}
			}
		}
	}
}

func TestOptions(t *testing.T) {
	s := data.NewStructBuilder().Name("shop-1.Row").Doc("d").Field("a-b", data.NewBuilder(data.Int8).Optional().Default(int8(1)).MustBuild()).MustBuild()
	v := data.NewStruct(s)
	if _, err := converter(t, false).FromConnect("t", nil, s, v); err == nil || string(data.ClassOfError(err)) != "org.apache.avro.SchemaParseException" || err.Error() != "Illegal character in: a-b" && err.Error() != "Illegal character in: shop-1" {
		t.Error(err)
	}
	c := converter(t, false, "scrub.invalid.names", true, "connect.meta.data", "false")
	b := write(t, c, s, v)
	if got := registered(t); got != `{"type":"record","name":"Row","namespace":"shop_1","fields":[{"name":"a_b","type":["int","null"],"default":1}]}` {
		t.Error(got)
	}
	if got := hex.EncodeToString(b); got != "00000000010002" {
		t.Error(got)
	}
	c = converter(t, false, "scrub.invalid.names", true, "ignore.default.for.nullables", true)
	if got := hex.EncodeToString(write(t, c, s, v)); got != "000000000102" {
		t.Error(got)
	}
	keys := data.MapOf(data.OptionalStringSchema, data.Int32Schema).MustBuild()
	c = converter(t, false, "allow.optional.map.keys", true)
	write(t, c, keys, data.MapOfStrings("a", int32(1)))
	if got := registered(t); got != `{"type":"map","values":"int"}` {
		t.Error(got)
	}
	if err := avro.New(nil).Configure(config.Props{"schema.registry.url": "mock://x", "connect.meta.data": "perhaps"}, false); !errors.Is(err, data.ConfigException) {
		t.Error(err)
	}
	if err := avro.New(nil).Configure(config.Props{}, false); !errors.Is(err, data.ConfigException) || !strings.Contains(err.Error(), "schema.registry.url") {
		t.Error(err)
	}
}

// TestJavaMaps has maps whose entries stand in the order of Java's HashMap.
func TestJavaMaps(t *testing.T) {
	c := converter(t, false)
	s := data.MapOf(data.StringSchema, data.BooleanSchema).MustBuild()
	// "Aa" and "BB" have one hash; "z" is in bucket 10, "b" in 2, "c" in 3, "q" (113) in 1
	m := data.MapOfStrings("z", true, "BB", true, "c", true, "Aa", true, "q", true, "b", true)
	if got := hex.EncodeToString(write(t, c, s, m)[5:]); got != "0c"+"044242"+"01"+"044161"+"01"+"0271"+"01"+"0262"+"01"+"0263"+"01"+"027a"+"01"+"00" {
		t.Error(got)
	}
}

func TestErrors(t *testing.T) {
	c := converter(t, false)
	s := row("id", data.Int32Schema)
	other := row("id", data.StringSchema)
	class := func(err error) string { return string(data.ClassOfError(err)) }
	b := write(t, c, s, data.NewStruct(s).MustPut("id", int32(1)))
	_, err := c.FromConnect("t", nil, other, data.NewStruct(other).MustPut("id", "x"))
	if class(err) != string(data.DataException) || err.Error() != "Failed to serialize Avro data from topic t:" && !strings.HasPrefix(err.Error(), "Failed to serialize Avro data from topic t:") {
		t.Error(err)
	}
	if cause := errors.Unwrap(err); class(cause) != string(data.SerializationException) || !strings.HasPrefix(cause.Error(), "Error registering Avro schema{") {
		t.Error(cause)
	}
	if _, err := c.FromConnect("t", nil, s, data.NewStruct(other)); class(err) != string(data.DataException) || err.Error() != "Mismatching struct schema" {
		t.Error(err)
	}
	for text, want := range map[string]string{"": "within the schema's id", "\x05": "Unknown magic byte!", "\x00\x00\x00\x00\x09": "Error retrieving Avro value schema for id 9", string(b[:5]): "end within the value"} {
		if v, err := c.ToConnect("t", nil, []byte(text)); class(err) != string(data.DataException) || !strings.Contains(data.StackTrace(err), want) {
			t.Errorf("%q: %v %v", text, v, data.StackTrace(err))
		}
	}
	// Of a topic whose subject does not have the schema no version can be told.
	if _, err := c.ToConnect("other", nil, b); err == nil || !strings.Contains(data.StackTrace(err), "Error retrieving Avro value schema version for id 1") {
		t.Error(err)
	}
	closed := avro.New(nil)
	if err := closed.Configure(config.Props{"schema.registry.url": "http://127.0.0.1:1", "max.retries": "0"}, false); err != nil {
		t.Fatal(err)
	}
	if _, err := closed.ToConnect("t", nil, b); class(err) != "org.apache.kafka.common.errors.NetworkException" {
		t.Error(class(err), err)
	}
	recursive := `{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}`
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
	id, err := registry.MockScope(scope).Register(t.Context(), "t-value", registry.Schema{Type: registry.Avro, Text: recursive}, false)
	if err == nil {
		t.Error("the schema goes with the one before? ", id)
	}
}

// TestHeaders reads a value whose schema a header names.
func TestHeaders(t *testing.T) {
	c := converter(t, false)
	s := row("id", data.Int32Schema)
	b := write(t, c, s, data.NewStruct(s).MustPut("id", int32(1)))
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
	m := registry.MockScope(scope)
	guid, err := hex.DecodeString(strings.ReplaceAll(m.GUID(registry.Schema{Type: registry.Avro, Text: registered(t)}), "-", ""))
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.ToConnect("t", []broker.Header{{Key: "__value_schema_id", Value: append([]byte{1}, guid...)}}, b[5:])
	if err != nil || data.Text(v.Value) != "Struct{id=1}" {
		t.Error(v, err)
	}
}

func TestUseLatest(t *testing.T) {
	converter(t, false)
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + t.Name())
	latest := `{"type":"record","name":"Row","namespace":"shop","fields":[{"name":"state","type":"string","default":"NEW"},{"name":"tags","type":{"type":"map","values":"int"},"default":{}},{"name":"id","type":"int"}]}`
	if _, err := registry.MockScope(scope).Register(t.Context(), "t-value", registry.Schema{Type: registry.Avro, Text: latest}, false); err != nil {
		t.Fatal(err)
	}
	c := converter(t, true, "auto.register.schemas", "false", "use.latest.version", true)
	s := row("id", data.Int32Schema)
	b := write(t, c, s, data.NewStruct(s).MustPut("id", int32(1)))
	if got := hex.EncodeToString(b); got != "0000000001"+"064e4557"+"00"+"02" {
		t.Error(got)
	}
	if v := read(t, c, b); data.Text(v.Value) != "Struct{state=NEW,tags={},id=1}" {
		t.Error(v)
	}
}

func FuzzToConnect(f *testing.F) {
	c := converter(f, false, "enhanced.avro.schema.support", "true")
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("connect-avro-" + f.Name())
	text := `{"type":"record","name":"R","fields":[{"name":"u","type":["null","int",{"type":"array","items":["null","string"]},{"type":"enum","name":"E","symbols":["X","Y"]}]},
		{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"m","type":{"type":"map","values":{"type":"int","logicalType":"date"}}},
		{"name":"t","type":{"type":"int","logicalType":"time-millis"}},{"name":"f","type":{"type":"fixed","name":"F","size":2}}]}`
	if _, err := registry.MockScope(scope).Register(f.Context(), "t-value", registry.Schema{Type: registry.Avro, Text: text}, false); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte("\x00\x00\x00\x00\x01\x00\x02\x01\x00\x00\x01\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := c.ToConnect("t", nil, b)
		if err != nil || v.Value == nil {
			return
		}
		if err := data.Validate(v.Schema, v.Value); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		if _, err := c.FromConnect("u", nil, v.Schema, v.Value); err != nil {
			t.Fatalf("%s: %s", v, data.StackTrace(err))
		}
	})
}

func BenchmarkConverter(b *testing.B) {
	c := converter(b, false)
	s := row("id", data.Int64Schema, "note", data.OptionalStringSchema, "price", data.Float64Schema, "at", data.TimestampSchema, "ok", data.BooleanSchema)
	v := data.NewStruct(s).MustPut("id", int64(123456)).MustPut("note", "some text of a usual length").MustPut("price", 12.5).MustPut("at", data.Millis(1700000000000)).MustPut("ok", true)
	bytes := write(b, c, s, v)
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.FromConnect("t", nil, s, v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := c.ToConnect("t", nil, bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
