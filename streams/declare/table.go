package declare

import (
	"github.com/kstreamlab/kstreamlab/streams"
)

func buildTable(b *builder, s *step) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	opts, err := materializedOption(s)
	if err != nil {
		return err
	}
	topic := get[string](s, "topic")
	sd := get[serdes](s, "serde")
	c := streams.Consumed[any, any]{Key: sd.key, Value: sd.value, Name: string(name), Timestamp: b.timestamp, Reset: get[string](s, "reset")}
	if s.has("timestamp") {
		c.Timestamp = extractor(get[timestamp](s, "timestamp"))
	}
	for i := range opts {
		opts[i].StepName = "" // the name is the source's
	}
	b.inputs = append(b.inputs, topic)
	out := streams.Table(b.b, topic, c, opts...)
	b.learn(topic, sd.key, sd.value)
	return s.done(out)
}

func buildToTable(_ *builder, s *step) error {
	m, _, err := materialized(s)
	if err != nil {
		return err
	}
	return s.done(streamOf(s).ToTable(m))
}

// materializedOption is the step's store and name as an option: none when neither is given.
func materializedOption(s *step) ([]streams.Materialized[any, any], error) {
	m, given, err := materialized(s)
	if err != nil || !given && m.StepName == "" {
		return nil, err
	}
	return []streams.Materialized[any, any]{m}, nil
}

func filterTable(s *step, where func(k, v any) (bool, error), not bool) error {
	opts, err := materializedOption(s)
	if err != nil {
		return err
	}
	if not {
		return s.done(tableOf(s).FilterNot(where, opts...))
	}
	return s.done(tableOf(s).Filter(where, opts...))
}

func mapTableValues(s *step) error {
	opts, err := materializedOption(s)
	if err != nil {
		return err
	}
	return s.done(streams.MapTableValues(tableOf(s), mapper(get[*expression](s, "value")), opts...))
}
