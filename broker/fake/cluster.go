// Package fake is for tests on the wire and for the development broker: a Kafka cluster in process that any Kafka client can use.
// It is franz-go's kfake, with those of its differences from Kafka that matter to an engine cured (shims.go); what is left is
// listed in docs/divergence.md.
package fake

import (
	"fmt"
	"maps"
	"slices"
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
	Topics  map[string]int // to begin with, where they are not there already: name and partitions
	DataDir string         // keeps everything there over restarts; empty: in memory
	// AutoCreate lets clients that ask for it create topics by using them: auto.create.topics.enable.
	AutoCreate bool
	// BrokerConfigs are broker settings by Kafka's names, over the defaults of this package.
	BrokerConfigs map[string]string
	// Exact leaves out the shims: kfake as it is, to show what they cure.
	Exact bool
}

// Cluster is a running fake cluster. Its methods may be called from any goroutine.
type Cluster struct {
	fake      *kfake.Cluster
	exact     bool
	seen      *epochs
	waiting   *waiting
	net       *network
	stamps    appendTimes
	pending   pendingOffsets
	compacted compactions
	stop      func() // ends what runs beside the brokers
}

// settings are the brokers', over the defaults of this package.
func (cfg Config) settings() map[string]string {
	out := map[string]string{
		// compaction ignores open transactions (K2): it happens when Compact is called, and then only if there are none
		"log.cleaner.backoff.ms": fmt.Sprint(int64(1000 * time.Hour / time.Millisecond)),
		// records may carry times of any year: nothing goes by age unless a topic, or the caller, says so (K13)
		"log.retention.ms": "-1",

		"log.retention.check.interval.ms": "300000",
	}
	maps.Copy(out, cfg.BrokerConfigs)
	return out
}

// New starts a cluster.
func New(cfg Config) (*Cluster, error) {
	n, configs := max(cfg.Brokers, 1), cfg.settings()
	c := &Cluster{exact: cfg.Exact, net: newNetwork(), stamps: appendTimes{all: configs["log.message.timestamp.type"] == "LogAppendTime"},
		pending: pendingOffsets{groups: make(map[string]map[partition]map[string]producerEpoch)}, compacted: compactions{starts: make(map[partition]int64)}}
	c.pending.c = c
	_, _, _ = c.stamps.forget(nil)
	f, err := kfake.NewCluster(c.options(cfg, n, configs)...)
	if err != nil {
		return nil, fmt.Errorf("fake: %w", err)
	}
	c.fake = f
	for i, addr := range f.ListenAddrs() {
		c.net.nodes[int32(i)] = addr
	}
	if !cfg.Exact {
		c.shim()
	}
	if c.stop, err = c.keepRetention(configs["log.retention.check.interval.ms"]); err == nil {
		err = c.createMissing(cfg.Topics)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Cluster) options(cfg Config, n int, configs map[string]string) []kfake.Opt {
	opts := []kfake.Opt{
		kfake.NumBrokers(n),
		kfake.DefaultNumPartitions(1),
		kfake.GroupMinSessionTimeout(100 * time.Millisecond),
		kfake.GroupMaxSessionTimeout(30 * time.Minute),
		kfake.BrokerConfigs(configs),
		kfake.ListenFn(c.net.listen),
	}
	if cfg.Port != 0 {
		ports := make([]int, n)
		for i := range ports {
			ports[i] = cfg.Port + i
		}
		opts = append(opts, kfake.Ports(ports...))
	}
	if cfg.AutoCreate {
		opts = append(opts, kfake.AllowAutoTopicCreation())
	}
	if cfg.DataDir != "" {
		opts = append(opts, kfake.DataDir(cfg.DataDir))
	}
	if !cfg.Exact {
		opts = append(opts, kfake.MaxVersions(versions()))
	}
	return opts
}

// createMissing creates the topics that are not there from an earlier run.
func (c *Cluster) createMissing(topics map[string]int) error {
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		if c.fake.TopicInfo(topic) != nil {
			continue
		}
		if err := c.fake.CreateTopic(topic, int32(topics[topic]), nil); err != nil {
			return fmt.Errorf("fake: topic %s: %w", topic, err)
		}
	}
	return nil
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
