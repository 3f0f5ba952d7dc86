package scenarios

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/kstreamlab/kstreamlab/streams/declare"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// maxLine is the longest line of a workload file, in bytes.
const maxLine = 16 << 20

// workload reads the workload files: JSON lines, gzip by their name, with CEL expressions over the fields of a line.
func (l *loader) workload() error {
	for i, w := range l.raw.Workload {
		at := fmt.Sprintf("$.workload[%d]", i)
		t, ok := l.out.topic(w.Topic)
		out := Workload{Topic: w.Topic}
		switch a := w.Append; {
		case a != nil && w.Topic != "":
			return l.fail(at+".append", "workload %d: topic and append: leave one of them out", i+1)
		case a != nil:
			if _, known := l.out.worker(a.Worker); !known || a.File == "" {
				return l.fail(at+".append", "workload %d: append: {worker, file} is expected, with one of the scenario's workers", i+1)
			}
			out.Worker, out.File = a.Worker, a.File
		case !ok:
			return l.fail(at+".topic", "workload: topic %q is not among the scenario's topics", w.Topic)
		}
		if w.File == "" {
			return l.fail(at, "workload %d names no file: add the field \"file\"", i+1)
		}
		r := &lineReader{l: l, at: at, w: w, topic: t}
		if err := r.prepare(); err != nil {
			return err
		}
		events, err := r.read()
		if err != nil {
			return err
		}
		out.Records = events
		l.out.Workload = append(l.out.Workload, out)
	}
	return nil
}

// lineReader makes events of the lines of one file.
type lineReader struct {
	l                              *loader
	at                             string
	w                              fileWorkload
	topic                          Topic
	key, value, timestamp, arrival cel.Program
	from, until                    int64
}

// fields are the names that expressions may use: the fields of a line that have one of them, and the whole line.
var fields = []string{"arrival", "headers", "key", "line", "timestamp", "value"}

func (r *lineReader) prepare() (err error) {
	for _, e := range []struct {
		field, text, dflt string
		to                *cel.Program
	}{{"key", r.w.Key, "key", &r.key}, {"value", r.w.Value, "value", &r.value}, {"timestamp", r.w.Timestamp, "timestamp", &r.timestamp}, {"arrival", r.w.Arrival, "timestamp", &r.arrival}} {
		text := e.text
		if text == "" {
			text = e.dflt
		}
		if *e.to, err = r.l.compile(r.at+"."+e.field, e.field, text, fields...); err != nil {
			return err
		}
	}
	r.from, r.until = -1<<63, 1<<63-1
	if r.w.From != "" {
		t, err := r.l.time(r.at+".from", r.w.From)
		if err != nil {
			return err
		}
		r.from = t.UnixMilli()
	}
	if r.w.Until != "" {
		t, err := r.l.time(r.at+".until", r.w.Until)
		if err != nil {
			return err
		}
		r.until = t.UnixMilli()
	}
	return nil
}

// compile compiles an expression of a field over variables.
func (l *loader) compile(at, field, text string, variables ...string) (cel.Program, error) {
	opts := []cel.EnvOption{}
	for _, v := range variables {
		opts = append(opts, cel.Variable(v, cel.DynType))
	}
	env, err := cel.NewEnv(opts...)
	if err != nil {
		return nil, err
	}
	ast, iss := env.Compile(text)
	if iss.Err() != nil {
		return nil, l.fail(at, "%s: the expression %q does not compile: %s", field, text, oneLine(strings.TrimPrefix(iss.Errors()[0].Message, "ERROR: ")))
	}
	p, err := env.Program(ast)
	if err != nil {
		return nil, l.fail(at, "%s: %v", field, err)
	}
	return p, nil
}

func (r *lineReader) read() ([]Event, error) {
	name := path.Join(path.Dir(r.l.file), r.w.File)
	f, err := r.l.fsys.Open(name)
	if err != nil {
		return nil, r.l.fail(r.at+".file", "workload: %v", err)
	}
	defer f.Close()
	var in io.Reader = f
	if strings.HasSuffix(name, ".gz") {
		if in, err = gzip.NewReader(f); err != nil {
			return nil, r.l.fail(r.at+".file", "workload %s: %v", name, err)
		}
	}
	var out []Event
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	for n := 1; lines.Scan(); n++ {
		e, err := r.event(lines.Bytes())
		if err != nil {
			return nil, &FileError{File: name, Line: n, Column: 1, Text: err.Error(), Err: err}
		}
		if len(out) > 0 && e.Arrival < out[len(out)-1].Arrival {
			return nil, &FileError{File: name, Line: n, Column: 1, Text: fmt.Sprintf("arrival %d is before that of the line above, %d: the file must be in order of arrival", e.Arrival, out[len(out)-1].Arrival)}
		}
		if e.Arrival >= r.from && e.Arrival < r.until {
			out = append(out, e)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, &FileError{File: name, Text: err.Error(), Err: err}
	}
	return out, nil
}

func (r *lineReader) event(line []byte) (e Event, err error) {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return e, fmt.Errorf("a JSON object is expected: %w", err)
	}
	vars := map[string]any{"line": numbers(m)}
	for _, f := range fields[:] {
		if f != "line" {
			vars[f] = m[f]
		}
	}
	if e.Arrival, err = r.integer("arrival", r.arrival, vars); err != nil {
		return e, err
	}
	if e.Record.Timestamp, err = r.integer("timestamp", r.timestamp, vars); err != nil {
		return e, err
	}
	if e.Record.Key, err = r.bytes("key", r.key, r.topic.Key, vars); err != nil {
		return e, err
	}
	e.Record.Value, err = r.bytes("value", r.value, r.topic.Value, vars)
	return e, err
}

// numbers turns the numbers of a JSON value into int64 where they are whole, float64 else.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, x := range v {
			v[k] = numbers(x)
		}
	case []any:
		for i, x := range v {
			v[i] = numbers(x)
		}
	}
	return v
}

func (r *lineReader) integer(field string, p cel.Program, vars map[string]any) (int64, error) {
	v, _, err := p.Eval(vars)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", field, err)
	}
	n, ok := v.Value().(int64)
	if !ok {
		return 0, fmt.Errorf("%s: milliseconds are expected, not a %s", field, v.Type().TypeName())
	}
	return n, nil
}

func (r *lineReader) bytes(field string, p cel.Program, s serde.Serde[any], vars map[string]any) ([]byte, error) {
	v, _, err := p.Eval(vars)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	x, err := declare.Native(v)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	if x == nil {
		return nil, nil
	}
	if s == nil {
		s = serde.CanonicalJSON()
		if _, ok := x.(string); ok {
			s = serde.Dynamic(serde.String())
		}
	}
	b, err := s.Append(nil, r.topic.Name, x)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return b, nil
}
