package config

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Value is what validation found of one property: Kafka's ConfigValue.
type Value struct {
	Name        string
	Value       any // parsed; nil where that was not possible
	Recommended []any
	Errors      []string
	Visible     bool
}

// AddError adds a message.
func (v *Value) AddError(message string) { v.Errors = append(v.Errors, message) }

// Validate checks all properties and tells everything that is wrong: one Value a property, in the order of declaration, then one for each
// name that is a dependent but not declared.
func (d *Def) Validate(p Props) []*Value {
	values := make([]*Value, 0, len(d.keys))
	byName := make(map[string]*Value, len(d.keys))
	add := func(v *Value) {
		values = append(values, v)
		byName[v.Name] = v
	}
	for _, k := range d.keys {
		add(&Value{Name: k.Name, Visible: true})
	}
	for _, name := range d.undefinedDependents() {
		add(&Value{Name: name, Errors: []string{name + " is referred in the dependents, but not defined."}})
	}
	parsed := Values{}
	roots := d.roots()
	for _, k := range roots {
		d.parseForValidate(k, p, parsed, byName)
	}
	for _, k := range roots {
		d.recommend(k, parsed, byName)
	}
	return values
}

// roots are the properties that depend on no other.
func (d *Def) roots() (out []*Key) {
	for _, k := range d.keys {
		if !slices.ContainsFunc(d.keys, func(o *Key) bool { return slices.Contains(o.Dependents, k.Name) }) {
			out = append(out, k)
		}
	}
	return out
}

func (d *Def) parseForValidate(k *Key, p Props, parsed Values, values map[string]*Value) {
	var v any
	out := values[k.Name]
	raw, set := p[k.Name]
	switch {
	case set:
		var err error
		if v, err = ParseType(k.Name, raw, k.Type); err != nil {
			out.AddError(message(err))
		}
	case k.Required:
		out.AddError(message(k.missing()))
	default:
		v = k.Default
	}
	if k.Validator != nil {
		if err := k.Validator.Check(k.Name, v); err != nil {
			out.AddError(message(err))
		}
	}
	out.Value, parsed[k.Name] = v, v
	for _, name := range k.Dependents {
		if x := d.byName[name]; x != nil {
			d.parseForValidate(x, p, parsed, values)
		}
	}
}

func message(err error) string {
	m, _ := data.MessageOfError(err)
	return m
}

func (d *Def) recommend(k *Key, parsed Values, values map[string]*Value) {
	if r := k.Recommender; r != nil {
		v := values[k.Name]
		all, err := r.ValidValues(k.Name, parsed)
		if err != nil {
			v.AddError(message(err))
		} else {
			v.recommend(all)
		}
		v.Visible = r.Visible(k.Name, parsed)
	}
	for _, name := range k.Dependents {
		if x := d.byName[name]; x != nil {
			d.recommend(x, parsed, values)
		}
	}
}

// recommend keeps the values that are among those recommended before, if there were any.
func (v *Value) recommend(all []any) {
	if len(v.Recommended) == 0 {
		v.Recommended = all
		return
	}
	v.Recommended = slices.DeleteFunc(slices.Clone(v.Recommended), func(x any) bool {
		return !slices.ContainsFunc(all, func(y any) bool { return data.Equal(x, y) })
	})
}
