package streams

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	client "github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// property is one row of the table of what a Config understands: Kafka Streams' own names, types, defaults and bounds.
type property struct {
	name string
	kind kind
	dflt string
	// least is the smallest number allowed; oneOf the texts allowed.
	least int64
	oneOf []string
	// check looks at what the rest cannot; it returns what is wanted instead, or nothing.
	check func(value string, all map[string]string) string
	doc   string
	// now is the name that took the place of this old one, and wins where both are set.
	now string
}

type kind int8

const (
	text kind = iota
	number
	boolean
)

// properties is the table, sorted by name.
var properties = []property{
	{name: topicPrefix, kind: text, doc: "begins the names of internal topics instead of application.id"},
	{name: "acceptable.recovery.lag", kind: number, dflt: "10000", doc: "how many offsets a task may be behind and still count as caught up"},
	{name: "application.id", kind: text, doc: "the application's name: its group, and the beginning of the names of its internal topics"},
	{name: "application.server", kind: text, doc: "host:port under which this instance answers queries"},
	{name: "auto.offset.reset", kind: text, dflt: "earliest", check: checkReset, doc: "where a partition starts that has no committed offset: earliest, latest, none, or by_duration: and a duration such as PT1H"},
	{name: "bootstrap.servers", kind: text, doc: "brokers to begin with, host:port, separated by commas"},
	{name: "buffered.records.per.partition", kind: number, dflt: "1000", least: 1, doc: "records buffered for a partition before it is paused"},
	{name: "cache.max.bytes.buffering", kind: number, dflt: "10485760", now: "statestore.cache.max.bytes", doc: "old name of statestore.cache.max.bytes"},
	{name: "client.id", kind: text, doc: "prefix of the clients' ids; default <application.id>-<process id>"},
	{name: "commit.interval.ms", kind: number, dflt: "30000", doc: "milliseconds between commits; 100 with exactly_once_v2"},
	{name: "default.deserialization.exception.handler", kind: text, oneOf: deserializationHandlers, now: "deserialization.exception.handler", doc: "old name of deserialization.exception.handler"},
	{name: "default.dsl.store", kind: text, dflt: "rocksDB", oneOf: []string{"rocksDB", "in_memory"}, doc: "where stores are kept that do not say; rocksDB stands for the persistent engine"},
	{name: "default.key.serde", kind: text, doc: "serde of keys that no step names (app.yaml)"},
	{name: "default.production.exception.handler", kind: text, oneOf: productionHandlers, now: "production.exception.handler", doc: "old name of production.exception.handler"},
	{name: "default.timestamp.extractor", kind: text, dflt: timestampClasses[0], oneOf: timestampClasses, doc: "class of the extractor of sources that name none (app.yaml)"},
	{name: "default.value.serde", kind: text, doc: "serde of values that no step names (app.yaml)"},
	{name: "deserialization.exception.handler", kind: text, dflt: "fail", oneOf: deserializationHandlers, doc: "what to do about a record that cannot be read: fail or continue"},
	{name: "dsl.store.suppliers.class", kind: text, oneOf: []string{storeSuppliers + "RocksDBDslStoreSuppliers", storeSuppliers + "InMemoryDslStoreSuppliers"}, doc: "class of the stores that do not say where they are kept"},
	{name: "ensure.explicit.internal.resource.naming", kind: boolean, dflt: "false", doc: "refuse generated names of stores and internal topics (app.yaml)"},
	{name: "errors.dead.letter.queue.topic.name", kind: text, doc: "topic for the records that a handler was asked about (KIP-1034)"},
	{name: "group.instance.id", kind: text, doc: "makes the instance's threads static members"},
	{name: "heartbeat.interval.ms", kind: number, dflt: "3000", least: 1, doc: "milliseconds between heartbeats to the group"},
	{name: operatorTime, kind: text, dflt: "durable", oneOf: []string{"durable", "forgotten"}, doc: "whether an operator's stream time is committed with its task; forgotten: it starts again with each restart, as in Kafka Streams"},
	{name: "max.poll.interval.ms", kind: number, dflt: "300000", least: 1, doc: "milliseconds a rebalance waits for a member"},
	{name: "max.poll.records", kind: number, dflt: "1000", least: 1, doc: "records of one poll"},
	{name: "max.task.idle.ms", kind: number, dflt: "0", least: -1, doc: "how long a task waits for data of a partition that has none, so that partitions are read in order of time; -1: not at all"},
	{name: "max.warmup.replicas", kind: number, dflt: "2", least: 1, doc: "how many warm-up replicas there may be at once"},
	{name: "num.stream.threads", kind: number, dflt: "1", doc: "stream threads"},
	{name: "probing.rebalance.interval.ms", kind: number, dflt: "600000", least: 60000, doc: "milliseconds between looks whether a warm-up replica has caught up"},
	{name: "processing.exception.handler", kind: text, dflt: "fail", oneOf: processingHandlers, doc: "what to do about an error of a processor: fail or continue"},
	{name: "processing.guarantee", kind: text, dflt: "at_least_once", oneOf: []string{"at_least_once", "exactly_once_v2"}, doc: "at_least_once or exactly_once_v2"},
	{name: "production.exception.handler", kind: text, dflt: "fail", oneOf: productionHandlers, doc: "what to do about a record that cannot be written: fail or continue"},
	{name: "rack.aware.assignment.tags", kind: text, check: checkTags, doc: "client tags over which standby tasks are spread, separated by commas"},
	{name: "repartition.purge.interval.ms", kind: number, dflt: "30000", doc: "milliseconds between deletions of what is processed from repartition topics"},
	{name: "replication.factor", kind: number, dflt: "-1", least: -1, doc: "of internal topics; -1: the broker's default"},
	{name: "session.timeout.ms", kind: number, dflt: "45000", least: 1, doc: "milliseconds without a heartbeat after which the group expels a member"},
	{name: "state.dir", kind: text, doc: "directory of the persistent stores; default <temporary directory>/kafka-streams"},
	{name: "statestore.cache.max.bytes", kind: number, dflt: "10485760", doc: "bytes of the record cache of all threads; 0: no cache"},
	{name: "statestore.uncommitted.max.bytes", kind: number, dflt: "67108864", least: -1, doc: "bytes of uncommitted state after which a commit is due at once; -1: no limit (KIP-892)"},
	{name: "task.timeout.ms", kind: number, dflt: "300000", doc: "how long a task retries what times out"},
	{name: "topology.optimization", kind: text, dflt: "none", check: checkOptimization, doc: "none, all, or a list of optimisations"},
	{name: "transaction.timeout.ms", kind: number, dflt: "10000", least: 1, doc: "milliseconds after which the broker aborts an open transaction"},
	{name: "upgrade.from", kind: text, oneOf: upgrades, doc: "the version that a rolling upgrade comes from"},
	{name: "windowstore.changelog.additional.retention.ms", kind: number, dflt: "86400000", doc: "added to a window store's retention for its changelog"},
}

// topicPrefix is Kafka's internal property for another beginning of the names of internal topics.
const topicPrefix = "__internal.override.topic.prefix__"

const storeSuppliers = "org.apache.kafka.streams.state.BuiltInDslStoreSuppliers$"

var timestampClasses = []string{"org.apache.kafka.streams.processor.FailOnInvalidTimestamp", "org.apache.kafka.streams.processor.LogAndSkipOnInvalidTimestamp",
	"org.apache.kafka.streams.processor.UsePartitionTimeOnInvalidTimestamp", "org.apache.kafka.streams.processor.WallclockTimestampExtractor"}

var upgrades = []string{"2.4", "2.5", "2.6", "2.7", "2.8", "3.0", "3.1", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7", "3.8", "3.9", "4.0", "4.1"}

// optimizations are the optimisations of topology.optimization beside none and all.
var optimizations = []string{"reuse.ktable.source.topics", "merge.repartition.topics", "single.store.self.join"}

func checkOptimization(value string, _ map[string]string) string {
	if value == "none" || value == "all" {
		return ""
	}
	for _, o := range strings.Split(value, ",") {
		if !slices.Contains(optimizations, strings.TrimSpace(o)) {
			return "it must be none, all, or a comma separated list of " + strings.Join(optimizations, ", ")
		}
	}
	return ""
}

func checkReset(value string, _ map[string]string) string {
	if _, err := topology.ParseReset(value); err != nil {
		return resetWant
	}
	return ""
}

func checkTags(value string, all map[string]string) string {
	for _, tag := range strings.Split(value, ",") {
		tag = strings.TrimSpace(tag)
		if _, ok := all["client.tag."+tag]; tag != "" && !ok {
			return fmt.Sprintf("the tag %s needs a value: set client.tag.%s", tag, tag)
		}
	}
	return ""
}

// operatorTime is the one property that Kafka Streams does not have.
const operatorTime = "kstreamlab.operator.time"

// What the exception handlers may be: our words for them, or Kafka's classes.
var (
	deserializationHandlers = []string{"fail", "continue", handlerClass + "LogAndFailExceptionHandler", handlerClass + "LogAndContinueExceptionHandler"}
	processingHandlers      = []string{"fail", "continue", handlerClass + "LogAndFailProcessingExceptionHandler", handlerClass + "LogAndContinueProcessingExceptionHandler"}
	productionHandlers      = []string{"fail", "continue", handlerClass + "DefaultProductionExceptionHandler"}
)

const handlerClass = "org.apache.kafka.streams.errors."

// clientPrefixes begin the names of properties that go to one kind of client.
var clientPrefixes = []string{"main.consumer.", "restore.consumer.", "global.consumer.", "consumer.", "producer.", "admin.", "topic.", "client.tag."}

// PropertyError is a property that cannot be. A Config reports all of them at once.
type PropertyError = client.Error

// values are checked properties over their defaults.
type values struct {
	set  map[string]string
	errs []error
}

// check sorts properties into known ones and ones for the clients, and checks the known ones. Names that are neither are returned.
func check(props map[string]string) (v *values, unknown []string) {
	v = &values{set: map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(props)) {
		value := strings.TrimSpace(props[name])
		i, known := slices.BinarySearchFunc(properties, name, func(p property, n string) int { return strings.Compare(p.name, n) })
		switch {
		case known:
			p := &properties[i]
			v.test(p, value)
			if _, both := props[p.now]; p.now != "" && !both {
				v.set[p.now] = value
			} else if p.now == "" {
				v.set[name] = value
			}
			if f := p.check; f != nil {
				if want := f(value, props); want != "" {
					v.errs = append(v.errs, &PropertyError{Name: name, Value: value, Want: want})
				}
			}
		case !slices.ContainsFunc(clientPrefixes, func(p string) bool { return strings.HasPrefix(name, p) }):
			unknown = append(unknown, name)
		}
	}
	return v, unknown
}

func (v *values) test(p *property, value string) {
	bad := func(want string) { v.errs = append(v.errs, &PropertyError{Name: p.name, Value: value, Want: want}) }
	switch p.kind {
	case number:
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case err != nil:
			bad("a whole number is expected")
		case n < p.least:
			bad(fmt.Sprintf("the value must be at least %d", p.least))
		}
	case boolean:
		if value != "true" && value != "false" {
			bad("true or false is expected")
		}
	default:
		if len(p.oneOf) > 0 && !slices.Contains(p.oneOf, value) {
			bad("it must be one of " + strings.Join(p.oneOf, ", "))
		}
	}
}

func (v *values) text(name string) string {
	if s, ok := v.set[name]; ok {
		return s
	}
	i, _ := slices.BinarySearchFunc(properties, name, func(p property, n string) int { return strings.Compare(p.name, n) })
	return properties[i].dflt
}

func (v *values) number(name string) int64 {
	n, err := strconv.ParseInt(v.text(name), 10, 64)
	if err != nil {
		return 0 // reported by test
	}
	return n
}

func (v *values) has(name string) bool { _, ok := v.set[name]; return ok }

func (v *values) err() error {
	if len(v.errs) == 0 {
		return nil
	}
	return &ConfigError{v.errs}
}

// inMemory says that stores are kept in memory by default.
func (v *values) inMemory() bool {
	return v.text("default.dsl.store") == "in_memory" || strings.HasSuffix(v.text("dsl.store.suppliers.class"), "InMemoryDslStoreSuppliers")
}

// ConfigError is all that is wrong with a configuration.
type ConfigError struct{ Errs []error }

func (e *ConfigError) Error() string   { return errors.Join(e.Errs...).Error() }
func (e *ConfigError) Unwrap() []error { return e.Errs }

// Class is Kafka's name of the error kind.
func (e *ConfigError) Class() string { return "org.apache.kafka.common.config.ConfigException" }

// PropertyDocs lists the properties of an application, a line each: name, default, meaning.
func PropertyDocs() string {
	var b strings.Builder
	for _, p := range properties {
		d := p.dflt
		if d == "" {
			d = "none"
		}
		fmt.Fprintf(&b, "%s (default %s): %s\n", p.name, d, p.doc)
	}
	return b.String()
}

// PropertyDoc is a row of the table of an application's properties.
type PropertyDoc struct {
	Name    string   `json:"name"`
	Type    string   `json:"type"`
	Default string   `json:"default"`
	Least   *int64   `json:"least,omitempty"`
	OneOf   []string `json:"oneOf,omitempty"`
	Doc     string   `json:"doc"`
}

// Properties are the properties of an application, sorted by name.
func Properties() []PropertyDoc {
	out := make([]PropertyDoc, len(properties))
	for i, p := range properties {
		out[i] = PropertyDoc{Name: p.name, Type: [...]string{"string", "long", "boolean"}[p.kind], Default: p.dflt, OneOf: p.oneOf, Doc: p.doc}
		if p.kind == number {
			out[i].Least = &properties[i].least
		}
	}
	return out
}
