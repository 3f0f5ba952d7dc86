package protobuf

import (
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/registry/protoschema"
)

// fromProto makes a Connect schema of a message: ProtobufData.toConnectSchema.
type fromProto struct {
	options
	within []protoreflect.FullName
}

// wrapperTypes are the types of values in messages of google/protobuf/wrappers.proto.
var wrapperTypes = map[protoreflect.FullName]data.Type{
	"google.protobuf.DoubleValue": data.Float64, "google.protobuf.FloatValue": data.Float32, "google.protobuf.Int64Value": data.Int64,
	"google.protobuf.UInt64Value": data.Int64, "google.protobuf.Int32Value": data.Int32, "google.protobuf.UInt32Value": data.Int64,
	"google.protobuf.BoolValue": data.Boolean, "google.protobuf.StringValue": data.String, "google.protobuf.BytesValue": data.Bytes,
}

// connectSchema converts the schema of a message at the top; version is the registry's number.
func (o options) connectSchema(m protoreflect.MessageDescriptor, version int32) (*data.Schema, error) {
	c := &fromProto{options: o}
	b, err := c.message(m)
	if err != nil {
		return nil, err
	}
	return b.Version(version).Build()
}

func (c *fromProto) message(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	if t, ok := wrapperTypes[m.FullName()]; ok && c.rawWrappers {
		return data.NewBuilder(t), nil
	}
	if slices.Contains(c.within, m.FullName()) {
		return nil, data.DataException.Errorf("The message %s contains itself: Connect has no such schemas", m.FullName())
	}
	c.within = append(c.within, m.FullName())
	defer func() { c.within = c.within[:len(c.within)-1] }()
	name := string(m.Name())
	if c.enhanced {
		name = string(m.FullName())
	}
	b := data.NewStructBuilder().Name(name)
	for i := range m.Oneofs().Len() {
		o := m.Oneofs().Get(i)
		if o.IsSynthetic() {
			continue
		}
		if err := c.oneof(b, o); err != nil {
			return nil, err
		}
	}
	for i := range m.Fields().Len() {
		f := m.Fields().Get(i)
		if realOneof(f) != nil {
			continue
		}
		s, err := c.field(f, false)
		if err != nil {
			return nil, err
		}
		b.Field(string(f.Name()), s)
	}
	return b, nil
}

// realOneof is the oneof that a field is in; nil: none, or the one that stands for "optional".
func realOneof(f protoreflect.FieldDescriptor) protoreflect.OneofDescriptor {
	if o := f.ContainingOneof(); o != nil && !o.IsSynthetic() {
		return o
	}
	return nil
}

func (o options) unionField(d protoreflect.OneofDescriptor) string {
	if o.indexUnions {
		return string(d.Name()) + "_" + strconv.Itoa(d.Index())
	}
	return string(d.Name())
}

// oneof adds the field of a union, or its members.
func (c *fromProto) oneof(into *data.Builder, o protoreflect.OneofDescriptor) error {
	b := into
	if !c.flatten {
		b = data.NewStructBuilder()
		name := string(o.Name())
		switch {
		case c.general:
			b.Name(name).Parameter(generalUnion, name)
		case c.enhanced:
			b.Name(unionPrefix + "." + string(o.FullName()))
		default:
			b.Name(unionPrefix + "." + name)
		}
	}
	for i := range o.Fields().Len() {
		f := o.Fields().Get(i)
		s, err := c.field(f, true)
		if err != nil {
			return err
		}
		b.Field(string(f.Name()), s)
	}
	if c.flatten {
		return nil
	}
	s, err := b.Optional().Build()
	into.Field(c.unionField(o), s)
	return err
}

// isMap tells whether a field is a map: by the shape of its message, as Confluent's, which writes maps as plain messages.
func isMap(f protoreflect.FieldDescriptor) bool {
	if f.Cardinality() != protoreflect.Repeated || f.Message() == nil {
		return false
	}
	m := f.Message()
	if !strings.HasSuffix(string(m.Name()), entrySuffix) || m.Fields().Len() != 2 {
		return false
	}
	k, v := m.Fields().Get(0), m.Fields().Get(1)
	return k.Name() == keyField && v.Name() == valueField && k.Cardinality() != protoreflect.Repeated && v.Cardinality() != protoreflect.Repeated
}

// optionalKeyword tells whether a field may be missing by its own label.
func (o options) optionalKeyword(f protoreflect.FieldDescriptor) bool {
	if f.HasOptionalKeyword() && f.ParentFile().Syntax() == protoreflect.Proto3 {
		return true
	}
	return f.ParentFile().Syntax() == protoreflect.Proto2 && f.Cardinality() == protoreflect.Optional && f.ContainingOneof() == nil
}

func (c *fromProto) field(f protoreflect.FieldDescriptor, member bool) (*data.Schema, error) {
	b, err := c.value(f)
	if err != nil {
		return nil, err
	}
	if f.Cardinality() == protoreflect.Repeated && !isMap(f) {
		s, err := b.Optional().Build()
		if err != nil {
			return nil, err
		}
		b = data.ArrayOf(s).Optional()
	}
	switch {
	case member:
		b.Optional()
		if c.wrappers && f.Message() != nil {
			if _, ok := wrapperTypes[f.Message().FullName()]; ok {
				b.Parameter(wrapperParameter, "true")
			}
		}
	case c.optionals:
		if c.optionalKeyword(f) {
			b.Optional()
		}
	case !c.wrappers:
		b.Optional()
	}
	return b.Parameter(tagParameter, strconv.Itoa(int(f.Number()))).Build()
}

// value starts the schema of one value of a field.
func (c *fromProto) value(f protoreflect.FieldDescriptor) (*data.Builder, error) {
	kind := f.Kind()
	typed := func(t data.Type, plain protoreflect.Kind) *data.Builder {
		b := data.NewBuilder(t)
		if kind != plain {
			b.Parameter(typeParameter, kind.String())
		}
		return b
	}
	switch kind {
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		switch t, _ := protoschema.ReadMeta(f.Options()).Get(connectType); t {
		case "int8":
			return data.NewBuilder(data.Int8), nil
		case "int16":
			return data.NewBuilder(data.Int16), nil
		}
		return typed(data.Int32, protoreflect.Int32Kind), nil
	case protoreflect.FloatKind:
		return data.NewBuilder(data.Float32), nil
	case protoreflect.DoubleKind:
		return data.NewBuilder(data.Float64), nil
	case protoreflect.BoolKind:
		return data.NewBuilder(data.Boolean), nil
	case protoreflect.StringKind:
		return data.NewBuilder(data.String), nil
	case protoreflect.BytesKind:
		return data.NewBuilder(data.Bytes), nil
	case protoreflect.EnumKind:
		return c.enum(f.Enum()), nil
	case protoreflect.MessageKind:
		b, err := c.messageValue(f)
		if err != nil {
			return nil, err
		}
		return b.Optional(), nil
	case protoreflect.GroupKind:
		return nil, data.DataException.Errorf("Unknown Connect schema type: GROUP")
	}
	return typed(data.Int64, protoreflect.Int64Kind), nil
}

func (c *fromProto) enum(e protoreflect.EnumDescriptor) *data.Builder {
	b := data.NewBuilder(data.String)
	if c.intEnums {
		b = data.NewBuilder(data.Int32)
	}
	name := string(e.Name())
	if c.enhanced {
		name = string(e.FullName())
	}
	b.Name(name)
	p := c.enumParameter()
	b.Parameter(p, string(e.Name()))
	for i := range e.Values().Len() {
		v := e.Values().Get(i)
		b.Parameter(p+"."+string(v.Name()), strconv.Itoa(int(v.Number())))
	}
	return b.Optional()
}

func (c *fromProto) messageValue(f protoreflect.FieldDescriptor) (*data.Builder, error) {
	switch m := f.Message(); m.FullName() {
	case decimalType:
		meta := protoschema.ReadMeta(f.Options())
		number := func(key string) (int, bool) {
			text, _ := meta.Get(key)
			n, err := strconv.ParseInt(text, 10, 32)
			return int(n), err == nil
		}
		scale, _ := number("scale")
		b := data.DecimalBuilder(int32(scale))
		if precision, ok := number("precision"); ok {
			b.Parameter(connectPrecision, strconv.Itoa(precision))
		}
		return b, nil
	case dateType:
		return data.DateBuilder(), nil
	case timeType:
		return data.TimeBuilder(), nil
	case timestampType:
		return data.TimestampBuilder(), nil
	default:
		if t, ok := wrapperTypes[m.FullName()]; ok && c.wrappers {
			return data.NewBuilder(t), nil
		}
		if isMap(f) {
			return c.mapping(m)
		}
		return c.message(m)
	}
}

func (c *fromProto) mapping(m protoreflect.MessageDescriptor) (*data.Builder, error) {
	k, err := c.field(m.Fields().Get(0), false)
	if err != nil {
		return nil, err
	}
	v, err := c.field(m.Fields().Get(1), false)
	if err != nil {
		return nil, err
	}
	name := string(m.Name())
	if c.enhanced {
		name = string(m.FullName())
	}
	return data.MapOf(k, v).Name(mapName(name)), nil
}
