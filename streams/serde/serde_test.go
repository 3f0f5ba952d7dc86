package serde_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// pair is a value and its bytes, as Kafka's serializers write them.
type pair[T any] struct {
	value T
	hex   string
}

func both[T any](t *testing.T, s serde.Serde[T], pairs ...pair[T]) {
	t.Helper()
	for _, p := range pairs {
		want, err := hex.DecodeString(p.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Append([]byte("before"), "t", p.value)
		if err != nil || !bytes.Equal(got, append([]byte("before"), want...)) {
			t.Errorf("%s: write %v: %x %v, want %x", s, p.value, got, err, want)
		}
		back, err := s.Decode("t", want)
		if d := cmp.Diff(p.value, back); d != "" || err != nil {
			t.Errorf("%s: read %x: %v %s", s, want, err, d)
		}
	}
}

// refuse checks that bytes cannot be read, and what Kafka says of them.
func refuse[T any](t *testing.T, s serde.Serde[T], message string, raw ...[]byte) {
	t.Helper()
	for _, b := range raw {
		v, err := s.Decode("t", b)
		var e *serde.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: read %x: %v %v: want an error", s, b, v, err)
			continue
		}
		if message != "" && e.Message() != message {
			t.Errorf("%s: read %x: message %q, want %q", s, b, e.Message(), message)
		}
		if e.Class() != "org.apache.kafka.common.errors.SerializationException" {
			t.Error(e.Class())
		}
	}
}

func TestNumbers(t *testing.T) {
	both(t, serde.Short(), pair[int16]{-2, "fffe"}, pair[int16]{258, "0102"})
	both(t, serde.Int(), pair[int32]{-2, "fffffffe"}, pair[int32]{math.MaxInt32, "7fffffff"})
	both(t, serde.Long(), pair[int64]{-2, "fffffffffffffffe"}, pair[int64]{1, "0000000000000001"})
	both(t, serde.Float(), pair[float32]{1.5, "3fc00000"}, pair[float32]{float32(math.Inf(-1)), "ff800000"})
	both(t, serde.Double(), pair[float64]{1.5, "3ff8000000000000"}, pair[float64]{math.Copysign(0, -1), "8000000000000000"})
	both(t, serde.Boolean(), pair[bool]{true, "01"}, pair[bool]{false, "00"})
	odd := []byte{1, 2, 3}
	refuse(t, serde.Short(), "Size of data received by ShortDeserializer is not 2", odd, nil)
	refuse(t, serde.Int(), "Size of data received by IntegerDeserializer is not 4", odd)
	refuse(t, serde.Long(), "Size of data received by LongDeserializer is not 8", odd)
	refuse(t, serde.Float(), "Size of data received by Deserializer is not 4", odd)
	refuse(t, serde.Double(), "Size of data received by Deserializer is not 8", odd)
	refuse(t, serde.Boolean(), "Size of data received by BooleanDeserializer is not 1", odd)
	refuse(t, serde.Boolean(), "", []byte{2})
	refuse(t, serde.Nothing(), "", []byte{}, odd)
}

func TestUUID(t *testing.T) {
	const text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
	u, err := serde.ParseUUID(text)
	if err != nil || u.String() != text {
		t.Error(u, err)
	}
	both(t, serde.Uuid(), pair[serde.UUID]{u, hex.EncodeToString([]byte(text))})
	short, err := serde.ParseUUID("1-2-3-4-A")
	if err != nil || short.String() != "00000001-0002-0003-0004-00000000000a" {
		t.Error(short, err)
	}
	refuse(t, serde.Uuid(), "", []byte("x"), []byte("1-2-3-4-"), []byte("1-2-3-4-5-6"), []byte("+1-2-3-4-5"), []byte("g-2-3-4-5"))
}

func TestList(t *testing.T) {
	both(t, serde.List(serde.Int()), pair[[]int32]{[]int32{1, 2}, "00" + "00000000" + "00000002" + "00000001" + "00000002"}, pair[[]int32]{[]int32{}, "00" + "00000000" + "00000000"})
	both(t, serde.List(serde.String()), pair[[]string]{[]string{"a", ""}, "01" + "00000002" + "00000001" + "61" + "00000000"})
	anyInts := serde.List[any](serde.Dynamic(serde.Int()))
	refuse(t, anyInts, "", []byte{0}, nil)
	both(t, serde.List(serde.Dynamic(serde.String())), pair[[]any]{[]any{nil, "b"}, "01" + "00000002" + "ffffffff" + "00000001" + "62"})
	s := serde.List(serde.Int())
	refuse(t, s, "", []byte{}, []byte{1, 0, 0, 0, 0}, []byte{0, 0xff, 0xff, 0xff, 0xff}, []byte{0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}, []byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2})
	refuse(t, serde.List(serde.String()), "", []byte{1, 0, 0, 0, 1, 0, 0, 0, 9}, []byte{1, 0x7f, 0xff, 0xff, 0xff})
}

func TestWindowed(t *testing.T) {
	key := serde.Windowed[string]{Key: "AA", Window: serde.Window{Start: 5, End: 15}}
	both(t, serde.TimeWindowed(serde.String(), 10), pair[serde.Windowed[string]]{key, "4141" + "0000000000000005"})
	both(t, serde.SessionWindowed(serde.String()), pair[serde.Windowed[string]]{key, "4141" + "000000000000000f" + "0000000000000005"})
	refuse(t, serde.TimeWindowed(serde.String(), 10), "", []byte("7 bytes"))
	refuse(t, serde.SessionWindowed(serde.String()), "", []byte("fifteen bytes.."))
	if end := serde.WindowEnd(math.MaxInt64-3, 10); end != math.MaxInt64 {
		t.Error(end)
	}
	dynamic := serde.Dynamic(serde.SessionWindowed(serde.Dynamic(serde.String())))
	inner, err := dynamic.(serde.InnerAppender[any]).AppendInner(nil, "t", serde.Windowed[any]{Key: "AA", Window: key.Window})
	if err != nil || string(inner) != "AA" {
		t.Errorf("%q %v", inner, err)
	}
	if _, err := dynamic.Append(nil, "t", "no window"); err == nil {
		t.Error("a key without a window was written")
	}
}

// TestMalformedText compares with what java.lang.String makes of malformed UTF-8.
func TestMalformedText(t *testing.T) {
	const bad = "\ufffd"
	for raw, want := range map[string]string{
		"a\xffb": "a" + bad + "b", "\xe2\x82": bad, "\xe2\x82z": bad + "z", "\xf0\x9f\x98": bad, "\xc0\x80": bad + bad, "\xed\xa0\x80": bad + bad + bad,
		"\xe0\x80\x80": bad + bad + bad, "\xf4\x90\x80\x80": bad + bad + bad + bad, "\xf0\x9f\x98\x80": "😀", "\xf5a": bad + "a",
	} {
		got, err := serde.String().Decode("t", []byte(raw))
		if got != want || err != nil {
			t.Errorf("%q: %q %v, want %q", raw, got, err, want)
		}
	}
}
