package jackson

import (
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

const hexDigits = "0123456789ABCDEF"

// AppendString appends a string with its quotes: control characters, quotes and backslashes are escaped, and what is outside the BMP is
// two \uXXXX.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			b = appendEscape(append(b, s[from:i]...), c)
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(append(b, s[from:i]...), "\uFFFD"...)
			from = i + n
		case r > 0xffff:
			r -= 0x10000
			b = appendUnicode(append(b, s[from:i]...), 0xd800|r>>10)
			b = appendUnicode(b, 0xdc00|r&0x3ff)
			from = i + n
		}
		i += n
	}
	return append(append(b, s[from:]...), '"')
}

func appendEscape(b []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\f':
		return append(b, `\f`...)
	case '\n':
		return append(b, `\n`...)
	case '\r':
		return append(b, `\r`...)
	case '\t':
		return append(b, `\t`...)
	}
	return appendUnicode(b, rune(c))
}

func appendUnicode(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
}

// AppendDouble appends a float64 as Java prints it; what is not finite is a string.
func AppendDouble(b []byte, f float64) []byte {
	if f-f != 0 {
		return append(data.AppendDouble(append(b, '"'), f), '"')
	}
	return data.AppendDouble(b, f)
}

// AppendFloat appends a float32 likewise.
func AppendFloat(b []byte, f float32) []byte {
	if f-f != 0 {
		return append(data.AppendFloat(append(b, '"'), f), '"')
	}
	return data.AppendFloat(b, f)
}
