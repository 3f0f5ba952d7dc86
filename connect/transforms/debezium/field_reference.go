package debezium

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
	"github.com/kstreamlab/kstreamlab/connect/internal/schemas"
)

// fieldReference is an entry of add.fields or add.headers: a field of a struct in the envelope, or of the envelope itself.
type fieldReference struct {
	parent string // the struct; "" is the envelope
	field  string
	name   string // of the new field
}

// parseReferences reads a list of name, struct.name and either with :new.
func parseReferences(prefix, list string) (out []fieldReference, err error) {
	if list == "" {
		return nil, nil
	}
	for _, item := range javastring.Split(list, ",") {
		f, err := parseReference(prefix, javastring.Trim(item))
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func parseReference(prefix, item string) (f fieldReference, err error) {
	parts := javastring.Split(item, ":")
	if len(parts) == 0 {
		return f, data.IndexOutOfBoundsException.Errorf("Index 0 out of bounds for length 0")
	}
	steps := javastring.Split(parts[0], ".")
	switch len(steps) {
	case 0:
		return f, data.IndexOutOfBoundsException.Errorf("Index 1 out of bounds for length 0")
	case 1:
		f.field, f.parent = steps[0], parentOf(steps[0])
		f.name = prefix + f.field
	default:
		f.field, f.parent = steps[1], steps[0]
		f.name = prefix + f.parent + "_" + f.field
	}
	switch len(parts) {
	case 1:
	case 2:
		f.name = prefix + parts[1]
	default:
		return f, data.IllegalArgumentException.Errorf("Unexpected field name: %s", item)
	}
	return f, nil
}

// parentOf is where a field without a struct is.
func parentOf(field string) string {
	switch field {
	case "id", "data_collection_order", "total_order":
		return "transaction"
	case "op", "ts_ms", "ts_us", "ts_ns":
		return ""
	case "updateDescription":
		return field
	}
	return "source"
}

// lookUp is a field of a struct schema, nil when there is none.
func lookUp(s *data.Schema, name string) (*data.Field, error) {
	if s.Type() != data.StructType {
		return nil, data.DataException.Errorf("Cannot look up fields on non-struct type")
	}
	return s.Field(name), nil
}

// schema is the schema of the new field; nil where the envelope has no such field.
func (f *fieldReference) schema(envelope *data.Schema) (*data.Schema, error) {
	parent := envelope
	if f.parent != "" {
		p, err := lookUp(envelope, f.parent)
		if err != nil {
			return nil, err
		}
		if p == nil {
			return nil, data.NullPointerException.Errorf("there is no field %s", f.parent)
		}
		parent = p.Schema
	}
	found, err := lookUp(parent, f.field)
	if err != nil {
		return nil, err
	}
	if found == nil {
		if found = envelope.Field(f.field); found == nil {
			return nil, nil
		}
	}
	return schemas.SameType(found.Schema).Optional().Build()
}

// value is the value of the new field.
func (f *fieldReference) value(envelope *data.Struct) (any, error) {
	parent := envelope
	if f.parent != "" {
		v, err := envelope.GetWithoutDefault(f.parent)
		if v == nil || err != nil {
			return nil, err
		}
		var ok bool
		if parent, ok = v.(*data.Struct); !ok {
			return nil, data.ClassCastException.Errorf("class %s cannot be cast to class org.apache.kafka.connect.data.Struct", data.ClassOf(v))
		}
	}
	if parent.Schema().Field(f.field) == nil {
		parent = envelope
	}
	return parent.GetWithoutDefault(f.field)
}

// joined is a list as a property.
func joined(names []any) string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = data.Text(n)
	}
	return strings.Join(texts, ",")
}
