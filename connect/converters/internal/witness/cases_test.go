package witness_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	serdeavro "github.com/kstreamlab/kstreamlab/streams/serde/avro"
	serdeprotobuf "github.com/kstreamlab/kstreamlab/streams/serde/protobuf"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// envelopesOf are values that no random ones are like.
var envelopesOf = map[string][]string{
	"avro": {
		`{"schema":{"type":"string","optional":false,"name":"E","parameters":{"io.confluent.connect.avro.Enum":"shop.E","io.confluent.connect.avro.Enum.A":"A","io.confluent.connect.avro.Enum.B":"B"}},"payload":"B"}`,
		`{"schema":{"type":"string","optional":true,"default":"A","parameters":{"org.apache.kafka.connect.data.Enum":"shop.E","org.apache.kafka.connect.data.Enum.A":"0","org.apache.kafka.connect.data.Enum.B":"1"}},"payload":"B"}`,
		`{"schema":{"type":"struct","optional":false,"name":"io.confluent.connect.avro.Union","fields":[{"field":"int","type":"int32","optional":true},{"field":"string","type":"string","optional":true}]},"payload":{"int":null,"string":"x"}}`,
		`{"schema":{"type":"struct","optional":false,"name":"my row","fields":[{"field":"a b","type":"int32","optional":false},{"field":"1","type":"string","optional":true}]},"payload":{"a b":1,"1":"x"}}`,
		`{"schema":{"type":"struct","optional":false,"fields":[{"field":"a","type":"struct","optional":false,"fields":[{"field":"x","type":"int32"}]}]},"payload":{"a":{"x":1}}}`,
		`{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"9"}},"payload":"AQI="}`,
		`{"schema":{"type":"struct","optional":false,"name":"a.R","doc":"d","version":3,"parameters":{"avro.x":"y"},"fields":[{"field":"f","type":"int32","optional":true,"default":5,"doc":"of f"},{"field":"s","type":"string","optional":false,"default":"é"},{"field":"b","type":"bytes","optional":false,"default":"AQL/"},{"field":"d","type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"default":3},{"field":"l","type":"array","items":{"type":"int32"},"optional":false},{"field":"x","type":"double","optional":false,"default":1.0},{"field":"y","type":"float","optional":false,"default":1.0E10}]},"payload":{"f":null,"s":"x","b":"AQ==","d":1,"l":[1],"x":1,"y":2}}`,
		`{"schema":null,"payload":{"a":[1,"x",null,true,1.5],"b":{"c":2}}}`,
		`{"schema":null,"payload":null}`,
		`{"schema":{"type":"string","optional":true},"payload":null}`,
	},
	"json": {
		`{"schema":{"type":"string","optional":false,"parameters":{"io.confluent.connect.json.Enum":"","io.confluent.connect.json.Enum.Z9":"Z9","io.confluent.connect.json.Enum.hello":"hello","io.confluent.connect.json.Enum.A":"A","io.confluent.connect.json.Enum.b":"b","org.apache.kafka.connect.data.Enum":"","org.apache.kafka.connect.data.Enum.hello":"0","org.apache.kafka.connect.data.Enum.B":"1"}},"payload":"hello"}`,
		`{"schema":{"type":"struct","optional":false,"name":"io.confluent.connect.json.OneOf","fields":[{"field":"io.confluent.connect.json.OneOf.field.0","type":"int32","optional":true},{"field":"io.confluent.connect.json.OneOf.field.1","type":"string","optional":true}]},"payload":{"io.confluent.connect.json.OneOf.field.0":null,"io.confluent.connect.json.OneOf.field.1":"x"}}`,
		`{"schema":{"type":"struct","optional":true,"name":"io.confluent.connect.json.OneOf","fields":[{"field":"io.confluent.connect.json.OneOf.field.0","type":"int32","optional":true},{"field":"io.confluent.connect.json.OneOf.field.1","type":"string","optional":true}]},"payload":{"io.confluent.connect.json.OneOf.field.0":7,"io.confluent.connect.json.OneOf.field.1":null}}`,
		`{"schema":{"type":"struct","optional":false,"name":"R","doc":"d","version":3,"parameters":{"a.x":"y"},"fields":[{"field":"f","type":"int32","optional":true,"default":5,"doc":"of f"},{"field":"s","type":"string","optional":false,"default":"é"},{"field":"b","type":"bytes","optional":false,"default":"AQL/"},{"field":"d","type":"int32","optional":false,"name":"org.apache.kafka.connect.data.Date","version":1,"default":3},{"field":"l","type":"array","items":{"type":"int32"},"optional":false},{"field":"x","type":"double","optional":false,"default":1.0},{"field":"y","type":"float","optional":false,"default":1.0E10},{"field":"z","type":"double","optional":false,"default":1.5E-12},{"field":"w","type":"double","optional":false,"default":100.0},{"field":"q","type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"default":"JxA="}]},"payload":{"f":null,"s":"x","b":"AQ==","d":1,"l":[1],"x":1,"y":2,"z":0,"w":3.5E20,"q":"JxA="}}`,
		`{"schema":null,"payload":{"a":[1,"x",null,true,1.5],"b":{"c":2}}}`,
		`{"schema":null,"payload":null}`,
		`{"schema":{"type":"string","optional":true},"payload":null}`,
		`{"schema":{"type":"struct","optional":true,"fields":[{"field":"a","type":"string","optional":true}]},"payload":null}`,
	},
	"protobuf": {
		`{"schema":{"type":"struct","optional":false,"name":"a.b.R","fields":[{"field":"e","type":"string","optional":false,"name":"E","parameters":{"io.confluent.connect.protobuf.Enum":"E","io.confluent.connect.protobuf.Enum.A":"0","io.confluent.connect.protobuf.Enum.B":"4"}}]},"payload":{"e":"B"}}`,
		`{"schema":{"type":"struct","optional":false,"name":"R","fields":[{"field":"e","type":"string","optional":false,"name":"E","parameters":{"org.apache.kafka.connect.data.Enum":"E","org.apache.kafka.connect.data.Enum.A":"0","org.apache.kafka.connect.data.Enum.B":"1"}}]},"payload":{"e":"B"}}`,
		`{"schema":{"type":"struct","optional":false,"name":"R","fields":[{"field":"u_0","type":"struct","optional":true,"name":"io.confluent.connect.protobuf.Union.u","fields":[{"field":"a","type":"int32","optional":true,"parameters":{"io.confluent.connect.protobuf.Tag":"3"}},{"field":"b","type":"string","optional":true,"parameters":{"io.confluent.connect.protobuf.Tag":"4"}}]},{"field":"n","type":"int32","parameters":{"io.confluent.connect.protobuf.Tag":"9"}}]},"payload":{"u_0":{"a":null,"b":"x"},"n":3}}`,
		`{"schema":{"type":"struct","optional":false,"fields":[{"field":"a","type":"struct","optional":false,"fields":[{"field":"x","type":"int32"}]},{"field":"b","type":"struct","optional":true,"fields":[{"field":"y","type":"int32"}]}]},"payload":{"a":{"x":1},"b":{"y":2}}}`,
		`{"schema":{"type":"int32","optional":false},"payload":5}`,
		`{"schema":{"type":"string","optional":false},"payload":"x"}`,
		`{"schema":{"type":"string","optional":true},"payload":null}`,
		`{"schema":{"type":"array","items":{"type":"int32"}},"payload":[1]}`,
		`{"schema":{"type":"struct","optional":false,"name":"R","fields":[{"field":"my_map","type":"map","keys":{"type":"string"},"values":{"type":"struct","name":"V","fields":[{"field":"x","type":"int32"}]}},{"field":"d","type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2","connect.decimal.precision":"9"}},{"field":"i8","type":"int8"},{"field":"i16","type":"int16"}]},"payload":{"my_map":{"k":{"x":1}},"d":"AQI=","i8":-1,"i16":-2}}`,
	},
}

// another's schema with bytes of it, without magic byte and id.
type another struct {
	schema string
	bytes  []byte
}

var jsonSchemas = []struct{ schema, value string }{
	{`{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"number"},"c":{"type":["string","null"]}},"required":["a"]}`, `{"a":1.5,"b":2,"c":null}`},
	{`{"type":"object","properties":{"b":{"type":"integer"},"a":{"type":"number"}},"required":["a"]}`, `{"a":1.5}`},
	{`{"type":"object","properties":{"u":{"oneOf":[{"type":"integer"},{"type":"object","properties":{"x":{"type":"string"}}},{"type":"object","properties":{"x":{"type":"string"},"y":{"type":"string"}}}]}}}`, `{"u":{"x":"1","y":"2"}}`},
	{`{"type":"object","properties":{"u":{"anyOf":[{"type":"integer"},{"type":"string"},{"type":"null"}]}}}`, `{"u":"x"}`},
	{`{"type":"object","properties":{"u":{"oneOf":[{"type":"boolean"},{"type":"array","items":{"type":"number"}}]}}}`, `{"u":[1,2.5]}`},
	{`{"allOf":[{"$ref":"#/definitions/a"},{"type":"object","properties":{"y":{"type":"integer"}}}],"definitions":{"a":{"type":"object","properties":{"x":{"type":"integer"}}}}}`, `{"x":1,"y":2}`},
	{`{"type":"object","title":"shop.T","description":"d","properties":{"e":{"type":"string","enum":["A","B"]},"g":{"const":"D"},"h":{"type":"string","format":"date-time"},"i":{"properties":{"n":{"minimum":0}}}}}`, `{"e":"A","g":"D","h":"x","i":{"n":1.5}}`},
	{`{"type":"object","properties":{"f":{"enum":["C",null]}}}`, `{"f":"C"}`},
	{`{"type":"object","properties":{"f":{"enum":["Z9","hello","A",5,true]},"zebra":{"type":"integer"},"apple":{"type":"integer"},"id":{"type":"integer"},"customer_name":{"type":"string"}}}`, `{"f":"hello","zebra":1,"apple":2,"id":3,"customer_name":"x"}`},
	{`{"type":"object","properties":{"a":{"$ref":"#/definitions/r"},"b":{"$ref":"#/definitions/r"},"d":{"$ref":"#/definitions/t"},"e":{"type":"array","items":{"$ref":"#/definitions/t"}}},"definitions":{"r":{"type":"object","title":"r","properties":{"x":{"type":"boolean"}}},"t":{"type":"object","properties":{"y":{"type":"boolean"}}}}}`, `{"a":{"x":true},"b":{"x":false},"d":{"y":true},"e":[{"y":false}]}`},
	{`{"type":"object","properties":{"r":{"$ref":"#/definitions/r"},"s":{"$ref":"#/definitions/r"}},"definitions":{"r":{"type":"object","title":"r","properties":{"x":{"type":"boolean"}}}}}`, `{"r":{"x":true},"s":{"x":false}}`},
	{`{"type":"array","items":[{"type":"string"}]}`, `[]`},
	{`{"type":"array","items":{"type":"string"}}`, `["x","y"]`},
	{`{"type":"object","additionalProperties":{"type":"integer"}}`, `{"a":1}`},
	{`{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}}`, `{"b":1,"a":2}`},
	{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `[]`},
	{`{"type":"object","properties":{"a":{"type":"integer"}}}`, `{"a":null}`},
	{`{"type":"object","properties":{"a":{"type":"integer","default":5},"b":{"type":"string","default":"x"},"c":{"type":"number","default":2.5}}}`, `{}`},
	{`{"type":"object","properties":{"a":{"type":"integer","connect.type":"int8"},"t":{"type":"integer","connect.type":"int64","title":"org.apache.kafka.connect.data.Timestamp","connect.version":1}}}`, `{"a":300,"t":5}`},
	{`{"oneOf":[{"type":"string"}]}`, `"x"`},
	{`{"oneOf":[{"type":"null"},{"type":"string"}]}`, `"x"`},
	{`{"type":["integer","string"]}`, `"x"`},
	{`{"type":"integer"}`, `"x"`},
	{`{"type":"boolean"}`, `5`},
	{`{"type":"number"}`, `12345678901234567890.5`},
	{`{"type":"integer"}`, `12345678901234567890`},
	{`{"type":"object","properties":{"a":{"type":"integer","connect.index":1},"b":{"type":"integer","connect.index":0}}}`, `{"a":1,"b":2}`},
	{`{"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://x/y","title":"T","type":"object","properties":{"n":{"anyOf":[{"type":"null"},{"$ref":"#/definitions/N"}]}},"definitions":{"N":{"type":"object","properties":{"k":{"type":"string"}}}}}`, `{"n":{"k":"v"}}`},
}

var avroSchemas = []struct {
	schema string
	value  func(s *serdeavro.Schema) any
}{
	{`{"type":"record","name":"R","namespace":"n","doc":"d","fields":[{"name":"u","type":["null","int",{"type":"array","items":"string"}],"default":null},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"],"default":"X"}}]}`,
		func(s *serdeavro.Schema) any { return serdeavro.NewRecord(s, "u", int32(5), "e", "Y") }},
	{`{"type":"record","name":"R","fields":[{"name":"u","type":["int",{"type":"record","name":"In","fields":[{"name":"x","type":"int"}]},"string"]},{"name":"m","type":{"type":"map","values":["null","long"]}}]}`,
		func(s *serdeavro.Schema) any {
			return serdeavro.NewRecord(s, "u", "x", "m", map[string]any{"k": int64(1)})
		}},
	{`{"type":"record","name":"R","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"f","type":{"type":"fixed","name":"F","size":2}},{"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"uuid","type":{"type":"string","logicalType":"uuid"}},{"name":"def","type":"int","default":7},{"name":"o","type":["string","null"],"default":"x","aliases":["oo"]}]}`,
		func(s *serdeavro.Schema) any {
			return serdeavro.NewRecord(s, "d", []byte{4, 226}, "f", []byte{1, 2}, "t", int64(5), "uuid", "u", "def", int32(1), "o", nil)
		}},
}

var protobufSchemas = []struct{ schema, message, value string }{
	{`syntax = "proto3"; package a; message R { oneof u { int32 i = 1; string s = 2; } repeated In ins = 3; map<string, In> m = 4; E e = 5; optional int32 o = 6; message In { int32 n = 1; } enum E { A = 0; B = 1; } }`,
		"R", `s: "x" ins: {n: 1} ins: {} m: {key: "k" value: {n: 2}} e: B`},
	{`syntax = "proto3"; import "google/protobuf/wrappers.proto"; import "google/protobuf/timestamp.proto"; message R { google.protobuf.StringValue s = 1; google.protobuf.Int64Value n = 2; google.protobuf.Timestamp t = 3; uint32 u = 4; fixed64 f = 5; sint64 z = 6; bytes b = 7; float x = 8; double y = 9; bool k = 10; }`,
		"R", `s: {value: "x"} t: {seconds: 5 nanos: 7000000} u: 4000000000 f: 5 z: -1 b: "\001" x: 1.5 y: 2.5 k: true`},
	{`syntax = "proto2"; message R { required int32 a = 1; optional string b = 2 [default = "d"]; optional Deep c = 3; message Deep { optional bool x = 1; } } message S { optional int64 n = 1; }`,
		"S", `n: 5`},
	{`syntax = "proto2"; message R { required int32 a = 1; optional string b = 2 [default = "d"]; optional Deep c = 3; message Deep { optional bool x = 1; } } message S { optional int64 n = 1; }`,
		"R", `a: 1 c: {}`},
	{`syntax = "proto3"; message R { confluent.type.Decimal d = 1 [(confluent.field_meta).params = {key: "scale", value: "2"}]; google.type.Date date = 2; google.type.TimeOfDay time = 3; int32 i8 = 4 [(confluent.field_meta).params = {key: "connect.type", value: "int8"}]; } import "confluent/type/decimal.proto"; import "google/type/date.proto"; import "google/type/timeofday.proto"; import "confluent/meta.proto";`,
		"R", `d: {value: "\001\002" precision: 9 scale: 2} date: {year: 2024 month: 2 day: 29} time: {hours: 1 minutes: 2 seconds: 3 nanos: 4000000} i8: -3`},
}

// foreign is what others have registered and written.
func foreign(t *testing.T, f format) (out []another) {
	t.Helper()
	switch f.kind {
	case registry.JSON:
		for _, c := range jsonSchemas {
			out = append(out, another{c.schema, []byte(c.value)})
		}
		return out
	case registry.Avro:
		for _, c := range avroSchemas {
			r, err := schemaregistry.Open(map[string]string{"schema.registry.url": "mock://foreign"})
			if err != nil {
				t.Fatal(err)
			}
			registry.DropScope("foreign")
			b, err := serdeavro.Any(r).Append(nil, "t", c.value(serdeavro.MustParse(c.schema)))
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, another{c.schema, b[5:]})
		}
		return out
	}
	for _, c := range protobufSchemas {
		file, err := serdeprotobuf.Parse(c.schema, nil)
		if err != nil {
			t.Fatal(err)
		}
		m := dynamicpb.NewMessage(file.Descriptor.Messages().ByName(protoreflect.Name(c.message)))
		if err := prototext.Unmarshal([]byte(c.value), m); err != nil {
			t.Fatal(err)
		}
		registry.DropScope("foreign")
		r, err := schemaregistry.Open(map[string]string{"schema.registry.url": "mock://foreign"})
		if err != nil {
			t.Fatal(err)
		}
		b, err := serdeprotobuf.Dynamic(r).Append(nil, "t", m)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, another{c.schema, b[5:]})
	}
	return out
}
