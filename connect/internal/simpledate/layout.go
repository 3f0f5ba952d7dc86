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

// Layout is a compiled pattern of SimpleDateFormat in UTC and American English. It may be shared.
type Layout struct {
	pattern  string
	elements []element
	century  int64 // the start of the century that years of two digits are in
}

// PatternError is what is wrong with a pattern, in Java's words.
type PatternError string

func (e PatternError) Error() string { return string(e) }

// letters are Java's pattern letters.
const letters = "GyMdkHmsSEDFwWahKzZYuXL"

// Compile reads a pattern. The error is Java's. Years of two digits are those of 1970 to 2069: see At.
func Compile(pattern string) (*Layout, error) {
	l := &Layout{pattern: pattern}
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
			if strings.IndexByte(letters, c) < 0 {
				return nil, PatternError("Illegal pattern character '" + string(c) + "'")
			}
			if c == 'X' && n > 3 {
				return nil, PatternError("invalid ISO 8601 format: length=" + string(appendPadded(nil, int64(n), 1)))
			}
			l.elements = append(l.elements, element{letter: c, count: n})
			i += n
		default:
			l.literal(pattern[i : i+1])
			i++
		}
	}
	return l, nil
}

// At returns the layout as Java would have made it at a time, in milliseconds since the epoch: years of two digits are read as those from 80
// years before it to 20 years after it.
func (l *Layout) At(now int64) *Layout {
	c := *l
	days, ofDay := Split(now)
	d := OfDays(days)
	c.century = Days(d.Year-80, d.Month, d.Day)*millisPerDay + ofDay
	return &c
}

// Pattern is the pattern it was compiled from.
func (l *Layout) Pattern() string { return l.pattern }

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

// moment is a time taken apart.
type moment struct {
	Date
	days, ofDay int64
}

// yearOfEra is the year as people count it: there is no year 0.
func (m *moment) yearOfEra() int64 {
	if m.Year <= 0 {
		return int64(1 - m.Year)
	}
	return int64(m.Year)
}

// dayOfWeek is 0 for Sunday.
func dayOfWeek(days int64) int64 { return (days + 4) - 7*floorDiv(days+4, 7) }

func (m *moment) dayOfYear() int64 { return m.days - Days(m.Year, 1, 1) + 1 }

// weekOfYear is the week, which begins on a Sunday, and the year it belongs to: the first week is that of 1 January.
func (m *moment) weekOfYear() (year int, week int64) {
	saturday := m.days + 6 - dayOfWeek(m.days)
	if saturday >= Days(m.Year+1, 1, 1) {
		return m.Year + 1, 1
	}
	first := Days(m.Year, 1, 1)
	return m.Year, (m.days-first+dayOfWeek(first))/7 + 1
}

func (m *moment) weekOfMonth() int64 {
	first := m.days - int64(m.Day) + 1
	return (int64(m.Day)-1+dayOfWeek(first))/7 + 1
}

// Append appends milliseconds since the epoch by the pattern.
func (l *Layout) Append(b []byte, ms int64) []byte {
	var m moment
	m.days, m.ofDay = Split(ms)
	m.Date = OfDays(m.days)
	for i := range l.elements {
		if e := &l.elements[i]; e.letter == 0 {
			b = append(b, e.literal...)
		} else {
			b = e.append(b, &m)
		}
	}
	return b
}

func (e *element) append(b []byte, m *moment) []byte {
	switch e.letter {
	case 'G', 'M', 'L', 'E', 'a', 'z', 'Z', 'X':
		return e.appendText(b, m)
	}
	n := e.number(m)
	if (e.letter == 'y' || e.letter == 'Y') && e.count == 2 {
		n %= 100
	}
	return appendPadded(b, n, e.count)
}

// number is the value of a field that is written as a number.
func (e *element) number(m *moment) int64 {
	switch e.letter {
	case 'y':
		return m.yearOfEra()
	case 'Y':
		year, _ := m.weekOfYear()
		return int64(year)
	case 'd':
		return int64(m.Day)
	case 'D':
		return m.dayOfYear()
	case 'F':
		return int64(m.Day-1)/7 + 1
	case 'w':
		_, week := m.weekOfYear()
		return week
	case 'W':
		return m.weekOfMonth()
	case 'u':
		return (dayOfWeek(m.days)+6)%7 + 1
	}
	return e.time(m.ofDay)
}

// time is the value of a field of the time of day.
func (e *element) time(ofDay int64) int64 {
	hour := ofDay / 3600_000
	switch e.letter {
	case 'H':
		return hour
	case 'k':
		return (hour+23)%24 + 1
	case 'K':
		return hour % 12
	case 'h':
		return (hour+11)%12 + 1
	case 'm':
		return ofDay / 60_000 % 60
	case 's':
		return ofDay / 1000 % 60
	}
	return ofDay % 1000
}

var (
	longMonths = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
	longDays   = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
	eras       = []string{"BC", "AD"}
	halves     = []string{"AM", "PM"}
)

func (e *element) appendText(b []byte, m *moment) []byte {
	switch e.letter {
	case 'G':
		if m.Year <= 0 {
			return append(b, eras[0]...)
		}
		return append(b, eras[1]...)
	case 'M', 'L':
		switch {
		case e.count <= 2:
			return appendPadded(b, int64(m.Month), e.count)
		case e.count == 3:
			return append(b, longMonths[m.Month-1][:3]...)
		}
		return append(b, longMonths[m.Month-1]...)
	case 'E':
		if e.count <= 3 {
			return append(b, longDays[dayOfWeek(m.days)][:3]...)
		}
		return append(b, longDays[dayOfWeek(m.days)]...)
	case 'a':
		return append(b, halves[m.ofDay/(12*3600_000)]...)
	case 'z':
		if e.count <= 3 {
			return append(b, "UTC"...)
		}
		return append(b, "Coordinated Universal Time"...)
	case 'Z':
		return append(b, "+0000"...)
	}
	return append(b, 'Z')
}
