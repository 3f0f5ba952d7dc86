package connect

import (
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/mavenversion"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Host is the machine as a plugin sees it, which its factory is given: the clock, threads, disk, HTTP, randomness and log of the process, or of the
// simulator. A plugin that gets these from nowhere else runs the same in both.
type Host = host.Host

// Kind is a kind of plugin, named as in Kafka's REST interface.
type Kind string

// The kinds.
const (
	KindSource          Kind = "source"
	KindSink            Kind = "sink"
	KindConverter       Kind = "converter"
	KindHeaderConverter Kind = "header_converter"
	KindTransform       Kind = "transformation"
	KindPredicate       Kind = "predicate"
	KindConfigProvider  Kind = "config_provider"
)

// suffixes are what an alias leaves out of a simple class name, by kind.
var suffixes = map[Kind][]string{
	KindSource:          {"Connector", "SourceConnector"},
	KindSink:            {"Connector", "SinkConnector"},
	KindConverter:       {"Converter"},
	KindHeaderConverter: {"HeaderConverter"},
	KindTransform:       {"Transformation"},
	KindPredicate:       {"Predicate"},
	KindConfigProvider:  {"ConfigProvider"},
}

// Plugin describes one plugin, in one version.
type Plugin struct {
	Class string // the Java class name
	Kind  Kind
	// Version is compared as Maven compares versions. Empty: what an instance says that is Versioned, as connectors are; else UndefinedVersion.
	Version string
	// New makes an instance for a process: a SourceConnector, SinkConnector, Converter, HeaderConverter, Transform, Predicate or ConfigProvider by Kind. The
	// host is nil where the instance is asked only what it is, and what it declares.
	New func(h Host) any
}

// Versioned is for plugins that tell their version: Kafka's Versioned.
type Versioned interface{ Version() string }

// UndefinedVersion is the version of a plugin that tells none.
const UndefinedVersion = "undefined"

// Plugins is a registry of plugins by class name and alias, and by version: KIP-891. It is filled by one thread at the start (each package of
// plugins has a Register function) and only read afterwards.
type Plugins struct {
	byClass map[Kind]map[string][]Plugin // in the order of versions
	byAlias map[Kind]map[string]string   // "" where several classes have it
	version string                       // of plugins that tell none
}

// NewPlugins returns an empty registry.
func NewPlugins() *Plugins {
	return &Plugins{byClass: map[Kind]map[string][]Plugin{}, byAlias: map[Kind]map[string]string{}, version: UndefinedVersion}
}

// Version is what plugins of this module report, and Kafka's baseline.
const Version = "4.2.1"

// WithVersion is the same registry, where plugins that tell no version are registered in this one: for a package that registers many.
func (p *Plugins) WithVersion(version string) *Plugins {
	c := *p
	c.version = version
	return &c
}

// Register adds plugins. One of the same kind, class and version replaces the earlier. A class that is a Converter and a HeaderConverter is
// registered once for each.
func (p *Plugins) Register(all ...Plugin) {
	for _, x := range all {
		if x.Version == "" {
			x.Version = p.version
			if v, ok := x.New(nil).(Versioned); ok {
				x.Version = v.Version()
			}
		}
		if p.byClass[x.Kind] == nil {
			p.byClass[x.Kind], p.byAlias[x.Kind] = map[string][]Plugin{}, map[string]string{}
		}
		p.byClass[x.Kind][x.Class] = insert(p.byClass[x.Kind][x.Class], x)
		for _, a := range Aliases(x.Kind, x.Class) {
			if old, ok := p.byAlias[x.Kind][a]; ok && old != x.Class {
				p.byAlias[x.Kind][a] = ""
				continue
			}
			p.byAlias[x.Kind][a] = x.Class
		}
	}
}

// insert puts a plugin in its place among the versions of its class.
func insert(all []Plugin, x Plugin) []Plugin {
	version := mavenversion.Parse(x.Version)
	i, replaces := slices.BinarySearchFunc(all, version, func(y Plugin, v mavenversion.Version) int { return mavenversion.Parse(y.Version).Compare(v) })
	if replaces {
		all[i] = x
		return all
	}
	return slices.Insert(all, i, x)
}

// RegisterTransform registers a transform.
func (p *Plugins) RegisterTransform(class string, f func(h Host) Transform) {
	p.Register(Plugin{Class: class, Kind: KindTransform, New: func(h Host) any { return f(h) }})
}

// RegisterPredicate registers a predicate.
func (p *Plugins) RegisterPredicate(class string, f func(h Host) Predicate) {
	p.Register(Plugin{Class: class, Kind: KindPredicate, New: func(h Host) any { return f(h) }})
}

// RegisterConverter registers a converter; where its instances are HeaderConverters too, as that as well.
func (p *Plugins) RegisterConverter(class string, f func(h Host) Converter) {
	p.Register(Plugin{Class: class, Kind: KindConverter, New: func(h Host) any { return f(h) }})
	if _, ok := f(nil).(HeaderConverter); ok {
		p.Register(Plugin{Class: class, Kind: KindHeaderConverter, New: func(h Host) any { return f(h) }})
	}
}

// RegisterHeaderConverter registers a converter of headers only.
func (p *Plugins) RegisterHeaderConverter(class string, f func(h Host) HeaderConverter) {
	p.Register(Plugin{Class: class, Kind: KindHeaderConverter, New: func(h Host) any { return f(h) }})
}

// Aliases are the short names of a class: its simple name, and that without the word for its kind. A nested class has none.
func Aliases(k Kind, class string) []string {
	simple := class[strings.LastIndexByte(class, '.')+1:]
	if strings.Contains(simple, "$") {
		return nil
	}
	out := []string{simple}
	for _, s := range suffixes[k] {
		if short := strings.TrimSuffix(simple, s); short != simple && short != "" && !slices.Contains(out, short) {
			out = append(out, short)
		}
	}
	return out
}

// Find is the plugin of a class name or alias, in its latest version.
func (p *Plugins) Find(k Kind, name string) (Plugin, bool) {
	all := p.byClass[k][p.FullName(k, name)]
	if len(all) == 0 {
		return Plugin{}, false
	}
	return all[len(all)-1], true
}

// FullName is the class that an alias stands for; any other name is returned as it is.
func (p *Plugins) FullName(k Kind, name string) string {
	if class := p.byAlias[k][name]; class != "" && p.byClass[k][name] == nil {
		return class
	}
	return name
}

// AnyVersion asks for no version in FindVersion and Make.
const AnyVersion = "latest"

// FindVersion is the latest plugin of a class name or alias whose version a plugin.version property allows (KIP-891): AnyVersion, a version, or ranges
// in Maven's syntax. Where there is none, or the ranges are wrong, the error is a VersionedPluginLoadingException; where there is no such class, a
// ConnectException.
func (p *Plugins) FindVersion(k Kind, name, wanted string) (Plugin, error) {
	r, err := mavenversion.ParseRequirement(wanted)
	if err != nil {
		return Plugin{}, data.VersionedPluginLoadingException.Errorf("%s", err.Error())
	}
	class := p.FullName(k, name)
	all := p.byClass[k][class]
	for _, x := range slices.Backward(all) {
		if r.Allows(mavenversion.Parse(x.Version)) {
			return x, nil
		}
	}
	if len(all) > 0 {
		return Plugin{}, data.VersionedPluginLoadingException.Errorf("Plugin %s not found that matches the version range %s, available versions: [%s]",
			class, r, strings.Join(p.versions(class), ", "))
	}
	return Plugin{}, data.ConnectException.Errorf("Failed to find any class that implements %s and which name matches %s", k, name)
}

// versions are those of a class, of whatever kind, as Kafka lists them: a class of two kinds twice.
func (p *Plugins) versions(class string) (out []string) {
	for _, k := range []Kind{KindSource, KindSink, KindConverter, KindHeaderConverter, KindTransform, KindPredicate} {
		out = append(out, p.Versions(k, class)...)
	}
	slices.SortStableFunc(out, func(a, b string) int { return mavenversion.Parse(a).Compare(mavenversion.Parse(b)) })
	return out
}

// Versions are those of a class name or alias, in their order.
func (p *Plugins) Versions(k Kind, name string) (out []string) {
	for _, x := range p.byClass[k][p.FullName(k, name)] {
		out = append(out, x.Version)
	}
	return out
}

// CheckVersion says whether a text can be a plugin.version property; the error is a VersionedPluginLoadingException.
func CheckVersion(wanted string) error {
	if _, err := mavenversion.ParseRequirement(wanted); err != nil {
		return data.VersionedPluginLoadingException.Errorf("%s", err.Error())
	}
	return nil
}

// Nested are the classes that are nested in a class, which itself is no plugin: those for keys and for values of a transform.
func (p *Plugins) Nested(k Kind, class string) (out []string) {
	for _, x := range p.All(k) {
		if strings.HasPrefix(x.Class, class+"$") {
			out = append(out, x.Class)
		}
	}
	return out
}

// All are the plugins of a kind, by class name, each in its latest version.
func (p *Plugins) All(k Kind) []Plugin {
	out := make([]Plugin, 0, len(p.byClass[k]))
	for _, c := range slices.Sorted(maps.Keys(p.byClass[k])) {
		all := p.byClass[k][c]
		out = append(out, all[len(all)-1])
	}
	return out
}

// Make makes a plugin that FindVersion finds, whose errors it has; that the plugin is no T is a ConnectException.
func Make[T any](p *Plugins, h Host, k Kind, name, version string) (t T, err error) {
	x, err := p.FindVersion(k, name, version)
	if err != nil {
		return t, err
	}
	return Instance[T](x, h, name)
}

// Instance makes a plugin that was found by a name; that it is no T is a ConnectException.
func Instance[T any](x Plugin, h Host, name string) (t T, err error) {
	t, ok := x.New(h).(T)
	if !ok {
		return t, data.ConnectException.Errorf("%s is no %s", name, x.Kind)
	}
	return t, nil
}

// NewTransform makes a transform by class name or alias.
func (p *Plugins) NewTransform(h Host, name string) (Transform, error) {
	return Make[Transform](p, h, KindTransform, name, AnyVersion)
}

// NewPredicate makes a predicate by class name or alias.
func (p *Plugins) NewPredicate(h Host, name string) (Predicate, error) {
	return Make[Predicate](p, h, KindPredicate, name, AnyVersion)
}

// NewConverter makes a converter by class name or alias.
func (p *Plugins) NewConverter(h Host, name string) (Converter, error) {
	return Make[Converter](p, h, KindConverter, name, AnyVersion)
}

// NewHeaderConverter makes a header converter by class name or alias.
func (p *Plugins) NewHeaderConverter(h Host, name string) (HeaderConverter, error) {
	return Make[HeaderConverter](p, h, KindHeaderConverter, name, AnyVersion)
}
