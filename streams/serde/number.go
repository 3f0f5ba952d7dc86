package serde

import (
	"encoding/binary"
	"math"
)

type shortSerde struct{}

// Short is 2 bytes, big-endian, signed.
func Short() Serde[int16] { return shortSerde{} }

func (shortSerde) String() string { return "short" }
func (shortSerde) FixedSize() int { return 2 }
func (shortSerde) Append(dst []byte, _ string, v int16) ([]byte, error) {
	return binary.BigEndian.AppendUint16(dst, uint16(v)), nil
}
func (s shortSerde) Decode(_ string, b []byte) (int16, error) {
	if len(b) != 2 {
		return 0, wrongSize(s, "Short", 2, len(b))
	}
	return int16(binary.BigEndian.Uint16(b)), nil
}

type floatSerde struct{}

// Float is IEEE 754 single precision, big-endian.
func Float() Serde[float32] { return floatSerde{} }

func (floatSerde) String() string { return "float" }
func (floatSerde) FixedSize() int { return 4 }
func (floatSerde) Append(dst []byte, _ string, v float32) ([]byte, error) {
	return binary.BigEndian.AppendUint32(dst, math.Float32bits(v)), nil
}
func (s floatSerde) Decode(_ string, b []byte) (float32, error) {
	if len(b) != 4 {
		return 0, wrongSize(s, "", 4, len(b))
	}
	return math.Float32frombits(binary.BigEndian.Uint32(b)), nil
}

func (longSerde) FixedSize() int   { return 8 }
func (intSerde) FixedSize() int    { return 4 }
func (doubleSerde) FixedSize() int { return 8 }

type booleanSerde struct{}

// Boolean is one byte, 0 or 1.
func Boolean() Serde[bool] { return booleanSerde{} }

func (booleanSerde) String() string { return "boolean" }
func (booleanSerde) Append(dst []byte, _ string, v bool) ([]byte, error) {
	if v {
		return append(dst, 1), nil
	}
	return append(dst, 0), nil
}
func (s booleanSerde) Decode(_ string, b []byte) (bool, error) {
	if len(b) != 1 {
		return false, wrongSize(s, "Boolean", 1, len(b))
	}
	if b[0] > 1 {
		return false, fail(s, "0 or 1 expected, not %d", b[0])
	}
	return b[0] == 1, nil
}
