package serde

import (
	"encoding/binary"
	"fmt"
)

type sessionWindowed[K any] struct{ inner Serde[K] }

// SessionWindowed is the inner key's bytes, the window's end and its start in 8 bytes each (WindowedSerdes.SessionWindowedSerde).
func SessionWindowed[K any](inner Serde[K]) Serde[Windowed[K]] { return sessionWindowed[K]{inner} }

func (s sessionWindowed[K]) String() string { return fmt.Sprintf("session-windowed<%s>", s.inner) }
func (s sessionWindowed[K]) Append(dst []byte, topic string, v Windowed[K]) ([]byte, error) {
	dst, err := s.inner.Append(dst, topic, v.Key)
	if err != nil {
		return dst, err
	}
	dst = binary.BigEndian.AppendUint64(dst, uint64(v.Window.End))
	return binary.BigEndian.AppendUint64(dst, uint64(v.Window.Start)), nil
}
func (s sessionWindowed[K]) Decode(topic string, b []byte) (Windowed[K], error) {
	var w Windowed[K]
	if len(b) < 16 {
		return w, fail(s, "16 bytes or more expected, not %d", len(b))
	}
	n := len(b) - 16
	k, err := s.inner.Decode(topic, b[:n:n])
	if err != nil {
		return w, err
	}
	end, start := binary.BigEndian.Uint64(b[n:]), binary.BigEndian.Uint64(b[n+8:])
	return Windowed[K]{k, Window{int64(start), int64(end)}}, nil
}

// AppendInner appends the bytes of the key without its window.
func (s sessionWindowed[K]) AppendInner(dst []byte, topic string, v Windowed[K]) ([]byte, error) {
	return s.inner.Append(dst, topic, v.Key)
}
