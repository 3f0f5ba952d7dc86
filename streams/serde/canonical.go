package serde

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// maxNesting is how deep arrays and objects may be nested in canonical JSON.
const maxNesting = 512

type canonicalJSON struct{}

// CanonicalJSON is JSON with one form for each value. Values are nil, bool, int64, float64, string, []byte, []any and map[string]any.
//
// It writes no white space; object keys sorted by code point; \" \\ \b \f \n \r \t, other characters below U+0020 as \u00xx, all else
// as UTF-8; floats as the shortest decimal that reads back the same, laid out as in ECMAScript, with .0 where it has neither point nor
// exponent; bytes as base64 text. NaN and the infinities cannot be written. It reads a number without point and exponent that fits an
// int64 as one, all others as float64.
func CanonicalJSON() Serde[any] { return canonicalJSON{} }

func (canonicalJSON) String() string { return "json" }

func (s canonicalJSON) Append(dst []byte, _ string, v any) ([]byte, error) {
	out, err := appendJSON(dst, v, 0)
	if err != nil {
		return dst, &Error{s.String(), err, unfit}
	}
	return out, nil
}

func appendJSON(b []byte, v any, depth int) (_ []byte, err error) {
	if depth > maxNesting {
		return b, fmt.Errorf("nested more than %d deep", maxNesting)
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case float64:
		return appendFloat(b, v)
	case string:
		return appendString(b, v), nil
	case []byte:
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, v)
		return append(b, '"'), nil
	case []any:
		b = append(b, '[')
		for i, x := range v {
			if i > 0 {
				b = append(b, ',')
			}
			if b, err = appendJSON(b, x, depth+1); err != nil {
				return b, err
			}
		}
		return append(b, ']'), nil
	case map[string]any:
		return appendObject(b, v, depth)
	}
	return b, fmt.Errorf("cannot write a %T", v)
}

func appendObject(b []byte, m map[string]any, depth int) (_ []byte, err error) {
	var few [16]string
	keys := few[:0]
	for k := range m { // sorted below
		keys = append(keys, k)
	}
	slices.Sort(keys) // bytes of UTF-8 sort as code points do
	b = append(b, '{')
	for i, k := range keys {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, k), ':')
		if b, err = appendJSON(b, m[k], depth+1); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendFloat(b []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, fmt.Errorf("%v cannot be written", f)
	}
	start := len(b)
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		b = strconv.AppendFloat(b, f, 'e', -1, 64)
		if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // e-09 is e-9 in ECMAScript
			b[n-2] = b[n-1]
			b = b[:n-1]
		}
		return b, nil
	}
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	if !slices.Contains(b[start:], '.') {
		b = append(b, ".0"...)
	}
	return b, nil
}

func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[from:]...), '"')
}

func (s canonicalJSON) Decode(_ string, b []byte) (any, error) {
	r := jsonReader{b: b}
	v, err := r.value(0)
	if err == nil {
		if r.space(); r.at < len(b) {
			err = r.wrong("something after the value")
		}
	}
	if err != nil {
		return nil, &Error{s.String(), err, errJSON.Error()}
	}
	return v, nil
}

// jsonReader reads one JSON value (RFC 8259).
type jsonReader struct {
	b  []byte
	at int
}

var errJSON = errors.New("not a JSON value")

func (r *jsonReader) wrong(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errJSON, what, r.at)
}

func (r *jsonReader) space() {
	for r.at < len(r.b) {
		switch r.b[r.at] {
		case ' ', '\t', '\n', '\r':
			r.at++
		default:
			return
		}
	}
}

// peek is the next byte that is no white space, 0 at the end.
func (r *jsonReader) peek() byte {
	r.space()
	if r.at < len(r.b) {
		return r.b[r.at]
	}
	return 0
}

func (r *jsonReader) value(depth int) (any, error) {
	if depth > maxNesting {
		return nil, r.wrong("too deeply nested")
	}
	switch c := r.peek(); {
	case c == '{':
		return r.object(depth)
	case c == '[':
		return r.array(depth)
	case c == '"':
		return r.string()
	case c == '-' || c >= '0' && c <= '9':
		return r.number()
	case r.word("true"):
		return true, nil
	case r.word("false"):
		return false, nil
	case r.word("null"):
		return nil, nil
	}
	return nil, r.wrong("no value")
}

func (r *jsonReader) word(w string) bool {
	if len(r.b)-r.at >= len(w) && string(r.b[r.at:r.at+len(w)]) == w {
		r.at += len(w)
		return true
	}
	return false
}

func (r *jsonReader) array(depth int) (any, error) {
	r.at++
	out := []any{}
	if r.peek() == ']' {
		r.at++
		return out, nil
	}
	for {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		switch r.peek() {
		case ',':
			r.at++
		case ']':
			r.at++
			return out, nil
		default:
			return nil, r.wrong("no comma or end of an array")
		}
	}
}

func (r *jsonReader) object(depth int) (any, error) {
	r.at++
	out := map[string]any{}
	if r.peek() == '}' {
		r.at++
		return out, nil
	}
	for {
		if r.peek() != '"' {
			return nil, r.wrong("no name of a field")
		}
		k, err := r.string()
		if err != nil {
			return nil, err
		}
		if r.peek() != ':' {
			return nil, r.wrong("no colon")
		}
		r.at++
		if out[k], err = r.value(depth + 1); err != nil {
			return nil, err
		}
		switch r.peek() {
		case ',':
			r.at++
		case '}':
			r.at++
			return out, nil
		default:
			return nil, r.wrong("no comma or end of an object")
		}
	}
}

// string reads a string; bytes that are no UTF-8 are read with U+FFFD in their place.
func (r *jsonReader) string() (string, error) {
	r.at++
	for i := r.at; i < len(r.b); i++ {
		switch c := r.b[i]; {
		case c == '"':
			s := text(r.b[r.at:i])
			r.at = i + 1
			return s, nil
		case c == '\\':
			return r.escaped(i)
		case c < 0x20:
			r.at = i
			return "", r.wrong("a control character in a string")
		}
	}
	r.at = len(r.b)
	return "", r.wrong("no end of a string")
}

// escaped reads the rest of a string, whose first escape is at i.
func (r *jsonReader) escaped(i int) (string, error) {
	out := append([]byte(nil), r.b[r.at:i]...)
	for r.at = i; r.at < len(r.b); {
		switch c := r.b[r.at]; {
		case c == '"':
			r.at++
			return text(out), nil
		case c < 0x20:
			return "", r.wrong("a control character in a string")
		case c == '\\':
			var ok bool
			if out, ok = r.escape(out); !ok {
				return "", r.wrong("an unknown escape")
			}
		default:
			out = append(out, c)
			r.at++
		}
	}
	return "", r.wrong("no end of a string")
}

func (r *jsonReader) escape(out []byte) ([]byte, bool) {
	if r.at+1 >= len(r.b) {
		return out, false
	}
	c := r.b[r.at+1]
	if i := slices.Index([]byte(`"\/bfnrt`), c); i >= 0 {
		r.at += 2
		return append(out, "\"\\/\b\f\n\r\t"[i]), true
	}
	u, ok := r.unit()
	if !ok {
		return out, false
	}
	r.at += 6
	if utf16.IsSurrogate(u) {
		if low, ok := r.unit(); ok && utf16.DecodeRune(u, low) != utf8.RuneError {
			r.at += 6
			u = utf16.DecodeRune(u, low)
		} else {
			u = utf8.RuneError
		}
	}
	return utf8.AppendRune(out, u), true
}

// unit reads the \uXXXX that r is at, without moving.
func (r *jsonReader) unit() (rune, bool) {
	if len(r.b)-r.at < 6 || r.b[r.at] != '\\' || r.b[r.at+1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.b[r.at+2:r.at+6]), 16, 16)
	return rune(n), err == nil && r.b[r.at+2] != '+'
}

func (r *jsonReader) number() (any, error) {
	start, whole := r.at, true
	if r.b[r.at] == '-' {
		r.at++
	}
	digits := r.digits()
	if digits == 0 || digits > 1 && r.b[r.at-digits] == '0' {
		return nil, r.wrong("a malformed number")
	}
	if r.at < len(r.b) && r.b[r.at] == '.' {
		whole = false
		if r.at++; r.digits() == 0 {
			return nil, r.wrong("a malformed number")
		}
	}
	if r.at < len(r.b) && (r.b[r.at] == 'e' || r.b[r.at] == 'E') {
		whole = false
		if r.at++; r.at < len(r.b) && (r.b[r.at] == '+' || r.b[r.at] == '-') {
			r.at++
		}
		if r.digits() == 0 {
			return nil, r.wrong("a malformed number")
		}
	}
	s := string(r.b[start:r.at])
	if whole {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range: an infinity, as in Java
		return nil, r.wrong("a malformed number")
	}
	return f, nil
}

func (r *jsonReader) digits() (n int) {
	for r.at < len(r.b) && r.b[r.at] >= '0' && r.b[r.at] <= '9' {
		r.at++
		n++
	}
	return n
}
