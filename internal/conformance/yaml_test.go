package conformance_test

import (
	"os"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/kstreamlab/kstreamlab/internal/conformance"
	"github.com/kstreamlab/kstreamlab/streams/declare"
)

// TestSpecsAsYAML writes each case's app as block YAML: it must be the same topology, or refused for the same reason.
func TestSpecsAsYAML(t *testing.T) {
	all, err := conformance.Load(os.DirFS(*vectors))
	if err != nil {
		t.Fatal(err)
	}
	same := 0
	for _, v := range all {
		text, err := yaml.JSONToYAML(v.Spec)
		if err != nil {
			t.Fatal(v.Name, err)
		}
		one, err1 := declare.Parse("app.json", v.Spec)
		two, err2 := declare.Parse("app.yaml", text)
		switch {
		case err1 == nil && err2 == nil:
			if one.Topology.Describe() != two.Topology.Describe() {
				t.Errorf("%s: another topology of\n%s", v.Name, text)
			}
			same++
		case err1 == nil || err2 == nil || conformance.Class(err1) != conformance.Class(err2):
			t.Errorf("%s: as JSON %v, as YAML %v\n%s", v.Name, err1, err2, text)
		}
	}
	if same == 0 {
		t.Error("no case is an app that can be built")
	}
}
