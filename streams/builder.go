package streams

import (
	"fmt"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/internal/graph"
	"github.com/kstreamlab/kstreamlab/streams/internal/processor"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// Builder collects the steps of a topology: Kafka's StreamsBuilder. It is for one goroutine. Errors are kept, and Build returns the
// first one.
type Builder struct {
	g       *graph.Graph
	err     error
	missing error    // a step that cannot start: without a serde, say
	noNames []string // internal resources that have a generated name
	// DefaultKeySerde and DefaultValueSerde stand in where a step has no serde of its own or inherited: default.key.serde. Each is
	// a serde.Serde of the type that is asked for, or nil. Where they do not fit either, types such as string and int64 have the one serde
	// that Kafka has for them (serde.For); any other type must be given one.
	DefaultKeySerde, DefaultValueSerde any
	// InMemory makes memory the default of stores: default.dsl.store=in_memory.
	InMemory bool
	// MergeRepartitions merges repartition topics below one key-changing step: topology.optimization=merge.repartition.topics.
	MergeRepartitions bool
	// SelfJoins lets joins of a stream with itself do with one store: topology.optimization=single.store.self.join.
	SelfJoins bool
	// ReuseSources restores the stores of tables that are made of a topic from that topic, without a changelog:
	// topology.optimization=reuse.ktable.source.topics.
	ReuseSources bool
	// OldChanges sends the old and the new row of a regrouped table apart also where they go to one group, as before KIP-904:
	// upgrade.from up to 3.4.
	OldChanges bool
	// ExplicitNames refuses generated names of stores and internal topics: ensure.explicit.internal.resource.naming.
	ExplicitNames bool
}

// NewBuilder returns an empty builder.
func NewBuilder() *Builder { return &Builder{g: graph.New()} }

// Step labels what the following calls make, until the next label: Topology.Description tells which label made which node, store and
// internal topic. It changes nothing else.
func (b *Builder) Step(label string) { b.g.Step = label }

// Err is the first error so far: what Build would return.
func (b *Builder) Err() error { return b.err }

// Build compiles the steps. The builder must not be used afterwards.
func (b *Builder) Build() (*Topology, error) {
	if b.err != nil {
		return nil, b.err
	}
	b.g.MergeRepartitions, b.g.SelfJoins = b.MergeRepartitions, b.SelfJoins
	t, err := b.g.Build()
	if err != nil {
		return nil, err
	}
	if b.ExplicitNames && len(b.noNames) > 0 { // what is wrong otherwise comes first, as in Kafka
		return nil, &topology.Error{Text: "these internal resources have not been named: " + strings.Join(b.noNames, ", ")}
	}
	return &Topology{t, b.missing}, nil
}

func (b *Builder) unnamed(what, name string) { b.noNames = append(b.noNames, what+" "+name) }

// fail refuses the topology: TopologyException.
func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = &topology.Error{Text: fmt.Sprintf(format, args...)}
	}
}

// illegal refuses an argument.
func (b *Builder) illegal(format string, args ...any) {
	if b.err == nil {
		b.err = &ArgumentError{fmt.Sprintf(format, args...)}
	}
}

// ArgumentError is a value that a step cannot have, such as a window of size 0.
type ArgumentError struct{ Text string }

func (e *ArgumentError) Error() string { return "streams: " + e.Text }

// Class is Kafka's name of the error kind.
func (e *ArgumentError) Class() string { return "java.lang.IllegalArgumentException" }

// Topology is a compiled topology. It may be run by several instances.
type Topology struct {
	t       *topology.Topology
	missing error
}

// Describe is the text of Kafka's Topology.describe().
func (t *Topology) Describe() string { return t.t.Describe() }

// Check says whether the topology can be started: each step must have its serdes, and a store of its kind. The error is a *MissingSerde or
// a *WindowHistoryError.
func (t *Topology) Check() error { return t.missing }

// Missing is the first error so far that Check would return.
func (b *Builder) Missing() error { return b.missing }

// MissingSerde is a step that has no serde of its own, inherits none, and finds no default.
type MissingSerde struct {
	Step string // the node
	What string // key or value
}

func (e *MissingSerde) Error() string {
	return fmt.Sprintf("streams: step %s has no serde for its %s: give one, or set default.%s.serde", e.Step, e.What, e.What)
}

// Class is Kafka's name of the error kind.
func (e *MissingSerde) Class() string { return "org.apache.kafka.streams.errors.StreamsException" }

// need returns s, or the default, or the one that the Go type has.
func need[T any](b *Builder, s serde.Serde[T], dflt any, step, what string) serde.Serde[T] {
	if s != nil {
		return s
	}
	if d, ok := dflt.(serde.Serde[T]); ok {
		return d
	}
	if d, ok := serde.For[T](); ok {
		return d
	}
	if b.missing == nil {
		b.missing = &MissingSerde{step, what}
	}
	return nil
}

// keyOf is s, or the serde of keys whose Go type has one; or nil, which leaves it to the step that needs it.
func keyOf[T any](b *Builder, s serde.Serde[T]) serde.Serde[T] {
	natural, ok := serde.For[T]()
	if s != nil || !ok {
		return s
	}
	if d, ok := b.DefaultKeySerde.(serde.Serde[T]); ok {
		return d
	}
	return natural
}

// CheckName says whether a step, a store or an internal topic may have this name: letters, digits, '.', '_' and '-', at most 249.
func CheckName(name string) error { return topology.CheckName(name) }

// named is user, or a generated name where that is empty.
func (b *Builder) named(user, prefix string) string {
	b.check(user)
	return b.g.Named(user, prefix)
}

// check refuses a name that cannot be; none is fine.
func (b *Builder) check(name string) {
	if name == "" {
		return
	}
	if err := CheckName(name); err != nil && b.err == nil {
		b.err = err
	}
}

// Named names a step in Kafka's sense: its node, and what is derived from it.
type Named string

func first[T any](opts []T) (o T) {
	if len(opts) > 0 {
		return opts[0]
	}
	return o
}

// TimestampExtractor chooses the event time of a record. A negative result without an error leaves the record out.
type TimestampExtractor[K, V any] = processor.Extractor[K, V]

// Extracted is what a TimestampExtractor sees.
type Extracted[K, V any] = processor.Extracted[K, V]

// FailOnInvalidTimestamp is the default extractor: the record's own timestamp, and an error where that is negative.
func FailOnInvalidTimestamp[K, V any](r Extracted[K, V], partitionTime int64) (int64, error) {
	return processor.FailOnInvalidTimestamp(r, partitionTime)
}

// LogAndSkipOnInvalidTimestamp leaves out records whose own timestamp is negative.
func LogAndSkipOnInvalidTimestamp[K, V any](r Extracted[K, V], _ int64) (int64, error) {
	return r.Timestamp, nil
}

// UsePartitionTimeOnInvalidTimestamp takes the partition's time where the record's own timestamp is negative.
func UsePartitionTimeOnInvalidTimestamp[K, V any](r Extracted[K, V], partitionTime int64) (int64, error) {
	if r.Timestamp >= 0 {
		return r.Timestamp, nil
	}
	if partitionTime < 0 {
		return 0, fmt.Errorf("streams: could not infer a timestamp for %s offset %d: the partition has no time yet", r.TopicPartition, r.Offset)
	}
	return partitionTime, nil
}

// WallclockTimestamp is the time at which a record is read.
func WallclockTimestamp[K, V any](r Extracted[K, V], _ int64) (int64, error) { return r.Clock(), nil }

// Consumed says how a topic is read.
type Consumed[K, V any] struct {
	Key       serde.Serde[K]
	Value     serde.Serde[V]
	Timestamp TimestampExtractor[K, V] // nil: FailOnInvalidTimestamp
	// Reset is earliest, latest, none, or by_duration: and a duration of ISO 8601, such as by_duration:PT1H; empty: auto.offset.reset of the
	// configuration. Global tables and stores always begin at the beginning.
	Reset string
	Name  string
}

// Stream reads a topic as a stream of records: StreamsBuilder.stream.
func Stream[K, V any](b *Builder, topic string, c Consumed[K, V]) *KStream[K, V] {
	return Streams(b, []string{topic}, c)
}

// Streams reads several topics as one stream.
func Streams[K, V any](b *Builder, topics []string, c Consumed[K, V]) *KStream[K, V] {
	name := b.named(c.Name, "KSTREAM-SOURCE-")
	if len(topics) == 0 || slices.Contains(topics, "") {
		b.fail("source %s has no topic, or an empty one", name)
	}
	return source(b, name, topics, nil, c)
}

// StreamPattern reads all topics whose whole name matches a regular expression (RE2) as one stream, also those that come later: a member
// looks for them each metadata.max.age.ms. Internal topics, Kafka's and the application's own, are left out. No other source may read a
// topic that matches.
func StreamPattern[K, V any](b *Builder, pattern string, c Consumed[K, V]) *KStream[K, V] {
	name := b.named(c.Name, "KSTREAM-SOURCE-")
	p, err := topology.NewPattern(pattern)
	if err != nil && b.err == nil {
		b.err = err
	}
	return source(b, name, nil, p, c)
}

// source adds a source of topics or of a pattern.
func source[K, V any](b *Builder, name string, topics []string, pattern *topology.Pattern, c Consumed[K, V]) *KStream[K, V] {
	if c.Reset != "" {
		if _, err := topology.ParseReset(c.Reset); err != nil && b.err == nil {
			b.err = err
		}
	}
	key := need(b, c.Key, b.DefaultKeySerde, name, "key")
	value := need(b, c.Value, b.DefaultValueSerde, name, "value")
	node := &graph.Node{Name: name, Topics: slices.Sorted(slices.Values(topics)), Reset: c.Reset, Write: func(tb *topology.Builder, _ []string) {
		tb.Add(&topology.Node{Kind: topology.SourceNode, Name: name, Topics: topics, Pattern: pattern, Reset: c.Reset, New: func() processor.Instance {
			return &processor.Source[K, V]{Key: key, Value: value, Extract: c.Timestamp}
		}})
	}}
	if pattern != nil {
		node.Pattern = pattern.String()
	}
	n := b.g.Add(node, b.g.Root())
	return &KStream[K, V]{b: b, node: n, name: name, key: c.Key, value: c.Value, sources: []*graph.Node{n}}
}
