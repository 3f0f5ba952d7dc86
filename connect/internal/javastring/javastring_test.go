package javastring_test

import (
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

func TestSplit(t *testing.T) {
	for _, c := range []struct {
		s    string
		want []string
	}{
		{"", []string{""}}, {"a", []string{"a"}}, {"a,b", []string{"a", "b"}}, {",a", []string{"", "a"}}, {"a,,b,,", []string{"a", "", "b"}}, {",", nil}, {",,", nil},
	} {
		if got := javastring.Split(c.s, ","); !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.s, got, c.want)
		}
	}
}

func TestTrim(t *testing.T) {
	if got := javastring.Trim("\x00\t a\u00a0 \x1f"); got != "a\u00a0" { // no other white space
		t.Errorf("%q", got)
	}
	if !javastring.Blank("\x01 ") || javastring.Blank("\u2003") {
		t.Error("blank is what Trim leaves nothing of")
	}
}

// TestHashCode compares with what Java prints.
func TestHashCode(t *testing.T) {
	for s, want := range map[string]int32{"": 0, "a": 97, "hello": 99162322, "Aa": 2112, "BB": 2112, "\U0001f600": 1772899, "polygenelubricants": -2147483648} {
		if got := javastring.HashCode(s); got != want {
			t.Errorf("%q: %d, want %d", s, got, want)
		}
	}
}

// TestHashOrder: the order is that of buckets, and of coming within one; more entries have more buckets.
func TestHashOrder(t *testing.T) {
	if got := javastring.HashOrder([]string{"BB", "b", "Aa", "a", "q"}); !slices.Equal(got, []string{"BB", "Aa", "a", "q", "b"}) {
		t.Errorf("%q", got)
	}
	var many []string
	for c := 'z'; c > 'm'; c-- { // 13: 32 buckets
		many = append(many, string(c))
	}
	if got := javastring.HashOrder(many); got[0] != "n" || got[12] != "z" {
		t.Errorf("%q", got)
	}
}
