package data

import (
	"encoding/base64"
	"math/big"
	"strings"
	"time"
)

// ConvertTo makes a value of schema to, as Kafka's Values does where it aligns parsed values. from is the schema v has, if that is known.
func ConvertTo(to, from *Schema, v any) (any, error) {
	if v == nil {
		if to.optional {
			return nil, nil
		}
		return nil, requiresValue()
	}
	switch to.typ {
	case Bytes:
		if to.Name() == DecimalName {
			return toDecimal(to, v)
		}
		return toBytes(to, v)
	case String:
		return ConvertToString(v)
	case Boolean:
		return ConvertToBoolean(from, v)
	case Int32:
		switch to.Name() {
		case DateName:
			return ConvertToDate(from, v)
		case TimeName:
			return ConvertToTime(from, v)
		}
	case Int64:
		if to.Name() == TimestampName {
			return ConvertToTimestamp(from, v)
		}
	case Array:
		return toCollection(to, v)
	case MapType:
		return toCollection(to, v)
	case StructType:
		return ConvertToStruct(v)
	}
	return ConvertToNumber(to.typ, from, v)
}

func requiresValue() error {
	return DataException.Errorf("Unable to convert a null value to a schema that requires a value")
}

func unable(v any, to string) error {
	return DataException.Errorf("Unable to convert %s (class %s) to %s", Text(v), ClassOf(v), to)
}

// parsed is what a text stands for. Java fails with a NullPointerException where that is null.
func parsed(v any) (any, error) {
	s, ok := v.(string)
	if !ok {
		return v, nil
	}
	p, ok := ParseString(s)
	if !ok {
		return nil, NullPointerException.Errorf("the text null has no value")
	}
	return p.Value, nil
}

// ConvertToBoolean is Kafka's Values.convertToBoolean: nil for nil; numbers but 0 are true.
func ConvertToBoolean(from *Schema, v any) (any, error) {
	switch x := v.(type) {
	case nil:
		return nil, nil
	case bool:
		return x, nil
	case string:
		p, err := parsed(x)
		if err != nil {
			return nil, err
		}
		if b, ok := p.(bool); ok {
			return b, nil
		}
	}
	n, err := asLong(from, v, nil)
	return n != 0, err
}

// ConvertToNumber is Kafka's Values.convertToByte to convertToDouble, by the type: nil for nil; integers wrap.
func ConvertToNumber(t Type, from *Schema, v any) (any, error) {
	if v == nil || TypeOf(v) == t {
		return v, nil
	}
	if t == Float32 || t == Float64 {
		f, err := asDouble(from, v)
		if err != nil {
			return nil, err
		}
		return num{frac: f, float: true}.to(t), nil
	}
	n, err := asLong(from, v, nil)
	if err != nil {
		return nil, err
	}
	return num{whole: n}.to(t), nil
}

// ConvertToList is Kafka's Values.convertToList.
func ConvertToList(v any) (any, error) { return toCollection(arraySelector, v) }

// ConvertToMap is Kafka's Values.convertToMap.
func ConvertToMap(v any) (any, error) { return toCollection(mapSelector, v) }

var (
	arraySelector = ArrayOf(StringSchema).MustBuild()
	mapSelector   = MapOf(StringSchema, StringSchema).MustBuild()
)

func toCollection(to *Schema, v any) (any, error) {
	if v == nil {
		return nil, requiresValue()
	}
	p, err := parsed(v)
	if err != nil {
		return nil, err
	}
	if TypeOf(p) != to.typ {
		return nil, unable(p, to.String())
	}
	return p, nil
}

// ConvertToStruct is Kafka's Values.convertToStruct.
func ConvertToStruct(v any) (any, error) {
	switch v.(type) {
	case nil:
		return nil, requiresValue()
	case *Struct:
		return v, nil
	}
	return nil, unable(v, "Schema{STRUCT}")
}

// ConvertToDecimal is Kafka's Values.convertToDecimal. scale matters for bytes only.
func ConvertToDecimal(v any, scale int32) (any, error) {
	if v == nil {
		return nil, requiresValue()
	}
	return toDecimal(DecimalBuilder(scale).MustBuild(), v)
}

func toDecimal(to *Schema, v any) (any, error) {
	switch x := v.(type) {
	case Buffer:
		return DecimalFromBytes(to, x)
	case []byte:
		return DecimalFromBytes(to, x)
	case Decimal:
		return x, nil
	case string:
		return ParseDecimal(x)
	}
	if f, ok := asNumber(v); ok {
		return DecimalOfFloat(f.double())
	}
	return nil, unable(v, to.String())
}

func toBytes(to *Schema, v any) (any, error) {
	switch x := v.(type) {
	case Buffer:
		return []byte(x), nil
	case []byte:
		return x, nil
	case Decimal:
		return DecimalToBytes(to, x)
	}
	return nil, unable(v, to.String())
}

// ConvertToDate is Kafka's Values.convertToDate.
func ConvertToDate(from *Schema, v any) (any, error) {
	return toMoment(from, v, func(t time.Time) (any, bool, error) {
		switch {
		case from == nil || from.Name() == DateName:
			return t, true, nil
		case from.Name() == TimestampName:
			d, err := DateFromDays(DateSchema, int32(t.UnixMilli()/millisPerDay))
			return d, true, err
		}
		return nil, false, nil
	}, func(n int64) (any, error) { return DateFromDays(DateSchema, int32(n)) })
}

// ConvertToTime is Kafka's Values.convertToTime.
func ConvertToTime(from *Schema, v any) (any, error) {
	return toMoment(from, v, func(t time.Time) (any, bool, error) {
		switch {
		case from == nil || from.Name() == TimeName:
			return t, true, nil
		case from.Name() == TimestampName:
			ms := t.UnixMilli() % millisPerDay
			if ms < 0 {
				ms += millisPerDay
			}
			d, err := TimeFromMillis(TimeSchema, int32(ms))
			return d, true, err
		}
		return nil, false, nil
	}, func(n int64) (any, error) { return TimeFromMillis(TimeSchema, int32(n)) })
}

// ConvertToTimestamp is Kafka's Values.convertToTimestamp.
func ConvertToTimestamp(from *Schema, v any) (any, error) {
	return toMoment(from, v, func(t time.Time) (any, bool, error) {
		if from == nil {
			return t, true, nil
		}
		switch from.Name() {
		case DateName:
			days, err := DateToDays(from, t)
			return Millis(int64(days) * millisPerDay), true, err
		case TimeName:
			ms, err := TimeToMillis(from, t)
			return Millis(int64(ms)), true, err
		case TimestampName:
			return t, true, nil
		}
		return nil, false, nil
	}, func(n int64) (any, error) { return TimestampFromMillis(TimestampSchema, n) })
}

// toMoment tries ofTime on a time, and makes others a number for ofNumber.
func toMoment(from *Schema, v any, ofTime func(time.Time) (any, bool, error), ofNumber func(int64) (any, error)) (any, error) {
	if v == nil {
		return nil, requiresValue()
	}
	p, err := parsed(v)
	if err != nil {
		return nil, err
	}
	if t, ok := p.(time.Time); ok {
		if out, ok, err := ofTime(t); ok {
			return out, err
		}
	}
	n, err := asLong(from, p, nil)
	if err != nil {
		return nil, err
	}
	return ofNumber(n)
}

// amount is any of Java's Numbers.
type amount struct {
	num
	dec *Decimal
	big *big.Int
}

func asNumber(v any) (amount, bool) {
	switch x := v.(type) {
	case Decimal:
		return amount{dec: &x}, true
	case *big.Int:
		return amount{big: x}, true
	}
	n, ok := number(v)
	return amount{num: n}, ok
}

func (a amount) long() int64 {
	switch {
	case a.dec != nil:
		return a.dec.Int64()
	case a.big != nil:
		return low64(a.big)
	}
	return a.num.to(Int64).(int64)
}

func (a amount) double() float64 {
	switch {
	case a.dec != nil:
		return a.dec.Float64()
	case a.big != nil:
		return NewDecimal(a.big, 0).Float64()
	}
	return a.num.to(Float64).(float64)
}

// Int64 is BigDecimal.longValue: the low 64 bits of the whole part.
func (d Decimal) Int64() int64 {
	if d.scale <= -64 {
		return 0
	}
	i, ok := d.BigInt()
	if !ok {
		return 0
	}
	return low64(i)
}

func low64(i *big.Int) int64 {
	if i.IsInt64() {
		return i.Int64()
	}
	mask := new(big.Int).SetUint64(^uint64(0))
	return int64(new(big.Int).And(i, mask).Uint64())
}

func asLong(from *Schema, v any, cause error) (int64, error) {
	if a, ok := asNumber(v); ok {
		return a.long(), nil
	}
	if s, ok := v.(string); ok {
		d, err := ParseDecimal(s)
		if err == nil {
			return d.Int64(), nil
		}
		cause = err
	}
	to := "a number"
	if from != nil {
		to = from.String()
		if t, ok := v.(time.Time); ok {
			switch from.Name() {
			case DateName:
				n, err := DateToDays(from, t)
				return int64(n), err
			case TimeName:
				n, err := TimeToMillis(from, t)
				return int64(n), err
			case TimestampName:
				return TimestampToMillis(from, t)
			}
		}
	}
	err := unable(v, to).(*Error)
	err.Cause = cause
	return 0, err
}

func asDouble(from *Schema, v any) (float64, error) {
	if a, ok := asNumber(v); ok {
		return a.double(), nil
	}
	var cause error
	if s, ok := v.(string); ok {
		d, err := ParseDecimal(s)
		if err == nil {
			return d.Float64(), nil
		}
		cause = err
	}
	n, err := asLong(from, v, cause)
	return float64(n), err
}

// ConvertToString is Kafka's Values.convertToString: nil for nil, strings as they are, everything else in the form that ParseString reads.
func ConvertToString(v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	b, err := AppendValue(nil, v, false)
	if err != nil {
		return nil, err
	}
	return string(b), nil
}

var escaper = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// AppendValue appends the text of ConvertToString. Embedded strings and bytes are quoted.
func AppendValue(b []byte, v any, embedded bool) ([]byte, error) {
	switch x := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return append(b, Text(x)...), nil
	case string:
		if embedded {
			return append(append(append(b, '"'), escaper.Replace(x)...), '"'), nil
		}
		return append(b, x...), nil
	case []byte:
		if embedded {
			return append(base64.StdEncoding.AppendEncode(append(b, '"'), x), '"'), nil
		}
		return base64.StdEncoding.AppendEncode(b, x), nil
	case Buffer:
		return AppendValue(b, []byte(x), embedded)
	case time.Time:
		return appendMoment(b, x.UnixMilli()), nil
	case []any, *Map, *Struct:
		return appendCollection(b, x)
	}
	if _, ok := asNumber(v); ok {
		return append(b, Text(v)...), nil
	}
	return b, DataException.Errorf("Failed to serialize unexpected value type %s: %s", ClassOf(v), Text(v))
}

func appendMoment(b []byte, ms int64) []byte {
	switch {
	case ms < millisPerDay:
		return timeLayout.Append(b, ms)
	case ms%millisPerDay == 0:
		return dateLayout.Append(b, ms)
	}
	return timestampLayout.Append(b, ms)
}

func appendCollection(b []byte, v any) (_ []byte, err error) {
	comma := func(i int) {
		if i > 0 {
			b = append(b, ',')
		}
	}
	pair := func(k, v any) {
		if b, err = AppendValue(b, k, true); err == nil {
			b, err = AppendValue(append(b, ':'), v, true)
		}
	}
	end := byte('}')
	switch x := v.(type) {
	case []any:
		end = ']'
		b = append(b, '[')
		for i := 0; i < len(x) && err == nil; i++ {
			comma(i)
			b, err = AppendValue(b, x[i], true)
		}
	case *Map:
		b = append(b, '{')
		for i, e := range x.Entries() {
			comma(i)
			if pair(e.Key, e.Value); err != nil {
				break
			}
		}
	case *Struct:
		b = append(b, '{')
		for i, f := range x.schema.fields {
			comma(i)
			if pair(f.Name, x.Value(f)); err != nil {
				break
			}
		}
	}
	return append(b, end), err
}

// InferSchema is Kafka's Values.inferSchema: the schema of a value without one; nil where it cannot be told. A list or map of nothing but
// nulls is a SchemaBuilderException, as in Kafka.
func InferSchema(v any) (*Schema, error) {
	switch x := v.(type) {
	case *Struct:
		return x.schema, nil
	case []any:
		var d detector
		for _, e := range x {
			if ok, err := d.add(e); !ok {
				return nil, err
			}
		}
		if len(x) == 0 {
			return nil, nil
		}
		s, err := d.schema()
		if err != nil {
			return nil, err
		}
		return ArrayOf(s).Build()
	case *Map:
		return inferMap(x)
	}
	return PrimitiveSchema(TypeOf(v)), nil
}

func inferMap(m *Map) (*Schema, error) {
	var keys, values detector
	for _, e := range m.Entries() {
		if ok, err := keys.add(e.Key); !ok {
			return nil, err
		}
		if ok, err := values.add(e.Value); !ok {
			return nil, err
		}
	}
	if m.Len() == 0 {
		return nil, nil
	}
	k, err := keys.schema()
	if err != nil {
		return nil, err
	}
	v, err := values.schema()
	if err != nil {
		return nil, err
	}
	return MapOf(k, v).Build()
}

// detector finds the type that all elements have.
type detector struct {
	typ      Type
	optional bool
}

func (d *detector) add(v any) (bool, error) {
	if v == nil {
		d.optional = true
		return true, nil
	}
	s, err := InferSchema(v)
	if err != nil || s == nil || d.typ != 0 && d.typ != s.typ {
		return false, err
	}
	d.typ = s.typ
	return true, nil
}

func (d *detector) schema() (*Schema, error) {
	if d.typ == 0 {
		return nil, SchemaBuilderException.Errorf("type cannot be null")
	}
	return NewBuilder(d.typ).SetOptional(d.optional).Build()
}
