package declare

import (
	"errors"
	"io/fs"
	"slices"

	"github.com/kstreamlab/kstreamlab/streams"
	"github.com/kstreamlab/kstreamlab/streams/serde"
)

// App is an application read from a file.
type App struct {
	// Name is application.id.
	Name string
	// Config are the properties of the file as text, application.id among them: for streams.ParseConfig.
	Config   map[string]string
	Topology *streams.Topology
	// InputTopics are the topics that the steps read, OutputTopics those that they write by a fixed name; both sorted, without internal
	// ones.
	InputTopics, OutputTopics []string
	// Serdes are those with which each of these topics is read or written, where the file says or the steps before imply it.
	Serdes map[string]Serdes
	// Places are where the file names each of these topics first.
	Places map[string]Place

	steps      []*step
	incomplete error
}

// Check says whether the app can be started: each step must have its serdes, by itself, inherited, or by default. The error is an *Error.
func (a *App) Check() error { return a.incomplete }

// Place is a place in a file. Lines and columns count from 1.
type Place struct {
	File         string
	Line, Column int
}

// Serdes are the serdes of a topic's keys and values; nil where nothing is known.
type Serdes struct{ Key, Value serde.Serde[any] }

// Load reads an application from a file, and checks that it can be started.
func Load(fsys fs.FS, path string) (*App, error) {
	data, err := fs.ReadFile(fsys, path)
	if err != nil {
		return nil, err
	}
	app, err := Parse(path, data)
	if err == nil {
		err = app.Check()
	}
	if err != nil {
		return nil, err
	}
	return app, nil
}

// Parse makes an application of a file's content: YAML, or JSON, which is YAML. file is its name in errors, each of which is an *Error.
// A step without serdes is not an error yet: see Check.
func Parse(file string, data []byte) (*App, error) {
	d, err := read(file, data)
	if err != nil {
		return nil, err
	}
	r := &reader{d: d, c: &compiler{d: d}, outs: map[string]*output{}, ids: map[string]bool{}}
	if err := r.app(d.root); err != nil {
		return nil, err
	}
	name, config, err := r.header(d.root)
	if err != nil {
		return nil, err
	}
	return r.build(name, config)
}

var appFields = []string{"app", "config", "steps"}

// app reads the steps.
func (r *reader) app(root *value) error {
	if root.kind != mapping {
		return r.d.fail(root.place, `an app is a mapping with the fields "app", "config" and "steps", not %s`, root.kind)
	}
	for _, f := range root.fields {
		if !slices.Contains(appFields, f.name) {
			return r.d.fail(f.place, "unknown field %q%s", f.name, suggest(f.name, appFields))
		}
	}
	steps := root.get("steps")
	if steps == nil {
		return r.d.fail(root.place, `the app has no steps: add the field "steps"`)
	}
	if steps.kind != list {
		return r.d.fail(steps.place, "steps: a list is expected, not %s", steps.kind)
	}
	for i, s := range steps.items {
		if err := r.step(s, i+1); err != nil {
			return err
		}
	}
	return nil
}

// header reads the name and the properties.
func (r *reader) header(root *value) (string, map[string]string, error) {
	name, err := r.needed(root, "app", "the app")
	if err != nil {
		return "", nil, err
	}
	config := map[string]string{}
	if c := root.get("config"); c != nil && c.kind != null {
		if c.kind != mapping {
			return "", nil, r.d.fail(c.place, "config: a mapping of properties is expected, not %s", c.kind)
		}
		for _, f := range c.fields {
			if config[f.name], err = r.text("config."+f.name, f.value); err != nil {
				return "", nil, err
			}
		}
	}
	if id, ok := config["application.id"]; ok && id != name {
		return "", nil, r.d.fail(root.get("config").get("application.id").place, "config.application.id: %q is not the app's name, %q: leave it out", id, name)
	}
	config["application.id"] = name
	return name, config, nil
}

// build makes the DSL calls.
func (r *reader) build(name string, config map[string]string) (*App, error) {
	b := &builder{r: r, d: r.d, b: streams.NewBuilder(), serdes: map[string]Serdes{}}
	if err := b.defaults(config); err != nil {
		return nil, err
	}
	for _, s := range r.steps {
		b.b.Step(s.id)
		if err := s.op.build(b, s); err != nil {
			return nil, b.wrong(s, err)
		}
		if err := b.b.Err(); err != nil {
			return nil, b.wrong(s, err)
		}
		if err := b.b.Missing(); err != nil && b.incomplete == nil {
			b.incomplete = b.wrong(s, err)
		}
	}
	top, err := b.b.Build()
	if err != nil {
		return nil, r.d.wrap(r.d.root.get("steps").place, err, "%v", err)
	}
	app := &App{Name: name, Config: config, Topology: top, Serdes: b.serdes, steps: r.steps, incomplete: b.incomplete}
	app.InputTopics, app.OutputTopics = distinct(b.inputs), distinct(b.outputs)
	app.Places = r.topicPlaces()
	return app, nil
}

// topicPlaces finds where the steps name their topics.
func (r *reader) topicPlaces() map[string]Place {
	out := map[string]Place{}
	for _, s := range r.steps {
		for _, option := range []string{"topic", "topics"} {
			var names []string
			switch v := s.opts[option].(type) {
			case string:
				names = []string{v}
			case []string:
				names = v
			}
			for _, n := range names {
				if _, ok := out[n]; !ok {
					p := s.at(option)
					out[n] = Place{r.d.file, p.line, p.column}
				}
			}
		}
	}
	return out
}

func distinct(names []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names)))
}

// wrong puts an error of the DSL at its step.
func (b *builder) wrong(s *step, err error) error {
	var placed *Error
	if errors.As(err, &placed) {
		return err
	}
	return b.d.wrap(s.place, err, "step %q: %v", s.id, err)
}
