// Package kafka is for running engines on a real Kafka cluster: it is the port of package broker over franz-go.
//
// The wire, connections, retries, metadata and the idempotent producer are kgo's. Three things are done here because the port
// promises more than kgo's own consumer gives: fetching (positions that pass control records, aborted and compacted offsets, and
// records that are decoded once, straight into broker.Record), the classic group protocol (user data both ways, callbacks on the
// member's thread, closing without leaving), and offsets in transactions (what was processed is committed, not what was polled).
//
// This package is a live one: it has goroutines, channels and mutexes, which engines have not.
package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// Config says which cluster, and how to reach it.
type Config struct {
	// Bootstrap are host:port of some brokers. Empty: the property bootstrap.servers, of each kind of client.
	Bootstrap []string
	// Dialer makes connections; nil is net.Dialer. A *Link's Dial lets a test kill the process's connections.
	Dialer func(ctx context.Context, network, addr string) (net.Conn, error)
	// Host is the process; it gives the clock of records without a timestamp and the log. Nil: the machine itself.
	Host host.Host
	// Properties are Kafka's client properties, by Kafka's names (package property), also with the prefixes consumer., main.consumer.,
	// producer. and admin.: members are main consumers, NewConsumer makes plain ones. The configuration of one client wins over them.
	Properties map[string]string
	// ClientOpts are added to those of every kgo client, last.
	ClientOpts []kgo.Opt
}

// Cluster is broker.Cluster over franz-go.
type Cluster struct {
	cfg        Config
	properties map[string]string
	set        settings // the administration's
	log        *slog.Logger

	mu     sync.Mutex
	warned map[string]bool // of names that are not understood
	shared *kgo.Client     // for the administration and for topics; made at first use
	closed bool
	txnV2  *bool // does the cluster run transactions v2 (KIP-890 part 2); nil: not asked yet
}

var _ broker.Cluster = (*Cluster)(nil)

// New returns a way into the cluster. It does not connect: a cluster that cannot be reached shows at the first call. All properties that
// cannot be are in the error, each a *property.Error; names that are not understood are logged once.
func New(cfg Config) (*Cluster, error) {
	if cfg.Host == nil {
		cfg.Host = host.NewMachine()
	}
	c := &Cluster{cfg: cfg, properties: maps.Clone(cfg.Properties), log: cfg.Host.Log(), warned: make(map[string]bool)}
	unknown, faults := property.Check(cfg.Properties)
	if err := joined(faults); err != nil {
		return nil, err
	}
	c.warn(unknown)
	var err error
	if c.set, err = c.settings(property.Admin, nil); err != nil {
		return nil, err
	}
	if len(cfg.Bootstrap) == 0 && len(c.set.bootstrap) == 0 {
		return nil, errors.New("kafka: no bootstrap servers")
	}
	return c, nil
}

func joined(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("kafka: %w", errors.Join(faults...))
}

// warn logs names that are not understood, each once.
func (c *Cluster) warn(unknown []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range unknown {
		if !c.warned[name] {
			c.warned[name] = true
			c.log.Warn("kafka: unknown property", "name", name)
		}
	}
}

// Close closes what the Cluster itself holds.
func (c *Cluster) Close() {
	c.mu.Lock()
	cl := c.shared
	c.shared, c.closed = nil, true
	c.mu.Unlock()
	if cl != nil {
		cl.Close()
	}
}

// Admin is the cluster's administration.
func (c *Cluster) Admin() broker.Admin { return &admin{c: c} }

// newClient makes a kgo client. Offset requests stay below the versions that name topics by id: the port names them by name.
func (c *Cluster) newClient(set *settings, clientID string, opts ...kgo.Opt) (*kgo.Client, error) {
	seeds := c.cfg.Bootstrap
	if len(seeds) == 0 {
		seeds = set.bootstrap
	}
	d := &dialer{set: *set, dial: c.cfg.Dialer, host: c.cfg.Host}
	if d.dial == nil {
		d.dial = (&net.Dialer{}).DialContext
	}
	versions := kversion.Stable()
	versions.SetMaxKeyVersion(int16(kmsg.OffsetCommit), 9)
	versions.SetMaxKeyVersion(int16(kmsg.OffsetFetch), 9)
	versions.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 5)
	all := []kgo.Opt{
		kgo.SeedBrokers(seeds...),
		kgo.Dialer(d.connect),
		kgo.MaxVersions(versions),
		kgo.WithLogger(&logger{c.log}),
		kgo.MetadataMaxAge(set.metadataMaxAge),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.ConnIdleTimeout(set.idle),
		kgo.RequestTimeoutOverhead(set.request),
		kgo.RetryBackoffFn(set.backoff),
		kgo.DisableClientMetrics(),
	}
	if set.mechanism != nil {
		all = append(all, kgo.SASL(set.mechanism))
	}
	if set.requestRetries >= 0 {
		all = append(all, kgo.RequestRetries(set.requestRetries))
	}
	if set.apiTimeout > 0 {
		all = append(all, kgo.RetryTimeout(set.apiTimeout))
	}
	if clientID != "" {
		all = append(all, kgo.ClientID(clientID))
	}
	all = append(append(all, opts...), c.cfg.ClientOpts...)
	cl, err := kgo.NewClient(all...)
	if err != nil {
		return nil, fmt.Errorf("kafka: %w", err)
	}
	return cl, nil
}

// client is the client that the administration and topic look-ups share.
func (c *Cluster) client() (*kgo.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, broker.ErrClosed
	}
	if c.shared == nil {
		cl, err := c.newClient(&c.set, c.set.clientID)
		if err != nil {
			return nil, err
		}
		c.shared = cl
	}
	return c.shared, nil
}

// transactionsV2 says whether the cluster runs transactions v2; it asks once.
func (c *Cluster) transactionsV2(ctx context.Context) (bool, error) {
	c.mu.Lock()
	known := c.txnV2
	c.mu.Unlock()
	if known != nil {
		return *known, nil
	}
	cl, err := c.client()
	if err != nil {
		return false, err
	}
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "kstreamlab", "1"
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return false, wrap(ctx, "ApiVersions", err, "")
	}
	v2 := false
	for _, f := range resp.FinalizedFeatures {
		v2 = v2 || f.Name == "transaction.version" && f.MaxVersionLevel >= 2
	}
	c.mu.Lock()
	c.txnV2 = &v2
	c.mu.Unlock()
	return v2, nil
}

// logger hands kgo's warnings and errors to slog.
type logger struct{ log *slog.Logger }

func (l *logger) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelDebug
	}
	return kgo.LogLevelWarn
}

func (l *logger) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	// what kgo calls a warning is mostly a retry that succeeds
	to := slog.LevelDebug
	if level == kgo.LogLevelError {
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, "kgo: "+msg, keyvals...)
}
