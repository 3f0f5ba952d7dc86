package data

import (
	"bytes"
	"math/big"
	"slices"
	"time"
)

// Equal compares two values as Java's deepEquals does: by class and content. Numbers of different types differ; NaN equals NaN; 0.0 differs
// from -0.0; decimals of different scales differ; maps are compared without order.
func Equal(a, b any) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case string:
		b, ok := b.(string)
		return ok && a == b
	case bool, int8, int16, int32, int64:
		return a == b
	case float32:
		b, ok := b.(float32)
		return ok && floatBits32(a) == floatBits32(b)
	case float64:
		b, ok := b.(float64)
		return ok && floatBits64(a) == floatBits64(b)
	case []byte:
		b, ok := b.([]byte)
		return ok && bytes.Equal(a, b)
	case Buffer:
		b, ok := b.(Buffer)
		return ok && bytes.Equal(a, b)
	}
	return equalObjects(a, b)
}

func equalObjects(a, b any) bool {
	switch a := a.(type) {
	case time.Time:
		b, ok := b.(time.Time)
		return ok && a.UnixMilli() == b.UnixMilli()
	case Decimal:
		b, ok := b.(Decimal)
		return ok && a.Equal(b)
	case *big.Int:
		b, ok := b.(*big.Int)
		return ok && a.Cmp(b) == 0
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, Equal)
	case *Map:
		b, ok := b.(*Map)
		return ok && a.Equal(b)
	case *Struct:
		b, ok := b.(*Struct)
		return ok && a.Equal(b)
	}
	return false
}
