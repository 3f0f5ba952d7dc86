package serde

import "encoding/json"

type jsonSerde[T any] struct{}

// JSON is encoding/json over a Go type.
func JSON[T any]() Serde[T] { return jsonSerde[T]{} }

func (jsonSerde[T]) String() string { return "json" }
func (s jsonSerde[T]) Append(dst []byte, _ string, v T) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return dst, &Error{Serde: s.String(), Err: err}
	}
	return append(dst, b...), nil
}
func (s jsonSerde[T]) Decode(_ string, b []byte) (T, error) {
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return v, &Error{Serde: s.String(), Err: err}
	}
	return v, nil
}
