package protobuf

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// target is a Connect schema in Protobuf: a file with the message of the schema.
type target struct {
	file    *protoschema.File
	message protoreflect.MessageDescriptor
	text    string
}

// rootWrappers are the messages of values that are no structs.
var rootWrappers = map[data.Type]protoreflect.Name{data.Int8: "Int32Value", data.Int16: "Int32Value", data.Int32: "Int32Value", data.Int64: "Int64Value",
	data.Float32: "FloatValue", data.Float64: "DoubleValue", data.Boolean: "BoolValue", data.String: "StringValue", data.Bytes: "BytesValue"}

// schemaOf makes a Protobuf schema of Connect's: ProtobufData.fromConnectSchema.
func (o options) schemaOf(s *data.Schema) (*target, error) {
	if w, ok := rootWrappers[s.Type()]; ok {
		file := protoschema.FromDescriptor(wrapperspb.File_google_protobuf_wrappers_proto)
		// Java's descriptor of this file tells what the field is in JSON, unlike that of a file compiled today.
		text := strings.ReplaceAll(file.Text(), " value = 1;", ` value = 1 [json_name = "value"];`)
		return &target{file, file.Descriptor.Messages().ByName(w), text}, nil
	}
	if s.Type() != data.StructType {
		return nil, data.IllegalArgumentException.Errorf("Unsupported root schema of type %s", s.Type())
	}
	c := &toProto{options: o}
	pkg, name := c.split(c.nameOr(s))
	root := &message{made: &descriptorpb.DescriptorProto{Name: proto.String(name)}}
	if err := c.message(root, s); err != nil {
		return nil, err
	}
	f := &descriptorpb.FileDescriptorProto{Name: proto.String("default"), Syntax: proto.String("proto3"), MessageType: []*descriptorpb.DescriptorProto{root.made}, Dependency: c.imports}
	if pkg != "" {
		f.Package = proto.String(pkg)
	}
	text := protoschema.Text(f)
	settleOneofs(f.MessageType)
	file, err := protoschema.Make(f)
	if err != nil {
		return nil, data.IllegalArgumentException.Errorf("%s", err.Error())
	}
	return &target{file, file.Descriptor.Messages().Get(0), text}, nil
}

// settleOneofs puts the oneofs that stand for "optional" behind the others, where Go's library wants them.
func settleOneofs(messages []*descriptorpb.DescriptorProto) {
	for _, m := range messages {
		settleOneofs(m.NestedType)
		synthetic := make([]bool, len(m.OneofDecl))
		for _, f := range m.Field {
			if f.GetProto3Optional() {
				synthetic[f.GetOneofIndex()] = true
			}
		}
		var order []int
		for _, want := range []bool{false, true} {
			for i, is := range synthetic {
				if is == want {
					order = append(order, i)
				}
			}
		}
		old := m.OneofDecl
		m.OneofDecl = nil
		for _, i := range order {
			m.OneofDecl = append(m.OneofDecl, old[i])
		}
		for _, f := range m.Field {
			if f.OneofIndex != nil {
				f.OneofIndex = proto.Int32(int32(slices.Index(order, int(f.GetOneofIndex()))))
			}
		}
	}
}

// toProto makes the messages of one file.
type toProto struct {
	options
	unnamed int
	imports []string
	depth   int
}

// message is a message that is being made, with the names of the messages in it.
type message struct {
	made   *descriptorpb.DescriptorProto
	nested []string
}

func (c *toProto) nameOr(s *data.Schema) string {
	if s.Name() != "" {
		return s.Name()
	}
	c.unnamed++
	return defaultName + strconv.Itoa(c.unnamed)
}

// last is a name without its package.
func (c *toProto) last(s *data.Schema) string {
	full := c.nameOr(s)
	return c.scrubbed(full[strings.LastIndexByte(full, '.')+1:])
}

func tagOf(s *data.Schema) (tag int32, ok bool, err error) {
	text, ok := s.Parameter(tagParameter)
	if !ok {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return 0, true, data.NumberFormatException.Errorf("For input string: %q", text)
	}
	return int32(n), true, nil
}

func (c *toProto) message(m *message, s *data.Schema) error {
	if c.depth++; c.depth > 100 {
		return data.DataException.Errorf("The schema of %s is nested too deeply", s.Name())
	}
	defer func() { c.depth-- }()
	next := int32(1)
	for _, f := range s.Fields() {
		tag, given, err := tagOf(f.Schema)
		if err != nil {
			return err
		}
		if !given {
			tag = next
			next++
		}
		made, err := c.field(m, f.Schema, c.scrubbed(f.Name), tag, false)
		if err != nil {
			return err
		}
		if made == nil { // a union: its fields are there
			continue
		}
		if c.label(f.Schema) == "optional" {
			made.Proto3Optional = proto.Bool(true)
			made.OneofIndex = proto.Int32(int32(len(m.made.OneofDecl)))
			m.made.OneofDecl = append(m.made.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String("_" + made.GetName())})
		}
		m.made.Field = append(m.made.Field, made)
	}
	return nil
}

func (c *toProto) label(s *data.Schema) string {
	switch {
	case s.Type() == data.Array || s.Type() == data.MapType:
		return "repeated"
	case c.optionals && s.Optional():
		return "optional"
	}
	return ""
}

var labels = map[string]descriptorpb.FieldDescriptorProto_Label{"repeated": descriptorpb.FieldDescriptorProto_LABEL_REPEATED, "": descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL,
	"optional": descriptorpb.FieldDescriptorProto_LABEL_OPTIONAL}

// field makes a field; nil for a union, whose fields it adds itself. Messages, maps and enums are added to m.
func (c *toProto) field(m *message, s *data.Schema, name string, tag int32, member bool) (*descriptorpb.FieldDescriptorProto, error) {
	label := c.label(s)
	if s.Type() == data.Array {
		s = s.ValueSchema()
	}
	meta := &protoschema.Meta{}
	kind, err := c.typeOf(s, name, meta, member)
	if err != nil {
		return nil, err
	}
	out := &descriptorpb.FieldDescriptorProto{Name: proto.String(name), Number: proto.Int32(tag), Label: labels[label].Enum()}
	switch {
	case importOf[kind] != "":
		if !slices.Contains(c.imports, importOf[kind]) {
			c.imports = append(c.imports, importOf[kind])
		}
	case s.Type() == data.StructType && isUnion(s):
		return nil, c.oneof(m, s)
	case s.Type() == data.StructType:
		if m.made.GetName() != kind && !slices.Contains(m.nested, kind) {
			m.nested = append(m.nested, kind)
			inner := &message{made: &descriptorpb.DescriptorProto{Name: proto.String(kind)}}
			if err := c.message(inner, s); err != nil {
				return nil, err
			}
			m.made.NestedType = append(m.made.NestedType, inner.made)
		}
	case s.Type() == data.MapType:
		if err := c.entry(m, s, kind); err != nil {
			return nil, err
		}
	case isEnum(s):
		if err := c.enum(m, s); err != nil {
			return nil, err
		}
	}
	if t, ok := scalarTypes[kind]; ok {
		out.Type = t.Enum()
	} else {
		out.TypeName = proto.String(kind)
	}
	if len(meta.Params) > 0 {
		out.Options = &descriptorpb.FieldOptions{}
		meta.Set(out.Options)
	}
	return out, nil
}

var scalarTypes = func() map[string]descriptorpb.FieldDescriptorProto_Type {
	out := map[string]descriptorpb.FieldDescriptorProto_Type{}
	for n := range descriptorpb.FieldDescriptorProto_Type_name { // into a map
		t := descriptorpb.FieldDescriptorProto_Type(n)
		name := strings.ToLower(strings.TrimPrefix(t.String(), "TYPE_"))
		if name != "group" && name != "message" && name != "enum" {
			out[name] = t
		}
	}
	return out
}()

func (c *toProto) oneof(m *message, s *data.Schema) error {
	name, _ := s.Parameter(generalUnion)
	if !c.general {
		rest, ok := strings.CutPrefix(s.Name(), unionPrefix+".")
		if !ok {
			return data.IllegalArgumentException.Errorf("The name of the union %s does not begin with %s.", s.Name(), unionPrefix)
		}
		name = c.scrubbed(rest[strings.LastIndexByte(rest, '.')+1:])
	}
	index := int32(len(m.made.OneofDecl))
	m.made.OneofDecl = append(m.made.OneofDecl, &descriptorpb.OneofDescriptorProto{Name: proto.String(name)})
	for _, f := range s.Fields() {
		tag, _, err := tagOf(f.Schema)
		if err != nil {
			return err
		}
		made, err := c.field(m, f.Schema, c.scrubbed(f.Name), tag, true)
		if err != nil {
			return err
		}
		if made != nil {
			made.OneofIndex = proto.Int32(index)
			m.made.Field = append(m.made.Field, made)
		}
	}
	return nil
}

// entry adds the message behind a map: a plain one, as Confluent's.
func (c *toProto) entry(m *message, s *data.Schema, name string) error {
	inner := &message{made: &descriptorpb.DescriptorProto{Name: proto.String(name)}}
	for i, f := range []*data.Field{{Name: keyField, Schema: s.KeySchema()}, {Name: valueField, Schema: s.ValueSchema()}} {
		made, err := c.field(inner, f.Schema, f.Name, int32(i+1), false)
		if err != nil {
			return err
		}
		if made == nil {
			return data.IllegalArgumentException.Errorf("A union cannot be the %s of a map", f.Name)
		}
		inner.made.Field = append(inner.made.Field, made)
	}
	m.made.NestedType = append(m.made.NestedType, inner.made)
	return nil
}

func (c *toProto) enum(m *message, s *data.Schema) error {
	name := c.last(s)
	if slices.ContainsFunc(m.made.EnumType, func(e *descriptorpb.EnumDescriptorProto) bool { return e.GetName() == name }) {
		return nil
	}
	out := &descriptorpb.EnumDescriptorProto{Name: proto.String(name)}
	for _, p := range s.Parameters() {
		symbol, ok := strings.CutPrefix(p.Key, c.enumParameter()+".")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(p.Value, 10, 32)
		if err != nil {
			return data.NumberFormatException.Errorf("For input string: %q", p.Value)
		}
		out.Value = append(out.Value, &descriptorpb.EnumValueDescriptorProto{Name: proto.String(symbol), Number: proto.Int32(int32(n))})
	}
	m.made.EnumType = append(m.made.EnumType, out)
	return nil
}

// logicalTypes are the messages of logical types.
var logicalTypes = map[string]string{data.DecimalName: decimalType, data.DateName: dateType, data.TimeName: timeType, data.TimestampName: timestampType}

// typeOf is the name of a schema's type; meta gets what it does not tell.
func (c *toProto) typeOf(s *data.Schema, field string, meta *protoschema.Meta, member bool) (string, error) {
	if t, ok := logicalTypes[s.Name()]; ok {
		for _, p := range []struct{ from, to string }{{connectPrecision, "precision"}, {data.ScaleParameter, "scale"}} {
			if v, ok := s.Parameter(p.from); ok && t == decimalType {
				meta.Params = append(meta.Params, protoschema.Param{Key: p.to, Value: v})
			}
		}
		return t, nil
	}
	scalar := func(plain, wrapper string) (string, error) {
		if c.wrapped(s, member) {
			return "google.protobuf." + wrapper, nil
		}
		return plain, nil
	}
	switch s.Type() {
	case data.Int8, data.Int16:
		meta.Params = append(meta.Params, protoschema.Param{Key: connectType, Value: s.Type().Name()})
		return scalar("int32", "Int32Value")
	case data.Int32:
		if name, ok := s.Parameter(enumParameter); ok {
			return name, nil
		}
		return scalar(kindOf(s, "int32"), "Int32Value")
	case data.Int64:
		switch kind := kindOf(s, "int64"); kind {
		case "uint32", "fixed32":
			return scalar(kind, "UInt32Value")
		case "uint64", "fixed64":
			return scalar(kind, "UInt64Value")
		default:
			return scalar(kind, "Int64Value")
		}
	case data.Float32:
		return scalar("float", "FloatValue")
	case data.Float64:
		return scalar("double", "DoubleValue")
	case data.Boolean:
		return scalar("bool", "BoolValue")
	case data.String:
		for _, p := range []string{generalEnum, enumParameter} {
			if name, ok := s.Parameter(p); ok {
				return name, nil
			}
		}
		return scalar("string", "StringValue")
	case data.Bytes:
		return scalar("bytes", "BytesValue")
	case data.Array:
		return "", data.IllegalArgumentException.Errorf("Array cannot be nested")
	case data.MapType:
		return entryName(c.last(s)), nil
	}
	if isUnion(s) {
		return "", nil
	}
	name := c.last(s)
	if name == field { // a message and a field in one place cannot share a name
		name += "Message"
	}
	return name, nil
}

// kindOf is the Protobuf type that a parameter asks for.
func kindOf(s *data.Schema, plain string) string {
	if kind, ok := s.Parameter(typeParameter); ok {
		return kind
	}
	return plain
}
