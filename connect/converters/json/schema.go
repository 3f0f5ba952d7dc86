package json

import (
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
)

// schemaOf reads a schema. It is kept by its text.
func (c *Converter) schemaOf(n jackson.Node) (*data.Schema, error) {
	if n.Kind() == jackson.Null {
		return nil, nil
	}
	if s, ok := c.read.get(string(n.Raw())); ok && n.Kind() == jackson.Object {
		return s, nil
	}
	b, err := c.builderOf(n)
	if err != nil {
		return nil, err
	}
	if err := c.attributes(b, n); err != nil {
		return nil, err
	}
	s, err := b.Build()
	if err == nil {
		c.read.put(string(n.Raw()), s)
	}
	return s, err
}

func (c *Converter) builderOf(n jackson.Node) (*data.Builder, error) {
	t, ok := n.Get("type")
	if !ok || t.Kind() != jackson.String {
		return nil, data.DataException.Errorf("Schema must contain 'type' field")
	}
	switch name := t.Text(); name {
	case "float":
		return data.NewBuilder(data.Float32), nil
	case "double":
		return data.NewBuilder(data.Float64), nil
	case "array":
		return c.arrayBuilder(n)
	case "map":
		return c.mapBuilder(n)
	case "struct":
		return c.structBuilder(n)
	default:
		typ, ok := data.TypeNamed(name)
		if !ok || typ == data.Float32 || typ == data.Float64 {
			return nil, data.DataException.Errorf("Unknown schema type: %s", name)
		}
		return data.NewBuilder(typ), nil
	}
}

func (c *Converter) arrayBuilder(n jackson.Node) (*data.Builder, error) {
	items, ok := n.Get("items")
	if !ok || items.Kind() == jackson.Null {
		return nil, data.DataException.Errorf("Array schema did not specify the element type")
	}
	s, err := c.schemaOf(items)
	if err != nil {
		return nil, err
	}
	return data.ArrayOf(s), nil
}

func (c *Converter) mapBuilder(n jackson.Node) (*data.Builder, error) {
	keys, ok := n.Get("keys")
	if !ok {
		return nil, data.DataException.Errorf("Map schema did not specify the key type")
	}
	values, ok := n.Get("values")
	if !ok {
		return nil, data.DataException.Errorf("Map schema did not specify the value type")
	}
	k, err := c.schemaOf(keys)
	if err != nil {
		return nil, err
	}
	v, err := c.schemaOf(values)
	if err != nil {
		return nil, err
	}
	b := data.MapOf(k, v)
	return b, b.Err()
}

func (c *Converter) structBuilder(n jackson.Node) (*data.Builder, error) {
	fields, ok := n.Get("fields")
	if !ok || fields.Kind() != jackson.Array {
		return nil, data.DataException.Errorf("Struct schema's \"fields\" argument is not an array.")
	}
	b := data.NewStructBuilder()
	f := fields.First()
	for range fields.Len() {
		name, ok := f.Get("field")
		if !ok || name.Kind() != jackson.String {
			return nil, data.DataException.Errorf("Struct schema's field name not specified properly")
		}
		s, err := c.schemaOf(f)
		if err != nil {
			return nil, err
		}
		if b.Field(name.Text(), s); b.Err() != nil {
			return nil, b.Err()
		}
		f = f.Next()
	}
	return b, nil
}

// attributes reads what all types have. Members of the wrong kind are ignored.
func (c *Converter) attributes(b *data.Builder, n jackson.Node) error {
	if o, ok := n.Get("optional"); ok && o.Kind() == jackson.True {
		b.Optional()
	}
	if x, ok := n.Get("name"); ok && x.Kind() == jackson.String {
		b.Name(x.Text())
	}
	if x, ok := n.Get("version"); ok && x.Kind() == jackson.Integer {
		b.Version(int32(x.Int64()))
	}
	if x, ok := n.Get("doc"); ok && x.Kind() == jackson.String {
		b.Doc(x.Text())
	}
	if x, ok := n.Get("parameters"); ok && x.Kind() == jackson.Object {
		k := x.First()
		for range x.Len() {
			v := k.Next()
			if v.Kind() != jackson.String {
				return data.DataException.Errorf("Schema parameters must have string values.")
			}
			b.Parameter(k.Text(), v.Text())
			k = v.Next()
		}
	}
	if x, ok := n.Get("default"); ok {
		return c.defaultOf(b, x)
	}
	return nil
}

func (c *Converter) defaultOf(b *data.Builder, n jackson.Node) error {
	s, err := b.Build()
	if err != nil {
		return err
	}
	v, err := c.valueOf(s, n, true)
	if err != nil {
		return err
	}
	if _, ok := v.(*data.Struct); ok { // Kafka cannot read it: its struct has not the schema that is still being built
		return data.SchemaBuilderException.Wrap(data.DataException.Errorf("Struct schemas do not match."), "Invalid default value")
	}
	return b.Default(v).Err()
}
