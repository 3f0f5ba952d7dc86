package jsonschema

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// order is in which order the members of a schema that was made here stand.
var order = []string{"$schema", "title", "type", "additionalProperties", "properties"}

// text is a schema's text, its own members first.
func text(root *jsontree.Object) string {
	slices.SortStableFunc(root.Members, func(a, b jsontree.Member) int {
		place := func(m jsontree.Member) int {
			if i := slices.Index(order, m.Name); i >= 0 {
				return i
			}
			return len(order)
		}
		return cmp.Compare(place(a), place(b))
	})
	return jsontree.String(root)
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	numberType  = reflect.TypeFor[json.Number]()
	rawType     = reflect.TypeFor[json.RawMessage]()
	marshaler   = reflect.TypeFor[json.Marshaler]()
	textWriters = reflect.TypeFor[encoding.TextMarshaler]()
)

// describe makes the schema of a type; around are the structs that it stands in.
func describe(t reflect.Type, around []reflect.Type) (*jsontree.Object, error) {
	typed := func(name string) (*jsontree.Object, error) { return jsontree.Of("type", name), nil }
	switch {
	case t == timeType:
		return jsontree.Of("type", "string", "format", "date-time"), nil
	case t == numberType:
		return typed("number")
	case t == rawType, t.Kind() == reflect.Interface, t.Implements(marshaler):
		return jsontree.Of(), nil
	case t.Implements(textWriters):
		return typed("string")
	}
	switch t.Kind() {
	case reflect.Bool:
		return typed("boolean")
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return typed("integer")
	case reflect.Float32, reflect.Float64:
		return typed("number")
	case reflect.String:
		return typed("string")
	case reflect.Pointer:
		return nullable(describe(t.Elem(), around))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nullable(jsontree.Of("type", "string", "contentEncoding", "base64"), nil)
		}
		return nullable(describeList(t, around))
	case reflect.Array:
		return describeList(t, around)
	case reflect.Map:
		elem, err := describe(t.Elem(), around)
		return nullable(jsontree.Of("type", "object", "additionalProperties", elem), err)
	case reflect.Struct:
		if slices.Contains(around, t) {
			return nil, fmt.Errorf("%s is within itself: write the schema by hand", t)
		}
		return describeStruct(t, append(slices.Clone(around), t))
	}
	return nil, fmt.Errorf("%s is no JSON", t)
}

func describeList(t reflect.Type, around []reflect.Type) (*jsontree.Object, error) {
	elem, err := describe(t.Elem(), around)
	return jsontree.Of("type", "array", "items", elem), err
}

// nullable allows null beside a schema; what allows everything allows it already.
func nullable(o *jsontree.Object, err error) (*jsontree.Object, error) {
	if err != nil || o.Len() == 0 {
		return o, err
	}
	if _, ok := o.Get("oneOf"); ok {
		return o, nil
	}
	return jsontree.Of("oneOf", []any{jsontree.Of("type", "null"), o}), nil
}

func describeStruct(t reflect.Type, around []reflect.Type) (*jsontree.Object, error) {
	properties := jsontree.Of()
	if err := describeFields(t, around, properties); err != nil {
		return nil, err
	}
	return jsontree.Of("type", "object", "additionalProperties", false, "properties", properties), nil
}

func describeFields(t reflect.Type, around []reflect.Type, into *jsontree.Object) error {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case f.Anonymous && name == "" && embedded.Kind() == reflect.Struct:
			if err := describeFields(embedded, around, into); err != nil {
				return err
			}
			continue
		case !f.IsExported() || f.Tag.Get("json") == "-":
			continue
		case name == "":
			name = f.Name
		}
		o, err := describe(f.Type, around)
		if err != nil {
			return fmt.Errorf("field %s: %w", f.Name, err)
		}
		if slices.Contains(strings.Split(options, ","), "string") {
			o = jsontree.Of("type", "string")
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			o.Set("description", doc)
		}
		into.Set(name, o)
	}
	return nil
}
