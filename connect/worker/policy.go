package worker

import (
	"maps"
	"slices"
	"strings"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// policies are what connectors may override in the clients that they use, by policy.
var policies = map[string]func(w *Config, key string) bool{
	"All":       func(*Config, string) bool { return true },
	"None":      func(*Config, string) bool { return false },
	"Allowlist": func(w *Config, key string) bool { return slices.Contains(w.Values.List(allowlistKey), key) },
	"Principal": func(_ *Config, key string) bool {
		return key == "sasl.jaas.config" || key == "sasl.mechanism" || key == "security.protocol"
	},
}

// policyName is a policy's short name. A policy may be given by its class, too.
func policyName(class string) (string, bool) {
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		simple := name + "ConnectorClientConfigOverridePolicy"
		if class == name || class == simple || class == "org.apache.kafka.connect.connector.policy."+simple {
			return name, true
		}
	}
	return "", false
}

var knownPolicy = config.Func(func(key string, v any) error {
	if s, _ := v.(string); s != "" {
		if _, ok := policyName(s); ok {
			return nil
		}
	}
	return config.Invalid(key, v, "There is no such policy")
}, "All, Allowlist, None or Principal")

// forbidden are the overrides of a connector that the worker's policy does not allow, with messages, in the order of the connector's clients:
// producer, consumer, admin. Those of clients that it does not use are not looked at.
func forbidden(w *Config, kind connect.Kind, props map[string]string) (out []*config.Value) {
	name, _ := policyName(strings.TrimSpace(w.Values.String(policyKey)))
	allowed := policies[name]
	source, dead := kind == connect.KindSource, strings.TrimSpace(props[dlqTopicKey]) != ""
	for _, c := range []struct {
		prefix string
		used   bool
	}{{"producer.override.", source || dead}, {"consumer.override.", !source}, {"admin.override.", source && hasTopicCreation(props) || !source && dead}} {
		for _, k := range slices.Sorted(maps.Keys(props)) {
			rest, ok := strings.CutPrefix(k, c.prefix)
			if !ok || !c.used || allowed(w, rest) {
				continue
			}
			v := &config.Value{Name: k, Value: props[k]}
			v.AddError("The '" + name + "' policy does not allow '" + rest + "' to be overridden in the connector configuration.")
			out = append(out, v)
		}
	}
	return out
}

// checkOverrides refuses a connector that overrides what it may not. Values may be secrets: they are not told.
func checkOverrides(w *Config, kind connect.Kind, props map[string]string) error {
	var all []string
	for _, v := range forbidden(w, kind, props) {
		all = append(all, v.Errors...)
	}
	if len(all) == 0 {
		return nil
	}
	return data.ConnectException.Errorf("Client Config Overrides not allowed [%s]", strings.Join(all, " "))
}
