package transforms

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
)

// This file has what Java's own classes do with texts.

// javaTrim is String.trim.
func javaTrim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

// javaSplit is String.split at a text that is no pattern: empty parts at the end are left out.
func javaSplit(s, at string) []string {
	if s == "" {
		return []string{""}
	}
	parts := strings.Split(s, at)
	for len(parts) > 0 && parts[len(parts)-1] == "" {
		parts = parts[:len(parts)-1]
	}
	return parts
}

// blank is Kafka's Utils.isBlank.
func blank(s string) bool { return javaTrim(s) == "" }

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// asciiDigits replaces the digits of other scripts; ok is false where there is anything but a sign and digits.
func asciiDigits(s string) (string, bool) {
	b := make([]byte, 0, len(s))
	for i, r := range s {
		switch {
		case r == '+' || r == '-':
			if i > 0 {
				return "", false
			}
			b = append(b, byte(r))
		case r <= 0xffff && unicode.IsDigit(r):
			b = append(b, '0'+digitOf(r))
		default:
			return "", false
		}
	}
	return string(b), true
}

// digitOf is the value of a decimal digit of the basic plane: each script's begin with its zero.
func digitOf(r rune) byte {
	for _, x := range unicode.Nd.R16 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return byte((r - rune(x.Lo)) % 10)
		}
	}
	return 0
}

var floatText = regexp.MustCompile(`^([+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+))([fFdD]?)$`)

// parseFloat is Double.parseDouble and Float.parseFloat: blanks around are cut, what is too large is infinite.
func parseFloat(s string, bits int) (float64, bool) {
	m := floatText.FindStringSubmatch(javaTrim(s))
	if m == nil || m[2] != "" && (strings.HasSuffix(m[1], "NaN") || strings.HasSuffix(m[1], "Infinity")) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(strings.TrimPrefix(m[1], "+"), bits) // the error is that it is out of range; then f is an infinity or 0
	return f, true
}

// hashCode is String.hashCode.
func hashCode(s string) int32 {
	var h int32
	for _, c := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(c)
	}
	return h
}

// hashOrder returns the strings, which are distinct, in the order in which a java.util.HashMap has them as keys.
func hashOrder(all []string) []string {
	size := 16
	for len(all)*4 > size*3 {
		size *= 2
	}
	bucket := func(s string) int {
		h := uint32(hashCode(s))
		return int(h^h>>16) & (size - 1)
	}
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b string) int { return bucket(a) - bucket(b) })
	return out
}
