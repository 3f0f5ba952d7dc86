package serde

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Window is a span of event time in milliseconds since the epoch. Time windows are [Start, End); session and sliding windows
// include both ends.
type Window struct{ Start, End int64 }

// Windowed is a key and its window: org.apache.kafka.streams.kstream.Windowed.
type Windowed[K any] struct {
	Key    K
	Window Window
}

// Bounds is the window.
func (w Windowed[K]) Bounds() Window { return w.Window }

type timeWindowed[K any] struct {
	inner Serde[K]
	size  int64
}

// TimeWindowed is the inner key's bytes and the window's start in 8 bytes (WindowedSerdes.TimeWindowedSerde). The end is not
// written: it is start + size (ms) when read, at most the largest int64.
func TimeWindowed[K any](inner Serde[K], size int64) Serde[Windowed[K]] {
	return timeWindowed[K]{inner, size}
}

func (s timeWindowed[K]) String() string { return fmt.Sprintf("time-windowed<%s,%d>", s.inner, s.size) }
func (s timeWindowed[K]) Append(dst []byte, topic string, v Windowed[K]) ([]byte, error) {
	dst, err := s.inner.Append(dst, topic, v.Key)
	if err != nil {
		return dst, err
	}
	return binary.BigEndian.AppendUint64(dst, uint64(v.Window.Start)), nil
}
func (s timeWindowed[K]) Decode(topic string, b []byte) (Windowed[K], error) {
	var w Windowed[K]
	if len(b) < 8 {
		return w, fail(s, "8 bytes or more expected, not %d", len(b))
	}
	k, err := s.inner.Decode(topic, b[:len(b)-8:len(b)-8])
	if err != nil {
		return w, err
	}
	start := int64(binary.BigEndian.Uint64(b[len(b)-8:]))
	return Windowed[K]{k, Window{start, WindowEnd(start, s.size)}}, nil
}

// Inner is the serde of the key in the window. A sink hashes its bytes to choose the partition.
func (s timeWindowed[K]) Inner() Serde[K] { return s.inner }

// AppendInner appends the bytes of the key without its window: what WindowedStreamPartitioner hashes.
func (s timeWindowed[K]) AppendInner(dst []byte, topic string, v Windowed[K]) ([]byte, error) {
	return s.inner.Append(dst, topic, v.Key)
}

// InnerAppender is a serde of windowed keys, as a sink sees it.
type InnerAppender[T any] interface {
	AppendInner(dst []byte, topic string, v T) ([]byte, error)
}

// WindowEnd is start + size, or the largest int64 where that does not fit.
func WindowEnd(start, size int64) int64 {
	if end := start + size; end >= 0 {
		return end
	}
	return math.MaxInt64
}
