package declare

import (
	"cel.dev/cel-go/cel"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// pair is what a joiner sees: both sides, null where one is missing, and the key of a stream's record.
type pair struct{ key, left, right any }

// ResolveName implements cel.Activation.
func (p *pair) ResolveName(name string) (any, bool) {
	switch name {
	case "left":
		return p.left, true
	case "right":
		return p.right, true
	}
	r := record{key: p.key}
	return r.ResolveName(name)
}

// Parent implements cel.Activation.
func (p *pair) Parent() cel.Activation { return nil }

var joinKinds = map[string]streams.JoinKind{"": streams.InnerJoin, "inner": streams.InnerJoin, "left": streams.LeftJoin, "outer": streams.OuterJoin}

func buildJoin(_ *builder, s *step) error {
	kind := joinKinds[get[string](s, "type")]
	join := get[*expression](s, "value")
	switch {
	case s.inputs[1].shape == stream:
		return buildStreamJoin(s, kind, join)
	case s.inputs[1].shape == globalTable:
		return buildGlobalJoin(s, kind, join)
	case s.inputs[0].shape == stream:
		return buildStreamTableJoin(s, kind, join)
	}
	opts, err := materializedOption(s)
	if err != nil {
		return err
	}
	if s.has("foreign_key") {
		return buildForeignJoin(s, kind, join, opts)
	}
	left, right := s.inputs[0].node.(*ktable), s.inputs[1].node.(*ktable)
	return s.done(streams.JoinTables(kind, left, right, func(k, l any, _ bool, r any, _ bool) (any, error) {
		return join.value(&pair{k, l, r})
	}, opts...))
}

func buildForeignJoin(s *step, kind streams.JoinKind, join *expression, opts []streams.Materialized[any, any]) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	left, right := s.inputs[0].node.(*ktable), s.inputs[1].node.(*ktable)
	return s.done(streams.JoinForeign(kind, left, right, mapper(get[*expression](s, "foreign_key")), func(k, l any, _ bool, r any, _ bool) (any, error) {
		return join.value(&pair{k, l, r})
	}, streams.TableJoined[any, any]{Name: string(name)}, opts...))
}

func buildStreamTableJoin(s *step, kind streams.JoinKind, join *expression) error {
	name, err := s.name()
	if err != nil {
		return err
	}
	sd := get[serdes](s, "serde")
	var key, left serde.Serde[any] = sd.key, sd.left
	o := streams.Joined[any, any]{Key: key, Value: left, Name: string(name)}
	if s.has("grace") {
		grace := ms(get[int64](s, "grace"))
		o.Grace = &grace
	}
	return s.done(streams.JoinTable(streamOf(s), kind, s.inputs[1].node.(*ktable), func(k, v, t any, _ bool) (any, error) {
		return join.value(&pair{k, v, t})
	}, o))
}

func buildStreamJoin(s *step, kind streams.JoinKind, join *expression) error {
	m, _, err := materialized(s)
	if err != nil {
		return err
	}
	w, err := joinWindows(get[*value](s, "within"))
	if err != nil {
		return err
	}
	sd := get[serdes](s, "serde")
	o := streams.StreamJoined[any, any, any]{Key: sd.key, Left: sd.left, Right: sd.right, Name: m.StepName, StoreName: m.Name, InMemory: m.InMemory,
		Persistent: m.Persistent, NoLogging: m.NoLogging}
	return s.done(streams.JoinStreams(streamOf(s), kind, s.inputs[1].node.(*kstream), w, func(k, l any, _ bool, r any, _ bool) (any, error) {
		return join.value(&pair{k, l, r})
	}, o))
}

// joinWindows reads the option "within", whose parts have been looked at.
func joinWindows(v *value) (w streams.JoinWindows, err error) {
	for _, f := range v.fields {
		n, err := duration(f.value.text)
		if err != nil {
			return w, err
		}
		switch f.name {
		case "difference":
			w.Before, w.After = ms(n), ms(n)
		case "before":
			w.Before = ms(n)
		case "after":
			w.After = ms(n)
		case "grace":
			w.Grace = ms(n)
		}
	}
	return w, nil
}
