package operator

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// changeSerde writes a table's changes to a repartition topic as Kafka's ChangedSerializer does: the value and a flag byte: 0 an old
// value, 1 a new one; 2 both, with the length of the new one in front. It reads Kafka's flags 3 to 5 too, which carry isLatest.
type changeSerde[V any] struct{ inner serde.Serde[V] }

// ChangeSerde is the serde of changes over the serde of their values.
func ChangeSerde[V any](inner serde.Serde[V]) serde.Serde[processor.Change[V]] {
	return changeSerde[V]{inner}
}

func (s changeSerde[V]) String() string { return "change<" + s.inner.String() + ">" }

func (s changeSerde[V]) Append(dst []byte, topic string, c processor.Change[V]) ([]byte, error) {
	switch {
	case c.NullNew && c.NullOld:
		return dst, errors.New("both old and new values are null in a change")
	case c.NullOld:
		dst, err := s.inner.Append(dst, topic, c.New)
		return append(dst, 1), err
	case c.NullNew:
		dst, err := s.inner.Append(dst, topic, c.Old)
		return append(dst, 0), err
	}
	b, err := s.inner.Append(nil, topic, c.New)
	if err != nil {
		return dst, err
	}
	dst = append(binary.AppendVarint(dst, int64(len(b))), b...)
	dst, err = s.inner.Append(dst, topic, c.Old)
	return append(dst, 2), err
}

func (s changeSerde[V]) Decode(topic string, b []byte) (c processor.Change[V], err error) {
	if len(b) == 0 {
		return c, errors.New("a change has a flag byte at least")
	}
	flag, b := b[len(b)-1], b[:len(b)-1]
	if flag >= 3 && flag <= 5 { // the same with a byte of isLatest in front of the flag
		if len(b) == 0 {
			return c, errors.New("a change ends before its isLatest byte")
		}
		c.Stale, b, flag = b[len(b)-1] == 0, b[:len(b)-1], flag-3
	}
	switch flag {
	case 0:
		c.NullNew = true
		c.Old, err = s.inner.Decode(topic, b)
	case 1:
		c.NullOld = true
		c.New, err = s.inner.Decode(topic, b)
	case 2:
		n, k := binary.Varint(b)
		if k <= 0 || n < 0 || n > int64(len(b)-k) {
			return c, errors.New("a change has a new value of a wrong length")
		}
		if c.New, err = s.inner.Decode(topic, b[k:k+int(n):k+int(n)]); err == nil {
			c.Old, err = s.inner.Decode(topic, b[k+int(n):])
		}
	default:
		err = fmt.Errorf("a change has the unknown flag %d", flag)
	}
	return c, err
}
