package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/sr"

	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/internal/host"
	"github.com/kstreamlab/kstreamlab/internal/keystore"
)

// remote is a registry behind its REST interface: Confluent's RestService with its RetryExecutor and UrlList.
type remote struct {
	host    host.Host
	cfg     *Config
	clients []*sr.Client // one an address

	mu      sync.Mutex // never held across a blocking call
	current int        // the address that answered last
	rand    *rand.Rand
}

// newRemote makes the client of a registry. web is nil for one of its own, with the properties' TLS, proxy and timeouts.
func newRemote(h host.Host, c *Config, web *http.Client) (*remote, error) {
	if web == nil {
		var err error
		if web, err = c.web(); err != nil {
			return nil, err
		}
	}
	r := &remote{host: h, cfg: c, rand: h.Rand("schema registry")}
	bearer, err := newBearer(h, c, web)
	if err != nil {
		return nil, err
	}
	for i, u := range c.URLs {
		opts := []sr.ClientOpt{sr.URLs(u), sr.HTTPClient(web), sr.UserAgent("kstreamlab")}
		user, password, ok, err := c.basic(i)
		if err != nil {
			return nil, err
		}
		if ok && bearer == nil {
			opts = append(opts, sr.BasicAuth(user, password))
		}
		if bearer != nil {
			opts = append(opts, sr.PreReq(bearer.sign))
		}
		cl, err := sr.NewClient(opts...)
		if err != nil {
			return nil, err
		}
		r.clients = append(r.clients, cl)
	}
	return r, nil
}

// web is an HTTP client of this process's own.
func (c *Config) web() (*http.Client, error) {
	config, err := c.tls()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: time.Duration(c.number("http.connect.timeout.ms")) * time.Millisecond}
	t := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: config, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: 90 * time.Second}
	if name := c.text("proxy.host"); name != "" {
		t.Proxy = http.ProxyURL(&url.URL{Scheme: "http", Host: net.JoinHostPort(name, c.text("proxy.port"))})
	}
	return &http.Client{Transport: t, Timeout: time.Duration(c.number("http.read.timeout.ms")) * time.Millisecond}, nil
}

func (c *Config) tls() (*tls.Config, error) {
	ssl := func(name string) string { return c.text(prefix + "ssl." + name) }
	config := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}
	for _, name := range property.Parts(ssl("enabled.protocols")) {
		v := property.Version(name)
		config.MinVersion, config.MaxVersion = min(config.MinVersion, v), max(config.MaxVersion, v)
	}
	trust := keystore.Store{Kind: ssl("truststore.type"), File: ssl("truststore.location"), Password: ssl("truststore.password"), Certificates: ssl("truststore.certificates")}
	keys := keystore.Store{Kind: ssl("keystore.type"), File: ssl("keystore.location"), Password: ssl("keystore.password"), Key: ssl("keystore.key"),
		Certificates: ssl("keystore.certificate.chain"), KeyPassword: ssl("key.password")}
	var err error
	if config.RootCAs, err = trust.Trusted(); err != nil {
		return nil, fmt.Errorf("%sssl.truststore.location %s: %w", prefix, trust.File, err)
	}
	cert, err := keys.Identity()
	if err != nil {
		return nil, fmt.Errorf("%sssl.keystore.location %s: %w", prefix, keys.File, err)
	}
	if cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if ssl("endpoint.identification.algorithm") == "" {
		keystore.AnyName(config)
	}
	return config, nil
}

// Address implements Server.
func (r *remote) Address() string { return r.cfg.URLs[r.first()] }

func (r *remote) first() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.current
}

// failed lets the next request begin with another address.
func (r *remote) failed(i int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == i {
		r.current = (i + 1) % len(r.clients)
	}
}

// ask sends a request: to each address in turn, and to all again after a while, until one answers or max.retries is used up.
func (r *remote) ask(ctx context.Context, op, subject string, f func(cl *sr.Client) error) error {
	for attempt := 0; ; attempt++ {
		e := r.round(op, subject, f)
		if e == nil {
			return nil
		}
		if !e.Retriable() || attempt >= r.cfg.number("max.retries") {
			return e
		}
		if err := r.host.Sleep(ctx, r.wait(attempt)); err != nil {
			return err
		}
	}
}

func (r *remote) round(op, subject string, f func(cl *sr.Client) error) *Error {
	var last *Error
	first := r.first()
	for n := range r.clients {
		i := (first + n) % len(r.clients)
		err := f(r.clients[i])
		if err == nil {
			return nil
		}
		last = r.fault(i, op, subject, err)
		if !last.Retriable() {
			return last
		}
		r.failed(i)
	}
	return last
}

// wait is Confluent's exponential back-off with full jitter.
func (r *remote) wait(attempt int) time.Duration {
	most := min(int64(r.cfg.number("retries.wait.ms"))<<min(attempt, 30), int64(r.cfg.number("retries.max.wait.ms")))
	if most == 0 {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.rand.Int64N(most)+1) * time.Millisecond
}

func (r *remote) fault(i int, op, subject string, err error) *Error {
	e := &Error{Address: r.cfg.URLs[i], Op: op, Subject: subject}
	var answer *sr.ResponseError
	var inner *Error
	switch {
	case errors.As(err, &inner): // of the token endpoint
		return inner
	case errors.As(err, &answer):
		e.Status, e.Code, e.Message = answer.StatusCode, answer.ErrorCode, answer.Message
		if e.Message == "" {
			e.Message = shortened(string(answer.Raw))
		}
	default:
		e.Err = err
		var u *url.Error
		if errors.As(err, &u) {
			e.Err = u.Err // the address is told already
		}
	}
	return e
}

// shortened is the beginning of an answer that is none of the registry's.
func shortened(text string) string {
	if len(text) > 300 {
		return text[:300] + "..."
	}
	return text
}

func wire(s Schema) sr.Schema {
	out := sr.Schema{Schema: s.Text}
	switch s.Type {
	case Protobuf:
		out.Type = sr.TypeProtobuf
	case JSON:
		out.Type = sr.TypeJSON
	}
	for _, r := range s.References {
		out.References = append(out.References, sr.SchemaReference{Name: r.Name, Subject: r.Subject, Version: r.Version})
	}
	return out
}

func unwire(s sr.Schema) Schema {
	out := Schema{Type: s.Type.String(), Text: s.Schema}
	for _, r := range s.References {
		out.References = append(out.References, Reference{r.Name, r.Subject, r.Version})
	}
	return out
}

func withNormalize(ctx context.Context, normalize bool) context.Context {
	if normalize {
		return sr.WithParams(ctx, sr.Normalize)
	}
	return ctx
}

// Register implements Server.
func (r *remote) Register(ctx context.Context, subject string, s Schema, normalize bool) (id int, err error) {
	ctx = withNormalize(ctx, normalize)
	err = r.ask(ctx, "register a schema under "+subject, subject, func(cl *sr.Client) (err error) {
		id, err = cl.RegisterSchema(ctx, subject, wire(s), -1, -1)
		return err
	})
	return id, err
}

// Lookup implements Server.
func (r *remote) Lookup(ctx context.Context, subject string, s Schema, normalize bool) (Registered, error) {
	ctx = withNormalize(ctx, normalize)
	var found sr.SubjectSchema
	err := r.ask(ctx, "look up a schema under "+subject, subject, func(cl *sr.Client) (err error) {
		found, err = cl.LookupSchema(ctx, subject, wire(s))
		return err
	})
	return registered(found), err
}

func registered(s sr.SubjectSchema) Registered {
	return Registered{Schema: unwire(s.Schema), Subject: s.Subject, Version: s.Version, ID: s.ID}
}

// ByID implements Server.
func (r *remote) ByID(ctx context.Context, id int) (Schema, error) {
	var found sr.Schema
	err := r.ask(ctx, fmt.Sprintf("get the schema of id %d", id), "", func(cl *sr.Client) (err error) {
		found, err = cl.SchemaByID(ctx, id)
		return err
	})
	return unwire(found), err
}

// ByGUID implements Server.
func (r *remote) ByGUID(ctx context.Context, guid string) (Schema, error) {
	var found sr.SubjectSchema
	err := r.ask(ctx, "get the schema of GUID "+guid, "", func(cl *sr.Client) (err error) {
		found, err = cl.SchemaByGUID(ctx, guid)
		return err
	})
	return unwire(found.Schema), err
}

// ByVersion implements Server.
func (r *remote) ByVersion(ctx context.Context, subject string, version int) (Registered, error) {
	name := strconv.Itoa(version)
	if version == Latest {
		name = "latest"
	}
	var found sr.SubjectSchema
	err := r.ask(ctx, fmt.Sprintf("get version %s of %s", name, subject), subject, func(cl *sr.Client) (err error) {
		found, err = cl.SchemaByVersion(ctx, subject, version)
		return err
	})
	return registered(found), err
}
