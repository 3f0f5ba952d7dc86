package data

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kstreamlab/kstreamlab/connect/internal/simpledate"
)

// ParseString guesses the value that a text stands for, as Kafka's Values.parseString does: a boolean, the smallest number type, a date, time
// or timestamp, a list, a map, else the text itself. ok is false for the text null, for which Java returns null.
func ParseString(s string) (v SchemaAndValue, ok bool) {
	if s == "" {
		return SchemaAndValue{StringSchema, ""}, true
	}
	p := &valueParser{scanner{text: s}}
	v, ok, err := p.parse(false)
	if err != nil { // nothing at top level is refused: it is a string at worst
		return SchemaAndValue{StringSchema, s}, true
	}
	return v, ok
}

// scanner divides text into tokens: the delimiters : , { } [ ] " and what is between them. A backslash takes a delimiter its meaning.
type scanner struct {
	text  string
	pos   int // behind the token that was read ahead, if any
	next  string
	ahead bool
}

func (s *scanner) mark() int {
	if s.ahead {
		return s.pos - len(s.next)
	}
	return s.pos
}

func (s *scanner) rewind(pos int) { s.pos, s.ahead = pos, false }

func (s *scanner) more() bool { return s.ahead || s.pos < len(s.text) }

func (s *scanner) take() string {
	if s.ahead {
		s.ahead = false
		return s.next
	}
	return s.token()
}

func (s *scanner) token() string {
	start := s.pos
	escaped := false
	for ; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '\\':
			escaped = !escaped
		case ':', ',', '{', '}', '[', ']', '"':
			if !escaped {
				if start == s.pos {
					s.pos++
				}
				return s.text[start:s.pos]
			}
			escaped = false
		default:
			escaped = false
		}
	}
	return s.text[start:]
}

// consume takes the next token that is not blank, if it is want but for blanks around it.
func (s *scanner) consume(want string) bool {
	if !s.ahead {
		if !s.more() {
			return false
		}
		s.next, s.ahead = s.token(), true
	}
	for blank(s.next) && s.pos < len(s.text) {
		s.next = s.token()
	}
	if trim(s.next) != want {
		return false
	}
	s.ahead = false
	return true
}

// trim is Java's String.trim.
func trim(s string) string { return strings.TrimFunc(s, func(r rune) bool { return r <= ' ' }) }

func blank(s string) bool { return trim(s) == "" }

type valueParser struct{ scanner }

// maxDepth bounds the nesting of lists and maps, where Java's stack would end.
const maxDepth = 1000

func (p *valueParser) fail(what string) error { return DataException.Errorf("%s: %s", what, p.text) }

// literal takes a token that stands for a value. At top level it must be the whole rest.
func (p *valueParser) literal(embedded bool, want string) bool {
	start := p.mark()
	if p.consume(want) && (embedded || !p.more()) {
		return true
	}
	p.rewind(start)
	return false
}

// parse returns ok false for null.
func (p *valueParser) parse(embedded bool) (v SchemaAndValue, ok bool, err error) {
	return p.parseAt(embedded, 0)
}

func (p *valueParser) parseAt(embedded bool, depth int) (v SchemaAndValue, ok bool, err error) {
	switch {
	case !p.more():
		return v, false, nil
	case embedded && p.consume(`"`):
		return p.quoted(), true, nil
	case p.literal(embedded, "null"):
		return v, false, nil
	case p.literal(embedded, "true"):
		return SchemaAndValue{BooleanSchema, true}, true, nil
	case p.literal(embedded, "false"):
		return SchemaAndValue{BooleanSchema, false}, true, nil
	}
	start := p.mark()
	if depth < maxDepth {
		begun := true
		switch {
		case p.consume("["):
			v, err = p.list(depth + 1)
		case p.consume("{"):
			v, err = p.object(depth + 1)
		default:
			begun = false
		}
		if begun && err == nil {
			return v, true, nil
		}
		if begun {
			if !ClassOfError(err).Extends(DataException) {
				return v, false, err
			}
			p.rewind(start)
		}
	}
	token := p.take()
	if blank(token) {
		return SchemaAndValue{StringSchema, token}, true, nil
	}
	v, err = p.scalar(embedded, trim(token))
	return v, true, err
}

func (p *valueParser) scalar(embedded bool, token string) (SchemaAndValue, error) {
	first, _ := utf8.DecodeRuneInString(token)
	digit := unicode.IsDigit(first)
	if digit {
		if v, ok := p.temporal(token); ok {
			return v, nil
		}
	}
	if digit || first == '+' || first == '-' {
		if d, err := ParseDecimal(token); err == nil {
			return numberOf(d), nil
		}
	}
	if embedded {
		return SchemaAndValue{}, DataException.Errorf("Failed to parse embedded value")
	}
	return SchemaAndValue{StringSchema, p.text}, nil
}

func (p *valueParser) quoted() SchemaAndValue {
	var b strings.Builder
	for p.more() && !p.consume(`"`) {
		b.WriteString(p.take())
	}
	if v, ok := temporalOf(b.String()); ok {
		return v
	}
	return SchemaAndValue{StringSchema, b.String()}
}

// temporal tries the token with the four that follow, because a time has colons; then the token alone.
func (p *valueParser) temporal(token string) (SchemaAndValue, bool) {
	start := p.mark()
	n := 0
	for ; n < 4 && p.more(); n++ {
		p.take()
	}
	if n == 4 {
		if v, ok := temporalOf(token + p.text[start:p.pos]); ok {
			return v, true
		}
	}
	p.rewind(start)
	return temporalOf(token)
}

var (
	dateLayout      = mustLayout("yyyy-MM-dd")
	timeLayout      = mustLayout("HH:mm:ss.SSS'Z'")
	timestampLayout = mustLayout("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'")
)

func mustLayout(pattern string) *simpledate.Layout {
	l, err := simpledate.Compile(pattern)
	if err != nil {
		panic(err)
	}
	return l
}

func temporalOf(token string) (v SchemaAndValue, ok bool) {
	token = strings.ReplaceAll(token, `\:`, ":")
	var ms int64
	switch utf8.RuneCountInString(token) {
	case 13:
		v.Schema = TimeSchema
		ms, ok = timeLayout.Parse(token)
	case 24:
		v.Schema = TimestampSchema
		ms, ok = timestampLayout.Parse(token)
	case 10:
		v.Schema = DateSchema
		ms, ok = dateLayout.Parse(token)
	}
	v.Value = Millis(ms)
	return v, ok
}

// numberOf is the smallest type that holds a whole number; else a float32, a float64 or a decimal, whichever is finite first.
func numberOf(d Decimal) SchemaAndValue {
	if d.Whole() {
		if i, ok := d.BigInt(); ok && i.IsInt64() {
			switch n := i.Int64(); {
			case n == int64(int8(n)):
				return SchemaAndValue{Int8Schema, int8(n)}
			case n == int64(int16(n)):
				return SchemaAndValue{Int16Schema, int16(n)}
			case n == int64(int32(n)):
				return SchemaAndValue{Int32Schema, int32(n)}
			default:
				return SchemaAndValue{Int64Schema, n}
			}
		}
	}
	if d.scale != 0 {
		if f := d.Float32(); !isInf(float64(f)) {
			return SchemaAndValue{Float32Schema, f}
		}
		if f := d.Float64(); !isInf(f) {
			return SchemaAndValue{Float64Schema, f}
		}
	}
	return SchemaAndValue{DecimalBuilder(d.scale).MustBuild(), d}
}

func isInf(f float64) bool { return f-f != 0 }

func (p *valueParser) list(depth int) (SchemaAndValue, error) {
	out := []any{}
	var elements merger
	for p.more() {
		if p.consume("]") {
			return elements.list(out)
		}
		if p.consume(",") {
			return SchemaAndValue{}, p.fail("Unable to parse an empty array element")
		}
		v, ok, err := p.parseAt(true, depth)
		if err != nil {
			return v, err
		}
		if ok {
			elements.merge(v.Schema)
		}
		out = append(out, v.Value)
		at := p.mark()
		if p.consume("]") {
			p.rewind(at)
		} else if !p.consume(",") {
			return v, DataException.Errorf("Array elements missing ',' delimiter")
		}
	}
	return SchemaAndValue{}, p.fail("Array is missing terminating ']'")
}

func (m *merger) list(out []any) (SchemaAndValue, error) {
	if m.common == nil {
		return SchemaAndValue{NewLooseBuilder(Array, nil, nil).MustBuild(), out}, nil
	}
	for i, e := range out {
		v, err := ConvertTo(m.common, nil, e)
		if err != nil {
			return SchemaAndValue{}, err
		}
		out[i] = v
	}
	return SchemaAndValue{ArrayOf(m.common).MustBuild(), out}, nil
}

func (p *valueParser) object(depth int) (SchemaAndValue, error) {
	out := NewMap()
	var keys, values merger
	for p.more() {
		if p.consume("}") {
			return alignMap(out, keys.common, values.common)
		}
		if p.consume(",") {
			return SchemaAndValue{}, p.fail("Unable to parse a map entry with no key or value")
		}
		k, ok, err := p.parseAt(true, depth)
		switch {
		case err != nil:
			return k, err
		case !ok || k.Value == nil:
			return k, p.fail("Map entry may not have a null key")
		case !p.consume(":"):
			return k, p.fail("Map entry is missing ':'")
		}
		v, ok, err := p.parseAt(true, depth)
		if err != nil {
			return v, err
		}
		out.Put(k.Value, v.Value)
		p.consume(",")
		keys.merge(k.Schema)
		if ok {
			values.merge(v.Schema)
		}
	}
	return SchemaAndValue{}, p.fail("Map is missing terminating '}'")
}

func alignMap(m *Map, keys, values *Schema) (SchemaAndValue, error) {
	if keys == nil {
		return SchemaAndValue{NewLooseBuilder(MapType, nil, nil).MustBuild(), m}, nil
	}
	out := NewMap()
	for _, e := range m.Entries() {
		k, err := ConvertTo(keys, nil, e.Key)
		if err != nil {
			return SchemaAndValue{}, err
		}
		v := e.Value
		if values != nil {
			if v, err = ConvertTo(values, nil, v); err != nil {
				return SchemaAndValue{}, err
			}
		}
		out.Put(k, v)
	}
	return SchemaAndValue{NewLooseBuilder(MapType, keys, values).MustBuild(), out}, nil
}

// merger finds the schema that holds all values it is shown; common is nil where there is none.
type merger struct {
	common *Schema
	failed bool
}

func (m *merger) merge(s *Schema) {
	if s == nil || m.failed {
		return
	}
	if m.common == nil {
		m.common = s
		return
	}
	m.common = mergeSchemas(m.common, s)
	m.failed = m.common == nil
}

func mergeSchemas(a, b *Schema) *Schema {
	if a.typ != b.typ {
		switch {
		case a.typ > Float64 || b.typ > Float64:
			return nil
		case a.typ > b.typ:
			return a
		}
		return b
	}
	if a.optional == b.optional {
		if a.optional {
			return a
		}
		return b
	}
	if !a.Equal(b) {
		return nil
	}
	return a
}
