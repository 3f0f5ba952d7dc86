package transforms_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
)

var personSchema = data.NewStructBuilder().Name("Person").Optional().Field("id", data.Int32Schema).Field("name", data.OptionalStringSchema).
	Field("at", data.NewStructBuilder().Optional().Field("x", data.Float64Schema).MustBuild()).MustBuild()

func person(t *testing.T, id int32, name any, x float64) *data.Struct {
	t.Helper()
	s, at := data.NewStruct(personSchema), data.NewStruct(personSchema.Field("at").Schema)
	for _, err := range []error{at.Put("x", x), s.Put("id", id), s.Put("name", name), s.Put("at", at)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// outcome is all of a record that a transform may change.
func outcome(r *connect.Record, err error) string {
	switch {
	case err != nil:
		return string(data.ClassOfError(err)[strings.LastIndexByte(string(data.ClassOfError(err)), '.')+1:])
	case r == nil:
		return "dropped"
	}
	var headers []string
	for h := range r.Headers.All() {
		headers = append(headers, fmt.Sprintf("%s:%s", h.Key, data.Text(h.Value)))
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", r.Topic, data.Text(r.Key), data.Text(r.Value), strings.Join(headers, ",")))
}

// TestApply has the rules that are easily mistaken, of each transform.
func TestApply(t *testing.T) {
	m := func(kv ...any) *data.Map {
		out := data.NewMap()
		for i := 0; i < len(kv); i += 2 {
			out.Put(kv[i], kv[i+1])
		}
		return out
	}
	plain := func(v any) *connect.Record {
		return &connect.Record{Topic: "t", Key: "k", Value: v, Timestamp: 1700000000000}
	}
	with := func(v *data.Struct) *connect.Record {
		return &connect.Record{Topic: "t", Key: "k", ValueSchema: personSchema, Value: v, Timestamp: 1700000000000}
	}
	headers := func(r *connect.Record) *connect.Record {
		a, b := "1", "2"
		r.Headers.AddString("a", &a)
		r.Headers.AddString("b", &b)
		r.Headers.AddString("a", &b)
		return r
	}
	for _, c := range []struct {
		class string
		props config.Props
		in    *connect.Record
		want  string
	}{
		{"Cast$Value", config.Props{"spec": "n:int8,f:int32,b:boolean"}, plain(m("n", int32(300), "f", 3.9, "b", 0.5)), "t k {n=44, f=3, b=false}"},
		{"Cast$Value", config.Props{"spec": "string"}, plain(1e10), "t k 1.0E10"},
		{"Cast$Value", config.Props{"spec": "int32"}, plain("1.0"), "DataException"},
		{"Cast$Value", config.Props{"spec": "missing:string"}, plain(m("a", int32(1))), "t k {a=1, missing=null}"},
		{"Cast$Value", config.Props{"spec": "id:string"}, with(person(t, 1, "n", 2)), "t k Struct{id=1,name=n,at=Struct{x=2.0}}"},
		{"DropHeaders", config.Props{"headers": "a"}, headers(plain("v")), "t k v b:2"},
		{"ExtractField$Value", config.Props{"field": "at.x", "field.syntax.version": "V2"}, with(person(t, 1, "n", 2)), "t k 2.0"},
		{"ExtractField$Value", config.Props{"field": "no"}, with(person(t, 1, "n", 2)), "IllegalArgumentException"},
		{"ExtractField$Value", config.Props{"field": "a.b"}, plain(m("a.b", int32(1))), "t k 1"},
		{"Filter", nil, plain("v"), "dropped"},
		{"Flatten$Value", config.Props{"delimiter": "_"}, plain(m("a", m("b", int32(1), "e", m()), "c", nil)), "t k {a_b=1, c=null}"},
		{"Flatten$Value", nil, with(person(t, 1, nil, 2)), "t k Struct{id=1,at.x=2.0}"},
		{"HeaderFrom$Value", config.Props{"fields": "a", "headers": "h", "operation": "move"}, plain(m("a", int32(1), "b", int32(2))), "t k {b=2} h:1"},
		{"HeaderFrom$Value", config.Props{"fields": "a", "headers": "h", "operation": "copy"}, plain(nil), "DataException"},
		{"HoistField$Value", config.Props{"field": "f"}, plain(nil), "t k {f=null}"},
		{"InsertField$Value", config.Props{"static.field": "s", "static.value": "x", "topic.field": "topic!"}, plain(m("a", int32(1))), "t k {a=1, topic=t, s=x}"},
		{"InsertField$Value", config.Props{"topic.field": "name"}, with(person(t, 1, "n", 2)), "SchemaBuilderException"},
		{"InsertField$Value", config.Props{"topic.field": "x"}, plain(nil), "t k null"},
		{"InsertHeader", config.Props{"header": "h", "value.literal": "1"}, headers(plain("v")), "t k v a:1,b:2,a:2,h:1"},
		{"MaskField$Value", config.Props{"fields": "id,name"}, with(person(t, 1, "n", 2)), "t k Struct{id=0,name=,at=Struct{x=2.0}}"},
		{"MaskField$Value", config.Props{"fields": "id", "replacement": "7"}, with(person(t, 1, "n", 2)), "t k Struct{id=7,name=n,at=Struct{x=2.0}}"},
		{"MaskField$Value", config.Props{"fields": "id"}, plain(nil), "DataException"},
		{"RegexRouter", config.Props{"regex": "(t)(.*)", "replacement": "$2x-$1"}, plain("v"), "x-t k v"},
		{"RegexRouter", config.Props{"regex": "T", "replacement": "x"}, plain("v"), "t k v"},
		{"ReplaceField$Value", config.Props{"exclude": "at", "renames": "id:no"}, with(person(t, 1, "n", 2)), "t k Struct{no=1,name=n}"},
		{"ReplaceField$Value", config.Props{"include": "a,b", "exclude": "b", "renames": "a:c"}, plain(m("a", int32(1), "b", int32(2), "d", int32(3))), "t k {c=1}"},
		{"SetSchemaMetadata$Value", config.Props{"schema.name": "n"}, plain(m()), "DataException"},
		{"SetSchemaMetadata$Value", config.Props{"schema.name": "n"}, plain(nil), "t k null"},
		{"TimestampConverter$Value", config.Props{"target.type": "string", "format": "yyyy-MM-dd HH:mm", "unix.precision": "seconds"}, plain(int64(1700000000)), "t k 2023-11-14 22:13"},
		{"TimestampConverter$Value", config.Props{"target.type": "unix", "format": "yyyy-MM-dd"}, plain("2024-02-30 and more"), "t k 1709251200000"},
		{"TimestampConverter$Value", config.Props{"target.type": "unix"}, plain(int32(5)), "DataException"},
		{"TimestampRouter", config.Props{"topic.format": "${timestamp}-${topic}", "timestamp.format": "yyyyMMdd"}, plain("v"), "20231114-t k v"},
		{"ValueToKey", config.Props{"fields": "b,no"}, plain(m("a", int32(1), "b", int32(2))), "t {b=2, no=null} {a=1, b=2}"},
		{"ValueToKey", config.Props{"fields": "no"}, with(person(t, 1, "n", 2)), "DataException"},
	} {
		p := connect.NewPlugins()
		transforms.Register(p)
		x, err := p.NewTransform(nil, transforms.Prefix+c.class)
		if err == nil {
			err = x.Configure(c.props)
		}
		if err != nil {
			t.Errorf("%s %v: %v", c.class, c.props, err)
			continue
		}
		before := outcome(c.in, nil)
		if got := outcome(x.Apply(c.in)); got != c.want {
			t.Errorf("%s %v of %s: %s, want %s", c.class, c.props, before, got, c.want)
		}
		if after := outcome(c.in, nil); after != before {
			t.Errorf("%s %v changed the record that came: %s, was %s", c.class, c.props, after, before)
		}
		x.Close()
	}
}

// TestSchemaAfter: a struct that is made anew keeps its name; whether it is optional depends on the transform.
func TestSchemaAfter(t *testing.T) {
	for class, c := range map[string]struct {
		props    config.Props
		optional bool
	}{
		"Cast$Value":              {config.Props{"spec": "id:string"}, true},
		"ReplaceField$Value":      {config.Props{"exclude": "at"}, false},
		"InsertField$Value":       {config.Props{"topic.field": "topic"}, false},
		"SetSchemaMetadata$Value": {config.Props{"schema.version": "2"}, true},
	} {
		p := connect.NewPlugins()
		transforms.Register(p)
		x, err := p.NewTransform(nil, transforms.Prefix+class)
		if err == nil {
			err = x.Configure(c.props)
		}
		if err != nil {
			t.Fatal(err)
		}
		r, err := x.Apply(&connect.Record{Topic: "t", ValueSchema: personSchema, Value: person(t, 1, "n", 2)})
		if err != nil {
			t.Fatal(err)
		}
		if r.ValueSchema.Name() != "Person" || r.ValueSchema.Optional() != c.optional {
			t.Errorf("%s: %s, optional %v", class, r.ValueSchema.Name(), r.ValueSchema.Optional())
		}
	}
}
