// Package jackson is for JSON texts as the Jackson library reads and writes them, because Kafka Connect's bytes and its idea of what is JSON
// are Jackson's: numbers may have leading zeros, text after the first value is ignored, characters outside the BMP are escaped.
package jackson

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Kind is what a node is.
type Kind uint8

// The kinds. Missing is what an empty text holds.
const (
	Missing Kind = iota
	Null
	False
	True
	Integer
	Float
	String
	Array
	Object
)

// String is the name of Jackson's JsonNodeType.
func (k Kind) String() string {
	return [...]string{"MISSING", "NULL", "BOOLEAN", "BOOLEAN", "NUMBER", "NUMBER", "STRING", "ARRAY", "OBJECT"}[k]
}

// Jackson's limits.
const (
	maxDepth  = 1000
	maxNumber = 1000
)

// node is a value of the text: its place, the number of its children, and the node that follows its last child.
type node struct {
	kind       Kind
	escaped    bool // a string with escapes
	start, end int32
	size       int32
	next       int32
}

// Document is a parsed text: its nodes in order, the root first. The zero Document may be used for one text after another.
type Document struct {
	text  []byte
	whole string // the text, once a string of it is asked for: all strings share it
	nodes []node
	end   int // behind the value
}

// Node is one value of a document, good until the next Parse.
type Node struct {
	d *Document
	i int32
}

// errSyntax is what every error of Parse wraps.
var errSyntax = errors.New("not JSON")

type parser struct {
	d   *Document
	pos int
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("%w: %s at byte %d", errSyntax, what, p.pos)
}

// Parse reads the first value of a text. The document keeps the text, which must not change.
func (d *Document) Parse(text []byte) (Node, error) {
	d.text, d.whole, d.nodes = text, "", d.nodes[:0]
	root := Node{d, 0}
	p := parser{d: d}
	empty, err := p.begin()
	if err != nil {
		return root, err
	}
	if empty {
		d.nodes = append(d.nodes, node{kind: Missing, next: 1})
		return root, nil
	}
	if err := p.value(0); err != nil {
		return root, err
	}
	d.end = p.pos
	return root, p.finish(d.nodes[0].kind)
}

// begin steps to the first value. empty says that there is none.
func (p *parser) begin() (empty bool, err error) {
	text := p.d.text
	if len(text) > math.MaxInt32 {
		return false, p.fail("too long")
	}
	if len(text) >= 3 && text[0] == 0xef && text[1] == 0xbb && text[2] == 0xbf {
		p.pos = 3
	}
	p.blanks()
	return p.pos == len(text), nil
}

// finish looks at what follows the first value: behind a number there must be a blank, anything else is ignored.
func (p *parser) finish(k Kind) error {
	if (k == Integer || k == Float) && p.pos < len(p.d.text) && !blank(p.d.text[p.pos]) {
		return p.fail("a blank is expected after the number")
	}
	return nil
}

// Whole says whether the value that was read last was the whole text, but for blanks.
func (d *Document) Whole() bool {
	return len(d.nodes) > 0 && d.nodes[0].kind != Missing && len(bytes.Trim(d.text[d.end:], " \n\t\r")) == 0
}

func blank(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }

func (p *parser) blanks() {
	for p.pos < len(p.d.text) && blank(p.d.text[p.pos]) {
		p.pos++
	}
}

func (p *parser) peek() byte {
	if p.pos < len(p.d.text) {
		return p.d.text[p.pos]
	}
	return 0
}

func (p *parser) add(k Kind, start int) *node {
	p.d.nodes = append(p.d.nodes, node{kind: k, start: int32(start), end: int32(p.pos), next: int32(len(p.d.nodes) + 1)})
	return &p.d.nodes[len(p.d.nodes)-1]
}

// token is one token of a text: a string is what is between its quotes.
type token struct {
	kind       Kind
	escaped    bool // a string with escapes
	start, end int
}

// scalar reads a string, a number or a word.
func (p *parser) scalar() (t token, err error) {
	switch c := p.peek(); {
	case c == '"':
		return p.str()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	case c == 't':
		return token{kind: True}, p.word("true")
	case c == 'f':
		return token{kind: False}, p.word("false")
	case c == 'n':
		return token{kind: Null}, p.word("null")
	}
	return t, p.fail("unexpected character")
}

func (p *parser) value(depth int) error {
	if c := p.peek(); c == '{' || c == '[' {
		if depth >= maxDepth {
			return p.fail("nested too deep")
		}
		return p.container(c, depth+1)
	}
	t, err := p.scalar()
	if err != nil {
		return err
	}
	p.addToken(t)
	return nil
}

func (p *parser) addToken(t token) {
	p.d.nodes = append(p.d.nodes, node{kind: t.kind, escaped: t.escaped, start: int32(t.start), end: int32(t.end), next: int32(len(p.d.nodes) + 1)})
}

func (p *parser) word(word string) error {
	start := p.pos
	if len(p.d.text)-start < len(word) || string(p.d.text[start:start+len(word)]) != word {
		return p.fail("unrecognized token")
	}
	p.pos += len(word)
	if c := p.peek(); c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c >= utf8.RuneSelf {
		return p.fail("unrecognized token")
	}
	return nil
}

func (p *parser) digits() int {
	n := 0
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.pos++
		n++
	}
	return n
}

func (p *parser) number() (t token, err error) {
	start := p.pos
	if p.peek() == '-' {
		p.pos++
	}
	if p.digits() == 0 {
		return t, p.fail("a digit is expected")
	}
	k := Integer
	if p.peek() == '.' {
		k = Float
		p.pos++
		if p.digits() == 0 {
			return t, p.fail("a digit is expected after the point")
		}
	}
	exponent := 0
	if c := p.peek(); c == 'e' || c == 'E' {
		k = Float
		p.pos++
		if c := p.peek(); c == '+' || c == '-' {
			p.pos++
		}
		if exponent = p.digits(); exponent == 0 {
			return t, p.fail("a digit is expected in the exponent")
		}
	}
	if p.pos-start > maxNumber {
		return t, p.fail("the number is too long")
	}
	const harmless = 8 // digits of an exponent that cannot overflow a scale
	if exponent > harmless {
		if _, err := data.ParseDecimal(string(p.d.text[start:p.pos])); err != nil {
			return t, p.fail("the number is out of range")
		}
	}
	return token{kind: k, start: start, end: p.pos}, nil
}

// What a byte is inside a string.
const (
	plain = iota
	quote
	control
	backslash
	beyond // ASCII
)

var class = func() (t [256]uint8) {
	for c := range t {
		switch {
		case c == '"':
			t[c] = quote
		case c < ' ':
			t[c] = control
		case c == '\\':
			t[c] = backslash
		case c >= utf8.RuneSelf:
			t[c] = beyond
		}
	}
	return t
}()

// str reads a string.
func (p *parser) str() (t token, err error) {
	text := p.d.text
	p.pos++
	start := p.pos
	escaped, ascii := false, true
	for ; p.pos < len(text); p.pos++ {
		switch class[text[p.pos]] {
		case plain:
		case quote:
			if !ascii && !utf8.Valid(text[start:p.pos]) {
				return t, p.fail("invalid UTF-8")
			}
			p.pos++
			return token{String, escaped, start, p.pos - 1}, nil
		case control:
			return t, p.fail("a control character in a string")
		case backslash:
			escaped = true
			if !p.escape() {
				return t, p.fail("an escape that is none")
			}
		case beyond:
			ascii = false
		}
	}
	return t, p.fail("the string does not end")
}

// name reads the name of a member, and the colon. Unlike a value it must have no half of a surrogate pair.
func (p *parser) name() (t token, err error) {
	if p.peek() != '"' {
		return t, p.fail("a name is expected")
	}
	if t, err = p.str(); err != nil {
		return t, err
	}
	if t.escaped && !pairs(p.d.text[t.start:t.end]) {
		return t, p.fail("half of a surrogate pair in a name")
	}
	p.blanks()
	if p.peek() != ':' {
		return t, p.fail("a colon is expected")
	}
	p.pos++
	p.blanks()
	return t, nil
}

// pairs says whether every escaped surrogate has its partner.
func pairs(raw []byte) bool {
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			continue
		}
		i++
		if raw[i] != 'u' {
			continue
		}
		r, _ := hex4(raw, i+1)
		i += 4
		if !utf16.IsSurrogate(r) {
			continue
		}
		low, ok := hex4(raw, min(i+3, len(raw)))
		if !ok || raw[i+1] != '\\' || raw[i+2] != 'u' || utf16.DecodeRune(r, low) == utf8.RuneError {
			return false
		}
		i += 6
	}
	return true
}

// escape steps to the last byte of an escape.
func (p *parser) escape() bool {
	p.pos++
	switch p.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		if _, ok := hex4(p.d.text, p.pos+1); ok {
			p.pos += 4
			return true
		}
	}
	return false
}

func hex4(text []byte, at int) (r rune, ok bool) {
	if at+4 > len(text) {
		return 0, false
	}
	for _, c := range text[at : at+4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r |= rune(c|0x20-'a') + 10
		default:
			return 0, false
		}
	}
	return r, true
}

func (p *parser) container(open byte, depth int) error {
	k, closing := Object, byte('}')
	if open == '[' {
		k, closing = Array, ']'
	}
	start, at := p.pos, len(p.d.nodes)
	p.add(k, start)
	p.pos++
	p.blanks()
	size := int32(0)
	if p.peek() != closing {
		for {
			if err := p.member(k, depth); err != nil {
				return err
			}
			size++
			p.blanks()
			if p.peek() != ',' {
				break
			}
			p.pos++
			p.blanks()
		}
	}
	if p.peek() != closing {
		return p.fail("a comma or the end is expected")
	}
	p.pos++
	n := &p.d.nodes[at]
	n.end, n.size, n.next = int32(p.pos), size, int32(len(p.d.nodes))
	return nil
}

func (p *parser) member(k Kind, depth int) error {
	if k == Object {
		t, err := p.name()
		if err != nil {
			return err
		}
		p.addToken(t)
	}
	return p.value(depth)
}
