package worker

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
	"github.com/kstreamlab/kstreamlab/connect/internal/properties"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Environment is what config providers are made of and read: the host's files and the process's environment.
type Environment struct {
	FS vfs.FS
	// Getenv is a variable of the process; ok is false when it is not set. Nil: none is.
	Getenv func(name string) (value string, ok bool)
	// Host and Plugins are for providers that are plugins; nil where there are none.
	Host    host.Host
	Plugins *connect.Plugins
}

// Providers resolve placeholders, ${provider:path:key} or ${provider:key}, in the values of properties: Kafka's config providers. Errors
// name places, never values. Nil providers leave all placeholders as they are.
type Providers struct {
	byName map[string]connect.ConfigProvider
}

// providerClasses are the classes, by Java name and alias.
var providerClasses = map[string]func(e Environment) connect.ConfigProvider{}

func init() {
	for class, f := range map[string]func(Environment) connect.ConfigProvider{ // into a map: order does not matter
		"FileConfigProvider":      func(e Environment) connect.ConfigProvider { return &fileProvider{pathProvider{e: e}} },
		"DirectoryConfigProvider": func(e Environment) connect.ConfigProvider { return &directoryProvider{pathProvider{e: e}} },
		"EnvVarConfigProvider":    func(e Environment) connect.ConfigProvider { return &envProvider{e: e} },
	} {
		providerClasses["org.apache.kafka.common.config.provider."+class] = f
		providerClasses[class] = f
		providerClasses[strings.TrimSuffix(class, "ConfigProvider")] = f
	}
}

// NewProviders makes the providers that a worker's properties declare.
func NewProviders(e Environment, props map[string]string) (*Providers, error) {
	p := &Providers{byName: map[string]connect.ConfigProvider{}}
	all := config.PropsOf(props)
	list, err := config.ParseType("config.providers", all["config.providers"], config.List)
	if err != nil {
		return nil, err
	}
	names, _ := list.([]string)
	for _, name := range names {
		prefix := "config.providers." + name + "."
		class := strings.TrimSpace(all.Text(prefix + "class"))
		x, err := newProvider(e, prefix+"class", class)
		if err == nil {
			err = guarded(class+".configure", func() error { return x.Configure(all.WithPrefix(prefix + "param.")) })
		}
		if err != nil {
			return nil, err
		}
		p.byName[name] = x
	}
	return p, nil
}

func newProvider(e Environment, key, class string) (x connect.ConfigProvider, err error) {
	if f := providerClasses[class]; f != nil {
		return f(e), nil
	}
	if e.Plugins != nil {
		if _, ok := e.Plugins.Find(connect.KindConfigProvider, class); ok {
			defer caught(class, &err)
			return connect.Make[connect.ConfigProvider](e.Plugins, e.Host, connect.KindConfigProvider, class, connect.AnyVersion)
		}
	}
	return nil, config.Invalid(key, class, "Class "+class+" could not be found.")
}

// Close closes all providers.
func (p *Providers) Close() (err error) {
	for _, name := range slices.Sorted(maps.Keys(p.byName)) {
		cleanUp("config provider "+name, &err, p.byName[name].Close)
	}
	return err
}

// placeholder is ${provider:path:key}; the path may be absent.
var placeholder = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// place is a provider and a path: values are asked for by place.
type place struct{ provider, path string }

func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.provider, b.provider), cmp.Compare(a.path, b.path))
}

// Resolve replaces the placeholders in all values. A provider or key that is not known is left as it stands. The error is a ConfigException.
func (p *Providers) Resolve(ctx context.Context, props map[string]string) (map[string]string, error) {
	out, _, err := p.resolve(ctx, props)
	return out, err
}

// resolve is Resolve, and tells how long the values hold; zero: for ever. What results from a placeholder is not looked at again.
func (p *Providers) resolve(ctx context.Context, props map[string]string) (map[string]string, time.Duration, error) {
	if p == nil {
		return maps.Clone(props), 0, nil
	}
	var ttl time.Duration
	found := map[place]map[string]string{}
	wanted, users := p.wanted(props)
	for _, at := range slices.SortedFunc(maps.Keys(wanted), comparePlaces) {
		var values connect.ConfigData
		err := guarded("config provider "+at.provider, func() (err error) {
			values, err = p.byName[at.provider].Get(ctx, at.path, wanted[at])
			return err
		})
		if err != nil {
			return nil, 0, data.ConfigException.Wrap(err, "Could not resolve the value of "+users[at])
		}
		found[at] = values.Values
		if values.TTL > 0 && (ttl == 0 || values.TTL < ttl) {
			ttl = values.TTL
		}
	}
	out := make(map[string]string, len(props))
	for k, v := range props { // into a map: order does not matter
		out[k] = placeholder.ReplaceAllStringFunc(v, func(text string) string {
			m := placeholder.FindStringSubmatch(text)
			if value, ok := found[place{m[1], m[3]}][m[4]]; ok {
				return value
			}
			return text
		})
	}
	return out, ttl, nil
}

// wanted are the keys that the properties' placeholders ask for, by place, and the first property that asks there.
func (p *Providers) wanted(props map[string]string) (keys map[place][]string, users map[place]string) {
	keys, users = map[place][]string{}, map[place]string{}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		for _, m := range placeholder.FindAllStringSubmatch(props[k], -1) {
			at := place{m[1], m[3]}
			if p.byName[at.provider] == nil || slices.Contains(keys[at], m[4]) {
				continue
			}
			keys[at] = append(keys[at], m[4])
			if _, ok := users[at]; !ok {
				users[at] = k
			}
		}
	}
	return keys, users
}

// pathProvider is what providers of files have in common.
type pathProvider struct {
	e       Environment
	allowed []string // the folders that may be read; nil: all
}

// Configure implements connect.ConfigProvider.
func (p *pathProvider) Configure(params config.Props) error {
	p.allowed = nil
	for _, folder := range strings.Split(params.Text("allowed.paths"), ",") {
		if folder = strings.TrimSpace(folder); folder != "" {
			p.allowed = append(p.allowed, clean(p.e.FS, folder))
		}
	}
	return nil
}

// Close implements connect.ConfigProvider.
func (p *pathProvider) Close() {}

// clean is a path without . and .. elements; ok is false where there is none, or it may not be read.
func (p *pathProvider) clean(path string) (_ string, ok bool) {
	if path == "" {
		return "", false
	}
	path = clean(p.e.FS, path)
	return path, p.allowed == nil || slices.ContainsFunc(p.allowed, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, strings.TrimSuffix(folder, "/")+"/")
	})
}

// clean makes a path without . and .. elements.
func clean(f vfs.FS, path string) string {
	var parts []string
	for _, p := range strings.Split(path, "/") {
		switch {
		case p == "" || p == ".":
		case p == ".." && len(parts) > 0 && parts[len(parts)-1] != "..":
			parts = parts[:len(parts)-1]
		default:
			parts = append(parts, p)
		}
	}
	out := f.PathJoin(parts...)
	if strings.HasPrefix(path, "/") {
		return "/" + out
	}
	return out
}

// fileProvider reads keys of a properties file.
type fileProvider struct{ pathProvider }

// Get implements connect.ConfigProvider. A path that is not allowed has nothing.
func (p *fileProvider) Get(_ context.Context, path string, keys []string) (out connect.ConfigData, _ error) {
	path, ok := p.clean(path)
	if !ok {
		return out, nil
	}
	text, err := readFile(p.e.FS, path)
	if err != nil {
		return out, data.ConfigException.Errorf("Could not read properties from file %s", path)
	}
	all, err := properties.Parse(text)
	if err != nil {
		return out, data.ConfigException.Errorf("Could not read properties from file %s", path)
	}
	out.Values = map[string]string{}
	for _, k := range keys {
		if v, ok := all[k]; ok {
			out.Values[k] = v
		}
	}
	return out, nil
}

// directoryProvider has a file for each key.
type directoryProvider struct{ pathProvider }

// Get implements connect.ConfigProvider. A path that is not allowed has nothing.
func (p *directoryProvider) Get(_ context.Context, path string, keys []string) (out connect.ConfigData, _ error) {
	path, ok := p.clean(path)
	if !ok {
		return out, nil
	}
	out.Values = map[string]string{}
	for _, k := range keys {
		if strings.Contains(k, "/") || k == ".." {
			continue
		}
		name := p.e.FS.PathJoin(path, k)
		text, err := readFile(p.e.FS, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return out, data.ConfigException.Errorf("Could not read file %s", name)
		}
		out.Values[k] = string(text)
	}
	return out, nil
}

// envProvider has the environment's variables, of which it may show some only.
type envProvider struct {
	e       Environment
	allowed *javaregex.Pattern // nil: all
}

// Configure implements connect.ConfigProvider.
func (p *envProvider) Configure(params config.Props) error {
	pattern := params.Text("allowlist.pattern")
	if pattern == "" {
		return nil
	}
	x, err := javaregex.Compile(pattern)
	if err != nil {
		return data.ConfigException.Errorf("allowlist.pattern is no regular expression")
	}
	p.allowed = x
	return nil
}

// Close implements connect.ConfigProvider.
func (p *envProvider) Close() {}

// Get implements connect.ConfigProvider.
func (p *envProvider) Get(_ context.Context, path string, keys []string) (out connect.ConfigData, _ error) {
	if path != "" {
		return out, data.ConfigException.Errorf("Path is not supported for EnvVarConfigProvider, invalid value '%s'", path)
	}
	out.Values = map[string]string{}
	for _, k := range keys {
		if p.e.Getenv == nil || p.allowed != nil && !p.allowed.Matches(k) {
			continue
		}
		if v, ok := p.e.Getenv(k); ok {
			out.Values[k] = v
		}
	}
	return out, nil
}

func readFile(f vfs.FS, name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	return io.ReadAll(file)
}
