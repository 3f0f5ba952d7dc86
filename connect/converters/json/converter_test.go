package json_test

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/json"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

func converter(t testing.TB, props config.Props) *json.Converter {
	t.Helper()
	c := json.New()
	if err := c.Configure(props, false); err != nil {
		t.Fatal(err)
	}
	return c
}

func row() (*data.Schema, *data.Struct) {
	s := data.NewStructBuilder().Name("com.acme.Row").
		Field("id", data.Int32Schema).
		Field("name", data.OptionalStringSchema).
		Field("price", data.DecimalBuilder(2).Optional().MustBuild()).
		Field("ok", data.BooleanSchema).
		Field("rate", data.Float64Schema).
		Field("at", data.TimestampBuilder().Optional().MustBuild()).
		Field("tags", data.ArrayOf(data.StringSchema).Optional().MustBuild()).
		Field("props", data.MapOf(data.StringSchema, data.Int64Schema).Optional().MustBuild()).
		MustBuild()
	v := data.NewStruct(s).MustPut("id", int32(7)).MustPut("name", "a \"name\"").MustPut("price", data.DecimalOf(1999, 2)).MustPut("ok", true).
		MustPut("rate", 0.25).MustPut("at", data.Millis(1700000000123)).MustPut("tags", []any{"x", "y"}).MustPut("props", data.MapOfStrings("a", int64(1)))
	return s, v
}

func TestRoundTrip(t *testing.T) {
	s, v := row()
	c := converter(t, nil)
	b, err := c.FromConnect("t", nil, s, v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.ToConnect("t", nil, b)
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(data.SchemaAndValue{Schema: s, Value: v}) {
		t.Errorf("%s became %s", v, got)
	}
}

// TestEqualSchemas writes many schemas that are equal but not the same, as a connector does that builds one for each record.
func TestEqualSchemas(t *testing.T) {
	c := converter(t, config.Props{"schemas.cache.size": "2"})
	var first string
	for range 10 {
		s, v := row()
		b, err := c.FromConnect("t", nil, s, v)
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(b)
		}
		if string(b) != first {
			t.Fatalf("%s, at first %s", b, first)
		}
	}
}

// TestRepeatedNames reads members that come twice: the last counts.
func TestRepeatedNames(t *testing.T) {
	c := converter(t, nil)
	const schema = `{"type":"struct","fields":[{"type":"int32","field":"a"},{"type":"int32","optional":true,"field":"b"}]}`
	got, err := c.ToConnect("t", nil, []byte(`{"schema":`+schema+`,"payload":{"a":1,"a":2}}`))
	if err != nil {
		t.Fatal(err)
	}
	if text := data.Text(got.Value); text != "Struct{a=2}" {
		t.Error(text)
	}
}

func FuzzToConnect(f *testing.F) {
	for _, s := range []string{``, `1`, `{"schema":null,"payload":[1,2.5e3,"x",null,{"a":true}]}`, `{"schema":{"type":"struct","fields":[{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"},"field":"d"}]},"payload":{"d":"AQ=="}}`,
		`{"schema":{"type":"map","keys":{"type":"int32"},"values":{"type":"double","default":1e400}},"payload":[[1,2]]}`, `"\ud83d\ude00"`, `[[[[`, `00123`, `{"a":1,"a":2}`} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, schemas bool) {
		props := config.Props{"schemas.enable": schemas}
		c := converter(t, props)
		v, err := c.ToConnect("t", nil, b)
		if err != nil {
			return
		}
		if v.Schema != nil && data.Validate(v.Schema, v.Value) != nil {
			return // Kafka reads scalars of the wrong kind as null
		}
		out, err := c.FromConnect("t", nil, v.Schema, v.Value)
		if err != nil {
			return // a decimal may have another scale than its schema
		}
		if _, err := c.ToConnect("t", nil, out); err != nil {
			t.Errorf("%q became %q, which cannot be read: %v", b, out, err)
		}
	})
}

func BenchmarkFromConnect(b *testing.B) {
	for name, schemas := range map[string]bool{"schemas": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			s, v := row()
			c := converter(b, config.Props{"schemas.enable": schemas})
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.FromConnect("t", nil, s, v); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkToConnect(b *testing.B) {
	for name, schemas := range map[string]bool{"schemas": true, "plain": false} {
		b.Run(name, func(b *testing.B) {
			s, v := row()
			c := converter(b, config.Props{"schemas.enable": schemas})
			text, err := c.FromConnect("t", nil, s, v)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.ToConnect("t", nil, text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
