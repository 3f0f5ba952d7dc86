package transforms

import (
	"encoding/base64"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// castValue makes a value of type t; s is the schema v has, if that is known.
func castValue(s *data.Schema, v any, t data.Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	from := data.TypeOf(v)
	if s != nil {
		from = s.Type()
	}
	if from == 0 {
		return nil, data.DataException.Errorf("Cast transformation was passed a value of type class %s which is not supported by Connect's data API", data.ClassOf(v))
	}
	if !slices.Contains(castInputs, from) {
		return nil, data.DataException.Errorf("Cast transformation does not support casting from %s; supported types are %s", from, typeList(castInputs))
	}
	if t == data.String {
		return castToString(v)
	}
	if s != nil && s.HasName() {
		var err error
		if v, err = encodeLogical(s, v); err != nil {
			return nil, err
		}
	}
	return castToPrimitive(v, t)
}

func castToPrimitive(v any, t data.Type) (any, error) {
	switch x := v.(type) {
	case bool:
		if t == data.Boolean {
			return x, nil
		}
		n := number{}
		if x {
			n.whole = 1
		}
		return n.to(t), nil
	case string:
		return parseAs(x, t)
	}
	n, ok := numberOf(v)
	switch {
	case ok:
		return n.to(t), nil
	case slices.Contains(castOutputs, t):
		return nil, data.DataException.Errorf("Unexpected type in Cast transformation: class %s", data.ClassOf(v))
	}
	return nil, data.DataException.Errorf("%s is not supported in the Cast transformation.", t)
}

// encodeLogical makes the number of a Date, Time or Timestamp.
func encodeLogical(s *data.Schema, v any) (any, error) {
	switch s.Name() {
	case data.DateName, data.TimeName, data.TimestampName:
	default:
		return v, nil
	}
	t, ok := v.(time.Time)
	if !ok {
		return nil, data.ClassCastException.Errorf("class %s cannot be cast to class java.util.Date", data.ClassOf(v))
	}
	switch s.Name() {
	case data.DateName:
		return data.DateToDays(s, t)
	case data.TimeName:
		return data.TimeToMillis(s, t)
	}
	return data.TimestampToMillis(s, t)
}

func castToString(v any) (any, error) {
	switch x := v.(type) {
	case time.Time:
		return data.ConvertToString(x)
	case []byte:
		return base64.StdEncoding.EncodeToString(x), nil
	case data.Buffer:
		return base64.StdEncoding.EncodeToString(x), nil
	}
	return data.Text(v), nil
}

// number is one of Java's Numbers.
type number struct {
	whole   int64
	float   float64
	isFloat bool
	exact   *data.Decimal // BigDecimal and BigInteger
}

func numberOf(v any) (number, bool) {
	switch x := v.(type) {
	case int8:
		return number{whole: int64(x)}, true
	case int16:
		return number{whole: int64(x)}, true
	case int32:
		return number{whole: int64(x)}, true
	case int64:
		return number{whole: x}, true
	case float32:
		return number{float: float64(x), isFloat: true}, true
	case float64:
		return number{float: x, isFloat: true}, true
	case data.Decimal:
		return number{whole: x.Int64(), exact: &x}, true
	case *big.Int:
		d := data.NewDecimal(x, 0)
		return number{whole: d.Int64(), exact: &d}, true
	}
	return number{}, false
}

// to narrows as Java does: integers wrap, floats saturate at the bounds of an int, or of a long where that is wanted.
func (n number) to(t data.Type) any {
	short := int32(n.whole)
	if n.isFloat {
		short = data.DoubleToInt(n.float)
		n.whole = data.DoubleToLong(n.float)
	}
	switch t {
	case data.Int8:
		return int8(short)
	case data.Int16:
		return int16(short)
	case data.Int32:
		return short
	case data.Int64:
		return n.whole
	case data.Boolean:
		return n.whole != 0
	case data.Float32:
		switch {
		case n.isFloat:
			return float32(n.float)
		case n.exact != nil:
			return n.exact.Float32()
		}
		return float32(n.whole)
	}
	switch {
	case n.isFloat:
		return n.float
	case n.exact != nil:
		return n.exact.Float64()
	}
	return float64(n.whole)
}

// parseAs reads a text as Java's parseByte to parseDouble and parseBoolean do.
func parseAs(s string, t data.Type) (any, error) {
	switch t {
	case data.Boolean:
		return strings.EqualFold(s, "true"), nil
	case data.Float32:
		if f, ok := parseFloat(s, 32); ok {
			return float32(f), nil
		}
	case data.Float64:
		if f, ok := parseFloat(s, 64); ok {
			return f, nil
		}
	default:
		bits := map[data.Type]int{data.Int8: 8, data.Int16: 16, data.Int32: 32, data.Int64: 64}[t]
		if n, ok := parseInteger(s, bits); ok {
			return number{whole: n}.to(t), nil
		}
	}
	return nil, data.DataException.Wrap(data.NumberFormatException.Errorf("For input string: %q", s), "Value ("+s+") was out of range for requested data type")
}

// parseInteger is Java's parseInt: a sign and digits, those of any script.
func parseInteger(s string, bits int) (int64, bool) {
	if !digits(strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")) {
		var ok bool
		if s, ok = asciiDigits(s); !ok {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, bits)
	return n, err == nil
}
