package avroschema

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Reader decodes what a writer's schema wrote into values of a reader's schema. It may be used by several threads.
type Reader struct {
	Schema  *Schema // the reader's
	root    *plan
	logical bool
	ordered bool
}

// Mode says in which of two forms values are read.
type Mode uint8

// The modes.
const (
	Logical Mode = 1 << iota // dates, times and decimals are Go's
	Ordered                  // maps are Entries
)

// Limits on what bytes may claim.
const (
	maxDecodeDepth = 2000    // of values in values
	maxEmpty       = 1 << 20 // array elements that have no bytes, in one value
)

var (
	errEnd   = errors.New("the bytes end within the value")
	errDepth = fmt.Errorf("the value is nested deeper than %d", maxDecodeDepth)
)

// decoder is the state of one Decode.
type decoder struct {
	b       []byte
	depth   int
	empty   int
	logical bool
	ordered bool
}

// Decode reads one value from the front of b, and returns the rest. The value shares no memory with b, but default values are shared with
// other values: do not change what it holds.
func (r *Reader) Decode(b []byte) (any, []byte, error) {
	d := decoder{b: b, logical: r.logical, ordered: r.ordered}
	v, err := d.value(r.root)
	return v, d.b, err
}

func (d *decoder) varint() (int64, error) {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		return 0, errEnd
	}
	d.b = d.b[n:]
	return v, nil
}

func (d *decoder) take(n int64) ([]byte, error) {
	if n < 0 || n > int64(len(d.b)) {
		return nil, errEnd
	}
	out := d.b[:n:n]
	d.b = d.b[n:]
	return out, nil
}

// data takes bytes with their length before them.
func (d *decoder) data() ([]byte, error) {
	n, err := d.varint()
	if err != nil {
		return nil, err
	}
	return d.take(n)
}

// number reads a number of the writer's type; f holds a float or double.
func (d *decoder) number(t Type) (n int64, f float64, err error) {
	switch t {
	case Int:
		n, err = d.varint()
		if int64(int32(n)) != n {
			return 0, 0, errors.New("an int of more than 32 bits")
		}
		return n, float64(n), err
	case Long:
		n, err = d.varint()
		return n, float64(n), err
	case Float:
		b, err := d.take(4)
		if err != nil {
			return 0, 0, err
		}
		return 0, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	}
	b, err := d.take(8)
	if err != nil {
		return 0, 0, err
	}
	return 0, math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

// value reads by a plan.
func (d *decoder) value(p *plan) (any, error) {
	for p.same != nil {
		p = p.same
	}
	if p.err != nil {
		return nil, p.err
	}
	switch p.writer.Type {
	case Null:
		return nil, nil
	case Boolean:
		b, err := d.take(1)
		if err != nil {
			return nil, err
		}
		return b[0] == 1, nil
	case Int, Long, Float, Double:
		return d.numeric(p)
	case Bytes, String:
		return d.textual(p)
	case Fixed:
		b, err := d.take(int64(p.writer.Size))
		if err != nil {
			return nil, err
		}
		return d.bytes(p.reader, b), nil
	case Enum:
		return d.enum(p)
	}
	if d.depth++; d.depth > maxDecodeDepth {
		return nil, errDepth
	}
	defer func() { d.depth-- }()
	switch p.writer.Type {
	case Union:
		i, err := d.varint()
		if err != nil {
			return nil, err
		}
		if i < 0 || i >= int64(len(p.branches)) {
			return nil, fmt.Errorf("a union has no branch %d", i)
		}
		return d.value(p.branches[i])
	case Record:
		return d.record(p)
	case Array:
		return d.array(p)
	}
	return d.mapping(p)
}

func (d *decoder) numeric(p *plan) (any, error) {
	n, f, err := d.number(p.writer.Type)
	if err != nil {
		return nil, err
	}
	switch p.reader.Type {
	case Int:
		if d.logical && p.reader.Logical != "" {
			return moment(p.reader, n), nil
		}
		return int32(n), nil
	case Long:
		if d.logical && p.reader.Logical != "" {
			return moment(p.reader, n), nil
		}
		return n, nil
	case Float:
		if p.writer.Type == Long {
			return float32(n), nil
		}
		return float32(f), nil
	}
	return f, nil
}

// moment is a date, time or timestamp as Go has it.
func moment(s *Schema, n int64) any {
	switch s.Logical {
	case "date":
		return time.Unix(n*86400, 0).UTC()
	case "time-millis":
		return time.Duration(n) * time.Millisecond
	case "time-micros":
		return time.Duration(n) * time.Microsecond
	case "timestamp-millis", "local-timestamp-millis":
		return time.UnixMilli(n).UTC()
	case "timestamp-micros", "local-timestamp-micros":
		return time.UnixMicro(n).UTC()
	}
	return time.Unix(0, n).UTC()
}

func (d *decoder) textual(p *plan) (any, error) {
	b, err := d.data()
	if err != nil {
		return nil, err
	}
	if p.reader.Type == String {
		return string(b), nil
	}
	return d.bytes(p.reader, b), nil
}

func (d *decoder) bytes(s *Schema, b []byte) any {
	if d.logical && s.Logical == "decimal" {
		return Decimal{FromTwosComplement(b), s.Scale}
	}
	c := make([]byte, len(b))
	copy(c, b)
	if s.Type == Fixed {
		return Bin(c)
	}
	return c
}

func (d *decoder) enum(p *plan) (any, error) {
	i, err := d.varint()
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(p.symbols)) {
		return nil, fmt.Errorf("enum %s has no symbol %d", p.writer.FullName(), i)
	}
	if p.symbols[i] == nil {
		//lint:ignore ST1005 Java's words
		return nil, fmt.Errorf("No match for %s", p.writer.Symbols[i])
	}
	return p.symbols[i], nil
}

func (d *decoder) record(p *plan) (any, error) {
	out := NewDatum(p.reader)
	for _, f := range p.fields {
		if f.to < 0 {
			if err := d.skip(f.plan.writer); err != nil {
				return nil, fmt.Errorf("field %s: %w", f.name, err)
			}
			continue
		}
		v, err := d.value(f.plan)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.name, err)
		}
		out.Values[f.to] = v
	}
	for _, f := range p.defaults {
		out.Values[f.to] = f.value
	}
	return out, nil
}

// block reads the count of a block of elements that have at least least bytes each.
func (d *decoder) block(least int64) (int64, error) {
	n, err := d.varint()
	if err != nil {
		return 0, err
	}
	if n < 0 {
		if n == math.MinInt64 {
			return 0, errEnd
		}
		n = -n
		if _, err := d.varint(); err != nil { // the block's size in bytes
			return 0, err
		}
	}
	if least == 0 {
		if n > int64(maxEmpty-d.empty) {
			return 0, fmt.Errorf("more than %d elements without bytes", maxEmpty)
		}
		d.empty += int(n)
	} else if n > int64(len(d.b))/least {
		return 0, errEnd
	}
	return n, nil
}

func (d *decoder) array(p *plan) (any, error) {
	out := []any{}
	for {
		n, err := d.block(p.least)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		if len(out) == 0 {
			out = make([]any, 0, min(n, 4096))
		}
		for range n {
			v, err := d.value(p.elem)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
	}
}

func (d *decoder) mapping(p *plan) (any, error) {
	if d.ordered {
		return d.entries(p)
	}
	out := map[string]any{}
	for {
		n, err := d.block(1)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		for range n {
			k, err := d.data()
			if err != nil {
				return nil, err
			}
			key := string(k)
			if out[key], err = d.value(p.elem); err != nil {
				return nil, err
			}
		}
	}
}

// entries reads a map in the order of its bytes; a key that comes again replaces the value.
func (d *decoder) entries(p *plan) (any, error) {
	out := Entries{}
	var index map[string]int // from some size on
	for {
		n, err := d.block(1)
		if n == 0 || err != nil {
			return out, err
		}
		for range n {
			k, err := d.data()
			if err != nil {
				return nil, err
			}
			key := string(k)
			v, err := d.value(p.elem)
			if err != nil {
				return nil, err
			}
			if index == nil && len(out) > 16 {
				index = map[string]int{}
				for i, e := range out {
					index[e.Key] = i
				}
			}
			at, ok := index[key]
			if index == nil {
				at = slices.IndexFunc(out, func(e Entry) bool { return e.Key == key })
				ok = at >= 0
			}
			if ok {
				out[at].Value = v
				continue
			}
			if index != nil {
				index[key] = len(out)
			}
			out = append(out, Entry{key, v})
		}
	}
}

// skip passes over a value that the reader does not want.
func (d *decoder) skip(s *Schema) error {
	var err error
	switch s.Type {
	case Null:
	case Boolean:
		_, err = d.take(1)
	case Int, Long, Enum:
		_, err = d.varint()
	case Float:
		_, err = d.take(4)
	case Double:
		_, err = d.take(8)
	case Bytes, String:
		_, err = d.data()
	case Fixed:
		_, err = d.take(int64(s.Size))
	default:
		if d.depth++; d.depth > maxDecodeDepth {
			return errDepth
		}
		err = d.skipNested(s)
		d.depth--
	}
	return err
}

func (d *decoder) skipNested(s *Schema) error {
	switch s.Type {
	case Union:
		i, err := d.varint()
		if err != nil {
			return err
		}
		if i < 0 || i >= int64(len(s.Branches)) {
			return fmt.Errorf("a union has no branch %d", i)
		}
		return d.skip(s.Branches[i])
	case Record:
		for _, f := range s.Fields {
			if err := d.skip(f.Schema); err != nil {
				return err
			}
		}
		return nil
	}
	least := int64(1)
	if s.Type == Array {
		least = s.Elem.least(0)
	}
	for {
		n, err := d.block(least)
		if n == 0 || err != nil {
			return err
		}
		for range n {
			if s.Type == Map {
				if _, err := d.data(); err != nil {
					return err
				}
			}
			if err := d.skip(s.Elem); err != nil {
				return err
			}
		}
	}
}

// RawBytes tells whether both schemas are bytes at the top: Confluent writes those without their length.
func (r *Reader) RawBytes() bool {
	return r.root.err == nil && r.root.writer.Type == Bytes && r.Schema.Type == Bytes && !r.logical
}

// SplitBytes takes a value of type bytes apart: how long it is said to be, and the bytes themselves.
func SplitBytes(b []byte) (int64, []byte, error) {
	d := decoder{b: b}
	n, err := d.varint()
	if err != nil {
		return 0, nil, err
	}
	out, err := d.take(n)
	return n, out, err
}
