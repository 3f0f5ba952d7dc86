// Package schemaregistry is for programs whose keys or values have schemas in a Schema Registry: it opens the registry that the serdes of
// packages avro, protobuf and jsonschema use.
package schemaregistry

import (
	"net/http"

	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/registry"
)

// Registry is an open Schema Registry, for values, or for keys. Its caches are shared by all serdes that are made with it. It may be used by
// several threads, and needs no closing.
type Registry struct {
	client *registry.Client
	key    bool
}

// Option changes how Open reaches the registry.
type Option func(*registry.Options)

// HTTP makes requests go through a client of the caller's, which then has its own TLS, proxy and timeouts.
func HTTP(c *http.Client) Option { return func(o *registry.Options) { o.Web = c } }

// On takes time, waiting and HTTP from a host: that of a process in the simulator.
func On(h host.Host) Option { return func(o *registry.Options) { o.Host = h } }

// Open reads Confluent's properties: schema.registry.url, basic.auth.credentials.source and so on. Others are left alone, so that an
// application's own properties may be given. The address mock://SCOPE is a registry in this process's memory.
//
// Nothing is asked of the registry before the first record. The error tells of all properties that cannot be, and shows no password.
func Open(properties map[string]string, options ...Option) (*Registry, error) {
	var o registry.Options
	for _, option := range options {
		option(&o)
	}
	c, err := registry.Open(properties, o)
	if err != nil {
		return nil, err
	}
	return &Registry{client: c}, nil
}

// Keys is the same registry for serdes of keys: subjects end in -key, and key.subject.name.strategy counts.
func (r *Registry) Keys() *Registry { return &Registry{r.client, true} }

// Address is where the registry is, without credentials.
func (r *Registry) Address() string { return r.client.Address() }

// Client is what serdes are made of.
func (r *Registry) Client() *registry.Client { return r.client }

// IsKey tells whether the registry is for keys.
func (r *Registry) IsKey() bool { return r.key }
