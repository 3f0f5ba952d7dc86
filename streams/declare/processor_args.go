package declare

import (
	"slices"

	"github.com/kstreamlab/kstreamlab/streams"
)

// argKind is how an argument of a processor is read.
type argKind int8

const (
	exprArg argKind = iota
	durationArg
	timesArg
	flagArg
	textArg
	clockArg
	headersArg
)

// arg is one that a processor has.
type arg struct {
	name   string
	kind   argKind
	needed bool
}

// schedule are the arguments of processors that punctuate.
var schedule = []arg{{"type", clockArg, true}, {"interval", durationArg, true}, {"start", durationArg, false}}

// processorArgs are the processors of the language, by name.
var processorArgs = map[string][]arg{
	"count":         nil,
	"route":         {{"to", exprArg, true}},
	"sweep":         append(slices.Clone(schedule), arg{"clear", flagArg, false}),
	"tick":          append(slices.Clone(schedule), arg{"times", timesArg, false}),
	"rewrite":       {{"when", exprArg, false}, {"key", exprArg, false}, {"value", exprArg, false}, {"timestamp", exprArg, false}, {"headers", headersArg, false}},
	"window-range":  {{"back", durationArg, true}, {"ahead", durationArg, true}},
	"session-track": {{"gap", durationArg, true}},
	"versioned":     nil,
	"dedup":         {{"id", exprArg, true}, {"within", durationArg, true}},
	"expire":        append(slices.Clone(schedule), arg{"ttl", durationArg, true}),
	"fail":          {{"when", exprArg, true}, {"message", textArg, true}},
	"global-lookup": {{"store", textArg, true}, {"key", exprArg, true}},
}

// forValues are the processors that there are for process-values too.
var forValues = []string{"count", "rewrite", "fail"}

// args are the arguments of a processor.
type args struct {
	exprs   map[string]*expression
	ms      map[string]int64
	times   int64
	clear   bool
	text    map[string]string
	clock   streams.PunctuationType
	headers []headerArg
}

// headerArg sets a header.
type headerArg struct {
	name  string
	value *expression
}

func (a *args) has(name string) bool { _, ok := a.ms[name]; return ok }

// checkProcessor reads the arguments of a processor.
func checkProcessor(r *reader, s *step) error {
	known := processorArgs[get[string](s, "processor")]
	if s.opName == "process-values" {
		known = slices.DeleteFunc(slices.Clone(known), func(a arg) bool { return a.name == "key" })
	}
	a := &args{exprs: map[string]*expression{}, ms: map[string]int64{}, text: map[string]string{}}
	v := get[*value](s, "args")
	if v == nil {
		v = &value{place: s.place, kind: mapping}
	}
	var names []string
	for _, k := range known {
		names = append(names, k.name)
	}
	field := s.id + ".args"
	err := r.each(field, v, names, func(name, field string, v *value) error {
		i := slices.IndexFunc(known, func(k arg) bool { return k.name == name })
		return r.argument(a, known[i], field, v)
	})
	for _, k := range known {
		if err == nil && k.needed && v.get(k.name) == nil {
			err = r.d.fail(v.place, "%s.%s: this argument is needed", field, k.name)
		}
	}
	s.opts["args"] = a
	return err
}

func (r *reader) argument(a *args, k arg, field string, v *value) (err error) {
	switch k.kind {
	case exprArg:
		a.exprs[k.name], err = r.expression(field, v, processVars)
	case durationArg:
		a.ms[k.name], err = r.duration(field, v)
	case timesArg:
		a.times, err = r.count(field, v, 1)
	case flagArg:
		a.clear, err = r.flag(field, v)
	case textArg:
		a.text[k.name], err = r.text(field, v)
	case clockArg:
		var t string
		if t, err = r.choice(field, v, []string{"stream-time", "wall-clock"}); t == "wall-clock" {
			a.clock = streams.WallClockTime
		}
	case headersArg:
		err = r.headerArgs(a, field, v)
	}
	return err
}

func (r *reader) headerArgs(a *args, field string, v *value) error {
	if v.kind != mapping {
		return r.d.fail(v.place, "%s: a mapping from names of headers to expressions is expected, not %s", field, v.kind)
	}
	for _, f := range v.fields {
		e, err := r.expression(field+"."+f.name, f.value, processVars)
		if err != nil {
			return err
		}
		a.headers = append(a.headers, headerArg{f.name, e})
	}
	return nil
}
