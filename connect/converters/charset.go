package converters

import (
	"encoding/binary"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// charset translates between Go's strings and a Java character set. What cannot be written is a question mark, what cannot be read U+FFFD,
// as in Java.
type charset struct {
	encode func(s string) []byte
	decode func(b []byte) string
}

// charsetNamed is a character set by its IANA name or alias.
func charsetNamed(name string) (charset, error) {
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8":
		return charset{func(s string) []byte { return []byte(s) }, decodeUTF8}, nil
	case "UTF-16", "UTF16":
		return charset{func(s string) []byte { return appendUTF16([]byte{0xfe, 0xff}, binary.BigEndian, s) }, decodeUTF16}, nil
	case "UTF-16BE":
		return charset{func(s string) []byte { return appendUTF16([]byte{}, binary.BigEndian, s) }, func(b []byte) string { return utf16Text(binary.BigEndian, b) }}, nil
	case "UTF-16LE":
		return charset{func(s string) []byte { return appendUTF16([]byte{}, binary.LittleEndian, s) }, func(b []byte) string { return utf16Text(binary.LittleEndian, b) }}, nil
	case "ISO-8859-1", "LATIN1", "ISO8859-1", "ISO8859_1":
		return charset{func(s string) []byte { return narrow(s, 0xff) }, func(b []byte) string { return widen(b, 0xff) }}, nil
	case "US-ASCII", "ASCII":
		return charset{func(s string) []byte { return narrow(s, 0x7f) }, func(b []byte) string { return widen(b, 0x7f) }}, nil
	}
	e, err := ianaindex.IANA.Encoding(name)
	if err != nil || e == nil {
		return charset{}, data.SerializationException.Errorf("Unsupported encoding %s", name)
	}
	return charset{func(s string) []byte { return encodeWith(e, s) }, func(b []byte) string { return decodeWith(e, b) }}, nil
}

func decodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return strings.ToValidUTF8(string(b), "\uFFFD")
}

func appendUTF16(b []byte, order binary.AppendByteOrder, s string) []byte {
	if s == "" {
		return []byte{}
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

// decodeUTF16 reads a byte order mark, if there is one.
func decodeUTF16(b []byte) string {
	switch {
	case len(b) >= 2 && b[0] == 0xfe && b[1] == 0xff:
		return utf16Text(binary.BigEndian, b[2:])
	case len(b) >= 2 && b[0] == 0xff && b[1] == 0xfe:
		return utf16Text(binary.LittleEndian, b[2:])
	}
	return utf16Text(binary.BigEndian, b)
}

func utf16Text(order binary.ByteOrder, b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = order.Uint16(b[2*i:])
	}
	s := string(utf16.Decode(units))
	if len(b)%2 != 0 {
		s += "\uFFFD"
	}
	return s
}

func narrow(s string, highest rune) []byte {
	out := make([]byte, 0, len(s))
	for _, r := range s {
		if r > highest {
			r = '?'
		}
		out = append(out, byte(r))
	}
	return out
}

func widen(b []byte, highest byte) string {
	var out strings.Builder
	for _, c := range b {
		if c > highest {
			out.WriteRune(utf8.RuneError)
			continue
		}
		out.WriteRune(rune(c))
	}
	return out.String()
}

func encodeWith(e encoding.Encoding, s string) []byte {
	enc := e.NewEncoder()
	if b, err := enc.Bytes([]byte(s)); err == nil {
		return b
	}
	var out []byte
	for _, r := range s {
		b, err := enc.Bytes([]byte(string(r)))
		if err != nil {
			b = []byte{'?'}
			enc.Reset()
		}
		out = append(out, b...)
	}
	return out
}

func decodeWith(e encoding.Encoding, b []byte) string {
	out, err := e.NewDecoder().Bytes(b)
	if err != nil {
		return strings.Repeat("\uFFFD", len(b))
	}
	return string(out)
}
