package transforms

import (
	"math/big"
	"slices"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// MaskField replaces the values of fields by a zero of their type, or by a given value: Kafka's MaskField. A null key or value is an error.
type MaskField struct {
	on          place
	get         reading
	fields      []string
	replacement *string
	layouts     schemas.Cache[*maskLayout]
}

var maskFieldDef = config.NewDef(
	config.Key{Name: "fields", Type: config.List, Required: true, Validator: config.Distinct(false, false), Importance: config.High,
		Doc: "The fields to mask."},
	config.Key{Name: "replacement", Type: config.String, Validator: config.NonEmpty, Importance: config.Low,
		Doc: "What replaces the values, for numbers and strings."},
	replaceNull())

// Config declares the properties.
func (*MaskField) Config() *config.Def { return maskFieldDef }

// Close does nothing.
func (*MaskField) Close() {}

// Configure reads the properties.
func (t *MaskField) Configure(props config.Props) error {
	v, get, err := parse(maskFieldDef, props)
	if err != nil {
		return err
	}
	t.get, t.fields = get, javastring.HashOrder(v.List("fields"))
	if v.Has("replacement") {
		s := v.String("replacement")
		t.replacement = &s
	}
	return nil
}

const maskPurpose = "mask fields"

// Apply masks.
func (t *MaskField) Apply(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, false})
}

// ApplyInPlace is Apply of a record that it may change.
func (t *MaskField) ApplyInPlace(r *connect.Record) (*connect.Record, error) {
	return t.apply(input{r, true})
}

func (t *MaskField) apply(r input) (*connect.Record, error) {
	s, v := t.on.of(r)
	if s == nil {
		m, err := asMap(v, maskPurpose)
		if err != nil {
			return nil, err
		}
		out := m.Copy()
		for _, name := range t.fields {
			v, _ := m.Get(name)
			if v, err = t.masked(v); err != nil {
				return nil, err
			}
			out.Put(name, v)
		}
		return t.on.with(r, nil, out)
	}
	st, err := asStruct(v, maskPurpose)
	if err != nil {
		return nil, err
	}
	out, err := t.maskStruct(st)
	if err != nil {
		return nil, err
	}
	return t.on.with(r, s, out)
}

// maskLayout is a struct's own schema, its moves into itself, and which of them are masked.
type maskLayout struct {
	layout
	masked []bool
}

func (t *MaskField) layout(s *data.Schema) *maskLayout {
	l := &maskLayout{layout: layout{schema: s}}
	for _, f := range s.Fields() {
		l.moves, l.masked = append(l.moves, moving(f, f)), append(l.masked, slices.Contains(t.fields, f.Name))
	}
	return l
}

func (t *MaskField) maskStruct(st *data.Struct) (*data.Struct, error) {
	l, err := t.layouts.Get(st.Schema(), nil, func() (*maskLayout, error) { return t.layout(st.Schema()), nil })
	if err != nil {
		return nil, err
	}
	out, _ := l.start(&t.on.structs, st)
	for i := range l.moves {
		m := &l.moves[i]
		if m.sure && !l.masked[i] && out.At(i) != nil {
			continue
		}
		v := t.get.field(st, m.from)
		if !l.masked[i] {
			if err := m.put(out, v); err != nil {
				return nil, err
			}
			continue
		}
		if v, err = t.masked(v); err != nil {
			return nil, err
		}
		if err := out.PutField(m.to, v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (t *MaskField) masked(v any) (any, error) {
	switch {
	case v == nil:
		return nil, nil
	case t.replacement != nil:
		return replaced(v, *t.replacement)
	}
	return zeroOf(v)
}

// replaced is the replacement in the class of v.
func replaced(v any, text string) (any, error) {
	switch v.(type) {
	case string:
		return text, nil
	case int8, int16, int32, int64, float32, float64:
		return data.ConvertToNumber(data.TypeOf(v), nil, text)
	case data.Decimal:
		d, err := data.ParseDecimal(text)
		if err != nil {
			return nil, notNumber(text, err)
		}
		return d, nil
	case *big.Int:
		if ascii, ok := asciiDigits(text); ok {
			if i, ok := new(big.Int).SetString(ascii, 10); ok {
				return i, nil
			}
		}
		return nil, notNumber(text, data.NumberFormatException.Errorf("For input string: %q", text))
	}
	return nil, data.DataException.Errorf("Cannot mask value of type class %s with custom replacement.", data.ClassOf(v))
}

func notNumber(text string, err error) error {
	return data.DataException.Wrap(err, "Unable to convert "+text+" (class java.lang.String) to number")
}

// zeroOf is the mask of v's class. That of a Decimal has scale 0 whatever its schema says, as in Kafka.
func zeroOf(v any) (any, error) {
	switch v.(type) {
	case bool:
		return false, nil
	case int8:
		return int8(0), nil
	case int16:
		return int16(0), nil
	case int32:
		return int32(0), nil
	case int64:
		return int64(0), nil
	case float32:
		return float32(0), nil
	case float64:
		return float64(0), nil
	case string:
		return "", nil
	case time.Time:
		return data.Millis(0), nil
	case data.Decimal:
		return data.Decimal{}, nil
	case *big.Int:
		return new(big.Int), nil
	case []any:
		return []any{}, nil
	case *data.Map:
		return data.NewMap(), nil
	}
	return nil, data.DataException.Errorf("Cannot mask value of type: class %s", data.ClassOf(v))
}
