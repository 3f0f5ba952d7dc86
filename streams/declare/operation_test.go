package declare

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestOperationsAreThoseOfTheSchema compares the table of operations with the JSON Schema of the language.
func TestOperationsAreThoseOfTheSchema(t *testing.T) {
	b, err := os.ReadFile("../../internal/conformance/testdata/streams/app.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct {
		Defs struct {
			Step struct {
				OneOf []struct {
					Properties map[string]struct{ Const string }
					Required   []string
				}
			}
		} `json:"$defs"`
	}
	if err := json.Unmarshal(b, &schema); err != nil {
		t.Fatal(err)
	}
	type form struct{ Options, Needed []string }
	want, got := map[string]form{}, map[string]form{}
	for _, s := range schema.Defs.Step.OneOf {
		f := form{Options: slices.Sorted(maps.Keys(s.Properties)), Needed: slices.Sorted(slices.Values(s.Required))}
		want[s.Properties["op"].Const] = f
	}
	for name, o := range operations {
		f := form{Options: o.known(), Needed: []string{"id", "op"}}
		if o.inputs != none {
			f.Options, f.Needed = append(f.Options, "in"), append(f.Needed, "in")
		}
		for _, x := range o.opts {
			if x.needed {
				f.Needed = append(f.Needed, x.name)
			}
		}
		slices.Sort(f.Options)
		slices.Sort(f.Needed)
		got[name] = f
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "-5": -5, "+7": 7, "250ms": 250, "30s": 30_000, "5m": 300_000, "1h": 3_600_000, "7d": 604_800_000, "-2s": -2000,
		"9223372036854775807": 9223372036854775807} {
		if got, err := duration(text); got != want || err != nil {
			t.Errorf("%q: %d %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "s", "1w", "1.5s", "1 s", "soon", "99999999999999999999", "9223372036854775807d", "--1", "-+1", "0x10"} {
		if got, err := duration(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestSerdeNames(t *testing.T) {
	for name, values := range map[string][]any{
		"string": {"a"}, "bytes": {[]byte{1}}, "int": {int64(-1)}, "long": {int64(1)}, "short": {int64(7)}, "float": {1.5}, "double": {1.5}, "boolean": {true},
		"uuid": {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}, "json": {map[string]any{"a": nil}}, "list<int>": {[]any{int64(1), nil}}, "list<bytes>": {[]any{nil, []byte{2}}},
		"time-windowed<list<string>,1h>": {}, "session-windowed<time-windowed<long,5>>": {},
	} {
		s, err := Serde(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, v := range values {
			b, err := s.Append(nil, "t", v)
			if err != nil {
				t.Errorf("%s: %v: %v", name, v, err)
				continue
			}
			back, err := s.Decode("t", b)
			if d := cmp.Diff(v, back); d != "" || err != nil {
				t.Errorf("%s: %v %s", name, err, d)
			}
		}
		if _, err := s.Append(nil, "t", struct{}{}); err == nil {
			t.Errorf("%s: wrote a struct", name)
		}
	}
	for name, v := range map[string]any{"int": int64(1) << 31, "short": int64(-32769), "long": 1.0, "boolean": int64(1), "string": []byte("x"), "bytes": "x", "uuid": "x", "void": "x", "list<int>": []any{"x"}} {
		s, err := Serde(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Append(nil, "t", v); err == nil {
			t.Errorf("%s: wrote %v", name, v)
		}
	}
	if s, _ := Serde("double"); s != nil {
		if b, err := s.Append(nil, "t", int64(2)); err != nil || len(b) != 8 {
			t.Error("double: an int may be written", err)
		}
	}
	for _, name := range []string{"", "text", "list<>", "list<json>", "list<int", "time-windowed<string>", "time-windowed<string,soon>", "time-windowed<text,5>", "session-windowed<>", "int<int>"} {
		if _, err := Serde(name); err == nil {
			t.Errorf("%q is no serde", name)
		}
	}
}
