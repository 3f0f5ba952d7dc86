package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Magic bytes: an id of four bytes follows, or a globally unique id of sixteen.
const (
	MagicID   = 0
	MagicGUID = 1
)

// HeaderSize is how many bytes stand before the payload (for Protobuf, before the message indexes) after MagicID.
const HeaderSize = 5

// What Confluent's deserializers say, word for word.
var (
	//lint:ignore ST1005 Kafka's words
	errMagic = errors.New("Unknown magic byte!")
	errShort = errors.New("the bytes end within the schema's id")
)

// AppendHeader appends the magic byte and a schema's id.
func AppendHeader(dst []byte, id int) []byte {
	return binary.BigEndian.AppendUint32(append(dst, MagicID), uint32(id))
}

// Ident is the schema that bytes name: by an id, or by a GUID where GUID is not empty.
type Ident struct {
	ID   int
	GUID string
}

func (i Ident) String() string {
	if i.GUID != "" {
		return i.GUID
	}
	return fmt.Sprint(i.ID)
}

// ReadHeader splits bytes into the schema that they name and the rest.
func ReadHeader(b []byte) (Ident, []byte, error) {
	if len(b) == 0 {
		return Ident{}, nil, errShort
	}
	switch b[0] {
	case MagicID:
		if len(b) < HeaderSize {
			return Ident{}, nil, errShort
		}
		return Ident{ID: int(int32(binary.BigEndian.Uint32(b[1:])))}, b[HeaderSize:], nil
	case MagicGUID:
		if len(b) < 17 {
			return Ident{}, nil, errShort
		}
		g := b[1:17]
		return Ident{GUID: fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], g[8:10], g[10:])}, b[17:], nil
	}
	return Ident{}, nil, errMagic
}

// AppendIndexes appends the way to a Protobuf message: from the outermost message of the file inwards. The first message is one byte.
func AppendIndexes(dst []byte, indexes []int) []byte {
	if len(indexes) == 1 && indexes[0] == 0 {
		return append(dst, 0)
	}
	dst = binary.AppendVarint(dst, int64(len(indexes)))
	for _, i := range indexes {
		dst = binary.AppendVarint(dst, int64(i))
	}
	return dst
}

// maxNesting is how deep a message may be in others: protoc allows no more than 32, and no memory is given to bytes that claim more.
const maxNesting = 64

// ReadIndexes splits bytes into the way to a message and the payload.
func ReadIndexes(b []byte) ([]int, []byte, error) {
	count, b, err := readVarint(b)
	if err != nil {
		return nil, nil, err
	}
	if count == 0 {
		return []int{0}, b, nil
	}
	if count < 0 || count > maxNesting {
		return nil, nil, fmt.Errorf("%d message indexes: there cannot be so many", count)
	}
	indexes := make([]int, count)
	for i := range indexes {
		if indexes[i], b, err = readVarint(b); err != nil {
			return nil, nil, err
		}
	}
	return indexes, b, nil
}

func readVarint(b []byte) (int, []byte, error) {
	v, n := binary.Varint(b)
	if n <= 0 || v < math.MinInt32 || v > math.MaxInt32 {
		return 0, nil, errors.New("the bytes end within the message indexes, or they are too large")
	}
	return int(v), b[n:], nil
}
