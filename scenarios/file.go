package scenarios

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/faults"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/streams/declare"
)

// FileError is something wrong with a scenario file. It is printed on one line: "scenario.yaml:12:9: what is wrong".
type FileError struct {
	File         string
	Line, Column int // from 1; 0: the file as a whole
	Text         string
	Err          error
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Text)
}

func (e *FileError) Unwrap() error { return e.Err }

// The file's form. Times are RFC 3339; durations are as in app.yaml ("10m", "1h", "7d", or milliseconds).
type (
	fileScenario struct {
		Name     string            `yaml:"name"`
		About    string            `yaml:"about"`
		Cluster  fileCluster       `yaml:"cluster"`
		Start    string            `yaml:"start"`
		Topics   []fileTopic       `yaml:"topics"`
		Apps     []fileApp         `yaml:"apps"`
		Workers  []fileWorker      `yaml:"workers"`
		Workload []fileWorkload    `yaml:"workload"`
		Faults   []fileFault       `yaml:"faults"`
		Expect   []fileExpectation `yaml:"expect"`
	}
	fileCluster struct {
		Brokers int `yaml:"brokers"`
	}
	fileTopic struct {
		Name        string            `yaml:"name"`
		Partitions  int32             `yaml:"partitions"`
		Replication int16             `yaml:"replication"`
		Serde       fileSerde         `yaml:"serde"`
		Config      map[string]string `yaml:"config"`
	}
	fileSerde struct {
		Key   string `yaml:"key"`
		Value string `yaml:"value"`
	}
	fileApp struct {
		File      string            `yaml:"file"`
		Instances int               `yaml:"instances"`
		Threads   int               `yaml:"threads"`
		Store     string            `yaml:"store"` // memory (default), pebble
		Config    map[string]string `yaml:"config"`
	}
	fileWorker struct {
		Name       string              `yaml:"name"`
		Config     map[string]string   `yaml:"config"`
		Connectors []map[string]string `yaml:"connectors"`
	}
	fileAppend struct {
		Worker string `yaml:"worker"`
		File   string `yaml:"file"`
	}
	fileLines struct {
		Worker string `yaml:"worker"`
		File   string `yaml:"file"`
		Of     string `yaml:"of"`
		Line   string `yaml:"line"`
		Once   bool   `yaml:"once"`
	}
	fileWorkload struct {
		Topic     string      `yaml:"topic"`
		Append    *fileAppend `yaml:"append"`
		File      string      `yaml:"file"`
		Key       string      `yaml:"key"`
		Value     string      `yaml:"value"`
		Timestamp string      `yaml:"timestamp"`
		Arrival   string      `yaml:"arrival"`
		From      string      `yaml:"from"`
		Until     string      `yaml:"until"`
	}
	fileFault struct {
		At           string   `yaml:"at"`
		Between      []string `yaml:"between"`
		Crash        string   `yaml:"crash"`
		RestartAfter string   `yaml:"restart_after"`
		Pause        string   `yaml:"pause"`
		For          string   `yaml:"for"`
	}
	fileExpectation struct {
		WindowedCounts       *fileWindows  `yaml:"windowed-counts"`
		LateDrops            *fileWindows  `yaml:"late-drops"`
		ExactlyOnce          *fileTopicRef `yaml:"exactly-once"`
		StoreEqualsChangelog *fileStore    `yaml:"store-equals-changelog"`
		CaughtUp             *fileCaughtUp `yaml:"caught-up"`
		Rows                 *fileRows     `yaml:"rows"`
		SameWithoutFaults    *fileSame     `yaml:"same-without-faults"`
		FileLines            *fileLines    `yaml:"file-lines"`
	}
	fileWindows struct {
		Topic string `yaml:"topic"`
		App   string `yaml:"app"`
		Input string `yaml:"input"`
		Size  string `yaml:"size"`
		Grace string `yaml:"grace"`
	}
	fileTopicRef struct {
		Topic string `yaml:"topic"`
	}
	fileStore struct {
		App   string `yaml:"app"`
		Store string `yaml:"store"`
	}
	fileSame struct {
		Topic   string `yaml:"topic"`
		Compare string `yaml:"compare"`
	}
	fileCaughtUp struct {
		App    string `yaml:"app"`
		Within string `yaml:"within"`
	}
	fileRows struct {
		Topic string    `yaml:"topic"`
		Rows  []fileRow `yaml:"rows"`
	}
	fileRow struct {
		Key   any `yaml:"key"`
		Value any `yaml:"value"`
	}
)

// loader turns a file into a scenario, and knows where everything stands in it.
type loader struct {
	fsys    fs.FS
	file    string
	plugins func() *connect.Plugins // of workers; nil: this module's
	root    ast.Node
	raw     fileScenario
	out     *Scenario
}

// Load reads a scenario file; the files that it names are found beside it.
func Load(fsys fs.FS, file string) (*Scenario, error) { return LoadWithPlugins(fsys, file, nil) }

// LoadWithPlugins is Load of a scenario whose workers have these plugins: see Worker.
func LoadWithPlugins(fsys fs.FS, file string, plugins func() *connect.Plugins) (*Scenario, error) {
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, &FileError{File: file, Text: err.Error(), Err: err}
	}
	l := &loader{fsys: fsys, file: file, plugins: plugins}
	if err := l.parse(data); err != nil {
		return nil, err
	}
	l.out = &Scenario{Name: l.raw.Name, About: l.raw.About, Brokers: l.raw.Cluster.Brokers}
	for _, f := range []func() error{l.header, l.topics, l.apps, l.workers, l.workload, l.faults, l.expectations} {
		if err := f(); err != nil {
			return nil, err
		}
	}
	return l.out, nil
}

func (l *loader) parse(data []byte) error {
	f, err := parser.ParseBytes(data, 0)
	if err != nil {
		return l.yamlError(err)
	}
	if len(f.Docs) != 1 || f.Docs[0].Body == nil {
		return &FileError{File: l.file, Text: "the file holds no scenario: it is a mapping with name, topics, apps, workers, workload, faults and expect"}
	}
	l.root = f.Docs[0].Body
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict(), yaml.DisallowUnknownField()).Decode(&l.raw); err != nil {
		return l.yamlError(err)
	}
	return nil
}

// yamlError puts a library's error on one line, with its place and, for an unknown field, the known ones.
func (l *loader) yamlError(err error) error {
	var ye yaml.Error
	if !errors.As(err, &ye) || ye.GetToken() == nil {
		return &FileError{File: l.file, Text: oneLine(err.Error()), Err: err}
	}
	text := oneLine(ye.GetMessage())
	tok := ye.GetToken()
	var unknown *yaml.UnknownFieldError
	if errors.As(err, &unknown) {
		text = fmt.Sprintf("unknown field %q: %s", tok.Value, known(reflect.TypeFor[fileScenario](), tok.Value))
	}
	return &FileError{File: l.file, Line: tok.Position.Line, Column: tok.Position.Column, Text: text, Err: err}
}

func oneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

// known offers the field whose name is nearest, of all that the form has.
func known(t reflect.Type, name string) string {
	fields := map[string]bool{}
	var walk func(reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice:
			walk(t.Elem())
		case reflect.Struct:
			for f := range t.Fields() {
				fields[f.Tag.Get("yaml")] = true
				walk(f.Type)
			}
		}
	}
	walk(t)
	var list []string
	for f := range fields {
		list = append(list, f)
	}
	return strings.TrimPrefix(declare.Suggest(name, list), ": ")
}

// fail is an error at a path of the file, as "$.apps[0].file".
func (l *loader) fail(at string, format string, args ...any) error {
	e := &FileError{File: l.file, Text: fmt.Sprintf(format, args...)}
	for _, a := range args {
		if err, ok := a.(error); ok {
			e.Err = err
		}
	}
	for p := at; p != ""; p = p[:max(0, strings.LastIndexAny(p, ".["))] { // the nearest thing that is there
		yp, err := yaml.PathString(p)
		if err != nil {
			break
		}
		n, err := yp.FilterNode(l.root)
		if err != nil || n == nil || n.GetToken() == nil {
			continue
		}
		tok := n.GetToken()
		if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 {
			tok = m.Values[0].Key.GetToken()
		}
		e.Line, e.Column = tok.Position.Line, tok.Position.Column
		break
	}
	return e
}

func (l *loader) header() error {
	if l.raw.Name == "" {
		return l.fail("$.name", `the scenario has no name: add the field "name"`)
	}
	if l.raw.Cluster.Brokers < 0 || l.raw.Cluster.Brokers > 100 {
		return l.fail("$.cluster.brokers", "cluster.brokers: %d: 1 to 100 brokers are expected", l.raw.Cluster.Brokers)
	}
	if l.raw.Start != "" {
		t, err := l.time("$.start", l.raw.Start)
		if err != nil {
			return err
		}
		l.out.Start = t
	}
	return nil
}

func (l *loader) time(at, s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return t, l.fail(at, "%q is not a time: RFC 3339 is expected, such as 2013-01-10T14:20:00Z", s)
	}
	return t, nil
}

func (l *loader) duration(at, field, s string) (time.Duration, error) {
	ms, err := declare.Duration(s)
	if err != nil {
		return 0, l.fail(at, "%s: %v", field, err)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

func (l *loader) topics() error {
	for i, t := range l.raw.Topics {
		at := fmt.Sprintf("$.topics[%d]", i)
		if t.Name == "" {
			return l.fail(at, "topic %d has no name", i+1)
		}
		if _, twice := l.out.topic(t.Name); twice {
			return l.fail(at+".name", "topic %q is there twice: leave one of them out", t.Name)
		}
		if t.Partitions < 1 {
			return l.fail(at+".partitions", "topic %q: partitions: %d: at least 1 is expected", t.Name, t.Partitions)
		}
		out := Topic{Name: t.Name, Partitions: t.Partitions, Replication: t.Replication, Config: t.Config}
		var err error
		if t.Serde.Key != "" {
			if out.Key, err = declare.Serde(t.Serde.Key); err != nil {
				return l.fail(at+".serde.key", "topic %q: %v", t.Name, err)
			}
		}
		if t.Serde.Value != "" {
			if out.Value, err = declare.Serde(t.Serde.Value); err != nil {
				return l.fail(at+".serde.value", "topic %q: %v", t.Name, err)
			}
		}
		l.out.Topics = append(l.out.Topics, out)
	}
	return nil
}

func (l *loader) apps() error {
	for i, a := range l.raw.Apps {
		at := fmt.Sprintf("$.apps[%d]", i)
		if a.File == "" {
			return l.fail(at, "app %d names no file: add the field \"file\"", i+1)
		}
		app, err := declare.Load(l.fsys, path.Join(path.Dir(l.file), a.File))
		if err != nil {
			var de *declare.Error
			if errors.As(err, &de) {
				return err // it names its own file and place
			}
			return l.fail(at+".file", "app %q: %v", a.File, err)
		}
		for _, t := range append(append([]string(nil), app.InputTopics...), app.OutputTopics...) {
			if _, ok := l.out.topic(t); !ok {
				return l.fail(at+".file", "app %q uses topic %q, which is not among the scenario's topics: add it to \"topics\"", a.File, t)
			}
		}
		out := App{Name: app.Name, Topology: app.Topology, Config: app.Config, Instances: a.Instances}
		for k, v := range a.Config {
			out.Config[k] = v
		}
		if a.Threads > 0 {
			out.Config["num.stream.threads"] = fmt.Sprint(a.Threads)
		}
		switch a.Store {
		case "", "memory":
		case "pebble":
			out.Pebble = true
		default:
			return l.fail(at+".store", "store: %q: memory or pebble is expected", a.Store)
		}
		if _, err := out.parse(out.Name); err != nil {
			return l.fail(at, "app %q: %v", a.File, err)
		}
		l.out.Apps = append(l.out.Apps, out)
	}
	return nil
}

func (l *loader) workers() error {
	for i, w := range l.raw.Workers {
		at := fmt.Sprintf("$.workers[%d]", i)
		out := Worker{Name: w.Name, Config: w.Config, Connectors: w.Connectors, Plugins: l.plugins}
		if w.Name == "" {
			return l.fail(at, "worker %d has no name", i+1)
		}
		if _, twice := l.out.worker(w.Name); twice {
			return l.fail(at+".name", "worker %q is there twice: leave one of them out", w.Name)
		}
		plugins := out.plugins()
		if _, err := out.parse(plugins); err != nil {
			return l.fail(at+".config", "worker %q: %v", w.Name, err)
		}
		for n, c := range w.Connectors {
			if err := checkConnector(plugins, c); err != nil {
				return l.fail(fmt.Sprintf("%s.connectors[%d]", at, n), "connector %d of worker %q: %v", n+1, w.Name, err)
			}
		}
		l.out.Workers = append(l.out.Workers, out)
	}
	return nil
}

// checkConnector checks what can be checked before anything runs: the name, and that the class is there.
func checkConnector(p *connect.Plugins, props map[string]string) error {
	if props["name"] == "" {
		return errors.New(`it has no name: add "name"`)
	}
	class := props["connector.class"]
	for _, k := range []connect.Kind{connect.KindSource, connect.KindSink} {
		if _, ok := p.Find(k, class); ok {
			return nil
		}
	}
	return fmt.Errorf("there is no connector of class %q", class)
}

func (l *loader) fileLines(at string, x *fileLines) (FileLines, error) {
	out := FileLines{Worker: x.Worker, File: x.File, Of: x.Of, Once: x.Once}
	if _, ok := l.out.worker(x.Worker); !ok {
		return out, l.fail(at+".worker", "worker %q is not among the scenario's workers", x.Worker)
	}
	if x.File == "" || len(l.out.lines(x.Worker, x.Of)) == 0 {
		return out, l.fail(at, "file-lines: a file, and of: a file that the workload appends to, are expected")
	}
	if x.Line == "" {
		return out, nil
	}
	p, err := l.compile(at+".line", "line", x.Line, "line")
	if err != nil {
		return out, err
	}
	out.Line = func(line string) (string, bool) {
		v, _, err := p.Eval(map[string]any{"line": line})
		if err != nil {
			return "the expression fails: " + err.Error(), true
		}
		text, ok := v.Value().(string)
		return text, ok // null: the line is dropped
	}
	return out, nil
}

func (l *loader) faults() error {
	var names []string
	for i := range l.out.Apps {
		for n := range max(l.out.Apps[i].Instances, 1) {
			names = append(names, fmt.Sprintf("%s-%d", l.out.Apps[i].Name, n+1))
		}
	}
	for i := range l.out.Workers {
		names = append(names, l.out.Workers[i].Name)
	}
	for i, f := range l.raw.Faults {
		at := fmt.Sprintf("$.faults[%d]", i)
		out := faults.Fault{}
		length := ""
		switch {
		case f.Crash != "" && f.Pause == "":
			out.Kind, out.Instance, length = faults.Crash, f.Crash, f.RestartAfter
		case f.Pause != "" && f.Crash == "":
			out.Kind, out.Instance, length = faults.Pause, f.Pause, f.For
		default:
			return l.fail(at, "fault %d: exactly one of crash and pause is expected", i+1)
		}
		if out.Kind == faults.Pause && length == "" {
			return l.fail(at, "fault %d: a pause needs a length: add \"for\"", i+1)
		}
		if out.Instance != faults.Any && !slices.Contains(names, out.Instance) {
			return l.fail(at, "fault %d: there is no instance %q: there are %s, and %q", i+1, out.Instance, strings.Join(names, ", "), faults.Any)
		}
		var err error
		if length != "" {
			if out.For, err = l.duration(at, "fault", length); err != nil {
				return err
			}
		}
		switch {
		case f.At != "" && f.Between == nil:
			out.At, err = l.time(at+".at", f.At)
		case f.At == "" && len(f.Between) == 2:
			if out.From, err = l.time(at+".between", f.Between[0]); err == nil {
				out.To, err = l.time(at+".between", f.Between[1])
			}
		default:
			return l.fail(at, "fault %d: when? either at: TIME or between: [TIME, TIME] is expected", i+1)
		}
		if err != nil {
			return err
		}
		l.out.Faults = append(l.out.Faults, out)
	}
	_, err := faults.Plan(l.out.Faults, names, host.SplitRand(1, "faults"))
	if wrong := (*faults.Error)(nil); errors.As(err, &wrong) {
		return l.fail(fmt.Sprintf("$.faults[%d]", wrong.Index), "%v", err)
	}
	return err
}

func (l *loader) expectations() error {
	for i, e := range l.raw.Expect {
		at := fmt.Sprintf("$.expect[%d]", i)
		n := len(l.out.Expect)
		if w := e.WindowedCounts; w != nil {
			size, grace, err := l.windows(at+".windowed-counts", w, w.Topic, w.Input)
			if err != nil {
				return err
			}
			l.out.Expect = append(l.out.Expect, WindowedCounts{Topic: w.Topic, Input: w.Input, Size: size, Grace: grace})
		}
		if w := e.LateDrops; w != nil {
			if err := l.needApp(at+".late-drops", w.App); err != nil {
				return err
			}
			size, grace, err := l.windows(at+".late-drops", w, w.Input)
			if err != nil {
				return err
			}
			l.out.Expect = append(l.out.Expect, LateDrops{App: w.App, Input: w.Input, Size: size, Grace: grace})
		}
		if x := e.ExactlyOnce; x != nil {
			if err := l.needTopic(at+".exactly-once", x.Topic); err != nil {
				return err
			}
			l.out.Expect = append(l.out.Expect, ExactlyOnce{x.Topic})
		}
		if x := e.StoreEqualsChangelog; x != nil {
			if err := l.needStore(at+".store-equals-changelog", x); err != nil {
				return err
			}
			l.out.Expect = append(l.out.Expect, StoreEqualsChangelog{x.App, x.Store})
		}
		if x := e.CaughtUp; x != nil {
			if err := l.needApp(at+".caught-up", x.App); err != nil {
				return err
			}
			c := CaughtUp{App: x.App}
			if x.Within != "" {
				var err error
				if c.Within, err = l.duration(at+".caught-up.within", "within", x.Within); err != nil {
					return err
				}
			}
			l.out.Expect = append(l.out.Expect, c)
		}
		if x := e.Rows; x != nil {
			if err := l.needTopic(at+".rows", x.Topic); err != nil {
				return err
			}
			r := Rows{Topic: x.Topic}
			for _, row := range x.Rows {
				r.Rows = append(r.Rows, WantRow(row))
			}
			l.out.Expect = append(l.out.Expect, r)
		}
		if x := e.SameWithoutFaults; x != nil {
			if err := l.needTopic(at+".same-without-faults", x.Topic); err != nil {
				return err
			}
			c := Compare(cmp.Or(x.Compare, string(LastByKey)))
			if !slices.Contains([]Compare{LastByKey, AsMultiset, Exactly}, c) {
				return l.fail(at+".same-without-faults.compare", "compare: %q%s", x.Compare, declare.Suggest(x.Compare, []string{string(LastByKey), string(AsMultiset), string(Exactly)}))
			}
			l.out.Expect = append(l.out.Expect, SameWithoutFaults{x.Topic, c})
		}
		if x := e.FileLines; x != nil {
			f, err := l.fileLines(at+".file-lines", x)
			if err != nil {
				return err
			}
			l.out.Expect = append(l.out.Expect, f)
		}
		if len(l.out.Expect) != n+1 {
			return l.fail(at, "expectation %d: exactly one of windowed-counts, late-drops, exactly-once, store-equals-changelog, caught-up, same-without-faults, file-lines and rows is expected", i+1)
		}
	}
	return nil
}

func (l *loader) windows(at string, w *fileWindows, topics ...string) (size, grace time.Duration, err error) {
	for _, t := range topics {
		if err := l.needTopic(at, t); err != nil {
			return 0, 0, err
		}
	}
	if size, err = l.duration(at+".size", "size", w.Size); err == nil && w.Grace != "" {
		grace, err = l.duration(at+".grace", "grace", w.Grace)
	}
	if err == nil && size <= 0 {
		err = l.fail(at+".size", "size: %q: windows have a length", w.Size)
	}
	return size, grace, err
}

func (l *loader) needTopic(at, name string) error {
	if _, ok := l.out.topic(name); !ok {
		return l.fail(at, "topic %q is not among the scenario's topics", name)
	}
	return nil
}

func (l *loader) needApp(at, name string) error {
	if _, ok := l.out.app(name); !ok {
		return l.fail(at, "application %q is not among the scenario's apps", name)
	}
	return nil
}

func (l *loader) needStore(at string, x *fileStore) error {
	if err := l.needApp(at, x.App); err != nil {
		return err
	}
	a, _ := l.out.app(x.App)
	if !slices.Contains(a.Topology.Stores(), x.Store) {
		return l.fail(at, "application %q has no store %q: it has %s", x.App, x.Store, strings.Join(a.Topology.Stores(), ", "))
	}
	return nil
}
