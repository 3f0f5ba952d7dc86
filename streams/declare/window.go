package declare

import (
	"math"
	"strconv"

	"cel.dev/cel-go/cel"

	"github.com/kstreamlab/kstreamlab/streams"
)

// merging is what a merger of sessions sees.
type merging struct{ key, left, right any }

// ResolveName implements cel.Activation.
func (m *merging) ResolveName(name string) (any, bool) {
	switch name {
	case "key":
		return m.key, true
	case "left":
		return m.left, true
	case "right":
		return m.right, true
	}
	return nil, false
}

// Parent implements cel.Activation.
func (m *merging) Parent() cel.Activation { return nil }

func merger(e *expression) func(k, left, right any) (any, error) {
	return func(k, left, right any) (any, error) { return e.value(&merging{k, left, right}) }
}

// windows is the DSL's form of a kind of windows.
func (w *window) windows() streams.Windows {
	switch w.kind {
	case "tumbling":
		return streams.TumblingWindows(ms(w.size), ms(w.grace))
	case "hopping":
		return streams.HoppingWindows(ms(w.size), ms(w.advance), ms(w.grace))
	case "sliding":
		return streams.SlidingWindows(ms(w.difference), ms(w.grace))
	case "session":
		return streams.SessionWindows(ms(w.gap), ms(w.grace))
	}
	return streams.UnlimitedWindows(w.startAt)
}

// grouping is the input of an aggregation, with its windows where it has some.
func grouping(s *step) streams.Grouping[any, any, any] {
	in := groupedOf(s)
	w := get[*window](s, "window")
	if w == nil {
		return in
	}
	emit := streams.OnWindowUpdate
	if get[string](s, "emit") == "on-window-close" {
		emit = streams.OnWindowClose
	}
	return streams.WindowedByDynamic(in, w.windows(), emit)
}

func buildCogroup(_ *builder, s *step) error {
	m, _, err := materialized(s)
	if err != nil {
		return err
	}
	adds := get[[]*expression](s, "add")
	var inputs []streams.CogroupInput[any, any]
	for i, in := range s.inputs {
		inputs = append(inputs, streams.Cogrouped(in.node.(*kgrouped), folder(adds[i])))
	}
	c := streams.Cogroup(inputs[0], inputs[1:]...)
	init := initializer(get[*expression](s, "init"))
	w := get[*window](s, "window")
	switch {
	case w == nil:
		return s.done(streams.AggregateCogroup(c, init, m))
	case w.kind == "session":
		return s.done(streams.AggregateCogroupSessions(streams.CogroupWindowedByDynamic(c, w.windows()), init, merger(get[*expression](s, "merge")), m))
	}
	return s.done(streams.AggregateCogroup(streams.CogroupWindowedByDynamic(c, w.windows()), init, m))
}

// suppressBuffer reads the bounds of a suppress step, which were checked when the step was read.
func suppressBuffer(s *step) (b streams.SuppressBuffer) {
	v := get[*value](s, "buffer")
	if v == nil {
		return b
	}
	bound := func(name string) int64 {
		x := v.get(name)
		if x == nil {
			return 0
		}
		n, _ := strconv.ParseInt(x.text, 10, 64)
		if n == 0 {
			return math.MinInt64 // nothing may be held
		}
		return n
	}
	b.Records, b.Bytes = bound("records"), bound("bytes")
	if x := v.get("full"); x != nil {
		b.EmitEarly = x.text == "emit-early"
	}
	if x := v.get("logging"); x != nil {
		b.NoLogging = x.text == "false"
	}
	return b
}

func buildSuppress(_ *builder, s *step) error {
	name, err := s.names()
	if err != nil {
		return err
	}
	how := streams.UntilWindowCloses(suppressBuffer(s))
	if get[string](s, "until") == "time-limit" {
		how = streams.UntilTimeLimit(ms(get[int64](s, "wait")), suppressBuffer(s))
	}
	return s.done(tableOf(s).Suppress(how, name...))
}
