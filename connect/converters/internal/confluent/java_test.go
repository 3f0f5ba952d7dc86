package confluent_test

import (
	"fmt"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// TestJavaHash compares with Java's hashCode.
func TestJavaHash(t *testing.T) {
	for _, c := range []struct {
		v    any
		want int32
	}{
		{"Aa", 2112}, {"BB", 2112}, {"\U0001f600", 1772899}, {int8(-1), -1}, {int16(-300), -300}, {int32(7), 7}, {int64(1) << 32, 1}, {int64(-1), 0}, {true, 1231}, {false, 1237}, {nil, 0},
	} {
		if got := int32(confluent.JavaHash(c.v)); got != c.want {
			t.Errorf("%v: %d, want %d", c.v, got, c.want)
		}
	}
}

func TestHashOrder(t *testing.T) {
	entries := func(keys ...any) (out []data.Entry) {
		for _, k := range keys {
			out = append(out, data.Entry{Key: k})
		}
		return out
	}
	keys := func(all []data.Entry) string {
		s := ""
		for _, e := range all {
			s += fmt.Sprint(e.Key) + " "
		}
		return s
	}
	for _, c := range []struct {
		in      []data.Entry
		buckets int
		want    string
	}{
		{entries(int32(17), int32(2), int32(1)), 16, "17 1 2 "},
		{entries(int32(17), int32(2), int32(1)), 2, "17 1 2 "}, // grows to 4: 17 and 1 are in one bucket, in the order that they came
		{entries("b", "a", "q"), 16, "a q b "},
		{entries("one"), 16, "one "},
	} {
		got := keys(confluent.HashOrder(c.in, c.buckets))
		if got != c.want {
			t.Errorf("%s in %d buckets: %s, want %s", keys(c.in), c.buckets, got, c.want)
		}
	}
	if got := keys(confluent.UTF8Order(entries("b", "a", "q"), 16)); got != "a q b " { // Utf8's hash of one byte is 31 + it: 129, 128, 144
		t.Errorf("%s", got)
	}
}

func TestScrub(t *testing.T) {
	for _, c := range []struct {
		name   string
		strict bool
		want   string
	}{
		{"", true, ""}, {"a.b-c d", false, "a_b_c_d"}, {"é", false, "_C3_A9"}, {"1a", false, "x1a"}, {"_a", false, "_a"}, {"_a", true, "x_a"}, {"a+b", true, "a_2Bb"},
	} {
		if got := confluent.Scrub(c.name, c.strict); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.name, c.strict, got, c.want)
		}
	}
}

// TestSchemas: what was made of a schema is found by its identity, and by its content.
func TestSchemas(t *testing.T) {
	c := confluent.NewSchemas[int](host.NewMachine(), 10)
	n := 0
	get := func(s *data.Schema) int {
		v, err := c.Get(s, func() (int, error) { n++; return n, nil })
		if err != nil {
			t.Error(err)
		}
		return v
	}
	build := func(name string) *data.Schema {
		return data.NewStructBuilder().Name(name).Field("a", data.StringSchema).MustBuild()
	}
	a := build("a")
	for i, x := range []struct {
		s    *data.Schema
		want int
	}{{a, 1}, {a, 1}, {build("a"), 1}, {build("b"), 2}, {nil, 3}, {nil, 3}, {a, 1}} {
		if got := get(x.s); got != x.want {
			t.Errorf("%d: %d, want %d", i, got, x.want)
		}
	}
}
