package javaregex

import (
	"strconv"
	"strings"
	"unicode"
)

// set is a set of characters: what stands between the brackets of a class of regexp2, and other expressions of one character.
type set struct {
	items  string
	others []string
}

func (s *set) empty() bool { return s.items == "" && len(s.others) == 0 }

// expression matches one character of the set, or one that is not in it.
func (s *set) expression(negated bool) string {
	switch {
	case len(s.others) == 0 && negated:
		return "[^" + s.items + "]"
	case len(s.others) == 0:
		return "[" + s.items + "]"
	}
	parts := s.others
	if s.items != "" {
		parts = append([]string{"[" + s.items + "]"}, parts...)
	}
	all := "(?:" + strings.Join(parts, "|") + ")"
	if negated {
		return "(?:(?!" + all + ")" + anyChar + ")"
	}
	return all
}

// class reads from a bracket to its partner.
func (t *translator) class() (string, error) {
	if t.depth++; t.depth > maxDepth {
		return "", t.fail(t.pos, "Too deeply nested")
	}
	defer func() { t.depth-- }()
	t.pos++
	negated := t.take("^")
	var left []string // what is intersected
	var s set
	for first := true; ; first = false {
		switch {
		case t.end():
			return "", t.fail(len(t.src)-1, "Unclosed character class")
		case t.peek() == ']' && !(first && len(left) == 0):
			t.pos++
			return intersect(left, &s, negated), nil
		case t.peek() == '[':
			nested, err := t.class()
			if err != nil {
				return "", err
			}
			s.others = append(s.others, nested)
		case t.peek() == '&' && t.ahead(1) == '&':
			for t.peek() == '&' && t.ahead(1) == '&' {
				t.pos += 2
			}
			if !s.empty() {
				left = append(left, s.expression(false))
			}
			s = set{}
		default:
			if err := t.classItem(&s); err != nil {
				return "", err
			}
		}
	}
}

// intersect matches a character that is in all of left and in s. An empty side is left out, as Java does.
func intersect(left []string, s *set, negated bool) string {
	if len(left) == 0 {
		return s.expression(negated)
	}
	if !s.empty() {
		left = append(left, s.expression(false))
	}
	last := len(left) - 1
	var b strings.Builder
	for _, x := range left[:last] {
		b.WriteString("(?=" + x + ")")
	}
	both := b.String() + left[last]
	if negated {
		return "(?:(?!" + both + ")" + anyChar + ")"
	}
	return "(?:" + both + ")"
}

// classItem reads a character, a range, or an escape.
func (t *translator) classItem(s *set) error {
	from := t.pos
	if t.blanks(); t.pos != from {
		return nil
	}
	low, class, err := t.classChar()
	if err != nil {
		return err
	}
	if class != "" {
		if strings.HasPrefix(class, "[^") || !strings.HasPrefix(class, "[") {
			s.others = append(s.others, class)
		} else {
			s.items += class[1 : len(class)-1]
		}
		return nil
	}
	if t.peek() != '-' || t.ahead(1) == ']' || t.ahead(1) == '[' {
		s.items += literal(low)
		return nil
	}
	t.pos++
	if t.end() {
		return t.fail(len(t.src), "Illegal character range")
	}
	if t.peek() == '\\' && (t.ahead(1) == 'p' || t.ahead(1) == 'P') {
		return t.fail(t.pos+1, "Illegal/unsupported escape sequence")
	}
	high, class, err := t.classChar()
	switch {
	case err != nil:
		return err
	case class != "" || high < low:
		return t.fail(t.pos-1, "Illegal character range")
	}
	s.items += literal(low) + "-" + literal(high)
	return nil
}

// classChar reads a character, or an escape that is a class of its own.
func (t *translator) classChar() (c rune, class string, err error) {
	if t.peek() != '\\' {
		c = t.peek()
		t.pos++
		return c, "", nil
	}
	return t.escaped()
}

// charOrClass reads an escape outside of a class, and returns what matches it.
func (t *translator) charOrClass() (string, error) {
	c, class, err := t.escaped()
	if class != "" || err != nil {
		return class, err
	}
	return literal(c), nil
}

// classes are the predefined classes of ASCII.
var classes = map[rune]string{
	'd': `[0-9]`, 'D': `[^0-9]`,
	'w': `[a-zA-Z0-9_]`, 'W': `[^a-zA-Z0-9_]`,
	's': `[ \t-\r]`, 'S': `[^ \t-\r]`,
	'h': `[ \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]`, 'H': `[^ \t\u00a0\u1680\u180e\u2000-\u200a\u202f\u205f\u3000]`,
	'v': `[\n-\r\u0085\u2028\u2029]`, 'V': `[^\n-\r\u0085\u2028\u2029]`,
}

// unicodeClasses are those under the flag U.
var unicodeClasses = map[rune]string{
	'd': `\p{Nd}`, 'D': `\P{Nd}`, 'w': `[\p{L}\p{M}\p{Nd}\p{Pc}]`, 'W': `[^\p{L}\p{M}\p{Nd}\p{Pc}]`, 's': `[\s]`, 'S': `[^\s]`,
}

// controls are the letters that stand for a control character.
var controls = map[rune]rune{'t': '\t', 'n': '\n', 'r': '\r', 'f': '\f', 'a': 7, 'e': 27}

// escaped reads a backslash and what it is about: a character, or a class.
func (t *translator) escaped() (c rune, class string, err error) {
	c = t.ahead(1)
	if t.pos+1 >= len(t.src) {
		return 0, "", t.fail(len(t.src), "Unescaped trailing backslash")
	}
	t.pos += 2
	if t.flags.unicode && unicodeClasses[c] != "" {
		return 0, unicodeClasses[c], nil
	}
	if classes[c] != "" {
		return 0, classes[c], nil
	}
	if r, ok := controls[c]; ok {
		return r, "", nil
	}
	switch c {
	case 'N': // names of characters are not known
		return 0, "", t.fail(t.pos, "Illegal character name escape sequence")
	case 'p', 'P':
		class, err = t.property(c == 'P')
		return 0, class, err
	case '0':
		return t.octal()
	case 'x':
		return t.hex()
	case 'u':
		return t.unicode()
	case 'c':
		if t.end() {
			return 0, "", t.fail(len(t.src), "Illegal control escape sequence")
		}
		c = t.peek() ^ 64
		t.pos++
		return c, "", nil
	}
	if alpha(c) || c >= '0' && c <= '9' {
		return 0, "", t.fail(t.pos-1, "Illegal/unsupported escape sequence")
	}
	return c, "", nil
}

func (t *translator) octal() (rune, string, error) {
	n, from := rune(0), t.pos
	for t.pos-from < 3 && t.peek() >= '0' && t.peek() <= '7' && n*8+t.peek()-'0' <= 0o377 {
		n = n*8 + t.peek() - '0'
		t.pos++
	}
	if t.pos == from {
		return 0, "", t.fail(t.pos, "Illegal octal escape sequence")
	}
	return n, "", nil
}

// digits reads n hexadecimal digits.
func (t *translator) digits(n int) (rune, bool) {
	if t.pos+n > len(t.src) {
		return 0, false
	}
	v, err := strconv.ParseUint(string(t.src[t.pos:t.pos+n]), 16, 32)
	if err != nil {
		return 0, false
	}
	t.pos += n
	return rune(v), true
}

func (t *translator) hex() (rune, string, error) {
	if !t.take("{") {
		c, ok := t.digits(2)
		if !ok {
			return 0, "", t.fail(t.pos, "Illegal hexadecimal escape sequence")
		}
		return c, "", nil
	}
	n := 0
	for t.ahead(n) != '}' && t.ahead(n) != 0 {
		n++
	}
	c, ok := t.digits(n)
	switch {
	case !ok:
		return 0, "", t.fail(t.pos, "Illegal hexadecimal escape sequence")
	case c > unicode.MaxRune || c < 0:
		return 0, "", t.fail(t.pos, "Hexadecimal codepoint is too big")
	case !t.take("}"):
		return 0, "", t.fail(t.pos, "Unclosed hexadecimal escape sequence")
	}
	return c, "", nil
}

func (t *translator) unicode() (rune, string, error) {
	c, ok := t.digits(4)
	if !ok {
		return 0, "", t.fail(t.pos, "Illegal Unicode escape sequence")
	}
	if c >= 0xd800 && c < 0xdc00 && t.peek() == '\\' && t.ahead(1) == 'u' {
		at := t.pos
		t.pos += 2
		if low, ok := t.digits(4); ok && low >= 0xdc00 && low < 0xe000 {
			return 0x10000 + (c-0xd800)<<10 + low - 0xdc00, "", nil
		}
		t.pos = at
	}
	return c, "", nil
}

// posix are the properties of ASCII, and those named after methods of Character.
var posix = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7f`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": `!-/:-@\x5b-\x60{-~`, "Graph": "!-~", "Print": " -~", "Blank": ` \t`, "Cntrl": `\x00-\x1f\x7f`, "XDigit": "0-9a-fA-F", "Space": ` \t-\r`,
	"javaLowerCase": `\p{Ll}`, "javaUpperCase": `\p{Lu}`, "javaWhitespace": `\s`, "javaLetter": `\p{L}`, "javaDigit": `\p{Nd}`,
	"javaLetterOrDigit": `\p{L}\p{Nd}`, "javaAlphabetic": `\p{L}\p{Nl}`,
	"IsAlphabetic": `\p{L}\p{Nl}`, "IsLetter": `\p{L}`, "IsDigit": `\p{Nd}`, "IsLowercase": `\p{Ll}`, "IsUppercase": `\p{Lu}`,
	"IsPunctuation": `\p{P}`, "IsWhite_Space": `\s`, "IsControl": `\p{Cc}`, "IsIdeographic": `\p{Han}`,
	"L1": `\x00-\u00ff`, "LC": `\p{Lu}\p{Ll}\p{Lt}`, "LD": `\p{L}\p{Nd}`, "all": `\x00-\uffff`,
}

// property reads the name behind \p or \P.
func (t *translator) property(negated bool) (string, error) {
	name := string(t.peek())
	if t.end() {
		return "", t.fail(len(t.src), "Illegal/unsupported escape sequence")
	}
	t.pos++
	if name == "{" {
		from := t.pos
		for !t.end() && t.peek() != '}' {
			t.pos++
		}
		if t.end() {
			return "", t.fail(len(t.src), "Unclosed character family")
		}
		name = string(t.src[from:t.pos])
		t.pos++
		if name == "" {
			return "", t.fail(t.pos-1, "Empty character family")
		}
	}
	items := posix[name]
	if items == "" {
		if items = unicodeProperty(name); items == "" {
			return "", t.fail(t.pos-1, "Unknown character property name {%s}", name)
		}
	}
	if negated {
		return "[^" + items + "]", nil
	}
	return "[" + items + "]", nil
}

// unicodeProperty is a script or general category by any of the names that Java has for it.
func unicodeProperty(name string) string {
	if key, value, ok := strings.Cut(name, "="); ok {
		switch strings.ToLower(key) {
		case "script", "sc", "general_category", "gc":
			name = value
		default:
			return ""
		}
	}
	for _, s := range []string{name, strings.TrimPrefix(name, "Is")} {
		if unicode.Categories[s] != nil {
			return `\p{` + s + `}`
		}
		for script := range unicode.Scripts { // one at most has the name
			if strings.EqualFold(script, s) && s != name || script == s {
				return `\p{` + script + `}`
			}
		}
	}
	return ""
}
