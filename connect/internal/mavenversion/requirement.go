package mavenversion

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// Requirement is what a plugin.version property asks for. A nil one allows every version.
type Requirement struct{ ranges []versions }

// versions are those between two bounds.
type versions struct {
	low, high           *Version // nil: none
	lowOpen, highOpen   bool     // the bound itself is not in
	lowBound, highBound string   // brackets
}

// rangeError is a text that is no requirement, with Maven's message.
type rangeError string

func (e rangeError) Error() string { return string(e) }

// latest is the property's value for no requirement.
const latest = "latest"

// ParseRequirement reads a plugin.version: "latest" asks for nothing; ranges, [1.0,2.0) or (,1.0],[1.2,) or [1.0], ask for a version in one of them; a
// version by itself, 1.0, asks for that one. The message of an error is Maven's.
func ParseRequirement(text string) (*Requirement, error) {
	if text == latest {
		return nil, nil
	}
	text = javastring.Trim(text)
	ranges, err := parseRanges(text)
	if err == nil && ranges == nil {
		ranges, err = parseRanges("[" + text + "]")
	}
	if err != nil {
		return nil, err
	}
	return &Requirement{ranges}, nil
}

// Allows says whether a version fits.
func (r *Requirement) Allows(v Version) bool {
	return r == nil || slices.ContainsFunc(r.ranges, func(x versions) bool { return x.contain(v) })
}

// String is how Maven prints a range.
func (r *Requirement) String() string {
	var all []string
	for _, x := range r.ranges {
		all = append(all, x.String())
	}
	return strings.Join(all, ",")
}

// parseRanges reads ranges in rising order; none for a text that is no range.
func parseRanges(text string) (out []versions, _ error) {
	rest := text
	for strings.HasPrefix(rest, "[") || strings.HasPrefix(rest, "(") {
		end := strings.IndexAny(rest, ")]")
		if end < 0 {
			return nil, rangeError("Unbounded range: " + text)
		}
		x, err := parseRange(rest[:end+1])
		if err != nil {
			return nil, err
		}
		if n := len(out); n > 0 && out[n-1].high != nil && (x.low == nil || x.low.Compare(*out[n-1].high) < 0) {
			return nil, rangeError("Ranges overlap: " + text)
		}
		out = append(out, x)
		rest = javastring.Trim(rest[end+1:])
		rest = javastring.Trim(strings.TrimPrefix(rest, ","))
	}
	if rest != "" && out != nil {
		return nil, rangeError("Only fully-qualified sets allowed in multiple set scenario: " + text)
	}
	return out, nil
}

func parseRange(text string) (versions, error) {
	last := len(text) - 1
	x := versions{lowBound: text[:1], highBound: text[last:]}
	x.lowOpen, x.highOpen = x.lowBound == "(", x.highBound == ")"
	low, high, two := strings.Cut(javastring.Trim(text[1:last]), ",")
	if !two {
		if x.lowOpen || x.highOpen {
			return x, rangeError("Single version must be surrounded by []: " + text)
		}
		v := Parse(low)
		x.low, x.high = &v, &v
		return x, nil
	}
	x.low, x.high = bound(low), bound(high)
	if x.low != nil && x.high != nil {
		if c := x.high.Compare(*x.low); c < 0 || c == 0 && (x.lowOpen || x.highOpen) {
			return x, rangeError("Range defies version ordering: " + text)
		}
	}
	return x, nil
}

func bound(text string) *Version {
	if text = javastring.Trim(text); text == "" {
		return nil
	}
	v := Parse(text)
	return &v
}

func (x versions) contain(v Version) bool {
	if x.low != nil {
		if c := v.Compare(*x.low); c < 0 || c == 0 && x.lowOpen {
			return false
		}
	}
	if x.high != nil {
		if c := v.Compare(*x.high); c > 0 || c == 0 && x.highOpen {
			return false
		}
	}
	return true
}

func (x versions) String() string {
	text := func(v *Version) string {
		if v == nil {
			return ""
		}
		return v.String()
	}
	return x.lowBound + text(x.low) + "," + text(x.high) + x.highBound
}
