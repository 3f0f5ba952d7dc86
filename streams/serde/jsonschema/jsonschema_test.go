package jsonschema_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/jsonschema"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// open opens a registry in memory, a new one unless keep.
func open(t testing.TB, keep bool, properties ...string) *schemaregistry.Registry {
	t.Helper()
	scope := strings.NewReplacer("/", "-").Replace("json-" + t.Name())
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

type base struct {
	At time.Time `json:"at"`
}

type Order struct {
	base
	ID    int64             `json:"id" doc:"the number"`
	Note  *string           `json:"note,omitempty"`
	Lines []struct{ N int } `json:"lines"`
	Tags  map[string]bool   `json:"tags"`
	Raw   any               `json:"raw"`
	Code  uint8             `json:",string"`
	Skip  func()            `json:"-"`
	Bytes []byte            `json:"b"`
}

const orderSchema = `{"$schema":"http://json-schema.org/draft-07/schema#","title":"Order","type":"object","additionalProperties":false,"properties":{` +
	`"at":{"type":"string","format":"date-time"},"id":{"type":"integer","description":"the number"},"note":{"oneOf":[{"type":"null"},{"type":"string"}]},` +
	`"lines":{"oneOf":[{"type":"null"},{"type":"array","items":{"type":"object","additionalProperties":false,"properties":{"N":{"type":"integer"}}}}]},` +
	`"tags":{"oneOf":[{"type":"null"},{"type":"object","additionalProperties":{"type":"boolean"}}]},"raw":{},"Code":{"type":"string"},` +
	`"b":{"oneOf":[{"type":"null"},{"type":"string","contentEncoding":"base64"}]}}}`

func TestOf(t *testing.T) {
	if d := cmp.Diff(orderSchema, jsonschema.For[Order]().String()); d != "" {
		t.Error(d)
	}
	r := open(t, false, "json.fail.invalid.schema", "true")
	s := jsonschema.Of[Order](r, nil)
	v := Order{base: base{time.UnixMilli(1500).UTC()}, ID: 1, Lines: []struct{ N int }{{2}}, Tags: map[string]bool{"<&": true}, Raw: "é"}
	b, err := s.Append([]byte("x"), "t", v)
	want := "x\x00\x00\x00\x00\x01" + `{"at":"1970-01-01T00:00:01.5Z","id":1,"lines":[{"N":2}],"tags":{"<&":true},"raw":"é","Code":"0","b":null}`
	if d := cmp.Diff(want, string(b)); d != "" || err != nil {
		t.Fatal(err, d)
	}
	back, err := s.Decode("t", b[1:])
	if d := cmp.Diff(v, back, cmp.AllowUnexported(Order{})); d != "" || err != nil {
		t.Error(err, d)
	}
	found, err := r.Client().Latest(t.Context(), "t-value")
	if err != nil || found.Type != registry.JSON || found.Text != orderSchema {
		t.Error(found, err)
	}
}

func TestValidation(t *testing.T) {
	schema := jsonschema.MustParse(`{"type":"object","title":"P","properties":{"price":{"type":"number","minimum":0}},"required":["price"]}`, nil)
	r := open(t, false, "json.fail.invalid.schema", "true")
	s := jsonschema.Any(r, schema)
	good, err := s.Append(nil, "t", map[string]any{"price": 1.5})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []any{map[string]any{"price": -1}, map[string]any{}, "text", nil} {
		dst, err := s.Append([]byte{1}, "t", bad)
		var e *serde.Error
		if !errors.As(err, &e) || e.Message() != "Validation error in JSON" || len(dst) != 1 {
			t.Errorf("%v: %v %v", bad, dst, err)
		}
	}
	_, err = s.Append(nil, "t", map[string]any{"price": -1})
	if err == nil || !strings.Contains(err.Error(), "#/price: minimum: got -1, want 0") {
		t.Error(err)
	}
	loose := jsonschema.Any(open(t, true), schema)
	bad, err := loose.Append(nil, "t", map[string]any{"price": "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loose.Decode("t", bad); err != nil {
		t.Error(err)
	}
	if v, err := s.Decode("t", bad); err == nil || !strings.Contains(err.Error(), "#/price: got string, want number") {
		t.Error(v, err)
	}
	if v, err := s.Decode("t", good); err != nil || v.(map[string]any)["price"] != 1.5 {
		t.Error(v, err)
	}
}

func TestReferences(t *testing.T) {
	r := open(t, false, "json.fail.invalid.schema", "true")
	item := `{"type":"object","properties":{"n":{"type":"integer"}}}`
	if _, err := r.Client().Register(t.Context(), "item", registry.Schema{Type: registry.JSON, Text: item}); err != nil {
		t.Fatal(err)
	}
	schema := jsonschema.MustParse(`{"type":"object","properties":{"i":{"$ref":"item.json"}}}`, map[string]string{"item.json": item}).Reference("item.json", "item", 1)
	b, err := jsonschema.Any(r, schema).Append(nil, "t", map[string]any{"i": map[string]any{"n": 1}})
	if err != nil {
		t.Fatal(err)
	}
	again := jsonschema.Any(open(t, true, "json.fail.invalid.schema", "true"), schema)
	if v, err := again.Decode("t", b); err != nil {
		t.Error(v, err)
	}
	if v, err := again.Decode("t", append(b[:5:5], `{"i":{"n":"x"}}`...)); err == nil || !strings.Contains(err.Error(), "#/i/n") {
		t.Error(v, err)
	}
	if _, err := jsonschema.Parse(`{"$ref":"file:///etc/passwd"}`, nil); err == nil || !strings.Contains(err.Error(), "there is no reference to") {
		t.Error(err)
	}
}

func TestUnknownMembers(t *testing.T) {
	type small struct{ A int }
	b, err := jsonschema.Any(open(t, false), jsonschema.MustParse(`{}`, nil)).Append(nil, "t", map[string]any{"A": 1, "B": 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := jsonschema.Of[small](open(t, true), nil).Decode("t", b); err == nil || !strings.Contains(err.Error(), `unknown field "B"`) {
		t.Error(err)
	}
	if v, err := jsonschema.Of[small](open(t, true, "json.fail.unknown.properties", "false"), nil).Decode("t", b); err != nil || v.A != 1 {
		t.Error(v, err)
	}
}

func TestErrors(t *testing.T) {
	r := open(t, false)
	s := jsonschema.Of[int](r, nil)
	if _, err := s.Append(nil, "t", 1); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"": "within the schema's id", "\x07": "Unknown magic byte!", "\x00\x00\x00\x00\x09{}": "id 9",
		"\x00\x00\x00\x00\x01": "unexpected EOF", "\x00\x00\x00\x00\x01{": "unexpected EOF", "\x00\x00\x00\x00\x011 2": "something after", "\x00\x00\x00\x00\x01\"x\"": "cannot unmarshal"} {
		if v, err := s.Decode("t", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v %v", text, v, err)
		}
	}
	clash := jsonschema.Of[string](r, nil)
	if _, err := clash.Append(nil, "t", "x"); err == nil || !strings.Contains(err.Error(), "TYPE_CHANGED") {
		t.Error(err)
	}
	for _, f := range []func(){func() { jsonschema.Of[chan int](r, nil) }, func() {
		type node struct{ Next *node }
		jsonschema.For[node]()
	}} {
		func() {
			defer func() {
				if p := recover(); p == nil || !strings.Contains(p.(string), "no schema for") {
					t.Error(p)
				}
			}()
			f()
		}()
	}
}

func FuzzDecode(f *testing.F) {
	s := jsonschema.Any(open(f, false, "json.fail.invalid.schema", "true"), jsonschema.MustParse(`{"type":["object","array","string"],"additionalProperties":{"$ref":"#"},"items":{"$ref":"#"}}`, nil))
	seed, err := s.Append(nil, "t", map[string]any{"a": []any{"b"}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := s.Decode("t", b)
		if err != nil {
			return
		}
		if _, err := s.Append(nil, "t", v); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	type Order struct {
		ID   int64  `json:"id"`
		Note string `json:"note"`
	}
	for name, check := range map[string]string{"plain": "false", "validated": "true"} {
		s := jsonschema.Of[Order](open(b, false, "json.fail.invalid.schema", check), nil)
		v := Order{123456, "some text of a usual length"}
		bytes, err := s.Append(nil, "t", v)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name+"/append", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if bytes, err = s.Append(bytes[:0], "t", v); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/decode", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err = s.Decode("t", bytes); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
