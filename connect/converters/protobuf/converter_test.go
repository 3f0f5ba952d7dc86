package protobuf_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/protobuf"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

func scope(t testing.TB) string {
	return strings.NewReplacer("/", "-", " ", "-", "#", "-").Replace("connect-protobuf-" + t.Name())
}

// converter makes one of a registry in memory, a new one unless keep.
func converter(t testing.TB, keep bool, properties ...any) *protobuf.Converter {
	t.Helper()
	if !keep {
		registry.DropScope(scope(t))
	}
	p := config.Props{"schema.registry.url": "mock://" + scope(t)}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i].(string)] = properties[i+1]
	}
	c := protobuf.New(nil)
	if err := c.Configure(p, false); err != nil {
		t.Fatal(err)
	}
	return c
}

// registered is the text of the last schema of the topic t.
func registered(t testing.TB) string {
	t.Helper()
	r, err := registry.MockScope(scope(t)).ByVersion(t.Context(), "t-value", registry.Latest)
	if err != nil {
		t.Fatal(err)
	}
	return r.Text
}

func register(t testing.TB, text string) {
	t.Helper()
	if _, err := registry.MockScope(scope(t)).Register(t.Context(), "t-value", registry.Schema{Type: registry.Protobuf, Text: text}, false); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, c *protobuf.Converter, s *data.Schema, v any) []byte {
	t.Helper()
	b, err := c.FromConnect("t", nil, s, v)
	if err != nil {
		t.Fatalf("%s: %s", s, data.StackTrace(err))
	}
	return b
}

func read(t testing.TB, c *protobuf.Converter, hexed string) data.SchemaAndValue {
	t.Helper()
	b, err := hex.DecodeString(hexed)
	if err != nil {
		t.Fatal(err)
	}
	v, err := c.ToConnect("t", nil, b)
	if err != nil {
		t.Fatal(data.StackTrace(err))
	}
	return v
}

func decimal(t testing.TB, text string) data.Decimal {
	t.Helper()
	d, err := data.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// row is a struct of every type.
func row() *data.Schema {
	inner := data.NewStructBuilder().Name("shop.Inner").Field("n", data.Int32Schema).MustBuild()
	return data.NewStructBuilder().Name("shop.Row").
		Field("i8", data.Int8Schema).Field("i16", data.OptionalInt16Schema).Field("i32", data.Int32Schema).Field("i64", data.Int64Schema).
		Field("f", data.Float32Schema).Field("d", data.Float64Schema).Field("b", data.BooleanSchema).Field("s", data.OptionalStringSchema).Field("raw", data.BytesSchema).
		Field("list", data.ArrayOf(data.Int32Schema).MustBuild()).Field("words", data.ArrayOf(data.StringSchema).MustBuild()).
		Field("tags", data.MapOf(data.StringSchema, data.Int32Schema).Name("tags").MustBuild()).
		Field("in", inner).Field("ins", data.ArrayOf(inner).MustBuild()).
		Field("price", data.DecimalBuilder(2).Parameter("connect.decimal.precision", "9").MustBuild()).
		Field("day", data.DateSchema).Field("time", data.TimeSchema).Field("at", data.TimestampSchema).MustBuild()
}

const rowText = `syntax = "proto3";
package shop;

import "confluent/type/decimal.proto";
import "google/type/date.proto";
import "google/type/timeofday.proto";
import "google/protobuf/timestamp.proto";

message Row {
  int32 i8 = 1 [(confluent.field_meta) = {
    params: [
      {
        key: "connect.type",
        value: "int8"
      }
    ]
  }];
  int32 i16 = 2 [(confluent.field_meta) = {
    params: [
      {
        key: "connect.type",
        value: "int16"
      }
    ]
  }];
  int32 i32 = 3;
  int64 i64 = 4;
  float f = 5;
  double d = 6;
  bool b = 7;
  string s = 8;
  bytes raw = 9;
  repeated int32 list = 10;
  repeated string words = 11;
  repeated tagsEntry tags = 12;
  Inner in = 13;
  repeated Inner ins = 14;
  confluent.type.Decimal price = 15 [(confluent.field_meta) = {
    params: [
      {
        value: "9",
        key: "precision"
      },
      {
        value: "2",
        key: "scale"
      }
    ]
  }];
  google.type.Date day = 16;
  google.type.TimeOfDay time = 17;
  google.protobuf.Timestamp at = 18;

  message tagsEntry {
    string key = 1;
    int32 value = 2;
  }
  message Inner {
    int32 n = 1;
  }
}
`

func values(t testing.TB, s *data.Schema) *data.Struct {
	inner := s.Field("in").Schema
	return data.NewStruct(s).MustPut("i8", int8(-1)).MustPut("i16", int16(2)).MustPut("i32", int32(3)).MustPut("i64", int64(-4)).MustPut("f", float32(1)).MustPut("d", 2.0).
		MustPut("b", true).MustPut("s", "x").MustPut("raw", []byte{1}).MustPut("list", []any{int32(1), int32(300)}).MustPut("words", []any{"a", ""}).
		MustPut("tags", data.MapOfStrings("k", int32(7))).MustPut("in", data.NewStruct(inner).MustPut("n", int32(5))).
		MustPut("ins", []any{data.NewStruct(inner).MustPut("n", int32(0)), data.NewStruct(inner).MustPut("n", int32(6))}).MustPut("price", decimal(t, "-1.28")).
		MustPut("day", data.Millis(86400000)).MustPut("time", data.Millis(3723004)).MustPut("at", data.Millis(-1))
}

// TestStruct has text and bytes worked out by hand.
func TestStruct(t *testing.T) {
	c := converter(t, false)
	s := row()
	b := write(t, c, s, values(t, s))
	if d := cmp.Diff(rowText, registered(t)); d != "" {
		t.Error(d)
	}
	want := "0000000001" + "00" + "08ffffffffffffffffff01" + "1002" + "1803" + "20fcffffffffffffffff01" + "2d0000803f" + "310000000000000040" + "3801" + "420178" + "4a0101" +
		"520301ac02" + "5a0161" + "5a00" + "62050a016b1007" + "6a020805" + "7200" + "72020806" + "7a07" + "0a0180" + "1003" + "1802" +
		"820107" + "08b20f" + "1001" + "1802" + "8a010b" + "0801" + "1002" + "1803" + "208092f401" + "920111" + "08ffffffffffffffffff01" + "10c08faedc03"
	if d := cmp.Diff(want, hex.EncodeToString(b)); d != "" {
		t.Error(d)
	}
	back := read(t, c, hex.EncodeToString(b))
	if got := data.Text(back.Value); got != strings.ReplaceAll(data.Text(values(t, s)), "[B@<id>", "java.nio.HeapByteBuffer[pos=0 lim=1 cap=1]") {
		t.Error(got, data.Text(values(t, s)))
	}
	if v, _ := back.Schema.Version(); v != 1 || back.Schema.Name() != "Row" {
		t.Error(back.Schema)
	}
	for name, want := range map[string]data.Type{"i8": data.Int8, "i16": data.Int16, "tags": data.MapType, "ins": data.Array} {
		if f := back.Schema.Field(name).Schema; f.Type() != want || !f.Optional() {
			t.Errorf("%s: %s", name, f)
		}
	}
	if tag, _ := back.Schema.Field("at").Schema.Parameter("io.confluent.connect.protobuf.Tag"); tag != "18" {
		t.Error(tag)
	}
	precision, _ := back.Schema.Field("price").Schema.Parameter("connect.decimal.precision")
	if scale, _ := back.Schema.Field("price").Schema.Parameter("scale"); scale != "2" || precision != "9" {
		t.Error(scale, precision)
	}
	again, err := c.FromConnect("u", nil, back.Schema, back.Value) // to another topic: its name has lost the package
	if err != nil || hex.EncodeToString(again[6:]) != hex.EncodeToString(b[6:]) {
		t.Errorf("%x %v", again, err)
	}
}

func TestDefaultsAreNotWritten(t *testing.T) {
	c := converter(t, false)
	s := data.NewStructBuilder().Field("a", data.OptionalInt32Schema).Field("b", data.OptionalStringSchema).
		Field("c", data.NewBuilder(data.Int32).Default(int32(7)).MustBuild()).Field("d", data.ArrayOf(data.StringSchema).Optional().MustBuild()).MustBuild()
	if got := hex.EncodeToString(write(t, c, s, data.NewStruct(s).MustPut("a", int32(0)).MustPut("d", []any{}))); got != "0000000001001807" {
		t.Error(got)
	}
	if got := registered(t); !strings.HasPrefix(got, "syntax = \"proto3\";\n\nmessage ConnectDefault1 {\n  int32 a = 1;\n") {
		t.Error(got)
	}
	back := read(t, c, "000000000100")
	if got := data.Text(back.Value); got != "Struct{a=0,b=,c=0,d=[]}" {
		t.Error(got)
	}
	// optional.for.nullables tells null from zero.
	c = converter(t, false, "optional.for.nullables", "true")
	b := write(t, c, s, data.NewStruct(s).MustPut("a", int32(0)))
	if got := hex.EncodeToString(b); got != "00000000010008001807" {
		t.Error(got)
	}
	if got := registered(t); !strings.Contains(got, "  optional int32 a = 1;\n  optional string b = 2;\n  int32 c = 3;\n  repeated string d = 4;\n") {
		t.Error(got)
	}
	back = read(t, c, hex.EncodeToString(b))
	if got := data.Text(back.Value); got != "Struct{a=0,c=7,d=[]}" {
		t.Error(got)
	}
	if !back.Schema.Field("a").Schema.Optional() || back.Schema.Field("c").Schema.Optional() {
		t.Error("optional is what has the label")
	}
	// wrapper.for.nullables too.
	c = converter(t, false, "wrapper.for.nullables", "true")
	b = write(t, c, s, data.NewStruct(s).MustPut("a", int32(0)).MustPut("b", "x"))
	if got := hex.EncodeToString(b); got != "000000000100"+"0a00"+"12030a0178"+"1807" {
		t.Error(got)
	}
	if got := registered(t); !strings.Contains(got, "import \"google/protobuf/wrappers.proto\";\n") || !strings.Contains(got, "  google.protobuf.Int32Value a = 1;\n  google.protobuf.StringValue b = 2;\n") {
		t.Error(got)
	}
	if got := data.Text(read(t, c, hex.EncodeToString(b)).Value); got != "Struct{a=0,b=x,c=7,d=[]}" {
		t.Error(got)
	}
}

func TestPrimitives(t *testing.T) {
	for _, c := range []struct {
		schema  *data.Schema
		value   any
		payload string
		back    any
	}{
		{data.Int8Schema, int8(1), "08" + "0801", int32(1)}, {data.OptionalInt64Schema, int64(-1), "04" + "08ffffffffffffffffff01", int64(-1)},
		{data.Float32Schema, float32(1), "02" + "0d0000803f", float32(1)}, {data.Float64Schema, 0.0, "00", 0.0}, {data.BooleanSchema, true, "0c" + "0801", true},
		{data.StringSchema, "x", "0e" + "0a0178", "x"}, {data.BytesSchema, []byte{9}, "10" + "0a0109", data.Buffer{9}}, {data.Int32Schema, int32(0), "08", int32(0)},
	} {
		conv := converter(t, false)
		head := "0000000001" + "02"
		if c.payload == "00" {
			head = "0000000001"
		}
		b := write(t, conv, c.schema, c.value)
		if got := hex.EncodeToString(b); got != head+c.payload {
			t.Errorf("%s: %s, want %s", c.schema, got, head+c.payload)
		}
		back := read(t, conv, hex.EncodeToString(b))
		if d := cmp.Diff(c.back, back.Value); d != "" || back.Schema.Optional() {
			t.Errorf("%s: %s", c.schema, d)
		}
	}
	c := converter(t, false)
	if b, err := c.FromConnect("t", nil, data.StringSchema, nil); b != nil || err != nil {
		t.Error(b, err)
	}
	if v, err := c.ToConnect("t", nil, nil); v.Schema != nil || err != nil {
		t.Error(v, err)
	}
	for s, class := range map[*data.Schema]data.Class{nil: data.NullPointerException, data.ArrayOf(data.Int32Schema).MustBuild(): data.IllegalArgumentException, data.TimestampSchema: data.DataException} {
		if b, err := c.FromConnect("t", nil, s, []any{}); !errors.Is(err, class) {
			t.Errorf("%s: %x %v", s, b, err)
		}
	}
}

const everything = `syntax = "proto3";
package p;
import "google/protobuf/wrappers.proto";
message Unused {}
message M {
  State state = 1;
  oneof pay { string card = 2; int32 cash = 9; google.protobuf.StringValue w = 10; }
  map<string, In> m = 3;
  map<int64, bool> n = 4;
  optional string maybe = 5;
  uint32 u32 = 6;
  sfixed64 s64 = 7;
  google.protobuf.Int32Value box = 8;
  repeated State states = 11;
  In in = 12;
  fixed32 f32 = 13;
  sint32 s32 = 14;
  message In { string s = 1; }
}
enum State { NEW = 0; DONE = 5; }
`

// message is one of everything, by hand.
const message = "0000000001" + "0202" + "0805" + "1a090a017a12040a0271711a070a01611202" + "0a00" + "2204" + "0807" + "1001" + "2a00" + "30ffffffff0f" + "39feffffffffffffff" + "4200" + "4801" + "5a03" + "000509" + "6d02000000" + "7003"

func TestReading(t *testing.T) {
	for _, c := range []struct {
		properties []any
		want       string
	}{
		{nil, "Struct{pay_0=Struct{cash=1},state=DONE,m={z=Struct{s=qq}, a=Struct{s=}},n={7=true},maybe=,u32=4294967295,s64=-2,box=0,states=[NEW, DONE, UNKNOWN_ENUM_VALUE_State_9],f32=2,s32=-2}"},
		{[]any{"generate.index.for.unions", "false", "int.for.enums", "true", "generate.struct.for.nulls", "true"},
			"Struct{pay=Struct{cash=1},state=5,m={z=Struct{s=qq}, a=Struct{s=}},n={7=true},maybe=,u32=4294967295,s64=-2,box=0,states=[0, 5, 9],in=Struct{s=},f32=2,s32=-2}"},
		{[]any{"flatten.unions", "true", "enhanced.protobuf.schema.support", "true"},
			"Struct{cash=1,state=DONE,m={z=Struct{s=qq}, a=Struct{s=}},n={7=true},maybe=,u32=4294967295,s64=-2,box=0,states=[NEW, DONE, UNKNOWN_ENUM_VALUE_State_9],f32=2,s32=-2}"},
		{[]any{"wrapper.for.nullables", "true"},
			"Struct{pay_0=Struct{cash=1},state=DONE,m={z=Struct{s=qq}, a=Struct{s=}},n={7=true},maybe=,u32=4294967295,s64=-2,box=0,states=[NEW, DONE, UNKNOWN_ENUM_VALUE_State_9],f32=2,s32=-2}"},
	} {
		conv := converter(t, false, c.properties...)
		register(t, everything)
		v := read(t, conv, strings.Replace(message, "1a090a017a12040a0271711a070a016112020a00", "1a090a017a12040a027171"+"1a070a016112020a00", 1))
		want := strings.ReplaceAll(c.want, "m={z=Struct{s=qq}, a=Struct{s=}}", "m={a=Struct{s=}, z=Struct{s=qq}}") // Java's HashMap has a before z
		if d := cmp.Diff(want, data.Text(v.Value)); d != "" {
			t.Error(d)
		}
		if err := v.Value.(*data.Struct).Validate(); err != nil {
			t.Error(err)
		}
	}
	c := converter(t, false)
	register(t, everything)
	s := read(t, c, message).Schema
	for field, want := range map[string]string{"u32": "uint32", "s64": "sfixed64", "f32": "fixed32", "s32": "sint32"} {
		if kind, _ := s.Field(field).Schema.Parameter("io.confluent.connect.protobuf.Type"); kind != want {
			t.Errorf("%s: %q", field, kind)
		}
	}
	if n, _ := s.Field("state").Schema.Parameter("io.confluent.connect.protobuf.Enum.DONE"); n != "5" || s.Field("state").Schema.Name() != "State" {
		t.Error(n, s.Field("state").Schema)
	}
	if u := s.Field("pay_0").Schema; u.Name() != "io.confluent.connect.protobuf.Union.pay" || !u.Optional() || u.Field("cash") == nil || s.Fields()[0].Name != "pay_0" {
		t.Error(u)
	}
	if m := s.Field("m").Schema; m.Name() != "m" || m.KeySchema().Type() != data.String || s.Field("box").Schema.Type() != data.Int32 {
		t.Error(m)
	}
}

// TestBack writes what it has read: the same fields under the same numbers.
func TestBack(t *testing.T) {
	for _, wrappers := range []string{"false", "true"} {
		c := converter(t, false, "wrapper.for.nullables", wrappers, "flatten.unions", "false")
		register(t, everything)
		v := read(t, c, strings.Replace(message, "5a03000509", "5a020005", 1)) // the symbol that is not known cannot be written
		b, err := c.FromConnect("u", nil, v.Schema, v.Value)
		if err != nil {
			t.Fatal(data.StackTrace(err))
		}
		got, err := c.ToConnect("u", nil, b)
		if err != nil {
			t.Fatal(data.StackTrace(err))
		}
		if d := cmp.Diff(data.Text(v.Value), data.Text(got.Value)); d != "" {
			t.Error(d)
		}
		if string(b[:7]) == "" {
			t.Error("nothing is written")
		}
	}
}

func TestNames(t *testing.T) {
	s := data.NewStructBuilder().Name("a-b.R-1").Field("_x", data.Int32Schema).Field("in", data.NewStructBuilder().Name("in").Field("n", data.Int32Schema).MustBuild()).
		Field("none", data.NewStructBuilder().Field("n", data.Int32Schema).MustBuild()).Field("m", data.MapOf(data.Int32Schema, data.StringSchema).Name("x.some_tags").MustBuild()).MustBuild()
	v := data.NewStruct(s).MustPut("_x", int32(1))
	if _, err := converter(t, false).FromConnect("t", nil, s, v); err == nil {
		t.Error("an illegal name is taken")
	}
	c := converter(t, false, "scrub.invalid.names", "true")
	write(t, c, s, v)
	got := registered(t)
	for _, want := range []string{"package a_b;\n", "message R_1 {\n", "  int32 x_x = 1;\n", "  inMessage in = 2;\n", "  ConnectDefault1 none = 3;\n", "  repeated SomeTagsEntry m = 4;\n", "  message inMessage {\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestErrors(t *testing.T) {
	c := converter(t, false)
	register(t, `syntax = "proto3"; message Node { Node next = 1; int32 a = 2; } message D { string value = 1; }`)
	class := func(err error) string { return string(data.ClassOfError(err)) }
	for hexed, want := range map[string]string{
		"": "within the schema's id", "07": "Unknown magic byte!", "000000000900": "Error retrieving Protobuf schema for id 9", "0000000001": "message indexes",
		"00000000010206": "Invalid message indexes: [3]", "000000000100": "contains itself",
	} {
		b, _ := hex.DecodeString(hexed)
		if v, err := c.ToConnect("t", nil, b); class(err) != string(data.DataException) || !strings.Contains(data.StackTrace(err), want) {
			t.Errorf("%s: %v %v, want %q", hexed, v, data.StackTrace(err), want)
		}
	}
	s := data.NewStructBuilder().Field("a", data.Int32Schema).MustBuild()
	other := data.NewStructBuilder().Field("a", data.StringSchema).MustBuild()
	if _, err := c.FromConnect("x", nil, s, data.NewStruct(other)); err == nil || err.Error() != "Mismatching struct schema" {
		t.Error(err)
	}
	bad := data.NewStruct(s)
	bad.Set(0, "text")
	if _, err := c.FromConnect("x", nil, s, bad); err == nil || err.Error() != "Invalid type for INT32: class java.lang.String" {
		t.Error(err)
	}
	if err := protobuf.New(nil).Configure(config.Props{"schema.registry.url": "mock://x", "flatten.unions": "x"}, true); !errors.Is(err, data.ConfigException) {
		t.Error(err)
	}
}

func FuzzToConnect(f *testing.F) {
	c := converter(f, false)
	register(f, strings.Replace(everything, "message In {", "import_ fixes = 20; message import_ {} message In {", 1))
	if err := registry.MockScope(scope(f)).SetCompatibility("u-value", "NONE"); err != nil { // each message is a schema of its own there
		f.Fatal(err)
	}
	b, err := hex.DecodeString(message)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := c.ToConnect("t", nil, b)
		if err != nil || v.Value == nil {
			return
		}
		if err := data.Validate(v.Schema, v.Value); err != nil {
			t.Fatalf("%s: %v", v, err)
		}
		if _, err := c.FromConnect("u", nil, v.Schema, v.Value); err != nil && !strings.Contains(data.StackTrace(err), "UNKNOWN_ENUM_VALUE") {
			t.Fatalf("%s: %s", v, data.StackTrace(err))
		}
	})
}

func BenchmarkConverter(b *testing.B) {
	c := converter(b, false)
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
