package protobuf

import (
	"cmp"
	"fmt"
	"math/big"
	"slices"
	"time"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// structOf makes a struct of a message: ProtobufData.toConnectData.
func (o options) structOf(s *data.Schema, m protoreflect.Message) (*data.Struct, error) {
	out := data.NewStruct(s)
	d := m.Descriptor()
	at := 0 // the field of the struct: those of oneofs come first
	for i := range d.Oneofs().Len() {
		one := d.Oneofs().Get(i)
		if one.IsSynthetic() {
			continue
		}
		set := m.WhichOneof(one)
		if o.flatten {
			for j := range one.Fields().Len() {
				if f := one.Fields().Get(j); f == set {
					if err := o.set(out, at, m, f); err != nil {
						return nil, err
					}
				}
				at++
			}
			continue
		}
		if set != nil {
			union := data.NewStruct(s.Fields()[at].Schema)
			if err := o.set(union, union.Schema().Field(string(set.Name())).Index, m, set); err != nil {
				return nil, err
			}
			out.Set(at, union)
		}
		at++
	}
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		if realOneof(f) != nil {
			continue
		}
		if o.present(m, f) {
			if err := o.set(out, at, m, f); err != nil {
				return nil, err
			}
		}
		at++
	}
	return out, nil
}

// present tells whether a field has a value: one that is not optional always has.
func (o options) present(m protoreflect.Message, f protoreflect.FieldDescriptor) bool {
	optional := f.HasOptionalKeyword() && f.ParentFile().Syntax() == protoreflect.Proto3 || o.proto2 && o.optionalKeyword(f)
	if (f.Message() == nil || f.Cardinality() == protoreflect.Repeated) && !optional {
		return true
	}
	return o.structForNull || m.Has(f)
}

func (o options) set(out *data.Struct, at int, m protoreflect.Message, f protoreflect.FieldDescriptor) error {
	v, err := o.field(out.Schema().Fields()[at].Schema, m.Get(f), f)
	if err != nil {
		return err
	}
	out.Set(at, v)
	return nil
}

// field makes the value of a field, which may be a list or a map.
func (o options) field(s *data.Schema, v protoreflect.Value, f protoreflect.FieldDescriptor) (any, error) {
	switch {
	case f.IsMap():
		return o.mapOf(s, v.Map(), f)
	case isMap(f):
		return o.mapOfEntries(s, v.List())
	case f.IsList():
		list := v.List()
		out := make([]any, list.Len())
		for i := range out {
			var err error
			if out[i], err = o.value(s.ValueSchema(), list.Get(i), f); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return o.value(s, v, f)
}

// mapOf makes a map of a map field, whose entries have lost their order.
func (o options) mapOf(s *data.Schema, m protoreflect.Map, f protoreflect.FieldDescriptor) (any, error) {
	var entries []data.Entry
	var err error
	m.Range(func(k protoreflect.MapKey, v protoreflect.Value) bool {
		var e data.Entry
		if e.Key, err = o.value(s.KeySchema(), k.Value(), f.MapKey()); err == nil {
			e.Value, err = o.value(s.ValueSchema(), v, f.MapValue())
		}
		entries = append(entries, e)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b data.Entry) int { return cmp.Compare(fmt.Sprint(a.Key), fmt.Sprint(b.Key)) })
	return data.NewMap(confluent.HashOrder(entries, 16)...), nil
}

// mapOfEntries makes a map of plain messages.
func (o options) mapOfEntries(s *data.Schema, list protoreflect.List) (any, error) {
	made := data.MakeMap(list.Len())
	for i := range list.Len() {
		m := list.Get(i).Message()
		key, value := m.Descriptor().Fields().Get(0), m.Descriptor().Fields().Get(1)
		k, err := o.field(s.KeySchema(), m.Get(key), key)
		if err != nil {
			return nil, err
		}
		v, err := o.field(s.ValueSchema(), m.Get(value), value)
		if err != nil {
			return nil, err
		}
		made.Put(k, v)
	}
	return data.NewMap(confluent.HashOrder(made.Entries(), 16)...), nil
}

// value makes one value.
func (o options) value(s *data.Schema, v protoreflect.Value, f protoreflect.FieldDescriptor) (any, error) {
	if f.Kind() == protoreflect.MessageKind {
		return o.messageOf(s, v.Message())
	}
	if f.Kind() == protoreflect.EnumKind {
		if s.Type() == data.Int32 {
			return int32(v.Enum()), nil
		}
		if e := f.Enum().Values().ByNumber(v.Enum()); e != nil {
			return string(e.Name()), nil
		}
		return fmt.Sprintf("UNKNOWN_ENUM_VALUE_%s_%d", f.Enum().Name(), v.Enum()), nil
	}
	return scalarOf(s, v.Interface())
}

// scalarOf makes a value of a scalar.
func scalarOf(s *data.Schema, v any) (any, error) {
	var n int64
	switch x := v.(type) {
	case int32:
		n = int64(x)
	case int64:
		n = x
	case uint32:
		n = int64(x)
	case uint64:
		n = int64(x)
	case []byte:
		return data.Buffer(x), nil
	default: // bool, string, float32, float64
		return v, nil
	}
	switch s.Type() {
	case data.Int8:
		return int8(n), nil
	case data.Int16:
		return int16(n), nil
	case data.Int32:
		return int32(n), nil
	}
	return n, nil
}

// messageOf makes a value of a message: a struct, a logical value, or what a wrapper holds.
func (o options) messageOf(s *data.Schema, m protoreflect.Message) (any, error) {
	number := func(name protoreflect.Name) int64 {
		f := m.Descriptor().Fields().ByName(name)
		if f == nil {
			return 0
		}
		if f.Kind() == protoreflect.Uint32Kind {
			return int64(m.Get(f).Uint())
		}
		return m.Get(f).Int()
	}
	switch s.Name() {
	case data.DecimalName:
		return decimalOf(m, int32(number("scale")), int(int32(number("precision"))))
	case data.DateName:
		return dateOf(number("year"), number("month"), number("day"))
	case data.TimeName:
		return timeOf(number("hours"), number("minutes"), number("seconds"), number("nanos"))
	case data.TimestampName:
		return timestampOf(number("seconds"), number("nanos"))
	}
	if s.Type() == data.StructType {
		return o.structOf(s, m)
	}
	f := m.Descriptor().Fields().ByName(valueField)
	if f == nil {
		return nil, data.DataException.Errorf("Invalid type for %s: class %s", s.Type(), m.Descriptor().FullName())
	}
	return scalarOf(s, m.Get(f).Interface())
}

// decimalOf rounds to the precision as java.math.BigDecimal does: half up.
func decimalOf(m protoreflect.Message, scale int32, precision int) (any, error) {
	b := m.Get(m.Descriptor().Fields().ByName(valueField)).Bytes()
	if len(b) == 0 {
		return nil, data.NumberFormatException.Errorf("Zero length BigInteger")
	}
	d := data.NewDecimal(data.FromTwosComplement(b), scale)
	for precision > 0 && d.Precision() > precision {
		drop := d.Precision() - precision
		power := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(drop)), nil)
		quotient, rest := new(big.Int).QuoRem(d.Unscaled(), power, new(big.Int))
		if rest.Abs(rest).Lsh(rest, 1).Cmp(power) >= 0 {
			quotient.Add(quotient, big.NewInt(int64(d.Sign())))
		}
		d = data.NewDecimal(quotient, d.Scale()-int32(drop))
	}
	return d, nil
}

func dateOf(year, month, day int64) (any, error) {
	t := time.Date(int(year), time.Month(month), int(day), 0, 0, 0, 0, time.UTC)
	if int64(t.Year()) != year || int64(t.Month()) != month || int64(t.Day()) != day || year < 1 {
		what := "DAY_OF_MONTH"
		switch {
		case year < 1:
			what = "YEAR"
		case month < 1 || month > 12:
			what = "MONTH"
		}
		return nil, data.IllegalArgumentException.Errorf("%s", what)
	}
	return t, nil
}

func timeOf(hours, minutes, seconds, nanos int64) (any, error) {
	for _, part := range []struct {
		name    string
		n, most int64
	}{{"HourOfDay", hours, 23}, {"MinuteOfHour", minutes, 59}, {"SecondOfMinute", seconds, 59}, {"NanoOfSecond", nanos, 999_999_999}} {
		if part.n < 0 || part.n > part.most {
			return nil, data.Class("java.time.DateTimeException").Errorf("Invalid value for %s (valid values 0 - %d): %d", part.name, part.most, part.n)
		}
	}
	return data.Millis(((hours*60+minutes)*60+seconds)*1000 + nanos/1_000_000), nil
}

// timestampOf checks the bounds of google.protobuf.Timestamp, as com.google.protobuf.util.Timestamps does.
func timestampOf(seconds, nanos int64) (any, error) {
	if seconds < -62135596800 || seconds > 253402300799 || nanos < 0 || nanos >= 1e9 {
		return nil, data.IllegalArgumentException.Errorf("Timestamp is not valid. See proto definition for valid values. Seconds (%d) must be in range [-62,135,596,800, +253,402,300,799]. Nanos (%d) must be in range [0, +999,999,999].", seconds, nanos)
	}
	return data.Millis(seconds*1000 + nanos/1_000_000), nil
}
