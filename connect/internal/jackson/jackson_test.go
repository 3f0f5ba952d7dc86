package jackson_test

import (
	"math"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// TestAppend: strings and numbers as Jackson writes them.
func TestAppend(t *testing.T) {
	for s, want := range map[string]string{
		"a\"\\/\u007f\u2028é": `"a\"\\/` + "\u007f\u2028é\"", "\b\f\n\r\t\x01": `"\b\f\n\r\t\u0001"`, "\U0001f600": `"\uD83D\uDE00"`, "a\xffb": "\"a\ufffdb\"", "": `""`,
	} {
		if got := string(jackson.AppendString(nil, s)); got != want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
	for f, want := range map[float64]string{1e10: "1.0E10", 0.1: "0.1", 100: "100.0", math.Inf(-1): `"-Infinity"`} {
		if got := string(jackson.AppendDouble(nil, f)); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	if got := string(jackson.AppendFloat(nil, float32(math.NaN()))); got != `"NaN"` {
		t.Error(got)
	}
}

// TestPlain reads JSON without a schema.
func TestPlain(t *testing.T) {
	var x jackson.Plain
	for text, want := range map[string]string{
		`{"a":1,"b":[true,null,"x"],"a":2}`: `{a=2, b=[true, null, x]}`, // the place of the first, the value of the last
		` -12 `:                             "-12", `1.50`: "1.5", `9223372036854775808`: "-9223372036854775808", "1E400": "Infinity", `"\ud83d\ude00\/\u0041"`: "\U0001f600/A", `[]`: "[]", `{} trailing`: "{}",
	} {
		v, err := x.Parse([]byte(text))
		if err != nil || data.Text(v) != want {
			t.Errorf("%s: %s %v, want %s", text, data.Text(v), err, want)
		}
	}
	for _, text := range []string{`{"a"}`, `{"a":1,}`, `[1 2]`, `"\x"`, `nul`, `-`, `1.`, `"a`, `{a:1}`, "\"\n\"", strings.Repeat("[", 2000)} {
		if v, err := x.Parse([]byte(text)); err == nil {
			t.Errorf("%.20s is read as %v", text, v)
		}
	}
}

// TestDocument reads JSON whose parts are asked for.
func TestDocument(t *testing.T) {
	var d jackson.Document
	n, err := d.Parse([]byte(`{"schema":{"type":"int32"},"payload":[1.25,"QQ=="],"payload":[7,"QUI="]}`))
	if err != nil {
		t.Fatal(err)
	}
	p, ok := n.Get("payload")
	if !ok || p.Len() != 2 {
		t.Fatalf("payload: %v", ok)
	}
	first := p.First()
	if first.Int64() != 7 || !first.IsInt() || first.Decimal().String() != "7" || first.Float64() != 7 {
		t.Errorf("%s: the last of two members of a name counts", first.Raw())
	}
	if b, ok := first.Next().Bytes(); !ok || string(b) != "AB" {
		t.Errorf("%q %v", b, ok)
	}
	if _, ok := n.Get("nope"); ok {
		t.Error("there is no such member")
	}
	s, _ := n.Get("schema")
	if k, _ := s.Get("type"); !k.Is("int32") || k.Text() != "int32" {
		t.Errorf("%s", k.Raw())
	}
	if !d.Whole() {
		t.Error("nothing follows")
	}
}

// TestBase64 is strict: the standard alphabet, padded.
func TestBase64(t *testing.T) {
	for s, want := range map[string]bool{"": true, "QQ==": true, "QQ": false, "QQ=": false, "-_==": false, "Q Q=": false, "QUJD": true} {
		if _, ok := jackson.Base64([]byte(s)); ok != want {
			t.Errorf("%q: %v, want %v", s, ok, want)
		}
	}
}
