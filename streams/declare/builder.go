package declare

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// The streams and tables of an app are all of any.
type (
	kstream  = streams.KStream[any, any]
	ktable   = streams.KTable[any, any]
	kgrouped = streams.KGroupedStream[any, any]
	tgrouped = streams.KGroupedTable[any, any]
	named    = streams.Named
)

// builder makes the DSL calls of an app.
type builder struct {
	r               *reader
	d               *document
	b               *streams.Builder
	timestamp       streams.TimestampExtractor[any, any] // default.timestamp.extractor
	inputs, outputs []string
	serdes          map[string]Serdes
	incomplete      error
}

// defaults applies the properties that the builder must know. Whether their values are allowed, streams.ParseConfig says.
func (b *builder) defaults(config map[string]string) error {
	for i, name := range []string{"default.key.serde", "default.value.serde"} {
		if config[name] == "" {
			continue
		}
		s, err := Serde(config[name])
		if err != nil {
			return b.d.fail(b.d.root.get("config").get(name).place, "config.%s: %v", name, err)
		}
		if i == 0 {
			b.b.DefaultKeySerde = s
		} else {
			b.b.DefaultValueSerde = s
		}
	}
	b.b.InMemory = config["default.dsl.store"] == "in_memory" || strings.HasSuffix(config["dsl.store.suppliers.class"], "InMemoryDslStoreSuppliers")
	b.b.ExplicitNames = config["ensure.explicit.internal.resource.naming"] == "true"
	o := config["topology.optimization"]
	b.b.MergeRepartitions = o == "all" || strings.Contains(o, "merge.repartition.topics")
	b.b.ReuseSources = o == "all" || strings.Contains(o, "reuse.ktable.source.topics")
	b.b.SelfJoins = o == "all" || strings.Contains(o, "single.store.self.join")
	b.b.OldChanges = before(config["upgrade.from"], 3, 4)
	switch class := config["default.timestamp.extractor"]; class[strings.LastIndexByte(class, '.')+1:] {
	case "LogAndSkipOnInvalidTimestamp":
		b.timestamp = streams.LogAndSkipOnInvalidTimestamp[any, any]
	case "UsePartitionTimeOnInvalidTimestamp":
		b.timestamp = streams.UsePartitionTimeOnInvalidTimestamp[any, any]
	case "WallclockTimestampExtractor":
		b.timestamp = streams.WallclockTimestamp[any, any]
	}
	return nil
}

func streamOf(s *step) *kstream   { return s.inputs[0].node.(*kstream) }
func tableOf(s *step) *ktable     { return s.inputs[0].node.(*ktable) }
func groupedOf(s *step) *kgrouped { return s.inputs[0].node.(*kgrouped) }

// before says whether a version is this one or an earlier one; no version is neither.
func before(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a < major || a == major && b <= minor
}

// done is the result of a step.
func (s *step) done(node any) error {
	s.outs[0].node = node
	return nil
}

// name is the step's name in Kafka's sense. One that is given and empty is refused, as Kafka does.
func (s *step) name() (named, error) {
	n := get[string](s, "name")
	if s.has("name") && n == "" {
		return "", streams.CheckName("")
	}
	return named(n), nil
}

// names is the step's name as an option of the DSL.
func (s *step) names() ([]named, error) {
	n, err := s.name()
	if n == "" {
		return nil, err
	}
	return []named{n}, err
}

func buildStream(b *builder, s *step) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	topics := get[[]string](s, "topics")
	if s.has("topic") {
		topics = []string{get[string](s, "topic")}
	}
	sd := get[serdes](s, "serde")
	c := streams.Consumed[any, any]{Key: sd.key, Value: sd.value, Name: string(name), Timestamp: b.timestamp, Reset: get[string](s, "reset")}
	if s.has("timestamp") {
		c.Timestamp = extractor(get[timestamp](s, "timestamp"))
	}
	if s.has("pattern") {
		return s.done(streams.StreamPattern(b.b, get[string](s, "pattern"), c))
	}
	b.inputs = append(b.inputs, topics...)
	out := streams.Streams(b.b, topics, c)
	for _, t := range topics {
		b.learn(t, sd.key, sd.value)
	}
	return s.done(out)
}

// learn notes with which serdes a topic is read or written.
func (b *builder) learn(topic string, key, value serde.Serde[any]) {
	have := b.serdes[topic]
	if key == nil {
		key, _ = b.b.DefaultKeySerde.(serde.Serde[any])
	}
	if value == nil {
		value, _ = b.b.DefaultValueSerde.(serde.Serde[any])
	}
	if have.Key == nil {
		have.Key = key
	}
	if have.Value == nil {
		have.Value = value
	}
	b.serdes[topic] = have
}

func extractor(t timestamp) streams.TimestampExtractor[any, any] {
	switch t.built {
	case "fail":
		return streams.FailOnInvalidTimestamp[any, any]
	case "log-and-skip":
		return streams.LogAndSkipOnInvalidTimestamp[any, any]
	case "use-partition-time":
		return streams.UsePartitionTimeOnInvalidTimestamp[any, any]
	case "wallclock":
		return streams.WallclockTimestamp[any, any]
	}
	e := t.expr
	return func(r streams.Extracted[any, any], partitionTime int64) (int64, error) {
		return e.number(&located{record: record{r.Key, r.Value}, timestamp: r.Timestamp, topic: r.Topic, partition: r.Partition, offset: r.Offset,
			headers: r.Headers, partitionTime: partitionTime})
	}
}

func buildTo(b *builder, s *step) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	in := streamOf(s)
	sd := get[serdes](s, "serde")
	p := streams.Produced[any, any]{Key: sd.key, Value: sd.value, Name: string(name)}
	if e := get[*expression](s, "topic_expr"); e != nil {
		in.ToDynamic(func(r *streams.Record[any, any], ctx *streams.RecordContext) (string, error) {
			return e.string(&located{record: record{r.Key, r.Value}, timestamp: r.Timestamp, topic: ctx.Topic, partition: ctx.Partition, offset: ctx.Offset,
				headers: r.Headers})
		}, "topic_expr", p)
		return nil
	}
	topic := get[string](s, "topic")
	b.outputs = append(b.outputs, topic)
	key, value := in.Serdes()
	if sd.key != nil {
		key = sd.key
	}
	if sd.value != nil {
		value = sd.value
	}
	b.learn(topic, key, value)
	in.To(topic, p)
	return nil
}

// ms is a duration of milliseconds, at most the longest there is.
func ms(n int64) time.Duration {
	const most = math.MaxInt64 / int64(time.Millisecond)
	return time.Duration(max(-most, min(n, most))) * time.Millisecond
}
