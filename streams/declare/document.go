package declare

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDepth is how deep values may be nested in a file.
const maxDepth = 64

// document is a file being read.
type document struct {
	file string
	root *value
}

// value is a value of the file, with its place.
type value struct {
	place
	kind  valueKind
	text  string // scalar: as written, without quotes
	style token.Type
	// start is where a scalar's text begins: behind the quote, or on the line below a block's header.
	start  place
	items  []*value
	fields []field
}

type field struct {
	place
	name  string
	value *value
}

type valueKind int8

const (
	null valueKind = iota
	scalar
	list
	mapping
)

func (k valueKind) String() string { return [...]string{"nothing", "text", "a list", "a mapping"}[k] }

// get returns the value of a field, or nil.
func (v *value) get(name string) *value {
	for i := range v.fields {
		if v.fields[i].name == name {
			return v.fields[i].value
		}
	}
	return nil
}

// read parses YAML; JSON is YAML.
func read(file string, data []byte) (d *document, err error) {
	d = &document{file: file}
	if !utf8.Valid(data) {
		return nil, d.fail(place{1, 1}, "the file is not UTF-8: save it as UTF-8")
	}
	defer func() {
		if r := recover(); r != nil { // the YAML library does on some malformed input
			d, err = nil, d.fail(place{1, 1}, "the file is no YAML: %v", r)
		}
	}()
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, d.syntax(err)
	}
	var body ast.Node
	for _, doc := range f.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			return nil, d.fail(at(doc.Body), "a second document: an app is one document")
		}
		body = doc.Body
	}
	if body == nil {
		return nil, d.fail(place{1, 1}, `the file is empty: an app has the fields "app" and "steps"`)
	}
	if d.root, err = d.convert(body, 0); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *document) syntax(err error) error {
	var e interface {
		error
		GetToken() *token.Token
		GetMessage() string
	}
	if errors.As(err, &e) && e.GetToken() != nil {
		return d.fail(placeOf(e.GetToken()), "the file is no YAML: %s", e.GetMessage())
	}
	return d.fail(place{1, 1}, "the file is no YAML: %s", err)
}

func placeOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{t.Position.Line, t.Position.Column}
}

func at(n ast.Node) place { return placeOf(n.GetToken()) }

func (d *document) convert(n ast.Node, depth int) (*value, error) {
	if depth > maxDepth {
		return nil, d.fail(at(n), "values are nested more than %d deep", maxDepth)
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		v := &value{place: at(n), kind: mapping}
		if len(n.Values) > 0 && !n.IsFlowStyle {
			v.place = at(n.Values[0].Key)
		}
		return v, d.pairs(v, n.Values, depth)
	case *ast.MappingValueNode:
		v := &value{place: at(n.Key), kind: mapping}
		return v, d.pairs(v, []*ast.MappingValueNode{n}, depth)
	case *ast.SequenceNode:
		v := &value{place: at(n), kind: list}
		for _, item := range n.Values {
			x, err := d.convert(item, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, x)
		}
		return v, nil
	case *ast.LiteralNode:
		return block(n), nil
	case *ast.NullNode:
		return &value{place: at(n), kind: null}, nil
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return plain(n.GetToken()), nil
	}
	return nil, d.fail(at(n), "anchors, aliases, tags and merges are not understood here: write the value out")
}

func plain(t *token.Token) *value {
	v := &value{place: placeOf(t), kind: scalar, text: t.Value, style: t.Type}
	v.start = v.place
	if t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType {
		v.start.column++
	}
	return v
}

// block is a literal (|) or folded (>) text. Its lines begin on the line below the header, all equally far in.
func block(n *ast.LiteralNode) *value {
	v := &value{place: placeOf(n.Start), kind: scalar, text: n.Value.Value, style: n.Start.Type}
	origin := strings.TrimLeft(n.Value.GetToken().Origin, "\n")
	indent := len(origin) - len(strings.TrimLeft(origin, " "))
	v.start = place{v.line + 1, indent + 1}
	return v
}

func (d *document) pairs(v *value, pairs []*ast.MappingValueNode, depth int) error {
	for _, p := range pairs {
		key, ok := p.Key.(ast.ScalarNode)
		if !ok || p.Key.IsMergeKey() {
			return d.fail(at(p.Key), "a field's name must be plain text")
		}
		f := field{place: at(p.Key), name: fmt.Sprint(key.GetToken().Value)}
		if v.get(f.name) != nil {
			return d.fail(f.place, "field %q is there twice: remove one", f.name)
		}
		x, err := d.convert(p.Value, depth+1)
		if err != nil {
			return err
		}
		f.value = x
		v.fields = append(v.fields, f)
	}
	return nil
}

// inside translates a place in a scalar's text (line from 1, column from 0) into one in the file.
func (v *value) inside(line, column int) place {
	column = max(column, 0)
	switch v.style {
	case token.LiteralType:
		return place{v.start.line + line - 1, v.start.column + column}
	case token.FoldedType:
		return v.start
	}
	if line > 1 { // a text over several lines, folded: only its beginning is known
		return v.start
	}
	return place{v.start.line, v.start.column + column}
}
