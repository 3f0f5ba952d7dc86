package simpledate

import (
	"strings"
)

// element is a run of a pattern letter, or literal text (letter 0).
type element struct {
	letter  byte
	count   int
	literal string
}

// Layout is a compiled pattern of SimpleDateFormat. It may be shared.
type Layout struct{ elements []element }

// PatternError is what is wrong with a pattern, in Java's words.
type PatternError string

func (e PatternError) Error() string { return string(e) }

// letters are the pattern letters that a Layout knows.
const letters = "yMdHmsS"

// Compile reads a pattern of the letters y, M, d, H, m, s and S, quoted and other literal text. The error is Java's.
func Compile(pattern string) (*Layout, error) {
	l := &Layout{}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, n, ok := quoted(pattern[i:])
			if !ok {
				return nil, PatternError("Unterminated quote")
			}
			l.literal(text)
			i += n
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if !strings.ContainsRune(letters, rune(c)) {
				return nil, PatternError("Illegal pattern character '" + string(c) + "'")
			}
			l.elements = append(l.elements, element{letter: c, count: n})
			i += n
		default:
			l.literal(string(c))
			i++
		}
	}
	return l, nil
}

// quoted reads text that begins with a quote; two quotes are one.
func quoted(s string) (text string, n int, ok bool) {
	if strings.HasPrefix(s, "''") {
		return "'", 2, true
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != '\'' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 < len(s) && s[i+1] == '\'' {
			b.WriteByte('\'')
			i++
			continue
		}
		return b.String(), i + 1, true
	}
	return "", 0, false
}

func (l *Layout) literal(s string) {
	if n := len(l.elements); n > 0 && l.elements[n-1].letter == 0 {
		l.elements[n-1].literal += s
		return
	}
	l.elements = append(l.elements, element{literal: s})
}

// Append appends milliseconds since the epoch by the pattern.
func (l *Layout) Append(b []byte, ms int64) []byte {
	days, ofDay := Split(ms)
	d := OfDays(days)
	year := d.Year
	if year <= 0 {
		year = 1 - year
	}
	for _, e := range l.elements {
		switch e.letter {
		case 0:
			b = append(b, e.literal...)
		case 'y':
			if e.count == 2 {
				year %= 100
			}
			b = appendPadded(b, int64(year), e.count)
		case 'M':
			b = appendPadded(b, int64(d.Month), e.count)
		case 'd':
			b = appendPadded(b, int64(d.Day), e.count)
		case 'H':
			b = appendPadded(b, ofDay/3600_000, e.count)
		case 'm':
			b = appendPadded(b, ofDay/60_000%60, e.count)
		case 's':
			b = appendPadded(b, ofDay/1000%60, e.count)
		case 'S':
			b = appendPadded(b, ofDay%1000, e.count)
		}
	}
	return b
}

// fields are what a parse has found. Java's lenient calendar starts at 1970-01-01T00:00.
type fields struct {
	year, month, day             int
	hour, minute, second, millis int64
}

// Parse reads the beginning of s as Java does: leniently, each number as far as its digits go, values out of range carry over. ok is false
// where s does not begin so. What follows is ignored.
func (l *Layout) Parse(s string) (ms int64, ok bool) {
	f := fields{year: 1970, month: 1, day: 1}
	for i, e := range l.elements {
		if e.letter == 0 {
			if s, ok = strings.CutPrefix(s, e.literal); !ok {
				return 0, false
			}
			continue
		}
		width := 0 // a number that another follows at once is as long as its letters
		if i+1 < len(l.elements) && l.elements[i+1].letter != 0 {
			width = e.count
		}
		n, rest, ok := number(s, width)
		if !ok {
			return 0, false
		}
		s = rest
		f.set(e.letter, n)
	}
	return Days(f.year, f.month, f.day)*millisPerDay + f.hour*3600_000 + f.minute*60_000 + f.second*1000 + f.millis, true
}

func (f *fields) set(letter byte, n int64) {
	switch letter {
	case 'y':
		f.year = int(n)
	case 'M':
		f.month = int(n)
	case 'd':
		f.day = int(n)
	case 'H':
		f.hour = n
	case 'm':
		f.minute = n
	case 's':
		f.second = n
	case 'S':
		f.millis = n
	}
}

// number reads blanks, a minus sign and digits; at most width characters of them, when width is not 0.
func number(s string, width int) (n int64, rest string, ok bool) {
	s = strings.TrimLeft(s, " \t")
	all := s
	if width > 0 {
		if len(s) < width {
			return 0, "", false
		}
		s = s[:width]
	}
	i := 0
	if strings.HasPrefix(s, "-") {
		i = 1
	}
	from := i
	for i < len(s) && s[i] >= '0' && s[i] <= '9' && i-from < 18 {
		n = n*10 + int64(s[i]-'0')
		i++
	}
	if i == from {
		return 0, "", false
	}
	if from == 1 {
		n = -n
	}
	return int64(int32(n)), all[i:], true
}
