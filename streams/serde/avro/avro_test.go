package avro_test

import (
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/registry"
	"github.com/kstreamlab/kstreamlab/streams/serde"
	"github.com/kstreamlab/kstreamlab/streams/serde/avro"
	"github.com/kstreamlab/kstreamlab/streams/serde/schemaregistry"
)

// open makes a new registry in memory.
func open(t testing.TB, properties ...string) *schemaregistry.Registry {
	t.Helper()
	scope := strings.NewReplacer("/", "-", " ", "-").Replace("avro-" + t.Name())
	if len(properties) == 0 || properties[0] != "keep" {
		registry.DropScope(scope)
	} else {
		properties = properties[1:]
	}
	p := map[string]string{"schema.registry.url": "mock://" + scope}
	if len(properties)%2 == 1 {
		t.Fatal("a name without a value")
	}
	for i := 0; i < len(properties); i += 2 {
		p[properties[i]] = properties[i+1]
	}
	r, err := schemaregistry.Open(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var orders = avro.MustParse(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`)

func wantBytes(t *testing.T, got []byte, err error, want string) {
	t.Helper()
	if h := hex.EncodeToString(got); err != nil || h != want {
		t.Errorf("%s %v, want %s", h, err, want)
	}
}

func TestGeneric(t *testing.T) {
	r := open(t)
	s := avro.Generic(r)
	b, err := s.Append([]byte{0xaa}, "t", avro.NewRecord(orders, "id", int64(1), "note", "x"))
	wantBytes(t, b, err, "aa"+"0000000001"+"02"+"020278")
	back, err := s.Decode("t", b[1:])
	if err != nil || back.Get("id") != int64(1) || back.Get("note") != "x" || back.Get("none") != nil || back.Schema.FullName() != "shop.Order" {
		t.Error(back, err)
	}
	b, err = s.Append(nil, "u", back) // a record that was read is written with its schema
	wantBytes(t, b, err, "0000000001"+"02"+"020278")
	other := avro.MustParse(`{"type":"record","name":"Other","fields":[]}`)
	if b, err = s.Append(nil, "v", avro.NewRecord(other)); err != nil || string(b) != "\x00\x00\x00\x00\x02" {
		t.Error(b, err)
	}
	c := r.Client()
	for subject, id := range map[string]int{"t-value": 1, "u-value": 1, "v-value": 2} {
		if found, err := c.Latest(t.Context(), subject); err != nil || found.ID != id {
			t.Error(subject, found, err)
		}
	}
	if _, err := avro.Generic(r.Keys()).Append(nil, "t", back); err != nil {
		t.Error(err)
	}
	if found, err := c.Latest(t.Context(), "t-key"); err != nil || found.Text != orders.String() {
		t.Error(found, err)
	}
}

func TestReaderSchema(t *testing.T) {
	r := open(t)
	b, err := avro.Generic(r).Append(nil, "t", avro.NewRecord(orders, "id", int64(7)))
	if err != nil {
		t.Fatal(err)
	}
	evolved := avro.MustParse(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"key","aliases":["id"],"type":"double"},{"name":"state","type":"string","default":"NEW"}]}`)
	got, err := avro.Generic(r, avro.ReadAs(evolved)).Decode("t", b)
	if err != nil || got.Get("key") != 7.0 || got.Get("state") != "NEW" || got.Schema != evolved {
		t.Error(got, err)
	}
}

func TestAny(t *testing.T) {
	r := open(t)
	s := avro.Any(r)
	for _, c := range []struct {
		value any
		want  string
		text  string
	}{
		{true, "01", `"boolean"`}, {int32(-1), "01", `"int"`}, {int64(64), "8001", `"long"`}, {float32(1), "0000803f", `"float"`},
		{1.0, "000000000000f03f", `"double"`}, {"hé", "0668c3a9", `"string"`}, {[]byte{1, 2}, "0102", `"bytes"`}, {[]byte{}, "", `"bytes"`},
	} {
		topic := c.text[1 : len(c.text)-1]
		b, err := s.Append(nil, topic, c.value)
		if err != nil || hex.EncodeToString(b[5:]) != c.want {
			t.Errorf("%v: %x %v, want %s", c.value, b, err, c.want)
		}
		back, err := s.Decode(topic, b)
		if d := cmp.Diff(c.value, back); d != "" || err != nil {
			t.Error(err, d)
		}
		if found, err := r.Client().Latest(t.Context(), topic+"-value"); err != nil || found.Text != c.text {
			t.Error(found, err)
		}
	}
	if _, err := s.Append(nil, "t", struct{}{}); err == nil || !strings.Contains(err.Error(), "cannot write a struct {}") {
		t.Error(err)
	}
	if _, err := s.Append(nil, "t", (*avro.Record)(nil)); err == nil {
		t.Error("a nil record is written")
	}
	b, err := s.Append(nil, "text", "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := avro.Generic(r).Decode("text", b); err == nil || !strings.Contains(err.Error(), "avro.Any") {
		t.Error(err)
	}
}

type order struct {
	ID    int64     `avro:"id"`
	Note  *string   `avro:"note"`
	At    time.Time `avro:"at"`
	Price *big.Rat  `avro:"price,decimal(9,2)"`
	Lines []line    `avro:"lines"`
}

type line struct {
	Item  string `avro:"item"`
	Count int32  `avro:"count"`
}

const orderText = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},` +
	`{"name":"note","type":["null","string"],"default":null},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},` +
	`{"name":"price","type":["null",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}],"default":null},` +
	`{"name":"lines","type":{"type":"array","items":{"type":"record","name":"line","fields":[{"name":"item","type":"string"},{"name":"count","type":"int"}]}}}]}`

func TestOf(t *testing.T) {
	if got := avro.SchemaOf[order](avro.Named("shop.Order")).String(); got != orderText {
		t.Fatalf("schema\n got %s\nwant %s", got, orderText)
	}
	r := open(t)
	s := avro.Of[order](r, avro.Named("shop.Order"))
	note := "n"
	v := order{ID: 3, Note: &note, At: time.UnixMilli(1500).UTC(), Price: big.NewRat(-5, 4), Lines: []line{{"a", 1}, {"b", 2}}}
	b, err := s.Append(nil, "t", v)
	wantBytes(t, b, err, "0000000001"+"06"+"02026e"+"b817"+"020283"+"04026102026204"+"00")
	back, err := s.Decode("t", b)
	if d := cmp.Diff(v, back, cmp.Comparer(func(a, b *big.Rat) bool { return a.Cmp(b) == 0 })); d != "" || err != nil {
		t.Error(err, d)
	}
	// The generic serde reads the same.
	g, err := avro.Generic(open(t, "keep", "avro.use.logical.type.converters", "true")).Decode("t", b)
	if err != nil {
		t.Fatal(err)
	}
	if got := g.String(); got != `{"id":3,"note":"n","at":"1970-01-01T00:00:01.5Z","price":-1.25,"lines":[{"item":"a","count":1},{"item":"b","count":2}]}` {
		t.Error(got)
	}
}

// TestOfEvolves reads with a Go type what was written with another schema.
func TestOfEvolves(t *testing.T) {
	r := open(t)
	written := avro.MustParse(`{"type":"record","name":"order","fields":[{"name":"gone","type":"string"},{"name":"id","type":"int"}]}`)
	b, err := avro.Generic(r).Append(nil, "t", avro.NewRecord(written, "gone", "x", "id", int32(5)))
	if err != nil {
		t.Fatal(err)
	}
	type order struct {
		ID   int64   `avro:"id"`
		Note *string `avro:"note"`
	}
	got, err := avro.Of[order](r).Decode("t", b)
	if d := cmp.Diff(order{ID: 5}, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestUseLatest(t *testing.T) {
	latest := `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"state","type":"string","default":"NEW"},{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
	r := open(t, "auto.register.schemas", "false", "use.latest.version", "true")
	if _, err := r.Client().Register(t.Context(), "t-value", registry.Schema{Type: registry.Avro, Text: latest}); err != nil {
		t.Fatal(err)
	}
	b, err := avro.Generic(r).Append(nil, "t", avro.NewRecord(orders, "id", int64(1)))
	wantBytes(t, b, err, "0000000001"+"064e4557"+"02"+"00")
	type Order struct {
		ID   int64   `avro:"id"`
		Note *string `avro:"note"`
	}
	b, err = avro.Of[Order](r, avro.Named("shop.Order")).Append([]byte{1}, "t", Order{ID: 1})
	wantBytes(t, b, err, "01"+"0000000001"+"064e4557"+"02"+"00")
}

func TestReferences(t *testing.T) {
	r := open(t)
	inner := registry.Schema{Type: registry.Avro, Text: `{"type":"record","name":"Inner","namespace":"a","fields":[{"name":"n","type":"int"}]}`}
	if _, err := r.Client().Register(t.Context(), "inner", inner); err != nil {
		t.Fatal(err)
	}
	outer := avro.MustParse(`{"type":"record","name":"Outer","namespace":"a","fields":[{"name":"in","type":"Inner"}]}`, inner.Text)
	s := avro.Generic(r, avro.Reference("a.Inner", "inner", 1))
	b, err := s.Append(nil, "t", avro.NewRecord(outer, "in", avro.NewRecord(outer.Field("in").Schema, "n", int32(1))))
	wantBytes(t, b, err, "000000000202")
	found, err := r.Client().Latest(t.Context(), "t-value")
	if err != nil || found.Text != `{"type":"record","name":"Outer","namespace":"a","fields":[{"name":"in","type":"Inner"}]}` || len(found.References) != 1 {
		t.Error(found, err)
	}
	back, err := avro.Generic(open(t, "keep")).Decode("t", b)
	if err != nil || back.Get("in").(*avro.Record).Get("n") != int32(1) {
		t.Error(back, err)
	}
}

func TestErrors(t *testing.T) {
	r := open(t)
	s := avro.Generic(r)
	kafka := func(err error) string {
		var e *serde.Error
		if !errors.As(err, &e) {
			return "no serde.Error"
		}
		return e.Message()
	}
	for hexed, want := range map[string]string{
		"": "the bytes end within the schema's id", "05": "Unknown magic byte!", "0000": "the bytes end within the schema's id",
		"0000000009": "Error retrieving Avro value schema for id 9",
	} {
		b, _ := hex.DecodeString(hexed)
		if v, err := s.Decode("t", b); kafka(err) != want {
			t.Errorf("%q: %v %q, want %q", hexed, v, kafka(err), want)
		}
	}
	good, err := s.Append(nil, "t", avro.NewRecord(orders, "id", int64(1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode("t", good[:5]); kafka(err) != "Error deserializing Avro message for id 1" || !strings.Contains(err.Error(), "field id: the bytes end within the value") {
		t.Error(err)
	}
	if dst, err := s.Append([]byte{1}, "t", avro.NewRecord(orders, "id", "text")); len(dst) != 1 || kafka(err) != "Error serializing Avro message" || !strings.Contains(err.Error(), "Not long in field id") {
		t.Error(dst, err)
	}
	clash := avro.MustParse(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"string"}]}`)
	_, err = s.Append(nil, "t", avro.NewRecord(clash, "id", "x"))
	var e *registry.Error
	if kafka(err) != "Error registering Avro schema"+clash.String() || !errors.As(err, &e) || e.Status != 409 || !strings.Contains(err.Error(), "t-value") {
		t.Error(err)
	}
	proto := registry.Schema{Type: registry.Protobuf, Text: "syntax = \"proto3\";\nmessage A {\n}\n"}
	if _, err := r.Client().Register(t.Context(), "p", proto); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Decode("t", []byte{0, 0, 0, 0, 2}); err == nil || !strings.Contains(err.Error(), "of type PROTOBUF") {
		t.Error(err)
	}
	defer func() {
		if p := recover(); p == nil || !strings.Contains(p.(string), "no schema for chan int") {
			t.Error(p)
		}
	}()
	avro.Of[chan int](r)
}

func FuzzDecode(f *testing.F) {
	r := open(f)
	s := avro.Any(r)
	wide := avro.MustParse(`{"type":"record","name":"Wide","fields":[{"name":"a","type":{"type":"array","items":["null","int","Wide"]}},{"name":"m","type":{"type":"map","values":{"type":"array","items":"null"}}},
		{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"f","type":{"type":"fixed","name":"F","size":3}},{"name":"s","type":"string"}]}`)
	seed, err := s.Append(nil, "t", avro.NewRecord(wide, "a", []any{nil, int32(1)}, "m", map[string]any{"k": []any{nil}}, "e", avro.Symbol("B"), "d", []byte{1}, "f", avro.Fixed{1, 2, 3}, "s", "x"))
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
		if _, err := s.Append(nil, "t", v); err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
	})
}

func BenchmarkGeneric(b *testing.B) {
	s := avro.Generic(open(b))
	rec := avro.NewRecord(orders, "id", int64(123456), "note", "some text of a usual length")
	bytes, err := s.Append(nil, "t", rec)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("append", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if bytes, err = s.Append(bytes[:0], "t", rec); err != nil {
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

func BenchmarkOf(b *testing.B) {
	type Order struct {
		ID   int64  `avro:"id"`
		Note string `avro:"note"`
	}
	s := avro.Of[Order](open(b))
	v := Order{123456, "some text of a usual length"}
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
