package transforms_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
)

// flightSchema is a struct of six fields, like the records that the JVM is measured with.
var flightSchema = data.NewStructBuilder().Name("flight").
	Field("carrier", data.StringSchema).Field("number", data.Int32Schema).Field("origin", data.StringSchema).
	Field("delay", data.OptionalFloat64Schema).Field("at", data.TimestampSchema).Field("cancelled", data.BooleanSchema).MustBuild()

var nestedSchema = data.NewStructBuilder().Field("id", data.Int32Schema).Field("flight", flightSchema).MustBuild()

func flight() *data.Struct {
	return data.NewStruct(flightSchema).MustPut("carrier", "UA").MustPut("number", int32(1545)).MustPut("origin", "EWR").
		MustPut("delay", 2.5).MustPut("at", data.Millis(1357034400000)).MustPut("cancelled", false)
}

func flightRecord() *connect.Record {
	r := connect.NewSinkRecord(broker.TopicPartition{Topic: "flights"}, 7, data.StringSchema, "UA", flightSchema, flight())
	r.Timestamp = 1357034400000
	r.Headers.Append(data.Header{Key: "h", Schema: data.StringSchema, Value: "x"})
	return r
}

func nestedRecord() *connect.Record {
	r := flightRecord()
	r.ValueSchema, r.Value = nestedSchema, data.NewStruct(nestedSchema).MustPut("id", int32(1)).MustPut("flight", flight())
	return r
}

func looseRecord() *connect.Record {
	r := flightRecord()
	r.ValueSchema, r.Value = nil, data.MapOfStrings("carrier", "UA", "number", int32(1545), "origin", "EWR", "delay", 2.5, "at", data.Millis(1357034400000), "cancelled", false)
	return r
}

// BenchmarkTransforms applies each transform to a struct of six fields, and some to a map of six entries.
func BenchmarkTransforms(b *testing.B) {
	for _, c := range []struct {
		name, class string
		props       config.Props
		record      *connect.Record
	}{
		{"Cast", "Cast$Value", config.Props{"spec": "number:int64,delay:string"}, flightRecord()},
		{"CastMap", "Cast$Value", config.Props{"spec": "number:int64,delay:string"}, looseRecord()},
		{"DropHeaders", "DropHeaders", config.Props{"headers": "h"}, flightRecord()},
		{"ExtractField", "ExtractField$Value", config.Props{"field": "number"}, flightRecord()},
		{"ExtractFieldNested", "ExtractField$Value", config.Props{"field": "flight.number", "field.syntax.version": "V2"}, nestedRecord()},
		{"Filter", "Filter", config.Props{}, flightRecord()},
		{"Flatten", "Flatten$Value", config.Props{}, nestedRecord()},
		{"HeaderFrom", "HeaderFrom$Value", config.Props{"fields": "origin", "headers": "origin", "operation": "move"}, flightRecord()},
		{"HoistField", "HoistField$Value", config.Props{"field": "f"}, flightRecord()},
		{"InsertField", "InsertField$Value", config.Props{"topic.field": "topic", "timestamp.field": "ts", "static.field": "s", "static.value": "v"}, flightRecord()},
		{"InsertFieldMap", "InsertField$Value", config.Props{"topic.field": "topic", "timestamp.field": "ts", "static.field": "s", "static.value": "v"}, looseRecord()},
		{"InsertHeader", "InsertHeader", config.Props{"header": "a", "value.literal": "1"}, flightRecord()},
		{"MaskField", "MaskField$Value", config.Props{"fields": "origin"}, flightRecord()},
		{"RegexRouter", "RegexRouter", config.Props{"regex": "(.*)", "replacement": "copy-$1"}, flightRecord()},
		{"ReplaceField", "ReplaceField$Value", config.Props{"exclude": "cancelled", "renames": "origin:from"}, flightRecord()},
		{"ReplaceFieldMap", "ReplaceField$Value", config.Props{"exclude": "cancelled", "renames": "origin:from"}, looseRecord()},
		{"SetSchemaMetadata", "SetSchemaMetadata$Value", config.Props{"schema.name": "n"}, flightRecord()},
		{"TimestampConverter", "TimestampConverter$Value", config.Props{"field": "at", "target.type": "string", "format": "yyyy-MM-dd HH:mm:ss"}, flightRecord()},
		{"TimestampRouter", "TimestampRouter", config.Props{}, flightRecord()},
		{"ValueToKey", "ValueToKey", config.Props{"fields": "carrier,number"}, flightRecord()},
	} {
		b.Run(c.name+"/copy", func(b *testing.B) { apply(b, c.class, c.props, c.record, connect.InPlaceTransform.Apply) })
		b.Run(c.name+"/in place", func(b *testing.B) { apply(b, c.class, c.props, c.record, connect.InPlaceTransform.ApplyInPlace) })
	}
}

func apply(b *testing.B, class string, props config.Props, r *connect.Record, f func(connect.InPlaceTransform, *connect.Record) (*connect.Record, error)) {
	p := connect.NewPlugins()
	transforms.Register(p)
	t, err := p.NewTransform(nil, transforms.Prefix+class)
	if err == nil {
		err = t.Configure(props)
	}
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	in, given := t.(connect.InPlaceTransform), new(connect.Record)
	for b.Loop() {
		*given = *r
		if _, err := f(in, given); err != nil {
			b.Fatal(err)
		}
	}
}
