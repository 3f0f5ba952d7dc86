package declare

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// converted is a serde of T behind any, where the values of expressions have another type: an int is always an int64.
type converted[T any] struct {
	serde.Serde[T]
	to   func(v any) (T, bool)
	from func(T) any
}

func (s converted[T]) Append(dst []byte, topic string, v any) ([]byte, error) {
	t, ok := s.to(v)
	if !ok {
		return dst, serde.Unfit(s, v)
	}
	return s.Serde.Append(dst, topic, t)
}

func (s converted[T]) Decode(topic string, b []byte) (any, error) {
	t, err := s.Serde.Decode(topic, b)
	if err != nil {
		return nil, err
	}
	return s.from(t), nil
}

// fixed is one whose values all have the same size.
type fixed[T any] struct {
	converted[T]
	size int
}

func (s fixed[T]) FixedSize() int { return s.size }

func fix[T any](s serde.Serde[T], to func(v any) (T, bool), from func(T) any) serde.Serde[any] {
	c := converted[T]{s, to, from}
	if f, ok := s.(serde.FixedSize); ok {
		return fixed[T]{c, f.FixedSize()}
	}
	return c
}

func whole[T int16 | int32 | int64](s serde.Serde[T]) serde.Serde[any] {
	return fix(s, func(v any) (T, bool) {
		n, ok := v.(int64)
		return T(n), ok && int64(T(n)) == n
	}, func(n T) any { return int64(n) })
}

func real[T float32 | float64](s serde.Serde[T]) serde.Serde[any] {
	return fix(s, func(v any) (T, bool) {
		switch n := v.(type) {
		case float64:
			return T(n), true
		case int64:
			return T(n), true
		}
		return 0, false
	}, func(f T) any { return float64(f) })
}

func uuid() serde.Serde[any] {
	return fix(serde.Uuid(), func(v any) (serde.UUID, bool) {
		s, _ := v.(string)
		u, err := serde.ParseUUID(s)
		return u, err == nil
	}, func(u serde.UUID) any { return u.String() })
}

// simple are the serdes that have no argument, by name.
var simple = map[string]serde.Serde[any]{
	"string":  serde.Dynamic(serde.String()),
	"bytes":   serde.Dynamic(serde.Bytes()),
	"int":     whole(serde.Int()),
	"long":    whole(serde.Long()),
	"short":   whole(serde.Short()),
	"float":   real(serde.Float()),
	"double":  real(serde.Double()),
	"boolean": serde.Dynamic(serde.Boolean()),
	"uuid":    uuid(),
	"void":    serde.Dynamic(serde.Nothing()),
	"json":    serde.CanonicalJSON(),
}

// serdeNames is what a message offers.
var serdeNames = []string{"string", "bytes", "int", "long", "short", "float", "double", "boolean", "uuid", "void", "json", "list<E>",
	"time-windowed<S,SIZE>", "session-windowed<S>"}

// listElements may stand in list<E>.
const listElements = " string int long short float double uuid bytes "

// Serde is the serde of a name of the language: string, bytes, int, long, short, float, double, boolean, uuid, void, json, list<E>,
// time-windowed<S,SIZE>, session-windowed<S>.
func Serde(name string) (serde.Serde[any], error) {
	if s, ok := simple[name]; ok {
		return s, nil
	}
	base, arg, ok := strings.Cut(name, "<")
	if ok && strings.HasSuffix(arg, ">") && len(name) <= 200 {
		arg = arg[:len(arg)-1]
		switch base {
		case "list":
			if strings.Contains(listElements, " "+arg+" ") {
				return serde.Dynamic(serde.List(simple[arg])), nil
			}
			return nil, fmt.Errorf("unknown serde %q: a list is of one of%s", name, strings.ReplaceAll(strings.TrimSuffix(listElements, " "), " ", ", ")[1:])
		case "session-windowed":
			inner, err := Serde(arg)
			if err != nil {
				return nil, err
			}
			return serde.Dynamic(serde.SessionWindowed(inner)), nil
		case "time-windowed":
			return timeWindowed(name, arg)
		}
	}
	return nil, fmt.Errorf("unknown serde %q%s", name, suggest(name, serdeNames))
}

func timeWindowed(name, arg string) (serde.Serde[any], error) {
	i := strings.LastIndexByte(arg, ',')
	if i < 0 {
		return nil, fmt.Errorf("serde %q has no window size: write time-windowed<S,SIZE>, such as time-windowed<string,1h>", name)
	}
	inner, err := Serde(strings.TrimSpace(arg[:i]))
	if err != nil {
		return nil, err
	}
	size, err := duration(strings.TrimSpace(arg[i+1:]))
	if err != nil {
		return nil, fmt.Errorf("serde %q: %w", name, err)
	}
	return serde.Dynamic(serde.TimeWindowed(inner, size)), nil
}

// units are those of durations, in ms.
var units = []struct {
	name string
	ms   int64
}{{"ms", 1}, {"s", 1000}, {"m", 60_000}, {"h", 3_600_000}, {"d", 86_400_000}}

// duration reads whole milliseconds, or a whole number with a unit.
func duration(s string) (int64, error) {
	wrong := fmt.Errorf(`%q is no duration: write milliseconds as a whole number, or a number with a unit, such as "30s" (ms, s, m, h, d)`, s)
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || i == 0 && (s[i] == '-' || s[i] == '+')) {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, wrong
	}
	if i == len(s) {
		return n, nil
	}
	for _, u := range units {
		if s[i:] == u.name {
			if n > math.MaxInt64/u.ms || n < math.MinInt64/u.ms {
				return 0, wrong
			}
			return n * u.ms, nil
		}
	}
	return 0, wrong
}
