package schemas

import "github.com/kstreamlab/kstreamlab/connect/data"

// Basics copies name, version, doc and parameters of s to another builder, and returns that: Kafka's SchemaUtil.copySchemaBasics.
func Basics(s *data.Schema, b *data.Builder) *data.Builder {
	if s.HasName() {
		b.Name(s.Name())
	}
	if v, ok := s.Version(); ok {
		b.Version(v)
	}
	if d, ok := s.Doc(); ok {
		b.Doc(d)
	}
	return b.Parameters(s.Parameters()...)
}

// SameType is Basics with a builder of the type of s; the elements of an array are kept.
func SameType(s *data.Schema) *data.Builder {
	if s.Type() == data.Array && s.ValueSchema() != nil {
		return Basics(s, data.ArrayOf(s.ValueSchema()))
	}
	return Basics(s, data.NewBuilder(s.Type()))
}
