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

func groupedTableOf(s *step) *tgrouped { return s.inputs[0].node.(*tgrouped) }

// pairMapper is the new key and value of a regrouped table's rows.
func pairMapper(s *step) func(k, v any) (any, any, error) {
	key, value := get[*expression](s, "key"), get[*expression](s, "value")
	return func(k, v any) (k2, v2 any, err error) {
		vars := &record{k, v}
		if k2, err = key.value(vars); err != nil {
			return nil, nil, err
		}
		if value == nil {
			return k2, v, nil
		}
		v2, err = value.value(vars)
		return k2, v2, err
	}
}

func reducer(e *expression) func(agg, v any) (any, error) {
	return func(agg, v any) (any, error) { return e.value(&folding{agg: agg, value: v}) }
}

func initializer(e *expression) func() (any, error) {
	return func() (any, error) { return e.value(&folding{}) }
}

func folder(e *expression) func(k, v, agg any) (any, error) {
	return func(k, v, agg any) (any, error) { return e.value(&folding{k, v, agg}) }
}

// countTable counts a grouped table's rows: the count is an int64, which all later steps see as any.
func countTable(s *step, m streams.Materialized[any, any]) *ktable {
	if m.Value == nil {
		m.Value = simple["long"]
	}
	by := func(d int64) func(k, v, n any) (any, error) {
		return func(_, _, n any) (any, error) {
			have, _ := n.(int64)
			return have + d, nil
		}
	}
	return streams.AggregateTable(groupedTableOf(s), func() (any, error) { return int64(0), nil }, by(1), by(-1), m)
}
