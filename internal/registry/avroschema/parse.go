package avroschema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// maxNesting is how deep a schema may be nested.
const maxNesting = 200

// parser reads a schema as Java's Schema.Parser does.
type parser struct {
	named map[string]*Schema // by full name
	depth int
}

// Parse reads a schema. needed are the texts of schemas that define names it refers to, each after those that it needs itself.
func Parse(text string, needed ...string) (*Schema, error) {
	p := &parser{named: map[string]*Schema{}}
	for _, n := range needed {
		if _, err := p.text(n); err != nil {
			return nil, fmt.Errorf("in a referenced schema: %w", err)
		}
	}
	return p.text(text)
}

func (p *parser) text(text string) (*Schema, error) {
	v, err := jsontree.Parse([]byte(text))
	if err != nil {
		// Confluent's registry stores a primitive type with or without quotation marks.
		if t, ok := typeOf(text); ok {
			return Prim(t), nil
		}
		return nil, fmt.Errorf("an Avro schema is JSON: %w", err)
	}
	s, err := p.schema(doubles(v), "")
	if err != nil {
		return nil, err
	}
	s.text = s.Referring(nil)
	return s, s.readDefaults()
}

// doubles writes numbers with a fraction or an exponent as Java does, which reads them as doubles.
func doubles(v any) any {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil && strings.ContainsAny(v.String(), ".eE") {
			return json.Number(jsontree.JavaFloat(f, 64))
		}
	case []any:
		for i := range v {
			v[i] = doubles(v[i])
		}
	case *jsontree.Object:
		for i := range v.Members {
			v.Members[i].Value = doubles(v.Members[i].Value)
		}
	}
	return v
}

func typeOf(name string) (Type, bool) {
	i := slices.Index(typeNames[:String+1], name)
	return Type(max(i, 0)), i >= 0
}

func (p *parser) schema(v any, space string) (*Schema, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxNesting {
		return nil, fmt.Errorf("a schema nested deeper than %d", maxNesting)
	}
	switch v := v.(type) {
	case string:
		return p.byName(v, space)
	case []any:
		return p.union(v, space)
	case *jsontree.Object:
		return p.object(v, space)
	}
	return nil, fmt.Errorf("%s is no schema: a name, an object or an array is expected", jsontree.String(v))
}

func (p *parser) byName(name, space string) (*Schema, error) {
	if t, ok := typeOf(name); ok {
		return Prim(t), nil
	}
	for _, full := range []string{p.full(name, space), name} {
		if s := p.named[full]; s != nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("undefined name: %q", p.full(name, space))
}

func (p *parser) full(name, space string) string {
	if s, _ := split(name); s != "" {
		return name
	}
	return join(space, name)
}

func (p *parser) union(list []any, space string) (*Schema, error) {
	s := &Schema{Type: Union}
	seen := map[string]bool{}
	for _, v := range list {
		b, err := p.schema(v, space)
		if err != nil {
			return nil, err
		}
		if b.Type == Union {
			return nil, fmt.Errorf("a union directly in a union")
		}
		if seen[b.FullName()] {
			return nil, fmt.Errorf("duplicate in union: %s", b.FullName())
		}
		seen[b.FullName()] = true
		s.Branches = append(s.Branches, b)
	}
	return s, nil
}

func (p *parser) object(o *jsontree.Object, space string) (*Schema, error) {
	kind, ok := o.Get("type")
	if !ok {
		return nil, fmt.Errorf("no type in %s", jsontree.String(o))
	}
	name, ok := kind.(string)
	if !ok { // {"type": {...}}, which Java reads as what is inside
		return p.schema(kind, space)
	}
	if t, ok := typeOf(name); ok {
		s := Prim(t)
		return s, s.props(o)
	}
	switch name {
	case "record", "error":
		return p.record(o, space, name == "error")
	case "enum":
		return p.enum(o, space)
	case "fixed":
		return p.fixed(o, space)
	case "array":
		return p.container(o, space, Array, "items")
	case "map":
		return p.container(o, space, Map, "values")
	}
	return p.byName(name, space)
}

func (p *parser) container(o *jsontree.Object, space string, t Type, member string) (*Schema, error) {
	v, ok := o.Get(member)
	if !ok {
		return nil, fmt.Errorf("no %s in %s", member, jsontree.String(o))
	}
	elem, err := p.schema(v, space)
	if err != nil {
		return nil, err
	}
	s := Of(t, elem)
	return s, s.props(o)
}

// named begins a named schema and makes it known, so that it may contain itself.
func (p *parser) begin(o *jsontree.Object, space string, t Type) (*Schema, error) {
	name, ok := o.Text("name")
	if !ok {
		return nil, fmt.Errorf("no name in %s", jsontree.String(o))
	}
	s := &Schema{Type: t}
	s.Namespace, s.Name = split(name)
	if s.Namespace == "" {
		s.Namespace = space
		if given, ok := o.Get("namespace"); ok {
			s.Namespace, _ = given.(string)
		}
	}
	if err := CheckName(s.Name); err != nil {
		return nil, err
	}
	if _, ok := typeOf(s.Name); ok && s.Namespace == "" {
		return nil, fmt.Errorf("schemas may not be named after primitive types: %s", s.Name)
	}
	if p.named[s.FullName()] != nil {
		return nil, fmt.Errorf("can't redefine: %s", s.FullName())
	}
	s.Doc, s.HasDoc = o.Text("doc")
	aliases, err := texts(o, "aliases")
	if err != nil {
		return nil, err
	}
	for _, a := range aliases {
		s.Aliases = append(s.Aliases, p.full(a, s.Namespace))
	}
	p.named[s.FullName()] = s
	return s, s.props(o)
}

func (p *parser) record(o *jsontree.Object, space string, isError bool) (*Schema, error) {
	s, err := p.begin(o, space, Record)
	if err != nil {
		return nil, err
	}
	s.Error = isError
	list, _ := o.Get("fields")
	fields, ok := list.([]any)
	if !ok {
		return nil, fmt.Errorf("record %s has no fields: an array is expected", s.FullName())
	}
	s.SetFields(nil)
	for _, v := range fields {
		f, err := p.field(s, v)
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", s.FullName(), err)
		}
		s.fields[f.Name] = len(s.Fields)
		s.Fields = append(s.Fields, f)
	}
	return s, nil
}

func (p *parser) field(s *Schema, v any) (*Field, error) {
	o, ok := v.(*jsontree.Object)
	if !ok {
		return nil, fmt.Errorf("%s is no field", jsontree.String(v))
	}
	f := &Field{}
	if f.Name, ok = o.Text("name"); !ok {
		return nil, fmt.Errorf("no name in field %s", jsontree.String(o))
	}
	if err := CheckName(f.Name); err != nil {
		return nil, err
	}
	if s.Index(f.Name) >= 0 {
		return nil, fmt.Errorf("duplicate field %s", f.Name)
	}
	kind, ok := o.Get("type")
	if !ok {
		return nil, fmt.Errorf("no type for field %s", f.Name)
	}
	var err error
	if f.Schema, err = p.schema(kind, s.Namespace); err != nil {
		return nil, fmt.Errorf("field %s: %w", f.Name, err)
	}
	f.Doc, f.HasDoc = o.Text("doc")
	f.Default, f.HasDefault = o.Get("default")
	if order, ok := o.Text("order"); ok && order != "ascending" {
		f.Order = order
	}
	if f.Aliases, err = texts(o, "aliases"); err != nil {
		return nil, err
	}
	reserved := []string{"default", "doc", "name", "order", "type", "aliases"}
	for _, m := range o.Members {
		if !slices.Contains(reserved, m.Name) {
			f.Props.Set(m.Name, m.Value)
		}
	}
	return f, nil
}

func (p *parser) enum(o *jsontree.Object, space string) (*Schema, error) {
	s, err := p.begin(o, space, Enum)
	if err != nil {
		return nil, err
	}
	if s.Symbols, err = texts(o, "symbols"); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, sym := range s.Symbols {
		if err := CheckName(sym); err != nil {
			return nil, err
		}
		if seen[sym] {
			return nil, fmt.Errorf("duplicate enum symbol: %s", sym)
		}
		seen[sym] = true
	}
	if s.Default, s.HasDefault = o.Text("default"); s.HasDefault && !seen[s.Default] {
		return nil, fmt.Errorf("the enum default %q is not one of the symbols of %s", s.Default, s.FullName())
	}
	return s, nil
}

func (p *parser) fixed(o *jsontree.Object, space string) (*Schema, error) {
	s, err := p.begin(o, space, Fixed)
	if err != nil {
		return nil, err
	}
	v, _ := o.Get("size")
	if s.Size, err = whole(v); err != nil || s.Size < 0 {
		return nil, fmt.Errorf("the size of fixed %s is no whole number: %s", s.FullName(), jsontree.String(v))
	}
	s.readLogical()
	return s, nil
}

func whole(v any) (int, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, strconv.ErrSyntax
	}
	i, err := strconv.ParseInt(string(n), 10, 32)
	return int(i), err
}

func texts(o *jsontree.Object, member string) ([]string, error) {
	v, ok := o.Get(member)
	if !ok {
		return nil, nil
	}
	list, ok := v.([]any)
	out := make([]string, len(list))
	for i, e := range list {
		var isText bool
		out[i], isText = e.(string)
		ok = ok && isText
	}
	if !ok {
		return nil, fmt.Errorf("%s is no array of strings: %s", member, jsontree.String(v))
	}
	return out, nil
}

// CheckName tells why a name cannot be one of Avro's; letters of all scripts are good, as in Java.
func CheckName(name string) error {
	for i, r := range name {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return fmt.Errorf("illegal character in: %s", name)
		}
	}
	if name == "" {
		return fmt.Errorf("empty name")
	}
	return nil
}

// reserved are attributes that are no properties.
var reserved = []string{"doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"}

func (s *Schema) props(o *jsontree.Object) error {
	for _, m := range o.Members {
		if slices.Contains(reserved, m.Name) || m.Name == "default" && s.Type == Enum {
			continue
		}
		s.Props.Set(m.Name, m.Value)
	}
	s.readLogical()
	return nil
}

// logicalTypes are those that Avro knows, by the types that they are good on.
var logicalTypes = map[string][]Type{
	"decimal": {Bytes, Fixed}, "big-decimal": {Bytes}, "uuid": {String, Fixed}, "date": {Int}, "time-millis": {Int}, "time-micros": {Long},
	"timestamp-millis": {Long}, "timestamp-micros": {Long}, "timestamp-nanos": {Long}, "local-timestamp-millis": {Long},
	"local-timestamp-micros": {Long}, "local-timestamp-nanos": {Long}, "duration": {Fixed},
}

// readLogical takes the logical type from the properties; as in Java one that is not valid is ignored.
func (s *Schema) readLogical() {
	s.Logical, s.Precision, s.Scale = "", 0, 0
	name, ok := s.Props.Text("logicalType")
	if !ok || !slices.Contains(logicalTypes[name], s.Type) {
		return
	}
	switch name {
	case "decimal":
		if !s.readDecimal() {
			return
		}
	case "uuid":
		if s.Type == Fixed && s.Size != 16 {
			return
		}
	case "duration":
		if s.Size != 12 {
			return
		}
	}
	s.Logical = name
}

func (s *Schema) readDecimal() bool {
	number := func(name string) (int, bool) {
		v, ok := s.Props.Get(name)
		if !ok {
			return 0, name == "scale"
		}
		if i, ok := v.(int); ok {
			return i, true
		}
		i, err := whole(v)
		return i, err == nil
	}
	precision, ok := number("precision")
	scale, ok2 := number("scale")
	if !ok || !ok2 || precision <= 0 || scale < 0 || scale > precision {
		return false
	}
	s.Precision, s.Scale = precision, scale
	return true
}
