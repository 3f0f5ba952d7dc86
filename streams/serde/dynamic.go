package serde

import "fmt"

// dynamic is a serde behind any.
type dynamic[T any] struct{ inner Serde[T] }

// Dynamic is a serde of T for streams of any: what it reads is a T, and it writes nothing but a T.
func Dynamic[T any](inner Serde[T]) Serde[any] {
	if w, ok := inner.(InnerAppender[T]); ok {
		return dynamicWindowed[T]{dynamic[T]{inner}, w}
	}
	return dynamic[T]{inner}
}

func (s dynamic[T]) String() string { return s.inner.String() }
func (s dynamic[T]) Append(dst []byte, topic string, v any) ([]byte, error) {
	t, ok := v.(T)
	if !ok {
		return dst, Unfit(s, v)
	}
	return s.inner.Append(dst, topic, t)
}
func (s dynamic[T]) Decode(topic string, b []byte) (any, error) {
	v, err := s.inner.Decode(topic, b)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// dynamicWindowed is a serde of windowed keys behind any.
type dynamicWindowed[T any] struct {
	dynamic[T]
	windowed InnerAppender[T]
}

func (s dynamicWindowed[T]) AppendInner(dst []byte, topic string, v any) ([]byte, error) {
	t, ok := v.(T)
	if !ok {
		return dst, Unfit(s, v)
	}
	return s.windowed.AppendInner(dst, topic, t)
}

// Unfit is the error of a value that is not of a serde's type.
func Unfit(s fmt.Stringer, v any) error {
	return &Error{s.String(), fmt.Errorf("cannot write a %T", v), unfit}
}

// unfit is what the JVM says of a value that is not of a serde's type.
const unfit = "cannot serialize this value"
