package debezium

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// adjuster makes a name that Avro takes: Debezium's SchemaNameAdjuster.
type adjuster struct {
	replace         func(c uint16) string // nil: names stay
	underscoreFirst bool                  // whether an underscore may stay
	dots            bool
	keepDigit       bool // whether a digit at the beginning stays behind its replacement
}

func underscore(uint16) string { return "_" }

func unicodeEscape(c uint16) string {
	hex := fmt.Sprintf("%x", c)
	if len(hex) <= 2 {
		hex = "00" + hex
	}
	return "_u" + hex
}

// adjusterModes are those that properties may name.
var adjusterModes = []string{"none", "avro", "avro_unicode"}

// adjusterOf is the adjuster of a mode, for names of schemas or of fields.
func adjusterOf(mode string, fields bool) adjuster {
	switch strings.ToLower(javastring.Trim(mode)) {
	case "avro":
		return adjuster{underscore, true, !fields, true}
	case "avro_unicode":
		return adjuster{unicodeEscape, false, !fields, false}
	}
	return adjuster{}
}

func (a adjuster) valid(c uint16, first bool) bool {
	switch {
	case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
		return true
	case c == '_':
		return a.underscoreFirst
	case first:
		return false
	}
	return c >= '0' && c <= '9' || c == '.' && a.dots
}

func (a adjuster) adjust(name string) string {
	if a.replace == nil {
		return name
	}
	var out []uint16
	for i, c := range utf16.Encode([]rune(name)) {
		if a.valid(c, i == 0) {
			out = append(out, c)
			continue
		}
		out = append(out, utf16.Encode([]rune(a.replace(c)))...)
		if i == 0 && a.keepDigit && c >= '0' && c <= '9' {
			out = append(out, c)
		}
	}
	return string(utf16.Decode(out))
}
