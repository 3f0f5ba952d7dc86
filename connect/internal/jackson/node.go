package jackson

import (
	"math/big"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

func (n Node) node() *node { return &n.d.nodes[n.i] }

// Kind is what the node is.
func (n Node) Kind() Kind { return n.node().kind }

// Raw is the text of the node; that of a string is without its quotes. It belongs to the document.
func (n Node) Raw() []byte {
	x := n.node()
	return n.d.text[x.start:x.end]
}

// First is the first child of an array or object, for Next; of an object it is the first name.
func (n Node) First() Node { return Node{n.d, n.i + 1} }

// Next is the node behind this one and its children: of an object's children, names and values in turn.
func (n Node) Next() Node { return Node{n.d, n.node().next} }

// Len is the number of elements or members. Members of the same name count each.
func (n Node) Len() int { return int(n.node().size) }

// Get is an object's last member of that name. ok is false when there is none, and for other kinds.
func (n Node) Get(name string) (v Node, ok bool) {
	if n.Kind() != Object {
		return n, false
	}
	c := n.First()
	for range n.Len() {
		value := c.Next()
		if c.Is(name) {
			v, ok = value, true
		}
		c = value.Next()
	}
	return v, ok
}

// Is says whether a string node has that text.
func (n Node) Is(s string) bool {
	if n.node().escaped {
		return n.Text() == s
	}
	return string(n.Raw()) == s
}

// Text is a string's text. A surrogate without its partner becomes a question mark, as it does where Java writes it as UTF-8. All
// strings of a document share their memory.
func (n Node) Text() string {
	x := n.node()
	return n.d.textOf(int(x.start), int(x.end), x.escaped)
}

func (d *Document) textOf(start, end int, escaped bool) string {
	if escaped {
		return unescape(d.text[start:end])
	}
	if d.whole == "" {
		d.whole = string(d.text)
	}
	return d.whole[start:end]
}

func unescape(raw []byte) string {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			continue
		}
		i++
		if raw[i] != 'u' {
			out = append(out, unescaped(raw[i]))
			continue
		}
		r, _ := hex4(raw, i+1)
		i += 4
		if utf16.IsSurrogate(r) && i+2 < len(raw) && raw[i+1] == '\\' && raw[i+2] == 'u' {
			if low, ok := hex4(raw, i+3); ok {
				if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
					r = full
					i += 6
				}
			}
		}
		if utf16.IsSurrogate(r) {
			r = '?' // what Java writes of half a pair
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out)
}

func unescaped(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return c
}

// Int64 is Jackson's longValue: a number cut to 64 bits, 0 for what is no number.
func (n Node) Int64() int64 {
	switch n.Kind() {
	case Integer:
		return integerOf(n.Raw())
	case Float:
		return n.Decimal().Int64()
	}
	return 0
}

// integerOf is the value of an integer, cut to 64 bits.
func integerOf(raw []byte) int64 {
	if v, ok := small(raw); ok {
		return v
	}
	return data.NewDecimal(bigOf(raw), 0).Int64()
}

// small is the value of an integer that fits into 64 bits.
func small(raw []byte) (int64, bool) {
	const safe = 18
	if len(raw) > safe {
		v, err := strconv.ParseInt(string(raw), 10, 64)
		return v, err == nil
	}
	neg := raw[0] == '-'
	if neg {
		raw = raw[1:]
	}
	var v int64
	for _, c := range raw {
		v = v*10 + int64(c-'0')
	}
	if neg {
		v = -v
	}
	return v, true
}

// IsInt says whether the node is an integer of 32 bits.
func (n Node) IsInt() bool {
	if n.Kind() != Integer {
		return false
	}
	v, ok := small(n.Raw())
	return ok && v == int64(int32(v))
}

// Float64 is Jackson's doubleValue; infinite where the number is too large, 0 for what is no number.
func (n Node) Float64() float64 { return n.float(64) }

// Float32 is Jackson's floatValue.
func (n Node) Float32() float32 { return float32(n.float(32)) }

func (n Node) float(bits int) float64 {
	k := n.Kind()
	if k != Integer && k != Float {
		return 0
	}
	return floatOf(k, n.Raw(), bits)
}

// floatOf is the value of a number. There is no negative zero: neither integers nor BigDecimals have one.
func floatOf(k Kind, raw []byte, bits int) float64 {
	f, _ := strconv.ParseFloat(string(raw), bits) // out of range is an infinity or 0
	if f == 0 && (k == Integer || decimalOf(raw).Sign() == 0) {
		return 0
	}
	return f
}

// Big is the value of an integer.
func (n Node) Big() *big.Int { return bigOf(n.Raw()) }

func bigOf(raw []byte) *big.Int {
	i, ok := new(big.Int).SetString(string(raw), 10)
	if !ok {
		return new(big.Int)
	}
	return i
}

// Decimal is the value of a number, with the scale that it is written with.
func (n Node) Decimal() data.Decimal { return decimalOf(n.Raw()) }

func decimalOf(raw []byte) data.Decimal {
	d, err := data.ParseDecimal(string(raw))
	if err != nil {
		return data.Decimal{}
	}
	return d
}

// Bytes are the bytes of a string in base64, read as Jackson does: blanks only before a group of four, padding required. ok is false when it
// is no base64.
func (n Node) Bytes() (b []byte, ok bool) {
	if n.node().escaped {
		return Base64([]byte(n.Text()))
	}
	return Base64(n.Raw())
}

var base64Digits = func() (t [256]int8) {
	for i := range t {
		t[i] = -1
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		t[c] = int8(i)
	}
	return t
}()

// Base64 decodes as Bytes does.
func Base64(s []byte) ([]byte, bool) {
	out := make([]byte, 0, len(s)/4*3)
	for {
		for len(s) > 0 && s[0] <= ' ' {
			s = s[1:]
		}
		if len(s) == 0 {
			return out, true
		}
		if len(s) < 4 {
			return nil, false
		}
		a, b, c, d := base64Digits[s[0]], base64Digits[s[1]], base64Digits[s[2]], base64Digits[s[3]]
		if a < 0 || b < 0 {
			return nil, false
		}
		v := uint32(a)<<18 | uint32(b)<<12
		switch {
		case c >= 0 && d >= 0:
			v |= uint32(c)<<6 | uint32(d)
			out = append(out, byte(v>>16), byte(v>>8), byte(v))
		case c >= 0 && s[3] == '=':
			v |= uint32(c) << 6
			out = append(out, byte(v>>16), byte(v>>8))
		case s[2] == '=' && s[3] == '=':
			out = append(out, byte(v>>16))
		default:
			return nil, false
		}
		s = s[4:]
	}
}
