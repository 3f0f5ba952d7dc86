package jsonschema

import (
	"encoding/json"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// toJSON makes a JSON schema of Connect's: JsonSchemaData.fromConnectSchema. The members of what it makes stand where Confluent's library writes
// them, so that the text, by which a registry knows a schema, is the same.
type toJSON struct {
	options
	ids   map[string]bool
	depth int
}

func (o options) schemaOf(s *data.Schema) (*jsontree.Object, error) {
	return (&toJSON{options: o, ids: map[string]bool{}}).schema(s, -1, false, false)
}

// pieces are the members of a schema: first those of its type, then what all types have, what only Connect knows, and the rest.
type pieces struct {
	head, common jsontree.Object
	connect      []data.Entry
	tail         jsontree.Object
	combined     bool // it is one of several schemas
}

func (p *pieces) keep(name string, v any) {
	p.connect = append(p.connect, data.Entry{Key: name, Value: v})
}

// object puts the pieces together.
func (p *pieces) object() *jsontree.Object {
	out := jsontree.Of()
	add := func(members []jsontree.Member) {
		for _, m := range members {
			out.Set(m.Name, m.Value)
		}
	}
	add(p.head.Members)
	add(p.common.Members)
	buckets := 4 // of a copy of a HashMap
	if len(p.connect) > 2 {
		buckets = 8
	}
	for _, e := range confluent.HashOrder(confluent.HashOrder(p.connect, 16), buckets) {
		out.Set(e.Key.(string), e.Value)
	}
	add(p.tail.Members)
	return out
}

// schema converts a schema; index is its place among the properties of an object, negative: it has none. asRequired is as if it were not
// optional, ignoreOptional leaves out the union with null.
func (c *toJSON) schema(s *data.Schema, index int, asRequired, ignoreOptional bool) (*jsontree.Object, error) {
	if c.depth++; c.depth > 200 {
		return nil, data.DataException.Errorf("The schema of %s is nested too deeply", s.Name())
	}
	defer func() { c.depth-- }()
	id, hasID := s.Parameter(idParameter)
	c.ids[id] = hasID
	p := &pieces{}
	if err := c.body(p, s, s.Optional() && !asRequired); err != nil {
		return nil, err
	}
	if !p.combined {
		if err := c.common(p, s); err != nil {
			return nil, err
		}
	}
	if s.Optional() && !asRequired && !p.combined && !ignoreOptional {
		inner := p.object()
		p = &pieces{}
		p.tail.Set("oneOf", []any{null(), inner})
	}
	if hasID {
		p.common.Set("id", id) // not $id: the library writes this one for all drafts
	}
	if index >= 0 {
		p.keep(memberIndex, index)
	}
	return p.object(), nil
}

func null() *jsontree.Object { return jsontree.Of("type", "null") }

// common sets what schemas of all types have, but not those that are combined.
func (c *toJSON) common(p *pieces, s *data.Schema) error {
	if s.HasName() {
		p.common.Set("title", s.Name())
	}
	if doc, ok := s.Doc(); ok {
		p.common.Set("description", doc)
	}
	if s.Default() != nil {
		b, err := c.append(nil, s, s.Default())
		if err != nil {
			return err
		}
		v, err := jsontree.Parse(b)
		if err != nil {
			return data.DataException.Wrap(err, "Invalid default value")
		}
		p.common.Set("default", decimals(v))
	}
	if v, ok := s.Version(); ok {
		p.keep(memberVersion, int(v))
	}
	var params []jsontree.Member
	for _, param := range s.Parameters() {
		if !strings.HasPrefix(param.Key, namespace) {
			params = append(params, jsontree.Member{Name: param.Key, Value: param.Value})
		}
	}
	if len(params) > 0 {
		p.keep(memberParams, inOrder(params))
	}
	return nil
}

// inOrder is an object with members in the order of a HashMap.
func inOrder(members []jsontree.Member) *jsontree.Object {
	out := jsontree.Of()
	for _, e := range hashed(members) {
		out.Set(e.Key.(string), e.Value)
	}
	return out
}

// decimals writes numbers as Confluent's library does: without zeros at the end, and then as Java's BigDecimal has them.
func decimals(v any) any {
	switch v := v.(type) {
	case json.Number:
		text := v.String()
		if strings.Contains(text, ".") && !strings.ContainsAny(text, "eE") {
			text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
		}
		if d, err := data.ParseDecimal(text); err == nil {
			return json.Number(d.String())
		}
	case []any:
		for i := range v {
			v[i] = decimals(v[i])
		}
	case *jsontree.Object:
		for i := range v.Members {
			v.Members[i].Value = decimals(v.Members[i].Value)
		}
	}
	return v
}

// body sets what a schema's type asks for.
func (c *toJSON) body(p *pieces, s *data.Schema, optional bool) error {
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		p.head.Set("type", "integer")
		p.keep(memberType, s.Type().Name())
	case data.Float32, data.Float64:
		p.head.Set("type", "number")
		p.keep(memberType, s.Type().Name())
	case data.Boolean:
		p.tail.Set("type", "boolean")
	case data.String:
		if isEnum(s) {
			p.head.Set("enum", c.symbols(s))
		} else {
			p.head.Set("type", "string")
		}
	case data.Bytes:
		p.head.Set("type", "string")
		if s.Name() == data.DecimalName && c.numeric {
			p.head.Set("type", "number")
		}
		p.keep(memberType, "bytes")
	case data.Array:
		items, err := c.referred(s.ValueSchema(), -1)
		if err != nil {
			return err
		}
		p.head.Set("type", "array")
		p.tail.Set("items", items)
	case data.MapType:
		p.keep(memberType, "map")
		return c.mapping(p, s)
	case data.StructType:
		if isUnion(s) || optional {
			p.combined = true
			return c.combined(p, s, optional)
		}
		return c.object(p, s)
	default:
		return data.IllegalArgumentException.Errorf("Unsupported type %s", s.Type())
	}
	return nil
}

func (c *toJSON) symbols(s *data.Schema) []any {
	var list []data.Entry
	for _, p := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(p.Key, c.enumParameter()+"."); ok {
			if symbol == nullMarker {
				list = append(list, data.Entry{})
			} else {
				list = append(list, data.Entry{Key: symbol})
			}
		}
	}
	symbols := []any{}
	for _, e := range confluent.HashOrder(list, 16) { // a HashSet in Java
		symbols = append(symbols, e.Key)
	}
	return symbols
}

func (c *toJSON) mapping(p *pieces, s *data.Schema) error {
	if stringKeys(s) {
		values, err := c.schema(s.ValueSchema(), -1, false, false)
		p.head.Set("type", "object")
		p.tail.Set("additionalProperties", values)
		return err
	}
	k, err := c.schema(s.KeySchema(), 0, false, false)
	if err != nil {
		return err
	}
	v, err := c.schema(s.ValueSchema(), 1, false, false)
	entry := jsontree.Of("type", "object", "properties", inOrder(jsontree.Of(keyField, k, valueField, v).Members))
	p.head.Set("type", "array")
	p.tail.Set("items", entry)
	return err
}

// referred is a schema, or a reference to it where it is around already.
func (c *toJSON) referred(s *data.Schema, index int) (*jsontree.Object, error) {
	if id, ok := s.Parameter(idParameter); ok && c.ids[id] {
		return jsontree.Of("$ref", id), nil
	}
	return c.schema(s, index, false, false)
}

func (c *toJSON) combined(p *pieces, s *data.Schema, optional bool) error {
	var list []any
	if optional {
		list = append(list, null())
	}
	if !isUnion(s) {
		inner, err := c.schema(s, -1, true, false)
		p.tail.Set("oneOf", append(list, inner))
		return err
	}
	for _, f := range s.Fields() {
		member, err := c.schema(f.Schema, f.Index, true, true)
		if err != nil {
			return err
		}
		list = append(list, member)
	}
	p.tail.Set("oneOf", list)
	return nil
}

func (c *toJSON) object(p *pieces, s *data.Schema) error {
	var properties []jsontree.Member
	for _, f := range s.Fields() {
		v, err := c.referred(f.Schema, f.Index)
		if err != nil {
			return err
		}
		properties = append(properties, jsontree.Member{Name: f.Name, Value: v})
	}
	p.head.Set("type", "object")
	if !c.open {
		p.head.Set("additionalProperties", false)
	}
	if len(properties) > 0 {
		p.tail.Set("properties", inOrder(properties))
	}
	return nil
}
