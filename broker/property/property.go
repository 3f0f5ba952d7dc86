// Package property is for everybody who takes Kafka's client properties from a user: it is the one table of those that are
// understood, with type, default, bounds and meaning. Parsing, refusal, the command that documents them, and the prefixes that lead a
// property to one kind of client come from it. What a property does is broker/kafka's matter.
package property

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Type is a property's type, in Kafka's spelling.
type Type string

// The types.
const (
	String   Type = "string"
	Int      Type = "int"
	Long     Type = "long"
	Boolean  Type = "boolean"
	List     Type = "list"
	Password Type = "password"
	Class    Type = "class"
)

// Property is a row of the table.
type Property struct {
	Name    string   `json:"name"`
	Type    Type     `json:"type"`
	Default string   `json:"default"` // empty: none
	Least   *int64   `json:"least,omitempty"`
	Most    *int64   `json:"most,omitempty"`
	OneOf   []string `json:"oneOf,omitempty"`
	Clients []string `json:"clients"` // of consumer, producer, admin
	// Inert says why the property is accepted and has no effect; empty: it has one.
	Inert string `json:"inert,omitempty"`
	Doc   string `json:"doc"`
	// check looks at what the rest cannot; it returns what is wanted instead, or nothing.
	check func(value string) string
}

// Error is a property that cannot be. Its text is Kafka's.
type Error struct {
	Name  string // as it was written, with its prefix
	Value string // [hidden] for a password
	Want  string
}

func (e *Error) Error() string {
	return fmt.Sprintf("Invalid value %s for configuration %s: %s", e.Value, e.Name, e.Want)
}

// Class is Kafka's name of the error kind.
func (e *Error) Class() string { return "org.apache.kafka.common.config.ConfigException" }

// hidden is what is shown of a password.
const hidden = "[hidden]"

// All are the rows, sorted by name. The slice is the caller's.
func All() []Property { return slices.Clone(rows) }

// Lookup finds a row by its name without prefix.
func Lookup(name string) (Property, bool) {
	i, ok := slices.BinarySearchFunc(rows, name, func(p Property, n string) int { return strings.Compare(p.Name, n) })
	if !ok {
		return Property{}, false
	}
	return rows[i], true
}

// Bounds says what values are allowed, for a person; empty: any of the type.
func (p Property) Bounds() string {
	switch {
	case len(p.OneOf) > 0:
		return strings.Join(p.OneOf, " | ")
	case p.Least != nil && p.Most != nil:
		return fmt.Sprintf("%d..%d", *p.Least, *p.Most)
	case p.Least != nil:
		return fmt.Sprintf("%d..", *p.Least)
	}
	return ""
}

// Validate returns an *Error if the value cannot be; name is how the property was written.
func (p Property) Validate(name, value string) error {
	want := p.want(strings.TrimSpace(value))
	if want == "" {
		return nil
	}
	if p.Type == Password {
		value = hidden
	}
	return &Error{Name: name, Value: value, Want: want}
}

// want is what is wanted instead of value; empty: nothing.
func (p Property) want(value string) string {
	switch p.Type {
	case Int, Long:
		return p.wantNumber(value)
	case Boolean:
		if !strings.EqualFold(value, "true") && !strings.EqualFold(value, "false") {
			return "true or false is expected"
		}
	default:
		if len(p.OneOf) > 0 && !slices.Contains(p.OneOf, value) {
			return "it must be one of " + strings.Join(p.OneOf, ", ")
		}
	}
	if p.check != nil {
		return p.check(value)
	}
	return ""
}

func (p Property) wantNumber(value string) string {
	bits := 64
	if p.Type == Int {
		bits = 32
	}
	n, err := strconv.ParseInt(value, 10, bits)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return fmt.Sprintf("it does not fit into %d bits", bits)
	case err != nil:
		return "a whole number is expected"
	case p.Least != nil && n < *p.Least:
		return fmt.Sprintf("the value must be at least %d", *p.Least)
	case p.Most != nil && n > *p.Most:
		return fmt.Sprintf("the value must be at most %d", *p.Most)
	}
	if p.check != nil {
		return p.check(value)
	}
	return ""
}

// Kind is a kind of client that properties can be for: the prefixes that lead to it, later ones win.
type Kind []string

// The kinds of client of an application, with Kafka's precedence.
var (
	Consumer        = Kind{"consumer."}
	MainConsumer    = Kind{"consumer.", "main.consumer."}
	RestoreConsumer = Kind{"consumer.", "restore.consumer."}
	GlobalConsumer  = Kind{"consumer.", "global.consumer."}
	Producer        = Kind{"producer."}
	Admin           = Kind{"admin."}
)

// prefixes are all, longer ones before those that they end with.
var prefixes = []string{"main.consumer.", "restore.consumer.", "global.consumer.", "consumer.", "producer.", "admin."}

// Split takes a client prefix off a name; the prefix is empty where there is none.
func Split(name string) (prefix, rest string) {
	for _, p := range prefixes {
		if rest, ok := strings.CutPrefix(name, p); ok {
			return p, rest
		}
	}
	return "", name
}

// For is what one kind of client gets: the properties without a prefix, and over them those with the kind's.
func (k Kind) For(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for _, prefix := range append([]string{""}, k...) {
		for name, value := range values { // into a map again
			if p, rest := Split(name); p == prefix {
				out[rest] = value
			}
		}
	}
	return out
}

// Name is how the property that this kind of client gets was written.
func (k Kind) Name(values map[string]string, name string) string {
	for _, prefix := range slices.Backward(k) {
		if _, ok := values[prefix+name]; ok {
			return prefix + name
		}
	}
	return name
}

// Check looks at all values, with and without prefixes, each by itself, and at how those of each kind of client go together. It returns
// the names that are not in the table, sorted, and an error for each value that cannot be, in the order of names.
func Check(values map[string]string) (unknown []string, faults []error) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		_, rest := Split(name)
		p, ok := Lookup(rest)
		if !ok {
			unknown = append(unknown, name)
		} else if err := p.Validate(name, values[name]); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return unknown, faults
	}
	seen := map[string]bool{}
	for _, k := range []Kind{MainConsumer, RestoreConsumer, GlobalConsumer, Producer, Admin} {
		for _, err := range k.together(values) {
			if !seen[err.Error()] {
				seen[err.Error()] = true
				faults = append(faults, err)
			}
		}
	}
	return unknown, faults
}

// Value is a property's value: the given one without surrounding space, or the default.
func Value(values map[string]string, name string) string {
	if v, ok := values[name]; ok {
		return strings.TrimSpace(v)
	}
	p, ok := Lookup(name)
	if !ok {
		panic("property: no row for " + name)
	}
	return p.Default
}

// Number is Value of a property that is a checked number.
func Number(values map[string]string, name string) int64 {
	n, err := strconv.ParseInt(Value(values, name), 10, 64)
	if err != nil {
		return math.MinInt64
	}
	return n
}
