package schemas_test

import (
	"errors"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

func named(t *testing.T, name string) *data.Schema {
	t.Helper()
	s, err := data.NewStructBuilder().Name(name).Version(3).Doc("d").Parameter("p", "q").Optional().Field("a", data.StringSchema).Build()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCache(t *testing.T) {
	c := schemas.Cache[int]{Size: 2}
	made := 0
	get := func(record, value *data.Schema) int {
		v, err := c.Get(record, value, func() (int, error) { made++; return made, nil })
		if err != nil {
			t.Error(err)
		}
		return v
	}
	a, b, d := named(t, "a"), named(t, "b"), named(t, "d")
	for i, x := range []struct {
		record, value *data.Schema
		want          int
	}{
		{a, nil, 1}, {a, nil, 1}, {named(t, "a"), nil, 1}, // the same content
		{a, a, 2}, {a, nil, 1},
		{b, nil, 3}, // a, a was used least lately
		{a, nil, 1}, {a, a, 4}, {d, nil, 5}, {b, nil, 6},
	} {
		if got := get(x.record, x.value); got != x.want {
			t.Errorf("%d: %d, want %d", i, got, x.want)
		}
	}
	_, err := c.Get(named(t, "e"), nil, func() (int, error) { return 0, errors.New("no") })
	if err == nil {
		t.Error("the error is gone")
	}
	if got := get(named(t, "e"), nil); got != 7 {
		t.Errorf("an error is remembered: %d", got)
	}
}

// TestBasics: name, version, doc and parameters are copied; that the struct is optional is not.
func TestBasics(t *testing.T) {
	got, err := schemas.Basics(named(t, "a"), data.NewStructBuilder()).Field("a", data.StringSchema).Build()
	if err != nil {
		t.Fatal(err)
	}
	want, err := data.NewStructBuilder().Name("a").Version(3).Doc("d").Parameter("p", "q").Field("a", data.StringSchema).Build()
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(want) || got.Optional() {
		t.Errorf("%v", got)
	}
	of, err := schemas.SameType(data.ArrayOf(data.Int32Schema).Name("n").MustBuild()).Build()
	if err != nil || of.ValueSchema() != data.Int32Schema || of.Name() != "n" {
		t.Errorf("%v %v", of, err)
	}
}
