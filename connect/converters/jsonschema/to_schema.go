package jsonschema

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// toJSON makes a JSON schema of Connect's: JsonSchemaData.fromConnectSchema. The members of what it makes stand in an order of its own: title,
// description, $id, default, what the type asks for, connect.*.
type toJSON struct {
	options
	ids   map[string]bool
	depth int
}

func (o options) schemaOf(s *data.Schema) (*jsontree.Object, error) {
	return (&toJSON{options: o, ids: map[string]bool{}}).schema(s, -1, false, false)
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
	body, combined, err := c.body(s, s.Optional() && !asRequired)
	if err != nil {
		return nil, err
	}
	out := jsontree.Of()
	if !combined {
		if err := c.common(out, s); err != nil {
			return nil, err
		}
	}
	withID := func(o *jsontree.Object) {
		if hasID {
			o.Set("$id", id)
		}
	}
	if s.Optional() && !asRequired && !combined && !ignoreOptional {
		join(out, body)
		out = jsontree.Of()
		withID(out)
		out.Set("oneOf", []any{null(), body})
	} else {
		withID(out)
		join(out, body)
		out = body
	}
	if index >= 0 {
		out.Set(memberIndex, index)
	}
	return out, nil
}

func null() *jsontree.Object { return jsontree.Of("type", "null") }

// join puts the members of head before those of body.
func join(head, body *jsontree.Object) {
	all := append(append([]jsontree.Member{}, head.Members...), body.Members...)
	*body = jsontree.Object{}
	for _, m := range all {
		body.Set(m.Name, m.Value)
	}
}

// common sets what schemas of all types have, but not those that are combined.
func (c *toJSON) common(out *jsontree.Object, s *data.Schema) error {
	if s.HasName() {
		out.Set("title", s.Name())
	}
	if doc, ok := s.Doc(); ok {
		out.Set("description", doc)
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
		out.Set("default", v)
	}
	return nil
}

// kept sets what Connect alone knows.
func kept(out *jsontree.Object, s *data.Schema, kind string) {
	if v, ok := s.Version(); ok {
		out.Set(memberVersion, int(v))
	}
	params := jsontree.Of()
	for _, p := range s.Parameters() {
		if !strings.HasPrefix(p.Key, namespace) {
			params.Set(p.Key, p.Value)
		}
	}
	if params.Len() > 0 {
		out.Set(memberParams, params)
	}
	if kind != "" {
		out.Set(memberType, kind)
	}
}

// body is a schema without its common members; combined tells that it is one of several.
func (c *toJSON) body(s *data.Schema, optional bool) (out *jsontree.Object, combined bool, err error) {
	kind := ""
	switch s.Type() {
	case data.Int8, data.Int16, data.Int32, data.Int64:
		out, kind = jsontree.Of("type", "integer"), s.Type().Name()
	case data.Float32, data.Float64:
		out, kind = jsontree.Of("type", "number"), s.Type().Name()
	case data.Boolean:
		out = jsontree.Of("type", "boolean")
	case data.String:
		out = c.text(s)
	case data.Bytes:
		out, kind = jsontree.Of("type", "string"), "bytes"
		if s.Name() == data.DecimalName && c.numeric {
			out = jsontree.Of("type", "number")
		}
	case data.Array:
		items, err := c.referred(s.ValueSchema(), -1)
		if err != nil {
			return nil, false, err
		}
		out = jsontree.Of("type", "array", "items", items)
	case data.MapType:
		kind = "map"
		if out, err = c.mapping(s); err != nil {
			return nil, false, err
		}
	case data.StructType:
		if isUnion(s) || optional {
			out, err = c.combined(s, optional)
			return out, true, err
		}
		if out, err = c.object(s); err != nil {
			return nil, false, err
		}
	default:
		return nil, false, data.IllegalArgumentException.Errorf("Unsupported type %s", s.Type())
	}
	kept(out, s, kind)
	return out, false, nil
}

func (c *toJSON) text(s *data.Schema) *jsontree.Object {
	if !isEnum(s) {
		return jsontree.Of("type", "string")
	}
	symbols := []any{}
	for _, p := range s.Parameters() {
		if symbol, ok := strings.CutPrefix(p.Key, c.enumParameter()+"."); ok {
			if symbol == nullMarker {
				symbols = append(symbols, nil)
			} else {
				symbols = append(symbols, symbol)
			}
		}
	}
	return jsontree.Of("enum", symbols)
}

func (c *toJSON) mapping(s *data.Schema) (*jsontree.Object, error) {
	if stringKeys(s) {
		values, err := c.schema(s.ValueSchema(), -1, false, false)
		return jsontree.Of("type", "object", "additionalProperties", values), err
	}
	k, err := c.schema(s.KeySchema(), 0, false, false)
	if err != nil {
		return nil, err
	}
	v, err := c.schema(s.ValueSchema(), 1, false, false)
	entry := jsontree.Of("type", "object", "properties", jsontree.Of(keyField, k, valueField, v))
	return jsontree.Of("type", "array", "items", entry), err
}

// referred is a schema, or a reference to it where it is around already.
func (c *toJSON) referred(s *data.Schema, index int) (*jsontree.Object, error) {
	if id, ok := s.Parameter(idParameter); ok && c.ids[id] {
		return jsontree.Of("$ref", id), nil
	}
	return c.schema(s, index, false, false)
}

func (c *toJSON) combined(s *data.Schema, optional bool) (*jsontree.Object, error) {
	var list []any
	if optional {
		list = append(list, null())
	}
	if !isUnion(s) {
		inner, err := c.schema(s, -1, true, false)
		return jsontree.Of("oneOf", append(list, inner)), err
	}
	for _, f := range s.Fields() {
		member, err := c.schema(f.Schema, f.Index, true, true)
		if err != nil {
			return nil, err
		}
		list = append(list, member)
	}
	return jsontree.Of("oneOf", list), nil
}

func (c *toJSON) object(s *data.Schema) (*jsontree.Object, error) {
	out, properties := jsontree.Of("type", "object"), jsontree.Of()
	for _, f := range s.Fields() {
		p, err := c.referred(f.Schema, f.Index)
		if err != nil {
			return nil, err
		}
		properties.Set(f.Name, p)
	}
	if properties.Len() > 0 {
		out.Set("properties", properties)
	}
	if !c.open {
		out.Set("additionalProperties", false)
	}
	return out, nil
}
