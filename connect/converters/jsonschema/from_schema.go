package jsonschema

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsonschema"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// fromJSON makes a Connect schema of a JSON schema: JsonSchemaData.toConnectSchema.
type fromJSON struct {
	options
	root   *jsonschema.Schema
	within []*jsontree.Object                // objects that are being converted
	made   map[*jsontree.Object]*data.Schema // structs that were referred to
	ids    map[*jsontree.Object]string       // of those that were referred to again
	lastID int
	// settled tells that ids are those of the end.
	settled bool
	unions  int
	depth   int
}

// connectSchema converts the schema at the top; version is the registry's number, which counts where the schema has none of its own.
func (o options) connectSchema(s *jsonschema.Schema, version int32) (*data.Schema, error) {
	c := &fromJSON{options: o, root: s, made: map[*jsontree.Object]*data.Schema{}, ids: map[*jsontree.Object]string{}}
	made, err := c.any(s.Root, version, false)
	if c.lastID > 1 && err == nil { // in Java the last id of a schema is that of all its references but the first: it is known now
		c = &fromJSON{options: o, root: s, made: map[*jsontree.Object]*data.Schema{}, ids: c.ids, settled: true}
		return c.any(s.Root, version, false)
	}
	return made, err
}

func (c *fromJSON) any(v any, version int32, forced bool) (*data.Schema, error) {
	s, err := shapeOf(v)
	if err != nil {
		return nil, err
	}
	return c.schema(s, version, forced)
}

const noVersion = -1

// wholeNumber is a member that is a whole number.
func wholeNumber(o *jsontree.Object, name string) (int, bool) {
	v, _ := o.Get(name)
	n, ok := v.(json.Number)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(string(n), 10, 32)
	return int(i), err == nil
}

func unsupported(what string) error {
	return data.DataException.Errorf("Unsupported schema type %s", what)
}

// schema converts a schema; forced makes it optional.
func (c *fromJSON) schema(s *shape, version int32, forced bool) (*data.Schema, error) {
	if c.depth++; c.depth > 200 {
		return nil, data.DataException.Errorf("The JSON schema is nested too deeply, or refers to itself: Connect has no such schemas")
	}
	defer func() { c.depth-- }()
	switch s.kind {
	case "ref":
		target, err := c.follow(s)
		if err != nil {
			return nil, err
		}
		return c.referred(target, version, forced)
	case "allOf":
		if len(s.parts) == 1 && c.flatten {
			return c.schema(s.parts[0], noVersion, false)
		}
		return c.allOf(s, version, forced)
	case "anyOf", "oneOf":
		if inner := c.alone(s); inner != nil {
			return c.schema(inner, noVersion, false)
		}
		if inner := orNull(s); inner != nil {
			return c.schema(inner, version, true)
		}
	}
	b, err := c.builder(s)
	if err != nil {
		return nil, err
	}
	if err := c.common(b, s, version); err != nil {
		return nil, err
	}
	if forced {
		b.Optional()
	}
	return b.Build()
}

// referred is a schema that is referred to: from the second time on a struct has an id.
func (c *fromJSON) referred(s *shape, version int32, forced bool) (*data.Schema, error) {
	if s.kind != "object" {
		return c.schema(s, version, forced)
	}
	first, ok := c.made[s.o]
	if !ok {
		made, err := c.schema(s, version, forced)
		if err == nil && made.Type() == data.StructType {
			c.made[s.o] = made
		}
		return made, err
	}
	c.lastID++
	id := "#id" + strconv.Itoa(c.lastID)
	if c.settled {
		id = c.ids[s.o]
	}
	c.ids[s.o] = id
	b := first.CopyBasics().Parameter(idParameter, id)
	for _, f := range first.Fields() {
		b.Field(f.Name, f.Schema)
	}
	if def := first.Default(); def != nil {
		b.Default(def)
	}
	return b.SetOptional(forced).Build()
}

func (c *fromJSON) follow(s *shape) (*shape, error) {
	ref, _ := s.o.Text("$ref")
	v := c.root.Resolve(ref)
	if v == nil {
		return nil, data.DataException.Errorf("The JSON schema refers to %q, which is nowhere", ref)
	}
	return shapeOf(v)
}

// alone is what a union of one stands for, if that is asked for.
func (c *fromJSON) alone(s *shape) *shape {
	if len(s.parts) == 1 && c.flatten {
		return s.parts[0]
	}
	return nil
}

// orNull is the other part of a union of two, of which one is null.
func orNull(s *shape) *shape {
	if len(s.parts) != 2 {
		return nil
	}
	if s.parts[0].kind == "null" {
		return s.parts[1]
	}
	if s.parts[1].kind == "null" {
		return s.parts[0]
	}
	return nil
}

func (c *fromJSON) builder(s *shape) (*data.Builder, error) {
	kind := ""
	if s.o != nil {
		kind, _ = s.o.Text(memberType)
	}
	switch s.kind {
	case "boolean":
		return data.NewBuilder(data.Boolean), nil
	case "number":
		return numberBuilder(s, kind)
	case "string":
		if kind == "bytes" {
			return data.NewBuilder(data.Bytes), nil
		}
		return data.NewBuilder(data.String), nil
	case "const":
		v, _ := s.o.Get("const")
		return c.enum([]any{v}), nil
	case "enum":
		v, _ := s.o.Get("enum")
		list, _ := v.([]any)
		return c.enum(list), nil
	case "anyOf", "oneOf":
		return c.union(s)
	case "array":
		return c.array(s, kind)
	case "object":
		return c.object(s, kind)
	case "empty":
		return nil, unsupported("Variant: a schema that allows everything; give it a type")
	}
	return nil, unsupported(s.kind)
}

func numberBuilder(s *shape, kind string) (*data.Builder, error) {
	switch kind {
	case "":
		if t, _ := s.o.Text("type"); t == "integer" {
			return data.NewBuilder(data.Int64), nil
		}
		return data.NewBuilder(data.Float64), nil
	case "bytes": // a decimal
		return data.NewBuilder(data.Bytes), nil
	}
	t, ok := data.TypeNamed(kind)
	if !ok || t < data.Int8 || t > data.Float64 {
		return nil, data.IllegalArgumentException.Errorf("Unsupported type %s", kind)
	}
	return data.NewBuilder(t), nil
}

func (c *fromJSON) enum(values []any) *data.Builder {
	p := c.enumParameter()
	b := data.NewBuilder(data.String).Parameter(p, "")
	for i, v := range values {
		symbol := nullMarker
		if text, ok := v.(string); ok {
			symbol = text
		} else if v != nil {
			symbol = jsontree.String(v)
		}
		if c.general {
			b.Parameter(p+"."+symbol, strconv.Itoa(i))
		} else {
			b.Parameter(p+"."+symbol, symbol)
		}
	}
	return b
}

func (c *fromJSON) union(s *shape) (*data.Builder, error) {
	name, field := unionName, unionName+".field."
	if c.general {
		name, field = generalPrefix+strconv.Itoa(c.unions), generalField
		c.unions++
	}
	b := data.NewStructBuilder().Name(name)
	if c.general {
		b.Parameter(generalUnion, name)
	}
	index := 0
	for _, part := range s.parts {
		if part.kind == "null" {
			b.Optional()
			continue
		}
		member, err := c.schema(part, noVersion, true)
		if err != nil {
			return nil, err
		}
		b.Field(field+strconv.Itoa(index), member)
		index++
	}
	return b, nil
}

func (c *fromJSON) array(s *shape, kind string) (*data.Builder, error) {
	items, ok := s.o.Get("items")
	if _, tuple := items.([]any); !ok || tuple {
		return nil, data.DataException.Errorf("Array schema did not specify the items type")
	}
	entry, err := shapeOf(items)
	if err != nil {
		return nil, err
	}
	if kind == "map" && entry.kind == "object" {
		var pair [2]*data.Schema
		v, _ := entry.o.Get("properties")
		properties, _ := v.(*jsontree.Object)
		for i, name := range []string{keyField, valueField} {
			p, ok := properties.Get(name)
			if !ok {
				continue // the builder tells
			}
			if pair[i], err = c.any(p, noVersion, false); err != nil {
				return nil, err
			}
		}
		return data.MapOf(pair[0], pair[1]), nil
	}
	elem, err := c.schema(entry, noVersion, false)
	if err != nil {
		return nil, err
	}
	return data.ArrayOf(elem), nil
}

func (c *fromJSON) object(s *shape, kind string) (*data.Builder, error) {
	if kind == "map" {
		v, ok := s.o.Get("additionalProperties")
		if _, isBool := v.(bool); !ok || isBool {
			return data.MapOf(data.StringSchema, nil), nil // the builder tells
		}
		values, err := c.any(v, noVersion, false)
		if err != nil {
			return nil, err
		}
		return data.MapOf(data.StringSchema, values), nil
	}
	if slices.Contains(c.within, s.o) {
		return nil, data.DataException.Errorf("The JSON schema contains itself: Connect has no such schemas")
	}
	c.within = append(c.within, s.o)
	defer func() { c.within = c.within[:len(c.within)-1] }()
	return c.fields(propertiesOf(s.o))
}

func (c *fromJSON) fields(properties []property) (*data.Builder, error) {
	b := data.NewStructBuilder()
	for _, p := range properties {
		made, err := c.any(p.schema, noVersion, c.optionals && !p.required)
		if err != nil {
			return nil, err
		}
		b.Field(p.name, made)
	}
	return b, nil
}

// allOf takes all properties together, or the part that says most.
func (c *fromJSON) allOf(s *shape, version int32, forced bool) (*data.Schema, error) {
	if properties := c.collect(s, nil, 0); len(properties) > 0 {
		b, err := c.fields(properties)
		if err != nil {
			return nil, err
		}
		if forced {
			b.Optional()
		}
		return b.Build()
	}
	part := func(kinds ...string) *shape {
		var found *shape
		for _, p := range s.parts {
			if slices.Contains(kinds, p.kind) {
				found = p
			}
		}
		return found
	}
	text, number := part("string"), part("number")
	var take *shape
	switch combined := part("allOf", "anyOf", "oneOf"); {
	case combined != nil:
		take = combined
	case part("const") != nil:
		if take = text; take == nil {
			take = number
		}
	case part("enum") != nil:
		if take = number; text != nil {
			take = part("enum")
		}
	case text != nil && hasFormat(text):
		if take = number; take == nil {
			take = text
		}
	default:
		take = part("ref")
	}
	if take == nil {
		return nil, data.IllegalArgumentException.Errorf("Unsupported criterion allOf for %s", jsontree.String(s.o))
	}
	return c.schema(take, version, forced)
}

func hasFormat(s *shape) bool {
	_, ok := s.o.Text("format")
	return ok
}

// collect gathers the properties of all objects that an allOf asks for.
func (c *fromJSON) collect(s *shape, into []property, depth int) []property {
	if depth > 50 {
		return into
	}
	switch s.kind {
	case "allOf":
		for _, p := range s.parts {
			into = c.collect(p, into, depth+1)
		}
	case "ref":
		if target, err := c.follow(s); err == nil {
			into = c.collect(target, into, depth+1)
		}
	case "object":
		for _, p := range propertiesOf(s.o) {
			if i := slices.IndexFunc(into, func(o property) bool { return o.name == p.name }); i >= 0 {
				into[i] = p
			} else {
				into = append(into, p)
			}
		}
	}
	return into
}

// common takes what schemas of all types have.
func (c *fromJSON) common(b *data.Builder, s *shape, version int32) error {
	if s.o == nil || s.bare {
		if version >= 0 {
			b.Version(version)
		}
		return nil
	}
	now, err := b.Build()
	if err != nil {
		return err
	}
	if title, ok := s.o.Text("title"); ok && !now.HasName() {
		b.Name(title)
	}
	if own, ok := wholeNumber(s.o, memberVersion); ok {
		b.Version(int32(own))
	} else if version >= 0 {
		b.Version(version)
	}
	if doc, ok := s.o.Text("description"); ok {
		b.Doc(doc)
	}
	params, _ := s.o.Get(memberParams)
	if o, ok := params.(*jsontree.Object); ok {
		for _, e := range hashed(o.Members) {
			text, ok := e.Value.(string)
			if !ok {
				text = jsontree.String(e.Value)
			}
			b.Parameter(e.Key.(string), text)
		}
	}
	v, ok := s.o.Get("default")
	if !ok {
		return nil
	}
	if now, err = b.Build(); err != nil {
		return err
	}
	def, err := c.valueOf(now, jsontree.String(v))
	if err != nil {
		return err
	}
	if def != nil {
		b.Default(def)
	}
	return nil
}
