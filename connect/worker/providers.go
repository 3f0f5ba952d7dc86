package worker

import (
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/internal/javaregex"
	"github.com/kstreamlab/kstreamlab/connect/internal/properties"
)

// Environment is what config providers read: the host's files and the process's environment.
type Environment struct {
	FS vfs.FS
	// Getenv is a variable of the process; ok is false when it is not set.
	Getenv func(name string) (value string, ok bool)
}

// Providers resolve placeholders, ${provider:path:key} or ${provider:key}, in the values of properties: Kafka's config providers. Errors
// name places, never values.
type Providers struct {
	byName map[string]provider
}

// provider is a ConfigProvider. ok is false where there is no such key.
type provider interface {
	get(path, key string) (value string, ok bool, err error)
}

// providerClasses are the classes, by Java name and alias.
var providerClasses = map[string]func(e Environment, params config.Props) (provider, error){}

func init() {
	for class, f := range map[string]func(Environment, config.Props) (provider, error){ // into a map: order does not matter
		"FileConfigProvider":      newFileProvider,
		"DirectoryConfigProvider": newDirectoryProvider,
		"EnvVarConfigProvider":    newEnvProvider,
	} {
		providerClasses["org.apache.kafka.common.config.provider."+class] = f
		providerClasses[class] = f
		providerClasses[strings.TrimSuffix(class, "ConfigProvider")] = f
	}
}

// NewProviders makes the providers that a worker's properties declare.
func NewProviders(e Environment, props map[string]string) (*Providers, error) {
	p := &Providers{byName: map[string]provider{}}
	all := config.PropsOf(props)
	list, err := config.ParseType("config.providers", all["config.providers"], config.List)
	if err != nil {
		return nil, err
	}
	names, _ := list.([]string)
	for _, name := range names {
		prefix := "config.providers." + name + "."
		class := strings.TrimSpace(all.Text(prefix + "class"))
		make := providerClasses[class]
		if make == nil {
			return nil, config.Invalid(prefix+"class", class, "Class "+class+" could not be found.")
		}
		x, err := make(e, all.WithPrefix(prefix+"param."))
		if err != nil {
			return nil, err
		}
		p.byName[name] = x
	}
	return p, nil
}

// placeholder is ${provider:path:key}; the path may be absent.
var placeholder = regexp.MustCompile(`\$\{([^}]*?):(([^}]*?):)?([^}]*?)\}`)

// Resolve replaces the placeholders in all values. A provider or key that is not known is left as it stands.
func (p *Providers) Resolve(props map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(props))
	for k, v := range props { // into a map: order does not matter
		r, err := p.resolve(v)
		if err != nil {
			return nil, data.ConfigException.Wrap(err, "Could not resolve the value of "+k)
		}
		out[k] = r
	}
	return out, nil
}

func (p *Providers) resolve(v string) (string, error) {
	var failure error
	out := placeholder.ReplaceAllStringFunc(v, func(text string) string {
		m := placeholder.FindStringSubmatch(text)
		x := p.byName[m[1]]
		if x == nil || failure != nil {
			return text
		}
		value, ok, err := x.get(m[3], m[4])
		if err != nil {
			failure = err
		}
		if !ok || err != nil {
			return text
		}
		return value
	})
	return out, failure
}

// allowedPaths are the folders that a provider may read; nil: all.
type allowedPaths []string

func parseAllowed(e Environment, params config.Props) allowedPaths {
	var out allowedPaths
	for _, p := range strings.Split(params.Text("allowed.paths"), ",") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, clean(e.FS, p))
		}
	}
	return out
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

func (a allowedPaths) allows(path string) bool {
	return a == nil || slices.ContainsFunc(a, func(p string) bool { return path == p || strings.HasPrefix(path, strings.TrimSuffix(p, "/")+"/") })
}

// fileProvider reads keys of a properties file.
type fileProvider struct {
	e       Environment
	allowed allowedPaths
}

func newFileProvider(e Environment, params config.Props) (provider, error) {
	return &fileProvider{e, parseAllowed(e, params)}, nil
}

func (p *fileProvider) get(path, key string) (string, bool, error) {
	if path == "" {
		return "", false, nil
	}
	path = clean(p.e.FS, path)
	if !p.allowed.allows(path) {
		return "", false, nil
	}
	text, err := readFile(p.e.FS, path)
	if err != nil {
		return "", false, data.ConfigException.Errorf("Could not read properties from file %s", path)
	}
	all, err := properties.Parse(text)
	if err != nil {
		return "", false, data.ConfigException.Errorf("Could not read properties from file %s", path)
	}
	v, ok := all[key]
	return v, ok, nil
}

// directoryProvider has a file for each key.
type directoryProvider struct {
	e       Environment
	allowed allowedPaths
}

func newDirectoryProvider(e Environment, params config.Props) (provider, error) {
	return &directoryProvider{e, parseAllowed(e, params)}, nil
}

func (p *directoryProvider) get(path, key string) (string, bool, error) {
	if path == "" || strings.Contains(key, "/") || key == ".." {
		return "", false, nil
	}
	path = clean(p.e.FS, path)
	if !p.allowed.allows(path) {
		return "", false, nil
	}
	name := p.e.FS.PathJoin(path, key)
	text, err := readFile(p.e.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, data.ConfigException.Errorf("Could not read file %s", name)
	}
	return string(text), true, nil
}

// envProvider has the environment's variables, of which it may show some only.
type envProvider struct {
	e       Environment
	allowed *javaregex.Pattern // nil: all
}

func newEnvProvider(e Environment, params config.Props) (provider, error) {
	p := &envProvider{e: e}
	if pattern := params.Text("allowlist.pattern"); pattern != "" {
		x, err := javaregex.Compile(pattern)
		if err != nil {
			return nil, data.ConfigException.Errorf("allowlist.pattern is no regular expression")
		}
		p.allowed = x
	}
	return p, nil
}

func (p *envProvider) get(path, key string) (string, bool, error) {
	switch {
	case path != "":
		return "", false, data.ConfigException.Errorf("Path is not supported for EnvVarConfigProvider, invalid value '%s'", path)
	case p.allowed != nil && !p.allowed.Matches(key):
		return "", false, nil
	}
	v, ok := p.e.Getenv(key)
	return v, ok, nil
}

func readFile(f vfs.FS, name string) ([]byte, error) {
	file, err := f.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // only read
	return io.ReadAll(file)
}
