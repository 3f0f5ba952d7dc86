package avroschema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"
)

// parsed is the text of a number as a value of the schema.
func (s *Schema) parsed(text string) (any, error) {
	switch s.Type {
	case Int:
		n, err := strconv.ParseInt(text, 10, 32)
		return int32(n), err
	case Long:
		n, err := strconv.ParseInt(text, 10, 64)
		return n, err
	case Float:
		f, err := strconv.ParseFloat(text, 32)
		if errors.Is(err, strconv.ErrRange) {
			err = nil
		}
		return float32(f), err
	}
	f, err := strconv.ParseFloat(text, 64)
	if errors.Is(err, strconv.ErrRange) {
		err = nil
	}
	return f, err
}

// Misfit is a value that is not of its schema.
type Misfit struct {
	Path string // the fields on the way to it; empty: the value itself
	Want string
	Got  any
}

func (e *Misfit) Error() string {
	at := ""
	if e.Path != "" {
		at = " in field " + e.Path
	}
	return fmt.Sprintf("Not %s%s: %v (%T)", e.Want, at, e.Got, e.Got)
}

func misfit(s *Schema, v any) error { return &Misfit{Want: s.FullName(), Got: v} }

// within adds a field to the way to a misfit.
func within(err error, field string) error {
	var m *Misfit
	if !errors.As(err, &m) {
		return fmt.Errorf("field %s: %w", field, err)
	}
	if m.Path != "" {
		field += "." + m.Path
	}
	m.Path = field
	return err
}

// Append appends v's binary form. Maps are written in the order of their keys.
func (s *Schema) Append(dst []byte, v any) ([]byte, error) {
	switch s.Type {
	case Union:
		i := s.Branch(v)
		if i < 0 {
			return dst, misfit(s, v)
		}
		return s.Branches[i].Append(binary.AppendVarint(dst, int64(i)), v)
	case Null:
		if v == nil {
			return dst, nil
		}
	case Record:
		return s.appendRecord(dst, v)
	case Array:
		return s.appendArray(dst, v)
	case Map:
		return s.appendMap(dst, v)
	case Enum:
		if t, ok := text(v); ok {
			if i := s.Symbol(t); i >= 0 {
				return binary.AppendVarint(dst, int64(i)), nil
			}
		}
	case Boolean:
		if b, ok := v.(bool); ok {
			return append(dst, byte(b2i(b))), nil
		}
	case Int, Long:
		if n, ok := s.integer(v); ok {
			return binary.AppendVarint(dst, n), nil
		}
	case Float:
		if f, ok := real(v); ok {
			return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(f))), nil
		}
	case Double:
		if f, ok := real(v); ok {
			return binary.LittleEndian.AppendUint64(dst, math.Float64bits(f)), nil
		}
	case String:
		if t, ok := text(v); ok {
			return append(binary.AppendVarint(dst, int64(len(t))), t...), nil
		}
	case Bytes, Fixed:
		if b, ok := s.raw(v); ok {
			if s.Type == Bytes {
				dst = binary.AppendVarint(dst, int64(len(b)))
			}
			return append(dst, b...), nil
		}
	}
	return dst, misfit(s, v)
}

func (s *Schema) appendRecord(dst []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case *Datum:
		if v.Schema != s && v.Schema.FullName() != s.FullName() {
			return dst, misfit(s, v)
		}
		for i, f := range s.Fields {
			value := any(nil)
			if v.Schema == s {
				value = v.Values[i]
			} else if value = v.Get(f.Name); v.Schema.Index(f.Name) < 0 {
				value = f.Value
			}
			if dst, err = f.Schema.Append(dst, value); err != nil {
				return dst, within(err, f.Name)
			}
		}
		return dst, nil
	case map[string]any:
		for _, f := range s.Fields {
			value, ok := v[f.Name]
			if !ok {
				value = f.Value
			}
			if dst, err = f.Schema.Append(dst, value); err != nil {
				return dst, within(err, f.Name)
			}
		}
		return dst, nil
	}
	return dst, misfit(s, v)
}

func (s *Schema) appendArray(dst []byte, v any) ([]byte, error) {
	list, ok := v.([]any)
	if !ok {
		return dst, misfit(s, v)
	}
	if len(list) > 0 {
		dst = binary.AppendVarint(dst, int64(len(list)))
	}
	for i, e := range list {
		var err error
		if dst, err = s.Elem.Append(dst, e); err != nil {
			return dst, within(err, strconv.Itoa(i))
		}
	}
	return append(dst, 0), nil
}

func (s *Schema) appendMap(dst []byte, v any) ([]byte, error) {
	if list, ok := v.(Entries); ok {
		return s.appendEntries(dst, list)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return dst, misfit(s, v)
	}
	if len(m) > 0 {
		dst = binary.AppendVarint(dst, int64(len(m)))
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		dst = append(binary.AppendVarint(dst, int64(len(k))), k...)
		var err error
		if dst, err = s.Elem.Append(dst, m[k]); err != nil {
			return dst, within(err, k)
		}
	}
	return append(dst, 0), nil
}

func (s *Schema) appendEntries(dst []byte, list Entries) ([]byte, error) {
	if len(list) > 0 {
		dst = binary.AppendVarint(dst, int64(len(list)))
	}
	for _, e := range list {
		dst = append(binary.AppendVarint(dst, int64(len(e.Key))), e.Key...)
		var err error
		if dst, err = s.Elem.Append(dst, e.Value); err != nil {
			return dst, within(err, e.Key)
		}
	}
	return append(dst, 0), nil
}

// text takes strings and what is written like one.
func text(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case Symbol:
		return string(v), true
	}
	return "", false
}

// integer takes Go's integers, and times where the logical type says how.
func (s *Schema) integer(v any) (int64, bool) {
	var n int64
	switch v := v.(type) {
	case int32:
		return int64(v), true
	case int64:
		n = v
	case int:
		n = int64(v)
	case int16:
		return int64(v), true
	case int8:
		return int64(v), true
	case uint8:
		return int64(v), true
	case uint16:
		return int64(v), true
	case uint32:
		n = int64(v)
	case time.Time:
		return s.instant(v)
	case time.Duration:
		switch s.Logical {
		case "time-millis":
			n = v.Milliseconds()
		case "time-micros":
			n = v.Microseconds()
		default:
			return 0, false
		}
	default:
		return 0, false
	}
	return n, s.Type == Long || int64(int32(n)) == n
}

func (s *Schema) instant(t time.Time) (int64, bool) {
	switch s.Logical {
	case "date":
		days := floorDiv(t.Unix(), 86400)
		return days, int64(int32(days)) == days
	case "timestamp-millis", "local-timestamp-millis":
		return t.UnixMilli(), true
	case "timestamp-micros", "local-timestamp-micros":
		return t.UnixMicro(), true
	case "timestamp-nanos", "local-timestamp-nanos":
		return t.UnixNano(), true
	}
	return 0, false
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func real(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case int:
		return float64(v), true
	}
	return 0, false
}

// raw takes bytes, and decimals where the logical type is one.
func (s *Schema) raw(v any) ([]byte, bool) {
	var b []byte
	switch v := v.(type) {
	case []byte:
		b = v
	case Bin:
		b = v
	case Decimal:
		if s.Logical != "decimal" || v.Unscaled == nil || v.Scale > s.Scale {
			return nil, false
		}
		n := v.Unscaled
		if v.Scale < s.Scale {
			n = new(big.Int).Mul(n, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(s.Scale-v.Scale)), nil))
		}
		size := 0
		if s.Type == Fixed {
			size = s.Size
		}
		b = TwosComplement(n, size)
	default:
		return nil, false
	}
	return b, s.Type == Bytes || len(b) == s.Size
}

// TwosComplement is n as big-endian bytes, the fewest that are at least size: Java's BigInteger.toByteArray, with its sign to the left.
func TwosComplement(n *big.Int, size int) []byte {
	bits := n.BitLen()
	if n.Sign() < 0 {
		bits = new(big.Int).Not(n).BitLen()
	}
	size = max(size, bits/8+1)
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return n.FillBytes(make([]byte, size))
}

// FromTwosComplement reads big-endian bytes with a sign.
func FromTwosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// Branch is the branch of a union that a value is of; -1: none. As in Java, the first that fits the value's Go type exactly; then, where Java
// would refuse, the first that can hold the value.
func (s *Schema) Branch(v any) int {
	for i, b := range s.Branches {
		if b.exactly(v) {
			return i
		}
	}
	for i, b := range s.Branches {
		if b.loosely(v) {
			return i
		}
	}
	return -1
}

func (s *Schema) exactly(v any) bool {
	switch v := v.(type) {
	case nil:
		return s.Type == Null
	case bool:
		return s.Type == Boolean
	case int32:
		return s.Type == Int
	case int64:
		return s.Type == Long
	case float32:
		return s.Type == Float
	case float64:
		return s.Type == Double
	case string:
		return s.Type == String
	case Symbol:
		return s.Type == Enum && s.Symbol(string(v)) >= 0
	case []byte:
		return s.Type == Bytes
	case Bin:
		return s.Type == Fixed && len(v) == s.Size
	case *Datum:
		return s.Type == Record && (s == v.Schema || s.FullName() == v.Schema.FullName())
	case []any:
		return s.Type == Array
	case map[string]any, Entries:
		return s.Type == Map
	}
	return false
}

func (s *Schema) loosely(v any) bool {
	switch s.Type {
	case Int, Long:
		_, ok := s.integer(v)
		return ok
	case Float, Double:
		_, ok := real(v)
		return ok
	case Enum:
		t, ok := text(v)
		return ok && s.Symbol(t) >= 0
	case String:
		_, ok := text(v)
		return ok
	case Bytes, Fixed:
		_, ok := s.raw(v)
		return ok
	case Record:
		_, ok := v.(map[string]any)
		return ok
	}
	return false
}
