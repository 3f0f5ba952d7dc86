package jsonschema

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/internal/registry/jsontree"
)

// Difference is a change that breaks readers: a Difference of Confluent's JSON SchemaDiff.
type Difference struct {
	Kind string // such as REQUIRED_ATTRIBUTE_ADDED
	Path string // such as #/properties/price
}

// Differences are all that break readers.
type Differences []Difference

func (list Differences) Error() string {
	var out []string
	for _, d := range list {
		what := strings.ToLower(strings.ReplaceAll(d.Kind, "_", " "))
		out = append(out, fmt.Sprintf("{errorType:\"%s\", description:\"at path '%s' of the new schema: %s\"}", d.Kind, d.Path, what))
	}
	return strings.Join(out, ", ")
}

// Reads tells why a reader with one schema would refuse what is valid for the writer's, as Differences; nil: it would not. It follows
// Confluent's strict policy.
func Reads(reader, writer *Schema) error {
	d := differ{old: writer, now: reader, seen: map[[2]any]bool{}}
	d.compare(writer.Root, reader.Root, "#")
	if len(d.found) == 0 {
		return nil
	}
	return d.found
}

type differ struct {
	old, now *Schema
	seen     map[[2]any]bool // pairs of objects that are being compared, or were
	found    Differences
}

func (d *differ) add(kind, path string) { d.found = append(d.found, Difference{kind, path + "/"}) }

// try compares on the side.
func (d *differ) try(old, now any) Differences {
	sub := differ{old: d.old, now: d.now, seen: map[[2]any]bool{}}
	for k := range d.seen { // into a map again
		sub.seen[k] = true
	}
	sub.compare(old, now, "#")
	return sub.found
}

// follow replaces a $ref by what it refers to.
func follow(s *Schema, v any) any {
	for range 64 {
		o, ok := v.(*jsontree.Object)
		if !ok {
			return v
		}
		ref, ok := o.Text("$ref")
		if !ok {
			return v
		}
		v = s.Resolve(ref)
	}
	return v
}

// kind is what a schema is, as Confluent's library classifies it: a type, or combined, enum, const, not, empty, false.
func kind(v any) string {
	o, ok := v.(*jsontree.Object)
	if !ok {
		if v == false {
			return "false"
		}
		return "empty"
	}
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		if _, ok := o.Get(name); ok {
			return "combined"
		}
	}
	for _, name := range []string{"enum", "const", "not"} {
		if _, ok := o.Get(name); ok {
			return name
		}
	}
	switch t, _ := o.Get("type"); t := t.(type) {
	case string:
		if t == "integer" {
			return "number"
		}
		return t
	case []any:
		return "combined"
	}
	hints := map[string][]string{"object": {"properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"},
		"array": {"items", "minItems", "maxItems", "uniqueItems"}, "string": {"minLength", "maxLength", "pattern"},
		"number": {"minimum", "maximum", "multipleOf"}}
	for _, t := range []string{"object", "array", "string", "number"} {
		for _, h := range hints[t] {
			if _, ok := o.Get(h); ok {
				return t
			}
		}
	}
	return "empty"
}

// parts are the criterion of a combined schema and its subschemas.
func parts(v any) (string, []any) {
	o := v.(*jsontree.Object)
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		if list, ok := o.Get(name); ok {
			subs, _ := list.([]any)
			return name, subs
		}
	}
	types, _ := o.Get("type")
	var subs []any
	for _, t := range types.([]any) {
		sub := jsontree.Of()
		for _, m := range o.Members {
			if m.Name != "type" {
				sub.Set(m.Name, m.Value)
			}
		}
		sub.Set("type", t)
		subs = append(subs, sub)
	}
	return "anyOf", subs
}

func (d *differ) compare(old, now any, path string) {
	old, now = follow(d.old, old), follow(d.now, now)
	a, isA := old.(*jsontree.Object)
	b, isB := now.(*jsontree.Object)
	if isA && isB {
		if d.seen[[2]any{a, b}] {
			return
		}
		d.seen[[2]any{a, b}] = true
	}
	from, to := kind(old), kind(now)
	if d.combined(old, now, from, to) {
		return
	}
	if from != to {
		if from == "false" || to == "empty" || isA && isB && connectBytes(a) && connectBytes(b) {
			return
		}
		d.add("TYPE_CHANGED", path)
		return
	}
	switch from {
	case "combined":
		d.bothCombined(old, now, path)
	case "object":
		d.objects(a, b, path)
	case "array":
		d.arrays(a, b, path)
	case "string", "number":
		d.scalars(a, b, from, path)
	case "enum":
		d.enums(a, b, path)
	case "const":
		x, _ := a.Get("const")
		y, _ := b.Get("const")
		if !jsontree.Equal(x, y) {
			d.add("ENUM_ARRAY_CHANGED", path)
		}
	case "not":
		x, _ := a.Get("not")
		y, _ := b.Get("not")
		if len((&differ{old: d.now, now: d.old}).tryFresh(y, x)) > 0 {
			d.add("NOT_TYPE_EXTENDED", path)
		}
	}
}

func (d *differ) tryFresh(old, now any) Differences {
	d.seen = map[[2]any]bool{}
	d.compare(old, now, "#")
	return d.found
}

func connectBytes(o *jsontree.Object) bool {
	t, _ := o.Text("connect.type")
	return t == "bytes"
}

// combined handles a schema that has become one of several, or the reverse; true: nothing more is to be said.
func (d *differ) combined(old, now any, from, to string) bool {
	switch {
	case from != "combined" && to == "combined":
		criterion, subs := parts(now)
		if criterion == "allOf" && len(subs) != 1 {
			return false
		}
		return slices.ContainsFunc(subs, func(s any) bool { return len(d.try(old, s)) == 0 })
	case from == "combined" && to != "combined":
		criterion, subs := parts(old)
		if criterion != "allOf" && len(subs) != 1 {
			return false
		}
		return slices.ContainsFunc(subs, func(s any) bool { return len(d.try(s, now)) == 0 })
	}
	return false
}

func (d *differ) bothCombined(old, now any, path string) {
	was, a := parts(old)
	is, b := parts(now)
	if was != is && is != "anyOf" && !(len(a) == 1 || len(b) == 1) {
		d.add("COMBINED_TYPE_CHANGED", path)
		return
	}
	if is == "allOf" {
		for _, s := range b { // what is asked for now must have been asked for
			if !slices.ContainsFunc(a, func(o any) bool { return len(d.try(o, s)) == 0 }) {
				d.add("PRODUCT_TYPE_EXTENDED", path)
				return
			}
		}
		return
	}
	for _, o := range a { // what was allowed must still be
		if !slices.ContainsFunc(b, func(s any) bool { return len(d.try(o, s)) == 0 }) {
			d.add("SUM_TYPE_NARROWED", path)
			return
		}
	}
}

// number is a member that is one.
func number(o *jsontree.Object, name string) *big.Rat {
	v, _ := o.Get(name)
	if n, ok := new(big.Rat).SetString(strings.Trim(jsontree.String(v), `"`)); ok && v != nil {
		return n
	}
	return nil
}

// limit tells of a bound that has become tighter: direction is 1 for an upper one, -1 for a lower one.
func (d *differ) limit(a, b *jsontree.Object, name, label, path string, direction int) {
	x, y := number(a, name), number(b, name)
	switch {
	case y == nil:
	case x == nil:
		d.add(label+"_ADDED", path)
	case x.Cmp(y)*direction > 0:
		d.add(label+map[int]string{1: "_DECREASED", -1: "_INCREASED"}[direction], path)
	}
}

func (d *differ) scalars(a, b *jsontree.Object, kind, path string) {
	if kind == "string" {
		d.limit(a, b, "maxLength", "MAX_LENGTH", path+"/maxLength", 1)
		d.limit(a, b, "minLength", "MIN_LENGTH", path+"/minLength", -1)
		x, _ := a.Text("pattern")
		if y, ok := b.Text("pattern"); ok && x == "" {
			d.add("PATTERN_ADDED", path+"/pattern")
		} else if ok && x != y {
			d.add("PATTERN_CHANGED", path+"/pattern")
		}
		return
	}
	for _, l := range []struct {
		name, label string
		direction   int
	}{{"maximum", "MAXIMUM", 1}, {"minimum", "MINIMUM", -1}, {"exclusiveMaximum", "EXCLUSIVE_MAXIMUM", 1}, {"exclusiveMinimum", "EXCLUSIVE_MINIMUM", -1}} {
		d.limit(a, b, l.name, l.label, path+"/"+l.name, l.direction)
	}
	x, y := number(a, "multipleOf"), number(b, "multipleOf")
	if y != nil && x == nil {
		d.add("MULTIPLE_OF_ADDED", path+"/multipleOf")
	} else if y != nil && !new(big.Rat).Quo(x, y).IsInt() {
		d.add("MULTIPLE_OF_CHANGED", path+"/multipleOf")
	}
	s, _ := a.Text("type")
	if t, _ := b.Text("type"); t == "integer" && s != "integer" {
		d.add("TYPE_NARROWED", path)
	}
}

func (d *differ) enums(a, b *jsontree.Object, path string) {
	x, _ := a.Get("enum")
	y, _ := b.Get("enum")
	before, _ := x.([]any)
	after, _ := y.([]any)
	for _, v := range before {
		if !slices.ContainsFunc(after, func(w any) bool { return jsontree.Equal(v, w) }) {
			d.add("ENUM_ARRAY_NARROWED", path+"/enum")
			return
		}
	}
}

// content is what an object says of properties.
type content struct {
	properties *jsontree.Object
	required   []any
	patterns   *jsontree.Object
	more       any // additionalProperties, or unevaluatedProperties; nil: not said
}

func read(o *jsontree.Object) content {
	var c content
	v, _ := o.Get("properties")
	c.properties, _ = v.(*jsontree.Object)
	v, _ = o.Get("required")
	c.required, _ = v.([]any)
	v, _ = o.Get("patternProperties")
	c.patterns, _ = v.(*jsontree.Object)
	var ok bool
	if c.more, ok = o.Get("additionalProperties"); !ok {
		c.more, _ = o.Get("unevaluatedProperties")
	}
	return c
}

func (c content) open() bool { return c.patterns.Len() == 0 && (c.more == nil || c.more == true) }

// partly is the schema of a property that is not named; nil: there is none.
func (c content) partly(name string) any {
	if c.patterns != nil {
		for _, m := range c.patterns.Members {
			if re, err := regexp.Compile(m.Name); err == nil && re.MatchString(name) {
				return m.Value
			}
		}
	}
	if o, ok := c.more.(*jsontree.Object); ok {
		return o
	}
	return nil
}

func (d *differ) objects(a, b *jsontree.Object, path string) {
	old, now := read(a), read(b)
	var names []string
	for _, o := range []*jsontree.Object{old.properties, now.properties} {
		if o != nil {
			for _, m := range o.Members {
				names = append(names, m.Name)
			}
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		d.property(old, now, name, path+"/properties/"+name)
	}
	at := path + "/additionalProperties"
	switch x, y := old.more, now.more; {
	case y == false && x != false:
		d.add("ADDITIONAL_PROPERTIES_REMOVED", at)
	case x == false || y == nil || y == true:
	case x == nil || x == true:
		d.add("ADDITIONAL_PROPERTIES_NARROWED", at)
	default:
		d.compare(x, y, at)
	}
	d.limit(a, b, "maxProperties", "MAX_PROPERTIES", path+"/maxProperties", 1)
	d.limit(a, b, "minProperties", "MIN_PROPERTIES", path+"/minProperties", -1)
}

func (d *differ) property(old, now content, name, at string) {
	was, had := old.properties.Get(name)
	is, has := now.properties.Get(name)
	needs := slices.Contains(now.required, any(name))
	_, hasDefault := object(follow(d.now, is)).Get("default")
	switch {
	case !has && now.open():
	case !has:
		if p := now.partly(name); p != nil {
			if len(d.try(was, p)) > 0 {
				d.add("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", at)
			}
		} else if was != false {
			d.add("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL", at)
		}
	case !had && old.open():
		switch {
		case kind(follow(d.now, is)) == "empty":
		case needs && hasDefault:
			d.add("REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL", at)
		case needs:
			d.add("REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", at)
		default:
			d.add("OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL", at)
		}
	case !had:
		if p := old.partly(name); p != nil && len(d.try(p, is)) > 0 {
			d.add("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL", at)
		}
		if needs && !hasDefault {
			d.add("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL", at)
		}
	default:
		if needs && !hasDefault && !slices.Contains(old.required, any(name)) {
			d.add("REQUIRED_ATTRIBUTE_ADDED", strings.Replace(at, "/properties/", "/required/", 1))
		}
		d.compare(was, is, at)
	}
}

func object(v any) *jsontree.Object {
	o, _ := v.(*jsontree.Object)
	return o
}

func (d *differ) arrays(a, b *jsontree.Object, path string) {
	x, had := a.Get("items")
	y, has := b.Get("items")
	if has && !had {
		x = true
	}
	if has {
		was, tuple := x.([]any)
		is, tuple2 := y.([]any)
		switch {
		case tuple && tuple2:
			for i := range min(len(was), len(is)) {
				d.compare(was[i], is[i], fmt.Sprintf("%s/items/%d", path, i))
			}
		case tuple != tuple2:
			d.add("TYPE_CHANGED", path+"/items")
		default:
			d.compare(x, y, path+"/items")
		}
	}
	d.limit(a, b, "maxItems", "MAX_ITEMS", path+"/maxItems", 1)
	d.limit(a, b, "minItems", "MIN_ITEMS", path+"/minItems", -1)
	u, _ := a.Get("uniqueItems")
	if v, _ := b.Get("uniqueItems"); v == true && u != true {
		d.add("UNIQUE_ITEMS_ADDED", path+"/uniqueItems")
	}
}
