package avroschema_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/internal/registry/avroschema"
)

func parse(t testing.TB, text string, needed ...string) *avroschema.Schema {
	t.Helper()
	s, err := avroschema.Parse(text, needed...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestText compares with what Java's Schema.toString gives.
func TestText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`"string"`, `"string"`}, {`{"type":"int"}`, `"int"`}, {`string`, `"string"`},
		{`{"type":"string","avro.java.string":"String"}`, `{"type":"string","avro.java.string":"String"}`},
		{`{"type":{"type":"int","logicalType":"date"}}`, `{"type":"int","logicalType":"date"}`},
		{`{"logicalType":"decimal","scale":2,"precision":9,"type":"bytes"}`, `{"type":"bytes","logicalType":"decimal","scale":2,"precision":9}`},
		{`{"namespace":"a.b","name":"R","type":"record","doc":"d\u00e9","x":[1,{"b":2,"a":1.50}],"aliases":["Old","c.Older"],"fields":[
			{"type":"R2","name":"never"}]}`, ""},
		{`{"namespace":"a.b","name":"R","type":"record","doc":"d\u00e9","x":[1,{"b":2,"a":1.50}],"aliases":["Old","c.Older"],"fields":[
			{"default":null,"type":["null","R"],"name":"next","p":1,"order":"ignore","aliases":["n"]},
			{"name":"e","type":{"type":"enum","name":"c.E","symbols":["A","B"],"default":"B","doc":"x"}},
			{"name":"e2","type":"c.E","order":"ascending"},
			{"name":"f","type":{"type":"fixed","name":"F","size":2,"doc":"y"}},
			{"name":"f2","type":["F","null"]},
			{"name":"l","type":{"type":"array","items":{"type":"map","values":"long"}},"default":[],"doc":"z"}]}`,
			`{"type":"record","name":"R","namespace":"a.b","doc":"dé","fields":[` +
				`{"name":"next","type":["null","R"],"default":null,"order":"ignore","aliases":["n"],"p":1},` +
				`{"name":"e","type":{"type":"enum","name":"E","namespace":"c","doc":"x","symbols":["A","B"],"default":"B"}},` +
				`{"name":"e2","type":"c.E"},{"name":"f","type":{"type":"fixed","name":"F","doc":"y","size":2}},{"name":"f2","type":["F","null"]},` +
				`{"name":"l","type":{"type":"array","items":{"type":"map","values":"long"}},"doc":"z","default":[]}],` +
				`"x":[1,{"b":2,"a":1.5}],"aliases":["Old","c.Older"]}`},
		{`{"type":"record","name":"x.Outer","fields":[{"name":"i","type":{"type":"record","name":"Inner","namespace":"","fields":[]}}]}`,
			`{"type":"record","name":"Outer","namespace":"x","fields":[{"name":"i","type":{"type":"record","name":"Inner","namespace":"","fields":[]}}]}`},
	} {
		s, err := avroschema.Parse(c.text)
		if c.want == "" {
			if err == nil || !strings.Contains(err.Error(), `undefined name: "a.b.R2"`) {
				t.Errorf("%s: %v", c.text, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := s.String(); got != c.want {
			t.Errorf("text\n got %s\nwant %s", got, c.want)
		}
		if again := parse(t, s.String()).String(); again != c.want {
			t.Errorf("parsed again: %s", again)
		}
	}
}

func TestReferences(t *testing.T) {
	inner := `{"type":"record","name":"a.Inner","fields":[{"name":"n","type":"int"}]}`
	outer := `{"type":"record","name":"Outer","namespace":"a","fields":[{"name":"one","type":"Inner"},{"name":"two","type":"a.Inner"}]}`
	s := parse(t, outer, inner)
	if got, want := s.Referring([]string{"a.Inner"}), strings.Replace(outer, "a.Inner", "Inner", 1); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if d := cmp.Diff([]string{"a.Outer", "a.Inner"}, s.Names()); d != "" {
		t.Error(d)
	}
	if _, err := avroschema.Parse(outer); err == nil {
		t.Error("a name that is defined nowhere is taken")
	}
}

func TestRefused(t *testing.T) {
	record := func(fields string) string { return `{"type":"record","name":"R","fields":[` + fields + `]}` }
	for text, want := range map[string]string{
		`{`:                            "JSON",
		`{"type":"nothing"}`:           "undefined name",
		`{"name":"x"}`:                 "no type",
		`["int","int"]`:                "duplicate in union",
		`["int",["string"]]`:           "union directly in a union",
		`12`:                           "no schema",
		`{"type":"array"}`:             "no items",
		`{"type":"record","name":"R"}`: "no fields",
		`{"type":"record","name":"1R","fields":[]}`:                                          "illegal character",
		record(`{"name":"a","type":"int"},{"name":"a","type":"int"}`):                        "duplicate field",
		record(`{"name":"a","type":"int","default":"x"}`):                                    "invalid default",
		record(`{"name":"a","type":"int","default":3000000000}`):                             "invalid default",
		record(`{"name":"a","type":{"type":"enum","name":"E","symbols":["A","A"]}}`):         "duplicate enum symbol",
		record(`{"name":"a","type":{"type":"enum","name":"E","symbols":[],"default":"A"}}`):  "not one of the symbols",
		record(`{"name":"a","type":{"type":"fixed","name":"F","size":"x"}}`):                 "no whole number",
		record(`{"name":"a","type":{"type":"record","name":"R","fields":[]}}`):               "can't redefine",
		strings.Repeat(`{"type":"array","items":`, 300) + `"int"` + strings.Repeat("}", 300): "nested deeper",
	} {
		if s, err := avroschema.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v %v, want an error with %q", text, s, err, want)
		}
	}
}

// example has every type.
const example = `{"type":"record","name":"x.All","fields":[
	{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"f","type":"float"},{"name":"d","type":"double"},
	{"name":"bytes","type":"bytes"},{"name":"s","type":"string"},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
	{"name":"fixed","type":{"type":"fixed","name":"F","size":2}},{"name":"list","type":{"type":"array","items":"int"}},
	{"name":"map","type":{"type":"map","values":"string"}},{"name":"maybe","type":["null","string"]},{"name":"next","type":["null","All"],"default":null}]}`

func all(s *avroschema.Schema) *avroschema.Datum {
	inner := avroschema.NewDatum(s)
	copy(inner.Values, []any{false, int32(-1), int64(math.MinInt64), float32(1.5), -2.25, []byte{}, "", avroschema.Symbol("A"), avroschema.Bin{1, 2},
		[]any{}, map[string]any{}, nil, nil})
	d := avroschema.NewDatum(s)
	copy(d.Values, []any{true, int32(64), int64(-65), float32(0), 0.0, []byte{0xff}, "hé", avroschema.Symbol("B"), avroschema.Bin{3, 4},
		[]any{int32(1), int32(2)}, map[string]any{"b": "2", "a": "1"}, "m", inner})
	return d
}

// golden is worked out by hand from Avro's specification.
const golden = "01" + "8001" + "8101" + "00000000" + "0000000000000000" + "02ff" + "0668c3a9" + "02" + "0304" + "04020400" +
	"0402610231026202320" + "0" + "02026d" + "02" +
	"00" + "01" + "ffffffffffffffffff01" + "0000c03f" + "00000000000002c0" + "00" + "00" + "00" + "0102" + "00" + "00" + "00" + "00"

func TestBinary(t *testing.T) {
	s := parse(t, example)
	want, err := hex.DecodeString(golden)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Append([]byte("x"), all(s))
	if err != nil || !bytes.Equal(got[1:], want) {
		t.Fatalf("%v\n got %x\nwant %x", err, got[1:], want)
	}
	v, rest, err := avroschema.NewReader(s, s, 0).Decode(append(want, 9))
	if d := cmp.Diff(any(all(s)), v, same); d != "" || err != nil || len(rest) != 1 {
		t.Error(err, rest, d)
	}
	if got := v.(*avroschema.Datum).String(); !strings.HasPrefix(got, `{"b":true,"i":64,"l":-65,"f":0,`) {
		t.Error(got)
	}
	for n := range want { // no shorter bytes can be read
		if v, _, err := avroschema.NewReader(s, s, 0).Decode(want[:n]); err == nil {
			t.Errorf("%d bytes are read as %v", n, v)
		}
	}
}

// same compares schemas by pointer.
var same = cmp.Comparer(func(a, b *avroschema.Schema) bool { return a == b })

func TestBlocksWithSizes(t *testing.T) {
	s := parse(t, `{"type":"array","items":"int"}`)
	b := []byte{0x03, 0x04, 0x02, 0x04, 0x02, 0x06, 0x00} // -2, 2 bytes, 1, 2; 1, 3; end
	v, _, err := avroschema.NewReader(s, s, 0).Decode(b)
	if d := cmp.Diff(any([]any{int32(1), int32(2), int32(3)}), v); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestMisfits(t *testing.T) {
	s := parse(t, example)
	d := all(s)
	d.Values[1] = "text"
	_, err := s.Append(nil, d)
	if err == nil || err.Error() != "Not int in field i: text (string)" {
		t.Error(err)
	}
	d = all(s)
	d.Values[12].(*avroschema.Datum).Values[9] = []any{int32(1), int64(1) << 40}
	if _, err = s.Append(nil, d); err == nil || err.Error() != "Not int in field next.list.1: 1099511627776 (int64)" {
		t.Error(err)
	}
	d = all(s)
	d.Values[12] = int32(1)
	if _, err = s.Append(nil, d); err == nil || err.Error() != "Not union in field next: 1 (int32)" {
		t.Error(err)
	}
}

func TestLogicalTypes(t *testing.T) {
	at := time.Date(2024, 2, 29, 12, 30, 15, 123456000, time.UTC)
	for _, c := range []struct {
		schema string
		value  any
		want   string
		back   any
	}{
		{`{"type":"int","logicalType":"date"}`, at, "8cb502", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)},
		{`{"type":"int","logicalType":"date"}`, time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC), "01", time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC)},
		{`{"type":"int","logicalType":"time-millis"}`, 1500 * time.Millisecond, "b817", 1500 * time.Millisecond},
		{`{"type":"long","logicalType":"time-micros"}`, 1500 * time.Microsecond, "b817", 1500 * time.Microsecond},
		{`{"type":"long","logicalType":"timestamp-millis"}`, time.UnixMilli(1500).UTC(), "b817", time.UnixMilli(1500).UTC()},
		{`{"type":"long","logicalType":"timestamp-micros"}`, time.UnixMicro(1500).UTC(), "b817", time.UnixMicro(1500).UTC()},
		{`{"type":"long","logicalType":"local-timestamp-nanos"}`, time.Unix(0, 1500).UTC(), "b817", time.Unix(0, 1500).UTC()},
		{`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, avroschema.Decimal{Unscaled: big.NewInt(-128), Scale: 2}, "0280", avroschema.Decimal{Unscaled: big.NewInt(-128), Scale: 2}},
		{`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, avroschema.Decimal{Unscaled: big.NewInt(128), Scale: 2}, "040080", avroschema.Decimal{Unscaled: big.NewInt(128), Scale: 2}},
		{`{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`, avroschema.Decimal{Unscaled: big.NewInt(3), Scale: 0}, "04012c", avroschema.Decimal{Unscaled: big.NewInt(300), Scale: 2}},
		{`{"type":"fixed","name":"F","size":3,"logicalType":"decimal","precision":5,"scale":2}`, avroschema.Decimal{Unscaled: big.NewInt(-2), Scale: 2}, "fffffe", avroschema.Decimal{Unscaled: big.NewInt(-2), Scale: 2}},
		{`{"type":"bytes","logicalType":"decimal","precision":0}`, []byte{1}, "0201", []byte{1}}, // not valid: ignored
	} {
		s := parse(t, c.schema)
		b, err := s.Append(nil, c.value)
		if got := hex.EncodeToString(b); err != nil || got != c.want {
			t.Errorf("%s of %v: %s %v, want %s", c.schema, c.value, got, err, c.want)
			continue
		}
		v, _, err := avroschema.NewReader(s, s, avroschema.Logical).Decode(b)
		if d := cmp.Diff(c.back, v, cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })); d != "" || err != nil {
			t.Errorf("%s: %v %s", c.schema, err, d)
		}
	}
	s := parse(t, `{"type":"bytes","logicalType":"decimal","precision":5,"scale":2}`)
	if b, err := s.Append(nil, avroschema.Decimal{Unscaled: big.NewInt(1), Scale: 3}); err == nil {
		t.Errorf("a decimal is rounded: %x", b)
	}
	for n, want := range map[int64]string{-1234: "-12.34", 5: "0.05", 0: "0.00", 100: "1.00"} {
		if got := (avroschema.Decimal{Unscaled: big.NewInt(n), Scale: 2}).String(); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestResolution(t *testing.T) {
	cases := []struct {
		writer, reader string
		value, want    any
		err            string
	}{
		{`"int"`, `"long"`, int32(7), int64(7), ""},
		{`"int"`, `"float"`, int32(7), float32(7), ""},
		{`"long"`, `"double"`, int64(7), 7.0, ""},
		{`"float"`, `"double"`, float32(1.5), 1.5, ""},
		{`"string"`, `"bytes"`, "a", []byte("a"), ""},
		{`"bytes"`, `"string"`, []byte("a"), "a", ""},
		{`"long"`, `"int"`, int64(7), nil, "Found long, expecting int"},
		{`"int"`, `["null","string","long"]`, int32(7), int64(7), ""},
		{`["null","int"]`, `"int"`, int32(7), int32(7), ""},
		{`["null","int"]`, `"int"`, nil, nil, "Found null, expecting int"},
		{`["null","int"]`, `["double","null"]`, int32(7), 7.0, ""},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B"]}`, avroschema.Symbol("B"), avroschema.Symbol("B"), ""},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B"]}`, avroschema.Symbol("A"), nil, "No match for A"},
		{`{"type":"enum","name":"E","symbols":["A","B"]}`, `{"type":"enum","name":"E","symbols":["B"],"default":"B"}`, avroschema.Symbol("A"), avroschema.Symbol("B"), ""},
		{`{"type":"array","items":"int"}`, `{"type":"array","items":"long"}`, []any{int32(1)}, []any{int64(1)}, ""},
		{`{"type":"map","values":"int"}`, `{"type":"map","values":"long"}`, map[string]any{"a": int32(1)}, map[string]any{"a": int64(1)}, ""},
		{`{"type":"fixed","name":"F","size":1}`, `{"type":"fixed","name":"F","size":2}`, avroschema.Bin{1}, nil, "Found F, expecting F"},
	}
	refused := map[string]bool{}
	for _, c := range cases {
		w, r := parse(t, c.writer), parse(t, c.reader)
		b, err := w.Append(nil, c.value)
		if err != nil {
			t.Fatal(err)
		}
		v, _, err := avroschema.NewReader(w, r, 0).Decode(b)
		if (err == nil) != (c.err == "") || err != nil && err.Error() != c.err {
			t.Errorf("%s as %s: error %v, want %q", c.writer, c.reader, err, c.err)
		} else if d := cmp.Diff(c.want, v); d != "" {
			t.Errorf("%s as %s: %s", c.writer, c.reader, d)
		}
		refused[c.writer+c.reader] = refused[c.writer+c.reader] || c.err != ""
	}
	for _, c := range cases {
		if err := avroschema.Reads(parse(t, c.reader), parse(t, c.writer)); (err != nil) != refused[c.writer+c.reader] {
			t.Errorf("%s as %s: said of it is %v", c.writer, c.reader, err)
		}
	}
}

func TestRecordsEvolve(t *testing.T) {
	w := parse(t, `{"type":"record","name":"Order","fields":[{"name":"id","type":"int"},{"name":"gone","type":{"type":"map","values":{"type":"array","items":["null","Order"]}}},{"name":"price","type":"double"}]}`)
	r := parse(t, `{"type":"record","name":"Order","fields":[{"name":"cost","aliases":["price"],"type":"double"},{"name":"note","type":["null","string"],"default":null},
		{"name":"tags","type":{"type":"array","items":"string"},"default":["x"]},{"name":"id","type":"long"}]}`)
	inner := avroschema.NewDatum(w)
	copy(inner.Values, []any{int32(2), map[string]any{}, 1.0})
	d := avroschema.NewDatum(w)
	copy(d.Values, []any{int32(1), map[string]any{"a": []any{nil, inner}}, 2.5})
	b, err := w.Append(nil, d)
	if err != nil {
		t.Fatal(err)
	}
	v, rest, err := avroschema.NewReader(w, r, 0).Decode(b)
	if err != nil || len(rest) > 0 {
		t.Fatal(err, rest)
	}
	if diff := cmp.Diff([]any{2.5, nil, []any{"x"}, int64(1)}, v.(*avroschema.Datum).Values); diff != "" {
		t.Error(diff)
	}
	if err := avroschema.Reads(r, w); err != nil {
		t.Error(err)
	}
	want := "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'price' at path '/fields/2' in the new schema has no default value and is missing in the old schema', additionalInfo:'price'}"
	if err := avroschema.Reads(w, r); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "TYPE_MISMATCH") {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestRecursive reads a list whose reader takes another branch order, at some depth, and refuses one without end.
func TestRecursive(t *testing.T) {
	w := parse(t, `{"type":"record","name":"Node","fields":[{"name":"next","type":["null","Node"]}]}`)
	r := parse(t, `{"type":"record","name":"Node","fields":[{"name":"next","type":["Node","null"]}]}`)
	b := append(bytes.Repeat([]byte{2}, 500), 0)
	v, _, err := avroschema.NewReader(w, r, 0).Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	depth := 0
	for n := v.(*avroschema.Datum); n != nil; depth++ {
		n, _ = n.Get("next").(*avroschema.Datum)
	}
	if depth != 501 {
		t.Error(depth)
	}
	if _, _, err := avroschema.NewReader(w, r, 0).Decode(bytes.Repeat([]byte{2}, 1<<20)); err == nil || !strings.Contains(err.Error(), "nested deeper") {
		t.Error(err)
	}
	if err := avroschema.Reads(r, w); err != nil {
		t.Error(err)
	}
}

func TestClaimsOfSize(t *testing.T) {
	for schema, b := range map[string][]byte{
		`{"type":"array","items":"null"}`:                          {0xfe, 0xff, 0xff, 0xff, 0x7f},
		`{"type":"array","items":"int"}`:                           {0xfe, 0xff, 0xff, 0xff, 0x7f, 1},
		`{"type":"array","items":{"type":"array","items":"null"}}`: bytes.Repeat([]byte{0xfe, 0xff, 0x7f}, 1000),
		`"string"`: {0xfe, 0xff, 0xff, 0xff, 0x7f},
		`{"type":"record","name":"R","fields":[{"name":"r","type":"R"}]}`:   {},
		`{"type":"array","items":{"type":"record","name":"R","fields":[]}}`: {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01},
		`{"type":"fixed","name":"F","size":2000000000}`:                     {1},
	} {
		s := parse(t, schema)
		if v, _, err := avroschema.NewReader(s, s, 0).Decode(b); err == nil {
			t.Errorf("%s: %x is read as %v", schema, b, v)
		}
	}
}
