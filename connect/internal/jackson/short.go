package jackson

import (
	"encoding/binary"
	"math/bits"
)

// special has the high bit of each byte of w set that is a quote, a backslash, a control character or beyond ASCII. Above the lowest such byte it may have
// more bits set.
func special(w uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^ones*'"', w^ones*'\\'
	return (w | (w - ones*' ') | (quote - ones) | (slash - ones)) & high
}

// simple steps over a string of plain ASCII. ok is false where there is anything else: then it stays where it is.
func (p *parser) simple() (start, end int, ok bool) {
	text := p.d.text
	start = p.pos + 1
	i := start
	for ; i+8 <= len(text); i += 8 {
		if s := special(binary.LittleEndian.Uint64(text[i:])); s != 0 {
			i += bits.TrailingZeros64(s) / 8
			break
		}
	}
	for i < len(text) && class[text[i]] == plain {
		i++
	}
	if i >= len(text) || text[i] != '"' {
		return 0, 0, false
	}
	p.pos = i + 1
	return start, i, true
}

var tens = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15}

// short reads a number of few digits without an exponent: an int64, or a float64 where it has a point. ok is false for all others: then it stays where
// it is. Both the digits and the power of ten of such a number are floats, so their quotient is the float nearest to it.
func (p *parser) short() (v any, ok bool) {
	const most = 15 // digits
	text, i := p.d.text, p.pos
	negative := text[i] == '-'
	if negative {
		i++
	}
	var n int64
	from := i
	for i < len(text) && text[i]-'0' <= 9 {
		n = n*10 + int64(text[i]-'0')
		i++
	}
	whole, after := i-from, 0
	if whole == 0 || whole > most {
		return nil, false
	}
	if i < len(text) && text[i] == '.' {
		i++
		from = i
		for i < len(text) && text[i]-'0' <= 9 {
			n = n*10 + int64(text[i]-'0')
			i++
		}
		if after = i - from; after == 0 || whole+after > most {
			return nil, false
		}
	}
	if i < len(text) && (text[i] == 'e' || text[i] == 'E') {
		return nil, false
	}
	if negative {
		n = -n
	}
	p.pos = i
	if after > 0 {
		return float64(n) / tens[after], true // there is no negative zero, as n is an integer
	}
	return n, true
}
