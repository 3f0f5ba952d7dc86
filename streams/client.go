package streams

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
	client "github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/streams/internal/topology"
)

// mainProperties are those of the main consumer that an instance itself acts upon: their prefixed forms count too.
var mainProperties = []string{"auto.offset.reset", "group.instance.id", "heartbeat.interval.ms", "max.poll.interval.ms", "max.poll.records", "session.timeout.ms"}

// checkClients looks at the properties that are for clients, and takes over those that the instance itself acts upon. Of the unknown names
// it keeps those that no client knows either.
func (v *values) checkClients(props map[string]string, unknown []string) []string {
	mine := map[string]string{}
	for name, value := range props { // into a map again
		prefix, rest := client.Split(name)
		if _, ok := client.Lookup(rest); ok && !v.byDuration(prefix, rest, value) {
			if _, own := v.set[name]; prefix != "" || !own || v.passed(name) {
				mine[name] = value
			}
		}
	}
	_, faults := client.Check(mine)
	v.errs = append(v.errs, faults...)
	main, producer := client.MainConsumer.For(props), client.Producer.For(props)
	for _, name := range mainProperties {
		if value, ok := main[name]; ok {
			v.set[name] = strings.TrimSpace(value)
		}
	}
	if value, ok := producer["transaction.timeout.ms"]; ok {
		v.set["transaction.timeout.ms"] = strings.TrimSpace(value)
	}
	if v.text("processing.guarantee") == "exactly_once_v2" {
		v.checkExactlyOnce(props)
	}
	return slices.DeleteFunc(unknown, func(name string) bool { _, ok := client.Lookup(name); return ok })
}

// offsetReset is where a partition starts that has no committed offset.
const offsetReset = "auto.offset.reset"

// byDuration says whether a property is the main consumer's reset policy by duration, which the application itself understands and its clients do
// not.
func (v *values) byDuration(prefix, name, value string) bool {
	value = strings.TrimSpace(value)
	if name != offsetReset || !strings.HasPrefix(value, "by_duration:") || prefix != "" && prefix != "consumer." && prefix != "main.consumer." {
		return false
	}
	if _, err := topology.ParseReset(value); err != nil && prefix != "" {
		v.errs = append(v.errs, &PropertyError{Name: prefix + name, Value: value, Want: resetWant})
	}
	return true
}

const resetWant = "it must be earliest, latest, none, or by_duration: and a duration of ISO 8601 such as PT1H"

// passed says that the application's own table has nothing against a property.
func (v *values) passed(name string) bool {
	return !slices.ContainsFunc(v.errs, func(err error) bool {
		e, ok := err.(*PropertyError)
		return ok && e.Name == name
	})
}

// checkExactlyOnce refuses what a transactional producer cannot do. Idempotence is not asked about: it is always on there, whatever
// enable.idempotence says.
func (v *values) checkExactlyOnce(props map[string]string) {
	value, ok := client.Producer.For(props)["acks"]
	if value = strings.TrimSpace(value); ok && value != "-1" && !strings.EqualFold(value, "all") {
		v.errs = append(v.errs, &PropertyError{Name: client.Producer.Name(props, "acks"), Value: value, Want: "it must be all for processing.guarantee=exactly_once_v2"})
	}
}

// clientProperties are the properties of one kind of client: those without a prefix, except what only the application understands, and
// over them those with the kind's prefixes.
func (c *Config) clientProperties(kind client.Kind) map[string]string {
	all := maps.Clone(c.Properties)
	maps.DeleteFunc(all, func(name, _ string) bool {
		prefix, _ := client.Split(name)
		_, known := client.Lookup(name)
		return prefix == "" && !known
	})
	out := kind.For(all)
	delete(out, "client.id") // each client has a name of its own
	delete(out, "group.instance.id")
	delete(out, offsetReset) // what reads from where is the application's affair
	return out
}

// number32 is a property's value where it is given, or else 0, which stands for the default.
func number32(props map[string]string, name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(props[name]))
	if err != nil {
		return 0
	}
	return n
}

func millis(props map[string]string, name string) time.Duration {
	return time.Duration(number32(props, name)) * time.Millisecond
}

// consumerConfig is a consumer's configuration.
func (c *Config) consumerConfig(name string, kind client.Kind) broker.ConsumerConfig {
	p := c.clientProperties(kind)
	cfg := broker.ConsumerConfig{ClientID: name, Reset: c.Reset, Rack: p["client.rack"], MaxBytes: number32(p, "fetch.max.bytes"), MinBytes: number32(p, "fetch.min.bytes"),
		PartitionMax: number32(p, "max.partition.fetch.bytes"), MaxWait: millis(p, "fetch.max.wait.ms"), Properties: p}
	if c.ExactlyOnce || strings.TrimSpace(p["isolation.level"]) == "read_committed" {
		cfg.Isolation = broker.ReadCommitted
	}
	return cfg
}

// producerConfig is a producer's configuration, without a transactional id.
func (c *Config) producerConfig(name string) broker.ProducerConfig {
	p := c.clientProperties(client.Producer)
	cfg := broker.ProducerConfig{ClientID: name, TransactionTimeout: c.TransactionTimeout, Linger: defaultLinger * time.Millisecond, BatchSize: number32(p, "batch.size"),
		MaxRequestSize: number32(p, "max.request.size"), Compression: strings.TrimSpace(p["compression.type"]), DeliveryTimeout: millis(p, "delivery.timeout.ms"),
		RequestTimeout: millis(p, "request.timeout.ms"), Properties: p}
	if _, ok := p["linger.ms"]; ok {
		cfg.Linger = millis(p, "linger.ms")
	}
	if c.ExactlyOnce {
		delete(p, "enable.idempotence") // always on
	}
	switch strings.TrimSpace(p["acks"]) {
	case "1":
		cfg.Acks = broker.AcksLeader
	case "0":
		cfg.Acks = broker.AcksNone
	}
	return cfg
}

func (c *Config) mainConsumer(name string) broker.ConsumerConfig {
	return c.consumerConfig(name, client.MainConsumer)
}

func (c *Config) globalConsumer(name string) broker.ConsumerConfig {
	return c.consumerConfig(name, client.GlobalConsumer)
}

func (c *Config) restoreConsumer(name string) broker.ConsumerConfig {
	return c.consumerConfig(name, client.RestoreConsumer)
}
