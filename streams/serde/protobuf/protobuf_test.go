package protobuf_test

import (
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/dynamicpb"
	"google.golang.org/protobuf/types/known/apipb"
	"google.golang.org/protobuf/types/known/typepb"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/protobuf"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// open opens a registry in memory, a new one unless keep.
func open(t testing.TB, keep bool, properties ...string) *schemaregistry.Registry {
	t.Helper()
	scope := strings.NewReplacer("/", "-").Replace("protobuf-" + t.Name())
	if !keep {
		registry.DropScope(scope)
	}
	p := map[string]string{"schema.registry.url": "mock://" + scope}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i]] = properties[i+1]
	}
	r, err := schemaregistry.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parse(t testing.TB, text string, imports map[string]string) *protobuf.File {
	t.Helper()
	f, err := protobuf.Parse(text, imports)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const shop = `syntax = "proto3";
package shop;
message Note {}
message Order {
  int64 id = 1;
  oneof pay { string card = 2; bool cash = 9; }
  string note = 3;
  map<string, sint32> tags = 4;
  repeated fixed32 codes = 5;
  message Line { string item = 1; double price = 2; }
  repeated Line lines = 6;
}
`

// text sets the fields of a message that are strings, numbers and so on.
func set(t testing.TB, m *dynamicpb.Message, values map[string]any) *dynamicpb.Message {
	t.Helper()
	for name, v := range values {
		m.Set(m.Descriptor().Fields().ByName(protoreflect.Name(name)), protoreflect.ValueOf(v))
	}
	return m
}

func order(t testing.TB, f *protobuf.File) *dynamicpb.Message {
	d := f.Descriptor.Messages().ByName("Order")
	m := set(t, dynamicpb.NewMessage(d), map[string]any{"id": int64(1), "cash": true, "note": "n"})
	tags := m.Mutable(d.Fields().ByName("tags")).Map()
	tags.Set(protoreflect.ValueOf("b").MapKey(), protoreflect.ValueOf(int32(-1)))
	tags.Set(protoreflect.ValueOf("a").MapKey(), protoreflect.ValueOf(int32(1)))
	codes := m.Mutable(d.Fields().ByName("codes")).List()
	codes.Append(protoreflect.ValueOf(uint32(7)))
	lines := m.Mutable(d.Fields().ByName("lines")).List()
	line := lines.NewElement()
	line.Message().Set(line.Message().Descriptor().Fields().ByName("item"), protoreflect.ValueOf("x"))
	lines.Append(line)
	return m
}

// TestDynamic has bytes worked out by hand: fields stand in the order of their numbers, as Java writes them.
func TestDynamic(t *testing.T) {
	r := open(t, false)
	f := parse(t, shop, nil)
	s := protobuf.Dynamic(r)
	m := order(t, f)
	b, err := s.Append([]byte{0xaa}, "t", m)
	want := "aa" + "0000000001" + "0202" + "0801" + "1a016e" + "2205" + "0a01611002" + "2205" + "0a01621001" + "2a0407000000" + "32030a0178" + "4801"
	if got := hex.EncodeToString(b); err != nil || got != want {
		t.Fatalf("%v\n got %s\nwant %s", err, got, want)
	}
	back, err := protobuf.Dynamic(open(t, true)).Decode("t", b[1:])
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(proto.Message(m), proto.Message(back), protocmp.Transform()); d != "" {
		t.Error(d)
	}
	if again, err := s.Append(nil, "u", back); err != nil || again[4] != 1 {
		t.Errorf("what was read is written with id %d, %v", again[4], err)
	}
	line := f.Descriptor.Messages().ByName("Order").Messages().ByName("Line")
	b, err = s.Append(nil, "line", set(t, dynamicpb.NewMessage(line), map[string]any{"price": 1.5}))
	// the message behind the map is the first in Order, as Confluent registers it
	if got := hex.EncodeToString(b); err != nil || got != "0000000001"+"040202"+"11000000000000f83f" {
		t.Error(got, err)
	}
}

func TestOf(t *testing.T) {
	r := open(t, false)
	s := protobuf.Of[*apipb.Method](r)
	v := &apipb.Method{Name: "n", ResponseStreaming: true}
	b, err := s.Append(nil, "t", v)
	if err != nil {
		t.Fatal(err)
	}
	found, err := r.Client().Latest(t.Context(), "t-value")
	if err != nil || !strings.Contains(found.Text, "message Method {") || found.Type != registry.Protobuf || len(found.References) != 0 {
		t.Error(found, err)
	}
	if got := hex.EncodeToString(b); got != "0000000001"+"0202"+"0a016e"+"2801" {
		t.Error(got)
	}
	back, err := s.Decode("t", b)
	if d := cmp.Diff(v, back, protocmp.Transform()); d != "" || err != nil {
		t.Error(err, d)
	}
	got, err := protobuf.Dynamic(r).Decode("t", b)
	if err != nil || got.Descriptor().FullName() != "google.protobuf.Method" || got.Get(got.Descriptor().Fields().ByName("name")).String() != "n" {
		t.Error(got, err)
	}
	if _, err := protobuf.Of[*apipb.Mixin](r).Decode("t", b); err == nil || !strings.Contains(err.Error(), "google.protobuf.Method, not a google.protobuf.Mixin") {
		t.Error(err)
	}
	if _, err := s.Append(nil, "t", nil); err == nil {
		t.Error("a nil message is written")
	}
	if b, err = protobuf.Of[*typepb.Type](r.Keys()).Append(nil, "t", &typepb.Type{Name: "x"}); err != nil || b[5] != 0 {
		t.Errorf("%x %v: the first message of a file is one byte", b, err)
	}
	if _, err := r.Client().Latest(t.Context(), "t-key"); err != nil {
		t.Error(err)
	}
}

func TestImports(t *testing.T) {
	r := open(t, false)
	f := parse(t, `syntax = "proto3"; package a; import "a/inner.proto"; import "google/protobuf/timestamp.proto"; message Outer { Inner in = 1; google.protobuf.Timestamp at = 2; }`,
		map[string]string{"a/inner.proto": `syntax = "proto3"; package a; import "a/deep.proto"; message Inner { Deep d = 1; }`, "a/deep.proto": `syntax = "proto3"; package a; message Deep { int32 n = 1; }`})
	m := dynamicpb.NewMessage(f.Descriptor.Messages().ByName("Outer"))
	m.Mutable(m.Descriptor().Fields().ByName("in")).Message()
	b, err := protobuf.Dynamic(r).Append(nil, "t", m)
	if err != nil || hex.EncodeToString(b) != "0000000003000a00" {
		t.Fatalf("%x %v", b, err)
	}
	found, err := r.Client().Latest(t.Context(), "t-value")
	if d := cmp.Diff([]registry.Reference{{Name: "a/inner.proto", Subject: "a/inner.proto", Version: 1}}, found.References); d != "" || err != nil {
		t.Error(err, d)
	}
	if back, err := protobuf.Dynamic(open(t, true)).Decode("t", b); err != nil || !back.Has(back.Descriptor().Fields().ByName("in")) {
		t.Error(back, err)
	}
	looked := open(t, true, "auto.register.schemas", "false")
	if again, err := protobuf.Dynamic(looked).Append(nil, "t", m); err != nil || again[4] != 3 {
		t.Errorf("%x %v", again, err)
	}
}

// TestUseLatest writes with the indexes of the latest schema, which is another text.
func TestUseLatest(t *testing.T) {
	r := open(t, false)
	latest := strings.Replace(shop, "message Note {}", "message First {} message Note {}", 1)
	if _, err := r.Client().Register(t.Context(), "t-value", registry.Schema{Type: registry.Protobuf, Text: latest}); err != nil {
		t.Fatal(err)
	}
	r = open(t, true, "auto.register.schemas", "false", "use.latest.version", "true")
	b, err := protobuf.Dynamic(r).Append(nil, "t", set(t, dynamicpb.NewMessage(parse(t, shop, nil).Descriptor.Messages().ByName("Order")), map[string]any{"id": int64(5)}))
	if err != nil || hex.EncodeToString(b) != "0000000001"+"0204"+"0805" {
		t.Errorf("%x %v", b, err)
	}
	other := parse(t, `syntax = "proto3"; package shop; message Other {}`, nil).Descriptor.Messages().Get(0)
	if _, err := protobuf.Dynamic(r).Append(nil, "t", dynamicpb.NewMessage(other)); err == nil || !strings.Contains(err.Error(), "MESSAGE_REMOVED") {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	r := open(t, false)
	s := protobuf.Dynamic(r)
	f := parse(t, shop, nil)
	good, err := s.Append(nil, "t", order(t, f))
	if err != nil {
		t.Fatal(err)
	}
	kafka := func(err error) string {
		var e *serde.Error
		if !errors.As(err, &e) {
			return "no serde.Error"
		}
		return e.Message()
	}
	for hexed, want := range map[string]string{
		"": "the bytes end within the schema's id", "05": "Unknown magic byte!", "0000000009": "Error deserializing Protobuf message for id 9",
		"000000000900": "Error retrieving Protobuf schema for id 9", "00000000010208": "Error deserializing Protobuf message for id 1",
		"0000000001020208": "Error deserializing Protobuf message for id 1",
	} {
		b, _ := hex.DecodeString(hexed)
		if v, err := s.Decode("t", b); kafka(err) != want {
			t.Errorf("%q: %v %v, want %q", hexed, v, err, want)
		}
	}
	clash := parse(t, `syntax = "proto3"; package other; message Order {}`, nil).Descriptor.Messages().Get(0)
	_, err = s.Append(nil, "t", dynamicpb.NewMessage(clash))
	if !strings.HasPrefix(kafka(err), "Error registering Protobuf schema: syntax = \"proto3\";\npackage other;") || !strings.Contains(err.Error(), "PACKAGE_CHANGED") {
		t.Error(kafka(err), err)
	}
	if _, err := s.Decode("t", good[:len(good)-1]); err == nil {
		t.Error("a message that ends too early is read")
	}
	if _, err := s.Append(nil, "t", nil); err == nil {
		t.Error("a nil message is written")
	}
	required := parse(t, `syntax = "proto2"; message R { required int32 a = 1; }`, nil).Descriptor.Messages().Get(0)
	if _, err := s.Append(nil, "r", dynamicpb.NewMessage(required)); err == nil || !strings.Contains(err.Error(), "required") {
		t.Error(err)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "no generated message") {
			t.Error(p)
		}
	}()
	protobuf.Of[proto.Message](r)
}

func FuzzDecode(f *testing.F) {
	r := open(f, false)
	s := protobuf.Dynamic(r)
	seed, err := s.Append(nil, "t", order(f, parse(f, shop, nil)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Add([]byte{0, 0, 0, 0, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := s.Decode("t", b)
		if err != nil {
			return
		}
		again, err := s.Append(nil, "t", v)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if back, err := s.Decode("t", again); err != nil || !proto.Equal(v, back) && !strings.Contains(v.String(), "nan") {
			t.Fatalf("%v\nis read as\n%v\n%v", v, back, err)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	s := protobuf.Of[*apipb.Mixin](open(b, false))
	v := &apipb.Mixin{Name: "some text", Root: "some text of a usual length"}
	bytes, err := s.Append(nil, "t", v)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if bytes, err = s.Append(bytes[:0], "t", v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err = s.Decode("t", bytes); err != nil {
				b.Fatal(err)
			}
		}
	})
}
