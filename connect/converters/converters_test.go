package converters_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

func converter(t *testing.T, class string, props config.Props) connect.Converter {
	t.Helper()
	p := connect.NewPlugins()
	converters.Register(p)
	c, err := p.NewConverter(nil, class)
	if err == nil {
		if props == nil {
			props = config.Props{}
		}
		err = c.Configure(props, false)
	}
	if err != nil {
		t.Fatalf("%s: %v", class, err)
	}
	return c
}

// TestBytes: values to bytes and back.
func TestBytes(t *testing.T) {
	for _, c := range []struct {
		class string
		value any
		bytes string
		back  any // nil: the value
	}{
		{converters.ShortClass, int16(-2), "\xff\xfe", nil},
		{converters.IntegerClass, int32(258), "\x00\x00\x01\x02", nil},
		{converters.LongClass, int64(math.MinInt64), "\x80\x00\x00\x00\x00\x00\x00\x00", nil},
		{converters.FloatClass, float32(1.5), "\x3f\xc0\x00\x00", nil},
		{converters.DoubleClass, -2.0, "\xc0\x00\x00\x00\x00\x00\x00\x00", nil},
		{converters.BooleanClass, true, "\x01", nil},
		{converters.BooleanClass, false, "\x00", nil},
		{converters.StringClass, "Zür\U0001f600", "Zür\U0001f600", nil},
		{converters.StringClass, int32(7), "7", "7"},
		{converters.ByteArrayClass, []byte{1, 0}, "\x01\x00", nil},
		{converters.ByteArrayClass, data.Buffer{1}, "\x01", []byte{1}},
		{converters.ByteArrayClass, []byte{}, "", nil},
	} {
		x := converter(t, c.class, nil)
		b, err := x.FromConnect("t", nil, nil, c.value)
		if err != nil || string(b) != c.bytes || b == nil {
			t.Errorf("%s %v: %q %v, want %q", c.class, c.value, b, err, c.bytes)
		}
		want := c.back
		if want == nil {
			want = c.value
		}
		v, err := x.ToConnect("t", nil, b)
		if err != nil || fmt.Sprintf("%T %v", v.Value, v.Value) != fmt.Sprintf("%T %v", want, want) || !v.Schema.Optional() {
			t.Errorf("%s %q: %v %v, want %v", c.class, b, v, err, want)
		}
	}
}

// TestNull is no bytes, in both directions.
func TestNull(t *testing.T) {
	for _, class := range []string{converters.ShortClass, converters.IntegerClass, converters.LongClass, converters.FloatClass, converters.DoubleClass,
		converters.BooleanClass, converters.StringClass, converters.ByteArrayClass} {
		x := converter(t, class, nil)
		if b, err := x.FromConnect("t", nil, nil, nil); b != nil || err != nil {
			t.Errorf("%s: %q %v", class, b, err)
		}
		if v, err := x.ToConnect("t", nil, nil); v.Value != nil || v.Schema == nil || err != nil {
			t.Errorf("%s: %v %v", class, v, err)
		}
	}
}

func TestOneNaN(t *testing.T) {
	odd := math.Float64frombits(0x7ff8000000000001)
	b, err := converter(t, converters.DoubleClass, nil).FromConnect("t", nil, nil, odd)
	if err != nil || !bytes.Equal(b, []byte{0x7f, 0xf8, 0, 0, 0, 0, 0, 0}) {
		t.Errorf("%x %v", b, err)
	}
	b, err = converter(t, converters.FloatClass, nil).FromConnect("t", nil, nil, math.Float32frombits(0xffc00001))
	if err != nil || !bytes.Equal(b, []byte{0x7f, 0xc0, 0, 0}) {
		t.Errorf("%x %v", b, err)
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		class  string
		schema *data.Schema
		value  any
		bytes  []byte // read where the value is nil
		err    string
	}{
		{converters.IntegerClass, nil, int64(1), nil, "Failed to serialize to integer (was class java.lang.Long): "},
		{converters.ShortClass, nil, "1", nil, "Failed to serialize to short (was class java.lang.String): "},
		{converters.LongClass, nil, nil, []byte{1}, "Failed to deserialize long: "},
		{converters.DoubleClass, nil, nil, []byte{}, "Failed to deserialize double: "},
		{converters.BooleanClass, data.StringSchema, true, nil, "Invalid schema type for BooleanConverter: STRING"},
		{converters.BooleanClass, nil, "true", nil, "BooleanConverter is not compatible with objects of type class java.lang.String"},
		{converters.BooleanClass, nil, nil, []byte{2}, "Failed to deserialize boolean: "},
		{converters.BooleanClass, nil, nil, []byte{0, 1}, "Failed to deserialize boolean: "},
		{converters.ByteArrayClass, data.StringSchema, []byte{1}, nil, "Invalid schema type for ByteArrayConverter: STRING"},
		{converters.ByteArrayClass, nil, "a", nil, "ByteArrayConverter is not compatible with objects of type class java.lang.String"},
	} {
		x := converter(t, c.class, nil)
		var err error
		if c.value != nil {
			_, err = x.FromConnect("t", nil, c.schema, c.value)
		} else {
			_, err = x.ToConnect("t", nil, c.bytes)
		}
		if err == nil || data.ClassOfError(err) != data.DataException {
			t.Errorf("%s %v %v: %v", c.class, c.value, c.bytes, err)
			continue
		}
		if m, _ := data.MessageOfError(err); m != c.err {
			t.Errorf("%s %v %v: %s, want %s", c.class, c.value, c.bytes, m, c.err)
		}
	}
}

func TestEncodings(t *testing.T) {
	for _, c := range []struct{ encoding, text, bytes, back string }{
		{"UTF-16", "aé", "\xfe\xff\x00a\x00\xe9", "aé"},
		{"UTF-16LE", "\U0001f600", "\x3d\xd8\x00\xde", "\U0001f600"},
		{"ISO-8859-1", "é€", "\xe9?", "é?"},
		{"US-ASCII", "aé", "a?", "a?"},
		{"windows-1252", "€", "\x80", "€"},
	} {
		x := converter(t, converters.StringClass, config.Props{"converter.encoding": c.encoding})
		b, err := x.FromConnect("t", nil, nil, c.text)
		if err != nil || string(b) != c.bytes {
			t.Errorf("%s: %q is %q %v, want %q", c.encoding, c.text, b, err, c.bytes)
		}
		if v, err := x.ToConnect("t", nil, b); err != nil || v.Value != c.back {
			t.Errorf("%s: %q is %q %v, want %q", c.encoding, b, v.Value, err, c.back)
		}
	}
	err := new(converters.String).Configure(config.Props{"converter.encoding": "nope"}, true)
	if err == nil || data.ClassOfError(err) != data.SerializationException {
		t.Error(err)
	}
	x := converter(t, converters.StringClass, nil)
	if v, _ := x.ToConnect("t", nil, []byte("a\xffb")); v.Value != "a\ufffdb" {
		t.Errorf("%q", v.Value)
	}
}

// TestSimpleHeader: the type of a header is guessed from its text.
func TestSimpleHeader(t *testing.T) {
	var c converters.SimpleHeader
	for _, x := range []struct {
		text   string
		schema data.Type
		value  any
	}{
		{"00123", data.Int8, int8(123)}, {"300", data.Int16, int16(300)}, {"true", data.Boolean, true}, {"True", data.String, "True"},
		{"1.5", data.Float32, float32(1.5)}, {"a b", data.String, "a b"}, {"", data.String, ""},
	} {
		v, err := c.ToHeader("t", "h", []byte(x.text))
		if err != nil || v.Schema.Type() != x.schema || v.Value != x.value {
			t.Errorf("%q: %v %v, want %v", x.text, v, err, x.value)
		}
	}
	if v, err := c.ToHeader("t", "h", []byte("null")); v.Schema != nil || v.Value != nil || err != nil {
		t.Errorf("null: %v %v", v, err)
	}
	if b, err := c.FromHeader("t", "h", nil, []any{"a", int32(1)}); string(b) != `["a",1]` || err != nil {
		t.Errorf("%s %v", b, err)
	}
}
