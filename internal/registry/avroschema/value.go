package avroschema

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// The Go values of Avro's types:
//
//	null     nil              boolean  bool
//	int      int32            long     int64
//	float    float32          double   float64
//	bytes    []byte           string   string
//	enum     Symbol           fixed    Bin
//	array    []any            map      map[string]any
//	record   *Datum           union    what its branch is
//
// With logical types on, date and the timestamps are time.Time (UTC), the times of day time.Duration, and decimal is Decimal. Encoding takes
// these always, and Go's other integers and floats where the value is kept.

// Entries is a map that keeps its order: what maps are read as in the mode Ordered, and one of what they may be written from.
type Entries []Entry

// Entry is a key with its value.
type Entry struct {
	Key   string
	Value any
}

// Symbol is a symbol of an enum.
type Symbol string

// Bin is the bytes of a fixed.
type Bin []byte

// Decimal is an exact number: Unscaled divided by ten to the power of Scale.
type Decimal struct {
	Unscaled *big.Int
	Scale    int
}

func (d Decimal) String() string {
	if d.Unscaled == nil {
		return "0"
	}
	text := new(big.Int).Abs(d.Unscaled).String()
	if d.Scale > 0 {
		if len(text) <= d.Scale {
			text = strings.Repeat("0", d.Scale-len(text)+1) + text
		}
		text = text[:len(text)-d.Scale] + "." + text[len(text)-d.Scale:]
	}
	if d.Unscaled.Sign() < 0 {
		text = "-" + text
	}
	return text
}

// Datum is a record: Java's GenericData.Record. It keeps its schema.
type Datum struct {
	Schema *Schema
	Values []any // in the order of the schema's fields
}

// NewDatum makes a record with nothing in it.
func NewDatum(s *Schema) *Datum { return &Datum{s, make([]any, len(s.Fields))} }

// Get returns the value of a field; nil where there is none of that name.
func (d *Datum) Get(name string) any {
	if i := d.Schema.Index(name); i >= 0 {
		return d.Values[i]
	}
	return nil
}

// MarshalJSON writes the record as a JSON object: enums, dates and decimals as text, bytes as base64.
func (d *Datum) MarshalJSON() ([]byte, error) {
	var out []byte
	for i, f := range d.Schema.Fields {
		out = append(out, ",{"[b2i(i == 0)])
		out = append(jsontree.AppendString(out, f.Name), ':')
		b, err := json.Marshal(plain(d.Values[i]))
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
		out = append(out, b...)
	}
	if out == nil {
		return []byte("{}"), nil
	}
	return append(out, '}'), nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (d *Datum) String() string {
	b, err := d.MarshalJSON()
	if err != nil {
		return d.Schema.FullName() + ": " + err.Error()
	}
	return string(b)
}

// plain is a value that encoding/json writes as a person expects.
func plain(v any) any {
	switch v := v.(type) {
	case Bin:
		return base64.StdEncoding.EncodeToString(v)
	case Decimal:
		return json.Number(v.String())
	case time.Duration:
		return v.String()
	case float32, float64:
		if s := jsontree.String(v); s[0] == '"' {
			return s[1 : len(s)-1]
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = plain(e)
		}
		return out
	}
	return v
}

// ISO88591 is the text of bytes in a default value: a character a byte.
func ISO88591(b []byte) string {
	out := make([]byte, 0, len(b))
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return string(out)
}

func fromISO88591(s string) ([]byte, error) {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 255 {
			return nil, fmt.Errorf("the character %q stands for no byte", r)
		}
		out = append(out, byte(r))
	}
	return out, nil
}

// readDefaults makes the values of all defaults.
func (s *Schema) readDefaults() (err error) {
	s.walk(map[*Schema]bool{}, func(n *Schema) {
		for _, f := range n.Fields {
			if f.HasDefault && err == nil {
				if f.Value, err = f.Schema.fromDefault(f.Default, 0); err != nil {
					err = fmt.Errorf("invalid default for field %s: %s is not of type %s: %w", f.Name, jsontree.String(f.Default), f.Schema, err)
				}
			}
		}
	})
	return err
}

// DefaultValue is a default value, JSON, as a value of the schema; the error tells why it is none.
func (s *Schema) DefaultValue(v any) (any, error) { return s.fromDefault(v, 0) }

// fromDefault is a default value, JSON, as a value of the schema. Of a union it may be any branch, as in Avro 1.12.
func (s *Schema) fromDefault(v any, depth int) (any, error) {
	if depth > maxNesting {
		return nil, fmt.Errorf("nested deeper than %d", maxNesting)
	}
	switch s.Type {
	case Union:
		for _, b := range s.Branches {
			if out, err := b.fromDefault(v, depth+1); err == nil {
				return out, nil
			}
		}
	case Null:
		if v == nil {
			return nil, nil
		}
	case Boolean:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case Int, Long, Float, Double:
		return s.number(v)
	case Record:
		return s.recordDefault(v, depth)
	case Array:
		if l, ok := v.([]any); ok {
			out := make([]any, len(l))
			for i, e := range l {
				var err error
				if out[i], err = s.Elem.fromDefault(e, depth+1); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	case Map:
		if o, ok := v.(*jsontree.Object); ok {
			out := make(map[string]any, o.Len())
			for _, m := range o.Members {
				var err error
				if out[m.Name], err = s.Elem.fromDefault(m.Value, depth+1); err != nil {
					return nil, err
				}
			}
			return out, nil
		}
	default:
		if t, ok := v.(string); ok {
			return s.textDefault(t)
		}
	}
	return nil, fmt.Errorf("%s is no %s", jsontree.String(v), s.Type)
}

func (s *Schema) recordDefault(v any, depth int) (any, error) {
	o, ok := v.(*jsontree.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no record", jsontree.String(v))
	}
	out := NewDatum(s)
	for i, f := range s.Fields {
		given, ok := o.Get(f.Name)
		if !ok {
			if given = f.Default; !f.HasDefault {
				return nil, fmt.Errorf("no default value for field %s", f.Name)
			}
		}
		var err error
		if out.Values[i], err = f.Schema.fromDefault(given, depth+1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Schema) textDefault(t string) (any, error) {
	switch s.Type {
	case String:
		return t, nil
	case Enum:
		if s.Symbol(t) >= 0 {
			return Symbol(t), nil
		}
		return nil, fmt.Errorf("%q is no symbol of %s", t, s.FullName())
	}
	b, err := fromISO88591(t)
	if s.Type == Fixed {
		if err == nil && len(b) != s.Size {
			err = fmt.Errorf("%d bytes, not %d", len(b), s.Size)
		}
		return Bin(b), err
	}
	return b, err
}

func (s *Schema) number(v any) (any, error) {
	n, ok := v.(json.Number)
	if !ok {
		switch v := v.(type) {
		case int, int32, int64, float32, float64: // of a schema that was not parsed
			n = json.Number(strings.Trim(jsontree.String(v), `"`))
		case string: // Java writes what is not finite as text
			if slices.Contains([]string{"NaN", "Infinity", "-Infinity"}, v) && (s.Type == Float || s.Type == Double) {
				n = json.Number(v)
				break
			}
			return nil, fmt.Errorf("%s is no number", jsontree.String(v))
		default:
			return nil, fmt.Errorf("%s is no number", jsontree.String(v))
		}
	}
	return s.parsed(string(n))
}

// Set gives a field a value, and tells whether there is one of that name.
func (d *Datum) Set(name string, v any) bool {
	i := d.Schema.Index(name)
	if i < 0 {
		return false
	}
	d.Values[i] = v
	return true
}
