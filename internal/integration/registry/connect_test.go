//go:build integration

package registry_test

import (
	"encoding/hex"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/connect/config"
	convertavro "github.com/kstreamlab/kstreamlab/connect/converters/avro"
	convertjson "github.com/kstreamlab/kstreamlab/connect/converters/jsonschema"
	convertprotobuf "github.com/kstreamlab/kstreamlab/connect/converters/protobuf"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

type converter interface {
	Configure(props config.Props, key bool) error
	FromConnect(topic string, headers *[]broker.Header, s *data.Schema, v any) ([]byte, error)
	ToConnect(topic string, headers []broker.Header, b []byte) (data.SchemaAndValue, error)
}

// converters are made anew, with nothing in their caches. The objects of JSON schemas are closed: to open ones nothing can be added.
func converters(t *testing.T, url string) map[string]converter {
	t.Helper()
	all := map[string]converter{"avro": convertavro.New(nil), "json": convertjson.New(nil), "protobuf": convertprotobuf.New(nil)}
	for name, c := range all {
		if err := c.Configure(config.Props{"schema.registry.url": url, "object.additional.properties": "false", "wrapper.for.nullables": "true"}, false); err != nil {
			t.Fatal(name, data.StackTrace(err))
		}
	}
	return all
}

// TestConverters lets Connect's converters write to the real registry, and others, which know nothing yet, read.
func TestConverters(t *testing.T) {
	inner := data.NewStructBuilder().Name("shop.Place").Field("x", data.Int32Schema).MustBuild()
	v1 := data.NewStructBuilder().Name("shop.Row").Field("id", data.Int64Schema).Field("note", data.OptionalStringSchema).Field("price", data.DecimalBuilder(2).MustBuild()).
		Field("at", data.TimestampSchema).Field("place", inner).Field("tags", data.MapOf(data.StringSchema, data.BooleanSchema).MustBuild()).Field("list", data.ArrayOf(data.StringSchema).MustBuild())
	value := func(s *data.Schema) *data.Struct {
		return data.NewStruct(s).MustPut("id", int64(7)).MustPut("note", "hé").MustPut("price", data.DecimalOf(1250, 2)).MustPut("at", data.Millis(1700000000000)).
			MustPut("place", data.NewStruct(inner).MustPut("x", int32(-1))).MustPut("tags", data.NewMap(data.Entry{Key: "k", Value: true})).MustPut("list", []any{"a", "b"})
	}
	first := v1.MustBuild()
	second := v1.Field("more", data.OptionalBooleanSchema).MustBuild()
	readers := converters(t, address)
	for name, c := range converters(t, address) {
		topic := t.Name() + "-" + name
		ids := map[string]bool{}
		for _, s := range []*data.Schema{first, second} {
			b, err := c.FromConnect(topic, nil, s, value(s))
			if err != nil {
				t.Fatal(name, data.StackTrace(err))
			}
			ids[string(b[:5])] = true
			back, err := readers[name].ToConnect(topic, nil, b)
			if err != nil {
				t.Fatal(name, data.StackTrace(err))
			}
			if got, want := data.Text(back.Value), data.Text(value(s)); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		if len(ids) != 2 {
			t.Errorf("%s: both schemas have one id", name)
		}
		clash := data.NewStructBuilder().Name("shop.Row").Field("id", data.StringSchema).MustBuild()
		if _, err := c.FromConnect(topic, nil, clash, data.NewStruct(clash).MustPut("id", "x")); name == "avro" && err == nil {
			t.Errorf("%s: the registry took a schema that is not compatible", name)
		}
	}
}

// TestConnectReadsConfluents lets Connect's converters read what Confluent's serializers wrote.
func TestConnectReadsConfluents(t *testing.T) {
	formats := []string{"avro", "json"}
	written := python(t, "", append([]string{"write", address}, formats...)...)
	for name, want := range map[string]string{
		"avro": "Struct{id=7,note=hé,state=DONE,price=2.5,lines=[a, b],tags={x=-1}}",
		"json": "Struct{note=hé,id=7}",
	} {
		b, err := hex.DecodeString(written[name])
		if err != nil {
			t.Fatal(err)
		}
		v, err := converters(t, address)[name].ToConnect("python-"+name, nil, b)
		if err != nil {
			t.Fatal(name, data.StackTrace(err))
		}
		if got := data.Text(v.Value); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
