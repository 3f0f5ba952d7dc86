package javaregex

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// translator reads a pattern as java.util.regex.Pattern does, and writes it for regexp2. Every capturing group is written with its number,
// because regexp2 counts named groups after the others.
type translator struct {
	text   string // as it was given
	src    []rune // without \Q and \E
	pos    int
	out    []byte
	groups int
	names  map[string]int
	flags  flags
	depth  int
	// endless says that something of no bounded length was read: see lookBehind.
	endless bool
}

// flags are those that the translator has to know. Case is left to regexp2.
type flags struct{ multiline, dotAll, comments, unixLines, unicode bool }

// maxDepth bounds the nesting of groups and classes.
const maxDepth = 1000

const anyChar = `[\s\S]`

func (t *translator) fail(at int, format string, args ...any) error {
	return &SyntaxError{Pattern: t.text, Description: fmt.Sprintf(format, args...), Index: at}
}

// peek is the next character, 0 at the end.
func (t *translator) peek() rune { return t.ahead(0) }

func (t *translator) ahead(n int) rune {
	if t.pos+n >= len(t.src) {
		return 0
	}
	return t.src[t.pos+n]
}

func (t *translator) end() bool { return t.pos >= len(t.src) }

func (t *translator) take(s string) bool {
	want := []rune(s)
	if len(t.src)-t.pos < len(want) || !slices.Equal(t.src[t.pos:t.pos+len(want)], want) {
		return false
	}
	t.pos += len(want)
	return true
}

func (t *translator) write(s string) { t.out = append(t.out, s...) }

func (t *translator) translate() (string, error) {
	if err := t.alternatives(); err != nil {
		return "", err
	}
	if !t.end() {
		return "", t.fail(t.pos-1, "Unmatched closing ')'")
	}
	return string(t.out), nil
}

// blanks skips what comments mode ignores.
func (t *translator) blanks() {
	for t.flags.comments && !t.end() {
		switch c := t.peek(); {
		case c == '#':
			for !t.end() && t.peek() != '\n' && t.peek() != '\r' {
				t.pos++
			}
		case c == ' ' || c >= '\t' && c <= '\r':
			t.pos++
		default:
			return
		}
	}
}

// alternatives reads up to a closing parenthesis or the end.
func (t *translator) alternatives() error {
	if t.depth++; t.depth > maxDepth {
		return t.fail(t.pos, "Too deeply nested")
	}
	defer func() { t.depth-- }()
	for {
		t.blanks()
		switch {
		case t.end() || t.peek() == ')':
			return nil
		case t.peek() == '|':
			t.pos++
			t.write("|")
		default:
			if err := t.quantified(); err != nil {
				return err
			}
		}
	}
}

// quantified reads one thing and what says how often it comes.
func (t *translator) quantified() error {
	from, at := len(t.out), t.pos
	if c := t.peek(); c == '*' || c == '+' || c == '?' {
		return t.fail(at, "Dangling meta character '%c'", c)
	}
	if t.peek() == '{' { // Java counts nothing then
		t.write("(?:)")
		return t.follow(from, false)
	}
	single := t.single()
	once, err := t.atom()
	if err != nil || once {
		return err
	}
	t.blanks()
	return t.follow(from, single)
}

// quantifier reads ?, *, + or a count in braces; "" when there is none.
func (t *translator) quantifier() (string, error) {
	switch c := t.peek(); {
	case c == '?' || c == '*' || c == '+':
		t.pos++
		return string(c), nil
	case c != '{':
		return "", nil
	case t.ahead(1) < '0' || t.ahead(1) > '9':
		return "", t.fail(t.pos+1, "Illegal repetition")
	}
	t.pos++
	low, err := t.count()
	if err != nil {
		return "", err
	}
	text, high := "{"+strconv.Itoa(low), low
	if t.peek() == ',' {
		t.pos++
		text += ","
		if t.peek() != '}' {
			if high, err = t.count(); err != nil {
				return "", err
			}
			text += strconv.Itoa(high)
		}
	}
	switch {
	case t.peek() != '}':
		return "", t.fail(t.pos, "Unclosed counted closure")
	case high < low:
		return "", t.fail(t.pos, "Illegal repetition range")
	}
	t.pos++
	return text + "}", nil
}

func (t *translator) count() (int, error) {
	n := 0
	for ; t.peek() >= '0' && t.peek() <= '9'; t.pos++ {
		if n = n*10 + int(t.peek()-'0'); n > 1<<31-1 {
			return 0, t.fail(t.pos, "Illegal repetition range")
		}
	}
	return n, nil
}

// atom reads one thing. once says that it takes no quantifier, because it is nothing: a flag, a quoted text of no characters.
func (t *translator) atom() (once bool, err error) {
	c := t.peek()
	switch c {
	case '(':
		return t.group()
	case '[':
		s, err := t.class()
		t.write(s)
		return false, err
	case '\\':
		return t.escape()
	case '.':
		t.write(t.dot())
	case '^':
		t.write(t.start())
	case '$':
		t.write(t.finish())
	default:
		t.write(literal(c))
	}
	t.pos++
	return false, nil
}

func (t *translator) dot() string {
	switch {
	case t.flags.dotAll:
		return anyChar
	case t.flags.unixLines:
		return `[^\n]`
	}
	return `[^\n\r\u0085\u2028\u2029]`
}

func (t *translator) start() string {
	switch {
	case !t.flags.multiline:
		return `\A`
	case t.flags.unixLines:
		return `(?:\A|(?<=\n)(?!\z))`
	}
	return `(?:\A|(?:(?<=[\n\u0085\u2028\u2029])|(?<=\r)(?!\n))(?!\z))`
}

func (t *translator) finish() string {
	switch {
	case t.flags.multiline && t.flags.unixLines:
		return `(?=\z|\n)`
	case t.flags.multiline:
		return `(?:(?=\z|[\r\u0085\u2028\u2029])|(?<!\r)(?=\n))`
	case t.flags.unixLines:
		return `(?=\n?\z)`
	}
	return `(?:(?=(?:\r\n|[\r\u0085\u2028\u2029])?\z)|(?<!\r)(?=\n\z))`
}

// literal is a character that stands for itself, in a class or outside.
func literal(c rune) string {
	if alnum(c) || c > 0x7f {
		return string(c)
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// group reads from a parenthesis to its partner.
func (t *translator) group() (once bool, err error) {
	t.pos++
	saved := t.flags
	if !t.take("?") {
		t.groups++
		t.write("(?<" + strconv.Itoa(t.groups) + ">")
		return false, t.closeGroup(saved)
	}
	for _, s := range []string{":", ">", "=", "!", "<=", "<!"} {
		if t.take(s) {
			t.write("(?" + s)
			if s == ":" || s == ">" {
				return false, t.closeGroup(saved)
			}
			return false, t.look(saved, s[0] == '<')
		}
	}
	if t.take("<") {
		return false, t.namedGroup(saved)
	}
	return t.inlineFlags(saved)
}

// look reads a group that looks ahead or behind. What it looks at has no part in the length of what is around it; Java looks behind only as far
// as it can tell.
func (t *translator) look(saved flags, behind bool) error {
	around := t.endless
	t.endless = false
	if err := t.alternatives(); err != nil {
		return err
	}
	if behind && t.endless {
		return t.fail(t.pos-1, "Look-behind group does not have an obvious maximum length")
	}
	t.endless = around
	return t.endGroup(saved)
}

func (t *translator) closeGroup(saved flags) error {
	if err := t.alternatives(); err != nil {
		return err
	}
	return t.endGroup(saved)
}

func (t *translator) endGroup(saved flags) error {
	if !t.take(")") {
		return t.fail(t.pos, "Unclosed group")
	}
	t.flags = saved
	t.write(")")
	return nil
}

// name reads a group's name and the bracket behind it.
func (t *translator) name() (string, error) {
	from := t.pos
	if !alpha(t.peek()) {
		return "", t.fail(t.pos, "capturing group name does not start with a Latin letter")
	}
	for alnum(t.peek()) {
		t.pos++
	}
	name := string(t.src[from:t.pos])
	if !t.take(">") {
		return "", t.fail(t.pos, "named capturing group is missing trailing '>'")
	}
	return name, nil
}

func (t *translator) namedGroup(saved flags) error {
	name, err := t.name()
	if err != nil {
		return err
	}
	if t.names[name] != 0 {
		return t.fail(t.pos-1, "Named capturing group <%s> is already defined", name)
	}
	t.groups++
	t.names[name] = t.groups
	t.write("(?<" + strconv.Itoa(t.groups) + ">")
	return t.closeGroup(saved)
}

// inlineFlags reads flags that hold for a group, or for the rest of the group they are in.
func (t *translator) inlineFlags(saved flags) (once bool, err error) {
	on := true
	var caseFlag string
	for ; ; t.pos++ {
		switch t.peek() {
		case 'i':
			caseFlag = "i"
			if !on {
				caseFlag = "-i"
			}
		case 'm':
			t.flags.multiline = on
		case 's':
			t.flags.dotAll = on
		case 'd':
			t.flags.unixLines = on
		case 'x':
			t.flags.comments = on
		case 'U':
			t.flags.unicode = on
		case 'u', 'c': // Unicode case is always on; canonical equivalence is not there
		case '-':
			if !on {
				return false, t.fail(t.pos, "Unknown inline modifier")
			}
			on = false
		case ')':
			t.pos++
			if caseFlag != "" {
				t.write("(?" + caseFlag + ")")
			}
			return true, nil
		case ':':
			t.pos++
			t.write("(?" + caseFlag + ":")
			return false, t.closeGroup(saved)
		default:
			return false, t.fail(t.pos, "Unknown inline modifier")
		}
	}
}

// escape reads a backslash outside of a class.
func (t *translator) escape() (once bool, err error) {
	switch c := t.ahead(1); {
	case c >= '1' && c <= '9':
		t.backReference()
		return false, nil
	case c == 'k':
		return false, t.namedReference()
	case strings.ContainsRune("AGzbB", c) && c != 0:
		t.write(`\` + string(c))
	case c == 'Z':
		t.write(t.finalEnd())
	case c == 'R':
		t.write(`(?>\r\n|[\n\x0b\f\r\u0085\u2028\u2029])`)
	case c == 'X':
		t.write(`(?>\r\n|\P{M}\p{M}*|\p{M}+)`)
	default:
		s, err := t.charOrClass()
		t.write(s)
		return false, err
	}
	t.pos += 2
	return false, nil
}

func (t *translator) finalEnd() string {
	m := t.flags.multiline
	t.flags.multiline = false
	s := t.finish()
	t.flags.multiline = m
	return s
}

// single says whether what comes next stands for one character.
func (t *translator) single() bool {
	switch c := t.peek(); c {
	case '(', '^', '$':
		return false
	case '\\':
		return !strings.ContainsRune("123456789kAGzbBZRX", t.ahead(1))
	}
	return true
}

// follow reads the quantifier, if there is one, of what was written from a place on.
func (t *translator) follow(from int, single bool) error {
	q, err := t.quantifier()
	if q == "" || err != nil {
		return err
	}
	if !single && (q == "*" || q == "+" || strings.HasSuffix(q, ",}")) { // Java takes those of single characters for bounded
		t.endless = true
	}
	switch {
	case t.take("?"):
		t.write(q + "?")
	case t.take("+"):
		t.out = slices.Insert(t.out, from, []byte("(?>")...)
		t.write(q + ")")
	default:
		t.write(q)
	}
	return nil
}

// backReference reads \ and as many digits as there are groups so far.
func (t *translator) backReference() {
	n := int(t.ahead(1) - '0')
	t.pos += 2
	for c := t.peek(); c >= '0' && c <= '9' && n*10+int(c-'0') <= t.groups; c = t.peek() {
		n = n*10 + int(c-'0')
		t.pos++
	}
	t.reference(n)
}

// reference writes a reference to a group; one that is not there never matches.
func (t *translator) reference(n int) {
	t.endless = true
	if n > t.groups {
		t.write(`(?!)`)
		return
	}
	t.write(`\k<` + strconv.Itoa(n) + `>`)
}

func (t *translator) namedReference() error {
	t.pos += 2
	if !t.take("<") {
		return t.fail(t.pos, `\k is not followed by '<' for named capturing group`)
	}
	name, err := t.name()
	if err != nil {
		return err
	}
	if t.names[name] == 0 {
		return t.fail(t.pos-1, "named capturing group <%s> does not exist", name)
	}
	t.reference(t.names[name])
	return nil
}
