package serde_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// fits says that T has a serde of its own, and that it reads what it writes.
func fits[T comparable](t *testing.T, v T) {
	t.Helper()
	s, ok := serde.For[T]()
	if !ok {
		t.Errorf("%T has no serde", v)
		return
	}
	b, err := s.Append(nil, "t", v)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Decode("t", b); err != nil || got != v {
		t.Errorf("%T: %v, %v: want %v", v, got, err, v)
	}
}

func TestFor(t *testing.T) {
	fits(t, "text")
	fits(t, true)
	fits(t, int16(-2))
	fits(t, int32(-3))
	fits(t, int64(-4))
	fits(t, float32(1.5))
	fits(t, 2.5)
	fits(t, serde.UUID{1, 2})
	if s, ok := serde.For[[]byte](); !ok || s == nil {
		t.Error("[]byte has no serde")
	}
	if s, ok := serde.For[serde.Void](); !ok || s == nil {
		t.Error("Void has no serde")
	}
	if s, ok := serde.For[any](); ok || s != nil {
		t.Error("any has a serde: which?")
	}
	if _, ok := serde.For[struct{ N int }](); ok {
		t.Error("a struct has a serde: which?")
	}
	type word string
	if _, ok := serde.For[word](); ok {
		t.Error("a named type has the serde of another")
	}
}
