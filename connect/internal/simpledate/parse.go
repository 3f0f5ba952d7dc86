package simpledate

import (
	"strings"
	"unicode/utf8"
)

// Parse reads the beginning of s as Java does: leniently, each number as far as its digits go, names in any case, values out of range carry
// over. The result is milliseconds since the epoch. ok is false where s does not begin so. What follows is ignored.
func (l *Layout) Parse(s string) (ms int64, ok bool) {
	p := parser{text: s}
	for i := range l.elements {
		e := &l.elements[i]
		if e.letter == 0 {
			if !strings.HasPrefix(s[p.pos:], e.literal) {
				return 0, false
			}
			p.pos += len(e.literal)
			continue
		}
		if !p.field(e, i+1 < len(l.elements) && l.elements[i+1].numeric(), l.century) {
			return 0, false
		}
	}
	ms = p.resolve()
	if p.ambiguous && ms < l.century {
		p.values[year] += 100
		p.values[weekYear] += 100
		ms = p.resolve()
	}
	return ms, true
}

// numeric says whether the element is read as a number, so that one before it ends after as many characters as it has letters.
func (e *element) numeric() bool {
	switch e.letter {
	case 'M', 'L':
		return e.count <= 2
	case 0, 'G', 'E', 'a', 'z', 'Z', 'X':
		return false
	}
	return true
}

// parser reads a text; the fields it finds are kept as those of Java's calendar.
type parser struct {
	text string
	pos  int
	fields
	ambiguous bool // a year of two digits is in the year in which the century starts
}

// field reads one element. fixed: a number is as long as its letters.
func (p *parser) field(e *element, fixed bool, century int64) bool {
	start := p.pos
	for p.pos < len(p.text) && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
	if p.pos >= len(p.text) {
		return false
	}
	if !e.numeric() {
		return p.name(e, start)
	}
	end := len(p.text)
	if fixed {
		var ok bool
		if end, ok = skip(p.text, start, e.count); !ok {
			return false
		}
	}
	from := p.pos
	n, ok := p.number(end)
	if !ok {
		return false
	}
	p.put(e, n, p.text[from:p.pos], century)
	return true
}

// skip is the index n characters after i.
func skip(s string, i, n int) (int, bool) {
	for ; n > 0; n-- {
		if i >= len(s) {
			return 0, false
		}
		_, size := utf8.DecodeRuneInString(s[i:])
		i += size
	}
	return i, true
}

// number reads a minus sign and digits before end.
func (p *parser) number(end int) (n int64, ok bool) {
	i, minus := p.pos, false
	if i < end && p.text[i] == '-' {
		minus = true
		i++
	}
	from := i
	for i < end && p.text[i] >= '0' && p.text[i] <= '9' && i-from < 18 {
		n = n*10 + int64(p.text[i]-'0')
		i++
	}
	if i == from {
		return 0, false
	}
	p.pos = i
	if minus {
		n = -n
	}
	return int64(int32(n)), true
}

// put sets the field of a number; text is how it was written.
func (p *parser) put(e *element, n int64, text string, century int64) {
	switch e.letter {
	case 'y', 'Y':
		if e.count <= 2 && len(text) == 2 && text[0] != '-' {
			n = p.inCentury(n, century)
		}
		if e.letter == 'y' {
			p.set(year, n)
		} else {
			p.set(weekYear, n)
		}
	case 'M', 'L':
		p.set(month, n-1)
	case 'k':
		if n == 24 {
			n = 0
		}
		p.set(hourOfDay, n)
	case 'h':
		if n == 12 {
			n = 0
		}
		p.set(hour, n)
	case 'u':
		p.set(weekday, calendarDay(n))
	default:
		p.set(plain[e.letter], n)
	}
}

// plain are the fields of letters whose number is the field's value.
var plain = map[byte]calendarField{'d': dayOfMonth, 'D': yearDay, 'F': weekdayInMonth, 'w': yearWeek, 'W': monthWeek,
	'H': hourOfDay, 'K': hour, 'm': minute, 's': second, 'S': millisecond}

func (p *parser) inCentury(n, century int64) int64 {
	days, _ := Split(century)
	start := int64(OfDays(days).Year)
	p.ambiguous = n == start%100
	if n < start%100 {
		n += 100
	}
	return start/100*100 + n
}

// name reads an element that is written as a text. Only a zone may have blanks before it.
func (p *parser) name(e *element, start int) bool {
	if e.letter != 'z' && e.letter != 'Z' && e.letter != 'X' {
		p.pos = start
	}
	switch e.letter {
	case 'G':
		return p.oneOf(era, eras, 0)
	case 'M', 'L':
		return p.oneOf(month, longMonths, 0)
	case 'E':
		return p.oneOf(weekday, longDays, 1)
	case 'a':
		return p.oneOf(half, halves, 0)
	case 'X':
		return p.isoZone(e.count)
	}
	return p.zone(start)
}

// oneOf reads the longest of some names, or of their first three letters; the field's value is the name's index plus first.
func (p *parser) oneOf(f calendarField, names []string, first int64) bool {
	best, length := -1, 0
	for i, name := range names {
		for _, n := range []string{name, name[:min(3, len(name))]} {
			if len(n) > length && p.at(n) {
				best, length = i, len(n)
			}
		}
	}
	if best < 0 {
		return false
	}
	p.pos += length
	p.set(f, int64(best)+first)
	return true
}

// at says whether a text comes next, in any case.
func (p *parser) at(s string) bool {
	return len(p.text)-p.pos >= len(s) && strings.EqualFold(p.text[p.pos:p.pos+len(s)], s)
}
