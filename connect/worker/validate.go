package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// pluginClasses recommends the plugins of a kind.
type pluginClasses struct {
	p *connect.Plugins
	k connect.Kind
}

// ValidValues are the classes.
func (c pluginClasses) ValidValues(string, config.Values) ([]any, error) {
	var out []any
	for _, x := range c.p.All(c.k) {
		out = append(out, x.Class)
	}
	return out, nil
}

// Visible is true.
func (pluginClasses) Visible(string, config.Values) bool { return true }

// PropertyInfo is one property with what validation found of it. Key is nil for a property that is not declared.
type PropertyInfo struct {
	Key   *config.Key
	Value *config.Value
}

// Validation is what Kafka's REST interface answers to a request for validation: ConfigInfos.
type Validation struct {
	Name       string // the connector's class, as it was given
	Errors     int
	Groups     []string
	Properties []PropertyInfo
}

// Validate checks a connector's configuration and tells everything that is wrong: the worker's own properties of connectors, those of its
// transforms, predicates and converters, and the connector's. A configuration without a class, or with one that is not known, is an error
// besides; the rest is checked even so when the properties tell a sink from a source.
func Validate(p *connect.Plugins, w *Config, props map[string]string) (*Validation, error) {
	class := props[classKey]
	kind := connect.KindSource
	if _, topics := props[topicsKey]; topics || props[topicsRegexKey] != "" {
		kind = connect.KindSink
	}
	v := &validator{p: p, worker: w, props: props, kind: kind, out: &Validation{Name: class}}
	instance, err := makeConnector(p, nil, props)
	if data.ClassOfError(err).Extends(data.VersionedPluginLoadingException) && connect.CheckVersion(wantedVersion(props, connectorVersionKey)) == nil {
		return v.out, v.otherVersion(err)
	}
	if instance != nil {
		v.kind = kindOf(instance)
	}
	if class == "" {
		err = data.ConnectException.Errorf("Connector config contains no connector type")
	} else if data.ClassOfError(err).Extends(data.VersionedPluginLoadingException) {
		err = nil // told at the property
	}
	if err := guarded("Connector.config", func() error { return v.run(instance) }); err != nil {
		return nil, err
	}
	return v.out, err
}

// makeConnector makes the connector that props name, in the version that they want. An error is a ConnectException or a
// VersionedPluginLoadingException.
func makeConnector(p *connect.Plugins, h host.Host, props map[string]string) (_ connect.Connector, err error) {
	class := props[classKey]
	defer caught(class, &err)
	for _, k := range connectorKinds {
		if _, ok := p.Find(k, class); ok {
			return connect.Make[connect.Connector](p, h, k, class, wantedVersion(props, connectorVersionKey))
		}
	}
	return nil, data.ConnectException.Errorf("Failed to find any class that implements Connector and which name matches %s", class)
}

var connectorKinds = []connect.Kind{connect.KindSink, connect.KindSource}

func kindOf(c connect.Connector) connect.Kind {
	if _, ok := c.(connect.SinkConnector); ok {
		return connect.KindSink
	}
	return connect.KindSource
}

// otherVersion tells that there is no connector in the wanted version. What else there is to tell depends on the version: of that only what is the
// same for all connectors is.
func (v *validator) otherVersion(missing error) error {
	keys := commonKeys(v.p)
	for i := range keys {
		if k := &keys[i]; k.Name == connectorVersionKey {
			v.version(k, classKey, connectorKinds)
		}
	}
	def := config.NewDef(keys...)
	values := def.Validate(config.PropsOf(v.props))
	for _, x := range values {
		if x.Name == classKey || x.Name == connectorVersionKey {
			x.AddError(message(missing))
		}
	}
	v.add("", def, values)
	return nil
}

func message(err error) string {
	m, _ := data.MessageOfError(err)
	return m
}

// validator collects.
type validator struct {
	p      *connect.Plugins
	worker *Config
	props  map[string]string
	kind   connect.Kind
	out    *Validation
	// converters are what was found of the converters that the connector names itself.
	converters []prefixed
}

func (v *validator) run(instance connect.Connector) error {
	all := config.PropsOf(v.props)
	frame, err := v.frame(all)
	if err != nil {
		return err
	}
	values := frame.Validate(all)
	if v.kind == connect.KindSink {
		addSinkErrors(values, v.props)
	} else {
		addSourceErrors(values, v.props)
	}
	for _, c := range []struct {
		key  string
		kind connect.Kind
	}{{keyConverterKey, connect.KindConverter}, {valueConverterKey, connect.KindConverter}, {headerConverterKey, connect.KindHeaderConverter}} {
		v.converter(c.key, c.kind, values)
	}
	v.add("", frame, values)
	if instance != nil {
		own := instance.Config()
		found := own.Validate(all)
		if x, ok := instance.(connect.ConfigValidator); ok {
			found = x.Validate(all)
		}
		v.add("", own, found)
	}
	v.add("", config.NewDef(), forbidden(v.worker, v.kind, v.props))
	for _, c := range v.converters {
		v.add(c.prefix, c.def, c.values)
	}
	return nil
}

// frame are the properties that the worker declares for a connector, with the worker's converters as defaults.
func (v *validator) frame(all config.Props) (*config.Def, error) {
	keys := commonKeys(v.p)
	more := sourceKeys()
	if v.kind == connect.KindSink {
		more = sinkKeys()
	}
	kinds := map[string]connect.Kind{keyConverterKey: connect.KindConverter, valueConverterKey: connect.KindConverter, headerConverterKey: connect.KindHeaderConverter}
	for i := range keys {
		k := &keys[i]
		if kind, ok := kinds[k.Name]; ok {
			k.Default, k.Recommender = v.worker.Values.String(k.Name), pluginClasses{v.p, kind}
		}
		if of, ok := strings.CutSuffix(k.Name, "."+versionProperty); ok && of != "connector" {
			v.version(k, of, []connect.Kind{kinds[of]})
		} else if ok {
			v.version(k, classKey, connectorKinds)
		}
	}
	return enrichAll(v.p, config.NewDef(append(keys, more...)...), all, false)
}

// version gives a version property the versions that there are, of the plugin that another property names; where that is the worker's, the
// worker's version is the default.
func (v *validator) version(k *config.Key, of string, kinds []connect.Kind) {
	k.Recommender = pluginVersions{p: v.p, of: of, kinds: kinds}
	class := strings.TrimSpace(v.props[of])
	if class == "" {
		class = v.worker.Values.String(of)
		if wanted, ok := v.worker.Props[k.Name]; ok {
			k.Default = wanted
			return
		}
	}
	for _, kind := range kinds {
		if x, ok := v.p.Find(kind, class); ok {
			k.Default = x.Version
			return
		}
	}
}

// converter validates the properties of a converter that the connector names itself. What is wrong with its version is added to values, those of
// the worker's own properties.
func (v *validator) converter(key string, kind connect.Kind, values []*config.Value) {
	class := strings.TrimSpace(v.props[key])
	if class == "" || hasError(values, key) || hasError(values, key+"."+versionProperty) {
		return
	}
	def, err := declared(v.p, kind, class, wantedVersion(v.props, key+"."+versionProperty))
	if err != nil {
		addError(values, key, message(err))
		addError(values, key+"."+versionProperty, message(err))
		return
	}
	props := config.PropsOf(v.props).WithPrefix(key + ".")
	if _, ok := props["converter.type"]; !ok {
		props["converter.type"] = strings.TrimSuffix(key, ".converter")
	}
	v.converters = append(v.converters, prefixed{key + ".", def, def.Validate(props)})
}

// prefixed is what validation has found of properties with a prefix.
type prefixed struct {
	prefix string
	def    *config.Def
	values []*config.Value
}

// add adds properties to the result.
func (v *validator) add(prefix string, def *config.Def, values []*config.Value) {
	for _, g := range def.Groups() {
		if !slices.Contains(v.out.Groups, g) {
			v.out.Groups = append(v.out.Groups, g)
		}
	}
	for _, x := range values {
		k := def.Key(x.Name)
		if k != nil && k.Type == config.Class && len(x.Errors) > 0 {
			x.Value = nil // there is no such class
		}
		if k != nil && prefix != "" {
			c := *k
			c.Name = prefix + k.Name
			k = &c
		}
		x.Name = prefix + x.Name
		v.out.Errors += len(x.Errors)
		v.out.Properties = append(v.out.Properties, PropertyInfo{k, x})
	}
}

func hasError(values []*config.Value, name string) bool {
	return slices.ContainsFunc(values, func(v *config.Value) bool { return v.Name == name && len(v.Errors) > 0 })
}

func addError(values []*config.Value, name, message string) {
	for _, v := range values {
		if v.Name == name {
			v.AddError(message)
		}
	}
}

// addSinkErrors are those of the topics of a sink.
func addSinkErrors(values []*config.Value, props map[string]string) {
	for _, f := range topicFaults(props) {
		addError(values, f.key, f.message)
	}
}

func addSourceErrors(values []*config.Value, props map[string]string) {
	if strings.EqualFold(strings.TrimSpace(props["exactly.once.support"]), "required") {
		addError(values, "exactly.once.support", "This worker does not have exactly-once source support enabled.")
	}
}
