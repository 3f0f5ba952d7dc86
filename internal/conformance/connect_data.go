package conformance

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

func runProject(c *connectCase) string {
	source, target := schemaOf(c.object["source"]), schemaOf(c.object["target"])
	got, err := data.Project(source, valueOf(c.object["value"], source), target)
	return diffOutcome(c.expect(), target, got, err)
}

func runValidate(c *connectCase) string {
	s := schemaOf(c.object["schema"])
	v := valueOf(c.object["value"], s)
	if isNull(c.object["field"]) {
		return diffError(c.expect()["error"], data.Validate(s, v))
	}
	return diffError(c.expect()["error"], data.ValidateField(c.text("field"), s, v))
}

func runEqual(c *connectCase) string {
	a, b := schemaOf(c.object["a"]), schemaOf(c.object["b"])
	want := c.expect()
	if got := a.Equal(b); got != decode[bool](want["schemas"]) {
		return fmt.Sprintf("schemas equal: %v", got)
	}
	if isNull(want["values"]) {
		return ""
	}
	if got := data.Equal(valueOf(c.object["valueA"], a), valueOf(c.object["valueB"], b)); got != decode[bool](want["values"]) {
		return fmt.Sprintf("values equal: %v", got)
	}
	return ""
}

func runStruct(c *connectCase) string {
	s := schemaOf(c.object["schema"])
	st, err := data.MakeStruct(s)
	wants := decode[[]object](c.object["expect"])
	if err != nil {
		return diffError(wants[0]["error"], err)
	}
	for i, op := range decode[[][]json.RawMessage](c.object["ops"]) {
		if d := structOp(st, op, wants[i]); d != "" {
			return fmt.Sprintf("op %d: %s", i, d)
		}
	}
	return ""
}

func structOp(st *data.Struct, op []json.RawMessage, want object) string {
	name := decode[string](op[0])
	field := ""
	var s *data.Schema
	if len(op) > 1 {
		field = decode[string](op[1])
		if f := st.Schema().Field(field); f != nil {
			s = f.Schema
		}
	}
	var v any
	var err error
	switch name {
	case "put":
		return diffError(want["error"], st.Put(field, valueOf(op[2], s)))
	case "validate":
		return diffError(want["error"], st.Validate())
	case "toString":
		if got := st.String(); got != decode[string](want["text"]) {
			return fmt.Sprintf("%q, want %s", got, want["text"])
		}
		return ""
	case "get":
		v, err = st.Get(field)
	case "getWithoutDefault":
		v, err = st.GetWithoutDefault(field)
	default:
		t, ok := data.TypeNamed(strings.ToLower(strings.TrimPrefix(name, "get")))
		if !ok {
			must(fmt.Errorf("no such operation: %s", name))
		}
		v, err = st.GetTyped(field, t)
	}
	return diffOutcome(want, s, v, err)
}

func runBuilder(c *connectCase) string {
	want := c.expect()
	var b *data.Builder
	calls := decode[[][]json.RawMessage](c.object["calls"])
	for i, call := range calls {
		b = builderCall(b, call)
		if err := b.Err(); err != nil {
			if isNull(want["call"]) || decode[int](want["call"]) != i {
				return fmt.Sprintf("call %d failed: %v", i, err)
			}
			return diffError(want["error"], err)
		}
	}
	s, err := b.Build()
	if d := diffError(want["error"], err); d != "" || err != nil {
		return d
	}
	return diffSchema(want["schema"], s)
}

func builderCall(b *data.Builder, call []json.RawMessage) *data.Builder {
	arg := func(i int) string { return decode[string](call[i]) }
	switch name := arg(0); name {
	case "type":
		t, _ := data.TypeNamed(arg(1))
		return data.NewBuilder(t)
	case "array":
		return data.ArrayOf(schemaOf(call[1]))
	case "map":
		return data.MapOf(schemaOf(call[1]), schemaOf(call[2]))
	case "optional":
		return b.Optional()
	case "required":
		return b.Required()
	case "name":
		return b.Name(arg(1))
	case "version":
		return b.Version(decode[int32](call[1]))
	case "doc":
		return b.Doc(arg(1))
	case "parameter":
		return b.Parameter(arg(1), arg(2))
	case "default":
		return b.Default(valueOf(call[1], nil))
	case "field":
		return b.Field(arg(1), schemaOf(call[2]))
	default:
		must(fmt.Errorf("no such call: %s", name))
		return nil
	}
}

func runLogical(c *connectCase) string {
	s := schemaOf(c.object["schema"])
	v := valueOf(c.object["value"], s)
	var got any
	var err error
	switch op := c.text("op"); op {
	case "Decimal.fromLogical":
		got, err = data.DecimalToBytes(s, v.(data.Decimal))
	case "Decimal.toLogical":
		got, err = data.DecimalFromBytes(s, v.([]byte))
	case "Date.fromLogical":
		got, err = data.DateToDays(s, v.(time.Time))
	case "Date.toLogical":
		got, err = data.DateFromDays(s, v.(int32))
	case "Time.fromLogical":
		got, err = data.TimeToMillis(s, v.(time.Time))
	case "Time.toLogical":
		got, err = data.TimeFromMillis(s, v.(int32))
	case "Timestamp.fromLogical":
		got, err = data.TimestampToMillis(s, v.(time.Time))
	case "Timestamp.toLogical":
		got, err = data.TimestampFromMillis(s, v.(int64))
	default:
		must(fmt.Errorf("no such operation: %s", op))
	}
	return diffOutcome(c.expect(), s, got, err)
}

func runHeaders(c *connectCase) string {
	var h data.Headers
	wants := decode[[]object](c.object["expect"])
	for i, op := range decode[[][]json.RawMessage](c.object["ops"]) {
		want := wants[i]
		last, err := headerOp(&h, op)
		if d := diffError(want["error"], err); d != "" {
			return fmt.Sprintf("op %d: %s", i, d)
		}
		if w, ok := want["last"]; ok {
			if d := diffValue(w, nil, last); d != "" {
				return fmt.Sprintf("op %d: last: %s", i, d)
			}
		}
		var state data.Headers
		for _, x := range decode[[][3]json.RawMessage](want["headers"]) {
			s := schemaOf(x[1])
			state.Append(data.Header{Key: decode[string](x[0]), Schema: s, Value: valueOf(x[2], s)})
		}
		if !state.Equal(h) {
			return fmt.Sprintf("op %d: %s, want %s", i, h, state)
		}
	}
	return ""
}

func headerOp(h *data.Headers, op []json.RawMessage) (last any, err error) {
	name := decode[string](op[0])
	key := ""
	if len(op) > 1 {
		if isNull(op[1]) {
			return nil, data.NullPointerException.Errorf("a Go string is never null")
		}
		key = decode[string](op[1])
	}
	switch name {
	case "add":
		s := schemaOf(op[2])
		return nil, h.Add(key, s, valueOf(op[3], s))
	case "lastWithName":
		x, _ := h.Last(key)
		return x.Value, nil
	case "remove":
		h.Remove(key)
	case "clear":
		h.Clear()
	case "retainLatest":
		if len(op) > 1 {
			h.RetainLatestOf(key)
		} else {
			h.RetainLatest()
		}
	case "apply":
		return nil, h.Apply(func(x data.Header) (data.Header, bool, error) { return x, x.Key != key, nil })
	case "addString":
		if isNull(op[2]) {
			h.AddString(key, nil)
			return nil, nil
		}
		s := decode[string](op[2])
		h.AddString(key, &s)
	default:
		return nil, headerAdd(h, name, key, valueOf(op[2], nil))
	}
	return nil, nil
}

func headerAdd(h *data.Headers, name, key string, v any) error {
	t, timed := v.(time.Time)
	var moment *time.Time
	if timed {
		moment = &t
	}
	switch name {
	case "addDecimal":
		d, ok := v.(data.Decimal)
		if !ok {
			h.AddDecimal(key, nil)
			return nil
		}
		h.AddDecimal(key, &d)
		return nil
	case "addDate":
		return h.AddDate(key, moment)
	case "addTime":
		return h.AddTime(key, moment)
	case "addTimestamp":
		return h.AddTimestamp(key, moment)
	}
	return h.AddPrimitive(key, v)
}
