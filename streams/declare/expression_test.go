package declare

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func TestExpressionValues(t *testing.T) {
	in := map[string]any{"b": int64(2), "a": int64(1), "c": []any{int64(3), "x"}, "n": nil, "f": 1.5, "raw": []byte{1}, "e": int64(5), "d": int64(4)}
	for _, c := range []struct {
		text string
		want any
	}{
		{"value.a + 1", int64(2)},
		{"value.n", nil},
		{"null", nil},
		{"value.f * 2.0", 3.0},
		{"value.raw", []byte{1}},
		{"value.c", []any{int64(3), "x"}},
		{"value.c + [key]", []any{int64(3), "x", "k"}},
		{"[value.c, [1u, b'z', null]]", []any{[]any{int64(3), "x"}, []any{int64(1), []byte("z"), nil}}},
		{"{'x': value.c, 'y': {'z': true}}", map[string]any{"x": []any{int64(3), "x"}, "y": map[string]any{"z": true}}},
		{"value.a > 0 ? dyn(null) : dyn('a')", nil},
		{"value.a == 1.0", true},
		{"window", nil},
		{"value.map(k, k)", []any{"a", "b", "c", "d", "e", "f", "n", "raw"}},
		{"{3: 'x', 1: 'y', 2: 'z'}.map(k, k)", []any{int64(1), int64(2), int64(3)}},
		{"value.filter(k, k < 'c').map(k, value[k])", []any{int64(1), int64(2)}},
		{"[3, 1, 2].map(x, x * 2)", []any{int64(6), int64(2), int64(4)}},
		{"value.exists(k, value.map(j, j)[0] == k)", true},
	} {
		for range 3 { // the order of Go's maps must not show
			got, err := compiled(t, c.text, recordVars).value(&record{"k", in})
			if err != nil {
				t.Errorf("%s: %v", c.text, err)
				break
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("%s: %s", c.text, d)
				break
			}
		}
	}
}

func TestWindowedKey(t *testing.T) {
	k := serde.Windowed[any]{Key: "AA", Window: serde.Window{Start: 10, End: 20}}
	got, err := compiled(t, "[key, window.start, window.end, value]", recordVars).value(&record{k, int64(1)})
	if d := cmp.Diff([]any{"AA", int64(10), int64(20), int64(1)}, got); d != "" || err != nil {
		t.Error(d, err)
	}
}

func TestExpressionFailures(t *testing.T) {
	vars := &record{"k", map[string]any{"a": int64(1)}}
	check := func(text string, err error, want string) {
		t.Helper()
		var e *ExpressionError
		if !errors.As(err, &e) {
			t.Errorf("%s: %v: want an ExpressionError", text, err)
			return
		}
		if !strings.Contains(err.Error(), want) || e.Message() != "cannot evaluate: "+text || e.Class() != "ExpressionException" {
			t.Errorf("%s: %v, message %q", text, err, e.Message())
		}
	}
	e := func(text string) *expression { return compiled(t, text, recordVars) }
	_, err := e("value.b").value(vars)
	check("value.b", err, "no such key: b")
	_, err = e("1 / 0").value(vars)
	check("1 / 0", err, "division by zero")
	_, err = e("value.a").truth(vars)
	check("value.a", err, "of type int, and a bool is needed")
	_, err = e("key").number(vars)
	check("key", err, "of type string, and an int is needed")
	_, err = e("value.a").string(vars)
	check("value.a", err, "a string is needed")
	_, err = e("value").list(vars)
	check("value", err, "a list is needed")
	_, err = e("{1: 2, 3: 4}").value(vars)
	check("{1: 2, 3: 4}", err, "a map with the key 1: keys must be strings")
	_, err = e("timestamp(0)").value(vars)
	check("timestamp(0)", err, "is no value of a record")
	_, err = e("18446744073709551615u").value(vars)
	check("18446744073709551615u", err, "too large")
}
