package debezium

import (
	"strconv"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
	"github.com/kstreamlab/kstreamlab/connect/internal/javastring"
)

// settings are properties as Debezium's Configuration reads them: texts, not trimmed, a null like one that is not there.
type settings struct {
	def   *config.Def
	props config.Props
}

// text is a property, or its default; ok is false where both are null.
func (s settings) text(name string) (v string, ok bool) {
	if p, set := s.props[name]; set && p != nil {
		return data.Text(p), true
	}
	k := s.def.Key(name)
	if k == nil || k.Default == nil {
		return "", false
	}
	return config.TextOf(k.Default)
}

// or is text, "" for null.
func (s settings) or(name string) string {
	v, _ := s.text(name)
	return v
}

// bool is a property that is true or false, else its default.
func (s settings) bool(name string) bool {
	switch strings.ToLower(javastring.Trim(s.or(name))) {
	case "true":
		return true
	case "false":
		return false
	}
	v, _ := s.def.Key(name).Default.(bool)
	return v
}

// check is one of Debezium's validators: what is wrong with a property, or "".
type check func(s settings, name string) string

func required(s settings, name string) string {
	if javastring.Blank(s.or(name)) {
		return "A value is required"
	}
	return ""
}

func boolean(s settings, name string) string {
	v, ok := s.text(name)
	if v = javastring.Trim(v); !ok || strings.EqualFold(v, "true") || strings.EqualFold(v, "false") {
		return ""
	}
	return "Either 'true' or 'false' is expected"
}

func integer(s settings, name string) string {
	if v, ok := s.text(name); ok {
		if _, err := strconv.ParseInt(v, 10, 32); err != nil {
			return "An integer is expected"
		}
	}
	return ""
}

func regex(s settings, name string) string {
	if v, ok := s.text(name); ok {
		if _, err := javaregex.Compile(v); err != nil {
			return "A valid regular expressions is expected, but " + err.Error()
		}
	}
	return ""
}

// oneOf wants one of these in any case.
func oneOf(all ...string) check {
	return func(s settings, name string) string {
		v, ok := s.text(name)
		if !ok {
			return ""
		}
		for _, x := range all {
			if strings.ToLower(javastring.Trim(v)) == x {
				return ""
			}
		}
		return "Value must be one of " + strings.Join(all, ", ")
	}
}

// rule is a property with its check.
type rule struct {
	name  string
	check check
}

// firstFault is the first rule that is broken, and what is wrong.
func (s settings) firstFault(rules []rule) (property, problem string) {
	for _, r := range rules {
		if p := r.check(s, r.name); p != "" {
			return r.name, p
		}
	}
	return "", ""
}

// validate is Configuration.validateAndRecord: which rule was broken goes to Debezium's log only.
func (s settings) validate(rules []rule) error {
	if name, _ := s.firstFault(rules); name != "" {
		return data.ConnectException.Errorf("Unable to validate config.")
	}
	return nil
}
