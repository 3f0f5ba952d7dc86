package json_test

import (
	"fmt"
	"math"
	"math/rand"
	"testing"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/prop"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// typed is a value with its schema, as gopter draws it.
func typed(params *gopter.GenParameters) *gopter.GenResult {
	s := randomSchema(params.Rng, 3)
	v := data.SchemaAndValue{Schema: s, Value: randomValue(params.Rng, s)}
	return gopter.NewGenResult(v, gopter.NoShrinker)
}

func randomSchema(r *rand.Rand, depth int) *data.Schema {
	n := 13
	if depth > 0 {
		n = 16
	}
	var b *data.Builder
	switch k := r.Intn(n); k {
	case 9:
		b = data.DecimalBuilder(int32(r.Intn(9) - 2))
	case 10:
		b = data.DateBuilder()
	case 11:
		b = data.TimeBuilder()
	case 12:
		b = data.TimestampBuilder()
	case 13:
		b = data.ArrayOf(randomSchema(r, depth-1))
	case 14:
		keys := data.StringSchema
		if r.Intn(2) == 0 {
			keys = data.Int32Schema
		}
		b = data.MapOf(keys, randomSchema(r, depth-1))
	case 15:
		b = data.NewStructBuilder()
		for i := range r.Intn(4) {
			b.Field(fmt.Sprint("f", i), randomSchema(r, depth-1))
		}
	default:
		b = data.NewBuilder(data.Int8 + data.Type(k))
	}
	if r.Intn(3) == 0 {
		b.Optional()
	}
	if r.Intn(4) == 0 {
		b.Doc(randomText(r)).Parameter("p", randomText(r))
	}
	s := b.MustBuild()
	if s.Type().Primitive() && r.Intn(5) == 0 {
		for {
			if v := randomValue(r, s); v != nil {
				return b.Default(v).MustBuild()
			}
		}
	}
	return s
}

func randomText(r *rand.Rand) string {
	letters := []rune("ab \"\\/\n\u0001é\u2028😀\U0010ffff{}[]:,0")
	out := make([]rune, r.Intn(6))
	for i := range out {
		out[i] = letters[r.Intn(len(letters))]
	}
	return string(out)
}

func randomValue(r *rand.Rand, s *data.Schema) any {
	if s.Optional() && s.Default() == nil && r.Intn(4) == 0 {
		return nil
	}
	switch s.Name() {
	case data.DecimalName:
		scale, err := data.DecimalScale(s)
		if err != nil {
			panic(err)
		}
		return data.DecimalOf(r.Int63n(1<<40)-1<<39, scale)
	case data.DateName:
		return data.Millis(int64(r.Intn(60000)-30000) * 86400000)
	case data.TimeName:
		return data.Millis(int64(r.Intn(86400001)))
	case data.TimestampName:
		return data.Millis(r.Int63n(1<<45) - 1<<44)
	}
	switch s.Type() {
	case data.Int8:
		return int8(r.Int())
	case data.Int16:
		return int16(r.Int())
	case data.Int32:
		return int32(r.Int())
	case data.Int64:
		return int64(r.Uint64())
	case data.Float32:
		return float32(r.NormFloat64())
	case data.Float64:
		return r.NormFloat64() * math.Pow(10, float64(r.Intn(40)-20))
	case data.Boolean:
		return r.Intn(2) == 0
	case data.String:
		return randomText(r)
	case data.Bytes:
		b := make([]byte, r.Intn(5))
		r.Read(b)
		return b
	case data.Array:
		out := []any{}
		for range r.Intn(4) {
			out = append(out, randomValue(r, s.ValueSchema()))
		}
		return out
	case data.MapType:
		m := data.NewMap()
		for range r.Intn(4) {
			m.Put(randomValue(r, s.KeySchema()), randomValue(r, s.ValueSchema()))
		}
		return m
	}
	st := data.NewStruct(s)
	for i, f := range s.Fields() {
		st.Set(i, randomValue(r, f.Schema))
	}
	return st
}

// TestRoundTrips writes random values of random schemas, with decimals in both forms, and reads them again.
func TestRoundTrips(t *testing.T) {
	params := gopter.DefaultTestParametersWithSeed(42)
	params.MinSuccessfulTests = 3000
	props := gopter.NewProperties(params)
	for _, format := range []string{"BASE64", "NUMERIC"} {
		c := converter(t, config.Props{"decimal.format": format, "schemas.cache.size": "16"})
		props.Property(format, prop.ForAll(func(v data.SchemaAndValue) (bool, error) {
			b, err := c.FromConnect("t", nil, v.Schema, v.Value)
			if err != nil {
				return false, err
			}
			got, err := c.ToConnect("t", nil, b)
			if err != nil {
				return false, fmt.Errorf("%s: %w", b, err)
			}
			if !got.Equal(v) {
				return false, fmt.Errorf("%s: %s became %s", b, v, got)
			}
			return true, nil
		}, gopter.Gen(typed)))
	}
	props.TestingRun(t)
}
