package serde

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// UUID is a universally unique identifier. It prints as 36 lower-case characters.
type UUID [16]byte

func (u UUID) String() string {
	var b [36]byte
	hex.Encode(b[:8], u[:4])
	hex.Encode(b[9:13], u[4:6])
	hex.Encode(b[14:18], u[6:8])
	hex.Encode(b[19:23], u[8:10])
	hex.Encode(b[24:], u[10:])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseUUID reads what java.util.UUID.fromString reads: five groups of hexadecimal digits, where leading zeros may be missing and digits
// that are too many on the left are dropped.
func ParseUUID(s string) (UUID, error) {
	var u UUID
	parts := strings.Split(s, "-")
	if len(s) > 36 || len(parts) != 5 {
		return u, fail(uuidSerde{}, "%q is no UUID: 8-4-4-4-12 hexadecimal digits expected", s)
	}
	at := 0
	for i, size := range []int{4, 2, 2, 2, 6} {
		n, err := strconv.ParseUint(parts[i], 16, 64)
		if err != nil || n > 1<<63-1 {
			return u, fail(uuidSerde{}, "%q is no UUID: 8-4-4-4-12 hexadecimal digits expected", s)
		}
		for k := size - 1; k >= 0; k-- {
			u[at+k] = byte(n)
			n >>= 8
		}
		at += size
	}
	return u, nil
}

type uuidSerde struct{}

// Uuid is the 36 characters of a UUID.
func Uuid() Serde[UUID] { return uuidSerde{} }

func (uuidSerde) String() string { return "uuid" }
func (uuidSerde) FixedSize() int { return 36 }
func (uuidSerde) Append(dst []byte, _ string, v UUID) ([]byte, error) {
	return append(dst, v.String()...), nil
}
func (uuidSerde) Decode(_ string, b []byte) (UUID, error) { return ParseUUID(string(b)) }
