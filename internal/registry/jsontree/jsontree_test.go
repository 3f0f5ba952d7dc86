package jsontree_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

func TestText(t *testing.T) {
	for in, want := range map[string]string{
		`{"b":1,"a":[true,null,{"x":"y"}],"c":1.50}`: `{"b":1,"a":[true,null,{"x":"y"}],"c":1.50}`,
		" [ 1 , 2 ] ": `[1,2]`,
		`"\u00e9\ud83d\ude00\/\"\\\n\u0001\u2028"`: "\"é😀/\\\"\\\\\\n\\u0001\u2028\"",
		`{"a":1,"a":2}`:                        `{"a":2}`,
		`""`:                                   `""`,
		`[1e400,-0.0,12345678901234567890123]`: `[1e400,-0.0,12345678901234567890123]`,
	} {
		v, err := jsontree.Parse([]byte(in))
		if got := jsontree.String(v); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", in, got, err, want)
		}
	}
	for _, bad := range []string{"", "{", `{"a"}`, "[1,]", "1 2", "nul", `"\x"`, strings.Repeat("[", 2000)} {
		if v, err := jsontree.Parse([]byte(bad)); err == nil {
			t.Errorf("%.20s is read as %v", bad, v)
		}
	}
	if got := jsontree.String("a\xffb"); got != "\"a\ufffdb\"" {
		t.Errorf("%q", got)
	}
}

func TestJavaFloats(t *testing.T) {
	for f, want := range map[float64]string{1: "1.0", -0.5: "-0.5", 1e7: "1.0E7", 9999999: "9999999.0", 1e-3: "0.001", 9.99e-4: "9.99E-4", 1.5e300: "1.5E300",
		math.Inf(1): `"Infinity"`, math.Inf(-1): `"-Infinity"`, math.Copysign(0, -1): "-0.0"} {
		if got := jsontree.String(f); got != want && !(f == 0 && got == "0.0") {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
	if got := jsontree.String(float32(0.1)); got != "0.1" {
		t.Error(got)
	}
	if got := jsontree.String(math.NaN()); got != `"NaN"` {
		t.Error(got)
	}
}

func TestObjects(t *testing.T) {
	o := jsontree.Of("a", 1, "b", "x")
	for i := range 40 { // with an index, from some size on
		o.Set(fmt.Sprint(i), i)
	}
	o.Set("a", 2)
	if v, _ := o.Get("a"); v != 2 || o.Len() != 42 || o.Members[0].Name != "a" {
		t.Error(v, o.Len())
	}
	if v, ok := o.Get("39"); v != 39 || !ok {
		t.Error(v)
	}
	if _, ok := o.Get("none"); ok {
		t.Error("there is nothing")
	}
	if s, ok := o.Text("b"); s != "x" || !ok {
		t.Error(s)
	}
	var none *jsontree.Object
	if _, ok := none.Get("a"); ok || none.Len() != 0 {
		t.Error("nil has members")
	}
}

func TestEqual(t *testing.T) {
	parse := func(s string) any {
		v, err := jsontree.Parse([]byte(s))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	texts := []string{`{"a":1,"b":[1,{}]}`, `{"a":1}`, `{"a":1,"b":[1]}`, `[]`, `null`, `1`, `"1"`, `{}`}
	for i, a := range texts {
		for j, b := range texts {
			if got := jsontree.Equal(parse(a), parse(b)); got != (i == j) {
				t.Errorf("%s and %s: %v", a, b, got)
			}
		}
	}
	if !jsontree.Equal(parse(`{"b":2,"a":1}`), parse(`{"a":1,"b":2}`)) {
		t.Error("the order of members counts")
	}
}
