package registry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

// prefix may stand before every property but schema.registry.url, and must before those of ssl.
const prefix = "schema.registry."

// Subject name strategies, by Confluent's class.
const (
	TopicNameStrategy       = "io.confluent.kafka.serializers.subject.TopicNameStrategy"
	RecordNameStrategy      = "io.confluent.kafka.serializers.subject.RecordNameStrategy"
	TopicRecordNameStrategy = "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy"
	// AssociatedNameStrategy is the default of the newest clients. Where the registry has no association it is the topic's name, and
	// no association is asked for here.
	AssociatedNameStrategy = "io.confluent.kafka.serializers.subject.AssociatedNameStrategy"
)

// Reference subject name strategies, by Confluent's class.
const (
	DefaultReferenceStrategy   = "io.confluent.kafka.serializers.subject.DefaultReferenceSubjectNameStrategy"
	QualifiedReferenceStrategy = "io.confluent.kafka.serializers.subject.QualifiedReferenceSubjectNameStrategy"
)

// Properties is the table of what is understood, sorted by name: Confluent's names, types, defaults and meanings. It is shared: do not
// change it.
var Properties = sortedRows([]property.Property{
	{Name: "schema.registry.url", Type: property.List, Doc: "the registry's addresses, separated by commas, tried in turn; mock://SCOPE is a registry in this process's memory"},
	{Name: "auto.register.schemas", Type: property.Boolean, Default: "true", Doc: "register a schema that is new when a record is written"},
	{Name: "normalize.schemas", Type: property.Boolean, Default: "false", Doc: "let the registry put a schema into its normal form before it compares"},
	{Name: "use.latest.version", Type: property.Boolean, Default: "false", Doc: "write with the subject's latest schema; only where auto.register.schemas is false"},
	{Name: "latest.compatibility.strict", Type: property.Boolean, Default: "true", Doc: "refuse a latest schema that cannot read what the record's own schema writes"},
	{Name: "use.schema.id", Type: property.Int, Default: "-1", Doc: "write with the schema of this id; only where auto.register.schemas is false"},
	{Name: "id.compatibility.strict", Type: property.Boolean, Default: "true", Doc: "latest.compatibility.strict, for use.schema.id"},
	{Name: "key.subject.name.strategy", Type: property.Class, Default: TopicNameStrategy, OneOf: strategies, Doc: "how the subject of a key's schema is named"},
	{Name: "value.subject.name.strategy", Type: property.Class, Default: TopicNameStrategy, OneOf: strategies, Doc: "how the subject of a value's schema is named"},
	{Name: "reference.subject.name.strategy", Type: property.Class, Default: DefaultReferenceStrategy, OneOf: []string{DefaultReferenceStrategy, QualifiedReferenceStrategy}, Doc: "how the subject of a file that a Protobuf schema imports is named"},
	{Name: "max.schemas.per.subject", Type: property.Int, Default: "1000", Least: least(1), Doc: "how many schemas of a subject are remembered"},
	{Name: "latest.cache.size", Type: property.Int, Default: "1000", Least: least(1), Doc: "how many subjects' latest schemas are remembered"},
	{Name: "latest.cache.ttl.sec", Type: property.Int, Default: "-1", Least: least(-1), Doc: "for how long; -1: for ever"},
	{Name: "basic.auth.credentials.source", Type: property.String, Default: "URL", OneOf: []string{"URL", "USER_INFO", "SASL_INHERIT"}, Doc: "where user and password are"},
	{Name: "basic.auth.user.info", Type: property.Password, Doc: "user:password, for USER_INFO"},
	{Name: "sasl.jaas.config", Type: property.Password, Doc: "Kafka's own login, for SASL_INHERIT"},
	{Name: "bearer.auth.credentials.source", Type: property.String, OneOf: []string{"STATIC_TOKEN", "OAUTHBEARER"}, Doc: "where the bearer token is"},
	{Name: "bearer.auth.token", Type: property.Password, Doc: "the token, for STATIC_TOKEN"},
	{Name: "bearer.auth.issuer.endpoint.url", Type: property.String, Doc: "the token endpoint, for OAUTHBEARER (client credentials grant)"},
	{Name: "bearer.auth.client.id", Type: property.String, Doc: "the client, for OAUTHBEARER"},
	{Name: "bearer.auth.client.secret", Type: property.Password, Doc: "its secret, for OAUTHBEARER"},
	{Name: "bearer.auth.scope", Type: property.String, Doc: "the scope that is asked for, for OAUTHBEARER"},
	{Name: "bearer.auth.logical.cluster", Type: property.String, Doc: "sent as the header target-sr-cluster, with a bearer token"},
	{Name: "bearer.auth.identity.pool.id", Type: property.String, Doc: "sent as the header Confluent-Identity-Pool-Id, with a bearer token"},
	{Name: "bearer.auth.cache.expiry.buffer.seconds", Type: property.Int, Default: "300", Least: least(0), Doc: "how long before its end a token is renewed"},
	{Name: "avro.use.logical.type.converters", Type: property.Boolean, Default: "false", Doc: "read dates, times and decimals of generic Avro records as such, not as numbers and bytes"},
	{Name: "json.fail.invalid.schema", Type: property.Boolean, Default: "false", Doc: "check JSON values against their schema when they are written and read"},
	{Name: "json.fail.unknown.properties", Type: property.Boolean, Default: "true", Doc: "refuse JSON members that the Go type does not have"},
	{Name: "http.connect.timeout.ms", Type: property.Int, Default: "60000", Least: least(0), Doc: "time for a connection"},
	{Name: "http.read.timeout.ms", Type: property.Int, Default: "60000", Least: least(0), Doc: "time for an answer"},
	{Name: "max.retries", Type: property.Int, Default: "3", Least: least(0), Doc: "how often a request is repeated after a failure that may pass"},
	{Name: "retries.wait.ms", Type: property.Int, Default: "1000", Least: least(0), Doc: "up to how long the first repetition waits; each further one twice as long"},
	{Name: "retries.max.wait.ms", Type: property.Int, Default: "20000", Least: least(0), Doc: "up to how long any repetition waits"},
	{Name: "proxy.host", Type: property.String, Doc: "an HTTP proxy"},
	{Name: "proxy.port", Type: property.Int, Default: "-1", Doc: "its port"},
	{Name: prefix + "ssl.truststore.location", Type: property.String, Doc: "a file of trusted certificates: JKS, PKCS12, PEM"},
	{Name: prefix + "ssl.truststore.password", Type: property.Password, Doc: "its password"},
	{Name: prefix + "ssl.truststore.type", Type: property.String, Default: "JKS", OneOf: []string{"JKS", "PKCS12", "PEM"}, Doc: "its format"},
	{Name: prefix + "ssl.truststore.certificates", Type: property.Password, Doc: "trusted certificates, PEM text, instead of a file"},
	{Name: prefix + "ssl.keystore.location", Type: property.String, Doc: "a file with the client's key and certificates: JKS, PKCS12, PEM"},
	{Name: prefix + "ssl.keystore.password", Type: property.Password, Doc: "its password"},
	{Name: prefix + "ssl.keystore.type", Type: property.String, Default: "JKS", OneOf: []string{"JKS", "PKCS12", "PEM"}, Doc: "its format"},
	{Name: prefix + "ssl.keystore.key", Type: property.Password, Doc: "the private key, PEM text (PKCS#8), instead of a file"},
	{Name: prefix + "ssl.keystore.certificate.chain", Type: property.Password, Doc: "the certificates of ssl.keystore.key, PEM text"},
	{Name: prefix + "ssl.key.password", Type: property.Password, Doc: "the private key's password, where it has one of its own"},
	{Name: prefix + "ssl.endpoint.identification.algorithm", Type: property.String, Default: "https", Doc: "https: the certificate must be for the server's name; empty: for any"},
	{Name: prefix + "ssl.enabled.protocols", Type: property.List, Default: "TLSv1.2,TLSv1.3", Doc: "TLS versions"},
})

var strategies = []string{TopicNameStrategy, RecordNameStrategy, TopicRecordNameStrategy, AssociatedNameStrategy}

func least(n int64) *int64 { return &n }

func sortedRows(rows []property.Property) []property.Property {
	slices.SortFunc(rows, func(a, b property.Property) int { return strings.Compare(a.Name, b.Name) })
	return rows
}

// row finds a property by how it was written; the name is its own in the table.
func row(written string) (property.Property, bool) {
	for _, name := range []string{written, strings.TrimPrefix(written, prefix)} {
		i, ok := slices.BinarySearchFunc(Properties, name, func(p property.Property, n string) int { return strings.Compare(p.Name, n) })
		if ok {
			return Properties[i], true
		}
	}
	return property.Property{}, false
}

// Config is what the properties say.
type Config struct {
	// URLs are the registry's addresses, without credentials.
	URLs []string
	// What to write with: see the properties of these names.
	AutoRegister, Normalize, UseLatest, LatestStrict, IDStrict bool
	// UseID is the id of use.schema.id; negative: none.
	UseID int

	values map[string]string // all rows, with defaults
	users  []userInfo        // of the addresses, in their order
}

// Parse reads properties. Names that are not in Properties are left to whoever else reads them. The error tells of all faults at once, and
// never shows a password.
func Parse(properties map[string]string) (*Config, error) {
	c := &Config{values: map[string]string{}}
	for _, p := range Properties {
		c.values[p.Name] = p.Default
	}
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		p, ok := row(name)
		if !ok {
			continue
		}
		value := strings.TrimSpace(properties[name])
		if err := p.Validate(name, value); err != nil && (value != "" || p.Type != property.String) {
			faults = append(faults, err)
			continue
		}
		c.values[p.Name] = value
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	c.AutoRegister, c.Normalize, c.UseLatest = c.flag("auto.register.schemas"), c.flag("normalize.schemas"), c.flag("use.latest.version")
	c.LatestStrict, c.IDStrict, c.UseID = c.flag("latest.compatibility.strict"), c.flag("id.compatibility.strict"), c.number("use.schema.id")
	return c, errors.Join(c.parseURLs(), c.together())
}

func (c *Config) text(name string) string { return c.values[name] }
func (c *Config) flag(name string) bool   { return strings.EqualFold(c.values[name], "true") }
func (c *Config) number(name string) int {
	n, _ := strconv.Atoi(c.values[name]) // checked
	return n
}

// together checks what one property needs of another.
func (c *Config) together() error {
	needs := func(name, value string, needed ...string) error {
		if c.text(name) != value {
			return nil
		}
		var missing []error
		for _, n := range needed {
			if c.text(n) == "" {
				missing = append(missing, &property.Error{Name: n, Value: "", Want: fmt.Sprintf("it is needed with %s=%s", name, value)})
			}
		}
		return errors.Join(missing...)
	}
	if c.text("bearer.auth.credentials.source") != "" && c.text("basic.auth.credentials.source") != "URL" {
		return &property.Error{Name: "bearer.auth.credentials.source", Value: c.text("bearer.auth.credentials.source"),
			Want: "only one of it and basic.auth.credentials.source may be given"}
	}
	if info := c.text("basic.auth.user.info"); info != "" && !strings.Contains(info, ":") {
		return &property.Error{Name: "basic.auth.user.info", Value: "[hidden]", Want: "user:password is expected"}
	}
	for _, v := range property.Parts(c.text(prefix + "ssl.enabled.protocols")) {
		if property.Version(v) == 0 {
			return &property.Error{Name: prefix + "ssl.enabled.protocols", Value: v, Want: "TLSv1.2 and TLSv1.3 are supported"}
		}
	}
	return errors.Join(
		needs("basic.auth.credentials.source", "USER_INFO", "basic.auth.user.info"),
		needs("basic.auth.credentials.source", "SASL_INHERIT", "sasl.jaas.config"),
		needs("bearer.auth.credentials.source", "STATIC_TOKEN", "bearer.auth.token"),
		needs("bearer.auth.credentials.source", "OAUTHBEARER", "bearer.auth.issuer.endpoint.url", "bearer.auth.client.id", "bearer.auth.client.secret"))
}
