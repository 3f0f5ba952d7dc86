package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// The names of properties of a connector that more than one file needs.
const (
	nameKey            = "name"
	classKey           = "connector.class"
	tasksMaxKey        = "tasks.max"
	tasksEnforceKey    = "tasks.max.enforce"
	keyConverterKey    = "key.converter"
	valueConverterKey  = "value.converter"
	headerConverterKey = "header.converter"
	transformsKey      = "transforms"
	predicatesKey      = "predicates"
	retryTimeoutKey    = "errors.retry.timeout"
	retryDelayKey      = "errors.retry.delay.max.ms"
	toleranceKey       = "errors.tolerance"
	logErrorsKey       = "errors.log.enable"
	logMessagesKey     = "errors.log.include.messages"
	topicsKey          = "topics"
	topicsRegexKey     = "topics.regex"
	dlqTopicKey        = "errors.deadletterqueue.topic.name"
	dlqReplicationKey  = "errors.deadletterqueue.topic.replication.factor"
	dlqHeadersKey      = "errors.deadletterqueue.context.headers.enable"
	boundaryKey        = "transaction.boundary"
	predicateProperty  = "predicate"
	negateProperty     = "negate"
	reloadKey          = "config.action.reload"
	reloadRestart      = "restart"
)

const (
	commonGroup = "Common"
	errorGroup  = "Error Handling"
)

// commonKeys are the properties of every connector: Kafka's ConnectorConfig.
func commonKeys(p *connect.Plugins) []config.Key {
	class := func(k connect.Kind) config.Validator { return classOf(p, k) }
	return []config.Key{
		{Name: nameKey, Type: config.String, Required: true, Validator: config.Printable, Group: commonGroup, Order: 1, Width: config.WidthMedium,
			DisplayName: "Connector name", Doc: "The connector's name, unique in its cluster."},
		{Name: classKey, Type: config.String, Required: true, Group: commonGroup, Order: 2, Width: config.WidthLong,
			DisplayName: "Connector class", Doc: "The connector's Java class name, or its alias."},
		versionKey("connector", "Connector version", config.Medium, 3),
		{Name: tasksMaxKey, Type: config.Int, Default: 1, Validator: config.AtLeast(1), Group: commonGroup, Order: 4, Width: config.WidthShort,
			DisplayName: "Tasks max", Doc: "How many tasks the connector may have."},
		{Name: tasksEnforceKey, Type: config.Boolean, Default: true, Importance: config.Low, Group: commonGroup, Order: 5, Width: config.WidthShort,
			DisplayName: "Enforce tasks max", Doc: "Deprecated: whether a connector that makes more tasks than tasks.max fails."},
		{Name: keyConverterKey, Type: config.Class, Validator: class(connect.KindConverter), Importance: config.Low, Group: commonGroup, Order: 6,
			Width: config.WidthShort, DisplayName: "Key converter class", Doc: "The converter of keys; the worker's where it is not set."},
		versionKey(keyConverterKey, "Key converter version", config.Low, 7),
		{Name: valueConverterKey, Type: config.Class, Validator: class(connect.KindConverter), Importance: config.Low, Group: commonGroup, Order: 8,
			Width: config.WidthShort, DisplayName: "Value converter class", Doc: "The converter of values; the worker's where it is not set."},
		versionKey(valueConverterKey, "Value converter version", config.Low, 9),
		{Name: headerConverterKey, Type: config.Class, Validator: class(connect.KindHeaderConverter), Importance: config.Low, Group: commonGroup, Order: 10,
			Width: config.WidthShort, DisplayName: "Header converter class", Doc: "The converter of headers; the worker's where it is not set."},
		versionKey(headerConverterKey, "Header converter version", config.Low, 11),
		{Name: transformsKey, Type: config.List, Default: []string{}, Validator: aliases("transformation"), Importance: config.Low, Group: "Transforms",
			Order: 12, Width: config.WidthLong, DisplayName: "Transforms", Doc: "The transforms of a record, by alias, in their order."},
		{Name: predicatesKey, Type: config.List, Default: []string{}, Validator: aliases("predicate"), Importance: config.Low, Group: "Predicates",
			Order: 13, Width: config.WidthLong, DisplayName: "Predicates", Doc: "The predicates that transforms may name, by alias."},
		{Name: reloadKey, Type: config.String, Default: reloadRestart, Validator: config.In("none", reloadRestart), Importance: config.Low,
			Group: commonGroup, Order: 14, Width: config.WidthMedium, DisplayName: "Reload Action",
			Doc: "What happens when values of config providers end: restart, or none."},
		{Name: retryTimeoutKey, Type: config.Long, Default: 0, Importance: config.Medium, Group: errorGroup, Order: 1, Width: config.WidthMedium,
			DisplayName: "Retry Timeout for Errors", Doc: "How long an operation that may succeed later is tried again, in milliseconds; 0: not at all; -1: for ever."},
		{Name: retryDelayKey, Type: config.Long, Default: 60000, Importance: config.Medium, Group: errorGroup, Order: 2, Width: config.WidthMedium,
			DisplayName: "Maximum Delay Between Retries for Errors", Doc: "The longest wait between two tries, in milliseconds."},
		{Name: toleranceKey, Type: config.String, Default: "none", Validator: config.In("none", "all"), Importance: config.Medium, Group: errorGroup,
			Order: 3, Width: config.WidthShort, DisplayName: "Error Tolerance", Doc: "none: the first error fails the task; all: records with errors are left out."},
		{Name: logErrorsKey, Type: config.Boolean, Default: false, Importance: config.Medium, Group: errorGroup, Order: 4, Width: config.WidthShort,
			DisplayName: "Log Errors", Doc: "Whether each error is logged."},
		{Name: logMessagesKey, Type: config.Boolean, Default: false, Importance: config.Medium, Group: errorGroup, Order: 5, Width: config.WidthShort,
			DisplayName: "Log Error Details", Doc: "Whether the log of an error has the record: a sink record's place, all of a source record."},
	}
}

// versionKey is the property that says which version of a plugin is wanted: KIP-891.
func versionKey(of, display string, i config.Importance, order int) config.Key {
	width := config.WidthShort
	if i == config.Medium {
		width = config.WidthMedium
	}
	return config.Key{Name: of + "." + versionProperty, Type: config.String, Validator: versionSpec, Importance: i, Group: commonGroup, Order: order,
		Width: width, DisplayName: display, Doc: versionDoc}
}

const versionDoc = "Which version of the plugin is used: the latest in these ranges, [1.0,2.0) or (,1.0],[1.2,) or [1.0], or this one, 1.0; latest: any."

// sinkKeys are the properties of sink connectors besides.
func sinkKeys() []config.Key {
	return []config.Key{
		{Name: topicsKey, Type: config.List, Default: "", Group: commonGroup, Order: 4, Width: config.WidthLong, DisplayName: "Topics",
			Doc: "The topics to read."},
		{Name: topicsRegexKey, Type: config.String, Default: "", Validator: regex, Group: commonGroup, Order: 4, Width: config.WidthLong,
			DisplayName: "Topics regex", Doc: "A regular expression of the topics to read, instead of topics."},
		{Name: dlqTopicKey, Type: config.String, Default: "", Importance: config.Medium, Group: errorGroup, Order: 6, Width: config.WidthMedium,
			DisplayName: "Dead Letter Queue Topic Name", Doc: "The topic for records that could not be processed; empty: none."},
		{Name: dlqReplicationKey, Type: config.Short, Default: 3, Importance: config.Medium, Group: errorGroup, Order: 7, Width: config.WidthMedium,
			DisplayName: "Dead Letter Queue Topic Replication Factor", Doc: "The replication factor with which that topic is created."},
		{Name: dlqHeadersKey, Type: config.Boolean, Default: false, Importance: config.Medium, Group: errorGroup, Order: 8, Width: config.WidthMedium,
			DisplayName: "Enable Error Context Headers", Doc: "Whether records in that topic tell what went wrong, in headers that begin with __connect.errors."},
	}
}

// sourceKeys are the properties of source connectors besides.
func sourceKeys() []config.Key {
	const exactlyOnce = "Exactly Once Support"
	return []config.Key{
		{Name: topicGroupsKey, Type: config.List, Default: []string{}, Validator: aliases("topic creation"), Importance: config.Low, Group: topicGroup,
			Order: 1, Width: config.WidthLong, DisplayName: "Topic Creation Groups", Doc: "Groups of settings with which topics are created, by alias."},
		{Name: "exactly.once.support", Type: config.String, Default: "requested", Validator: config.InFold("requested", "required"), Importance: config.Medium,
			Group: exactlyOnce, Order: 2, Width: config.WidthShort, DisplayName: "Exactly once support",
			Doc: "required: the connector must say that it can be exactly once with this configuration; requested: it is not asked."},
		{Name: boundaryKey, Type: config.String, Default: "poll", Validator: config.InFold("interval", "poll", "connector"), Importance: config.Medium,
			Group: exactlyOnce, Order: 3, Width: config.WidthShort, DisplayName: "Transaction Boundary",
			Doc: "What ends a transaction: each poll, an interval, or the connector."},
		{Name: "transaction.boundary.interval.ms", Type: config.Long, Validator: notNegative, Importance: config.Low, Group: exactlyOnce, Order: 4,
			Width: config.WidthShort, DisplayName: "Transaction boundary interval", Doc: "The interval; the worker's offset.flush.interval.ms where it is not set."},
		{Name: "offsets.storage.topic", Type: config.String, Validator: config.NonEmpty, Importance: config.Low, Group: "offsets.topic", Order: 1,
			Width: config.WidthLong, DisplayName: "Offsets topic", Doc: "A topic for this connector's offsets alone. A standalone worker has none."},
	}
}

var notNegative = config.Func(func(name string, v any) error {
	if v == nil {
		return nil
	}
	return config.AtLeast(0).Check(name, v)
}, "[0,...]")

func aliases(kind string) config.Validator {
	return config.Func(func(name string, v any) error {
		list, ok := v.([]string)
		if !ok {
			return config.NonNull.Check(name, v)
		}
		for i, a := range list {
			if slices.Contains(list[:i], a) {
				return config.Invalid(name, v, "Duplicate alias provided.")
			}
		}
		return nil
	}, "non-null string, unique "+kind+" aliases")
}

// interfaceNames are the Java interfaces of kinds, in messages.
var interfaceNames = map[connect.Kind]string{
	connect.KindConverter:       "Converter",
	connect.KindHeaderConverter: "HeaderConverter",
	connect.KindTransform:       "Transformation",
	connect.KindPredicate:       "Predicate",
}

// classOf wants the name of a plugin of that kind, or null.
func classOf(p *connect.Plugins, k connect.Kind) config.Validator {
	return config.Func(func(name string, v any) error {
		class, ok := v.(string)
		if !ok {
			return nil
		}
		return checkClass(p, k, name, class)
	}, "A concrete subclass of "+interfaceNames[k])
}

func checkClass(p *connect.Plugins, k connect.Kind, name, class string) error {
	if _, ok := p.Find(k, class); ok {
		return nil
	}
	for _, other := range []connect.Kind{connect.KindSource, connect.KindSink, connect.KindConverter, connect.KindHeaderConverter, connect.KindTransform, connect.KindPredicate} {
		if x, ok := p.Find(other, class); ok {
			return data.ConfigException.Errorf("Class class %s does not implement the %s interface", x.Class, interfaceNames[k])
		}
	}
	if nested := p.Nested(k, class); nested != nil {
		return data.ConfigException.Errorf("This class is abstract and cannot be created. Did you mean %s?", strings.Join(nested, ", "))
	}
	return config.Invalid(name, class, "Class "+class+" could not be found.")
}

// ConnectorConfig is a connector's configuration, checked by Kafka's own declarations and those of its transforms and predicates. What the
// connector itself declares is not part of it.
type ConnectorConfig struct {
	Kind    connect.Kind // KindSource or KindSink
	Values  config.Values
	Props   map[string]string
	plugins *connect.Plugins
}

// ParseConnector checks the configuration of a source or sink connector; the error is the first that Kafka finds, a ConfigException.
func ParseConnector(p *connect.Plugins, k connect.Kind, props map[string]string) (*ConnectorConfig, error) {
	base := config.NewDef(commonKeys(p)...)
	if k == connect.KindSink {
		base.Define(sinkKeys()...)
	} else {
		base.Define(sourceKeys()...)
	}
	all := config.PropsOf(props)
	if _, err := base.Parse(all); err != nil {
		return nil, err
	}
	full, err := enrichAll(p, base, all, true)
	if err != nil {
		return nil, err
	}
	if k == connect.KindSource && hasTopicCreation(props) {
		if full, err = enrichTopics(full, all); err != nil {
			return nil, err
		}
	}
	values, err := full.Parse(all)
	if err != nil {
		return nil, err
	}
	return &ConnectorConfig{Kind: k, Values: values, Props: props, plugins: p}, nil
}

// Name is the connector's name.
func (c *ConnectorConfig) Name() string { return c.Values.String(nameKey) }

// enrichAll adds to a connector's declared properties those of the transforms and predicates that props name: Kafka's ConnectorConfig.enrich.
// Where not everything is wanted, what is missing or unknown is left for validation to tell.
func enrichAll(p *connect.Plugins, base *config.Def, props config.Props, full bool) (*config.Def, error) {
	def := base.Copy()
	if err := enrich(p, def, props, connect.KindTransform, transformsKey, "Transforms", full); err != nil {
		return nil, err
	}
	return def, enrich(p, def, props, connect.KindPredicate, predicatesKey, "Predicates", full)
}

func enrich(p *connect.Plugins, def *config.Def, props config.Props, k connect.Kind, key, group string, full bool) error {
	list, err := config.ParseType(key, props[key], config.List)
	if err != nil {
		return err
	}
	names, _ := list.([]string)
	done := map[string]bool{}
	for _, alias := range names {
		if done[alias] {
			continue
		}
		done[alias] = true
		err := enrichAlias(p, def, props, k, key+"."+alias+".", group+": "+alias, alias)
		if err != nil && full {
			return err
		}
	}
	return nil
}

func enrichAlias(p *connect.Plugins, def *config.Def, props config.Props, k connect.Kind, prefix, group, alias string) error {
	word := interfaceNames[k]
	class, ok := props[prefix+"type"].(string)
	class = strings.TrimSpace(class)
	typeKey := config.Key{Name: prefix + "type", Type: config.Class, Required: true, Group: group, Width: config.WidthLong,
		DisplayName: word + " type for " + alias, Doc: "Class for the '" + alias + "' " + strings.ToLower(word) + ".",
		Validator: config.All(classOf(p, k), stageCheck(props, prefix)), Recommender: pluginClasses{p, k}}
	version := config.Key{Name: prefix + versionProperty, Type: config.String, Group: group, Order: 1, Width: config.WidthLong,
		DisplayName: word + " version for " + alias, Doc: versionDoc, Validator: availableVersion(p, k, class),
		Recommender: pluginVersions{p: p, of: typeKey.Name, kinds: []connect.Kind{k}, shown: true}}
	wanted := connect.AnyVersion
	if x, known := p.Find(k, class); known {
		version.Default, wanted = x.Version, x.Version
	}
	if v, set := props[version.Name].(string); set {
		wanted = v
	}
	typeKey.Validator = config.All(typeKey.Validator, typeVersion(p, k, wanted))
	if err := def.Add(typeKey); err != nil {
		return err
	}
	if err := def.Add(version); err != nil {
		return err
	}
	if !ok {
		return config.Invalid(prefix+"type", nil, "Not a "+word)
	}
	if err := checkClass(p, k, prefix+"type", class); err != nil {
		return err
	}
	own, err := declared(p, k, class, wanted)
	if err != nil {
		return err
	}
	child := config.NewDef()
	if k == connect.KindTransform {
		child.Define(
			config.Key{Name: predicateProperty, Type: config.String, Importance: config.Medium, Doc: "The predicate that decides whether the transform is applied, by alias."},
			config.Key{Name: negateProperty, Type: config.Boolean, Default: false, Importance: config.Medium, Doc: "Whether the transform is applied where the predicate does not hold."})
	}
	for _, key := range own.Keys() {
		if child.Key(key.Name) == nil { // the transform's own properties of these names are hidden
			child.Define(*key)
		}
	}
	return def.Embed(prefix, group, 2, child)
}

// stageCheck wants a predicate where there is a negate.
func stageCheck(props config.Props, prefix string) config.Validator {
	return config.Func(func(string, any) error {
		_, negate := props[prefix+negateProperty]
		_, predicate := props[prefix+predicateProperty]
		if negate && !predicate && strings.HasPrefix(prefix, transformsKey+".") {
			return data.ConfigException.Errorf("Config '%s' was provided but there is no config '%s' defining a predicate to be negated.",
				prefix+negateProperty, prefix+predicateProperty)
		}
		return nil
	}, "valid configs")
}

// declared is what a plugin of that class and version declares.
func declared(p *connect.Plugins, k connect.Kind, class, version string) (_ *config.Def, err error) {
	defer caught(class, &err)
	x, err := connect.Make[interface{ Config() *config.Def }](p, nil, k, class, version)
	if err != nil {
		return nil, err
	}
	return x.Config(), nil
}
