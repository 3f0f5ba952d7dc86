package declare

import (
	"strings"
)

// Checks of what one option by itself does not show.

func checkSource(r *reader, s *step) error {
	n := 0
	for _, o := range []string{"topic", "topics", "pattern"} {
		if s.has(o) {
			n++
		}
	}
	if n != 1 {
		return r.d.fail(s.place, "%s: one of topic, topics and pattern is needed", s.id)
	}
	return nil
}

func checkTo(r *reader, s *step) error {
	if s.has("topic") == s.has("topic_expr") {
		return r.d.fail(s.place, "%s: one of topic and topic_expr is needed", s.id)
	}
	return nil
}

func checkMerge(r *reader, s *step) error {
	if s.has("name") && len(s.inputs) != 2 {
		return r.d.fail(s.at("name"), "%s.name: a merge of %d streams cannot be named: merge two at a time", s.id, len(s.inputs))
	}
	return nil
}

func checkBranch(r *reader, s *step) error {
	all := get[[]branch](s, "branches")
	if s.has("default") {
		all = append(all, get[branch](s, "default"))
	}
	seen := map[string]bool{}
	for _, b := range all {
		if seen[b.id] {
			return r.d.fail(b.place, "%s: two branches have the id %q: give each its own", s.id, b.id)
		}
		seen[b.id] = true
		s.outs = append(s.outs, &output{name: s.id + "." + b.id, shape: stream})
	}
	return nil
}

func checkGroupBy(r *reader, s *step) error {
	if s.inputs[0].shape == stream {
		s.gives = groupedStream
		return nil
	}
	s.gives = groupedTable
	if !s.has("value") {
		return r.d.fail(s.place, "%s.value: an expression is needed to group a table", s.id)
	}
	return nil
}

func checkAggregation(r *reader, s *step) error {
	of := s.inputs[0].shape
	switch {
	case of == groupedTable && s.has("window"):
		return r.d.fail(s.at("window"), "%s.window: only a grouped stream can be windowed", s.id)
	case of == groupedTable && s.has("emit"):
		return r.d.fail(s.at("emit"), "%s.emit: only a windowed stream can be emitted by a strategy", s.id)
	case of == groupedTable && s.opName != "count" && !s.has("remove"):
		return r.d.fail(s.place, "%s.remove: an expression is needed on a grouped table", s.id)
	case s.has("emit") && !s.has("window"):
		return r.d.fail(s.at("emit"), "%s.emit: only a windowed stream can be emitted by a strategy: give a window", s.id)
	}
	session := s.has("window") && get[*window](s, "window").kind == "session"
	if s.opName == "aggregate" && session != s.has("merge") {
		if session {
			return r.d.fail(s.place, "%s.merge: an expression is needed for session windows", s.id)
		}
		return r.d.fail(s.at("merge"), "%s.merge: only session windows are merged: leave it out", s.id)
	}
	return nil
}

func checkCogroup(r *reader, s *step) error {
	if adds := get[[]*expression](s, "add"); len(adds) != len(s.inputs) {
		return r.d.fail(s.at("add"), "%s.add: %d expressions for %d inputs: give one for each", s.id, len(adds), len(s.inputs))
	}
	session := s.has("window") && get[*window](s, "window").kind == "session"
	if session && !s.has("merge") {
		return r.d.fail(s.place, "%s.merge: an expression is needed for session windows", s.id)
	}
	return nil
}

// joinForm is one kind of join: which options it has beside type, value and name, and which types.
type joinForm struct {
	gives   shape
	types   []string
	options string
	needed  string
	vars    string
}

var (
	joinStreams = joinForm{stream, inner, "within serde store", "within", joinVars}
	joinTable   = joinForm{stream, inner[:2], "grace serde", "", joinVars}
	joinGlobal  = joinForm{stream, inner[:2], "lookup", "lookup", joinVars}
	joinTables  = joinForm{table, inner, "store", "", tableVars}
	joinForeign = joinForm{table, inner[:2], "store foreign_key", "foreign_key", tableVars}
)

func checkJoin(r *reader, s *step) error {
	left, right := s.inputs[0].shape, s.inputs[1].shape
	var f joinForm
	switch {
	case left == stream && right == stream:
		f = joinStreams
	case left == stream && right == table:
		f = joinTable
	case left == stream && right == globalTable:
		f = joinGlobal
	case left == table && right == table && s.has("foreign_key"):
		f = joinForeign
	case left == table && right == table:
		f = joinTables
	default:
		return r.d.fail(s.in, "%s.in: %s cannot be joined with %s", s.id, left, right)
	}
	s.gives = f.gives
	for _, o := range s.op.opts {
		if o.name != "type" && o.name != "value" && o.name != "name" && s.has(o.name) && !strings.Contains(" "+f.options+" ", " "+o.name+" ") {
			return r.d.fail(s.at(o.name), "%s.%s: this join has no such option", s.id, o.name)
		}
	}
	if f.needed != "" && !s.has(f.needed) {
		return r.d.fail(s.place, "%s.%s: this option is needed", s.id, f.needed)
	}
	if s.has("type") {
		v := &value{place: s.at("type"), kind: scalar, text: get[string](s, "type")}
		if _, err := r.choice(s.id+".type", v, f.types); err != nil {
			return err
		}
	}
	e, err := r.expression(s.id+".value", get[*value](s, "value"), f.vars)
	s.opts["value"] = e
	return err
}
