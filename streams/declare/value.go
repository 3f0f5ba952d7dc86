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
	if raw, ok := l.Value().([]ref.Val); ok {
		return nativeItems(raw)
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

func nativeItems(raw []ref.Val) (any, error) {
	out := make([]any, len(raw))
	for i, v := range raw {
		x, err := native(v)
		if err != nil {
			return nil, err
		}
		out[i] = x
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
	switch raw := m.Value().(type) {
	case map[string]any:
		return raw, nil
	case map[ref.Val]ref.Val:
		out := make(map[string]any, len(raw))
		var fault error
		for k, v := range raw { // into a map again; of several faults the first by its text is told
			if err := nativeField(out, k, v); err != nil && (fault == nil || err.Error() < fault.Error()) {
				fault = err
			}
		}
		return out, fault
	}
	size, _ := m.Size().(types.Int)
	out := make(map[string]any, size)
	var fault error
	for it := m.Iterator(); it.HasNext() == types.True; { // the same
		k := it.Next()
		if err := nativeField(out, k, m.Get(k)); err != nil && (fault == nil || err.Error() < fault.Error()) {
			fault = err
		}
	}
	return out, fault
}

func nativeField(out map[string]any, k, v ref.Val) error {
	name, ok := k.(types.String)
	if !ok {
		return fmt.Errorf("a map with the key %v: keys must be strings", k.Value())
	}
	x, err := native(v)
	out[string(name)] = x
	return err
}
