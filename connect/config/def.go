package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
)

// Props are properties as they come: a string, nil (a null, which is not the same as absent), or a value of a Type already.
type Props map[string]any

// PropsOf returns props of strings.
func PropsOf(m map[string]string) Props {
	p := make(Props, len(m))
	for k, v := range m { // into a map: order does not matter
		p[k] = v
	}
	return p
}

// WithPrefix are the properties whose name begins with prefix, without it.
func (p Props) WithPrefix(prefix string) Props {
	out := Props{}
	for k, v := range p { // into a map: order does not matter
		if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
			out[rest] = v
		}
	}
	return out
}

// Text is a property that is a string, else "".
func (p Props) Text(name string) string {
	s, _ := p[name].(string)
	return s
}

// Importance of a property.
type Importance uint8

// The importances.
const (
	High Importance = iota
	Medium
	Low
)

func (i Importance) String() string { return [...]string{"HIGH", "MEDIUM", "LOW"}[i] }

// Width is how much room a form should give a value.
type Width uint8

// The widths.
const (
	WidthNone Width = iota
	WidthShort
	WidthMedium
	WidthLong
)

func (w Width) String() string { return [...]string{"NONE", "SHORT", "MEDIUM", "LONG"}[w] }

// Key declares a property: Kafka's ConfigKey.
type Key struct {
	Name string
	Type Type
	// Required says that there is no default. Otherwise Default is one, nil for null; it is parsed like a value.
	Required    bool
	Default     any
	Validator   Validator // may be nil
	Importance  Importance
	Doc         string
	Group       string // empty: none
	Order       int    // in its group; Define makes it -1 where there is no group
	Width       Width
	DisplayName string // Define makes it Name where it is empty
	// Dependents are properties that make sense only with this one: their validation comes after.
	Dependents  []string
	Recommender Recommender // may be nil
	Internal    bool
}

// Recommender tells what values make sense, given the others. parsed holds the values that could be parsed.
type Recommender interface {
	// ValidValues are the values to offer; nil: no restriction. An error is added to the property's errors.
	ValidValues(name string, parsed Values) ([]any, error)
	// Visible says whether the property matters at all.
	Visible(name string, parsed Values) bool
}

// Def is a set of declared properties, in the order of their declaration. Once it is filled it is only read, and may be shared.
type Def struct {
	keys   []*Key
	byName map[string]*Key
	groups []string
}

// NewDef declares properties.
func NewDef(keys ...Key) *Def {
	d := &Def{byName: map[string]*Key{}}
	return d.Define(keys...)
}

// Define declares further properties, and returns d. It panics where a name is declared twice, or a default is not valid: these are
// mistakes of the program. Use Add where the declaration depends on a user's input.
func (d *Def) Define(keys ...Key) *Def {
	for _, k := range keys {
		if err := d.Add(k); err != nil {
			panic(err)
		}
	}
	return d
}

// Add declares one property.
func (d *Def) Add(k Key) error {
	if d.byName[k.Name] != nil {
		return data.ConfigException.Errorf("Configuration %s is defined twice.", k.Name)
	}
	if !k.Required {
		v, err := ParseType(k.Name, k.Default, k.Type)
		if err == nil && k.Validator != nil {
			err = k.Validator.Check(k.Name, v)
		}
		if err != nil {
			return err
		}
		k.Default = v
	}
	if k.DisplayName == "" {
		k.DisplayName = k.Name
	}
	if k.Group == "" {
		k.Order = -1
	} else if !slices.Contains(d.groups, k.Group) {
		d.groups = append(d.groups, k.Group)
	}
	d.keys = append(d.keys, &k)
	d.byName[k.Name] = &k
	return nil
}

// Copy returns a Def with the same properties, to which others can be added.
func (d *Def) Copy() *Def {
	c := NewDef()
	c.groups = slices.Clone(d.groups)
	c.keys = slices.Clone(d.keys)
	for _, k := range c.keys {
		c.byName[k.Name] = k
	}
	return c
}

// Keys are the properties in the order of declaration. They belong to d.
func (d *Def) Keys() []*Key { return d.keys }

// Key is a property by name; nil when there is none.
func (d *Def) Key(name string) *Key { return d.byName[name] }

// Groups are the groups in the order of their first property.
func (d *Def) Groups() []string { return d.groups }

// Parse reads all properties and validates them, one by one in the order of declaration; it returns the first ConfigException. Duplicates in
// a list that must have none are dropped, as Kafka 4.2 does. Properties that are not declared are left out.
func (d *Def) Parse(p Props) (Values, error) {
	if bad := d.undefinedDependents(); len(bad) > 0 {
		return nil, data.ConfigException.Errorf("Some configurations in are referred in the dependents, but not defined: %s", strings.Join(bad, ","))
	}
	out := make(Values, len(d.keys))
	for _, k := range d.keys {
		v, err := k.parse(p)
		if err != nil {
			return nil, err
		}
		out[k.Name] = v
	}
	return out, nil
}

func (k *Key) parse(p Props) (v any, err error) {
	raw, set := p[k.Name]
	switch {
	case set:
		if v, err = ParseType(k.Name, raw, k.Type); err != nil {
			return nil, err
		}
	case k.Required:
		return nil, k.missing()
	default:
		v = k.Default
	}
	if list, ok := v.([]string); ok {
		if _, unique := k.Validator.(listOf); unique {
			v = distinct(list)
		}
	}
	if k.Validator != nil {
		if err := k.Validator.Check(k.Name, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (k *Key) missing() error {
	return data.ConfigException.Errorf("Missing required configuration %q which has no default value.", k.Name)
}

func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (d *Def) undefinedDependents() (out []string) {
	for _, k := range d.keys {
		for _, x := range k.Dependents {
			if d.byName[x] == nil && !slices.Contains(out, x) {
				out = append(out, x)
			}
		}
	}
	return out
}

// Embed declares the properties of child under a prefix, in their sorted order: as a connector's configuration has those of its transforms.
func (d *Def) Embed(prefix, group string, order int, child *Def) error {
	for _, k := range child.Sorted() {
		e := *k
		e.Name = prefix + k.Name
		if k.Group != "" {
			e.Group = group + ": " + k.Group
		} else {
			e.Group = group
		}
		e.Order = order
		order++
		e.Dependents = nil
		for _, x := range k.Dependents {
			e.Dependents = append(e.Dependents, prefix+x)
		}
		if k.Validator != nil {
			e.Validator = embedded{k.Validator, prefix}
		}
		if k.Recommender != nil {
			e.Recommender = embeddedRecommender{k.Recommender, prefix}
		}
		if err := d.Add(e); err != nil {
			return err
		}
	}
	return nil
}

// Sorted are the properties by group, order, whether they are required, importance and name.
func (d *Def) Sorted() []*Key {
	out := slices.Clone(d.keys)
	group := func(k *Key) int { return slices.Index(d.groups, k.Group) } // -1: none, which comes first
	slices.SortStableFunc(out, func(a, b *Key) int {
		if c := group(a) - group(b); c != 0 {
			return c
		}
		if c := a.Order - b.Order; c != 0 {
			return c
		}
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		if c := int(a.Importance) - int(b.Importance); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// embedded gives a validator the name without its prefix, as Kafka does.
type embedded struct {
	Validator
	prefix string
}

func (e embedded) Check(name string, v any) error {
	return e.Validator.Check(strings.TrimPrefix(name, e.prefix), v)
}

type embeddedRecommender struct {
	Recommender
	prefix string
}

func (e embeddedRecommender) own(parsed Values) Values {
	return Values(Props(parsed).WithPrefix(e.prefix))
}

func (e embeddedRecommender) ValidValues(name string, parsed Values) ([]any, error) {
	return e.Recommender.ValidValues(strings.TrimPrefix(name, e.prefix), e.own(parsed))
}

func (e embeddedRecommender) Visible(name string, parsed Values) bool {
	return e.Recommender.Visible(strings.TrimPrefix(name, e.prefix), e.own(parsed))
}

// Invalid is Kafka's ConfigException of a value: its name, itself and what is wrong with it.
func Invalid(name string, v any, message string) error {
	if message != "" {
		message = ": " + message
	}
	return data.ConfigException.Errorf("Invalid value %s for configuration %s%s", valueText(v), name, message)
}

func valueText(v any) string {
	switch v := v.(type) {
	case []string:
		return "[" + strings.Join(v, ", ") + "]"
	case Password:
		return v.String()
	case int:
		return strconv.Itoa(v)
	}
	return data.Text(v)
}
