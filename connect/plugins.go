package connect

import (
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

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
)

// suffixes are what an alias leaves out of a simple class name, by kind.
var suffixes = map[Kind][]string{
	KindSource:          {"Connector", "SourceConnector"},
	KindSink:            {"Connector", "SinkConnector"},
	KindConverter:       {"Converter"},
	KindHeaderConverter: {"HeaderConverter"},
	KindTransform:       {"Transformation"},
	KindPredicate:       {"Predicate"},
}

// Plugin describes one plugin.
type Plugin struct {
	Class   string // the Java class name
	Kind    Kind
	Version string
	// New makes an instance for a process: a SourceConnector, SinkConnector, Converter, HeaderConverter, Transform or Predicate by Kind.
	New func(h host.Host) any
}

// Plugins is a registry of plugins by class name and alias. It is filled by one thread at the start (each package of plugins has a
// Register function) and only read afterwards.
type Plugins struct {
	byClass map[Kind]map[string]Plugin
	byAlias map[Kind]map[string]string // "" where several classes have it
}

// NewPlugins returns an empty registry.
func NewPlugins() *Plugins {
	return &Plugins{byClass: map[Kind]map[string]Plugin{}, byAlias: map[Kind]map[string]string{}}
}

// Version is what plugins of this module report, and Kafka's baseline.
const Version = "4.2.1"

// Register adds plugins. One of the same kind and class replaces the earlier. A class that is a Converter and a HeaderConverter is
// registered once for each.
func (p *Plugins) Register(all ...Plugin) {
	for _, x := range all {
		if x.Version == "" {
			x.Version = Version
		}
		if p.byClass[x.Kind] == nil {
			p.byClass[x.Kind], p.byAlias[x.Kind] = map[string]Plugin{}, map[string]string{}
		}
		p.byClass[x.Kind][x.Class] = x
		for _, a := range Aliases(x.Kind, x.Class) {
			if old, ok := p.byAlias[x.Kind][a]; ok && old != x.Class {
				p.byAlias[x.Kind][a] = ""
				continue
			}
			p.byAlias[x.Kind][a] = x.Class
		}
	}
}

// RegisterTransform registers a transform.
func (p *Plugins) RegisterTransform(class string, f func(h host.Host) Transform) {
	p.Register(Plugin{Class: class, Kind: KindTransform, New: func(h host.Host) any { return f(h) }})
}

// RegisterPredicate registers a predicate.
func (p *Plugins) RegisterPredicate(class string, f func(h host.Host) Predicate) {
	p.Register(Plugin{Class: class, Kind: KindPredicate, New: func(h host.Host) any { return f(h) }})
}

// RegisterConverter registers a converter; where its instances are HeaderConverters too, as that as well.
func (p *Plugins) RegisterConverter(class string, f func(h host.Host) Converter) {
	p.Register(Plugin{Class: class, Kind: KindConverter, New: func(h host.Host) any { return f(h) }})
	if _, ok := f(nil).(HeaderConverter); ok {
		p.Register(Plugin{Class: class, Kind: KindHeaderConverter, New: func(h host.Host) any { return f(h) }})
	}
}

// RegisterHeaderConverter registers a converter of headers only.
func (p *Plugins) RegisterHeaderConverter(class string, f func(h host.Host) HeaderConverter) {
	p.Register(Plugin{Class: class, Kind: KindHeaderConverter, New: func(h host.Host) any { return f(h) }})
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

// Find is the plugin of a class name or alias.
func (p *Plugins) Find(k Kind, name string) (Plugin, bool) {
	if x, ok := p.byClass[k][name]; ok {
		return x, true
	}
	x, ok := p.byClass[k][p.byAlias[k][name]]
	return x, ok
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

// All are the plugins of a kind, by class name.
func (p *Plugins) All(k Kind) []Plugin {
	out := make([]Plugin, 0, len(p.byClass[k]))
	for _, c := range slices.Sorted(maps.Keys(p.byClass[k])) {
		out = append(out, p.byClass[k][c])
	}
	return out
}

func instance[T any](p *Plugins, h host.Host, k Kind, name string) (t T, err error) {
	x, ok := p.Find(k, name)
	if !ok {
		return t, data.ConnectException.Errorf("Failed to find any class that implements %s and which name matches %s", k, name)
	}
	t, ok = x.New(h).(T)
	if !ok {
		return t, data.ConnectException.Errorf("%s is no %s", name, k)
	}
	return t, nil
}

// NewTransform makes a transform by class name or alias.
func (p *Plugins) NewTransform(h host.Host, name string) (Transform, error) {
	return instance[Transform](p, h, KindTransform, name)
}

// NewPredicate makes a predicate by class name or alias.
func (p *Plugins) NewPredicate(h host.Host, name string) (Predicate, error) {
	return instance[Predicate](p, h, KindPredicate, name)
}

// NewConverter makes a converter by class name or alias.
func (p *Plugins) NewConverter(h host.Host, name string) (Converter, error) {
	return instance[Converter](p, h, KindConverter, name)
}

// NewHeaderConverter makes a header converter by class name or alias.
func (p *Plugins) NewHeaderConverter(h host.Host, name string) (HeaderConverter, error) {
	return instance[HeaderConverter](p, h, KindHeaderConverter, name)
}
