// Package jsonschema is for JSON Schemas of a registry: parsing with their references, validation of values, and the comparison that says
// whether one schema reads what another one has written.
package jsonschema

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// Schema is a parsed schema.
type Schema struct {
	// Root is the schema as JSON: a bool or an object.
	Root     any
	refs     map[string]any // other documents, by the names by which they are referred to
	compiled *jsonschema.Schema
}

// base is where a schema without an $id is said to be, so that references to others have something to be relative to.
const base = "registry:///schema"

// Parse reads a schema. references are the texts of other schemas by the names of their references.
func Parse(text string, references map[string]string) (*Schema, error) {
	root, err := jsontree.Parse([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("a JSON schema is JSON: %w", err)
	}
	switch root.(type) {
	case bool, *jsontree.Object:
	default:
		return nil, errors.New("a JSON schema is an object, true or false")
	}
	s := &Schema{Root: root, refs: map[string]any{}}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	c.UseLoader(refuse{})
	for _, name := range slices.Sorted(maps.Keys(references)) {
		doc, err := jsontree.Parse([]byte(references[name]))
		if err != nil {
			return nil, fmt.Errorf("reference %q: %w", name, err)
		}
		s.refs[name] = doc
		for _, address := range s.addresses(name) {
			if err := c.AddResource(address, plain(doc)); err != nil {
				return nil, fmt.Errorf("reference %q: %w", name, err)
			}
		}
	}
	if err := c.AddResource(base, plain(root)); err != nil {
		return nil, err
	}
	s.compiled, err = c.Compile(base)
	return s, err
}

// addresses are where a reference of a name may be looked for: relative to where the schema is, and to its $id.
func (s *Schema) addresses(name string) []string {
	relative, err := url.Parse(name)
	if err != nil || relative.IsAbs() {
		return []string{name}
	}
	var out []string
	for _, at := range []string{base, s.id()} {
		if from, err := url.Parse(at); err == nil && from.IsAbs() {
			out = append(out, from.ResolveReference(relative).String())
		}
	}
	return out
}

// refuse loads nothing: a schema's text must not make a process read files or the net.
type refuse struct{}

func (refuse) Load(url string) (any, error) {
	return nil, fmt.Errorf("there is no reference to %s", strings.TrimPrefix(url, "registry:///"))
}

// plain is a value as encoding/json has it.
func plain(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = plain(e)
		}
		return out
	case *jsontree.Object:
		out := make(map[string]any, v.Len())
		for _, m := range v.Members {
			out[m.Name] = plain(m.Value)
		}
		return out
	}
	return v
}

// Title is the schema's name; empty: it has none.
func (s *Schema) Title() string {
	o, _ := s.Root.(*jsontree.Object)
	title, _ := o.Text("title")
	return title
}

// Canonical is the schema's text without white space, with the members of objects sorted: equal for equal schemas.
func (s *Schema) Canonical() string { return jsontree.String(sorted(s.Root)) }

func sorted(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = sorted(e)
		}
		return out
	case *jsontree.Object:
		members := slices.Clone(v.Members)
		slices.SortFunc(members, func(a, b jsontree.Member) int { return strings.Compare(a.Name, b.Name) })
		out := &jsontree.Object{}
		for _, m := range members {
			out.Set(m.Name, sorted(m.Value))
		}
		return out
	}
	return v
}

// Validate tells why a JSON text is not of the schema.
func (s *Schema) Validate(text []byte) error {
	v, err := jsontree.Parse(text)
	if err != nil {
		return err
	}
	return s.ValidateTree(v)
}

// ValidateTree is Validate for a value of package jsontree.
func (s *Schema) ValidateTree(v any) error {
	err := s.compiled.Validate(plain(v))
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	return &Invalid{leaves(invalid, nil)}
}

// Invalid is a value that is not of its schema.
type Invalid struct{ Reasons []string }

func (e *Invalid) Error() string { return strings.Join(e.Reasons, "; ") }

var printer = message.NewPrinter(language.English)

// leaves are the innermost reasons, each with its place: #/items/0: got string, want integer.
func leaves(e *jsonschema.ValidationError, out []string) []string {
	for _, c := range e.Causes {
		out = leaves(c, out)
	}
	if len(e.Causes) == 0 {
		place := "#"
		for _, p := range e.InstanceLocation {
			place += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(p)
		}
		out = append(out, fmt.Sprintf("%s: %s", place, e.ErrorKind.LocalizedString(printer)))
	}
	return out
}

// Resolve follows a $ref from this schema: into it, or into one that it refers to. It returns nil when there is nothing.
func (s *Schema) Resolve(ref string) any {
	document, fragment, _ := strings.Cut(ref, "#")
	v := s.Root
	if document != "" && document != s.id() {
		if v = s.document(document); v == nil {
			return nil
		}
	}
	if fragment == "" {
		return v
	}
	if !strings.HasPrefix(fragment, "/") {
		return anchor(v, fragment)
	}
	for part := range strings.SplitSeq(fragment[1:], "/") {
		part = strings.NewReplacer("~1", "/", "~0", "~", "%25", "%").Replace(part)
		switch at := v.(type) {
		case *jsontree.Object:
			v, _ = at.Get(part)
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	return v
}

// document is another schema by its name, or by where it is.
func (s *Schema) document(name string) any {
	for _, n := range slices.Sorted(maps.Keys(s.refs)) {
		if n == name || slices.Contains(s.addresses(n), name) || slices.Contains(s.addresses(n), s.addresses(name)[0]) {
			return s.refs[n]
		}
	}
	return nil
}

func (s *Schema) id() string {
	o, _ := s.Root.(*jsontree.Object)
	for _, name := range []string{"$id", "id"} {
		if id, ok := o.Text(name); ok {
			return id
		}
	}
	return ""
}

// anchor finds the schema of an $anchor, or of an $id that is a fragment.
func anchor(v any, name string) any {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			if found := anchor(e, name); found != nil {
				return found
			}
		}
	case *jsontree.Object:
		if a, ok := v.Text("$anchor"); ok && a == name {
			return v
		}
		if id, ok := v.Text("$id"); ok && id == "#"+name {
			return v
		}
		for _, m := range v.Members {
			if found := anchor(m.Value, name); found != nil {
				return found
			}
		}
	}
	return nil
}
