package protoschema

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

// maxTag is the largest number that a field can have.
const maxTag = 1<<29 - 1

// printer writes a file as Confluent's ProtobufSchema does, from a descriptor.
type printer struct {
	b      strings.Builder
	proto3 bool
	indent int
}

// Text writes a descriptor as .proto text, in Confluent's format. Of options it writes those of the language and confluent.*_meta.
func Text(f *descriptorpb.FileDescriptorProto) string { return text(f, f.GetSyntax()) }

func text(f *descriptorpb.FileDescriptorProto, syntax string) string {
	p := &printer{proto3: f.GetSyntax() == "proto3"}
	if syntax != "" {
		p.line("syntax = %q;", syntax)
	}
	if f.GetPackage() != "" {
		p.line("package %s;", f.GetPackage())
	}
	p.imports(f)
	p.section(p.fileOptions(f.GetOptions()))
	if len(f.MessageType)+len(f.EnumType) > 0 {
		p.b.WriteByte('\n')
	}
	for _, m := range f.MessageType {
		p.message(m)
	}
	for _, e := range f.EnumType {
		p.enum(e)
	}
	p.extends(f.Extension)
	if len(f.Service) > 0 {
		p.b.WriteByte('\n')
	}
	for _, s := range f.Service {
		p.service(s)
	}
	return p.b.String()
}

func (p *printer) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for l := range strings.SplitSeq(text, "\n") {
		p.b.WriteString(strings.Repeat("  ", p.indent) + l + "\n")
	}
}

// open begins a block; the line after it is empty of nothing, as Confluent writes it, when the block is.
func (p *printer) block(head string, empty bool, body func()) {
	if empty {
		p.line("%s {}", head)
		return
	}
	p.line("%s {", head)
	p.indent++
	body()
	p.indent--
	p.line("}")
}

func (p *printer) imports(f *descriptorpb.FileDescriptorProto) {
	if len(f.Dependency) == 0 {
		return
	}
	p.b.WriteByte('\n')
	public := func(i int) bool { return slices.Contains(f.PublicDependency, int32(i)) }
	for i, name := range f.Dependency {
		if !public(i) && !slices.Contains(f.WeakDependency, int32(i)) {
			p.line("import %q;", name)
		}
	}
	for i, name := range f.Dependency {
		if public(i) {
			p.line("import public %q;", name)
		}
	}
}

// option is a name with its value as text.
type option struct{ name, value string }

func (p *printer) section(options []option) {
	if len(options) == 0 {
		return
	}
	if p.indent == 0 {
		p.b.WriteByte('\n')
	}
	for _, o := range options {
		p.line("option %s = %s;", o.name, o.value)
	}
}

func quoted(s string) string {
	r := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\a", `\a`, "\b", `\b`, "\f", `\f`, "\v", `\v`)
	return `"` + r.Replace(s) + `"`
}

// optionsOf collects what a descriptor's options say, in the given order of names.
func optionsOf(m proto.Message, meta string, names ...string) (out []option) {
	r := m.ProtoReflect()
	if !r.IsValid() {
		return nil
	}
	for _, name := range names {
		fd := r.Descriptor().Fields().ByName(protoreflect.Name(name))
		if fd == nil || !r.Has(fd) {
			continue
		}
		v := r.Get(fd)
		switch {
		case fd.Enum() != nil:
			out = append(out, option{name, string(fd.Enum().Values().ByNumber(v.Enum()).Name())})
		case fd.Kind().String() == "string":
			out = append(out, option{name, quoted(v.String())})
		default:
			out = append(out, option{name, v.String()})
		}
	}
	if text := ReadMeta(m).text(); text != "" {
		out = append(out, option{"(confluent." + meta + ")", text})
	}
	return out
}

func (p *printer) fileOptions(o *descriptorpb.FileOptions) []option {
	return optionsOf(o, "file_meta", "java_package", "java_outer_classname", "java_multiple_files", "java_generate_equals_and_hash",
		"java_string_check_utf8", "optimize_for", "go_package", "cc_generic_services", "java_generic_services", "py_generic_services",
		"deprecated", "cc_enable_arenas", "objc_class_prefix", "csharp_namespace", "swift_prefix", "php_class_prefix", "php_namespace",
		"php_metadata_namespace", "ruby_package")
}

func (p *printer) message(m *descriptorpb.DescriptorProto) {
	options := optionsOf(m.GetOptions(), "message_meta", "no_standard_descriptor_accessor", "deprecated", "map_entry")
	empty := len(m.ReservedRange)+len(m.ReservedName)+len(options)+len(m.Field)+len(m.ExtensionRange)+len(m.Extension)+len(m.NestedType)+len(m.EnumType) == 0
	p.block("message "+m.GetName(), empty, func() {
		gap := p.gaps()
		if len(m.ReservedRange)+len(m.ReservedName) > 0 {
			gap()
			for _, r := range m.ReservedRange {
				p.line("reserved %s;", span(r.GetStart(), r.GetEnd()-1))
			}
			for _, n := range m.ReservedName {
				p.line("reserved %q;", n)
			}
		}
		if len(options) > 0 {
			gap()
			p.section(options)
		}
		p.members(m, gap)
		if len(m.ExtensionRange) > 0 {
			gap()
			for _, r := range m.ExtensionRange {
				p.line("extensions %s;", span(r.GetStart(), r.GetEnd()-1))
			}
		}
		if len(m.Extension) > 0 {
			p.extends(m.Extension)
		}
		if len(m.NestedType)+len(m.EnumType) > 0 {
			gap()
			for _, n := range m.NestedType {
				p.message(n)
			}
			for _, e := range m.EnumType {
				p.enum(e)
			}
		}
	})
}

// gaps returns what writes the empty line before every section but the first.
func (p *printer) gaps() func() {
	first := true
	return func() {
		if !first { // in a nested message Confluent indents this line too
			p.b.WriteString(strings.Repeat("  ", p.indent-1) + "\n")
		}
		first = false
	}
}

func inOneof(f *descriptorpb.FieldDescriptorProto) bool {
	return f.OneofIndex != nil && !f.GetProto3Optional()
}

func (p *printer) members(m *descriptorpb.DescriptorProto, gap func()) {
	plain := slices.DeleteFunc(slices.Clone(m.Field), inOneof)
	if len(plain) > 0 {
		gap()
		for _, f := range plain {
			p.field(f, false)
		}
	}
	began := false
	for i, o := range m.OneofDecl {
		members := slices.DeleteFunc(slices.Clone(m.Field), func(f *descriptorpb.FieldDescriptorProto) bool {
			return !inOneof(f) || f.GetOneofIndex() != int32(i)
		})
		if len(members) == 0 {
			continue
		}
		if !began {
			gap()
			began = true
		}
		p.block("oneof "+o.GetName(), false, func() {
			for _, f := range members {
				p.field(f, true)
			}
		})
	}
}

func span(start, last int32) string {
	if start == last {
		return strconv.Itoa(int(start))
	}
	if last >= maxTag {
		return fmt.Sprintf("%d to max", start)
	}
	return fmt.Sprintf("%d to %d", start, last)
}

// field writes a field, a oneof's without a label.
func (p *printer) field(f *descriptorpb.FieldDescriptorProto, member bool) {
	label := ""
	switch {
	case member:
	case f.GetProto3Optional():
		label = "optional "
	case f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REPEATED:
		label = "repeated "
	case p.proto3:
	case f.GetLabel() == descriptorpb.FieldDescriptorProto_LABEL_REQUIRED:
		label = "required "
	default:
		label = "optional "
	}
	kind := f.GetTypeName()
	if kind == "" {
		kind = strings.ToLower(strings.TrimPrefix(f.GetType().String(), "TYPE_"))
	}
	options := optionsOf(f.GetOptions(), "field_meta", "ctype", "packed", "jstype", "deprecated", "debug_redact", "retention")
	if f.DefaultValue != nil && !p.proto3 {
		v := f.GetDefaultValue()
		if f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_STRING || f.GetType() == descriptorpb.FieldDescriptorProto_TYPE_BYTES {
			v = quoted(v)
		}
		options = append(options, option{"default", v})
	}
	if f.JsonName != nil && f.GetJsonName() != jsonName(f.GetName()) {
		options = append(options, option{"json_name", quoted(f.GetJsonName())})
	}
	p.line("%s%s %s = %d%s;", label, kind, f.GetName(), f.GetNumber(), inBrackets(options))
}

// inBrackets are options behind a field or an enum's value.
func inBrackets(options []option) string {
	switch len(options) {
	case 0:
		return ""
	case 1:
		return " [" + options[0].name + " = " + options[0].value + "]"
	}
	var lines []string
	for _, o := range options {
		lines = append(lines, o.name+" = "+o.value)
	}
	return " [\n" + indented(strings.Join(lines, ",\n")) + "\n]"
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// jsonName is the name that protoc gives a field in JSON.
func jsonName(name string) string {
	var b strings.Builder
	up := false
	for _, c := range []byte(name) {
		if c == '_' {
			up = true
			continue
		}
		if up && c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up = false
		b.WriteByte(c)
	}
	return b.String()
}

func (p *printer) enum(e *descriptorpb.EnumDescriptorProto) {
	options := optionsOf(e.GetOptions(), "enum_meta", "allow_alias", "deprecated")
	p.block("enum "+e.GetName(), false, func() {
		for _, r := range e.ReservedRange {
			p.line("reserved %s;", span(r.GetStart(), r.GetEnd()))
		}
		for _, n := range e.ReservedName {
			p.line("reserved %q;", n)
		}
		for _, o := range options {
			p.line("option %s = %s;", o.name, o.value)
		}
		for _, v := range e.Value {
			p.line("%s = %d%s;", v.GetName(), v.GetNumber(), inBrackets(optionsOf(v.GetOptions(), "enum_value_meta", "deprecated")))
		}
	})
}

func (p *printer) extends(list []*descriptorpb.FieldDescriptorProto) {
	if len(list) == 0 {
		return
	}
	p.b.WriteByte('\n')
	for _, f := range list {
		p.block("extend "+f.GetExtendee(), false, func() { p.field(f, false) })
	}
}

func (p *printer) service(s *descriptorpb.ServiceDescriptorProto) {
	options := optionsOf(s.GetOptions(), "", "deprecated")
	p.block("service "+s.GetName(), len(options)+len(s.Method) == 0, func() {
		p.section(options)
		for _, m := range s.Method {
			stream := func(b bool) string {
				if b {
					return "stream "
				}
				return ""
			}
			p.line("rpc %s (%s%s) returns (%s%s);", m.GetName(), stream(m.GetClientStreaming()), m.GetInputType(), stream(m.GetServerStreaming()), m.GetOutputType())
		}
	})
}

// metaField is the number of confluent.*_meta in all options.
const metaField = 1088

// Meta is confluent.Meta: what Connect keeps beside a schema.
type Meta struct {
	Doc    string
	Params []Param
	Tags   []string
}

// Param is a parameter of a Meta, in its order.
type Param struct{ Key, Value string }

// Get returns a parameter.
func (m *Meta) Get(key string) (string, bool) {
	if m != nil {
		for _, p := range m.Params {
			if p.Key == key {
				return p.Value, true
			}
		}
	}
	return "", false
}

// ReadMeta takes the Meta from an options message; nil: it has none.
func ReadMeta(options proto.Message) *Meta {
	if options == nil || !options.ProtoReflect().IsValid() {
		return nil
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(options)
	if err != nil {
		return nil
	}
	var out *Meta
	each(b, func(number protowire.Number, v []byte) {
		if number == metaField {
			if out == nil {
				out = &Meta{}
			}
			out.read(v)
		}
	})
	return out
}

func (m *Meta) read(b []byte) {
	each(b, func(number protowire.Number, v []byte) {
		switch number {
		case 1:
			m.Doc = string(v)
		case 2:
			var p Param
			each(v, func(number protowire.Number, v []byte) {
				if number == 1 {
					p.Key = string(v)
				} else if number == 2 {
					p.Value = string(v)
				}
			})
			m.Params = append(m.Params, p)
		case 3:
			m.Tags = append(m.Tags, string(v))
		}
	})
}

// each visits the length-delimited fields of a message.
func each(b []byte, visit func(number protowire.Number, v []byte)) {
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return
		}
		b = b[n:]
		if kind != protowire.BytesType {
			if n = protowire.ConsumeFieldValue(number, kind, b); n < 0 {
				return
			}
			b = b[n:]
			continue
		}
		v, n := protowire.ConsumeBytes(b)
		if n < 0 {
			return
		}
		visit(number, v)
		b = b[n:]
	}
}

// Set gives options a Meta, as bytes that any reader of the option understands.
func (m *Meta) Set(options proto.Message) {
	var b []byte
	text := func(dst []byte, number protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(dst, number, protowire.BytesType), s)
	}
	if m.Doc != "" {
		b = text(b, 1, m.Doc)
	}
	for _, p := range m.Params {
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), text(text(nil, 1, p.Key), 2, p.Value))
	}
	for _, t := range m.Tags {
		b = text(b, 3, t)
	}
	r := options.ProtoReflect()
	r.SetUnknown(append(r.GetUnknown(), protowire.AppendBytes(protowire.AppendTag(nil, metaField, protowire.BytesType), b)...))
}

// text is the Meta as an option's value; empty: there is nothing in it.
func (m *Meta) text() string {
	if m == nil {
		return ""
	}
	var parts []string
	if m.Doc != "" {
		parts = append(parts, "doc: "+quoted(m.Doc))
	}
	if len(m.Params) > 0 {
		var list []string
		for _, p := range m.Params {
			key, value := "key: "+quoted(p.Key), "value: "+quoted(p.Value)
			if p.Key == "precision" || p.Key == "scale" { // Confluent's order, for old times' sake
				key, value = value, key
			}
			list = append(list, "{\n"+indented(key+",\n"+value)+"\n}")
		}
		parts = append(parts, "params: [\n"+indented(strings.Join(list, ",\n"))+"\n]")
	}
	if len(m.Tags) > 0 {
		var list []string
		for _, t := range m.Tags {
			list = append(list, quoted(t))
		}
		parts = append(parts, "tags: [\n"+indented(strings.Join(list, ",\n"))+"\n]")
	}
	if len(parts) == 0 {
		return ""
	}
	return "{\n" + indented(strings.Join(parts, ",\n")) + "\n}"
}
