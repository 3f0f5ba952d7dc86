package data

import (
	"iter"
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

// Headers is an ordered multimap: Kafka's ConnectHeaders. The zero value is empty. It is a value: a copy has the same headers, and what is done to it does
// not touch the original. Adding takes the same time however many there are; the rest takes time in proportion.
type Headers struct{ last *headerNode }

// headerNode is a header after others. It is never changed: lists share what is the same at their beginnings.
type headerNode struct {
	Header
	before *headerNode
}

// NewHeaders returns headers that are not validated.
func NewHeaders(list ...Header) (h Headers) {
	nodes := make([]headerNode, len(list))
	for i, x := range list {
		nodes[i] = headerNode{x, h.last}
		h.last = &nodes[i]
	}
	return h
}

// Len is the number of headers.
func (h Headers) Len() (n int) {
	for x := h.last; x != nil; x = x.before {
		n++
	}
	return n
}

// Empty is whether there are none.
func (h Headers) Empty() bool { return h.last == nil }

// All are the headers in order; they must not be changed.
func (h Headers) All() iter.Seq[*Header] {
	return func(yield func(*Header) bool) {
		var room [16]*headerNode
		for _, x := range h.nodes(room[:]) {
			if !yield(&x.Header) {
				return
			}
		}
	}
}

// nodes are the nodes in order, in room where that is enough.
func (h Headers) nodes(room []*headerNode) []*headerNode {
	n := h.Len()
	if n > len(room) {
		room = make([]*headerNode, n)
	}
	room = room[:n]
	for x := h.last; x != nil; x = x.before {
		n--
		room[n] = x
	}
	return room
}

// Append adds headers without validation.
func (h *Headers) Append(all ...Header) {
	for _, x := range all {
		h.last = &headerNode{x, h.last}
	}
}

// Add adds a header. The value must fit the schema, as far as Kafka looks: elements of lists and maps are not checked.
func (h *Headers) Add(key string, s *Schema, v any) error {
	if err := checkHeader(s, v); err != nil {
		return err
	}
	h.Append(Header{key, s, v})
	return nil
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
	for x := h.last; x != nil; x = x.before {
		if x.Key == key {
			return x.Header, true
		}
	}
	return Header{}, false
}

// Named are all headers of that key, in order.
func (h Headers) Named(key string) (out []Header) {
	for x := range h.All() {
		if x.Key == key {
			out = append(out, *x)
		}
	}
	return out
}

// Remove removes all headers of that key.
func (h *Headers) Remove(key string) { h.keep(func(x *headerNode) bool { return x.Key != key }) }

// RetainLatest removes all headers that are followed by one of the same key.
func (h *Headers) RetainLatest() {
	last := h.latest()
	h.keep(func(x *headerNode) bool { return last[x.Key] == x })
}

// RetainLatestOf removes all headers of that key but the last.
func (h *Headers) RetainLatestOf(key string) {
	last := h.latest()
	h.keep(func(x *headerNode) bool { return x.Key != key || last[key] == x })
}

func (h Headers) latest() map[string]*headerNode {
	last := map[string]*headerNode{}
	for x := h.last; x != nil; x = x.before {
		if last[x.Key] == nil {
			last[x.Key] = x
		}
	}
	return last
}

// keep keeps the headers of which want is true.
func (h *Headers) keep(want func(*headerNode) bool) {
	var made HeaderSlab
	made.nodes.begin(h.Len()) // and not a block for many
	*h = made.keep(*h, want)
}

// Clear removes all.
func (h *Headers) Clear() { h.last = nil }

// Apply replaces each header by what f makes of it; where f returns false the header is removed. An error of f leaves h as it was.
func (h *Headers) Apply(f func(Header) (Header, bool, error)) error {
	var out Headers
	for x := range h.All() {
		y, ok, err := f(*x)
		if err != nil {
			return err
		}
		if ok {
			out.Append(y)
		}
	}
	*h = out
	return nil
}

// Equal compares keys, schemas and values in order.
func (h Headers) Equal(o Headers) bool {
	a, b := h.last, o.last
	for ; a != b && a != nil && b != nil; a, b = a.before, b.before {
		if a.Key != b.Key || !a.Schema.Equal(b.Schema) || !Equal(a.Value, b.Value) {
			return false
		}
	}
	return a == b
}

func (h Headers) String() string {
	if h.Empty() {
		return "ConnectHeaders(headers=)"
	}
	var all []string
	for x := range h.All() {
		all = append(all, x.String())
	}
	return "ConnectHeaders(headers=[" + strings.Join(all, ", ") + "])"
}

func checkHeader(s *Schema, v any) error {
	switch {
	case s == nil || plain(s, v):
		return nil
	case v == nil:
		return DataException.Errorf("A null value requires an optional schema but was %s", s)
	case TypeOf(v) == s.typ:
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
