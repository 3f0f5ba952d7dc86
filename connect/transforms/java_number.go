package transforms

import (
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// This file reads numbers as Java's own classes do.

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
	m := floatText.FindStringSubmatch(javastring.Trim(s))
	if m == nil || m[2] != "" && (strings.HasSuffix(m[1], "NaN") || strings.HasSuffix(m[1], "Infinity")) {
		return 0, false
	}
	f, _ := strconv.ParseFloat(strings.TrimPrefix(m[1], "+"), bits) // the error is that it is out of range; then f is an infinity or 0
	return f, true
}
