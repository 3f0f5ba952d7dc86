package transforms

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

const syntaxKey = "field.syntax.version"

// syntaxVersion is the property that says how a field path is written: KIP-821.
var syntaxVersion = config.Key{Name: syntaxKey, Type: config.String, Default: "V1", Validator: config.InFold("V1", "V2"), Importance: config.High,
	Doc: "V1: a field is named by its name, at the top level. V2: dots lead to nested fields; backticks enclose a name that has dots itself."}

// FieldPath leads to a field of a struct or map: Kafka's SingleFieldPath.
type FieldPath struct{ steps []string }

// ParseFieldPath reads a path of syntax V2: steps with dots between them; a step in backticks may have dots itself, and a backslash before a
// backtick that a dot follows keeps it from ending the step. A backtick without its partner is a ConfigException.
func ParseFieldPath(path string) (FieldPath, error) {
	var p FieldPath
	rest := 0
	for rest < len(path) {
		if path[rest] != '`' {
			step, _, more := strings.Cut(path[rest:], ".")
			p.steps = append(p.steps, step)
			rest += len(step)
			if !more {
				break
			}
			rest++
			continue
		}
		step, n, ok := quotedStep(path[rest+1:])
		if !ok {
			return FieldPath{}, data.ConfigException.Errorf(
				"Incomplete backtick pair in path: [%s], consider adding a backslash before backtick at position %d to escape it", path, utf16Len(path[:rest]))
		}
		p.steps = append(p.steps, step)
		rest += 1 + n
	}
	if strings.HasSuffix(path, ".") {
		p.steps = append(p.steps, "")
	}
	return p, nil
}

// Steps are the names that the path leads through. They belong to the path.
func (p FieldPath) Steps() []string { return p.steps }

// quotedStep reads a step after its first backtick, and the dot behind the last. n is how much of s that is.
func quotedStep(s string) (step string, n int, ok bool) {
	var b strings.Builder
	from := 0
	for i := 0; ; i++ {
		j := strings.IndexByte(s[i:], '`')
		if j < 0 {
			return "", 0, false
		}
		i += j
		escaped := i > 0 && s[i-1] == '\\'
		switch {
		case i == len(s)-1:
			b.WriteString(s[from:i])
			return b.String(), i + 1, !escaped
		case s[i+1] != '.':
		case escaped:
			b.WriteString(s[from : i-1])
			b.WriteByte('`')
			from = i + 1
		default:
			b.WriteString(s[from:i])
			return b.String(), i + 2, true
		}
	}
}

// utf16Len is the length of s in Java.
func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xffff {
			n++
		}
	}
	return n
}

// pathOf reads the path of a property in the syntax that another says.
func pathOf(v config.Values, key string) (FieldPath, error) {
	if !v.Has(key) {
		return FieldPath{}, data.NullPointerException.Errorf("the path is null")
	}
	if strings.EqualFold(v.String(syntaxKey), "V1") {
		return FieldPath{steps: []string{v.String(key)}}, nil
	}
	return ParseFieldPath(v.String(key))
}

// split are the steps before the last, and the last.
func (p FieldPath) split() (before []string, last string, err error) {
	n := len(p.steps)
	if n == 0 {
		return nil, "", data.IndexOutOfBoundsException.Errorf("Index -1 out of bounds for length 0")
	}
	return p.steps[:n-1], p.steps[n-1], nil
}

// Field is the field that the path leads to; nil where there is none. A step into a schema that is no struct is a DataException.
func (p FieldPath) Field(s *data.Schema) (*data.Field, error) {
	before, last, err := p.split()
	if err != nil {
		return nil, err
	}
	for _, step := range before {
		f, err := fieldOf(s, step)
		if f == nil {
			return nil, err
		}
		s = f.Schema
	}
	return fieldOf(s, last)
}

// inStruct is the value that the path leads to; nil where there is none, or a step before it is null.
func (p FieldPath) inStruct(st *data.Struct, g reading) (any, error) {
	before, last, err := p.split()
	if err != nil {
		return nil, err
	}
	for _, step := range before {
		f, err := fieldOf(st.Schema(), step)
		if f == nil {
			return nil, err
		}
		if st, err = asStructOrNil(st.Value(f), "nested field access"); st == nil {
			return nil, err
		}
	}
	f, err := fieldOf(st.Schema(), last)
	if f == nil {
		return nil, err
	}
	return g.field(st, f), nil
}

// inMap is the value that the path leads to; nil where there is none.
func (p FieldPath) inMap(m *data.Map) (any, error) {
	before, last, err := p.split()
	if err != nil {
		return nil, err
	}
	for _, step := range before {
		v, _ := m.Get(step)
		if v == nil {
			return nil, nil
		}
		if m, err = asMap(v, "nested field access"); err != nil {
			return nil, err
		}
	}
	v, _ := m.Get(last)
	return v, nil
}
