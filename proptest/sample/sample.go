// Package sample is for random schemas and values, with which the tests of the converters of a Schema Registry try round trips.
package sample

import (
	"fmt"
	"math"
	"math/rand"
	"slices"
	"strings"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Rules say what a format can tell apart.
type Rules struct {
	// Root makes the outermost schema a struct.
	Root bool
	// Flat leaves out lists and maps in lists and maps, nulls for them and in them, and int8 and int16 where Protobuf makes them int32: where
	// a null may be instead, and in lists and maps.
	Flat bool
	// Plain leaves out docs and parameters, and defaults.
	Plain bool
	// Undefaulted leaves out defaults.
	Undefaulted bool
}

// Gen draws a schema with a value of it. All structs and maps have names, each its own, and the outermost schema has version 1.
func (r Rules) Gen() gopter.Gen {
	return func(params *gopter.GenParameters) *gopter.GenResult {
		d := &draw{Rules: r, Rand: params.Rng}
		b := d.schema(3, r.Root)
		s := b.Version(1).MustBuild()
		v := d.value(s)
		for v == nil { // a null has no schema in the bytes
			v = d.value(s)
		}
		return gopter.NewGenResult(data.SchemaAndValue{Schema: s, Value: v}, gopter.NoShrinker)
	}
}

type draw struct {
	Rules
	*rand.Rand
	names int
}

func (d *draw) name(kind string) string {
	d.names++
	return fmt.Sprintf("shop.%s%d", kind, d.names)
}

// schema draws a schema that nests at most depth deep.
func (d *draw) schema(depth int, root bool) *data.Builder {
	n := 13
	if depth > 0 {
		n = 16
	}
	var b *data.Builder
	k := d.Intn(n)
	if root {
		k = 15
	}
	inner := depth - 1
	if d.Flat {
		inner = min(inner, 0)
	}
	switch k {
	case 9:
		b = data.DecimalBuilder(int32(d.Intn(7)))
	case 10:
		b = data.DateBuilder()
	case 11:
		b = data.TimeBuilder()
	case 12:
		b = data.TimestampBuilder()
	case 13:
		b = data.ArrayOf(d.member(inner))
	case 14:
		keys := []*data.Schema{data.StringSchema, data.StringSchema, data.Int32Schema, data.Int64Schema, data.BooleanSchema}
		b = data.MapOf(keys[d.Intn(len(keys))], d.member(inner))
		if !d.Flat {
			b.Name(d.name("Map"))
		}
	case 15:
		b = data.NewStructBuilder().Name(d.name("Struct"))
		for i := range d.Intn(5) {
			b.Field(fmt.Sprint("f", i), d.schema(depth-1, false).MustBuild())
		}
	default:
		b = data.NewBuilder(data.Int8 + data.Type(k))
	}
	if d.Intn(3) == 0 && !root && !(d.Flat && (k < 2 || k == 13 || k == 14)) {
		b.Optional()
	}
	if d.Plain {
		return b
	}
	if d.Intn(4) == 0 {
		b.Doc(d.text()).Parameter("p", d.text())
	}
	s := b.MustBuild()
	if s.Type().Primitive() && s.Type() != data.Bytes && !d.Undefaulted && d.Intn(5) == 0 { // bytes come back as a buffer, which equals no bytes
		v := d.value(s)
		for v == nil {
			v = d.value(s)
		}
		b.Default(v)
	}
	return b
}

// member draws the schema of a list's elements or of a map's values.
func (d *draw) member(depth int) *data.Schema {
	s := d.schema(depth, false).MustBuild()
	for d.Flat && (s.Optional() || s.Type() == data.Int8 || s.Type() == data.Int16) {
		s = d.schema(depth, false).MustBuild()
	}
	return s
}

func (d *draw) text() string {
	letters := []rune("ab \"\\/\n\u0001é\u2028😀\U0010ffff{}[]:,0")
	out := make([]rune, d.Intn(6))
	for i := range out {
		out[i] = letters[d.Intn(len(letters))]
	}
	return string(out)
}

func (d *draw) value(s *data.Schema) any {
	if s.Optional() && s.Default() == nil && d.Intn(4) == 0 {
		return nil
	}
	switch s.Name() {
	case data.DecimalName:
		scale, err := data.DecimalScale(s)
		if err != nil {
			panic(err)
		}
		return data.DecimalOf(d.Int63n(1<<40)-1<<39, scale)
	case data.DateName:
		return data.Millis(int64(d.Intn(60000)-30000) * 86400000)
	case data.TimeName:
		return data.Millis(int64(d.Intn(86400000)))
	case data.TimestampName:
		return data.Millis(d.Int63n(1<<45) - 1<<44)
	}
	switch s.Type() {
	case data.Int8:
		return int8(d.Int())
	case data.Int16:
		return int16(d.Int())
	case data.Int32:
		return int32(d.Int())
	case data.Int64:
		return int64(d.Uint64())
	case data.Float32:
		return float32(d.NormFloat64())
	case data.Float64:
		return d.NormFloat64() * math.Pow(10, float64(d.Intn(40)-20))
	case data.Boolean:
		return d.Intn(2) == 0
	case data.String:
		return d.text()
	case data.Bytes:
		b := make([]byte, d.Intn(5))
		d.Read(b)
		return b
	case data.Array:
		out := []any{}
		for range d.Intn(4) {
			out = append(out, d.value(s.ValueSchema()))
		}
		return out
	case data.MapType:
		m := data.NewMap()
		for range d.Intn(4) {
			m.Put(d.value(s.KeySchema()), d.value(s.ValueSchema()))
		}
		return m
	}
	st := data.NewStruct(s)
	for i, f := range s.Fields() {
		st.Set(i, d.value(f.Schema))
	}
	return st
}

// Text is a value's text, whatever its schema says besides types, with the entries of maps sorted.
func Text(v any) string {
	var parts []string
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			parts = append(parts, Text(e))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *data.Map:
		for _, e := range v.Entries() {
			parts = append(parts, Text(e.Key)+": "+Text(e.Value))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ", ") + "}"
	case *data.Struct:
		for i, f := range v.Schema().Fields() {
			parts = append(parts, f.Name+"="+Text(v.At(i)))
		}
		return "struct(" + strings.Join(parts, ", ") + ")"
	case data.Buffer:
		return Text([]byte(v))
	case []byte:
		return fmt.Sprintf("%x", v)
	}
	return fmt.Sprintf("%T %q", v, data.Text(v))
}

// Converter is what RoundTrips tries.
type Converter interface {
	FromConnect(topic string, headers *[]broker.Header, s *data.Schema, v any) ([]byte, error)
	ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error)
}

// RoundTrips is a property: what a converter writes it reads as the same value; and what it has read it writes so that it reads the same value
// again. If exact, the schema read is equal too, and as many bytes are written. Each value has a topic of its own.
func RoundTrips(r Rules, c Converter, exact bool) gopter.Prop {
	n := 0
	return prop.ForAll(func(v data.SchemaAndValue) (bool, error) {
		n++
		first, err := c.FromConnect(fmt.Sprint("a", n), nil, v.Schema, v.Value)
		if err != nil {
			return false, fmt.Errorf("write %s: %s", v, data.StackTrace(err))
		}
		got, err := c.ToConnect(fmt.Sprint("a", n), nil, first)
		if err != nil {
			return false, fmt.Errorf("read %s of %q: %s", v, first, data.StackTrace(err))
		}
		if a, b := Text(v.Value), Text(got.Value); a != b {
			return false, fmt.Errorf("%s became %s", a, b)
		}
		if exact && !got.Schema.Equal(v.Schema) {
			return false, fmt.Errorf("schema of %s became that of %s", v, got)
		}
		again, err := c.FromConnect(fmt.Sprint("b", n), nil, got.Schema, got.Value)
		if err != nil {
			return false, fmt.Errorf("write what was read, %s: %s", got, data.StackTrace(err))
		}
		if exact && len(first) != len(again) { // the entries of maps come in another order
			return false, fmt.Errorf("%s: %q was written again as %q", v, first, again)
		}
		got, err = c.ToConnect(fmt.Sprint("b", n), nil, again)
		if err != nil {
			return false, fmt.Errorf("read again %s of %q: %s", v, again, data.StackTrace(err))
		}
		if a, b := Text(v.Value), Text(got.Value); a != b {
			return false, fmt.Errorf("%s became %s the second time", a, b)
		}
		return true, nil
	}, r.Gen())
}
