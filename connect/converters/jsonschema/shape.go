package jsonschema

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// shape is a JSON schema as Confluent's library classifies it: by what is said of it, one of these; of several at once it makes an allOf.
type shape struct {
	kind  string           // boolean, number, string, null, array, object, const, enum, allOf, anyOf, oneOf, not, empty, ref, false
	o     *jsontree.Object // what is said; nil for true and false
	parts []*shape         // of allOf, anyOf and oneOf
	bare  bool             // it is a part that shares its text with others: title, default and so on are the whole's
}

func shapeOf(v any) (*shape, error) {
	switch v := v.(type) {
	case bool:
		if v {
			return &shape{kind: "empty"}, nil
		}
		return &shape{kind: "false"}, nil
	case *jsontree.Object:
		return objectShape(v)
	}
	return nil, data.DataException.Errorf("Unsupported schema type %s", jsontree.String(v))
}

func objectShape(o *jsontree.Object) (*shape, error) {
	if _, ok := o.Get("$ref"); ok {
		return &shape{kind: "ref", o: o}, nil
	}
	var list []*shape
	add := func(kind string) { list = append(list, &shape{kind: kind, o: o}) }
	if _, ok := o.Get("enum"); ok {
		add("enum")
	}
	for _, criterion := range []string{"allOf", "anyOf", "oneOf"} {
		subs, _ := o.Get(criterion)
		if subs, ok := subs.([]any); ok {
			s := &shape{kind: criterion, o: o}
			for _, sub := range subs {
				part, err := shapeOf(sub)
				if err != nil {
					return nil, err
				}
				s.parts = append(s.parts, part)
			}
			s.sort()
			list = append(list, s)
		}
	}
	for _, name := range []string{"not", "const"} {
		if _, ok := o.Get(name); ok {
			add(name)
		}
	}
	switch t, _ := o.Get("type"); t := t.(type) {
	case string:
		add(typeKind(t))
	case []any:
		list = append(list, typesShape(o, t))
	default:
		if kind := sniffed(o); kind != "" {
			add(kind)
		}
	}
	switch len(list) {
	case 0:
		return &shape{kind: "empty", o: o}, nil
	case 1:
		return list[0], nil
	}
	for _, s := range list {
		s.bare = true
	}
	whole := &shape{kind: "allOf", o: o, parts: list}
	whole.sort()
	return whole, nil
}

// sort puts what is combined before the rest, as that library does.
func (s *shape) sort() {
	slices.SortStableFunc(s.parts, func(a, b *shape) int {
		switch {
		case a.isCombined() == b.isCombined():
			return 0
		case a.isCombined():
			return -1
		}
		return 1
	})
}

func (s *shape) isCombined() bool { return s.kind == "allOf" || s.kind == "anyOf" || s.kind == "oneOf" }

func typeKind(name string) string {
	if name == "integer" {
		return "number"
	}
	return name
}

// typesShape is a choice of types.
func typesShape(o *jsontree.Object, types []any) *shape {
	s := &shape{kind: "anyOf", o: o}
	for _, t := range types {
		name, _ := t.(string)
		part := jsontree.Of()
		for _, m := range o.Members {
			if m.Name == "type" {
				part.Set("type", name)
			} else if m.Name != "title" && m.Name != "default" && m.Name != "description" {
				part.Set(m.Name, m.Value)
			}
		}
		s.parts = append(s.parts, &shape{kind: typeKind(name), o: part, bare: true})
	}
	if len(s.parts) == 1 {
		return s.parts[0]
	}
	return s
}

// sniffed is the type that members speak of where none is named; empty: none.
func sniffed(o *jsontree.Object) string {
	for _, hint := range []struct {
		kind  string
		names []string
	}{
		{"array", []string{"items", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains"}},
		{"string", []string{"minLength", "maxLength", "pattern", "format"}},
		{"object", []string{"properties", "required", "minProperties", "maxProperties", "dependencies", "patternProperties", "additionalProperties", "propertyNames"}},
		{"number", []string{"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}},
	} {
		for _, n := range hint.names {
			if _, ok := o.Get(n); ok {
				return hint.kind
			}
		}
	}
	return ""
}

// hashed are members in the order of a HashMap, in which Java has them.
func hashed(members []jsontree.Member) []data.Entry {
	entries := make([]data.Entry, len(members))
	for i, m := range members {
		entries[i] = data.Entry{Key: m.Name, Value: m.Value}
	}
	return confluent.HashOrder(entries, 16)
}

// property is a schema in an object.
type property struct {
	name     string
	schema   any
	required bool
}

// propertiesOf are those of an object: in the order of connect.index where it is given, else in Java's.
func propertiesOf(o *jsontree.Object) []property {
	v, _ := o.Get("properties")
	all, _ := v.(*jsontree.Object)
	if all == nil {
		return nil
	}
	required, _ := o.Get("required")
	names, _ := required.([]any)
	type placed struct {
		index int
		property
	}
	var list []placed
	for _, m := range hashed(all.Members) {
		name := m.Key.(string)
		index := len(list)
		if sub, ok := m.Value.(*jsontree.Object); ok {
			if n, ok := wholeNumber(sub, memberIndex); ok {
				index = n
			}
		}
		p := placed{index, property{name, m.Value, slices.Contains(names, any(name))}}
		if i := slices.IndexFunc(list, func(q placed) bool { return q.index == index }); i >= 0 {
			list[i] = p // as in Java, where one index is one property
		} else {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return a.index - b.index })
	out := make([]property, len(list))
	for i, p := range list {
		out[i] = p.property
	}
	return out
}
