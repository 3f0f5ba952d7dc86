package config

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Type is a property's type: Kafka's ConfigDef.Type. The Go type of a parsed value is in the comment; a null is nil.
type Type uint8

// The types.
const (
	Boolean      Type = iota // bool
	String                   // string
	Int                      // int32
	Short                    // int16
	Long                     // int64
	Double                   // float64
	List                     // []string
	Class                    // string: a Java class name or alias
	PasswordType             // Password
)

func (t Type) String() string {
	return [...]string{"BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"}[t]
}

// Password is a secret. It prints as [hidden].
type Password string

// Hidden is what a Password prints.
const Hidden = "[hidden]"

func (Password) String() string { return Hidden }

// GoString hides the secret from %#v too.
func (Password) GoString() string { return Hidden }

// Value is the secret.
func (p Password) Value() string { return string(p) }

var comma = regexp.MustCompile(`\s*,\s*`)

// trim is Java's String.trim.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

// ParseType reads a value, mostly a string, as a type: a ConfigException tells why it cannot.
func ParseType(name string, v any, t Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	s, text := v.(string)
	if text {
		return parseText(name, s, trim(s), t)
	}
	switch t {
	case Boolean:
		if _, ok := v.(bool); ok {
			return v, nil
		}
		return nil, Invalid(name, v, "Expected value to be either true or false")
	case PasswordType:
		if _, ok := v.(Password); ok {
			return v, nil
		}
	case List:
		if _, ok := v.([]string); ok {
			return v, nil
		}
		return nil, Invalid(name, v, "Expected a comma separated list.")
	case Int, Short, Long, Double:
		return parseNumber(name, v, t)
	case Class:
		return nil, Invalid(name, v, "Expected a Class instance or class name.")
	}
	return nil, Invalid(name, v, "Expected value to be a string, but it was a "+data.ClassOf(v))
}

func parseText(name, s, trimmed string, t Type) (any, error) {
	bits := map[Type]int{Short: 16, Int: 32, Long: 64}[t]
	switch t {
	case Boolean:
		switch strings.ToLower(trimmed) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, Invalid(name, s, "Expected value to be either true or false")
	case String, Class:
		return trimmed, nil
	case PasswordType:
		return Password(trimmed), nil
	case Double:
		if f, err := strconv.ParseFloat(strings.TrimRight(trimmed, "dDfF"), 64); err == nil {
			return f, nil
		}
		return nil, Invalid(name, s, "Not a number of type "+t.String())
	case List:
		if trimmed == "" {
			return []string{}, nil
		}
		return comma.Split(trimmed, -1), nil
	}
	n, err := strconv.ParseInt(trimmed, 10, bits)
	if err != nil {
		return nil, Invalid(name, s, "Not a number of type "+t.String())
	}
	return sized(n, t), nil
}

func sized(n int64, t Type) any {
	switch t {
	case Short:
		return int16(n)
	case Int:
		return int32(n)
	}
	return n
}

// parseNumber takes numbers of the type's own Java class; a LONG also those of INT, a DOUBLE any. An int, as programs write defaults, is taken
// as what the type needs.
func parseNumber(name string, v any, t Type) (any, error) {
	if n, ok := v.(int); ok {
		if t == Double {
			return float64(n), nil
		}
		return sized(int64(n), t), nil
	}
	if t == Double {
		switch n := v.(type) {
		case int16:
			return float64(n), nil
		case int32:
			return float64(n), nil
		case int64:
			return float64(n), nil
		case float32:
			return float64(n), nil
		case float64:
			return n, nil
		}
	}
	switch n := v.(type) {
	case int16:
		if t == Short {
			return n, nil
		}
	case int32:
		if t == Int {
			return n, nil
		}
		if t == Long {
			return int64(n), nil
		}
	case int64:
		if t == Long {
			return n, nil
		}
	}
	want := map[Type]string{Int: "a 32-bit integer", Short: "a 16-bit integer (short)", Long: "a 64-bit integer (long)", Double: "a double"}[t]
	return nil, Invalid(name, v, "Expected value to be "+want+", but it was a "+data.ClassOf(v))
}

// TextOf is what the REST interface shows of a parsed value: Kafka's convertToString. ok is false for null.
func TextOf(v any) (text string, ok bool) {
	switch v := v.(type) {
	case nil:
		return "", false
	case []string:
		return strings.Join(v, ","), true
	}
	return valueText(v), true
}

// Values are parsed properties: Kafka's AbstractConfig. The methods return the zero value for null.
type Values map[string]any

// Has says whether a property is there and not null.
func (v Values) Has(name string) bool { return v[name] != nil }

// Bool is a BOOLEAN.
func (v Values) Bool(name string) bool { b, _ := v[name].(bool); return b }

// String is a STRING or CLASS.
func (v Values) String(name string) string { s, _ := v[name].(string); return s }

// Int is an INT.
func (v Values) Int(name string) int32 { n, _ := v[name].(int32); return n }

// Short is a SHORT.
func (v Values) Short(name string) int16 { n, _ := v[name].(int16); return n }

// Long is a LONG.
func (v Values) Long(name string) int64 { n, _ := v[name].(int64); return n }

// Double is a DOUBLE.
func (v Values) Double(name string) float64 { n, _ := v[name].(float64); return n }

// List is a LIST.
func (v Values) List(name string) []string { l, _ := v[name].([]string); return l }

// Password is a PASSWORD.
func (v Values) Password(name string) Password { p, _ := v[name].(Password); return p }
