package declare

import (
	"github.com/kstreamlab/kstreamlab/streams"
)

func buildGroupByKey(_ *builder, s *step) error {
	opts, err := grouped(s)
	if err != nil {
		return err
	}
	return s.done(streamOf(s).GroupByKey(opts...))
}

func buildGroupBy(_ *builder, s *step) error {
	opts, err := grouped(s)
	if err != nil {
		return err
	}
	if s.inputs[0].shape == table {
		return s.done(streams.GroupTableBy(tableOf(s), pairMapper(s), opts...))
	}
	return s.done(streams.GroupBy(streamOf(s), mapper(get[*expression](s, "key")), opts...))
}

// grouped is Grouped where the step has a name or serdes; else the short form, which inherits serdes.
func grouped(s *step) ([]streams.Grouped[any, any], error) {
	name, err := s.name()
	if err != nil || !s.has("name") && !s.has("serde") {
		return nil, err
	}
	sd := get[serdes](s, "serde")
	return []streams.Grouped[any, any]{{Key: sd.key, Value: sd.value, Name: string(name)}}, nil
}

// materialized is the step's store. given says that there is more than a name for the step.
func materialized(s *step) (m streams.Materialized[any, any], given bool, err error) {
	name, err := s.name()
	m.StepName = string(name)
	st := get[*store](s, "store")
	if st == nil || err != nil {
		return m, false, err
	}
	if st.given["name"] && st.name == "" {
		return m, true, streams.CheckName("")
	}
	m.Name, m.Key, m.Value = st.name, st.serdes.key, st.serdes.value
	m.InMemory, m.Persistent, m.NoCaching, m.NoLogging = st.memory, st.persistent, st.noCaching, st.noLogging
	m.History, m.Versioned, m.Configured = ms(st.history), st.given["history"], true
	if m.Retention = ms(st.retention); st.given["retention"] && m.Retention == 0 {
		m.Retention = -ms(1) // as wrong as 0, which would stand for the default
	}
	return m, true, nil
}

func buildCount(_ *builder, s *step) error {
	m, given, err := materialized(s)
	if err != nil {
		return err
	}
	if s.inputs[0].shape == groupedTable {
		return s.done(countTable(s, m))
	}
	return s.done(streams.CountDynamic(grouping(s), m, given, simple["long"]))
}

func buildReduce(_ *builder, s *step) error {
	m, _, err := materialized(s)
	if err != nil {
		return err
	}
	add := get[*expression](s, "add")
	if s.inputs[0].shape == groupedTable {
		return s.done(streams.ReduceTable(groupedTableOf(s), reducer(add), reducer(get[*expression](s, "remove")), m))
	}
	return s.done(streams.Reduce(grouping(s), func(agg, v any) (any, error) {
		return add.value(&folding{agg: agg, value: v})
	}, m))
}

func buildAggregate(_ *builder, s *step) error {
	m, _, err := materialized(s)
	if err != nil {
		return err
	}
	init, add := get[*expression](s, "init"), get[*expression](s, "add")
	if s.inputs[0].shape == groupedTable {
		return s.done(streams.AggregateTable(groupedTableOf(s), initializer(init), folder(add), folder(get[*expression](s, "remove")), m))
	}
	if merge := get[*expression](s, "merge"); merge != nil {
		return s.done(streams.AggregateSessions(grouping(s), initializer(init), folder(add), merger(merge), m))
	}
	return s.done(streams.Aggregate(grouping(s), initializer(init), folder(add), m))
}

func buildToStream(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	out := tableOf(s).ToStream(name...)
	if s.has("key") {
		out = streams.SelectKey(out, mapper(get[*expression](s, "key")))
	}
	return s.done(out)
}
