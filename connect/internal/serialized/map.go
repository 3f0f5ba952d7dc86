// Package serialized is for one value of Java's object serialization: a HashMap from byte arrays to byte arrays, in which a standalone
// Connect worker keeps its offsets.
package serialized

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// Entry is an entry of the map. Nil is null.
type Entry struct{ Key, Value []byte }

// The constants of the Object Serialization Stream Protocol.
const (
	magic       = 0xaced0005
	tcNull      = 0x70
	tcReference = 0x71
	tcClassDesc = 0x72
	tcObject    = 0x73
	tcArray     = 0x75
	tcBlockData = 0x77
	tcEnd       = 0x78
	firstHandle = 0x7e0000

	mapUID   = 0x0507dac1c31660d1
	bytesUID = 0xacf317f8060854e0 // of byte[]
)

// The handles of a stream that AppendMap writes: the class HashMap, the map, the class byte[].
const bytesHandle = firstHandle + 2

// AppendMap appends the stream that Java's ObjectOutputStream makes of a HashMap with these entries.
func AppendMap(b []byte, entries []Entry) []byte {
	buckets, threshold := 16, 0
	if len(entries) > 0 {
		for len(entries) > buckets*3/4 {
			buckets *= 2
		}
		threshold = buckets * 3 / 4
	}
	be := binary.BigEndian
	b = be.AppendUint32(b, magic)
	b = append(b, tcObject, tcClassDesc)
	b = appendUTF(b, "java.util.HashMap")
	b = be.AppendUint64(b, mapUID)
	b = append(b, 3) // serializable, with a method of its own
	b = be.AppendUint16(b, 2)
	b = appendUTF(append(b, 'F'), "loadFactor")
	b = appendUTF(append(b, 'I'), "threshold")
	b = append(b, tcEnd, tcNull)
	b = be.AppendUint32(b, math.Float32bits(0.75))
	b = be.AppendUint32(b, uint32(threshold))
	b = append(b, tcBlockData, 8)
	b = be.AppendUint32(b, uint32(buckets))
	b = be.AppendUint32(b, uint32(len(entries)))
	known := false
	for _, e := range entries {
		b = appendBytes(b, e.Key, &known)
		b = appendBytes(b, e.Value, &known)
	}
	return append(b, tcEnd)
}

func appendUTF(b []byte, s string) []byte {
	return append(binary.BigEndian.AppendUint16(b, uint16(len(s))), s...)
}

// appendBytes appends an array; its class is described once.
func appendBytes(b, v []byte, known *bool) []byte {
	be := binary.BigEndian
	if v == nil {
		return append(b, tcNull)
	}
	b = append(b, tcArray)
	if *known {
		b = be.AppendUint32(append(b, tcReference), bytesHandle)
	} else {
		b = appendUTF(append(b, tcClassDesc), "[B")
		b = be.AppendUint64(b, bytesUID)
		b = append(b, 2, 0, 0, tcEnd, tcNull)
		*known = true
	}
	return append(be.AppendUint32(b, uint32(len(v))), v...)
}

// ErrFormat is what every error of ReadMap wraps.
var ErrFormat = errors.New("not a serialized HashMap of byte arrays")

// reader reads a stream; after the first error it reads zeros.
type reader struct {
	b       []byte
	pos     int
	err     error
	handles []any // what each handle stands for: a class name, or an array
}

// ReadMap reads a stream that Java wrote.
func ReadMap(b []byte) ([]Entry, error) {
	r := &reader{b: b}
	r.want(magic, 4, "the magic number")
	r.want(tcObject, 1, "an object")
	if class := r.class(); r.err == nil && class != "java.util.HashMap" {
		r.fail("the class " + class)
	}
	r.handles = append(r.handles, nil) // the map itself
	r.skip(8)                          // load factor and threshold
	r.want(tcBlockData, 1, "block data")
	r.want(8, 1, "its length")
	r.skip(4) // buckets
	n := int(int32(r.uint(4)))
	var out []Entry
	for i := 0; i < n && r.err == nil; i++ {
		key := r.bytes()
		out = append(out, Entry{key, r.bytes()})
	}
	r.want(tcEnd, 1, "the end")
	if r.err != nil {
		return nil, r.err
	}
	return out, nil
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: at byte %d: %s", ErrFormat, r.pos, what)
	}
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b)-r.pos {
		r.fail("it ends too early")
	}
	if r.err != nil {
		return nil
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

func (r *reader) skip(n int) { r.take(n) }

func (r *reader) uint(n int) (v uint64) {
	for _, c := range r.take(n) {
		v = v<<8 | uint64(c)
	}
	return v
}

func (r *reader) want(v uint64, n int, what string) {
	if got := r.uint(n); r.err == nil && got != v {
		r.pos -= n
		r.fail(what + " is expected")
	}
}

// class reads a class description, or a reference to one, and returns the name.
func (r *reader) class() string {
	switch r.uint(1) {
	case tcReference:
		name, ok := r.reference().(string)
		if !ok {
			r.fail("a reference to a class is expected")
		}
		return name
	case tcClassDesc:
	default:
		r.fail("a class is expected")
		return ""
	}
	name := string(r.take(int(r.uint(2))))
	r.skip(9) // version and flags
	r.handles = append(r.handles, name)
	for range int(r.uint(2)) {
		t := r.uint(1)
		r.skip(int(r.uint(2)))
		if t == 'L' || t == '[' || r.err != nil {
			r.fail("a field of a class type is not expected")
			return ""
		}
	}
	r.want(tcEnd, 1, "the end of the class")
	r.want(tcNull, 1, "no superclass")
	return name
}

func (r *reader) reference() any {
	i := int64(r.uint(4)) - firstHandle
	if r.err != nil || i < 0 || i >= int64(len(r.handles)) {
		r.fail("a reference to nothing")
		return nil
	}
	return r.handles[i]
}

// bytes reads an array, a reference to one, or null.
func (r *reader) bytes() []byte {
	switch r.uint(1) {
	case tcNull:
		return nil
	case tcReference:
		b, ok := r.reference().([]byte)
		if !ok {
			r.fail("a reference to an array is expected")
		}
		return b
	case tcArray:
	default:
		r.fail("an array is expected")
		return nil
	}
	if class := r.class(); r.err == nil && class != "[B" {
		r.fail("the class " + class)
	}
	at := len(r.handles)
	r.handles = append(r.handles, nil)
	b := r.take(int(int32(r.uint(4))))
	if r.err != nil {
		return nil
	}
	out := append([]byte{}, b...)
	r.handles[at] = out
	return out
}
