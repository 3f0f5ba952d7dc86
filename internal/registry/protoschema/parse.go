// Package protoschema is for Protobuf schemas that come and go as text: it parses what a registry keeps, writes a descriptor as
// Confluent's serializers register it, finds messages by their indexes, and compares schemas as the registry does.
package protoschema

import (
	"bytes"
	"context"
	"embed"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/parser"
	"github.com/bufbuild/protocompile/reporter"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
)

//go:embed known
var known embed.FS

// Known tells whether a file that is imported needs no reference: every client has it.
func Known(file string) bool {
	if strings.HasPrefix(file, "google/protobuf/") {
		return true
	}
	f, err := known.Open("known/" + file)
	if err != nil {
		return false
	}
	_ = f.Close() // read only
	return true
}

// File is a parsed schema.
type File struct {
	Descriptor protoreflect.FileDescriptor
	// Entries tells that the messages behind map fields stand in the text as messages of their own, and so count among message indexes.
	Entries bool
}

// rootName is the name of the schema itself, which has none.
const rootName = "default"

// Parse reads a schema: .proto text, or a FileDescriptorProto in base64. imports are the texts of the files that it imports, by the
// names it gives them.
func Parse(text string, imports map[string]string) (*File, error) {
	files := map[string]*descriptorpb.FileDescriptorProto{}
	root, err := read(rootName, text)
	if err != nil {
		return nil, err
	}
	files[rootName] = root
	for _, name := range slices.Sorted(maps.Keys(imports)) {
		if files[name], err = read(name, imports[name]); err != nil {
			return nil, err
		}
	}
	find := protocompile.ResolverFunc(func(name string) (protocompile.SearchResult, error) {
		if f := files[name]; f != nil {
			return protocompile.SearchResult{Proto: proto.Clone(f).(*descriptorpb.FileDescriptorProto)}, nil
		}
		b, err := known.ReadFile("known/" + name)
		if err != nil {
			return protocompile.SearchResult{}, errors.New(name + " is imported, and there is no reference to it")
		}
		return protocompile.SearchResult{Source: bytes.NewReader(b)}, nil
	})
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(find), MaxParallelism: 1}
	linked, err := c.Compile(context.Background(), rootName)
	if err != nil {
		return nil, err
	}
	return &File{Descriptor: linked[0], Entries: explicitEntries(root.MessageType)}, nil
}

// read parses one file without its imports.
func read(name, text string) (*descriptorpb.FileDescriptorProto, error) {
	if f, ok := serialized(name, text); ok {
		return f, nil
	}
	handler := reporter.NewHandler(nil)
	tree, err := parser.Parse(name, io.NopCloser(strings.NewReader(text)), handler)
	if err != nil {
		return nil, err
	}
	result, err := parser.ResultFromAST(tree, !strings.Contains(text, "map_entry"), handler) // which is an error to the checks
	if err != nil {
		return nil, err
	}
	f := result.FileDescriptorProto()
	for _, m := range f.MessageType {
		settle(m)
	}
	keepMeta(f)
	return f, nil
}

const metaFile = "confluent/meta.proto"

// keepMeta drops options that are a program's own, since their definitions may not be there and nothing here looks at them, all but
// confluent.*_meta, which Confluent's serializers write without importing their file.
func keepMeta(f *descriptorpb.FileDescriptorProto) {
	found := false
	walkOptions(f.ProtoReflect(), func(list []*descriptorpb.UninterpretedOption) []*descriptorpb.UninterpretedOption {
		return slices.DeleteFunc(list, func(o *descriptorpb.UninterpretedOption) bool {
			name := strings.TrimPrefix(o.Name[0].GetNamePart(), ".")
			isMeta := strings.HasPrefix(name, "confluent.") && strings.HasSuffix(name, "_meta")
			found = found || isMeta
			return o.Name[0].GetIsExtension() && !isMeta
		})
	})
	if found && !slices.Contains(f.Dependency, metaFile) {
		f.Dependency = append(f.Dependency, metaFile)
	}
}

// walkOptions visits all options of a descriptor that are not known by now.
func walkOptions(m protoreflect.Message, visit func([]*descriptorpb.UninterpretedOption) []*descriptorpb.UninterpretedOption) {
	m.Range(func(fd protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case fd.Message() == nil:
		case fd.Name() == "uninterpreted_option":
			list := v.List()
			var options []*descriptorpb.UninterpretedOption
			for i := range list.Len() {
				options = append(options, list.Get(i).Message().Interface().(*descriptorpb.UninterpretedOption))
			}
			options = visit(options)
			list.Truncate(0)
			for _, o := range options {
				list.Append(protoreflect.ValueOf(o.ProtoReflect()))
			}
		case fd.IsList():
			for i := range v.List().Len() {
				walkOptions(v.List().Get(i).Message(), visit)
			}
		default:
			walkOptions(v.Message(), visit)
		}
		return true
	})
}

// serialized reads the form that clients get with format=serialized.
func serialized(name, text string) (*descriptorpb.FileDescriptorProto, bool) {
	if strings.ContainsAny(text, " {;\"\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, false
	}
	f := &descriptorpb.FileDescriptorProto{}
	if proto.Unmarshal(b, f) != nil {
		return nil, false
	}
	f.Name = proto.String(name)
	nameFields(f.MessageType)
	return f, true
}

// nameFields gives fields the names in JSON that a compiler expects to find, and a program's descriptors leave out.
func nameFields(messages []*descriptorpb.DescriptorProto) {
	for _, m := range messages {
		for _, f := range m.Field {
			if f.JsonName == nil {
				f.JsonName = proto.String(jsonName(f.GetName()))
			}
		}
		nameFields(m.NestedType)
	}
}

// settle takes the option map_entry as it stands: no compiler lets a person write it, and Confluent's serializers do.
func settle(m *descriptorpb.DescriptorProto) {
	for _, n := range m.NestedType {
		settle(n)
	}
	if m.Options == nil {
		return
	}
	m.Options.UninterpretedOption = slices.DeleteFunc(m.Options.UninterpretedOption, func(o *descriptorpb.UninterpretedOption) bool {
		if len(o.Name) != 1 || o.Name[0].GetNamePart() != "map_entry" || o.GetIdentifierValue() != "true" {
			return false
		}
		m.Options.MapEntry = proto.Bool(true)
		return true
	})
}

// explicitEntries tells whether a map's message stands in the text: the compiler puts its own ones where the field is, before it is told.
func explicitEntries(messages []*descriptorpb.DescriptorProto) bool {
	for _, m := range messages {
		for _, n := range m.NestedType {
			if n.GetOptions().GetMapEntry() && !slices.ContainsFunc(m.Field, func(f *descriptorpb.FieldDescriptorProto) bool { return synthetic(f, n) }) {
				return true
			}
		}
		if explicitEntries(m.NestedType) {
			return true
		}
	}
	return false
}

// synthetic tells whether a map's message was made by the parser: then the field names it as it is, without a dot.
func synthetic(f *descriptorpb.FieldDescriptorProto, entry *descriptorpb.DescriptorProto) bool {
	return f.GetTypeName() == entry.GetName()
}

// FromDescriptor is the schema of a file whose descriptor a program has: of generated messages.
func FromDescriptor(f protoreflect.FileDescriptor) *File { return &File{Descriptor: f, Entries: true} }

// Imports are the files that a file imports and that are not Known: those that are imported publicly come last.
func Imports(f protoreflect.FileDescriptor) (out []protoreflect.FileDescriptor) {
	list := f.Imports()
	for _, public := range []bool{false, true} {
		for i := range list.Len() {
			if d := list.Get(i); d.IsPublic == public && !Known(d.Path()) {
				out = append(out, d.FileDescriptor)
			}
		}
	}
	return out
}

// Text is the schema as Confluent's serializers register it.
func (f *File) Text() string {
	syntax := ""
	if s := f.Descriptor.Syntax(); s == protoreflect.Proto2 || s == protoreflect.Proto3 {
		syntax = s.String() // a FileDescriptorProto leaves out proto2
	}
	return text(protodesc.ToFileDescriptorProto(f.Descriptor), syntax)
}
