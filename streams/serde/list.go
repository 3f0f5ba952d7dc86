package serde

import (
	"encoding/binary"
	"fmt"
)

// FixedSize is a serde whose values all have the same number of bytes. A list of them does not write the length of each.
type FixedSize interface{ FixedSize() int }

type listSerde[T any] struct {
	inner Serde[T]
	size  int // of an element, -1: it varies
}

// List is Kafka's ListSerializer: of elements of fixed size (short, int, long, float, double, uuid) the indices of the nulls, the count
// and the bytes; of others the count, then each with its length. An element is null where T is an interface or a pointer and it is nil.
func List[T any](inner Serde[T]) Serde[[]T] {
	s := listSerde[T]{inner, -1}
	if f, ok := inner.(FixedSize); ok {
		s.size = f.FixedSize()
	}
	return s
}

const (
	constantSize = 0
	variableSize = 1
)

func (s listSerde[T]) String() string { return fmt.Sprintf("list<%s>", s.inner) }

func (s listSerde[T]) Append(dst []byte, topic string, v []T) (_ []byte, err error) {
	if s.size < 0 {
		dst = append(dst, variableSize)
	} else {
		dst = append(dst, constantSize)
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		for i := range v {
			if any(v[i]) == nil {
				dst = binary.BigEndian.AppendUint32(dst, uint32(i))
			}
		}
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4)/4)
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(v)))
	for i := range v {
		if dst, err = s.element(dst, topic, v[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func (s listSerde[T]) element(dst []byte, topic string, v T) (_ []byte, err error) {
	isNull := any(v) == nil
	if s.size >= 0 {
		if isNull {
			return dst, nil
		}
		return s.inner.Append(dst, topic, v)
	}
	if isNull {
		return binary.BigEndian.AppendUint32(dst, 0xffffffff), nil
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	if dst, err = s.inner.Append(dst, topic, v); err != nil {
		return dst, err
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst, nil
}

func (s listSerde[T]) Decode(topic string, b []byte) ([]T, error) {
	r := listReader{b: b}
	nulls := map[uint32]bool{}
	switch strategy := r.byte(); {
	case strategy == constantSize && s.size >= 0:
		for range r.count(4) {
			nulls[r.uint32()] = true
		}
	case strategy == variableSize && s.size < 0:
	default:
		return nil, fail(s, "the first byte is %d: it does not say how a list of %s is written", strategy, s.inner)
	}
	n := r.uint32()
	if uint64(n) > uint64(len(r.b))/uint64(max(1, s.size))+uint64(len(nulls)) {
		return nil, fail(s, "%d elements in %d bytes", n, len(r.b))
	}
	out := make([]T, 0, n)
	for i := range n {
		size := s.size
		if size < 0 {
			size = int(int32(r.uint32()))
		}
		var v T
		if !nulls[i] && !(s.size < 0 && size == -1) {
			raw := r.take(size)
			if r.short {
				break
			}
			var err error
			if v, err = s.inner.Decode(topic, raw); err != nil {
				return nil, err
			}
		}
		out = append(out, v)
	}
	if r.short {
		return nil, fail(s, "%d bytes end within the list", len(b))
	}
	return out, nil
}

// listReader reads big-endian numbers; short says that there were too few bytes.
type listReader struct {
	b     []byte
	short bool
}

func (r *listReader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.short, r.b = true, nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *listReader) byte() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return -1
}

func (r *listReader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// count reads a number of things of at least size bytes each, which must fit.
func (r *listReader) count(size int) uint32 {
	n := r.uint32()
	if uint64(n)*uint64(size) > uint64(len(r.b)) {
		r.short = true
		return 0
	}
	return n
}
