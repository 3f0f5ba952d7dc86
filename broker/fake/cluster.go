// Package fake is for tests on the wire and for the development broker: a Kafka cluster in process that any Kafka client can use.
// It is franz-go's kfake, with those of its differences from Kafka that matter to an engine cured (shims.go); what is left is
// listed in docs/divergence.md.
package fake

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
)

// Config says what the cluster is made of. The zero value is one broker in memory on a free port of the loopback.
type Config struct {
	Brokers int            // default 1
	Port    int            // of the first broker, the others' follow; 0: free ones
	Topics  map[string]int // to begin with: name and partitions
	DataDir string         // keeps everything there over restarts; empty: in memory
	// BrokerConfigs are broker settings by Kafka's names, over the defaults of this package.
	BrokerConfigs map[string]string
	// Exact leaves out the shims: kfake as it is, to show what they cure.
	Exact bool
}

// Cluster is a running fake cluster. Its methods may be called from any goroutine.
type Cluster struct {
	fake *kfake.Cluster
	seen *epochs
	// waiting is nil without shims, as seen is.
	waiting *waiting
}

// New starts a cluster.
func New(cfg Config) (*Cluster, error) {
	n := max(cfg.Brokers, 1)
	configs := map[string]string{
		// compaction ignores open transactions (K2): it happens when Compact is called, and then only if there are none
		"log.cleaner.backoff.ms": fmt.Sprint(int64(1000 * time.Hour / time.Millisecond)),
		// compaction also applies retention, to topics that are compacted only (K18): by default nothing goes by age
		"log.retention.ms": "-1",
	}
	for k, v := range cfg.BrokerConfigs {
		configs[k] = v
	}
	opts := []kfake.Opt{
		kfake.NumBrokers(n),
		kfake.DefaultNumPartitions(1),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
		kfake.GroupMaxSessionTimeout(30 * time.Minute),
		kfake.BrokerConfigs(configs),
	}
	if cfg.Port != 0 {
		ports := make([]int, n)
		for i := range ports {
			ports[i] = cfg.Port + i
		}
		opts = append(opts, kfake.Ports(ports...))
	}
	for topic, partitions := range cfg.Topics {
		opts = append(opts, kfake.SeedTopics(int32(partitions), topic))
	}
	if cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(cfg.DataDir))
	}
	if !cfg.Exact {
		opts = append(opts, kfake.MaxVersions(versions()))
	}
	f, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("fake: %w", err)
	}
	c := &Cluster{fake: f}
	if !cfg.Exact {
		c.shim()
	}
	return c, nil
}

// versions hides what kfake answers in a way that Java clients cannot read: DescribeTopicPartitions with null replica lists (K15),
// and CreateTopics with configs whose source is unknown (K16). Clients fall back on Metadata and on CreateTopics v4.
func versions() *kversion.Versions {
	const createTopics, describeTopicPartitions = 19, 75
	v := kversion.Stable()
	v.SetMaxKeyVersion(createTopics, 4)
	v.SetMaxKeyVersion(describeTopicPartitions, -1)
	return v
}

// Bootstrap are the brokers' addresses.
func (c *Cluster) Bootstrap() []string { return c.fake.ListenAddrs() }

// Client is a way into the cluster for one process; cfg.Bootstrap is filled in.
func (c *Cluster) Client(cfg kafka.Config) (broker.Cluster, error) {
	cfg.Bootstrap = c.Bootstrap()
	return kafka.New(cfg)
}

// Fake is kfake's own cluster: for faults, leader moves and looking inside.
func (c *Cluster) Fake() *kfake.Cluster { return c.fake }

// Close stops the brokers.
func (c *Cluster) Close() {
	if c.seen != nil {
		c.seen.close()
	}
	if c.waiting != nil {
		c.waiting.close()
	}
	c.fake.Close()
}
