package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// event is an event while it is made of a row of the outbox table.
type event struct {
	*EventRouter
	change *data.Struct
	row    *data.Struct
	schema *data.Schema // of the row

	payload       any
	payloadSchema *data.Schema
	envelope      *data.Struct // nil where only headers are added
	partition     int32
}

// record makes the record, whose topic is still the value that routes it.
func (e *event) record(r *connect.Record) (*connect.Record, error) {
	f, err := lookUp(e.schema, e.EventRouter.payload)
	if err != nil {
		return nil, err
	}
	if f == nil {
		return nil, data.ConnectException.Errorf("Unable to find payload field %s in event", e.EventRouter.payload)
	}
	e.payloadSchema, e.partition = f.Schema, connect.NoPartition
	timestamp, err := e.timestamp()
	if err != nil {
		return nil, err
	}
	out := r.Copy()
	if err := e.addID(out); err != nil {
		return nil, err
	}
	if e.expand != nil {
		e.expandPayload()
	}
	if !e.headersOnly {
		if err := e.makeEnvelope(); err != nil {
			return nil, err
		}
	}
	for i := range e.additional {
		if err := e.add(out, &e.additional[i]); err != nil {
			return nil, err
		}
	}
	return e.finish(out, timestamp)
}

// addID adds the header id, and reads the payload.
func (e *event) addID(out *connect.Record) error {
	id, err := e.row.Get(e.id)
	if err != nil {
		return err
	}
	if e.payload, err = e.row.Get(e.EventRouter.payload); err != nil {
		return err
	}
	f := e.schema.Field(e.id)
	if f == nil {
		return data.ConnectException.Errorf("Unable to find event-id field %s in event", e.id)
	}
	return out.Headers.Add("id", f.Schema, id)
}

func (e *event) finish(out *connect.Record, timestamp int64) (*connect.Record, error) {
	var err error
	if out.Key, err = e.row.Get(e.key); err != nil {
		return nil, err
	}
	topic, ok, err := text(e.row, e.routeBy)
	if err != nil {
		return nil, err
	}
	if out.KeySchema = data.StringSchema; e.schema.Field(e.key) != nil {
		out.KeySchema = e.schema.Field(e.key).Schema
	}
	empty := e.EventRouter.tombstone && (e.payload == nil || javastring.Blank(data.Text(e.payload)))
	switch {
	case empty:
		out.ValueSchema, out.Value = nil, nil
	case e.headersOnly:
		out.ValueSchema, out.Value = e.payloadSchema, e.payload
	default:
		out.ValueSchema, out.Value = e.envelope.Schema(), e.envelope
	}
	if !ok || out.Sink != nil && e.partition == connect.NoPartition {
		return nil, data.NullPointerException.Errorf("the topic, or the partition of a sink record, is null")
	}
	out.Topic, out.Partition, out.Timestamp = topic, e.partition, timestamp
	return out, nil
}

// long is an INT64 field; ok is false for null.
func long(st *data.Struct, name string) (n int64, ok bool, err error) {
	v, err := st.GetTyped(name, data.Int64)
	if v == nil || err != nil {
		return 0, false, err
	}
	if n, ok = v.(int64); !ok {
		return 0, false, data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.Long", data.ClassOf(v))
	}
	return n, true, nil
}

// timestamp is the column's, or the time of the change.
func (e *event) timestamp() (int64, error) {
	column := e.EventRouter.timestamp
	if column != "" {
		f := e.row.Schema().Field(column)
		if f == nil {
			return 0, data.ConnectException.Errorf("Unable to find timestamp field %s in event", column)
		}
		n, ok, err := long(e.row, column)
		if err != nil {
			return 0, err
		}
		if ok {
			return inMillis(n, f.Schema)
		}
	}
	n, ok, err := long(e.change, "ts_ms")
	if !ok {
		return connect.NoTimestamp, err
	}
	return n, nil
}

func inMillis(n int64, s *data.Schema) (int64, error) {
	switch s.Name() {
	case "io.debezium.time.Timestamp":
		return n, nil
	case "io.debezium.time.MicroTimestamp":
		return n / 1_000, nil
	case "io.debezium.time.NanoTimestamp":
		return n / 1_000_000, nil
	}
	if !s.HasName() {
		return 0, data.ConnectException.Errorf("Unsupported field type %s (without logical schema name) for event timestamp", s.Type())
	}
	return 0, data.ConnectException.Errorf("Unsupported field type %s for event timestamp", s.Name())
}

// expandPayload makes a struct of a payload that is JSON. Where that fails the payload stays; the schema does too, unless it was known already.
func (e *event) expandPayload() {
	s, ok := e.payload.(string)
	if !ok {
		e.warn("the payload of an event is no text, which could be expanded")
		return
	}
	schema, v, err := e.expand.expand(e.EventRouter.payload, s)
	if schema.known {
		e.payloadSchema = schema.schema
	}
	if err != nil {
		e.warn("the payload of an event could not be expanded", "error", err)
		return
	}
	e.payload = v
}

// makeEnvelope makes the struct with the payload.
func (e *event) makeEnvelope() error {
	var version any
	if e.version != "" {
		var err error
		if version, err = e.row.GetTyped(e.version, data.Int32); err != nil {
			return err
		}
	}
	routed, ok, err := text(e.row, e.routeBy)
	if err != nil {
		return err
	}
	if !ok {
		routed = "null"
	}
	s, err := e.values.get(e.payloadSchema, e.version != "", version, func() (*data.Schema, error) { return e.valueSchema(routed, version) })
	if err != nil {
		return err
	}
	e.envelope = data.NewStruct(s)
	return e.envelope.Put("payload", e.payload)
}

func (e *event) valueSchema(routed string, version any) (*data.Schema, error) {
	name := routed
	if old := e.schema.Name(); e.schema.HasName() {
		i := strings.LastIndexByte(old, '.') + 1
		name = old[:i] + routed + "." + old[i:]
	}
	b := data.NewStructBuilder().Name(name).Field("payload", e.payloadSchema)
	for _, f := range e.additional {
		if f.placement == "envelope" {
			s, err := columnSchema(e.schema, f.column)
			if err != nil {
				return nil, err
			}
			b.Field(f.alias, s)
		}
	}
	if v, ok := version.(int32); ok {
		b.Version(v)
	}
	return b.Build()
}

// add puts an additional column where it belongs.
func (e *event) add(out *connect.Record, f *additionalField) error {
	if !e.mustHave && e.row.Schema().Field(f.column) == nil {
		return nil
	}
	switch f.placement {
	case "partition":
		v, err := e.row.GetTyped(f.column, data.Int32)
		if err != nil {
			return err
		}
		if e.partition = connect.NoPartition; v != nil {
			n, ok := v.(int32)
			if !ok {
				return data.ClassCastException.Errorf("class %s cannot be cast to class java.lang.Integer", data.ClassOf(v))
			}
			e.partition = n
		}
		return nil
	case "envelope", "header":
	default:
		return data.NullPointerException.Errorf("there is no such placement")
	}
	v, err := e.row.Get(f.column)
	if err != nil {
		return err
	}
	if f.placement == "envelope" {
		return e.envelope.Put(f.alias, v)
	}
	s, err := columnSchema(e.schema, f.column)
	if err != nil {
		return err
	}
	return out.Headers.Add(f.alias, s, v)
}
