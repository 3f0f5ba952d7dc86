package worker

import (
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
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

// only recommends one value.
type only string

// ValidValues are the one.
func (o only) ValidValues(string, config.Values) ([]any, error) { return []any{string(o)}, nil }

// Visible is true.
func (only) Visible(string, config.Values) bool { return true }

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
	var instance connect.Connector
	var unknown error
	switch x, k, ok := findConnector(p, class); {
	case ok:
		kind, instance = k, x.New(nil).(connect.Connector)
	case class == "":
		unknown = data.ConnectException.Errorf("Connector config contains no connector type")
	default:
		unknown = data.ConnectException.Errorf("Failed to find any class that implements Connector and which name matches %s", class)
	}
	v := &validator{p: p, worker: w, props: props, kind: kind, out: &Validation{Name: class}}
	if err := v.run(instance); err != nil {
		return nil, err
	}
	return v.out, unknown
}

func findConnector(p *connect.Plugins, class string) (connect.Plugin, connect.Kind, bool) {
	for _, k := range []connect.Kind{connect.KindSink, connect.KindSource} {
		if x, ok := p.Find(k, class); ok {
			return x, k, true
		}
	}
	return connect.Plugin{}, "", false
}

// validator collects.
type validator struct {
	p      *connect.Plugins
	worker *Config
	props  map[string]string
	kind   connect.Kind
	out    *Validation
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
	for _, key := range []string{keyConverterKey, valueConverterKey, headerConverterKey} {
		v.converter(key)
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
		if of, ok := strings.CutSuffix(k.Name, ".plugin.version"); ok {
			v.version(k, of, kinds[of])
		}
	}
	return enrichAll(v.p, config.NewDef(append(keys, more...)...), all, false)
}

// version gives a version property the version that there is.
func (v *validator) version(k *config.Key, of string, kind connect.Kind) {
	class := strings.TrimSpace(v.props[of])
	var x connect.Plugin
	var ok bool
	if kind == "" {
		x, _, ok = findConnector(v.p, v.props[classKey])
	} else {
		if class == "" {
			class = v.worker.Values.String(of)
		}
		x, ok = v.p.Find(kind, class)
	}
	if ok {
		k.Default, k.Recommender = x.Version, only(x.Version)
	}
}

// converter validates the properties of a converter that the connector names itself.
func (v *validator) converter(key string) {
	class := strings.TrimSpace(v.props[key])
	if class == "" {
		return
	}
	var def *config.Def
	use := strings.TrimSuffix(key, ".converter")
	if key == headerConverterKey {
		c, err := v.p.NewHeaderConverter(nil, class)
		if err != nil {
			return // told of already
		}
		def = c.Config()
	} else {
		c, err := v.p.NewConverter(nil, class)
		if err != nil {
			return
		}
		def = c.Config()
	}
	props := config.PropsOf(v.props).WithPrefix(key + ".")
	if _, ok := props["converter.type"]; !ok {
		props["converter.type"] = use
	}
	v.add(key+".", def, def.Validate(props))
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
