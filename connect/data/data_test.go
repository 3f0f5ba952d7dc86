package data_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// randomDecimal has up to 30 digits and a scale of up to 20 either way.
func randomDecimal(r *rand.Rand) data.Decimal {
	u := new(big.Int)
	for range r.IntN(4) {
		u.Lsh(u, 30).Add(u, big.NewInt(int64(r.IntN(1<<30))))
	}
	if r.IntN(2) == 0 {
		u.Neg(u)
	}
	return data.NewDecimal(u, int32(r.IntN(41)-20))
}

// rat is the number that a decimal stands for.
func rat(d data.Decimal) *big.Rat {
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(d.Scale(), -d.Scale()))), nil)
	if d.Scale() >= 0 {
		return new(big.Rat).SetFrac(d.Unscaled(), ten)
	}
	return new(big.Rat).SetInt(ten.Mul(ten, d.Unscaled()))
}

// TestDecimalAgainstRationals compares with numbers that know nothing of scales.
func TestDecimalAgainstRationals(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 5000 {
		d := randomDecimal(r)
		q := rat(d)
		for _, text := range []string{d.String(), d.Plain()} {
			back, err := data.ParseDecimal(text)
			if err != nil || rat(back).Cmp(q) != 0 {
				t.Fatalf("%s of %s e %d: %v %v", text, d.Unscaled(), -d.Scale(), back, err)
			}
		}
		if back, err := data.ParseDecimal(d.String()); err != nil || !back.Equal(d) {
			t.Fatalf("%s is read as %s: %v", d, back, err)
		}
		whole, ok := d.BigInt()
		if want := new(big.Int).Quo(q.Num(), q.Denom()); !ok || whole.Cmp(want) != 0 {
			t.Fatalf("whole part of %s: %s, want %s", d, whole, want)
		}
		if d.Whole() != q.IsInt() {
			t.Fatalf("%s is whole: %v", d, d.Whole())
		}
		if f, _ := q.Float64(); f != d.Float64() {
			t.Fatalf("%s as a float: %v, want %v", d, d.Float64(), f)
		}
		if e, ok := d.SetScale(d.Scale() + 3); !ok || rat(e).Cmp(q) != 0 {
			t.Fatalf("%s with a larger scale: %s", d, e)
		}
	}
}

func TestTwosComplement(t *testing.T) {
	for in, want := range map[int64][]byte{0: {0}, 1: {1}, -1: {0xff}, 127: {0x7f}, 128: {0, 0x80}, -128: {0x80}, -129: {0xff, 0x7f}, 32768: {0, 0x80, 0}} {
		if got := data.TwosComplement(big.NewInt(in)); !bytes.Equal(got, want) {
			t.Errorf("%d: %x, want %x", in, got, want)
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		i := randomDecimal(r).Unscaled()
		if back := data.FromTwosComplement(data.TwosComplement(i)); back.Cmp(i) != 0 {
			t.Fatalf("%s became %s", i, back)
		}
	}
}

// TestDecimalsOfFloats are exact, or as short as Java prints them.
func TestDecimalsOfFloats(t *testing.T) {
	for _, f := range []float64{0.1, -2.5, 1e300, 5e-324, 123456789.125} {
		d, err := data.ExactDecimal(f)
		if want := new(big.Rat).SetFloat64(f); err != nil || rat(d).Cmp(want) != 0 {
			t.Errorf("%v: %s %v", f, d, err)
		}
	}
	if d, err := data.DecimalOfFloat(0.1); err != nil || d.String() != "0.1" {
		t.Errorf("%s %v", d, err)
	}
	if _, err := data.ExactDecimal(math.NaN()); !errors.Is(err, data.NumberFormatException) {
		t.Error(err)
	}
}

// TestAbsurdNumbers must not take time or memory.
func TestAbsurdNumbers(t *testing.T) {
	for _, s := range []string{"1e2147483647", "1e-2147483647", "-9e2000000000"} {
		v, ok := data.ParseString(s)
		if !ok {
			t.Errorf("%s is null", s)
		}
		if _, err := data.ConvertToNumber(data.Int64, nil, s); err != nil {
			t.Errorf("%s: %v", s, err)
		}
		_ = data.Text(v.Value)
	}
}

// mapKeys are keys of all kinds, some of them equal to none.
func mapKeys() []any {
	s := data.NewStructBuilder().Field("a", data.Int32Schema).MustBuild()
	return []any{nil, "a", "b", int8(1), int16(1), int32(1), int64(1), float32(1), 1.0, math.NaN(), 0.0, math.Copysign(0, -1), true, []byte("a"), data.Buffer("a"),
		data.DecimalOf(10, 1), data.DecimalOf(100, 2), big.NewInt(1), data.Millis(1), data.Millis(2), []any{"a"}, []any{"a", int32(1)}, []any{"b"},
		data.MapOfStrings("a", int32(1)), data.MapOfStrings("a", int64(1)), data.NewStruct(s).MustPut("a", int32(1)), data.NewStruct(s).MustPut("a", int32(2))}
}

// TestMapAgainstAList plays random operations on a Map and on a plain list.
func TestMapAgainstAList(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	keys := mapKeys()
	for range 200 {
		m := data.NewMap()
		var list []data.Entry
		find := func(k any) int {
			for i := range list {
				if data.Equal(list[i].Key, k) {
					return i
				}
			}
			return -1
		}
		for step := range 60 {
			k := keys[r.IntN(len(keys))]
			i := find(k)
			switch r.IntN(3) {
			case 0, 1:
				m.Put(k, int64(step))
				if i >= 0 {
					list[i].Value = int64(step)
				} else {
					list = append(list, data.Entry{Key: k, Value: int64(step)})
				}
			case 2:
				m.Delete(k)
				if i >= 0 {
					list = append(list[:i], list[i+1:]...)
				}
			}
			if i = find(k); i >= 0 {
				if v, ok := m.Get(k); !ok || v != list[i].Value {
					t.Fatalf("%v: %v %v, want %v", k, v, ok, list[i].Value)
				}
			} else if _, ok := m.Get(k); ok {
				t.Fatalf("%v is there", k)
			}
		}
		if m.Len() != len(list) || fmt.Sprint(m.Entries()) != fmt.Sprint(list) {
			t.Fatalf("%v, want %v", m.Entries(), list)
		}
		if c := m.Copy(); !c.Equal(m) {
			t.Fatal("a copy differs")
		}
	}
}

func TestSchemasAreImmutable(t *testing.T) {
	b := data.NewStructBuilder().Field("a", data.Int32Schema).Parameter("k", "v")
	one := b.MustBuild()
	two := b.Field("b", data.StringSchema).Parameter("k", "w").Parameter("l", "x").MustBuild()
	if len(one.Fields()) != 1 || fmt.Sprint(one.Parameters()) != "[{k v}]" {
		t.Errorf("a later call changed the schema: %v %v", one.Fields(), one.Parameters())
	}
	if len(two.Fields()) != 2 || fmt.Sprint(two.Parameters()) != "[{k w} {l x}]" {
		t.Errorf("%v %v", two.Fields(), two.Parameters())
	}
	c := two.CopyBasics().Parameter("m", "y").MustBuild()
	if len(two.Parameters()) != 2 || len(c.Parameters()) != 3 || len(c.Fields()) != 0 {
		t.Errorf("%v %v", two.Parameters(), c.Parameters())
	}
	if one.Equal(two) || !one.Equal(data.NewStructBuilder().Parameter("k", "v").Field("a", data.Int32Schema).MustBuild()) {
		t.Error("equality")
	}
}

func TestHeadersAreShared(t *testing.T) {
	var h data.Headers
	h.Append(data.Header{Key: "a", Value: "1"}, data.Header{Key: "b", Value: "2"})
	one, two := h, h
	one.Append(data.Header{Key: "c"})
	two.Append(data.Header{Key: "d"})
	two.Remove("a")
	for _, c := range []struct {
		h    data.Headers
		want string
	}{{h, "a b"}, {one, "a b c"}, {two, "b d"}} {
		if got := strings.Join(keysOf(c.h), " "); got != c.want || c.h.Len() != len(keysOf(c.h)) {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}

func keysOf(h data.Headers) (out []string) {
	for x := range h.All() {
		out = append(out, x.Key)
	}
	return out
}

// TestManyHeaders: all come in order however many they are, and a loop may end early.
func TestManyHeaders(t *testing.T) {
	var h data.Headers
	for i := range 100 {
		h.Append(data.Header{Key: strconv.Itoa(i)})
	}
	h.Remove("0")
	h.Remove("99")
	keys := keysOf(h)
	for x := range h.All() {
		if x.Key != "1" {
			t.Errorf("the first is %s", x.Key)
		}
		break
	}
	if len(keys) != 98 || keys[0] != "1" || keys[97] != "98" || !slices.IsSortedFunc(keys, func(a, b string) int { return cmp.Compare(len(a), len(b)) }) {
		t.Errorf("%v", keys)
	}
}

func TestErrors(t *testing.T) {
	inner := data.IllegalStateException.Errorf("why")
	err := fmt.Errorf("outside: %w", data.DataException.Wrap(inner, "what"))
	for _, c := range []data.Class{data.DataException, data.ConnectException, data.KafkaException, data.RuntimeException, data.IllegalStateException} {
		if !errors.Is(err, c) {
			t.Errorf("is no %s", c)
		}
	}
	if errors.Is(err, data.RetriableException) || errors.Is(inner, data.DataException) {
		t.Error("is too much")
	}
	const trace = "org.apache.kafka.connect.errors.DataException: what\nCaused by: java.lang.IllegalStateException: why\n"
	if got := data.StackTrace(err); got != trace {
		t.Error(got)
	}
	if got := data.Throwable(&data.Error{Class: data.NullPointerException, Null: true}); got != "java.lang.NullPointerException" {
		t.Error(got)
	}
	if got := data.ConnectException.Because(inner).Message; got != "java.lang.IllegalStateException: why" {
		t.Error(got)
	}
}

// FuzzParseString reads any text: what comes out must print, and what was printed must be read as the same again.
func FuzzParseString(f *testing.F) {
	for _, s := range []string{"", "null", "[1,2.5,\"a\"]", "{a:1,\"b\":[null]}", "2024-01-02T03:04:05.678Z", "12:34:56", "1e99999", "[[[[", `\"`, "{\"a\":1,}", "-0.0", "[1,[2,{3:4}]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, ok := data.ParseString(s)
		if !ok {
			if strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) != "null" {
				t.Errorf("%q is null", s)
			}
			return
		}
		text, err := data.ConvertToString(v.Value)
		if err != nil {
			t.Fatalf("%q is %s, which does not print: %v", s, v, err)
		}
		if v.Schema.Type().Primitive() && v.Schema.Type() != data.String && !v.Schema.HasName() {
			again, ok := data.ParseString(text.(string))
			if !ok || again.Schema.Type() > v.Schema.Type() {
				t.Errorf("%q is %s, printed %q, read as %s", s, v, text, again)
			}
		}
	})
}

func BenchmarkStructPut(b *testing.B) {
	s := data.NewStructBuilder().Field("a", data.Int64Schema).Field("b", data.OptionalStringSchema).Field("c", data.Float64Schema).MustBuild()
	var v any = "text"
	b.ReportAllocs()
	for b.Loop() {
		st := data.NewStruct(s)
		if st.Put("a", int64(7)) != nil || st.Put("b", v) != nil || st.Put("c", 0.5) != nil || st.Validate() != nil {
			b.Fatal("refused")
		}
	}
}

func BenchmarkParseString(b *testing.B) {
	for _, s := range []string{"12", "some text", "2024-01-02T03:04:05.678Z", `{"a":[1,2,3],"b":[4]}`} {
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				data.ParseString(s)
			}
		})
	}
}
