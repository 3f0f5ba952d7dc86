package protoschema_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

func parse(t testing.TB, text string, imports map[string]string) *protoschema.File {
	t.Helper()
	f, err := protoschema.Parse(text, imports)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return f
}

const order = `syntax = "proto3";
package shop;

import "google/protobuf/timestamp.proto";
import "confluent/meta.proto";

option java_package = "com.shop";
option java_multiple_files = true;

message Order {
  reserved 20 to 29;
  reserved "old";

  int64 id = 1 [deprecated = true];
  repeated .shop.Order.Line lines = 2;
  optional string note = 3 [
    (confluent.field_meta) = {
      doc: "a \"note\"",
      params: [
        {
          key: "connect.type",
          value: "int8"
        },
        {
          value: "2",
          key: "scale"
        }
      ]
    },
    json_name = "NOTE"
  ];
  repeated .shop.Order.TagsEntry tags = 4;
  .google.protobuf.Timestamp at = 5;
  .shop.State state = 6;

  oneof pay {
    string card = 7;
    bool cash = 8;
  }

  message Line {
    string item = 1;
  }
  message TagsEntry {
    option map_entry = true;
  
    string key = 1;
    int32 value = 2;
  }
  enum Kind {
    option allow_alias = true;
    A = 0;
    B = 0;
  }
}
message Empty {}
enum State {
  NEW = 0;
  DONE = 1 [deprecated = true];
}

service Shop {
  rpc Place (.shop.Order) returns (stream .shop.Empty);
}
`

func TestText(t *testing.T) {
	want := order
	f := parse(t, order, nil)
	if d := cmp.Diff(want, f.Text()); d != "" {
		t.Error(d)
	}
	again := parse(t, f.Text(), nil)
	if d := cmp.Diff(want, again.Text()); d != "" {
		t.Error(d)
	}
	if !f.Entries {
		t.Error("the map's message stands in the text")
	}
}

// TestEntries shows that the messages behind maps count among indexes only where they stand in the text.
func TestEntries(t *testing.T) {
	short := `syntax = "proto3"; package p; message M { message A {} map<string, int32> m = 1; message B {} }`
	f := parse(t, short, nil)
	if f.Entries {
		t.Error("the map's message is said to stand in the text")
	}
	long := parse(t, f.Text(), nil)
	for _, c := range []struct {
		f    *protoschema.File
		want []int
	}{{f, []int{0, 1}}, {long, []int{0, 2}}} {
		got := c.f.Indexes("p.M.B")
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s\n%s", d, c.f.Text())
		}
		if m, err := c.f.Message(got); err != nil || m.FullName() != "p.M.B" {
			t.Error(m, err)
		}
	}
	for _, bad := range [][]int{nil, {1}, {-1}, {0, 9}, {0, 0, 0}} {
		if m, err := f.Message(bad); err == nil {
			t.Errorf("%v is %s", bad, m.FullName())
		}
	}
	if i := f.Indexes("p.None"); i != nil {
		t.Error(i)
	}
}

// TestGenerated writes what a program has compiled in, and reads it.
func TestGenerated(t *testing.T) {
	f := protoschema.FromDescriptor(apipb.File_google_protobuf_api_proto)
	text := f.Text()
	back := parse(t, text, nil)
	if d := cmp.Diff(text, back.Text()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]int{1}, f.Indexes("google.protobuf.Method")); d != "" {
		t.Error(d)
	}
}

// TestSerialized reads the base64 of a descriptor, as clients that have no text register it.
func TestSerialized(t *testing.T) {
	p := protodesc.ToFileDescriptorProto(apipb.File_google_protobuf_api_proto)
	for _, m := range p.MessageType {
		for _, f := range m.Field {
			f.JsonName = nil
		}
	}
	b, err := proto.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, base64.StdEncoding.EncodeToString(b), nil)
	if got := f.Descriptor.Messages().ByName("Method").Fields().ByName("request_type_url").JSONName(); got != "requestTypeUrl" {
		t.Error(got)
	}
	if b, err = proto.Marshal(protodesc.ToFileDescriptorProto(structpb.File_google_protobuf_struct_proto)); err != nil {
		t.Fatal(err)
	}
	if f = parse(t, base64.StdEncoding.EncodeToString(b), nil); !f.Entries {
		t.Error("the message behind a map is not counted, though a descriptor has it")
	}
}

func TestProto2(t *testing.T) {
	text := `syntax = "proto2";

message M {
  required int32 a = 1;
  optional string b = 2 [default = "x\"y"];
  repeated double c = 3 [packed = true];

  extensions 100 to max;
}

extend .M {
  optional int32 e = 100;
}
`
	if d := cmp.Diff(text, parse(t, text, nil).Text()); d != "" {
		t.Error(d)
	}
}

func TestImports(t *testing.T) {
	inner := `syntax = "proto3"; package a; message Inner { int32 n = 1; }`
	text := `syntax = "proto3"; package a; import "a/inner.proto"; import "google/type/date.proto"; message Outer { Inner in = 1; google.type.Date d = 2; }`
	f := parse(t, text, map[string]string{"a/inner.proto": inner})
	deps := protoschema.Imports(f.Descriptor)
	if len(deps) != 1 || deps[0].Path() != "a/inner.proto" {
		t.Error(deps)
	}
	if _, err := protoschema.Parse(text, nil); err == nil || !strings.Contains(err.Error(), "a/inner.proto is imported, and there is no reference to it") {
		t.Error(err)
	}
	for _, bad := range []string{"", "message {", `syntax = "proto3"; message A { B b = 1; }`, `import "/etc/passwd"; message A {}`} {
		if f, err := protoschema.Parse(bad, nil); err == nil && bad != "" {
			t.Errorf("%q is read as %s", bad, f.Text())
		}
	}
}

// TestForeignOptions reads a schema whose own options are defined nowhere, and Confluent's without their import.
func TestForeignOptions(t *testing.T) {
	f := parse(t, `syntax = "proto3";
option (acme.file) = "x";
message M {
  option (acme.message) = {a: 1};
  int32 a = 1 [(acme.field).b = true, deprecated = true, (confluent.field_meta) = {params: [{key: "connect.type", value: "int8"}]}];
  enum E { option (acme.e) = 1; Z = 0 [(acme.v) = 2]; }
}`, nil)
	fd := f.Descriptor.Messages().Get(0).Fields().Get(0)
	if v, _ := protoschema.ReadMeta(fd.Options()).Get("connect.type"); v != "int8" || !fd.Options().(*descriptorpb.FieldOptions).GetDeprecated() {
		t.Error(fd.Options())
	}
}

func TestMake(t *testing.T) {
	p := &descriptorpb.FileDescriptorProto{Name: proto.String("x"), Syntax: proto.String("proto3"), Dependency: []string{"google/type/date.proto", "google/protobuf/timestamp.proto"},
		MessageType: []*descriptorpb.DescriptorProto{{Name: proto.String("M"), NestedType: []*descriptorpb.DescriptorProto{{Name: proto.String("In")}}, Field: []*descriptorpb.FieldDescriptorProto{
			{Name: proto.String("in"), Number: proto.Int32(1), TypeName: proto.String("In")}, {Name: proto.String("d"), Number: proto.Int32(2), TypeName: proto.String("google.type.Date")},
			{Name: proto.String("at"), Number: proto.Int32(3), TypeName: proto.String("google.protobuf.Timestamp")}}}}}
	f, err := protoschema.Make(p)
	if err != nil {
		t.Fatal(err)
	}
	want := "syntax = \"proto3\";\n\nimport \"google/type/date.proto\";\nimport \"google/protobuf/timestamp.proto\";\n\nmessage M {\n  In in = 1;\n  google.type.Date d = 2;\n  google.protobuf.Timestamp at = 3;\n\n  message In {}\n}\n"
	if d := cmp.Diff(want, protoschema.Text(p)); d != "" {
		t.Error(d)
	}
	if got := f.Descriptor.Messages().Get(0).Fields().Get(1).Message().FullName(); got != "google.type.Date" {
		t.Error(got)
	}
	p.MessageType[0].Field[0].TypeName = proto.String("None")
	if _, err := protoschema.Make(p); err == nil || !strings.Contains(err.Error(), "Invalid protobuf schema definition") {
		t.Error(err)
	}
}

func TestMeta(t *testing.T) {
	o := &descriptorpb.FieldOptions{}
	want := &protoschema.Meta{Doc: "d", Params: []protoschema.Param{{Key: "a", Value: "1"}, {Key: "b", Value: ""}}, Tags: []string{"PII"}}
	want.Set(o)
	if d := cmp.Diff(want, protoschema.ReadMeta(o)); d != "" {
		t.Error(d)
	}
	f := parse(t, order, nil)
	got := protoschema.ReadMeta(f.Descriptor.Messages().ByName("Order").Fields().ByName("note").Options())
	if v, _ := got.Get("connect.type"); v != "int8" || got.Doc != `a "note"` {
		t.Error(got)
	}
	p := protodesc.ToFileDescriptorProto(f.Descriptor)
	if !slices.ContainsFunc(p.MessageType, func(m *descriptorpb.DescriptorProto) bool { return m.GetName() == "Empty" }) {
		t.Error("a message is lost")
	}
}

func TestReads(t *testing.T) {
	base := `message A { int32 i = 1; string s = 2; repeated string l = 3; map<string, int32> m = 4; B b = 5; E e = 6; oneof o { string x = 7; int32 y = 8; } } message B { int32 n = 1; } enum E { Z = 0; }`
	for _, c := range []struct{ from, to, want string }{
		{"", "", ""},
		{"int32 i = 1;", "int64 i = 1;", ""},
		{"int32 i = 1;", "", ""},
		{"int32 i = 1;", "int32 other = 1;", ""},
		{"int32 i = 1;", "int32 i = 1; float added = 9;", ""},
		{"string s = 2;", "bytes s = 2;", ""},
		{"string s = 2;", "repeated string s = 2;", ""},
		{"E e = 6;", "int32 e = 6;", ""},
		{"oneof o { string x = 7; int32 y = 8; }", "", ""},
		{"oneof o { string x = 7; int32 y = 8; }", "string x = 7; int32 y = 8;", ""},
		{"int32 i = 1;", "string i = 1;", "FIELD_SCALAR_KIND_CHANGED #/A/1"},
		{"int32 i = 1;", "sint32 i = 1;", "FIELD_SCALAR_KIND_CHANGED #/A/1"},
		{"B b = 5;", "int32 b = 5;", "FIELD_KIND_CHANGED #/A/5"},
		{"B b = 5;", "A b = 5;", "FIELD_NAMED_TYPE_CHANGED #/A/5"},
		{"map<string, int32> m = 4;", "map<string, string> m = 4;", "FIELD_SCALAR_KIND_CHANGED #/A/4"},
		{"message B { int32 n = 1; }", "message B { double n = 1; }", "FIELD_SCALAR_KIND_CHANGED #/B/1"},
		{"int32 y = 8;", "", "ONEOF_FIELD_REMOVED #/A/o/8"},
		{"int32 i = 1; string s = 2;", "oneof two { int32 i = 1; string s = 2; }", "MULTIPLE_FIELDS_MOVED_TO_ONEOF #/A/two"},
		{"int32 i = 1;", "", ""},
		{"B b = 5; E e = 6; oneof o { string x = 7; int32 y = 8; } } message B { int32 n = 1; }", "E e = 6; oneof o { string x = 7; int32 y = 8; } }", "MESSAGE_REMOVED #/B"},
	} {
		head := "syntax = \"proto3\"; package p; "
		now := strings.Replace(base, c.from, c.to, 1)
		var got []string
		if err := protoschema.Reads(parse(t, head+now, nil), parse(t, head+base, nil)); err != nil {
			for _, d := range err.(protoschema.Differences) {
				got = append(got, d.Kind+" "+d.Path)
			}
			if strings.Contains(err.Error(), `description:""`) {
				t.Error(err)
			}
		}
		if d := cmp.Diff(c.want, strings.Join(got, ", ")); d != "" {
			t.Errorf("%q to %q: %s", c.from, c.to, d)
		}
	}
	a, b := parse(t, `syntax = "proto3"; package a; message M {}`, nil), parse(t, `syntax = "proto3"; package b; message M {}`, nil)
	if err := protoschema.Reads(a, b); err == nil || !strings.Contains(err.Error(), "PACKAGE_CHANGED") {
		t.Error(err)
	}
}

func TestReserved(t *testing.T) {
	text := parse(t, `syntax = "proto3"; message M { reserved 7, 9 to 11, 20 to max; enum E { reserved 4; Z = 0; } }`, nil).Text()
	for _, want := range []string{"reserved 7;", "reserved 9 to 11;", "reserved 20 to max;", "reserved 4;"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
}
