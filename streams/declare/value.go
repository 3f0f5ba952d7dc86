package declare

import (
	"fmt"
	"math"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// native turns a result of CEL into a Go value: nil, bool, int64, float64, string, []byte, []any, map[string]any. Values that came
// in as such go out as they are, without a copy.
func native(v ref.Val) (any, error) {
	switch v := v.(type) {
	case types.Null:
		return nil, nil
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.Double:
		return float64(v), nil
	case types.String:
		return string(v), nil
	case types.Bytes:
		return []byte(v), nil
	case types.Uint:
		if v > math.MaxInt64 {
			return nil, fmt.Errorf("%d is too large for an int", uint64(v))
		}
		return int64(v), nil
	case traits.Mapper:
		return nativeMap(v)
	case traits.Lister:
		return nativeList(v)
	}
	return nil, fmt.Errorf("a %s is no value of a record: make it a string or an int", v.Type().TypeName())
}

func nativeList(l traits.Lister) (any, error) {
	if raw, ok := l.Value().([]any); ok && allNative(raw) {
		return raw, nil
	}
	size, _ := l.Size().(types.Int)
	out := make([]any, 0, size)
	for it := l.Iterator(); it.HasNext() == types.True; {
		x, err := native(it.Next())
		if err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// allNative says whether a list came in from outside; one that CEL made of other lists may have its values in it.
func allNative(l []any) bool {
	for _, x := range l {
		switch x := x.(type) {
		case nil, bool, int64, float64, string, []byte, map[string]any:
		case []any:
			if !allNative(x) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

func nativeMap(m traits.Mapper) (any, error) {
	if raw, ok := m.Value().(map[string]any); ok {
		return raw, nil
	}
	size, _ := m.Size().(types.Int)
	out := make(map[string]any, size)
	for it := m.Iterator(); it.HasNext() == types.True; {
		k := it.Next()
		name, ok := k.(types.String)
		if !ok {
			return nil, fmt.Errorf("a map with the key %v: keys must be strings", k.Value())
		}
		x, err := native(m.Get(k))
		if err != nil {
			return nil, err
		}
		out[string(name)] = x
	}
	return out, nil
}
