package declare

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// optionKind is how the value of an option is read.
type optionKind int8

const (
	textOption optionKind = iota
	textsOption
	exprOption
	exprsOption
	choiceOption
	countOption
	durationOption
	serdesOption
	joinSerdesOption
	timestampOption
	storeOption
	declaredStoreOption
	windowOption
	withinOption
	bufferOption
	branchOption
	branchesOption
	processorOption
	rawOption // looked at by the operation
)

// serdes are the serdes of a step; nil where none is given.
type serdes struct{ key, value, left, right serde.Serde[any] }

// timestamp chooses the event time of records.
type timestamp struct {
	built string      // one of timestampNames
	expr  *expression // or an expression
}

var timestampNames = []string{"fail", "log-and-skip", "use-partition-time", "wallclock"}

// store is how a step keeps its state; given says which fields are there.
type store struct {
	name               string
	serdes             serdes
	memory, persistent bool
	noCaching          bool
	noLogging          bool
	retention, history int64
	given              map[string]bool
	// of a declared store
	kind       string
	entries    int64
	size       int64
	duplicates bool
	caching    bool
}

// window is a kind of windows with its lengths in ms.
type window struct {
	kind                                           string
	size, advance, grace, gap, difference, startAt int64
}

// branch is one of a split stream; where is nil for the default.
type branch struct {
	place
	id    string
	where *expression
	name  string
}

// read reads the value of an option.
func (r *reader) option(s *step, o *option, v *value) (any, error) {
	field := s.id + "." + o.name
	switch o.kind {
	case textOption:
		return r.text(field, v)
	case textsOption:
		return r.texts(field, v)
	case exprOption:
		return r.expression(field, v, o.vars)
	case exprsOption:
		return r.expressions(field, v, o.vars)
	case choiceOption:
		if o.begins != "" && v.kind == scalar && strings.HasPrefix(v.text, o.begins) {
			return v.text, nil // the DSL looks at the rest
		}
		return r.choice(field, v, o.values)
	case countOption:
		return r.count(field, v, 1)
	case durationOption:
		return r.duration(field, v)
	case serdesOption:
		return r.serdes(field, v, "key", "value")
	case joinSerdesOption:
		return r.serdes(field, v, "key", "left", "right")
	case timestampOption:
		return r.timestamp(field, v)
	case storeOption:
		return r.store(field, v)
	case declaredStoreOption:
		return r.declaredStore(field, v)
	case windowOption:
		return r.window(field, v)
	case withinOption:
		return r.within(field, v)
	case bufferOption:
		return r.buffer(field, v)
	case branchOption:
		return r.branch(field, v, false)
	case branchesOption:
		return r.branches(field, v)
	case processorOption:
		return r.processor(s, field, v)
	}
	return v, nil
}

func (r *reader) text(field string, v *value) (string, error) {
	if v.kind != scalar {
		return "", r.d.fail(v.place, "%s: text is expected, not %s", field, v.kind)
	}
	return v.text, nil
}

func (r *reader) texts(field string, v *value) ([]string, error) {
	if v.kind != list || len(v.items) == 0 {
		return nil, r.d.fail(v.place, "%s: a list of at least one text is expected, not %s", field, v.kind)
	}
	var out []string
	for _, x := range v.items {
		t, err := r.text(field, x)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func (r *reader) expression(field string, v *value, vars string) (*expression, error) {
	if v.kind != scalar {
		return nil, r.d.fail(v.place, `%s: an expression is needed, as text, not %s (null is written "null")`, field, v.kind)
	}
	if strings.TrimSpace(v.text) == "" {
		return nil, r.d.fail(v.place, "%s: an expression is needed, and the text is empty", field)
	}
	return r.c.compile(v, field, vars)
}

func (r *reader) expressions(field string, v *value, vars string) ([]*expression, error) {
	if v.kind != list {
		return nil, r.d.fail(v.place, "%s: a list of expressions is expected, not %s", field, v.kind)
	}
	var out []*expression
	for i, x := range v.items {
		e, err := r.expression(fmt.Sprintf("%s[%d]", field, i), x, vars)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, nil
}

func (r *reader) choice(field string, v *value, values []string) (string, error) {
	t, err := r.text(field, v)
	if err != nil {
		return "", err
	}
	if !slices.Contains(values, t) {
		return "", r.d.fail(v.place, "%s: %q is not one of %s", field, t, strings.Join(values, ", "))
	}
	return t, nil
}

func (r *reader) count(field string, v *value, least int64) (int64, error) {
	t, err := r.text(field, v)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil || n < least || n > 1<<31-1 {
		return 0, r.d.fail(v.place, "%s: %q is no whole number of at least %d", field, t, least)
	}
	return n, nil
}

func (r *reader) flag(field string, v *value) (bool, error) {
	t, err := r.choice(field, v, []string{"true", "false"})
	return t == "true", err
}

func (r *reader) duration(field string, v *value) (int64, error) {
	t, err := r.text(field, v)
	if err != nil {
		return 0, err
	}
	ms, err := duration(t)
	if err != nil {
		return 0, r.d.fail(v.place, "%s: %v", field, err)
	}
	return ms, nil
}

// each calls f for each field of a mapping, whose name must be one of known.
func (r *reader) each(field string, v *value, known []string, f func(name, field string, v *value) error) error {
	if v.kind != mapping {
		return r.d.fail(v.place, "%s: a mapping is expected (%s), not %s", field, strings.Join(known, ", "), v.kind)
	}
	for _, x := range v.fields {
		if !slices.Contains(known, x.name) {
			return r.d.fail(x.place, "%s has no field %q%s", field, x.name, suggest(x.name, known))
		}
		if err := f(x.name, field+"."+x.name, x.value); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) serde(field string, v *value) (serde.Serde[any], error) {
	t, err := r.text(field, v)
	if err != nil {
		return nil, err
	}
	s, err := Serde(t)
	if err != nil {
		return nil, r.d.fail(v.place, "%s: %v", field, err)
	}
	return s, nil
}

func (r *reader) serdes(field string, v *value, known ...string) (s serdes, err error) {
	return s, r.each(field, v, known, func(name, field string, v *value) (err error) {
		x := map[string]*serde.Serde[any]{"key": &s.key, "value": &s.value, "left": &s.left, "right": &s.right}[name]
		*x, err = r.serde(field, v)
		return err
	})
}

func (r *reader) timestamp(field string, v *value) (t timestamp, err error) {
	if v.kind != mapping {
		t.built, err = r.choice(field, v, timestampNames)
		return t, err
	}
	err = r.each(field, v, []string{"expr"}, func(_, field string, v *value) (err error) {
		t.expr, err = r.expression(field, v, timeVars)
		return err
	})
	if err == nil && t.expr == nil {
		err = r.d.fail(v.place, "%s.expr: an expression is needed", field)
	}
	return t, err
}

func (r *reader) backing(field string, v *value, memory, persistent *bool) error {
	t, err := r.choice(field, v, []string{"memory", "persistent"})
	*memory, *persistent = t == "memory", t == "persistent"
	return err
}

func (r *reader) store(field string, v *value) (*store, error) {
	s := &store{given: map[string]bool{}}
	known := []string{"name", "serde", "backing", "caching", "logging", "retention", "history"}
	return s, r.each(field, v, known, func(name, field string, v *value) (err error) {
		s.given[name] = true
		on := true
		switch name {
		case "name":
			s.name, err = r.text(field, v)
		case "serde":
			s.serdes, err = r.serdes(field, v, "key", "value")
		case "backing":
			err = r.backing(field, v, &s.memory, &s.persistent)
		case "caching":
			on, err = r.flag(field, v)
			s.noCaching = !on
		case "logging":
			on, err = r.flag(field, v)
			s.noLogging = !on
		case "retention":
			s.retention, err = r.duration(field, v)
		case "history":
			s.history, err = r.duration(field, v)
		}
		return err
	})
}

var storeTypes = []string{"key-value", "timestamped", "lru", "window", "timestamped-window", "session", "versioned"}

func (r *reader) declaredStore(field string, v *value) (*store, error) {
	s := &store{given: map[string]bool{}}
	known := []string{"name", "serde", "type", "entries", "retention", "size", "duplicates", "history", "backing", "caching", "logging"}
	err := r.each(field, v, known, func(name, field string, v *value) (err error) {
		s.given[name] = true
		switch name {
		case "name":
			s.name, err = r.text(field, v)
		case "serde":
			s.serdes, err = r.serdes(field, v, "key", "value")
		case "type":
			s.kind, err = r.choice(field, v, storeTypes)
		case "entries":
			s.entries, err = r.count(field, v, 1)
		case "retention":
			s.retention, err = r.duration(field, v)
		case "size":
			s.size, err = r.duration(field, v)
		case "history":
			s.history, err = r.duration(field, v)
		case "caching":
			s.caching, err = r.flag(field, v)
		case "duplicates":
			s.duplicates, err = r.flag(field, v)
		case "backing":
			err = r.backing(field, v, &s.memory, &s.persistent)
		case "logging":
			var on bool
			on, err = r.flag(field, v)
			s.noLogging = !on
		}
		return err
	})
	if err == nil && !s.given["name"] {
		err = r.d.fail(v.place, "%s.name: this option is needed", field)
	}
	return s, err
}

// windowFields are the lengths of each type of window; the first ones are needed.
var windowFields = map[string][]string{
	"tumbling": {"size", "grace"}, "hopping": {"size", "advance", "grace"}, "sliding": {"difference", "grace"}, "session": {"gap", "grace"},
	"unlimited": {"start"},
}

var windowTypes = []string{"tumbling", "hopping", "sliding", "session", "unlimited"}

func (r *reader) window(field string, v *value) (*window, error) {
	if v.kind != mapping {
		return nil, r.d.fail(v.place, "%s: a mapping is expected, such as {type: tumbling, size: 1h}, not %s", field, v.kind)
	}
	t := v.get("type")
	if t == nil {
		return nil, r.d.fail(v.place, "%s.type: this option is needed: one of %s", field, strings.Join(windowTypes, ", "))
	}
	kind, err := r.text(field+".type", t)
	if err != nil {
		return nil, err
	}
	lengths, ok := windowFields[kind]
	if !ok {
		return nil, r.d.fail(t.place, "%s.type: unknown window type %q%s", field, kind, suggest(kind, windowTypes))
	}
	w := &window{kind: kind}
	err = r.each(field, v, append([]string{"type"}, lengths...), func(name, field string, v *value) (err error) {
		x := map[string]*int64{"size": &w.size, "advance": &w.advance, "grace": &w.grace, "gap": &w.gap, "difference": &w.difference, "start": &w.startAt}[name]
		if x != nil {
			*x, err = r.duration(field, v)
		}
		return err
	})
	for _, name := range lengths {
		if err == nil && name != "grace" && name != "start" && v.get(name) == nil {
			err = r.d.fail(v.place, "%s.%s: this option is needed", field, name)
		}
	}
	return w, err
}

func (r *reader) within(field string, v *value) (any, error) {
	err := r.each(field, v, []string{"before", "after", "difference", "grace"}, func(_, field string, v *value) error {
		_, err := r.duration(field, v)
		return err
	})
	if err == nil && (v.get("difference") == nil) == (v.get("before") == nil || v.get("after") == nil) {
		err = r.d.fail(v.place, "%s: either difference, or before and after are needed", field)
	}
	return v, err
}

func (r *reader) buffer(field string, v *value) (any, error) {
	return v, r.each(field, v, []string{"records", "bytes", "full", "logging"}, func(name, field string, v *value) (err error) {
		switch name {
		case "full":
			_, err = r.choice(field, v, []string{"emit-early", "shut-down"})
		case "logging":
			_, err = r.flag(field, v)
		default:
			_, err = r.count(field, v, 0)
		}
		return err
	})
}

func (r *reader) branches(field string, v *value) ([]branch, error) {
	if v.kind != list {
		return nil, r.d.fail(v.place, "%s: a list of branches is expected, not %s", field, v.kind)
	}
	var out []branch
	for i, x := range v.items {
		b, err := r.branch(fmt.Sprintf("%s[%d]", field, i), x, true)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func (r *reader) branch(field string, v *value, where bool) (branch, error) {
	b := branch{place: v.place}
	known := []string{"id", "name"}
	if where {
		known = append(known, "where")
	}
	err := r.each(field, v, known, func(name, field string, v *value) (err error) {
		switch name {
		case "id":
			b.id, err = r.text(field, v)
		case "name":
			b.name, err = r.text(field, v)
		case "where":
			b.where, err = r.expression(field, v, recordVars)
		}
		return err
	})
	switch {
	case err != nil:
	case b.id == "":
		err = r.d.fail(v.place, "%s.id: this option is needed", field)
	case where && b.where == nil:
		err = r.d.fail(v.place, "%s.where: an expression is needed", field)
	}
	return b, err
}

func (r *reader) processor(s *step, field string, v *value) (string, error) {
	t, err := r.text(field, v)
	if err != nil {
		return "", err
	}
	var known []string
	for name := range processorArgs { // sorted below
		if s.opName != "process-values" || slices.Contains(forValues, name) {
			known = append(known, name)
		}
	}
	slices.Sort(known)
	if !slices.Contains(known, t) {
		return "", r.d.fail(v.place, "%s: unknown processor %q%s", field, t, suggest(t, known))
	}
	return t, nil
}
