package protoschema

import (
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// Well-known files of google/protobuf that schemas made here may import.
var (
	_ = timestamppb.File_google_protobuf_timestamp_proto
	_ = wrapperspb.File_google_protobuf_wrappers_proto
)

// knownFiles finds descriptors of files that every client has.
type knownFiles struct{ files *protoregistry.Files }

// ownKnown are the descriptors of the files under known, made once.
var ownKnown = sync.OnceValues(func() (*protoregistry.Files, error) {
	out := &protoregistry.Files{}
	err := fs.WalkDir(known, "known", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := known.ReadFile(path)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, "known/")
		f, err := read(name, string(text))
		if err != nil {
			return err
		}
		made, err := protodesc.NewFile(f, protoregistry.GlobalFiles)
		if err != nil {
			return err
		}
		return out.RegisterFile(made)
	})
	return out, err
})

// FindFileByPath implements protodesc.Resolver.
func (k knownFiles) FindFileByPath(path string) (protoreflect.FileDescriptor, error) {
	if f, err := k.files.FindFileByPath(path); err == nil {
		return f, nil
	}
	return protoregistry.GlobalFiles.FindFileByPath(path)
}

// FindDescriptorByName implements protodesc.Resolver.
func (k knownFiles) FindDescriptorByName(name protoreflect.FullName) (protoreflect.Descriptor, error) {
	if d, err := k.files.FindDescriptorByName(name); err == nil {
		return d, nil
	}
	return protoregistry.GlobalFiles.FindDescriptorByName(name)
}

// Make makes a file of a descriptor that imports nothing but Known files. Names of types may be relative, as in text.
func Make(f *descriptorpb.FileDescriptorProto) (*File, error) {
	files, err := ownKnown()
	if err != nil {
		return nil, err
	}
	made, err := protodesc.NewFile(f, knownFiles{files})
	if err != nil {
		//lint:ignore ST1005 Kafka's words
		return nil, fmt.Errorf("Invalid protobuf schema definition: %w", err)
	}
	return &File{Descriptor: made, Entries: true}, nil
}
