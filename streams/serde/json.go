package serde

import "encoding/json"

type jsonSerde[T any] struct {
	marshal   func(v any) ([]byte, error)
	unmarshal func(b []byte, v any) error
}

// JSON is encoding/json over a Go type.
func JSON[T any]() Serde[T] { return JSONWith[T](json.Marshal, json.Unmarshal) }

// JSONWith is JSON by another package's functions: goccy/go-json, say, which takes a quarter of the time for small objects, and is not in all corners
// what encoding/json is. unmarshal gets a *T and may keep parts of the bytes, which nobody changes; marshal gets a T, and its bytes are copied.
func JSONWith[T any](marshal func(v any) ([]byte, error), unmarshal func(b []byte, v any) error) Serde[T] {
	return jsonSerde[T]{marshal, unmarshal}
}

func (jsonSerde[T]) String() string { return "json" }
func (s jsonSerde[T]) Append(dst []byte, _ string, v T) ([]byte, error) {
	b, err := s.marshal(v)
	if err != nil {
		return dst, &Error{Serde: s.String(), Err: err}
	}
	return append(dst, b...), nil
}
func (s jsonSerde[T]) Decode(_ string, b []byte) (T, error) {
	var v T
	if err := s.unmarshal(b, &v); err != nil {
		return v, &Error{Serde: s.String(), Err: err}
	}
	return v, nil
}
