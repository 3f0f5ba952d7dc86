// Package serde is for turning keys and values into the bytes that Apache Kafka's own serializers write, and back.
//
// A serde never sees a null: a null key or value has no bytes, and a record's NullKey and NullValue say so.
package serde

import (
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

// Serde writes and reads one type: Kafka's Serializer and Deserializer.
//
// Append appends v's bytes to dst and returns the longer slice. Decode may keep b, which is immutable. topic is the topic that the
// record goes to or comes from; most serdes do not look at it. Both may be called from several tasks, one at a time each.
type Serde[T any] interface {
	Append(dst []byte, topic string, v T) ([]byte, error)
	Decode(topic string, b []byte) (T, error)
	// String is the serde's name in app.yaml and in messages.
	String() string
}

// TextDecoder is for serdes whose values are parts of a text: DecodeText is Decode of a text that is the caller's copy already, and need not be
// copied again. A source reads keys and values of such serdes with one allocation a record.
type TextDecoder[T any] interface {
	DecodeText(topic string, text string) (T, error)
}

// Error is org.apache.kafka.common.errors.SerializationException.
type Error struct {
	Serde string
	Err   error
	// Kafka is what Kafka says, where that is something else; it is read in dead letters.
	Kafka string
}

// Message is Kafka's message.
func (e *Error) Message() string {
	if e.Kafka != "" {
		return e.Kafka
	}
	return e.Err.Error()
}

func (e *Error) Error() string { return fmt.Sprintf("serde %s: %v", e.Serde, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Class is Kafka's name of the error kind.
func (e *Error) Class() string { return "org.apache.kafka.common.errors.SerializationException" }

func fail(s fmt.Stringer, format string, args ...any) error {
	return &Error{Serde: s.String(), Err: fmt.Errorf(format, args...)}
}

// wrongSize is what Kafka's deserializers of numbers say.
func wrongSize(s fmt.Stringer, kafka string, want, got int) error {
	return &Error{s.String(), fmt.Errorf("%d bytes expected, not %d", want, got), fmt.Sprintf("Size of data received by %sDeserializer is not %d", kafka, want)}
}

type stringSerde struct{}

// String is UTF-8 text. As in Java, malformed input is read with U+FFFD in its place.
func String() Serde[string] { return stringSerde{} }

func (stringSerde) String() string { return "string" }
func (stringSerde) Append(dst []byte, _ string, v string) ([]byte, error) {
	return append(dst, v...), nil
}
func (stringSerde) Decode(_ string, b []byte) (string, error) {
	return text(b), nil
}
func (stringSerde) DecodeText(_ string, s string) (string, error) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return text([]byte(s)), nil
}

// text is b as UTF-8, with one U+FFFD for each longest run of bytes that begins a character and does not end it, as in Java.
func text(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = broken(b)
		}
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return string(out)
}

// broken is how many bytes of a malformed character at the start of b stand for one U+FFFD: those that could still have become one.
func broken(b []byte) int {
	lo, hi, size := byte(0x80), byte(0xbf), 1
	switch c := b[0]; {
	case c >= 0xc2 && c <= 0xdf:
		size = 2
	case c == 0xe0:
		lo, size = 0xa0, 3
	case c == 0xed:
		hi, size = 0x9f, 3
	case c >= 0xe1 && c <= 0xef:
		size = 3
	case c == 0xf0:
		lo, size = 0x90, 4
	case c >= 0xf1 && c <= 0xf3:
		size = 4
	case c == 0xf4:
		hi, size = 0x8f, 4
	}
	n := 1
	for n < size && n < len(b) && b[n] >= lo && b[n] <= hi {
		lo, hi = 0x80, 0xbf
		n++
	}
	return n
}

type bytesSerde struct{}

// Bytes is the bytes as they are. Decode does not copy.
func Bytes() Serde[[]byte] { return bytesSerde{} }

func (bytesSerde) String() string { return "bytes" }
func (bytesSerde) Append(dst []byte, _ string, v []byte) ([]byte, error) {
	return append(dst, v...), nil
}
func (bytesSerde) Decode(_ string, b []byte) ([]byte, error) { return b, nil }

type longSerde struct{}

// Long is 8 bytes, big-endian, signed.
func Long() Serde[int64] { return longSerde{} }

func (longSerde) String() string { return "long" }
func (longSerde) Append(dst []byte, _ string, v int64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}
func (s longSerde) Decode(_ string, b []byte) (int64, error) {
	if len(b) != 8 {
		return 0, wrongSize(s, "Long", 8, len(b))
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

type intSerde struct{}

// Int is 4 bytes, big-endian, signed.
func Int() Serde[int32] { return intSerde{} }

func (intSerde) String() string { return "int" }
func (intSerde) Append(dst []byte, _ string, v int32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, uint32(v)), nil
}
func (s intSerde) Decode(_ string, b []byte) (int32, error) {
	if len(b) != 4 {
		return 0, wrongSize(s, "Integer", 4, len(b))
	}
	return int32(binary.BigEndian.Uint32(b)), nil
}

type doubleSerde struct{}

// Double is IEEE 754 double precision, big-endian.
func Double() Serde[float64] { return doubleSerde{} }

func (doubleSerde) String() string { return "double" }
func (doubleSerde) Append(dst []byte, _ string, v float64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), nil
}
func (s doubleSerde) Decode(_ string, b []byte) (float64, error) {
	if len(b) != 8 {
		return 0, wrongSize(s, "", 8, len(b))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(b)), nil
}
