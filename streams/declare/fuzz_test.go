package declare_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/streams/declare"
)

// FuzzParse holds Parse to its contract: an app that can be described, or an *Error on one line, and never a panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(departures))
	f.Add([]byte(head + "  - {id: f, op: filter, in: in, where: \"value.x > \"}"))
	f.Add([]byte(head + "  - id: f\n    op: map-values\n    in: in\n    value: |\n      value.map(k, k)\n"))
	f.Add([]byte(`{"app":"a","steps":[{"id":"b","op":"branch","in":"b","branches":[]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		app, err := declare.Parse("app.yaml", data)
		if err == nil {
			if !strings.HasPrefix(app.Topology.Describe(), "Topologies:\n") {
				t.Errorf("describe: %q", app.Topology.Describe())
			}
			return
		}
		var e *declare.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v (%T): want an *Error", err, err)
		}
		if e.Line < 1 || e.Column < 1 || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q", err)
		}
		if lines := 1 + strings.Count(string(data), "\n") + strings.Count(string(data), "\r"); e.Line > lines+1 { // a carriage return ends a line too
			t.Errorf("line %d of a file with %d", e.Line, lines)
		}
	})
}
