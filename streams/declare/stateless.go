package declare

import (
	"github.com/kstreamlab/kstreamlab/streams"
)

// predicate is an expression that says yes or no to a record.
func predicate(e *expression) func(k, v any) (bool, error) {
	return func(k, v any) (bool, error) { return e.truth(&record{k, v}) }
}

// mapper is an expression that makes a value of a record.
func mapper(e *expression) func(k, v any) (any, error) {
	return func(k, v any) (any, error) { return e.value(&record{k, v}) }
}

func buildFilter(_ *builder, s *step) error {
	where := predicate(get[*expression](s, "where"))
	if s.inputs[0].shape == table {
		return filterTable(s, where, s.opName == "filter-not")
	}
	name, err := s.names()
	if err != nil {
		return err
	}
	if s.opName == "filter-not" {
		return s.done(streamOf(s).FilterNot(where, name...))
	}
	return s.done(streamOf(s).Filter(where, name...))
}

func buildMap(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	key, value := get[*expression](s, "key"), get[*expression](s, "value")
	return s.done(streams.Map(streamOf(s), func(k, v any) (k2, v2 any, err error) {
		vars := &record{k, v}
		if k2, err = key.value(vars); err != nil {
			return nil, nil, err
		}
		v2, err = value.value(vars)
		return k2, v2, err
	}, name...))
}

func buildMapValues(_ *builder, s *step) error {
	if s.inputs[0].shape == table {
		return mapTableValues(s)
	}
	name, err := s.names()
	if err != nil {
		return err
	}
	return s.done(streams.MapValues(streamOf(s), mapper(get[*expression](s, "value")), name...))
}

func buildFlatMap(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	each := get[*expression](s, "each")
	return s.done(streams.FlatMap(streamOf(s), func(k, v any) ([]streams.Pair[any, any], error) {
		items, err := each.list(&record{k, v})
		if err != nil {
			return nil, err
		}
		pairs := make([]streams.Pair[any, any], len(items))
		for i, x := range items {
			pair, ok := x.([]any)
			if !ok || len(pair) != 2 {
				return nil, &ExpressionError{each.text, errNotPair}
			}
			pairs[i] = streams.Pair[any, any]{Key: pair[0], Value: pair[1]}
		}
		return pairs, nil
	}, name...))
}

func buildFlatMapValues(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	each := get[*expression](s, "each")
	return s.done(streams.FlatMapValues(streamOf(s), func(k, v any) ([]any, error) {
		return each.list(&record{k, v})
	}, name...))
}

func buildSelectKey(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	return s.done(streams.SelectKey(streamOf(s), mapper(get[*expression](s, "key")), name...))
}

func nothingToDo(_, _ any) error { return nil }

func buildPeek(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	return s.done(streamOf(s).Peek(nothingToDo, name...))
}

func buildForeach(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	streamOf(s).Foreach(nothingToDo, name...)
	return nil
}

func buildBranch(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	var all []streams.Branched[any, any]
	for _, b := range get[[]branch](s, "branches") {
		all = append(all, streams.Branched[any, any]{Where: predicate(b.where), Name: b.name})
	}
	if s.has("default") {
		all = append(all, streams.Branched[any, any]{Name: get[branch](s, "default").name})
	}
	for i, out := range streamOf(s).Branch(all, name...) {
		s.outs[i].node = out
	}
	return nil
}

func buildMerge(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	out := streamOf(s)
	for _, in := range s.inputs[1:] {
		out = out.Merge(in.node.(*kstream), name...)
	}
	return s.done(out)
}

func buildRepartition(_ *builder, s *step) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	sd := get[serdes](s, "serde")
	return s.done(streamOf(s).Repartition(streams.Repartitioned[any, any]{Key: sd.key, Value: sd.value, Name: string(name),
		Partitions: int32(get[int64](s, "partitions"))}))
}
