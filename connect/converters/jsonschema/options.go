package jsonschema

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Names that mark schemas and their members.
const (
	namespace  = "io.confluent.connect.json"
	keyField   = "key"
	valueField = "value"

	memberType    = "connect.type"
	memberVersion = "connect.version"
	memberParams  = "connect.parameters"
	memberIndex   = "connect.index"

	enumParameter = namespace + ".Enum"
	idParameter   = namespace + ".Id"
	unionName     = namespace + ".OneOf"
	generalUnion  = "org.apache.kafka.connect.data.Union"
	generalEnum   = "org.apache.kafka.connect.data.Enum"
	generalPrefix = "connect_union_"
	generalField  = "connect_union_field_"
	nullMarker    = "<NULL>"
)

var optionsDef = config.NewDef(
	config.Key{Name: "generalized.sum.type.support", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether enums and unions are marked in a way that the converters of all formats understand."},
	config.Key{Name: "ignore.default.for.nullables", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether a null in an optional field with a default stays null."},
	config.Key{Name: "schemas.cache.config", Type: config.Int, Default: 1000, Importance: config.Low, Doc: "How many converted schemas are remembered."},
	config.Key{Name: "object.additional.properties", Type: config.Boolean, Default: true, Importance: config.Medium, Doc: "Whether objects may have members that their schema does not name."},
	config.Key{Name: "use.optional.for.nonrequired", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether properties that are not required are optional."},
	config.Key{Name: "ignore.modern.dialects", Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether schemas of drafts after 7 are read as those of draft 7."},
	config.Key{Name: "decimal.format", Type: config.String, Default: "BASE64", Validator: config.InFold("BASE64", "NUMERIC"), Importance: config.Low, Doc: "How decimals are written, in any case."},
	config.Key{Name: "flatten.singleton.unions", Type: config.Boolean, Default: true, Importance: config.Low, Doc: "Whether a union of one schema is that schema."},
	config.Key{Name: "preserve.additional.properties", Type: config.Boolean, Default: false, Importance: config.Low, Doc: "Whether members that a schema does not name are kept. It is not supported."},
)

// options is Confluent's JsonSchemaDataConfig.
type options struct {
	general, ignoreDefault, open, optionals, numeric, flatten bool
	cache                                                     int
}

func parseOptions(props config.Props) (o options, err error) {
	v, err := optionsDef.Parse(props)
	if err != nil {
		return o, err
	}
	if v.Bool("preserve.additional.properties") {
		return o, config.Invalid("preserve.additional.properties", "true", "it needs values of type Variant, which are not supported: name the properties in the schema")
	}
	return options{general: v.Bool("generalized.sum.type.support"), ignoreDefault: v.Bool("ignore.default.for.nullables"), open: v.Bool("object.additional.properties"),
		optionals: v.Bool("use.optional.for.nonrequired"), numeric: strings.EqualFold(v.String("decimal.format"), "NUMERIC"), flatten: v.Bool("flatten.singleton.unions"),
		cache: max(1, int(v.Int("schemas.cache.config")))}, nil
}

func (o options) enumParameter() string {
	if o.general {
		return generalEnum
	}
	return enumParameter
}

func isUnion(s *data.Schema) bool {
	_, marked := s.Parameter(generalUnion)
	return s.Name() == unionName || marked
}

func isEnum(s *data.Schema) bool {
	_, a := s.Parameter(generalEnum)
	_, b := s.Parameter(enumParameter)
	return a || b
}

// stringKeys tells whether a map is an object.
func stringKeys(s *data.Schema) bool {
	return s.KeySchema().Type() == data.String && !s.KeySchema().Optional()
}
