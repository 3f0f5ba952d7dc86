// Package javaregex is for the regular expressions that users write for Java: java.util.regex.Pattern over the backtracking matcher regexp2,
// which has look-around, back references and atomic groups, as Go's own package has not. A pattern is translated: classes are Java's (\w, \d
// and \s are ASCII), groups are counted as Java counts them, possessive quantifiers, \Q..\E, nested and intersected classes and Java's line
// ends are there, and what is wrong is told in Java's words. Matching is by characters, not UTF-16 units.
package javaregex

import (
	"strconv"
	"strings"

	"github.com/dlclark/regexp2"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Pattern is a compiled pattern. It may be shared.
type Pattern struct {
	text   string
	whole  *regexp2.Regexp
	find   *regexp2.Regexp
	groups int
	names  map[string]int
}

// SyntaxError is what is wrong with a pattern: Java's PatternSyntaxException.
type SyntaxError struct {
	Pattern     string
	Description string
	Index       int // in characters; negative: not known
}

// Error is PatternSyntaxException.getMessage: two or three lines.
func (e *SyntaxError) Error() string {
	s := e.Description
	if e.Index >= 0 {
		s += " near index " + strconv.Itoa(e.Index)
	}
	s += "\n" + e.Pattern
	if chars := []rune(e.Pattern); e.Index >= 0 && e.Index < len(chars) {
		s += "\n"
		for _, r := range chars[:e.Index] {
			if r == '\t' {
				s += "\t"
			} else {
				s += " "
			}
		}
		s += "^"
	}
	return s
}

// Compile compiles a pattern. The error is a *SyntaxError.
func Compile(pattern string) (*Pattern, error) {
	t := translator{text: pattern, src: unquoted([]rune(pattern)), names: map[string]int{}}
	text, err := t.translate()
	if err != nil {
		return nil, err
	}
	p := &Pattern{text: pattern, groups: t.groups, names: t.names}
	for _, x := range []struct {
		to   **regexp2.Regexp
		text string
	}{{&p.find, text}, {&p.whole, `\A(?:` + text + `)\z`}} {
		if *x.to, err = regexp2.Compile(x.text, regexp2.None); err != nil {
			return nil, &SyntaxError{Pattern: pattern, Description: err.Error(), Index: -1}
		}
	}
	return p, nil
}

// String is the pattern as it was given.
func (p *Pattern) String() string { return p.text }

// Groups is the number of capturing groups.
func (p *Pattern) Groups() int { return p.groups }

// Matches says whether all of s matches. It has no time limit, as in Java.
func (p *Pattern) Matches(s string) bool {
	ok, err := p.whole.MatchString(s)
	return ok && err == nil // the error is that of a time limit
}

// ReplaceFirst is Matcher.replaceFirst: the first match in s, which need not be all of it, is replaced; $1 and ${name} in the replacement are
// groups, a backslash takes its meaning from the next character. A mistake in the replacement is an error of Java's class and words.
func (p *Pattern) ReplaceFirst(s, replacement string) (string, error) {
	return p.replace(s, replacement, 1)
}

// ReplaceAll is Matcher.replaceAll.
func (p *Pattern) ReplaceAll(s, replacement string) (string, error) {
	return p.replace(s, replacement, -1)
}

func (p *Pattern) replace(s, replacement string, count int) (string, error) {
	text := []rune(s)
	m, err := p.find.FindRunesMatch(text)
	if m == nil || err != nil {
		return s, err
	}
	var b strings.Builder
	end := 0
	for ; m != nil && count != 0; count-- {
		b.WriteString(string(text[end:m.Index]))
		if err := p.expand(&b, []rune(replacement), m); err != nil {
			return "", err
		}
		end = m.Index + m.Length
		if m, err = p.find.FindNextMatch(m); err != nil {
			return "", err
		}
	}
	b.WriteString(string(text[end:]))
	return b.String(), nil
}

func illegal(format string, args ...any) error {
	return data.IllegalArgumentException.Errorf(format, args...)
}

// expand appends a replacement for a match.
func (p *Pattern) expand(b *strings.Builder, r []rune, m *regexp2.Match) error {
	for i := 0; i < len(r); {
		switch {
		case r[i] == '\\':
			if i+1 == len(r) {
				return illegal("character to be escaped is missing")
			}
			b.WriteRune(r[i+1])
			i += 2
		case r[i] == '$':
			group, n, err := p.reference(r[i+1:])
			if err != nil {
				return err
			}
			if group > p.groups {
				return data.IndexOutOfBoundsException.Errorf("No group %d", group)
			}
			if g := m.GroupByNumber(group); g != nil && len(g.Captures) > 0 {
				b.WriteString(g.String())
			}
			i += 1 + n
		default:
			b.WriteRune(r[i])
			i++
		}
	}
	return nil
}

// reference reads what is behind a $: a number of as many digits as there are groups for, or a name in braces. n is its length.
func (p *Pattern) reference(r []rune) (group, n int, err error) {
	switch {
	case len(r) == 0:
		return 0, 0, illegal("Illegal group reference: group index is missing")
	case r[0] == '{':
		return p.nameReference(r)
	case r[0] < '0' || r[0] > '9':
		return 0, 0, illegal("Illegal group reference")
	}
	group, n = int(r[0]-'0'), 1
	for ; n < len(r) && r[n] >= '0' && r[n] <= '9'; n++ {
		longer := group*10 + int(r[n]-'0')
		if longer > p.groups {
			break
		}
		group = longer
	}
	return group, n, nil
}

func (p *Pattern) nameReference(r []rune) (group, n int, err error) {
	n = 1
	for n < len(r) && alnum(r[n]) {
		n++
	}
	name := string(r[1:n])
	switch {
	case name == "" || n == len(r) || r[n] != '}':
		return 0, 0, illegal("named capturing group is missing trailing '}'")
	case name[0] <= '9':
		return 0, 0, illegal("capturing group name {%s} starts with digit character", name)
	case p.names[name] == 0:
		return 0, 0, illegal("No group with name {%s}", name)
	}
	return p.names[name], n + 1, nil
}

func alpha(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

func alnum(r rune) bool { return alpha(r) || r >= '0' && r <= '9' }
