package avro

import (
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters/internal/confluent"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Names that mark schemas and their properties.
const (
	namespace    = "io.confluent.connect.avro"
	defaultName  = "ConnectDefault"
	mapEntry     = "MapEntry"
	keyField     = "key"
	valueField   = "value"
	unionName    = namespace + ".Union"
	enumName     = namespace + ".Enum"
	anythingName = namespace + ".Anything"

	propName      = "connect.name"
	propDoc       = "connect.doc"
	propRecordDoc = "connect.record.doc"
	propEnumDoc   = "connect.enum.doc"
	propVersion   = "connect.version"
	propDefault   = "connect.default"
	propParams    = "connect.parameters"
	propInternal  = "connect.internal.type"
	propType      = "connect.type"
	propFixedSize = "connect.fixed.size"
	propPrecision = "connect.decimal.precision"

	recordDoc    = namespace + ".record.doc"
	enumDoc      = namespace + ".enum.doc."
	fieldDoc     = namespace + ".field.doc."
	fieldDefault = namespace + ".field.default"
	enumDefault  = namespace + ".enum.default."

	generalUnion     = "org.apache.kafka.connect.data.Union"
	generalEnum      = "org.apache.kafka.connect.data.Enum"
	generalPrefix    = "connect_union_"
	generalField     = "connect_union_field_"
	defaultPrecision = 64
	avroPrefix       = "avro"
	defaultFullName  = namespace + "." + defaultName
)

var optionsDef = config.NewDef(
	config.Key{Name: "generalized.sum.type.support", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether enums and unions are marked in a way that the converters of all formats understand."},
	config.Key{Name: "ignore.default.for.nullables", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether a null in an optional field with a default stays null."},
	config.Key{Name: "schemas.cache.config", Type: config.Int, Default: 1000, Importance: config.Low, Doc: "How many converted schemas are remembered."},
	config.Key{Name: "enhanced.avro.schema.support", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether enums stay enums, and names in unions keep their package."},
	config.Key{Name: "scrub.invalid.names", Type: config.Boolean, Default: false, Importance: config.Medium,
		Doc: "Whether characters that a name in Avro cannot have are replaced."},
	config.Key{Name: "connect.meta.data", Type: config.Boolean, Default: true, Importance: config.Low,
		Doc: "Whether what Avro has no place for is kept in properties of the schema."},
	config.Key{Name: "discard.type.doc.default", Type: config.Boolean, Default: false, Importance: config.Low,
		Doc: "Whether only the documentation and defaults of fields are kept, not those of types. Deprecated."},
	config.Key{Name: "allow.optional.map.keys", Type: config.Boolean, Default: false, Importance: config.Low,
		Doc: "Whether a map whose keys are optional strings is a map in Avro."},
	config.Key{Name: "flatten.singleton.unions", Type: config.Boolean, Default: true, Importance: config.Low,
		Doc: "Whether a union of one schema is that schema."},
)

// options is Confluent's AvroDataConfig.
type options struct {
	general, ignoreDefault, enhanced, scrub, meta, discard, optionalKeys, flatten bool
	cache                                                                         int
}

func parseOptions(props config.Props) (o options, err error) {
	v, err := optionsDef.Parse(props)
	if err != nil {
		return o, err
	}
	return options{general: v.Bool("generalized.sum.type.support"), ignoreDefault: v.Bool("ignore.default.for.nullables"),
		enhanced: v.Bool("enhanced.avro.schema.support"), scrub: v.Bool("scrub.invalid.names"), meta: v.Bool("connect.meta.data"),
		discard: v.Bool("discard.type.doc.default"), optionalKeys: v.Bool("allow.optional.map.keys"), flatten: v.Bool("flatten.singleton.unions"),
		cache: max(1, int(v.Int("schemas.cache.config")))}, nil
}

// enumParameter is the parameter that holds an enum's name, and with a dot and a symbol behind it marks the symbol.
func (o options) enumParameter() string {
	if o.general {
		return generalEnum
	}
	return enumName
}

func isUnion(s *data.Schema) bool {
	_, marked := s.Parameter(generalUnion)
	return s.Name() == unionName || marked
}

func isEnum(s *data.Schema) bool {
	_, a := s.Parameter(generalEnum)
	_, b := s.Parameter(enumName)
	return s.Type() == data.String && (a || b)
}

func isFixed(s *data.Schema) bool {
	_, ok := s.Parameter(propFixedSize)
	return s.Type() == data.Bytes && s.HasName() && ok
}

// stringKeys tells whether a map is a map in Avro too.
func (o options) stringKeys(s *data.Schema) bool {
	k := s.KeySchema()
	return k.Type() == data.String && (!k.Optional() || o.optionalKeys)
}

// scrubbed is a name without what Avro does not allow, if that is asked for.
func (o options) scrubbed(name string) string {
	if !o.scrub {
		return name
	}
	return confluent.Scrub(name, false)
}

// split is a full name as namespace and name, scrubbed.
func (o options) split(full string) (space, name string) {
	parts := strings.Split(full, ".")
	for len(parts) > 1 && parts[len(parts)-1] == "" { // as Java's split does
		parts = parts[:len(parts)-1]
	}
	for i := range parts {
		parts[i] = o.scrubbed(parts[i])
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], "."), parts[last]
}

// full is a full name, scrubbed.
func (o options) full(name string) string {
	if !o.scrub || name == "" {
		return name
	}
	space, last := o.split(name)
	if space == "" {
		return last
	}
	return space + "." + last
}
