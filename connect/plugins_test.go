package connect_test

import (
	"slices"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// renamer is a transform that says which version it is.
type renamer struct{ version string }

func (*renamer) Config() *config.Def                              { return config.NewDef() }
func (*renamer) Configure(config.Props) error                     { return nil }
func (*renamer) Apply(r *connect.Record) (*connect.Record, error) { return r, nil }
func (*renamer) Close()                                           {}

type versionedRenamer struct{ renamer }

func (v *versionedRenamer) Version() string { return v.version }

func renamers(p *connect.Plugins, versions ...string) {
	for _, v := range versions {
		p.Register(connect.Plugin{Class: "a.b.Renamer", Kind: connect.KindTransform, Version: v, New: func(host.Host) any { return &renamer{v} }})
	}
}

func TestFindVersion(t *testing.T) {
	p := connect.NewPlugins()
	renamers(p, "1.10.0", "1.2.0", "2.0.0-rc1", "1.9.0")
	for _, c := range []struct{ wanted, version, err string }{
		{wanted: connect.AnyVersion, version: "2.0.0-rc1"},
		{wanted: "1.9.0", version: "1.9.0"},
		{wanted: "1.9", version: "1.9.0"},
		{wanted: "[1.2,2)", version: "2.0.0-rc1"}, // as Maven: a release candidate is before its release
		{wanted: "[1.2,1.10)", version: "1.9.0"},
		{wanted: "(,1.2],[1.9.1,1.11)", version: "1.10.0"},
		{wanted: "3.0", err: "Plugin a.b.Renamer not found that matches the version range [3.0,3.0], available versions: [1.2.0, 1.9.0, 1.10.0, 2.0.0-rc1]"},
		{wanted: "[1.0", err: "Unbounded range: [1.0"},
	} {
		x, err := p.FindVersion(connect.KindTransform, "Renamer", c.wanted)
		if c.err != "" {
			if m, _ := data.MessageOfError(err); err == nil || m != c.err || !data.ClassOfError(err).Extends(data.VersionedPluginLoadingException) {
				t.Errorf("%s: %v, want %s", c.wanted, err, c.err)
			}
			continue
		}
		if err != nil || x.Version != c.version {
			t.Errorf("%s: %s %v, want %s", c.wanted, x.Version, err, c.version)
		}
	}
	if _, err := p.FindVersion(connect.KindPredicate, "Renamer", "1.9.0"); data.ClassOfError(err) != data.ConnectException {
		t.Errorf("a plugin of another kind: %v", err)
	}
	if got := p.All(connect.KindTransform); len(got) != 1 || got[0].Version != "2.0.0-rc1" {
		t.Errorf("all are %v", got)
	}
}

// TestRegisteredVersion: what a plugin says of itself comes before what its package says, and the same version again replaces the plugin.
func TestRegisteredVersion(t *testing.T) {
	p := connect.NewPlugins()
	p.WithVersion("4").RegisterTransform("a.Plain", func(host.Host) connect.Transform { return &renamer{} })
	p.WithVersion("4").RegisterTransform("a.Says", func(host.Host) connect.Transform { return &versionedRenamer{renamer{"7"}} })
	p.RegisterTransform("a.Mute", func(host.Host) connect.Transform { return &renamer{} })
	for class, want := range map[string]string{"a.Plain": "4", "a.Says": "7", "a.Mute": connect.UndefinedVersion} {
		if got := p.Versions(connect.KindTransform, class); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %v, want %s", class, got, want)
		}
	}
	renamers(p, "1.0", "1.0.0") // the same to Maven
	if got := p.Versions(connect.KindTransform, "a.b.Renamer"); !slices.Equal(got, []string{"1.0.0"}) {
		t.Errorf("%v", got)
	}
}

func TestAliases(t *testing.T) {
	p := connect.NewPlugins()
	register := func(k connect.Kind, class string) {
		p.Register(connect.Plugin{Class: class, Kind: k, Version: "1", New: func(host.Host) any { return class }})
	}
	register(connect.KindSource, "x.FileSourceConnector")
	register(connect.KindTransform, "x.Cast$Value")
	register(connect.KindTransform, "x.Mask$Value")
	register(connect.KindConverter, "x.JsonConverter")
	register(connect.KindConverter, "y.JsonConverter")
	for _, c := range []struct {
		kind        connect.Kind
		name, class string
	}{
		{connect.KindSource, "x.FileSourceConnector", "x.FileSourceConnector"},
		{connect.KindSource, "FileSourceConnector", "x.FileSourceConnector"},
		{connect.KindSource, "FileSource", "x.FileSourceConnector"},
		{connect.KindSink, "FileSource", ""},
		{connect.KindTransform, "Value", ""}, // of two classes
		{connect.KindTransform, "x.Cast$Value", "x.Cast$Value"},
		{connect.KindConverter, "Json", ""},
		{connect.KindConverter, "y.JsonConverter", "y.JsonConverter"},
	} {
		x, ok := p.Find(c.kind, c.name)
		if ok != (c.class != "") || x.Class != c.class {
			t.Errorf("%s %s: %s %v, want %q", c.kind, c.name, x.Class, ok, c.class)
		}
	}
	if got := p.Nested(connect.KindTransform, "x.Cast"); !slices.Equal(got, []string{"x.Cast$Value"}) {
		t.Errorf("nested in x.Cast: %v", got)
	}
}

func TestMakeChecksTheType(t *testing.T) {
	p := connect.NewPlugins()
	p.Register(connect.Plugin{Class: "a.Wrong", Kind: connect.KindTransform, Version: "1", New: func(host.Host) any { return 1 }})
	if _, err := p.NewTransform(nil, "a.Wrong"); err == nil || err.Error() != "a.Wrong is no "+string(connect.KindTransform) {
		t.Error(err)
	}
}
