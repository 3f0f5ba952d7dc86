package data

import (
	"slices"
	"strings"
	"time"
)

// Header is one header of a record.
type Header struct {
	Key    string
	Schema *Schema
	Value  any
}

func (h Header) String() string {
	return "ConnectHeader(key=" + h.Key + ", value=" + Text(h.Value) + ", schema=" + h.Schema.String() + ")"
}

// Headers is an ordered multimap: Kafka's ConnectHeaders. The zero value is empty. Methods that take things away make a new list, and
// adding to a Duplicate does not touch the original, so records may share their headers.
type Headers struct{ list []Header }

// NewHeaders returns headers that keep the list.
func NewHeaders(list ...Header) Headers { return Headers{slices.Clip(list)} }

// Duplicate returns headers that may be changed without changing h.
func (h Headers) Duplicate() Headers { return Headers{slices.Clip(h.list)} }

// Len is the number of headers.
func (h Headers) Len() int { return len(h.list) }

// All are the headers in order. The slice must not be changed.
func (h Headers) All() []Header { return h.list }

// Append adds a header without validation.
func (h *Headers) Append(all ...Header) { h.list = append(h.list, all...) }

// Add adds a header. The value must fit the schema, as far as Kafka looks: elements of lists and maps are not checked.
func (h *Headers) Add(key string, s *Schema, v any) error {
	if err := checkHeader(s, v); err != nil {
		return err
	}
	h.Append(Header{key, s, v})
	return nil
}

// NewHeader is a header whose value fits its schema, as far as Kafka looks: see Add.
func NewHeader(key string, s *Schema, v any) (Header, error) {
	return Header{key, s, v}, checkHeader(s, v)
}

// AddString adds a string; nil has an optional schema.
func (h *Headers) AddString(key string, v *string) {
	if v == nil {
		h.Append(Header{key, OptionalStringSchema, nil})
		return
	}
	h.Append(Header{key, StringSchema, *v})
}

// AddPrimitive adds a boolean, number, string or bytes with the required schema of its type. Any other value is a DataException.
func (h *Headers) AddPrimitive(key string, v any) error {
	s := PrimitiveSchema(TypeOf(v))
	if s == nil {
		return DataException.Errorf("The value %s of class %s is not of a primitive type", Text(v), ClassOf(v))
	}
	h.Append(Header{key, s, v})
	return nil
}

// AddStruct adds a struct, or a null without a schema.
func (h *Headers) AddStruct(key string, v *Struct) {
	if v == nil {
		h.Append(Header{Key: key})
		return
	}
	h.Append(Header{key, v.schema, v})
}

// AddDecimal adds a decimal, or a null without a schema.
func (h *Headers) AddDecimal(key string, v *Decimal) {
	if v == nil {
		h.Append(Header{Key: key})
		return
	}
	h.Append(Header{key, DecimalBuilder(v.scale).MustBuild(), *v})
}

// AddDate adds a date; it must be midnight. A null has the same, required schema, as in Kafka.
func (h *Headers) AddDate(key string, v *time.Time) error {
	return h.addTime(key, DateSchema, v, func(t time.Time) error { _, err := DateToDays(DateSchema, t); return err })
}

// AddTime adds a time of day. A null has the same, required schema, as in Kafka.
func (h *Headers) AddTime(key string, v *time.Time) error {
	return h.addTime(key, TimeSchema, v, func(t time.Time) error { _, err := TimeToMillis(TimeSchema, t); return err })
}

// AddTimestamp adds a timestamp. A null has the same, required schema, as in Kafka.
func (h *Headers) AddTimestamp(key string, v *time.Time) error {
	return h.addTime(key, TimestampSchema, v, func(time.Time) error { return nil })
}

func (h *Headers) addTime(key string, s *Schema, v *time.Time, check func(time.Time) error) error {
	if v == nil {
		h.Append(Header{key, s, nil})
		return nil
	}
	if err := check(*v); err != nil {
		return err
	}
	h.Append(Header{key, s, *v})
	return nil
}

// Last is the last header of that key.
func (h Headers) Last(key string) (Header, bool) {
	for i := len(h.list) - 1; i >= 0; i-- {
		if h.list[i].Key == key {
			return h.list[i], true
		}
	}
	return Header{}, false
}

// Named are all headers of that key, in order.
func (h Headers) Named(key string) (out []Header) {
	for _, x := range h.list {
		if x.Key == key {
			out = append(out, x)
		}
	}
	return out
}

// Remove removes all headers of that key.
func (h *Headers) Remove(key string) { h.keep(func(i int) bool { return h.list[i].Key != key }) }

// RetainLatest removes all headers that are followed by one of the same key.
func (h *Headers) RetainLatest() {
	last := h.lastIndex()
	h.keep(func(i int) bool { return last[h.list[i].Key] == i })
}

// RetainLatestOf removes all headers of that key but the last.
func (h *Headers) RetainLatestOf(key string) {
	last := h.lastIndex()
	h.keep(func(i int) bool { return h.list[i].Key != key || last[key] == i })
}

func (h *Headers) lastIndex() map[string]int {
	last := make(map[string]int, len(h.list))
	for i, x := range h.list {
		last[x.Key] = i
	}
	return last
}

// keep makes a new list of the headers of which want is true.
func (h *Headers) keep(want func(i int) bool) {
	var out []Header
	for i := range h.list {
		if want(i) {
			out = append(out, h.list[i])
		}
	}
	h.list = out
}

// Clear removes all.
func (h *Headers) Clear() { h.list = nil }

// Apply replaces each header by what f makes of it; where f returns false the header is removed. An error of f leaves h as it was.
func (h *Headers) Apply(f func(Header) (Header, bool, error)) error {
	out := make([]Header, 0, len(h.list))
	for _, x := range h.list {
		y, ok, err := f(x)
		if err != nil {
			return err
		}
		if ok {
			out = append(out, y)
		}
	}
	h.list = out
	return nil
}

// Equal compares keys, schemas and values in order.
func (h Headers) Equal(o Headers) bool {
	return slices.EqualFunc(h.list, o.list, func(a, b Header) bool {
		return a.Key == b.Key && a.Schema.Equal(b.Schema) && Equal(a.Value, b.Value)
	})
}

func (h Headers) String() string {
	if h.list == nil {
		return "ConnectHeaders(headers=)"
	}
	all := make([]string, len(h.list))
	for i, x := range h.list {
		all[i] = x.String()
	}
	return "ConnectHeaders(headers=[" + strings.Join(all, ", ") + "])"
}

func checkHeader(s *Schema, v any) error {
	switch {
	case s == nil:
		return nil
	case v == nil && !s.optional:
		return DataException.Errorf("A null value requires an optional schema but was %s", s)
	case v == nil || TypeOf(v) == s.typ:
		return nil
	}
	ok := false
	switch v.(type) {
	case Decimal:
		ok = s.typ == Bytes && s.Name() == DecimalName
	case time.Time:
		ok = s.typ == Int32 && (s.Name() == DateName || s.Name() == TimeName) || s.typ == Int64 && s.Name() == TimestampName
	}
	if !ok {
		return DataException.Errorf("The value %s is not compatible with the schema %s", Text(v), s)
	}
	return nil
}
