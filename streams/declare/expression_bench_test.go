package declare

import (
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

func compiled(b testing.TB, text, vars string) *expression {
	b.Helper()
	c := &compiler{d: &document{file: "bench.yaml"}}
	e, err := c.compile(&value{kind: scalar, text: text}, "x.where", vars)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

var flight = map[string]any{"carrier": "AA", "flight": int64(1141), "origin": "JFK", "dest": "MIA", "delay": int64(2), "cancelled": false, "distance": 1089.5}

func BenchmarkExpressionFilter(b *testing.B) {
	where := predicate(compiled(b, "!value.cancelled && value.delay > 1 && value.origin == 'JFK'", recordVars))
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := where("AA", flight); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkExpressionFilterPresent(b *testing.B) {
	where := predicate(compiled(b, "value != null", recordVars))
	b.ReportAllocs()
	for b.Loop() {
		if ok, err := where("AA", flight); err != nil || !ok {
			b.Fatal(ok, err)
		}
	}
}

func BenchmarkExpressionMapValues(b *testing.B) {
	f := mapper(compiled(b, "{'route': value.origin + '-' + value.dest, 'delay': value.delay * 60}", recordVars))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f("AA", flight); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpressionSelectKey(b *testing.B) {
	f := mapper(compiled(b, "value.origin", recordVars))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f("AA", flight); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpressionAggregate(b *testing.B) {
	e := compiled(b, "agg + value.delay", foldVars)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := e.value(&folding{"AA", flight, int64(7)}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkExpressionIdentity(b *testing.B) {
	f := mapper(compiled(b, "value", recordVars))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f("AA", flight); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONDecode(b *testing.B) {
	s := serde.CanonicalJSON()
	data, err := s.Append(nil, "t", any(flight))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := s.Decode("t", data); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkJSONAppend(b *testing.B) {
	s := serde.CanonicalJSON()
	buf := make([]byte, 0, 1024)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Append(buf, "t", any(flight)); err != nil {
			b.Fatal(err)
		}
	}
}
