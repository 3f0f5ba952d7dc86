package mavenversion

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
)

// Version is a version as Maven reads it. It prints as it was given.
type Version struct {
	text  string
	items item // a list
}

// item is a part of a version: digits, a qualifier, or a list of what follows a hyphen or a change between digits and letters.
type item struct {
	kind   kind
	digits string // of a number, without leading zeros
	word   string // of a qualifier
	list   []item
}

// kind is a kind of item, in rising order.
type kind uint8

const (
	qualifier kind = iota
	list
	number
)

// Parse reads a version. Every text is one.
func Parse(text string) Version {
	return Version{text, newParser(strings.ToLower(text)).parse()}
}

func (v Version) String() string { return v.text }

// Compare is negative where v is before o, zero where Maven takes both for the same (1, 1.0 and 1-ga, for example), else positive.
func (v Version) Compare(o Version) int { return v.items.compare(o.items) }

// parser takes a version apart. The lists that are open are nested: each is the last item of the one before.
type parser struct {
	runes []rune
	open  [][]item
	from  int  // the first rune of the part at hand
	digit bool // the last rune that was no separator was a digit
}

func newParser(text string) *parser { return &parser{runes: []rune(text), open: [][]item{nil}} }

func (p *parser) parse() item {
	for i, r := range p.runes {
		switch {
		case r == '.' || r == '-':
			p.separate(i)
			if r == '-' {
				p.nest()
			}
		case isDigit(r):
			if !p.digit && i > p.from {
				p.nestUnlessEmpty()
				p.add(word(p.cut(i), true))
				p.nest()
			}
			p.digit = true
		default:
			if p.digit && i > p.from {
				p.add(numberOf(p.cut(i)))
				p.nest()
			}
			p.digit = false
		}
	}
	if p.from < len(p.runes) {
		if !p.digit {
			p.nestUnlessEmpty()
		}
		p.add(p.part(len(p.runes)))
	}
	return p.close()
}

// separate ends a part at a separator. An empty part is a zero.
func (p *parser) separate(at int) {
	part := item{kind: number}
	if at > p.from {
		part = p.part(at)
	}
	p.add(part)
	p.from = at + 1
}

func (p *parser) part(to int) item {
	text := p.cut(to)
	if p.digit {
		return numberOf(text)
	}
	return word(text, false)
}

// cut takes the part before a rune.
func (p *parser) cut(to int) []rune {
	text := p.runes[p.from:to]
	p.from = to
	return text
}

func (p *parser) add(x item) {
	last := len(p.open) - 1
	p.open[last] = append(p.open[last], x)
}

func (p *parser) nest() { p.open = append(p.open, nil) }

// nestUnlessEmpty begins a list for a qualifier that follows something: 1.x is read as 1-x.
func (p *parser) nestUnlessEmpty() {
	if len(p.open[len(p.open)-1]) > 0 {
		p.nest()
	}
}

// close puts the lists into one another, from the innermost.
func (p *parser) close() item {
	var inner item
	for i := len(p.open) - 1; i >= 0; i-- {
		items := p.open[i]
		if i < len(p.open)-1 {
			items = append(items, inner)
		}
		inner = item{kind: list, list: trimmed(items)}
	}
	return inner
}

// trimmed leaves out the items at the end that say nothing, and those before lists at the end.
func trimmed(items []item) []item {
	for i := len(items) - 1; i >= 0; i-- {
		if items[i].null() {
			items = slices.Delete(items, i, i+1)
		} else if items[i].kind != list {
			break
		}
	}
	return items
}

// isDigit is Java's Character.isDigit of one char: characters that need two are none.
func isDigit(r rune) bool { return r <= 0xffff && unicode.IsDigit(r) }

func numberOf(text []rune) item {
	var b strings.Builder
	for _, r := range text {
		b.WriteByte(digitOf(r))
	}
	return item{kind: number, digits: strings.TrimLeft(b.String(), "0")}
}

// digitOf is the ASCII digit of a decimal digit in any script. Unicode has those of a script in a row, from zero on.
func digitOf(r rune) byte {
	if r <= '9' {
		return byte(r)
	}
	for _, x := range unicode.Nd.R16 {
		if rune(x.Lo) <= r && r <= rune(x.Hi) {
			return '0' + byte((r-rune(x.Lo))%10)
		}
	}
	return '0'
}

// qualifiers are those that Maven knows, in their order; the empty one is a release. Others come after, in the order of their letters.
var qualifiers = []string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

var release = slices.Index(qualifiers, "")

// synonyms are other spellings of qualifiers; short ones mean that only before a digit.
var (
	synonyms = map[string]string{"ga": "", "final": "", "release": "", "cr": "rc"}
	short    = map[string]string{"a": "alpha", "b": "beta", "m": "milestone"}
)

func word(text []rune, beforeDigit bool) item {
	w := string(text)
	if long, ok := short[w]; ok && beforeDigit {
		w = long
	}
	if same, ok := synonyms[w]; ok {
		w = same
	}
	return item{kind: qualifier, word: w}
}

// rank is a qualifier's place among those that are known.
func (x item) rank() int {
	if i := slices.Index(qualifiers, x.word); i >= 0 {
		return i
	}
	return len(qualifiers)
}

// null: the item says nothing where it stands at the end.
func (x item) null() bool {
	switch x.kind {
	case number:
		return x.digits == ""
	case qualifier:
		return x.rank() == release
	}
	return len(x.list) == 0
}

func (x item) compare(y item) int {
	if x.kind != y.kind {
		return cmp.Compare(x.kind, y.kind)
	}
	switch x.kind {
	case number:
		return cmp.Or(cmp.Compare(len(x.digits), len(y.digits)), cmp.Compare(x.digits, y.digits))
	case qualifier:
		return cmp.Or(cmp.Compare(x.rank(), y.rank()), cmp.Compare(x.word, y.word))
	}
	for i := range max(len(x.list), len(y.list)) {
		c := 0
		switch {
		case i >= len(x.list):
			c = -y.list[i].compareToNothing()
		case i >= len(y.list):
			c = x.list[i].compareToNothing()
		default:
			c = x.list[i].compare(y.list[i])
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareToNothing compares with a version that has ended.
func (x item) compareToNothing() int {
	switch x.kind {
	case number:
		return len(x.digits)
	case qualifier:
		return cmp.Compare(x.rank(), release)
	}
	for _, y := range x.list {
		if c := y.compareToNothing(); c != 0 {
			return c
		}
	}
	return 0
}
