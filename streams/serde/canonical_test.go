package serde_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func TestCanonicalJSONWrites(t *testing.T) {
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "null"}, {true, "true"}, {int64(-7), "-7"}, {[]any{}, "[]"}, {map[string]any{}, "{}"},
		{1.0, "1.0"}, {-0.5, "-0.5"}, {math.Copysign(0, -1), "-0.0"}, {0.0, "0.0"}, {1e20, "100000000000000000000.0"}, {1e21, "1e+21"}, {1.5e300, "1.5e+300"},
		{1e-6, "0.000001"}, {1e-7, "1e-7"}, {1.25e-10, "1.25e-10"}, {5e-324, "5e-324"}, {0.30000000000000004, "0.30000000000000004"}, {123456789.125, "123456789.125"},
		{"\"\\/\b\f\n\r\t\x00\x1f\x7fé\u2028😀<>&", "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\x7fé\u2028😀<>&\""},
		{[]byte{0xff, 0xfe}, `"//4="`},
		{map[string]any{"b": int64(1), "a": []any{nil, "x"}, "é": 1.0, "Z": false, "\uffff": int64(1), "😀": int64(2)}, `{"Z":false,"a":[null,"x"],"b":1,"é":1.0,"` + "\uffff" + `":1,"😀":2}`},
	} {
		got, err := serde.CanonicalJSON().Append(nil, "t", c.value)
		if string(got) != c.want || err != nil {
			t.Errorf("%v: %s %v, want %s", c.value, got, err, c.want)
		}
	}
	deep := any(int64(1))
	for range 600 {
		deep = []any{deep}
	}
	for _, v := range []any{math.NaN(), math.Inf(1), []any{math.Inf(-1)}, int(1), map[string]any{"x": struct{}{}}, map[string]int{}, deep} {
		got, err := serde.CanonicalJSON().Append([]byte("x"), "t", v)
		var e *serde.Error
		if !errors.As(err, &e) || e.Message() != "cannot serialize this value" || string(got) != "x" {
			t.Errorf("%T: %q %v: want an error", v, got, err)
		}
	}
}

func TestCanonicalJSONReads(t *testing.T) {
	for text, want := range map[string]any{
		"null": nil, " true ": true, "false": false, "0": int64(0), "-0": int64(0), "9223372036854775807": int64(math.MaxInt64), "-9223372036854775808": int64(math.MinInt64),
		"9223372036854775808": 9223372036854775808.0, "1.0": 1.0, "1e2": 100.0, "-1.5E-3": -0.0015, "1e400": math.Inf(1), "[]": []any{}, "{}": map[string]any{},
		"[1, 2.5 ,\"x\",null]": []any{int64(1), 2.5, "x", nil}, "{\"a\":{\"b\":[true]},\n\t\"c\":\"\"}": map[string]any{"a": map[string]any{"b": []any{true}}, "c": ""},
		`{"a":1,"a":2}`: map[string]any{"a": int64(2)},
		`"\"\\\/\b\f\n\r\t\u0041\u00e9\ud83d\ude00"`: "\"\\/\b\f\n\r\tAé😀",
		`"\ud83d"`:       "\ufffd",
		`"\ude00x"`:      "\ufffdx",
		`"\ud83d\u0041"`: "\ufffdA",
		"\"\xff\"":       "\ufffd",
	} {
		got, err := serde.CanonicalJSON().Decode("t", []byte(text))
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", text, err, d)
		}
	}
	for _, text := range []string{"", " ", "{", "}", "[1,]", "[1 2]", "[", `{"a"}`, `{"a":}`, `{"a":1,}`, `{a:1}`, "01", "-", "1.", ".5", "1e", "1e+", "+1", "--1", "tru", "nullx", "1 2", `"`, `"\x"`, `"\u12"`,
		`"\u+123"`, "\"\n\"", "\"a\\n\n\"", "'a'", "NaN", "\ufeff1", strings.Repeat("[", 600) + strings.Repeat("]", 600)} {
		got, err := serde.CanonicalJSON().Decode("t", []byte(text))
		var e *serde.Error
		if !errors.As(err, &e) || e.Message() != "not a JSON value" || got != nil {
			t.Errorf("%q: %v %v: want an error", text, got, err)
		}
	}
}

// FuzzCanonicalJSON: what encoding/json accepts is accepted and the reverse, and what was read is written in one form that reads back.
func FuzzCanonicalJSON(f *testing.F) {
	for _, s := range []string{`{"b":[1,2.5,-0,1e400,"x\u00e9\ud83d"],"a":null}`, `"\ud800\udc00"`, "[[[]]]", "1e-7", "{\"\xff\":1}", "\t1 ", "01", `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	s := serde.CanonicalJSON()
	f.Fuzz(func(t *testing.T, data []byte) {
		v, err := s.Decode("t", data)
		if nested := bytes.Count(data, []byte("[")) + bytes.Count(data, []byte("{")); (err == nil) != json.Valid(data) && nested <= 512 {
			t.Fatalf("%q: %v, and encoding/json says valid=%v", data, err, json.Valid(data))
		}
		if err != nil {
			return
		}
		one, err := s.Append(nil, "t", v)
		if err != nil {
			return // an infinity: read as in Java, and not written
		}
		back, err := s.Decode("t", one)
		if d := cmp.Diff(v, back); d != "" || err != nil {
			t.Fatalf("%q was written as %q: %v %s", data, one, err, d)
		}
		if again, err := s.Append(nil, "t", back); err != nil || !bytes.Equal(one, again) {
			t.Fatalf("%q, then %q %v", one, again, err)
		}
	})
}
