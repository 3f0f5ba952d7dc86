package avroschema

import (
	"strconv"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// writer writes a schema as Java's Schema.toString does.
type writer struct {
	out   []byte
	known map[string]bool
}

// String is the schema as Java's Schema.toString writes it: what Confluent's serializers register.
func (s *Schema) String() string {
	if s.text == "" {
		s.text = s.Referring(nil)
	}
	return s.text
}

// Referring is the schema's text where names that are in known are not defined again: they are references to other schemas.
func (s *Schema) Referring(known []string) string {
	w := &writer{known: map[string]bool{}}
	for _, name := range known {
		w.known[name] = true
	}
	w.schema(s, "")
	return string(w.out)
}

// Names are the full names that a schema defines, in the order of its text.
func (s *Schema) Names() []string {
	var out []string
	s.walk(map[*Schema]bool{}, func(n *Schema) {
		if n.Type.Named() {
			out = append(out, n.FullName())
		}
	})
	return out
}

func (s *Schema) walk(seen map[*Schema]bool, visit func(*Schema)) {
	if s == nil || seen[s] {
		return
	}
	seen[s] = true
	visit(s)
	for _, f := range s.Fields {
		f.Schema.walk(seen, visit)
	}
	for _, b := range s.Branches {
		b.walk(seen, visit)
	}
	s.Elem.walk(seen, visit)
}

func (w *writer) member(name string) {
	if c := w.out[len(w.out)-1]; c != '{' {
		w.out = append(w.out, ',')
	}
	w.out = append(jsontree.AppendString(w.out, name), ':')
}

func (w *writer) value(name string, v any) {
	w.member(name)
	w.out = jsontree.Append(w.out, v)
}

func (w *writer) props(o *jsontree.Object) {
	for _, m := range o.Members {
		w.value(m.Name, m.Value)
	}
}

func (w *writer) schema(s *Schema, space string) {
	switch {
	case s.Type == Union:
		w.out = append(w.out, '[')
		for i, b := range s.Branches {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.schema(b, space)
		}
		w.out = append(w.out, ']')
		return
	case s.Type.Named():
		if w.known[s.FullName()] {
			w.reference(s, space)
			return
		}
		w.known[s.FullName()] = true
	case s.Elem == nil && s.Props.Len() == 0:
		w.out = jsontree.AppendString(w.out, s.Type.String())
		return
	}
	w.out = append(w.out, '{')
	w.body(s, space)
	w.out = append(w.out, '}')
}

// reference writes a name that is defined already; a type's name in no namespace stands as it is.
func (w *writer) reference(s *Schema, space string) {
	name := s.FullName()
	if _, taken := typeOf(s.Name); s.Namespace == space && !taken {
		name = s.Name
	}
	w.out = jsontree.AppendString(w.out, name)
}

func (w *writer) body(s *Schema, space string) {
	kind := s.Type.String()
	if s.Error {
		kind = "error"
	}
	w.value("type", kind)
	switch s.Type {
	case Array:
		w.member("items")
		w.schema(s.Elem, space)
	case Map:
		w.member("values")
		w.schema(s.Elem, space)
	case Record, Enum, Fixed:
		w.name(s, space)
	}
	w.props(&s.Props)
	if len(s.Aliases) > 0 {
		w.aliases(s)
	}
}

func (w *writer) name(s *Schema, space string) {
	w.value("name", s.Name)
	if s.Namespace != space {
		w.value("namespace", s.Namespace)
	}
	if s.HasDoc {
		w.value("doc", s.Doc)
	}
	switch s.Type {
	case Fixed:
		w.member("size")
		w.out = strconv.AppendInt(w.out, int64(s.Size), 10)
	case Enum:
		w.value("symbols", list(s.Symbols))
		if s.HasDefault {
			w.value("default", s.Default)
		}
	case Record:
		w.member("fields")
		w.out = append(w.out, '[')
		for i, f := range s.Fields {
			if i > 0 {
				w.out = append(w.out, ',')
			}
			w.field(f, s.Namespace)
		}
		w.out = append(w.out, ']')
	}
}

func (w *writer) field(f *Field, space string) {
	w.out = append(w.out, '{')
	w.value("name", f.Name)
	w.member("type")
	w.schema(f.Schema, space)
	if f.HasDoc {
		w.value("doc", f.Doc)
	}
	if f.HasDefault {
		w.value("default", f.Default)
	}
	if f.Order != "" {
		w.value("order", f.Order)
	}
	if len(f.Aliases) > 0 {
		w.value("aliases", list(f.Aliases))
	}
	w.props(&f.Props)
	w.out = append(w.out, '}')
}

func (w *writer) aliases(s *Schema) {
	var names []string
	for _, a := range s.Aliases {
		if space, name := split(a); space == s.Namespace {
			a = name
		}
		names = append(names, a)
	}
	w.value("aliases", list(names))
}

func list(texts []string) []any {
	out := make([]any, len(texts))
	for i, t := range texts {
		out[i] = t
	}
	return out
}
