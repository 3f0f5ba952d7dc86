package worker

import (
	"maps"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/connect"
	"github.com/kstreamlab/kstreamlab/connect/config"
	"github.com/kstreamlab/kstreamlab/connect/internal/properties"
)

// Config is a worker's configuration: Kafka's WorkerConfig and, for a standalone worker, StandaloneConfig.
type Config struct {
	Values  config.Values
	Props   map[string]string
	plugins *connect.Plugins
}

const (
	offsetFileKey    = "offset.storage.file.filename"
	flushIntervalKey = "offset.flush.interval.ms"
	flushTimeoutKey  = "offset.flush.timeout.ms"
	shutdownKey      = "task.shutdown.graceful.timeout.ms"
	createTopicsKey  = "topic.creation.enable"
	sampleWindowKey  = "metrics.sample.window.ms"
	policyKey        = "connector.client.config.override.policy"
	allowlistKey     = "connector.client.config.override.allowlist"
	samplesKey       = "metrics.num.samples"
)

func workerDef(p *connect.Plugins) *config.Def {
	class := func(k connect.Kind) config.Validator { return classOf(p, k) }
	return config.NewDef(
		config.Key{Name: "bootstrap.servers", Type: config.List, Default: "localhost:9092", Doc: "Brokers to begin with: host:port,..."},
		config.Key{Name: keyConverterKey, Type: config.Class, Required: true, Validator: class(connect.KindConverter), Doc: "The converter of keys."},
		config.Key{Name: valueConverterKey, Type: config.Class, Required: true, Validator: class(connect.KindConverter), Doc: "The converter of values."},
		config.Key{Name: keyConverterKey + "." + versionProperty, Type: config.String, Importance: config.Low, Doc: versionDoc},
		config.Key{Name: valueConverterKey + "." + versionProperty, Type: config.String, Importance: config.Low, Doc: versionDoc},
		config.Key{Name: headerConverterKey + "." + versionProperty, Type: config.String, Importance: config.Low, Doc: versionDoc},
		config.Key{Name: headerConverterKey, Type: config.Class, Default: "org.apache.kafka.connect.storage.SimpleHeaderConverter",
			Validator: class(connect.KindHeaderConverter), Importance: config.Low, Doc: "The converter of headers."},
		config.Key{Name: shutdownKey, Type: config.Long, Default: 5000, Importance: config.Low, Doc: "How long all tasks together may take to stop, in milliseconds."},
		config.Key{Name: flushIntervalKey, Type: config.Long, Default: 60000, Importance: config.Low, Doc: "How often offsets are committed, in milliseconds."},
		config.Key{Name: flushTimeoutKey, Type: config.Long, Default: 5000, Importance: config.Low,
			Doc: "How long a commit may wait for records to be written, in milliseconds, before it is left for the next time."},
		config.Key{Name: createTopicsKey, Type: config.Boolean, Default: true, Importance: config.Low,
			Doc: "Whether topics of source connectors are created with the settings that the connectors name."},
		config.Key{Name: sampleWindowKey, Type: config.Long, Default: 30000, Validator: config.AtLeast(0), Importance: config.Low,
			Doc: "How long a sample of a metric is, in milliseconds."},
		config.Key{Name: samplesKey, Type: config.Int, Default: 2, Validator: config.AtLeast(1), Importance: config.Low,
			Doc: "Of how many samples rates, means and maxima of metrics are made."},
		config.Key{Name: policyKey, Type: config.String, Default: "All", Validator: knownPolicy, Importance: config.Medium,
			Doc: "What connectors may override in their clients: All, None, those of an Allowlist, or of a Principal."},
		config.Key{Name: allowlistKey, Type: config.List, Default: "", Validator: config.Distinct(true, false), Importance: config.Medium,
			Doc: "List of client configurations that can be overridden by connectors. If empty, connectors can't override any client configurations."},
		config.Key{Name: "config.providers", Type: config.List, Default: "", Importance: config.Low, Doc: "Providers of values for ${provider:path:key}, by name."},
		config.Key{Name: offsetFileKey, Type: config.String, Required: true, Doc: "The file of source offsets."},
	)
}

// ParseConfig reads the properties of a standalone worker; placeholders for its config providers must be resolved already. The error is the
// first ConfigException.
func ParseConfig(p *connect.Plugins, props map[string]string) (*Config, error) {
	v, err := workerDef(p).Parse(config.PropsOf(props))
	if err != nil {
		return nil, err
	}
	return &Config{Values: v, Props: props, plugins: p}, nil
}

// ConfigFaults are all properties of a standalone worker that cannot be, each with what is wrong with it.
func ConfigFaults(p *connect.Plugins, props map[string]string) (out []*config.Value) {
	for _, v := range workerDef(p).Validate(config.PropsOf(props)) {
		if len(v.Errors) > 0 {
			out = append(out, v)
		}
	}
	return out
}

// OffsetFile is the name of the file of source offsets.
func (c *Config) OffsetFile() string { return c.Values.String(offsetFileKey) }

// ShutdownTimeout is how long all tasks together may take to stop.
func (c *Config) ShutdownTimeout() time.Duration { return c.millis(shutdownKey) }

// ClientProperties are those of the worker's properties that are for all of its clients: security and the like. Those with a prefix are given
// to each client.
func (c *Config) ClientProperties() map[string]string {
	out := map[string]string{}
	for k, v := range c.Props { // into a map: order does not matter
		if strings.HasPrefix(k, "ssl.") || strings.HasPrefix(k, "sasl.") || k == "security.protocol" || k == "client.dns.lookup" {
			out[k] = v
		}
	}
	return out
}

// ParseProperties reads a file of Java properties.
func ParseProperties(text []byte) (map[string]string, error) { return properties.Parse(text) }

// window is at least a millisecond long.
func (c *Config) window() *window {
	return &window{samples: int(c.Values.Int(samplesKey)), length: max(c.millis(sampleWindowKey), time.Millisecond)}
}

func (c *Config) millis(key string) time.Duration {
	return time.Duration(c.Values.Long(key)) * time.Millisecond
}

// clientProperties are the worker's properties of a kind of client, producer., consumer. or admin., under those of the connector, which has
// them with the word override.
func (c *Config) clientProperties(connector map[string]string, kind string) map[string]string {
	out := map[string]string{}
	add := func(props map[string]string, prefix string) {
		for k, v := range props { // into a map: order does not matter
			if rest, ok := strings.CutPrefix(k, prefix); ok && rest != "" {
				out[rest] = v
			}
		}
	}
	add(c.Props, kind+".")
	maps.DeleteFunc(out, func(k, _ string) bool { return strings.HasPrefix(k, "override.") })
	add(connector, kind+".override.")
	return out
}
