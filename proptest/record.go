package proptest

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/leanovate/gopter"
	"github.com/leanovate/gopter/gen"
)

// Record is a random record: a key among few, so that records meet; a time in a short span, in any order, so that some are late; and a value.
type Record struct {
	Key   int   // 0 to Keys-1
	Time  int64 // ms, 0 to Span
	Value int64
	// Null is a record without a value.
	Null bool
	// Right says which of two topics it is on.
	Right bool
}

// Keys and Span bound the keys and times of records.
const (
	Keys = 3
	Span = 60
)

func (r Record) String() string {
	side, value := "left", fmt.Sprint(r.Value)
	if r.Right {
		side = "right"
	}
	if r.Null {
		value = "null"
	}
	return fmt.Sprintf("%s %s=%s at %d", side, r.Name(), value, r.Time)
}

// Name is the key as text.
func (r Record) Name() string { return string(rune('a' + r.Key)) }

// Records generates lists of records, in order of arrival. They shrink to shorter ones of smaller numbers.
func Records() gopter.Gen {
	one := gen.Struct(reflect.TypeFor[Record](), map[string]gopter.Gen{
		"Key":   gen.IntRange(0, Keys-1),
		"Time":  gen.Int64Range(0, Span),
		"Value": gen.Int64Range(0, 9),
		"Null":  gen.Weighted([]gen.WeightedGen{{Weight: 6, Gen: gen.Const(false)}, {Weight: 1, Gen: gen.Const(true)}}),
		"Right": gen.Bool(),
	})
	return gen.SliceOf(one)
}

// Text is a list of records, one a line.
func Text(list []Record) string {
	var b strings.Builder
	for _, r := range list {
		fmt.Fprintln(&b, "  ", r)
	}
	return b.String()
}
