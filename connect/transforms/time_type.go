package transforms

import (
	"time"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// timeType is a way to write a time.
type timeType struct {
	required, optional *data.Schema
	read               func(t *TimestampConverter, v any) (ms int64, err error)
	write              func(t *TimestampConverter, ms int64) any
}

func (x *timeType) schema(optional bool) *data.Schema {
	if optional {
		return x.optional
	}
	return x.required
}

var (
	stringTime = &timeType{data.StringSchema, data.OptionalStringSchema, readText,
		func(t *TimestampConverter, ms int64) any {
			var buf [48]byte
			return string(t.format.Append(buf[:0], ms))
		}}
	unixTime = &timeType{data.Int64Schema, data.OptionalInt64Schema, readUnix, writeUnix}
)

const dayMillis = 24 * 60 * 60 * 1000

// timeTypes are the types by the name that target.type has for them.
var timeTypes = map[string]*timeType{
	"string": stringTime,
	"unix":   unixTime,
	"Date": {data.DateSchema, data.DateBuilder().Optional().MustBuild(), readDate("Date"),
		func(_ *TimestampConverter, ms int64) any { return data.Millis(ms - ofDay(ms)) }},
	"Time": {data.TimeSchema, data.TimeBuilder().Optional().MustBuild(), readDate("Time"),
		func(_ *TimestampConverter, ms int64) any { return data.Millis(ofDay(ms)) }},
	"Timestamp": {data.TimestampSchema, optionalTimestamp, readDate("Timestamp"),
		func(_ *TimestampConverter, ms int64) any { return data.Millis(ms) }},
}

// ofDay are the milliseconds since midnight.
func ofDay(ms int64) int64 { return (ms%dayMillis + dayMillis) % dayMillis }

// timeTypeOf is the type of a schema; one that is no time is a ConnectException.
func timeTypeOf(s *data.Schema) (*timeType, error) {
	switch {
	case s.Name() == data.TimestampName:
		return timeTypes["Timestamp"], nil
	case s.Name() == data.DateName:
		return timeTypes["Date"], nil
	case s.Name() == data.TimeName:
		return timeTypes["Time"], nil
	case s.Type() == data.String:
		return stringTime, nil
	case s.Type() == data.Int64:
		return unixTime, nil
	}
	return nil, data.ConnectException.Errorf("Schema %s does not correspond to a known timestamp type format", s)
}

func readText(t *TimestampConverter, v any) (int64, error) {
	s, ok := v.(string)
	if !ok {
		return 0, data.DataException.Errorf("Expected string timestamp to be a String, but found class %s", data.ClassOf(v))
	}
	if t.format == nil {
		return 0, data.NullPointerException.Errorf("there is no format to read the text by")
	}
	ms, ok := t.format.Parse(s)
	if !ok {
		return 0, data.DataException.Wrap(data.ParseException.Errorf("Unparseable date: %q", s),
			"Could not parse timestamp: value ("+s+") does not match pattern ("+t.format.Pattern()+")")
	}
	return ms, nil
}

func readUnix(t *TimestampConverter, v any) (int64, error) {
	n, ok := v.(int64)
	switch {
	case !ok:
		return 0, data.DataException.Errorf("Expected Unix timestamp to be a Long, but found class %s", data.ClassOf(v))
	case t.unit > int64(time.Millisecond):
		return saturated(n, t.unit/int64(time.Millisecond)), nil
	}
	return n / (int64(time.Millisecond) / t.unit), nil
}

func writeUnix(t *TimestampConverter, ms int64) any {
	if t.unit > int64(time.Millisecond) {
		return ms / (t.unit / int64(time.Millisecond))
	}
	return saturated(ms, int64(time.Millisecond)/t.unit)
}

func readDate(name string) func(*TimestampConverter, any) (int64, error) {
	return func(_ *TimestampConverter, v any) (int64, error) {
		m, ok := v.(time.Time)
		if !ok {
			return 0, data.DataException.Errorf("Expected %s to be a java.util.Date, but found class %s", name, data.ClassOf(v))
		}
		return m.UnixMilli(), nil
	}
}
