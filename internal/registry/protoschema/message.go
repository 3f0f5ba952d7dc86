package protoschema

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// messages are those of a file or a message that indexes count.
func (f *File) messages(list protoreflect.MessageDescriptors) (out []protoreflect.MessageDescriptor) {
	for i := range list.Len() {
		if m := list.Get(i); f.Entries || !m.IsMapEntry() {
			out = append(out, m)
		}
	}
	return out
}

// Message finds a message by its indexes: of the outermost message in the file, then of each within the one before.
func (f *File) Message(indexes []int) (protoreflect.MessageDescriptor, error) {
	list := f.messages(f.Descriptor.Messages())
	var found protoreflect.MessageDescriptor
	for _, i := range indexes {
		if i < 0 || i >= len(list) {
			//lint:ignore ST1005 Kafka's words
			return nil, fmt.Errorf("Invalid message indexes: [%s]", strings.Trim(strings.ReplaceAll(fmt.Sprint(indexes), " ", ", "), "[]"))
		}
		found = list[i]
		list = f.messages(found.Messages())
	}
	if found == nil {
		return nil, fmt.Errorf("there are no message indexes")
	}
	return found, nil
}

// Indexes is the way to a message of the file by its full name; nil: it is not there.
func (f *File) Indexes(name protoreflect.FullName) []int {
	var walk func(list []protoreflect.MessageDescriptor) []int
	walk = func(list []protoreflect.MessageDescriptor) []int {
		for i, m := range list {
			if m.FullName() == name {
				return []int{i}
			}
			if strings.HasPrefix(string(name), string(m.FullName())+".") {
				if rest := walk(f.messages(m.Messages())); rest != nil {
					return slices.Insert(rest, 0, i)
				}
			}
		}
		return nil
	}
	return walk(f.messages(f.Descriptor.Messages()))
}
