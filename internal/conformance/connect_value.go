package conformance

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strconv"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// object is a JSON object of the typed encoding.
type object map[string]json.RawMessage

func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

// vectorError is a mistake in a vector or in its reading, not a difference. Decoding panics with it, and RunConnect reports it.
type vectorError struct{ error }

func must(err error) {
	if err != nil {
		panic(vectorError{err})
	}
}

func decode[T any](raw json.RawMessage) (v T) {
	must(json.Unmarshal(raw, &v))
	return v
}

// schemaOf reads a schema; null is nil.
func schemaOf(raw json.RawMessage) *data.Schema {
	if isNull(raw) {
		return nil
	}
	o := decode[object](raw)
	t, ok := data.TypeNamed(decode[string](o["type"]))
	if !ok {
		must(fmt.Errorf("no such type: %s", raw))
	}
	b := data.NewLooseBuilder(t, schemaOf(o["keys"]), schemaOf(o["values"]))
	if !isNull(o["optional"]) {
		b.SetOptional(decode[bool](o["optional"]))
	}
	if !isNull(o["name"]) {
		b.Name(decode[string](o["name"]))
	}
	if !isNull(o["version"]) {
		b.Version(decode[int32](o["version"]))
	}
	if !isNull(o["doc"]) {
		b.Doc(decode[string](o["doc"]))
	}
	if !isNull(o["parameters"]) {
		for _, p := range decode[[][2]string](o["parameters"]) {
			b.Parameter(p[0], p[1])
		}
	}
	if !isNull(o["fields"]) {
		for _, f := range decode[[][2]json.RawMessage](o["fields"]) {
			b.Field(decode[string](f[0]), schemaOf(f[1]))
		}
	}
	if !isNull(o["default"]) {
		s, err := b.Build()
		must(err)
		b.Default(valueOf(o["default"], s))
	}
	s, err := b.Build()
	must(err)
	return s
}

// other is a value of a class that Go has none for; only in results.
type other struct{ class, text string }

// valueOf reads a value. context is the schema it is known to have, for structs.
func valueOf(raw json.RawMessage, context *data.Schema) any {
	if isNull(raw) {
		return nil
	}
	o := decode[object](raw)
	for tag, v := range o {
		if tag != "schema" {
			return tagged(tag, v, o, context)
		}
	}
	must(fmt.Errorf("a value without a tag: %s", raw))
	return nil
}

func tagged(tag string, v json.RawMessage, o object, context *data.Schema) any {
	switch tag {
	case "i8":
		return decode[int8](v)
	case "i16":
		return decode[int16](v)
	case "i32":
		return decode[int32](v)
	case "i64":
		return integer(v)
	case "f32":
		f, err := strconv.ParseFloat(decode[string](v), 32)
		must(err)
		return float32(f)
	case "f64":
		f, err := strconv.ParseFloat(decode[string](v), 64)
		must(err)
		return f
	case "bool":
		return decode[bool](v)
	case "str":
		return decode[string](v)
	case "bytes":
		return unhex(v)
	case "buffer":
		return data.Buffer(unhex(v))
	case "dec":
		p := decode[[2]json.RawMessage](v)
		return data.NewDecimal(bigint(p[0]), decode[int32](p[1]))
	case "bigint":
		return bigint(v)
	case "date":
		return data.Millis(integer(v))
	case "other":
		p := decode[[2]string](v)
		return other{p[0], p[1]}
	}
	return nested(tag, v, o, context)
}

func nested(tag string, v json.RawMessage, o object, context *data.Schema) any {
	var keys, values *data.Schema
	if context != nil {
		keys, values = context.KeySchema(), context.ValueSchema()
	}
	switch tag {
	case "list":
		out := []any{}
		for _, e := range decode[[]json.RawMessage](v) {
			out = append(out, valueOf(e, values))
		}
		return out
	case "map":
		m := data.NewMap()
		for _, e := range decode[[][2]json.RawMessage](v) {
			m.Put(valueOf(e[0], keys), valueOf(e[1], values))
		}
		return m
	case "struct":
		if !isNull(o["schema"]) {
			context = schemaOf(o["schema"])
		}
		if context == nil {
			must(fmt.Errorf("a struct without a schema: %s", v))
		}
		st := data.NewStruct(context)
		for i, f := range decode[[][2]json.RawMessage](v) {
			st.Set(i, valueOf(f[1], context.Fields()[i].Schema))
		}
		return st
	}
	must(fmt.Errorf("no such tag: %s", tag))
	return nil
}

func integer(raw json.RawMessage) int64 {
	n, err := strconv.ParseInt(decode[string](raw), 10, 64)
	must(err)
	return n
}

func bigint(raw json.RawMessage) *big.Int {
	i, ok := new(big.Int).SetString(decode[string](raw), 10)
	if !ok {
		must(fmt.Errorf("no number: %s", raw))
	}
	return i
}

func unhex(raw json.RawMessage) []byte {
	b, err := hex.DecodeString(decode[string](raw))
	must(err)
	return b
}

// recordOf reads a record.
func recordOf(raw json.RawMessage) *connect.Record {
	o := decode[object](raw)
	r := &connect.Record{Partition: connect.NoPartition, Timestamp: connect.NoTimestamp}
	r.Topic = decode[string](o["topic"])
	if !isNull(o["partition"]) {
		r.Partition = decode[int32](o["partition"])
	}
	r.KeySchema, r.ValueSchema = schemaOf(o["keySchema"]), schemaOf(o["valueSchema"])
	r.Key, r.Value = valueOf(o["key"], r.KeySchema), valueOf(o["value"], r.ValueSchema)
	if !isNull(o["timestamp"]) {
		r.Timestamp = integer(o["timestamp"])
	}
	for _, h := range decode[[]object](o["headers"]) {
		s := schemaOf(h["schema"])
		r.Headers.Append(data.Header{Key: decode[string](h["key"]), Schema: s, Value: valueOf(h["value"], s)})
	}
	if _, ok := o["offset"]; !ok {
		p, _ := valueOf(o["sourcePartition"], nil).(*data.Map)
		q, _ := valueOf(o["sourceOffset"], nil).(*data.Map)
		r.Source = &connect.SourcePosition{Partition: p, Offset: q}
		return r
	}
	r.Sink = &connect.SinkPosition{Offset: decode[int64](o["offset"]), TimestampType: connect.CreateTime, Topic: r.Topic, Partition: r.Partition}
	if !isNull(o["originalTopic"]) {
		r.Sink.Topic = decode[string](o["originalTopic"])
	}
	if !isNull(o["timestampType"]) {
		switch decode[string](o["timestampType"]) {
		case connect.LogAppendTime.String():
			r.Sink.TimestampType = connect.LogAppendTime
		case connect.NoTimestampType.String():
			r.Sink.TimestampType = connect.NoTimestampType
		}
	}
	return r
}

// equalValues is data.Equal that knows what a vector has for other classes.
func equalValues(want, got any) bool {
	if o, ok := want.(other); ok {
		return data.ClassOf(got) == o.class && data.Text(got) == o.text
	}
	return data.Equal(want, got)
}

// show is a value for a report.
func show(v any) string {
	if b, ok := v.([]byte); ok {
		return fmt.Sprintf("[B %x", b)
	}
	return data.ClassOf(v) + " " + data.Text(v)
}

// showSchema is a schema with all its attributes, for a report.
func showSchema(s *data.Schema) string {
	if s == nil {
		return "null"
	}
	out := s.Type().Name()
	if s.Optional() {
		out += "?"
	}
	if s.HasName() {
		out += fmt.Sprintf(" %q", s.Name())
	}
	if v, ok := s.Version(); ok {
		out += fmt.Sprintf(" v%d", v)
	}
	if d, ok := s.Doc(); ok {
		out += fmt.Sprintf(" doc %q", d)
	}
	if p := s.Parameters(); p != nil {
		out += fmt.Sprint(" ", p)
	}
	if s.Default() != nil {
		out += " = " + show(s.Default())
	}
	for _, f := range s.Fields() {
		out += " " + f.Name + "(" + showSchema(f.Schema) + ")"
	}
	switch s.Type() {
	case data.Array:
		out += "[" + showSchema(s.ValueSchema()) + "]"
	case data.MapType:
		out += "{" + showSchema(s.KeySchema()) + ": " + showSchema(s.ValueSchema()) + "}"
	}
	return out
}
