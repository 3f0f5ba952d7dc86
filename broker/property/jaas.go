package property

import (
	"errors"
	"fmt"
	"strings"
)

// Login is a parsed sasl.jaas.config: one JAAS login context entry.
type Login struct {
	Module  string            // the class
	Control string            // required, requisite, sufficient or optional
	Options map[string]string // without quotes
}

// The login modules that are understood, by class.
const (
	PlainModule = "org.apache.kafka.common.security.plain.PlainLoginModule"
	ScramModule = "org.apache.kafka.common.security.scram.ScramLoginModule"
	OAuthModule = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule"
)

// serves says what is wanted for a mechanism; empty: the login is good for it.
func (l Login) serves(mechanism string) string {
	module, needed := OAuthModule, []string(nil)
	switch mechanism {
	case "PLAIN":
		module, needed = PlainModule, []string{"username", "password"}
	case "SCRAM-SHA-256", "SCRAM-SHA-512":
		module, needed = ScramModule, []string{"username", "password"}
	}
	if l.Module != module {
		return fmt.Sprintf("the login module %s is needed for sasl.mechanism=%s", module, mechanism)
	}
	for _, name := range needed {
		if _, ok := l.Options[name]; !ok {
			return fmt.Sprintf("the login module's option %s is missing", name)
		}
	}
	return ""
}

// ParseJAAS parses Kafka's text: MODULE CONTROL_FLAG NAME=VALUE ... ; where values may stand in double quotes.
func ParseJAAS(text string) (Login, error) {
	tokens, err := jaasTokens(text)
	if err != nil {
		return Login{}, err
	}
	if len(tokens) < 3 || tokens[len(tokens)-1] != (jaasToken{text: ";"}) {
		return Login{}, errors.New("MODULE CONTROL_FLAG NAME=\"VALUE\" ...; is expected, with the semicolon")
	}
	l := Login{Module: tokens[0].text, Control: strings.ToLower(tokens[1].text), Options: map[string]string{}}
	switch l.Control {
	case "required", "requisite", "sufficient", "optional":
	default:
		return Login{}, fmt.Errorf("the control flag is required, requisite, sufficient or optional, not %q", tokens[1].text)
	}
	for rest := tokens[2 : len(tokens)-1]; len(rest) > 0; rest = rest[3:] {
		if rest[0].text == ";" && !rest[0].quoted {
			return Login{}, errors.New("one login module is expected")
		}
		if len(rest) < 3 || rest[1] != (jaasToken{text: "="}) || rest[2] == (jaasToken{text: ";"}) || rest[2] == (jaasToken{text: "="}) {
			return Login{}, errors.New("an option without a value: NAME=\"VALUE\" is expected") // the text may hold a password: do not show it
		}
		l.Options[rest[0].text] = rest[2].text
	}
	return l, nil
}

type jaasToken struct {
	text   string
	quoted bool
}

// jaasTokens are words, quoted texts (with backslashes), = and ;.
func jaasTokens(text string) (out []jaasToken, err error) {
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case strings.IndexByte(" \t\r\n\f", c) >= 0:
			i++
		case c == '=' || c == ';':
			out = append(out, jaasToken{text: string(c)})
			i++
		case c == '"' || c == '\'':
			word, n := quotedWord(text[i:])
			if n == 0 {
				return nil, errors.New("a quotation mark is not closed")
			}
			out = append(out, jaasToken{word, true})
			i += n
		default:
			end := strings.IndexAny(text[i:], " \t\r\n\f=;\"'")
			if end < 0 {
				end = len(text) - i
			}
			out = append(out, jaasToken{text: text[i : i+end]})
			i += end
		}
	}
	return out, nil
}

// quotedWord reads a text in the quotation mark that it begins with, and how long it is with them; 0: it does not end.
func quotedWord(text string) (string, int) {
	var b strings.Builder
	for i := 1; i < len(text); i++ {
		switch {
		case text[i] == text[0]:
			return b.String(), i + 1
		case text[i] == '\\' && i+1 < len(text):
			i++
			b.WriteByte(unescaped(text[i]))
		default:
			b.WriteByte(text[i])
		}
	}
	return "", 0
}

// unescaped is what a letter after a backslash stands for, as in Java's StreamTokenizer.
func unescaped(c byte) byte {
	if i := strings.IndexByte("abfnrtv", c); i >= 0 {
		return "\a\b\f\n\r\t\v"[i]
	}
	return c
}
