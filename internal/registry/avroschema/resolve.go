package avroschema

import (
	"fmt"
	"slices"
	"strings"
)

// plan is how a value of the writer's schema becomes one of the reader's.
type plan struct {
	writer, reader *Schema
	err            error // nothing of this writer can be read: told when such a value comes
	same           *plan // the plan for the branch that the reader's union takes; nil: this one
	fields         []fieldPlan
	defaults       []defaultPlan
	symbols        []any // what the writer's symbols become; nil: nothing
	branches       []*plan
	elem           *plan
	least          int64 // fewest bytes of an array's element
}

type fieldPlan struct {
	name string
	to   int // the reader's field; negative: it is passed over
	plan *plan
}

type defaultPlan struct {
	to    int
	value any
}

type pair struct{ writer, reader *Schema }

// resolver makes plans; recursive schemas have recursive plans.
type resolver struct{ plans map[pair]*plan }

// NewReader resolves a writer's schema to a reader's, by Avro's rules as Java follows them. It never fails: what cannot be read is told
// when it comes, as in Java.
func NewReader(writer, reader *Schema, mode Mode) *Reader {
	r := resolver{plans: map[pair]*plan{}}
	return &Reader{Schema: reader, root: r.plan(writer, reader), logical: mode&Logical != 0, ordered: mode&Ordered != 0}
}

func (r resolver) plan(w, rd *Schema) *plan {
	if p := r.plans[pair{w, rd}]; p != nil {
		return p
	}
	p := &plan{writer: w, reader: rd}
	r.plans[pair{w, rd}] = p
	if w.Type == Union {
		for _, b := range w.Branches {
			p.branches = append(p.branches, r.plan(b, rd))
		}
		return p
	}
	if rd.Type == Union {
		i := r.branch(w, rd)
		if i < 0 {
			p.err = mismatch(w, rd)
			return p
		}
		p.same = r.plan(w, rd.Branches[i])
		return p
	}
	if !fits(w, rd) {
		p.err = mismatch(w, rd)
		return p
	}
	switch w.Type {
	case Record:
		r.record(p)
	case Enum:
		p.symbols = symbols(w, rd)
	case Array, Map:
		p.elem, p.least = r.plan(w.Elem, rd.Elem), w.Elem.least(0)
	}
	return p
}

func mismatch(w, rd *Schema) error {
	//lint:ignore ST1005 Java's words
	return fmt.Errorf("Found %s, expecting %s", w.FullName(), strings.Join(rd.alternatives(), " or "))
}

func (s *Schema) alternatives() []string {
	if s.Type != Union {
		return []string{s.FullName()}
	}
	var out []string
	for _, b := range s.Branches {
		out = append(out, b.FullName())
	}
	return out
}

// promotions are what values of a type may become.
var promotions = map[Type][]Type{Int: {Long, Float, Double}, Long: {Float, Double}, Float: {Double}, Bytes: {String}, String: {Bytes}}

// fits tells whether a value of w may be read as rd, neither a union, whatever is inside.
func fits(w, rd *Schema) bool {
	if w.Type != rd.Type {
		return slices.Contains(promotions[w.Type], rd.Type)
	}
	switch w.Type {
	case Enum:
		return sameName(w, rd)
	case Fixed:
		return sameName(w, rd) && w.Size == rd.Size
	}
	return true
}

// sameName tells whether the names match without their namespaces, or by an alias of the reader's.
func sameName(w, rd *Schema) bool {
	return w.Name == rd.Name || slices.Contains(rd.Aliases, w.FullName())
}

// branch is the reader's branch for what is written as w: the first of its name, of its type, then the first that it may become.
func (r resolver) branch(w, rd *Schema) int {
	structure := -1
	for i, b := range rd.Branches {
		if b.Type != w.Type || !fits(w, b) {
			continue
		}
		if w.Type != Record || w.FullName() == b.FullName() || slices.Contains(b.Aliases, w.FullName()) {
			return i
		}
		if structure < 0 && Reads(b, w) == nil {
			structure = i
		}
	}
	if structure >= 0 {
		return structure
	}
	for i, b := range rd.Branches {
		if b.Type != w.Type && fits(w, b) {
			return i
		}
	}
	return -1
}

func (r resolver) record(p *plan) {
	read := make([]bool, len(p.reader.Fields))
	for _, f := range p.writer.Fields {
		to := p.reader.Index(f.Name)
		if to < 0 {
			to = slices.IndexFunc(p.reader.Fields, func(rf *Field) bool { return slices.Contains(rf.Aliases, f.Name) })
		}
		if to < 0 {
			p.fields = append(p.fields, fieldPlan{f.Name, -1, &plan{writer: f.Schema}})
			continue
		}
		read[to] = true
		p.fields = append(p.fields, fieldPlan{f.Name, to, r.plan(f.Schema, p.reader.Fields[to].Schema)})
	}
	for i, f := range p.reader.Fields {
		if read[i] {
			continue
		}
		if !f.HasDefault {
			//lint:ignore ST1005 Java's words
			p.err = fmt.Errorf("Found %s, expecting %s, missing required field %s", p.writer.FullName(), p.reader.FullName(), f.Name)
			return
		}
		p.defaults = append(p.defaults, defaultPlan{i, f.Value})
	}
}

func symbols(w, rd *Schema) []any {
	out := make([]any, len(w.Symbols))
	for i, s := range w.Symbols {
		switch {
		case rd.Symbol(s) >= 0:
			out[i] = Symbol(s)
		case rd.HasDefault:
			out[i] = Symbol(rd.Default)
		}
	}
	return out
}

// least is the fewest bytes that a value has. Deeper than a few levels it is said to be one where that cannot be told at once.
func (s *Schema) least(depth int) int64 {
	switch s.Type {
	case Null:
		return 0
	case Float:
		return 4
	case Double:
		return 8
	case Fixed:
		return int64(s.Size)
	case Record:
		if depth > 8 {
			return 0
		}
		var n int64
		for _, f := range s.Fields {
			n += f.Schema.least(depth + 1)
			if n > 1<<16 {
				break
			}
		}
		return n
	}
	return 1
}

// Incompatibility is a reason why a schema cannot read what another one wrote: a row of Java's SchemaCompatibility.
type Incompatibility struct {
	Kind string // such as READER_FIELD_MISSING_DEFAULT_VALUE
	Path string // in the reader's schema, such as /fields/1
	What string
}

// Incompatible are all reasons why data of a writer's schema cannot be read.
type Incompatible []Incompatibility

func (list Incompatible) Error() string {
	var out []string
	for _, i := range list {
		out = append(out, fmt.Sprintf("{errorType:'%s', description:'The %s', additionalInfo:'%s'}", i.Kind, i.description(), i.What))
	}
	return strings.Join(out, ", ")
}

func (i Incompatibility) description() string {
	switch i.Kind {
	case "FIXED_SIZE_MISMATCH":
		return fmt.Sprintf("size of FIXED type field at path '%s' in the new schema does not match with the old schema", i.Path)
	case "TYPE_MISMATCH":
		return fmt.Sprintf("type (path '%s') of a field in the new schema does not match with the old schema", i.Path)
	case "NAME_MISMATCH":
		return fmt.Sprintf("name of the schema has changed (path '%s')", i.Path)
	case "MISSING_ENUM_SYMBOLS":
		return fmt.Sprintf("new schema is missing enum symbols '%s' at path '%s' in the old schema", i.What, i.Path)
	case "MISSING_UNION_BRANCH":
		return fmt.Sprintf("new schema is missing a type inside a union field at path '%s' in the old schema", i.Path)
	}
	return fmt.Sprintf("field '%s' at path '%s' in the new schema has no default value and is missing in the old schema", i.What, i.Path)
}

// Reads tells why a reader's schema cannot read all that a writer's schema writes, as an Incompatible; nil: it can.
func Reads(reader, writer *Schema) error {
	c := checker{seen: map[pair]bool{}}
	c.check(writer, reader, "")
	if len(c.found) == 0 {
		return nil
	}
	return c.found
}

type checker struct {
	seen  map[pair]bool
	found Incompatible
}

func (c *checker) add(kind, path, what string) {
	if path == "" {
		path = "/"
	}
	c.found = append(c.found, Incompatibility{kind, path, what})
}

func (c *checker) check(w, rd *Schema, path string) {
	if c.seen[pair{w, rd}] {
		return
	}
	c.seen[pair{w, rd}] = true
	switch {
	case w.Type == Union:
		for i, b := range w.Branches {
			if rd.Type != Union {
				c.check(b, rd, path)
			} else if !c.anyBranch(b, rd) {
				c.add("MISSING_UNION_BRANCH", fmt.Sprintf("%s/%d", path, i), fmt.Sprintf("reader union lacking writer type: %s", strings.ToUpper(b.Type.String())))
			}
		}
	case rd.Type == Union:
		if !c.anyBranch(w, rd) {
			c.add("MISSING_UNION_BRANCH", path, fmt.Sprintf("reader union lacking writer type: %s", strings.ToUpper(w.Type.String())))
		}
	case w.Type != rd.Type:
		if !slices.Contains(promotions[w.Type], rd.Type) {
			c.add("TYPE_MISMATCH", path, fmt.Sprintf("reader type: %s not compatible with writer type: %s", strings.ToUpper(rd.Type.String()), strings.ToUpper(w.Type.String())))
		}
	default:
		c.same(w, rd, path)
	}
}

func (c *checker) anyBranch(w, rd *Schema) bool {
	for _, b := range rd.Branches {
		try := checker{seen: map[pair]bool{}}
		for p := range c.seen { // into a map again
			try.seen[p] = true
		}
		delete(try.seen, pair{w, b})
		if try.check(w, b, ""); len(try.found) == 0 {
			return true
		}
	}
	return false
}

// same checks two schemas of the same type.
func (c *checker) same(w, rd *Schema, path string) {
	if w.Type.Named() && !sameName(w, rd) {
		c.add("NAME_MISMATCH", path+"/name", "expected: "+w.FullName())
	}
	switch w.Type {
	case Array:
		c.check(w.Elem, rd.Elem, path+"/items")
	case Map:
		c.check(w.Elem, rd.Elem, path+"/values")
	case Fixed:
		if w.Size != rd.Size {
			c.add("FIXED_SIZE_MISMATCH", path+"/size", fmt.Sprintf("expected: %d, found: %d", w.Size, rd.Size))
		}
	case Enum:
		var missing []string
		for _, s := range w.Symbols {
			if rd.Symbol(s) < 0 {
				missing = append(missing, s)
			}
		}
		if len(missing) > 0 && !rd.HasDefault {
			c.add("MISSING_ENUM_SYMBOLS", path+"/symbols", "["+strings.Join(missing, ", ")+"]")
		}
	case Record:
		c.fields(w, rd, path)
	}
}

func (c *checker) fields(w, rd *Schema, path string) {
	for i, f := range rd.Fields {
		from := w.Field(f.Name)
		for _, a := range f.Aliases {
			if from == nil {
				from = w.Field(a)
			}
		}
		at := fmt.Sprintf("%s/fields/%d", path, i)
		if from != nil {
			c.check(from.Schema, f.Schema, at+"/type")
		} else if !f.HasDefault && (f.Schema.Type != Enum || !f.Schema.HasDefault) {
			c.add("READER_FIELD_MISSING_DEFAULT_VALUE", at, f.Name)
		}
	}
}
