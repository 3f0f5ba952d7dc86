package declare

import (
	"fmt"
	"slices"
	"strings"
)

// step is one step of a file, read and checked.
type step struct {
	place
	id     string
	opName string
	op     *operation
	inputs []*output
	in     place
	opts   map[string]any
	places map[string]place
	gives  shape
	// outs are what later steps may name.
	outs []*output
}

// output is the result of a step, or a branch of one.
type output struct {
	name  string
	shape shape
	// node is the DSL's object, once the step is built.
	node any
}

func (s *step) has(name string) bool { _, ok := s.opts[name]; return ok }

// get returns an option, or the zero value where it is not given.
func get[T any](s *step, name string) (v T) {
	v, _ = s.opts[name].(T)
	return v
}

func (s *step) at(name string) place {
	if p, ok := s.places[name]; ok {
		return p
	}
	return s.place
}

// reader reads the steps of a file.
type reader struct {
	d     *document
	c     *compiler
	outs  map[string]*output
	ids   map[string]bool
	steps []*step
}

// step reads one step.
func (r *reader) step(v *value, number int) error {
	if v.kind != mapping {
		return r.d.fail(v.place, "step %d: a mapping is expected, such as {id: in, op: stream, topic: in}, not %s", number, v.kind)
	}
	s := &step{place: v.place, in: v.place, opts: map[string]any{}, places: map[string]place{}}
	var err error
	if s.id, err = r.needed(v, "id", fmt.Sprintf("step %d", number)); err != nil {
		return err
	}
	if r.ids[s.id] {
		return r.d.fail(v.get("id").place, "step %q: two steps have this id: give each its own", s.id)
	}
	r.ids[s.id] = true
	if s.opName, err = r.needed(v, "op", fmt.Sprintf("step %q", s.id)); err != nil {
		return err
	}
	if s.op = operations[s.opName]; s.op == nil {
		return r.d.fail(v.get("op").place, "unknown op %q in step %q%s", s.opName, s.id, suggest(s.opName, operationNames()))
	}
	if err := r.inputs(s, v.get("in")); err != nil {
		return err
	}
	if err := r.options(s, v); err != nil {
		return err
	}
	return r.result(s)
}

func (r *reader) needed(v *value, name, where string) (string, error) {
	x := v.get(name)
	if x == nil {
		return "", r.d.fail(v.place, "%s has no %s: give it one", where, name)
	}
	t, err := r.text(where+"."+name, x)
	if err == nil && t == "" {
		err = r.d.fail(x.place, "%s: the %s is empty: give it one", where, name)
	}
	return t, err
}

// inputs finds the steps that a step follows.
func (r *reader) inputs(s *step, v *value) error {
	if s.op.inputs == none {
		if v != nil {
			return r.d.fail(v.place, "%s.in: %s has no input: leave it out", s.id, s.opName)
		}
		return nil
	}
	if v == nil {
		return r.d.fail(s.place, "%s.in: this option is needed: the id of an earlier step", s.id)
	}
	s.in = v.place
	names := []*value{v}
	if s.op.inputs != one {
		if v.kind != list || len(v.items) == 0 || s.op.inputs == two && len(v.items) != 2 {
			return r.d.fail(v.place, "%s.in: a list of %s is expected", s.id, map[arity]string{two: "two inputs", several: "inputs"}[s.op.inputs])
		}
		names = v.items
	}
	for _, n := range names {
		if err := r.input(s, n); err != nil {
			return err
		}
	}
	return nil
}

func (r *reader) input(s *step, v *value) error {
	name, err := r.text(s.id+".in", v)
	if err != nil {
		return err
	}
	out := r.outs[name]
	if out == nil {
		var known []string
		for n := range r.outs { // sorted by suggest
			known = append(known, n)
		}
		slices.Sort(known)
		hint := ""
		if len(known) > 0 {
			hint = suggest(name, known)
		}
		return r.d.fail(v.place, "%s.in: no earlier step is called %q%s", s.id, name, hint)
	}
	if !slices.Contains(s.op.takes, out.shape) {
		var takes []string
		for _, t := range s.op.takes {
			takes = append(takes, t.String())
		}
		return r.d.fail(v.place, "%s.in: %s is needed, and %q is %s", s.id, strings.Join(takes, " or "), name, out.shape)
	}
	s.inputs = append(s.inputs, out)
	return nil
}

func (r *reader) options(s *step, v *value) error {
	for _, f := range v.fields {
		if f.name == "id" || f.name == "op" || f.name == "in" {
			continue
		}
		i := slices.IndexFunc(s.op.opts, func(o option) bool { return o.name == f.name })
		if i < 0 {
			return r.d.fail(f.place, "%s has no option %q in step %q%s", s.opName, f.name, s.id, suggest(f.name, append(s.op.known(), "in")))
		}
		o := &s.op.opts[i]
		if o.only != nothing && len(s.inputs) > 0 && s.inputs[0].shape != o.only {
			return r.d.fail(f.place, "%s.%s: the option is there for %s alone, and the input is %s", s.id, f.name, o.only, s.inputs[0].shape)
		}
		x, err := r.option(s, o, f.value)
		if err != nil {
			return err
		}
		s.opts[f.name], s.places[f.name] = x, f.value.place
	}
	for _, o := range s.op.opts {
		if o.needed && !s.has(o.name) {
			what := "this option is needed"
			if o.kind == exprOption {
				what = "an expression is needed"
			}
			return r.d.fail(s.place, "%s.%s: %s", s.id, o.name, what)
		}
	}
	return nil
}

// result finds what the step gives.
func (r *reader) result(s *step) error {
	s.gives = s.op.gives
	if s.op.sameAs {
		s.gives = s.inputs[0].shape
	}
	if s.op.check != nil {
		if err := s.op.check(r, s); err != nil {
			return err
		}
	}
	if s.gives != nothing {
		s.outs = append(s.outs, &output{name: s.id, shape: s.gives})
	}
	for _, o := range s.outs {
		if r.outs[o.name] != nil {
			return r.d.fail(s.place, "step %q: two steps or branches are called %q: give each its own id", s.id, o.name)
		}
		r.outs[o.name] = o
	}
	r.steps = append(r.steps, s)
	return nil
}
