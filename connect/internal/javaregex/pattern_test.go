package javaregex_test

import (
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
)

// TestMatches has what java.util.regex.Pattern matches as a whole, and regexp or regexp2 alone would not, or the other way round.
func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"a|ab", "ab", true}, {"a", "ab", false}, {"", "", true}, {".*", "", true},
		{`\w+`, "é", false}, {`\w+`, "az_09", true}, {`\d`, "٣", false}, {`(?U)\d`, "٣", true}, {`\s`, "\u00a0", false}, {`\h`, "\u00a0", true},
		{`.`, "\n", false}, {`.`, "\u2028", false}, {`(?s).`, "\n", true}, {`(?d).`, "\r", true}, {`.`, "\U0001f600", true},
		{`(?i)TOPIC`, "topic", true}, {`(?i:T)t`, "tt", true}, {`(?i:T)t`, "tT", false}, {`((?i)a)b`, "Ab", true}, {`((?i)a)b`, "AB", false},
		{`a*+a`, "aaa", false}, {`a*+b`, "aab", true}, {`(?>a*)a`, "aa", false}, {`a{2,3}+`, "aaa", true}, {`a++b?`, "aa", true},
		{`[^.]*\.(?=x).*`, "a.xb", true}, {`(?!x).`, "x", false}, {`.(?<=a)`, "a", true}, {`.(?<!a)`, "a", false},
		{`(\w)\1`, "aa", true}, {`(\w)\1`, "ab", false}, {`(?<n>\w)\k<n>`, "aa", true}, {`a\1`, "a", false}, {`(a)\11`, "aa1", true},
		{`\Qa.b\E+`, "a.bb", true}, {`\Qa.b\E`, "axb", false}, {`\Qa.b`, "a.b", true}, {`\Q\Ea`, "a", true}, {`\Q1\E2`, "12", true}, {`(?<=a{1,2})b`, "b", false},
		{`[a-c[x-z]]+`, "ay", true}, {`[a-z&&[^b]]`, "b", false}, {`[a-z&&[^b]]`, "c", true}, {`[^a-z&&[aeiou]]`, "e", false}, {`[^a-z&&[aeiou]]`, "b", true},
		{`[a-z&&[def]&&[^e]]+`, "df", true}, {`[\w-]+`, "a-b", true}, {`[]a]+`, "a]", true}, {`[\D]`, "a", true}, {`[\W\d]`, "1", true}, {`[^\W]`, "a", true},
		{`[\Q^-]\E]+`, "^-]", true}, {`[a-]`, "-", true}, {`[&&a]`, "a", true},
		{`\p{Alpha}\p{Punct}`, "a!", true}, {`\P{L}`, "1", true}, {`\pL`, "é", true}, {`\p{IsLatin}`, "é", true}, {`\p{IsAlphabetic}`, "é", true}, {`\p{Lu}`, "A", true},
		{`\p{script=Greek}`, "α", true}, {`[\p{Lower}\d]+`, "a1", true}, {`\p{javaLowerCase}`, "a", true},
		{`\x41\u0042\x{43}\0104\t\e\cA`, "ABCD\t\x1b\x01", true}, {`\uD83D\uDE00`, "\U0001f600", true},
		{`(?x) a b # c`, "ab", true}, {"(?x)[a b]", "b", true}, {`(?x: a )b`, "ab", true},
		{`a$`, "a", true}, {`(?m)a$\n^b`, "a\nb", true}, {`^a\z`, "a", true}, {`a\Z`, "a", true}, {`\Aa`, "a", true}, {`a\R`, "a\r\n", true}, {`\bab\b`, "ab", true},
		{`(a|b)*`, "abab", true}, {`()`, "", true}, {`a{0}`, "", true}, {`a{2}{3}`, "aa", true}, {`{2}a`, "a", true}, {`x{2,}`, "xxx", true},
	} {
		p, err := javaregex.Compile(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := p.Matches(c.text); got != c.want {
			t.Errorf("%s on %q: %v", c.pattern, c.text, got)
		}
	}
}

// TestErrors has what java.util.regex.PatternSyntaxException says.
func TestErrors(t *testing.T) {
	for pattern, want := range map[string]string{
		"(":          "Unclosed group near index 1\n(",
		"a(b":        "Unclosed group near index 3\na(b",
		"a)":         "Unmatched closing ')' near index 0\na)\n^",
		")":          "Unmatched closing ')'\n)",
		"*":          "Dangling meta character '*' near index 0\n*\n^",
		"a|+":        "Dangling meta character '+' near index 2\na|+\n  ^",
		"[":          "Unclosed character class near index 0\n[\n^",
		"[a":         "Unclosed character class near index 1\n[a\n ^",
		"[z-a]":      "Illegal character range near index 3\n[z-a]\n   ^",
		`\y`:         "Illegal/unsupported escape sequence near index 1\n\\y\n ^",
		"{":          "Illegal repetition near index 1\n{",
		"a**":        "Dangling meta character '*' near index 2\na**\n  ^",
		"a+++b":      "Dangling meta character '+' near index 3\na+++b\n   ^",
		"a{x":        "Illegal repetition near index 2\na{x\n  ^",
		"a{1":        "Unclosed counted closure near index 3\na{1",
		"a{2,1}":     "Illegal repetition range near index 5\na{2,1}\n     ^",
		"(?z)":       "Unknown inline modifier near index 2\n(?z)\n  ^",
		"(?<1>a)":    "capturing group name does not start with a Latin letter near index 3\n(?<1>a)\n   ^",
		`\k<a>`:      "named capturing group <a> does not exist near index 4\n\\k<a>\n    ^",
		`\p{Nope}`:   "Unknown character property name {Nope} near index 7\n\\p{Nope}\n       ^",
		"(?<=(ab)*)": "Look-behind group does not have an obvious maximum length near index 8\n(?<=(ab)*)\n        ^",
		"(\t":        "Unclosed group near index 2\n(\t",
	} {
		_, err := javaregex.Compile(pattern)
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", pattern, err, want)
		}
	}
}

// TestReplace has what Matcher.replaceFirst and replaceAll return or throw.
func TestReplace(t *testing.T) {
	for _, c := range []struct{ pattern, text, replacement, first, all string }{
		{"a|ab", "abab", "x", "xbab", "xbxb"},
		{`db\.(\w+)\.(?<table>\w+)`, "db.s.t", "${table}_$1", "t_s", "t_s"},
		{"(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", "abcdefghijk", "$11-$1-$12", "k-a-a2", "k-a-a2"},
		{"(t)(x)?", "t", "$1-$2", "t-", "t-"},
		{"b*", "abc", "-", "-abc", "-a--c-"},
		{"é", "aéb", `\$\\`, `a$\b`, `a$\b`},
		{"x", "abc", "$1", "abc", "abc"},
		{"a", "a", "$9", "!No group 9", "!No group 9"},
		{"a", "a", "${n}", "!No group with name {n}", "!No group with name {n}"},
		{"a", "a", "${1n}", "!capturing group name {1n} starts with digit character", "!capturing group name {1n} starts with digit character"},
		{"a", "a", "${n", "!named capturing group is missing trailing '}'", "!named capturing group is missing trailing '}'"},
		{"a", "a", "x$", "!Illegal group reference: group index is missing", "!Illegal group reference: group index is missing"},
		{"a", "a", "$x", "!Illegal group reference", "!Illegal group reference"},
		{"a", "a", `\`, "!character to be escaped is missing", "!character to be escaped is missing"},
	} {
		p, err := javaregex.Compile(c.pattern)
		if err != nil {
			t.Fatal(err)
		}
		check := func(got string, err error, want string) {
			if message, failed := strings.CutPrefix(want, "!"); failed {
				if err == nil || err.Error() != message {
					t.Errorf("%s on %s: %v, want %s", c.pattern, c.text, err, message)
				}
			} else if got != want || err != nil {
				t.Errorf("%s on %s: %q %v, want %q", c.pattern, c.text, got, err, want)
			}
		}
		got, err := p.ReplaceFirst(c.text, c.replacement)
		check(got, err, c.first)
		got, err = p.ReplaceAll(c.text, c.replacement)
		check(got, err, c.all)
	}
}

// FuzzCompile: no pattern panics, and what compiles matches without panic.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{`(?<a>b)\k<a>`, `[a-z&&[^b]]++`, `\Qx\E{2}`, `(?x)a #`, `\p{IsLatin}`, `[^\W\Q]\E]`, `(?i-s:a)|\R`, `a{1,2}?+`, `[[a][&&b]]`} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 40 || len(text) > 12 { // matching may take exponential time, as in Java
			return
		}
		p, err := javaregex.Compile(pattern)
		if err != nil {
			if _, ok := err.(*javaregex.SyntaxError); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		p.Matches(text)
	})
}
