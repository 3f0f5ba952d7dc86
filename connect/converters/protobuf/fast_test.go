package protobuf

import (
	"testing"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// FuzzFast compares what is read without a message with what is made of one.
func FuzzFast(f *testing.F) {
	file, err := protoschema.Parse(`syntax = "proto3"; import "google/protobuf/timestamp.proto"; import "google/protobuf/wrappers.proto";
		message R { int32 a = 1; sint32 b = 2; uint32 c = 3; fixed32 d = 4; sfixed64 e = 5; string s = 6; bytes y = 7; bool k = 8; double x = 9; float w = 10; E enum = 11;
			repeated int64 l = 12; repeated string ls = 13; repeated In ins = 14; In in = 15; google.protobuf.Timestamp t = 16; google.protobuf.StringValue v = 17; optional int32 o = 18;
			Odd odd = 19; sfixed32 g = 20; sint64 h = 21; repeated E es = 22; repeated double ds = 100; uint64 u = 101;
			message In { int32 n = 1; In2 deep = 2; } message In2 { repeated float fs = 1; } message Odd { oneof u { int32 i = 1; string s = 2; } map<string, int32> m = 3; } enum E { A = 0; B = 1; } }`, nil)
	if err != nil {
		f.Fatal(err)
	}
	d := file.Descriptor.Messages().Get(0)
	var o options
	s, err := o.connectSchema(d, 1)
	if err != nil {
		f.Fatal(err)
	}
	r := o.newReader(s, d)
	if !r.plain {
		f.Fatal("the message is not plain")
	}
	for _, text := range []string{
		`a: -1 b: -2 c: 4000000000 d: 3 e: -4 s: "é" y: "\377" k: true x: 1.5 w: 2.5 enum: B l: 1 l: -1 ls: "x" ins: {n: 1} ins: {} in: {n: 2 deep: {fs: 1 fs: 2}} t: {seconds: -5 nanos: 7000000} v: {value: "w"} o: 0`,
		`odd: {s: "x" m: {key: "k" value: 1}} g: -1 h: -2 es: B es: A ds: 1 u: 18446744073709551615`, ``,
	} {
		m := dynamicpb.NewMessage(d)
		if err := prototext.Unmarshal([]byte(text), m); err != nil {
			f.Fatal(err)
		}
		b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		if _, ok := r.fast(b); !ok {
			f.Fatalf("%s is not read fast", text)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := r.fast(b)
		if !ok {
			return
		}
		m := dynamicpb.NewMessage(d)
		if err := protoschema.Unmarshal(b, m); err != nil {
			t.Fatalf("read as %s, but it is wrong: %v", data.Text(got), err)
		}
		want, err := o.messageOf(s, m)
		if err != nil || !data.Equal(got, want) {
			t.Fatalf("got %s, want %s %v", data.Text(got), data.Text(want), err)
		}
	})
}
