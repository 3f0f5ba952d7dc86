package worker

import (
	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
)

// versionProperty is the part of a property's name that says which version of a plugin is wanted: KIP-891.
const versionProperty = "plugin.version"

const connectorVersionKey = "connector." + versionProperty

// wantedVersion is what a property of props says; where it is not there any version will do.
func wantedVersion(props map[string]string, key string) string {
	if v, ok := props[key]; ok {
		return v
	}
	return connect.AnyVersion
}

// versionSpec wants what can be a plugin.version, or null.
var versionSpec = config.Func(func(_ string, v any) error {
	wanted, ok := v.(string)
	if !ok {
		return nil
	}
	return connect.CheckVersion(wanted)
}, "a version, or ranges of versions")

// availableVersion wants a version that the plugin has which a transform or predicate names; that there is no such plugin is told at its type.
func availableVersion(p *connect.Plugins, k connect.Kind, class string) config.Validator {
	return config.Func(func(_ string, v any) error {
		wanted, ok := v.(string)
		if !ok {
			return nil
		}
		_, err := p.FindVersion(k, class, wanted)
		if data.ClassOfError(err).Extends(data.VersionedPluginLoadingException) {
			return err
		}
		return nil
	}, "a version of the plugin, or ranges of versions")
}

// typeVersion wants a type of a transform or predicate that there is in the wanted version.
func typeVersion(p *connect.Plugins, k connect.Kind, wanted string) config.Validator {
	return config.Func(func(_ string, v any) error {
		class, ok := v.(string)
		if !ok {
			return nil
		}
		return availableVersion(p, k, class).Check("", wanted)
	}, "a type of the wanted version")
}

// pluginVersions recommends the versions of the plugin that another property names.
type pluginVersions struct {
	p     *connect.Plugins
	of    string
	kinds []connect.Kind // the first that has the plugin counts
	shown bool           // also where no plugin is named
}

// ValidValues are the versions.
func (r pluginVersions) ValidValues(_ string, parsed config.Values) ([]any, error) {
	var out []any
	for _, k := range r.kinds {
		for _, v := range r.p.Versions(k, parsed.String(r.of)) {
			out = append(out, v)
		}
		if out != nil {
			return out, nil
		}
	}
	return nil, nil
}

// Visible is true where a plugin is named.
func (r pluginVersions) Visible(_ string, parsed config.Values) bool {
	return r.shown || parsed.Has(r.of)
}
