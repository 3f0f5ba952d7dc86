package protoschema

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// Difference is a change that breaks readers: a Difference of Confluent's Protobuf SchemaDiff.
type Difference struct {
	Kind string // such as FIELD_SCALAR_KIND_CHANGED
	Path string // such as #/Order/3
}

// Differences are all that break readers.
type Differences []Difference

func (list Differences) Error() string {
	var out []string
	for _, d := range list {
		out = append(out, fmt.Sprintf("{errorType:\"%s\", description:\"%s at path '%s'\"}", d.Kind, meanings[d.Kind], d.Path))
	}
	return strings.Join(out, ", ")
}

var meanings = map[string]string{
	"PACKAGE_CHANGED":                "The package name has changed",
	"MESSAGE_REMOVED":                "A message of the old schema is missing in the new one",
	"FIELD_KIND_CHANGED":             "The kind of a field (scalar, message, map) has changed",
	"FIELD_SCALAR_KIND_CHANGED":      "The scalar type of a field has changed to one of another encoding",
	"FIELD_NAMED_TYPE_CHANGED":       "The message type of a field has changed",
	"FIELD_NUMERIC_LABEL_CHANGED":    "The label of a numeric field has changed",
	"REQUIRED_FIELD_ADDED":           "The new schema has a required field that the old one lacks",
	"REQUIRED_FIELD_REMOVED":         "A required field of the old schema is missing in the new one",
	"ONEOF_FIELD_REMOVED":            "A field of a oneof of the old schema is missing in the new one",
	"MULTIPLE_FIELDS_MOVED_TO_ONEOF": "Several fields of the old schema are in one oneof in the new one",
	"FIELD_MOVED_TO_EXISTING_ONEOF":  "A field of the old schema is in a oneof with others in the new one",
}

// Reads tells why a program with the reader's schema cannot read what was written with the writer's, as Differences; nil: it can.
func Reads(reader, writer *File) error {
	d := differ{seen: map[[2]protoreflect.FullName]bool{}, root: writer.Descriptor}
	if reader.Descriptor.Package() != writer.Descriptor.Package() {
		d.add("PACKAGE_CHANGED", "#/")
	}
	d.messages(writer.Descriptor.Messages(), reader.Descriptor.Messages(), "#/")
	if len(d.found) == 0 {
		return nil
	}
	return d.found
}

type differ struct {
	root  protoreflect.FileDescriptor // the writer's: its messages are compared where they stand
	seen  map[[2]protoreflect.FullName]bool
	found Differences
}

func (d *differ) add(kind, path string) { d.found = append(d.found, Difference{kind, path}) }

func (d *differ) messages(old, now protoreflect.MessageDescriptors, path string) {
	for i := range old.Len() {
		m := old.Get(i)
		if m.IsMapEntry() {
			continue
		}
		at := path + string(m.Name())
		if n := now.ByName(m.Name()); n == nil {
			d.add("MESSAGE_REMOVED", at)
		} else {
			d.message(m, n, at)
		}
	}
}

// realOneof is the oneof that a field is in; nil: none, or the one that stands for "optional".
func realOneof(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

func (d *differ) message(old, now protoreflect.MessageDescriptor, path string) {
	key := [2]protoreflect.FullName{old.FullName(), now.FullName()}
	if d.seen[key] {
		return
	}
	d.seen[key] = true
	d.oneofs(old, now, path)
	var numbers []protoreflect.FieldNumber
	for _, m := range []protoreflect.MessageDescriptor{old, now} {
		for i := range m.Fields().Len() {
			numbers = append(numbers, m.Fields().Get(i).Number())
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		d.number(old, now, n, path)
	}
	d.messages(old.Messages(), now.Messages(), path+"/")
}

func (d *differ) number(old, now protoreflect.MessageDescriptor, n protoreflect.FieldNumber, path string) {
	was, is := old.Fields().ByNumber(n), now.Fields().ByNumber(n)
	at := fmt.Sprintf("%s/%d", path, n)
	switch {
	case is == nil:
		o := realOneof(was)
		if o != nil && !gone(o, now) {
			d.add("ONEOF_FIELD_REMOVED", fmt.Sprintf("%s/%s/%d", path, o.Name(), n))
		} else if o == nil && was.Cardinality() == protoreflect.Required {
			d.add("REQUIRED_FIELD_REMOVED", at)
		}
	case was == nil:
		if is.Cardinality() == protoreflect.Required {
			d.add("REQUIRED_FIELD_ADDED", at)
		}
	default:
		if o := realOneof(is); o != nil {
			at = fmt.Sprintf("%s/%s/%d", path, o.Name(), n)
		}
		d.field(was, is, at)
	}
}

// gone tells whether a oneof and all its fields are missing: that breaks nobody.
func gone(o protoreflect.OneofDescriptor, now protoreflect.MessageDescriptor) bool {
	if now.Oneofs().ByName(o.Name()) != nil {
		return false
	}
	for i := range o.Fields().Len() {
		if now.Fields().ByNumber(o.Fields().Get(i).Number()) != nil {
			return false
		}
	}
	return true
}

// oneofs finds fields that exclude each other and did not.
func (d *differ) oneofs(old, now protoreflect.MessageDescriptor, path string) {
	for i := range now.Oneofs().Len() {
		o := now.Oneofs().Get(i)
		if o.IsSynthetic() {
			continue
		}
		groups, single := map[string]bool{}, 0
		for j := range o.Fields().Len() {
			was := old.Fields().ByNumber(o.Fields().Get(j).Number())
			if was == nil {
				continue
			}
			if from := realOneof(was); from != nil {
				groups["oneof "+string(from.Name())] = true
			} else {
				groups["field "+string(was.Name())] = true
				single++
			}
		}
		at := path + "/" + string(o.Name())
		if len(groups) > 1 && single > 1 {
			d.add("MULTIPLE_FIELDS_MOVED_TO_ONEOF", at)
		} else if len(groups) > 1 {
			d.add("FIELD_MOVED_TO_EXISTING_ONEOF", at)
		}
	}
}

func (d *differ) field(was, is protoreflect.FieldDescriptor, at string) {
	kind := func(f protoreflect.FieldDescriptor) string {
		switch {
		case f.IsMap():
			return "map"
		case f.Message() != nil:
			return "message"
		}
		return "scalar"
	}
	switch {
	case kind(was) != kind(is):
		d.add("FIELD_KIND_CHANGED", at)
	case was.IsMap():
		d.field(was.MapKey(), is.MapKey(), at)
		d.field(was.MapValue(), is.MapValue(), at)
	case was.Message() != nil:
		d.named(was.Message(), is.Message(), at)
	case scalar(was) != scalar(is):
		d.add("FIELD_SCALAR_KIND_CHANGED", at)
	case label(was) != label(is) && label(was) != "" && label(is) != "" && scalar(was) != "text":
		d.add("FIELD_NUMERIC_LABEL_CHANGED", at)
	}
}

// named compares the messages of a field: names without the package, and what is in them where they are of other files.
func (d *differ) named(was, is protoreflect.MessageDescriptor, at string) {
	local := func(m protoreflect.MessageDescriptor) string {
		return strings.TrimPrefix(string(m.FullName()), string(m.ParentFile().Package())+".")
	}
	if local(was) != local(is) {
		d.add("FIELD_NAMED_TYPE_CHANGED", at)
		return
	}
	if was.ParentFile() == d.root {
		return
	}
	sub := differ{seen: d.seen, root: d.root}
	sub.message(was, is, "#/"+local(was))
	if len(sub.found) > 0 {
		d.found = append(d.found, sub.found...)
		d.add("FIELD_NAMED_TYPE_CHANGED", at)
	}
}

// label is a field's label where it is written.
func label(f protoreflect.FieldDescriptor) string {
	if realOneof(f) != nil || f.Cardinality() == protoreflect.Optional && !f.HasOptionalKeyword() && f.ParentFile().Syntax() == protoreflect.Proto3 {
		return ""
	}
	return f.Cardinality().String()
}

// scalar groups types that can be read as each other.
func scalar(f protoreflect.FieldDescriptor) string {
	switch f.Kind() {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return "signed"
	case protoreflect.StringKind, protoreflect.BytesKind:
		return "text"
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
		return "fixed32"
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
		return "fixed64"
	case protoreflect.FloatKind:
		return "float"
	case protoreflect.DoubleKind:
		return "double"
	}
	return "number" // enums too
}
