package registry

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Options says what a client stands on.
type Options struct {
	// Host gives time, waiting and, unless Web is set, HTTP. Nil: this machine, with an HTTP client of the registry's own.
	Host host.Host
	// Web is the way to the registry instead of Host's.
	Web *http.Client
	// Server is the registry itself, instead of the one at schema.registry.url.
	Server Server
}

// Client is a registry with Confluent's caches before it: CachedSchemaRegistryClient. All methods may be called from several threads.
type Client struct {
	*Config
	host   host.Host
	server Server

	ids     *Cache[place, int]          // of schemas under subjects
	schemas *Cache[Ident, Schema]       // of ids
	latest  *Cache[string, Registered]  // by subject
	found   *Cache[place, Registered]   // of schemas under subjects
	byPlace *Cache[version, Registered] // by subject and version
}

type place struct{ subject, schema string }

type version struct {
	subject string
	number  int
}

// Open reads the properties and makes a client. It asks the registry nothing yet.
func Open(properties map[string]string, o Options) (*Client, error) {
	c, err := Parse(properties)
	if err != nil {
		return nil, err
	}
	if o.Host != nil && o.Web == nil {
		if web := o.Host.HTTP(); web.Transport != nil { // else it is the machine's, without the properties' TLS, proxy and timeouts
			o.Web = web
		}
	}
	if o.Host == nil {
		o.Host = host.NewMachine()
	}
	if o.Server == nil {
		if scope, ok := c.Scope(); ok {
			o.Server = MockScope(scope)
		} else if o.Server, err = newRemote(o.Host, c, o.Web); err != nil {
			return nil, err
		}
	}
	n, ttl := c.number("max.schemas.per.subject"), time.Duration(max(c.number("latest.cache.ttl.sec"), 0))*time.Second
	return &Client{Config: c, host: o.Host, server: o.Server,
		ids: NewCache[place, int](o.Host, n, 0), schemas: NewCache[Ident, Schema](o.Host, n, 0), found: NewCache[place, Registered](o.Host, n, 0),
		latest: NewCache[string, Registered](o.Host, c.number("latest.cache.size"), ttl), byPlace: NewCache[version, Registered](o.Host, n, 0)}, nil
}

// Host is what the client stands on.
func (c *Client) Host() host.Host { return c.host }

// Address is where the registry is, without credentials.
func (c *Client) Address() string { return c.server.Address() }

// Limit is how many schemas a serde should remember: max.schemas.per.subject.
func (c *Client) Limit() int { return c.number("max.schemas.per.subject") }

// Register adds a schema to a subject and returns its id.
func (c *Client) Register(ctx context.Context, subject string, s Schema) (int, error) {
	return c.ids.Get(ctx, place{subject, s.key()}, func() (int, error) { return c.server.Register(ctx, subject, s, c.Normalize) })
}

// Lookup finds a schema in a subject.
func (c *Client) Lookup(ctx context.Context, subject string, s Schema) (Registered, error) {
	return c.found.Get(ctx, place{subject, s.key()}, func() (Registered, error) { return c.server.Lookup(ctx, subject, s, c.Normalize) })
}

// Find is Lookup for callers who have no context: see Cache.Load.
func (c *Client) Find(subject string, s Schema) (Registered, error) {
	return c.Lookup(context.Background(), subject, s)
}

// Last is Latest for callers who have no context: see Cache.Load.
func (c *Client) Last(subject string) (Registered, error) {
	return c.Latest(context.Background(), subject)
}

// Schema finds the schema that a record's header names.
func (c *Client) Schema(ctx context.Context, id Ident) (Schema, error) {
	return c.schemas.Get(ctx, id, func() (Schema, error) {
		if id.GUID != "" {
			return c.server.ByGUID(ctx, id.GUID)
		}
		return c.server.ByID(ctx, id.ID)
	})
}

// Latest finds the last version of a subject, which is remembered for latest.cache.ttl.sec.
func (c *Client) Latest(ctx context.Context, subject string) (Registered, error) {
	return c.latest.Get(ctx, subject, func() (Registered, error) { return c.server.ByVersion(ctx, subject, Latest) })
}

// Version finds a version of a subject.
func (c *Client) Version(ctx context.Context, subject string, number int) (Registered, error) {
	return c.byPlace.Get(ctx, version{subject, number}, func() (Registered, error) { return c.server.ByVersion(ctx, subject, number) })
}

// maxDepth is how long a chain of references may be.
const maxDepth = 64

// References finds the schemas that s refers to, and those that they refer to, each after those that it needs itself: what a parser must
// read first.
func (c *Client) References(ctx context.Context, s Schema) ([]Dependency, error) {
	var out []Dependency
	seen := map[string]bool{}
	var walk func(s Schema, depth int) error
	walk = func(s Schema, depth int) error {
		if depth > maxDepth {
			return fmt.Errorf("schema references are nested deeper than %d", maxDepth)
		}
		for _, r := range s.References {
			if seen[r.Name] {
				continue
			}
			seen[r.Name] = true
			found, err := c.Version(ctx, r.Subject, r.Version)
			if err != nil {
				return fmt.Errorf("reference %q: %w", r.Name, err)
			}
			if err := walk(found.Schema, depth+1); err != nil {
				return err
			}
			out = append(out, Dependency{r.Name, found.Schema})
		}
		return nil
	}
	return out, walk(s, 0)
}

// Texts are the texts of the schemas that s refers to, by name and in the order in which a parser must read them.
func (c *Client) Texts(s Schema) (inOrder []string, byName map[string]string, err error) {
	deps, err := c.References(context.Background(), s)
	return texts(deps), named(deps), err
}

// Dependency is a schema under the name by which others refer to it.
type Dependency struct {
	Name   string
	Schema Schema
}
