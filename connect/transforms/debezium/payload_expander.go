package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/jackson"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// payloadExpander makes structs of JSON: Debezium's JsonSchemaData.
type payloadExpander struct {
	keepNull bool // a null is an optional bytes field
	names    adjuster
	doc      jackson.Document
}

// payloadSchema is a schema that may be known to be none.
type payloadSchema struct {
	schema *data.Schema
	known  bool
}

// expand reads an object. The schema may be known where the value could not be made.
func (x *payloadExpander) expand(name, text string) (s payloadSchema, v any, err error) {
	if !strings.HasPrefix(text, "{") && !strings.HasPrefix(text, "[") {
		return s, nil, data.ConnectException.Errorf("Unable to parse payload %q", text)
	}
	root, err := x.doc.Parse([]byte(text))
	if err != nil {
		return s, nil, err
	}
	if s.schema, err = x.schema(name, root); err != nil {
		return s, nil, err
	}
	s.known = true
	if s.schema == nil {
		return s, nil, data.NullPointerException.Errorf("an empty array has no schema")
	}
	v, err = structOf(root, s.schema)
	return s, v, err
}

// schema is the schema of a node, nil where it has none.
func (x *payloadExpander) schema(key string, n jackson.Node) (*data.Schema, error) {
	switch n.Kind() {
	case jackson.String:
		return data.OptionalStringSchema, nil
	case jackson.True, jackson.False:
		return data.OptionalBooleanSchema, nil
	case jackson.Integer, jackson.Float:
		return numberSchema(n), nil
	case jackson.Array:
		if n.Len() == 0 {
			return nil, nil
		}
		s, err := x.elementSchema(key, n)
		if err != nil {
			return nil, err
		}
		return data.ArrayOf(s).Optional().Build()
	case jackson.Object:
		return x.objectSchema(key, n)
	}
	if n.Kind() == jackson.Null && x.keepNull {
		return data.OptionalBytesSchema, nil
	}
	return nil, nil
}

func numberSchema(n jackson.Node) *data.Schema {
	switch {
	case n.IsInt():
		return data.OptionalInt32Schema
	case isLong(n):
		return data.OptionalInt64Schema
	}
	return data.OptionalFloat64Schema
}

// isLong says whether the node is an integer of 64 bits.
func isLong(n jackson.Node) bool { return n.Kind() == jackson.Integer && n.Big().IsInt64() }

// members calls f with each name of an object and the value that it has last.
func members(n jackson.Node, f func(name string, v jackson.Node) error) error {
	seen := make(map[string]bool, n.Len())
	c := n.First()
	for range n.Len() {
		name := c.Text()
		if !seen[name] {
			seen[name] = true
			v, _ := n.Get(name)
			if err := f(name, v); err != nil {
				return err
			}
		}
		c = c.Next().Next()
	}
	return nil
}

func (x *payloadExpander) objectSchema(key string, n jackson.Node) (*data.Schema, error) {
	b := data.NewStructBuilder().Optional()
	if key != noKey {
		b.Name(key)
	}
	err := members(n, func(name string, v jackson.Node) error {
		name = x.names.adjust(name)
		path := name
		if key != noKey && !javastring.Blank(key) {
			path = key + "." + name
		}
		s, err := x.schema(path, v)
		if err != nil {
			return err
		}
		if s != nil && !b.HasField(name) {
			b.Field(name, s)
		}
		return b.Err()
	})
	if err != nil {
		return nil, err
	}
	return b.Build()
}

// noKey is the key of elements of an array that are no objects: Java's null. It cannot be a path.
const noKey = "\x00"

// elementSchema is the schema of all elements of an array.
func (x *payloadExpander) elementSchema(key string, n jackson.Node) (*data.Schema, error) {
	sample, err := x.sample(n)
	if err != nil {
		return nil, err
	}
	if sample.Kind() != jackson.Object {
		s, err := x.schema(noKey, sample)
		if s == nil && err == nil {
			err = data.ConnectException.Errorf("Array '' has unrecognized member schema.")
		}
		return s, err
	}
	var all []*data.Schema // distinct, in order
	c := n.First()
	for range n.Len() {
		if c.Kind() == jackson.Object {
			s, err := x.schema(key, c)
			if err != nil {
				return nil, err
			}
			if !containsEqual(all, s) {
				all = append(all, s)
			}
		}
		c = c.Next()
	}
	merged := all[0]
	for _, s := range all[1:] {
		if merged, err = merge(merged, s); err != nil {
			return nil, err
		}
	}
	return merged, nil
}

func containsEqual(all []*data.Schema, s *data.Schema) bool {
	for _, x := range all {
		if x.Equal(s) {
			return true
		}
	}
	return false
}

// merge has the fields of both; a type wins over bytes, which stand for null. The result is not optional.
func merge(left, right *data.Schema) (*data.Schema, error) {
	b := data.NewStructBuilder()
	if left.HasName() {
		b.Name(left.Name())
	}
	for _, f := range left.Fields() {
		s := f.Schema
		if o := right.Field(f.Name); o != nil && s.Type() == data.Bytes && o.Schema.Type() != data.Bytes {
			s = o.Schema
		}
		b.Field(f.Name, s)
	}
	for _, f := range right.Fields() {
		if left.Field(f.Name) == nil {
			b.Field(f.Name, f.Schema)
		}
	}
	return b.Build()
}

// sample is the first element that is not null; others of another kind are an error. Where all are null it is one of them.
func (x *payloadExpander) sample(n jackson.Node) (jackson.Node, error) {
	sample := n.First()
	c := n.First()
	for range n.Len() {
		switch {
		case c.Kind() == jackson.Null:
		case sample.Kind() == jackson.Null:
			sample = c
		case c.Kind().String() != sample.Kind().String():
			return sample, data.ConnectException.Errorf("Field is not a homogenous array (%s x %s).", sample.Raw(), c.Kind())
		case (c.Kind() == jackson.Integer || c.Kind() == jackson.Float) && numberSchema(c) != numberSchema(sample):
			return sample, data.ConnectException.Errorf("Field is not a homogenous array (%s x %s), different number types (%s x %s)",
				sample.Raw(), c.Raw(), numberSchema(sample), numberSchema(c))
		}
		c = c.Next()
	}
	return sample, nil
}

// structOf makes a struct of an object.
func structOf(n jackson.Node, s *data.Schema) (*data.Struct, error) {
	st, err := data.MakeStruct(s)
	if err != nil {
		return nil, err
	}
	for _, f := range s.Fields() {
		v, ok := n.Get(f.Name)
		if !ok {
			continue
		}
		made, err := valueOf(v, f.Schema)
		if err != nil {
			return nil, err
		}
		if err := st.PutField(f, made); err != nil {
			return nil, err
		}
	}
	return st, nil
}

func valueOf(n jackson.Node, s *data.Schema) (any, error) {
	switch n.Kind() {
	case jackson.String:
		return n.Text(), nil
	case jackson.True, jackson.False:
		return n.Kind() == jackson.True, nil
	case jackson.Float:
		return n.Float64(), nil
	case jackson.Integer:
		switch {
		case n.IsInt():
			return int32(n.Int64()), nil
		case isLong(n):
			return n.Int64(), nil
		}
		return n.Decimal(), nil
	case jackson.Array:
		return listOf(n, s)
	case jackson.Object:
		return structOf(n, s)
	}
	return nil, nil
}

func listOf(n jackson.Node, s *data.Schema) (any, error) {
	out := make([]any, 0, n.Len())
	c := n.First()
	for range n.Len() {
		v, err := valueOf(c, s.ValueSchema())
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		c = c.Next()
	}
	return out, nil
}
