package worker_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/converters"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/predicates"
	"github.com/kstreamlab/kstreamlab/connect/transforms"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// versioned is a source connector in several versions; each has a property of its own.
type versioned struct{ version string }

func (v *versioned) Version() string { return v.version }
func (v *versioned) Config() *config.Def {
	return config.NewDef(config.Key{Name: "since." + v.version, Type: config.String, Default: "", Doc: "A property."})
}
func (*versioned) Start(context.Context, connect.ConnectorContext, map[string]string) error {
	return nil
}
func (*versioned) TaskConfigs(int) ([]map[string]string, error) { return nil, nil }
func (*versioned) Stop(context.Context)                         {}
func (*versioned) NewTask() connect.SourceTask                  { return nil }

// oldCast is Cast as an older version would be: without properties.
type oldCast struct{}

func (oldCast) Config() *config.Def                              { return config.NewDef() }
func (oldCast) Configure(config.Props) error                     { return nil }
func (oldCast) Apply(r *connect.Record) (*connect.Record, error) { return nil, nil }
func (oldCast) Close()                                           {}

func versionedPlugins() *connect.Plugins {
	p := connect.NewPlugins()
	converters.Register(p)
	transforms.Register(p)
	predicates.Register(p)
	for _, v := range []string{"1.0", "2.0"} {
		p.Register(connect.Plugin{Class: "t.Versioned", Kind: connect.KindSource, New: func(host.Host) any { return &versioned{v} }})
	}
	p.Register(connect.Plugin{Class: transforms.Prefix + "Cast$Value", Kind: connect.KindTransform, Version: "3.9.0", New: func(host.Host) any { return oldCast{} }})
	p.Register(connect.Plugin{Class: converters.StringClass, Kind: connect.KindConverter, Version: "3.9.0", New: func(host.Host) any { return &converters.String{} }})
	return p
}

func validate(t *testing.T, more map[string]string) *worker.Validation {
	t.Helper()
	p := versionedPlugins()
	w, err := worker.ParseConfig(p, map[string]string{"key.converter": converters.StringClass, "value.converter": converters.StringClass, "offset.storage.file.filename": "f"})
	if err != nil {
		t.Fatal(err)
	}
	props := map[string]string{"name": "c", "connector.class": "t.Versioned"}
	for k, v := range more {
		props[k] = v
	}
	v, err := worker.Validate(p, w, props)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// told are all errors, as "property: message".
func told(v *worker.Validation) (out []string) {
	for _, p := range v.Properties {
		for _, e := range p.Value.Errors {
			out = append(out, p.Value.Name+": "+e)
		}
	}
	return out
}

func TestValidateVersions(t *testing.T) {
	const cast = "transforms.c."
	for _, c := range []struct {
		name  string
		props map[string]string
		wrong []string // parts of what is told, in order; nil: nothing is
	}{
		{"the latest connector", nil, nil},
		{"an older connector", map[string]string{"connector.plugin.version": "1.0"}, nil},
		{"no such connector", map[string]string{"connector.plugin.version": "[3,)"},
			[]string{"connector.class: Plugin t.Versioned not found that matches the version range [3,), available versions: [1.0, 2.0]",
				"connector.plugin.version: Plugin t.Versioned not found"}},
		{"no range", map[string]string{"connector.plugin.version": "[3"}, []string{"connector.plugin.version: Unbounded range: [3"}},
		{"an older converter", map[string]string{"value.converter": converters.StringClass, "value.converter.plugin.version": "3.9.0"}, nil},
		{"no such converter", map[string]string{"value.converter": converters.StringClass, "value.converter.plugin.version": "5"},
			[]string{"value.converter: Plugin " + converters.StringClass + " not found", "value.converter.plugin.version: Plugin "}},
		{"the latest transform wants its spec", map[string]string{"transforms": "c", cast + "type": transforms.Prefix + "Cast$Value"},
			[]string{cast + "spec: Missing required configuration", cast + "spec: Must specify at least one field to cast."}},
		{"an older transform does not", map[string]string{"transforms": "c", cast + "type": transforms.Prefix + "Cast$Value", cast + "plugin.version": "(,4)"}, nil},
		{"no such transform", map[string]string{"transforms": "c", cast + "type": transforms.Prefix + "Cast$Value", cast + "plugin.version": "9"},
			[]string{cast + "type: Plugin ", cast + "plugin.version: Plugin "}},
		{"no such predicate", map[string]string{"predicates": "p", "predicates.p.type": "RecordIsTombstone", "predicates.p.plugin.version": "[9,10]"},
			[]string{"predicates.p.type: Plugin ", "predicates.p.plugin.version: Plugin "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := told(validate(t, c.props))
			if len(got) != len(c.wrong) {
				t.Fatalf("told %q, want %q", got, c.wrong)
			}
			for i, part := range c.wrong {
				if !strings.HasPrefix(got[i], part) {
					t.Errorf("told %q, want %q", got[i], part)
				}
			}
		})
	}
}

// TestRecommendedVersions: what is recommended are the versions that there are, and the properties shown are those of the version wanted.
func TestRecommendedVersions(t *testing.T) {
	v := validate(t, map[string]string{"connector.plugin.version": "1.0"})
	names := map[string]*config.Value{}
	for _, p := range v.Properties {
		names[p.Value.Name] = p.Value
	}
	if names["since.1.0"] == nil || names["since.2.0"] != nil {
		t.Error("the properties are not those of version 1.0")
	}
	if got := fmt.Sprint(names["connector.plugin.version"].Recommended); got != "[1.0 2.0]" {
		t.Errorf("recommended versions of the connector: %s", got)
	}
	if got := names["key.converter.plugin.version"].Recommended; len(got) != 0 && !slices.Contains(got, any(connect.Version)) {
		t.Errorf("recommended versions of the key converter: %v", got)
	}
}

// TestChainInVersion: a task's transforms are made in the wanted version. The old Cast here drops everything.
func TestChainInVersion(t *testing.T) {
	p := versionedPlugins()
	props := map[string]string{"name": "c", "connector.class": "t.Versioned", "transforms": "c", "transforms.c.type": transforms.Prefix + "Cast$Value",
		"transforms.c.plugin.version": "[3,4)", "transforms.c.spec": "string"}
	for wanted, dropped := range map[string]bool{"[3,4)": true, connect.Version: false} {
		props["transforms.c.plugin.version"] = wanted
		c, err := worker.ParseConnector(p, connect.KindSource, props)
		if err != nil {
			t.Fatal(data.StackTrace(err))
		}
		chain, err := c.Chain(nil)
		if err != nil {
			t.Fatal(data.StackTrace(err))
		}
		r, err := chain.Apply(&connect.Record{Value: int32(1)})
		if err != nil || (r == nil) != dropped {
			t.Errorf("%s: %v %v", wanted, r, err)
		}
	}
}
