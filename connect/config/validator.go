package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Validator checks one parsed value.
type Validator interface {
	// Check returns a ConfigException when v, which may be nil, is not allowed.
	Check(name string, v any) error
	// String tells what is allowed, for documentation.
	String() string
}

// Func is a validator made of a function and its documentation.
func Func(check func(name string, v any) error, text string) Validator { return function{check, text} }

type function struct {
	check func(name string, v any) error
	text  string
}

func (f function) Check(name string, v any) error { return f.check(name, v) }
func (f function) String() string                 { return f.text }

// AtLeast wants a number of at least low.
func AtLeast(low int64) Validator { return between{low: &low} }

// Between wants a number of at least low and at most high.
func Between(low, high int64) Validator { return between{&low, &high} }

type between struct{ low, high *int64 }

func (b between) Check(name string, v any) error {
	if v == nil {
		return Invalid(name, v, "Value must be non-null")
	}
	f, ok := asFloat(v)
	switch {
	case !ok:
		return data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.Number", data.ClassOf(v))
	case b.low != nil && f < float64(*b.low):
		return Invalid(name, v, "Value must be at least "+strconv.FormatInt(*b.low, 10))
	case b.high != nil && f > float64(*b.high):
		return Invalid(name, v, "Value must be no more than "+strconv.FormatInt(*b.high, 10))
	}
	return nil
}

func asFloat(v any) (float64, bool) {
	switch n := v.(type) {
	case int16:
		return float64(n), true
	case int32:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

func (b between) String() string {
	if b.high == nil {
		return fmt.Sprintf("[%d,...]", *b.low)
	}
	return fmt.Sprintf("[%d,...,%d]", *b.low, *b.high)
}

// In wants one of these strings.
func In(all ...string) Validator { return oneOf(all) }

type oneOf []string

func (o oneOf) Check(name string, v any) error {
	if s, ok := v.(string); ok && slices.Contains(o, s) {
		return nil
	}
	return Invalid(name, v, "String must be one of: "+strings.Join(o, ", "))
}

func (o oneOf) String() string { return "[" + strings.Join(o, ", ") + "]" }

// InFold wants one of these strings in any case. The message lists them in upper case, in this order: give them as Java's set has them.
func InFold(all ...string) Validator {
	o := foldOneOf{}
	for _, s := range all {
		o = append(o, strings.ToUpper(s))
	}
	return o
}

type foldOneOf []string

func (o foldOneOf) Check(name string, v any) error {
	if s, ok := v.(string); ok && slices.Contains(o, strings.ToUpper(s)) {
		return nil
	}
	return Invalid(name, v, "String must be one of (case insensitive): "+strings.Join(o, ", "))
}

func (o foldOneOf) String() string { return "(case insensitive) [" + strings.Join(o, ", ") + "]" }

// Distinct wants a list without duplicates and empty entries: Kafka 4.2's ValidList.anyNonDuplicateValues.
func Distinct(emptyAllowed, nullAllowed bool) Validator {
	return listOf{empty: emptyAllowed, null: nullAllowed}
}

// DistinctIn wants a list without duplicates of these strings: Kafka 4.2's ValidList.in.
func DistinctIn(emptyAllowed bool, all ...string) Validator { return listOf{emptyAllowed, false, all} }

type listOf struct {
	empty, null bool
	all         oneOf
}

func (l listOf) Check(name string, v any) error {
	if v == nil {
		if l.null {
			return nil
		}
		return data.ConfigException.Errorf("Configuration '%s' values must not be null.", name)
	}
	list, ok := v.([]string)
	switch {
	case !ok:
		return data.ClassCastException.Errorf("class %s cannot be cast to class java.util.List", data.ClassOf(v))
	case len(list) == 0 && !l.empty:
		valid := "any non-empty value"
		if len(l.all) > 0 {
			valid = l.all.String()
		}
		return data.ConfigException.Errorf("Configuration '%s' must not be empty. Valid values include: %s", name, valid)
	case len(distinct(list)) != len(list):
		return data.ConfigException.Errorf("Configuration '%s' values must not be duplicated.", name)
	}
	for _, s := range list {
		if s == "" {
			return data.ConfigException.Errorf("Configuration '%s' values must not be empty.", name)
		}
		if len(l.all) > 0 {
			if err := l.all.Check(name, s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l listOf) String() string {
	s := l.all.String()
	if l.empty {
		s += " (empty config allowed)"
	}
	if l.null {
		s += " (null config allowed)"
	}
	return s
}

// NonEmptyList wants a list with entries: Connect's NonEmptyListValidator.
var NonEmptyList = Func(func(name string, v any) error {
	if list, ok := v.([]string); !ok || len(list) == 0 {
		return Invalid(name, v, "Empty list")
	}
	return nil
}, "non-empty list")

// NonNull wants a value.
var NonNull = Func(func(name string, v any) error {
	if v == nil {
		return Invalid(name, nil, "entry must be non null")
	}
	return nil
}, "non-null string")

// NonEmpty wants a string that is not empty; null is allowed.
var NonEmpty = Func(func(name string, v any) error {
	if s, ok := v.(string); ok && s == "" {
		return Invalid(name, v, "String must be non-empty")
	}
	return nil
}, "non-empty string")

// Printable wants a string that is not empty and has no control characters; null is allowed.
var Printable = Func(func(name string, v any) error {
	s, ok := v.(string)
	if !ok {
		return nil
	}
	if s == "" {
		return Invalid(name, v, "String may not be empty")
	}
	var bad []string
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			bad = append(bad, strconv.Itoa(int(r)))
		}
	}
	if bad != nil {
		return Invalid(name, v, "String may not contain control sequences but had the following ASCII chars: "+strings.Join(bad, ", "))
	}
	return nil
}, "non-empty string without ISO control characters")

// All wants what each of these wants, and tells the first fault.
func All(validators ...Validator) Validator {
	texts := make([]string, len(validators))
	for i, v := range validators {
		texts[i] = v.String()
	}
	return Func(func(name string, v any) error {
		for _, x := range validators {
			if err := x.Check(name, v); err != nil {
				return err
			}
		}
		return nil
	}, strings.Join(texts, ", "))
}
