package jsonschema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/jsonschema"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

func scope(t testing.TB) string {
	return strings.NewReplacer("/", "-", " ", "-", "#", "-").Replace("connect-json-" + t.Name())
}

// converter makes one of a new registry in memory.
func converter(t testing.TB, properties ...any) *jsonschema.Converter {
	t.Helper()
	registry.DropScope(scope(t))
	p := config.Props{"schema.registry.url": "mock://" + scope(t)}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i].(string)] = properties[i+1]
	}
	c := jsonschema.New(nil)
	if err := c.Configure(p, false); err != nil {
		t.Fatal(err)
	}
	return c
}

func registered(t testing.TB) string {
	t.Helper()
	r, err := registry.MockScope(scope(t)).ByVersion(t.Context(), "t-value", registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	return r.Text
}

func write(t testing.TB, c *jsonschema.Converter, s *data.Schema, v any) []byte {
	t.Helper()
	b, err := c.FromConnect("t", nil, s, v)
	if err != nil {
		t.Fatalf("%s: %s", s, data.StackTrace(err))
	}
	return b
}

const head = "\x00\x00\x00\x00\x01"

func optional(s *data.Schema) *data.Schema {
	b := s.Copy().Optional()
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	return b.MustBuild()
}

func TestSchemas(t *testing.T) {
	inner := data.NewStructBuilder().Name("In").Field("n", data.Int32Schema).MustBuild()
	row := data.NewStructBuilder().Name("Row").Version(2).Doc("d").Parameter("p", "1").
		Field("z", data.Int8Schema).Field("a", data.OptionalStringSchema).Field("in", inner).Field("maybe", optional(inner)).
		Field("m", data.MapOf(data.Int32Schema, data.BooleanSchema).MustBuild()).Field("def", data.NewBuilder(data.Float32).Default(float32(1)).MustBuild()).MustBuild()
	value := data.NewStruct(row).MustPut("z", int8(1)).MustPut("in", data.NewStruct(inner).MustPut("n", int32(2))).MustPut("m", data.NewMap(data.Entry{Key: int32(7), Value: true}))
	number, err := data.ParseDecimal("-1.28")
	if err != nil {
		t.Fatal(err)
	}
	decimal := data.DecimalBuilder(2).MustBuild()
	for _, c := range []struct {
		name       string
		schema     *data.Schema
		value      any
		text, json string
		properties []any
	}{
		{"int8", data.Int8Schema, int8(1), `{"type":"integer","connect.type":"int8"}`, "1", nil},
		{"int64", data.Int64Schema, int64(1) << 60, `{"type":"integer","connect.type":"int64"}`, "1152921504606846976", nil},
		{"float32", data.Float32Schema, float32(1e10), `{"type":"number","connect.type":"float32"}`, "1.0E10", nil},
		{"float64", data.OptionalFloat64Schema, 0.5, `{"oneOf":[{"type":"null"},{"type":"number","connect.type":"float64"}]}`, "0.5", nil},
		{"boolean", data.BooleanSchema, true, `{"type":"boolean"}`, "true", nil},
		{"string", data.StringSchema, "é\"", `{"type":"string"}`, `"é\""`, nil},
		{"bytes", data.BytesSchema, []byte{1, 2}, `{"type":"string","connect.type":"bytes"}`, `"AQI="`, nil},
		{"decimal", decimal, number, `{"type":"string","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}`, `"gA=="`, nil},
		{"decimal as number", decimal, number, `{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.type":"bytes","connect.parameters":{"scale":"2"}}`, `-1.28`, []any{"decimal.format", "numeric"}},
		{"timestamp", data.TimestampSchema, data.Millis(5), `{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.version":1,"connect.type":"int64"}`, "5", nil},
		{"date", data.DateSchema, data.Millis(86400000), `{"type":"integer","title":"org.apache.kafka.connect.data.Date","connect.version":1,"connect.type":"int32"}`, "1", nil},
		{"array", data.ArrayOf(data.OptionalInt16Schema).MustBuild(), []any{int16(1), nil}, `{"type":"array","items":{"oneOf":[{"type":"null"},{"type":"integer","connect.type":"int16"}]}}`, "[1,null]", nil},
		{"map", data.MapOf(data.StringSchema, data.StringSchema).MustBuild(), data.MapOfStrings("k", "v"), `{"type":"object","connect.type":"map","additionalProperties":{"type":"string"}}`, `{"k":"v"}`, nil},
		{"struct", row, value, `{"type":"object","additionalProperties":false,"title":"Row","description":"d","connect.version":2,"connect.parameters":{"p":"1"},` +
			`"properties":{"a":{"connect.index":1,"oneOf":[{"type":"null"},{"type":"string"}]},"def":{"type":"number","default":1,` +
			`"connect.index":5,"connect.type":"float32"},"in":{"type":"object","additionalProperties":false,"title":"In","connect.index":2,` +
			`"properties":{"n":{"type":"integer","connect.index":0,"connect.type":"int32"}}},"maybe":{"connect.index":3,` +
			`"oneOf":[{"type":"null"},{"type":"object","additionalProperties":false,"title":"In","properties":{"n":{"type":"integer",` +
			`"connect.index":0,"connect.type":"int32"}}}]},"z":{"type":"integer","connect.index":0,"connect.type":"int8"},"m":{"type":"array",` +
			`"connect.index":4,"connect.type":"map","items":{"type":"object","properties":{"value":{"connect.index":1,"type":"boolean"},` +
			`"key":{"type":"integer","connect.index":0,"connect.type":"int32"}}}}}}`,
			`{"z":1,"a":null,"in":{"n":2},"maybe":null,"m":[{"key":7,"value":true}],"def":1.0}`, []any{"object.additional.properties", "false"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			conv := converter(t, append(c.properties, "json.fail.invalid.schema", "true")...)
			b := write(t, conv, c.schema, c.value)
			if d := cmp.Diff(c.text, registered(t)); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff(head+c.json, string(b)); d != "" {
				t.Error(d)
			}
			back, err := conv.ToConnect("t", nil, b)
			if err != nil {
				t.Fatal(data.StackTrace(err))
			}
			want := versioned(c.schema)
			if !back.Schema.Equal(want) {
				t.Errorf("schema %s %v %v, want %s %v %v", back.Schema, back.Schema.Optional(), back.Schema.Parameters(), want, want.Optional(), want.Parameters())
			}
			if got := data.Text(back.Value); got != strings.ReplaceAll(data.Text(c.value), "m={7=true}}", "m={7=true},def=1.0}") {
				t.Errorf("%s, want %s", got, data.Text(c.value))
			}
		})
	}
}

// versioned is a schema with version 1 where it has none: the registry's number.
func versioned(s *data.Schema) *data.Schema {
	if _, ok := s.Version(); ok {
		return s
	}
	b := s.Copy().Version(1)
	for _, f := range s.Fields() {
		b.Field(f.Name, f.Schema)
	}
	return b.MustBuild()
}

func TestNulls(t *testing.T) {
	c := converter(t)
	for _, test := range []struct {
		schema *data.Schema
		want   string
	}{
		{nil, ""},
		{data.StringSchema, ""},
		{data.OptionalStringSchema, head + "null"},
		{data.NewBuilder(data.Int32).Default(int32(1)).MustBuild(), "\x00\x00\x00\x00\x021"},
	} {
		b, err := c.FromConnect(test.schema.String(), nil, test.schema, nil)
		if err != nil || string(b) != test.want {
			t.Errorf("%s: %q %v, want %q", test.schema, b, err, test.want)
		}
	}
	if _, err := c.FromConnect("t", nil, nil, "x"); !errors.Is(err, data.NullPointerException) {
		t.Error(err)
	}
	if v, err := c.ToConnect("t", nil, nil); err != nil || v.Schema != nil {
		t.Error(v, err)
	}
}

// TestForeignSchemas reads what others have registered.
func TestForeignSchemas(t *testing.T) {
	for _, c := range []struct {
		schema, json, want string // want is the value; or with ! before it an error
		properties         []any
	}{
		{`{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"number"},"c":{"type":["string","null"]}},"required":["a"]}`, `{"a":1.5,"b":2,"x":0}`, "Struct{a=1.5,b=2}", nil},
		{`{"type":"object","properties":{"u":{"oneOf":[{"type":"integer"},{"type":"object","properties":{"x":{"type":"string"}}},{"type":"object","properties":{"x":{"type":"string"},"y":{"type":"string"}}}]}}}`, `{"u":{"x":"1","y":"2"}}`, "Struct{u=Struct{io.confluent.connect.json.OneOf.field.2=Struct{x=1,y=2}}}", nil},
		{`{"type":"object","properties":{"u":{"anyOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}}}`, `{"u":"x"}`, "Struct{u=Struct{io.confluent.connect.json.OneOf.field.1=x}}", nil},
		{`{"type":"object","properties":{"u":{"anyOf":[{"type":"integer"},{"type":"string"}]}}}`, `{"u":5}`, "Struct{u=Struct{connect_union_field_0=5}}", []any{"generalized.sum.type.support", "true"}},
		{`{"allOf":[{"$ref":"#/definitions/a"},{"type":"object","properties":{"y":{"type":"integer"}}}],"definitions":{"a":{"type":"object","properties":{"x":{"type":"integer"}}}}}`, `{"x":1,"y":2}`, "Struct{x=1,y=2}", nil},
		{`{"type":"object","properties":{"e":{"type":"string","enum":["A","B"]},"f":{"enum":["C",null]},"g":{"const":"D"},"h":{"type":"string","format":"date-time"}}}`, `{"e":"A","f":null,"g":"D","h":"x"}`, "!Invalid null value for required STRING field", nil},
		{`{"type":"object","properties":{"e":{"type":"string","enum":["A","B"]},"g":{"const":"D"},"h":{"type":"string","format":"date-time"},"i":{"properties":{"n":{"minimum":0}}}}}`, `{"e":"A","g":"D","h":"x","i":{"n":1.5}}`, "Struct{e=A,g=D,h=x,i=Struct{n=1.5}}", nil},
		{`{"type":"object","properties":{"r":{"$ref":"#/definitions/r"},"s":{"$ref":"#/definitions/r"}},"definitions":{"r":{"type":"object","properties":{"x":{"type":"boolean"}}}}}`, `{"r":{"x":true},"s":{"x":false}}`, "Struct{r=Struct{x=true},s=Struct{x=false}}", nil},
		{`{"type":"object","properties":{"n":{"$ref":"#"}}}`, `{}`, "!contains itself", nil},
		{`{"type":"object","properties":{"n":{}}}`, `{}`, "!Unsupported schema type Variant", nil},
		{`{"type":"array","items":[{"type":"string"}]}`, `[]`, "!Array schema did not specify the items type", nil},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `[]`, "!Structs should be encoded as JSON objects, but found ARRAY", nil},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":null}`, "!Invalid null value for required INT64 field", nil},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":null}`, "Struct{}", []any{"use.optional.for.nonrequired", "true"}},
		{`{"type":"object","properties":{"a":{"type":"integer","default":5}}}`, `{}`, "Struct{a=5}", nil},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{`, "!Error deserializing JSON message for id 1", nil},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":"x"}`, "!JSON does not match schema of type JSON", []any{"json.fail.invalid.schema", "true"}},
		{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":"x"}`, "Struct{a=0}", nil},
		{`{"oneOf":[{"type":"string"}]}`, `"x"`, "x", nil},
	} {
		conv := converter(t, c.properties...)
		if _, err := registry.MockScope(scope(t)).Register(t.Context(), "t-value", registry.Schema{Type: registry.JSON, Text: c.schema}, false); err != nil {
			t.Fatal(err)
		}
		v, err := conv.ToConnect("t", nil, []byte(head+c.json))
		if want, isError := strings.CutPrefix(c.want, "!"); isError {
			if err == nil || !strings.Contains(data.StackTrace(err), want) {
				t.Errorf("%s of %s: %v %v, want %q", c.json, c.schema, v, err, want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s of %s: %s", c.json, c.schema, data.StackTrace(err))
		} else if got := data.Text(v.Value); got != c.want {
			t.Errorf("%s of %s: %s, want %s", c.json, c.schema, got, c.want)
		}
	}
}

// TestBack writes what it has read, by the schema that it has made of another's.
func TestBack(t *testing.T) {
	c := converter(t, "json.fail.invalid.schema", "true")
	text := `{"type":"object","title":"T","properties":{"e":{"enum":["A","B"]},"u":{"oneOf":[{"type":"integer"},{"type":"object","properties":{"x":{"type":"string"}}}]},"l":{"type":"array","items":{"type":["null","boolean"]}}}}`
	if _, err := registry.MockScope(scope(t)).Register(t.Context(), "t-value", registry.Schema{Type: registry.JSON, Text: text}, false); err != nil {
		t.Fatal(err)
	}
	json := `{"e":"B","u":{"x":"1"},"l":[true,null]}`
	v, err := c.ToConnect("t", nil, []byte(head+json))
	if err != nil {
		t.Fatal(data.StackTrace(err))
	}
	b, err := c.FromConnect("u", nil, v.Schema, v.Value)
	if err != nil || string(b[5:]) != json {
		t.Errorf("%s %v", b, err)
	}
	r, err := registry.MockScope(scope(t)).ByVersion(t.Context(), "u-value", registry.Latest)
	want := `{"type":"object","title":"T","connect.version":1,"properties":{"e":{"enum":["A","B"],"connect.index":0},"u":{"connect.index":1,` +
		`"oneOf":[{"type":"integer","connect.index":0,"connect.type":"int64"},{"type":"object","connect.index":1,` +
		`"properties":{"x":{"type":"string","connect.index":0}}}]},"l":{"type":"array","connect.index":2,` +
		`"items":{"oneOf":[{"type":"null"},{"type":"boolean"}]}}}}`
	if d := cmp.Diff(want, r.Text); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestErrors(t *testing.T) {
	c := converter(t)
	class := func(err error) string { return string(data.ClassOfError(err)) }
	for text, want := range map[string]string{"": "within the schema's id", "\x07": "Unknown magic byte!", "\x00\x00\x00\x00\x09{}": "Error retrieving JSON schema for id 9"} {
		if v, err := c.ToConnect("t", nil, []byte(text)); class(err) != string(data.DataException) || !strings.Contains(data.StackTrace(err), want) ||
			!strings.HasPrefix(err.Error(), "Converting byte[] to Kafka Connect data failed due to serialization error of topic t: ") {
			t.Errorf("%q: %v %v", text, v, data.StackTrace(err))
		}
	}
	if _, err := c.FromConnect("t", nil, data.Int32Schema, "x"); err == nil || err.Error() != "Invalid type for INT32: class java.lang.String" {
		t.Error(err)
	}
	for _, bad := range []config.Props{{}, {"schema.registry.url": "mock://x", "decimal.format": "HEX"}, {"schema.registry.url": "mock://x", "preserve.additional.properties": true}} {
		if err := jsonschema.New(nil).Configure(bad, true); !errors.Is(err, data.ConfigException) {
			t.Error(bad, err)
		}
	}
}

func FuzzToConnect(f *testing.F) {
	c := converter(f)
	text := `{"type":"object","properties":{"u":{"oneOf":[{"type":"integer"},{"type":"array","items":{"type":"string"}},{"type":"object","properties":{"x":{"type":"number"}}}]},
		"m":{"type":"object","connect.type":"map","additionalProperties":{"type":"boolean"}},"d":{"title":"org.apache.kafka.connect.data.Decimal","type":"string","connect.type":"bytes","connect.parameters":{"scale":"2"},"connect.version":1},
		"k":{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":["null","string"]}}}}}}`
	if _, err := registry.MockScope(scope(f)).Register(f.Context(), "t-value", registry.Schema{Type: registry.JSON, Text: text}, false); err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(head + `{"u":{"x":1},"m":{"a":true},"d":"gA==","k":[{"key":1,"value":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := c.ToConnect("t", nil, b)
		if err != nil || v.Value == nil {
			return
		}
		if _, err := c.FromConnect("u", nil, v.Schema, v.Value); err != nil && !strings.Contains(err.Error(), "mismatching scale") {
			t.Fatalf("%s: %s", v, data.StackTrace(err))
		}
	})
}

func BenchmarkConverter(b *testing.B) {
	c := converter(b)
	s := data.NewStructBuilder().Name("shop.Row").Field("id", data.Int64Schema).Field("note", data.OptionalStringSchema).Field("price", data.Float64Schema).Field("at", data.TimestampSchema).Field("ok", data.BooleanSchema).MustBuild()
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
