package data

import (
	"math"
	"strconv"
)

// DoubleText is Java's Double.toString: 1.0, 1.0E10, 1.0E-5, NaN, -Infinity.
func DoubleText(f float64) string { return string(AppendDouble(nil, f)) }

// FloatText is Java's Float.toString.
func FloatText(f float32) string { return string(AppendFloat(nil, f)) }

// AppendDouble appends Double.toString.
func AppendDouble(b []byte, f float64) []byte { return appendJava(b, f, 64) }

// AppendFloat appends Float.toString.
func AppendFloat(b []byte, f float32) []byte { return appendJava(b, float64(f), 32) }

func appendJava(b []byte, f float64, bits int) []byte {
	switch {
	case f != f:
		return append(b, "NaN"...)
	case math.IsInf(f, 1):
		return append(b, "Infinity"...)
	case math.IsInf(f, -1):
		return append(b, "-Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			b = append(b, '-')
		}
		return append(b, "0.0"...)
	}
	if a := math.Abs(f); a >= 1e-3 && a < 1e7 {
		from := len(b)
		b = strconv.AppendFloat(b, f, 'f', -1, bits)
		return withPoint(b, from)
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], f, 'e', -1, bits)
	e := len(s) - 1
	for s[e] != 'e' {
		e--
	}
	from := len(b)
	b = withPoint(append(b, s[:e]...), from)
	b = append(b, 'E')
	exp, _ := strconv.Atoi(string(s[e+1:])) // what AppendFloat wrote
	return strconv.AppendInt(b, int64(exp), 10)
}

// withPoint appends ".0" to digits from b[from:] that have no point.
func withPoint(b []byte, from int) []byte {
	for _, c := range b[from:] {
		if c == '.' {
			return b
		}
	}
	return append(b, ".0"...)
}
