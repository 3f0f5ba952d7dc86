package protobuf

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Names that mark schemas and their parameters.
const (
	namespace   = "io.confluent.connect.protobuf"
	defaultName = "ConnectDefault"
	entrySuffix = "Entry"
	keyField    = "key"
	valueField  = "value"

	enumParameter    = namespace + ".Enum"
	unionPrefix      = namespace + ".Union"
	tagParameter     = namespace + ".Tag"
	typeParameter    = namespace + ".Type"
	wrapperParameter = namespace + ".Wrapper"
	generalUnion     = "org.apache.kafka.connect.data.Union"
	generalEnum      = "org.apache.kafka.connect.data.Enum"

	connectType      = "connect.type"
	connectPrecision = "connect.decimal.precision"

	decimalType   = "confluent.type.Decimal"
	dateType      = "google.type.Date"
	timeType      = "google.type.TimeOfDay"
	timestampType = "google.protobuf.Timestamp"
)

// importOf are the files of the known message types.
var importOf = map[string]string{
	decimalType: "confluent/type/decimal.proto", dateType: "google/type/date.proto", timeType: "google/type/timeofday.proto", timestampType: "google/protobuf/timestamp.proto",
	"google.protobuf.DoubleValue": wrappersFile, "google.protobuf.FloatValue": wrappersFile, "google.protobuf.Int64Value": wrappersFile,
	"google.protobuf.UInt64Value": wrappersFile, "google.protobuf.Int32Value": wrappersFile, "google.protobuf.UInt32Value": wrappersFile,
	"google.protobuf.BoolValue": wrappersFile, "google.protobuf.StringValue": wrappersFile, "google.protobuf.BytesValue": wrappersFile,
}

const wrappersFile = "google/protobuf/wrappers.proto"

var optionsDef = config.NewDef(
	config.Key{Name: "generalized.sum.type.support", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether enums and unions are marked in a way that the converters of all formats understand."},
	config.Key{Name: "ignore.default.for.nullables", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether a null in an optional field with a default stays null."},
	config.Key{Name: "schemas.cache.config", Type: config.Int, Default: 1000, Importance: config.Low, Doc: "How many converted schemas are remembered."},
	config.Key{Name: "enhanced.protobuf.schema.support", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether names keep their package."},
	config.Key{Name: "scrub.invalid.names", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether characters that a name in Protobuf cannot have are replaced."},
	config.Key{Name: "int.for.enums", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether enums are numbers, not names."},
	config.Key{Name: "optional.for.nullables", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether optional fields have the label optional."},
	config.Key{Name: "optional.for.proto2", Type: config.Boolean, Default: true, Importance: config.Medium, Doc: "Whether optional fields of proto2 may be null."},
	config.Key{Name: "wrapper.for.nullables", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether optional fields have types of google/protobuf/wrappers.proto."},
	config.Key{Name: "wrapper.for.raw.primitives", Type: config.Boolean, Default: true, Importance: config.Medium, Doc: "Whether a wrapper at the top is a primitive value."},
	config.Key{Name: "generate.struct.for.nulls", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether a message that is not there is a struct of defaults."},
	config.Key{Name: "generate.index.for.unions", Type: config.Boolean, Default: true, Importance: config.Low, Doc: "Whether the names of unions end in their index."},
	config.Key{Name: "flatten.unions", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether the fields of a oneof are fields of the struct that it is in."},
)

// options is Confluent's ProtobufDataConfig.
type options struct {
	general, ignoreDefault, enhanced, scrub, intEnums, optionals, proto2, wrappers, rawWrappers, structForNull, indexUnions, flatten bool
	cache                                                                                                                            int
}

func parseOptions(props config.Props) (o options, err error) {
	v, err := optionsDef.Parse(props)
	if err != nil {
		return o, err
	}
	return options{general: v.Bool("generalized.sum.type.support"), ignoreDefault: v.Bool("ignore.default.for.nullables"),
		enhanced: v.Bool("enhanced.protobuf.schema.support"), scrub: v.Bool("scrub.invalid.names"), intEnums: v.Bool("int.for.enums"),
		optionals: v.Bool("optional.for.nullables"), proto2: v.Bool("optional.for.proto2"), wrappers: v.Bool("wrapper.for.nullables"),
		rawWrappers: v.Bool("wrapper.for.raw.primitives"), structForNull: v.Bool("generate.struct.for.nulls"),
		indexUnions: v.Bool("generate.index.for.unions"), flatten: v.Bool("flatten.unions"), cache: max(1, int(v.Int("schemas.cache.config")))}, nil
}

func (o options) enumParameter() string {
	if o.general {
		return generalEnum
	}
	return enumParameter
}

func isUnion(s *data.Schema) bool {
	_, marked := s.Parameter(generalUnion)
	return strings.HasPrefix(s.Name(), unionPrefix) || marked
}

func isEnum(s *data.Schema) bool {
	_, a := s.Parameter(generalEnum)
	_, b := s.Parameter(enumParameter)
	return a || b
}

func marked(s *data.Schema) bool {
	v, _ := s.Parameter(wrapperParameter)
	return strings.EqualFold(v, "true")
}

func (o options) scrubbed(name string) string {
	if !o.scrub {
		return name
	}
	return confluent.Scrub(name, true)
}

// split is a full name as package and name, scrubbed.
func (o options) split(full string) (pkg, name string) {
	parts := strings.Split(full, ".")
	for i := range parts {
		parts[i] = o.scrubbed(parts[i])
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], "."), parts[last]
}

// wrapped tells whether a scalar of an optional schema has a wrapper's type.
func (o options) wrapped(s *data.Schema, member bool) bool {
	return o.wrappers && s.Optional() && (!member || marked(s))
}

// entryName is the message behind a map of that name.
func entryName(name string) string {
	if strings.Contains(name, "_") {
		var b strings.Builder
		for word := range strings.SplitSeq(name, "_") {
			if word != "" {
				b.WriteString(strings.ToUpper(word[:1]) + strings.ToLower(word[1:]))
			}
		}
		name = b.String()
	}
	return name + entrySuffix
}

// mapName is the map behind a message of that full name.
func mapName(full string) string {
	head, last := "", full
	if i := strings.LastIndexByte(full, '.'); i >= 0 {
		head, last = full[:i+1], full[i+1:]
	}
	name, ok := strings.CutSuffix(last, entrySuffix)
	if !ok {
		return full
	}
	var b strings.Builder
	for i, c := range []byte(name) {
		if c >= 'A' && c <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return head + b.String()
}
