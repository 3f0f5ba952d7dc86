package kafka

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kstreamlab/kstreamlab/broker"
)

// settings are Kafka's client properties after parsing. The configurations of producers, consumers and members win over them.
type settings struct {
	bootstrap []string
	producer  broker.ProducerConfig
	consumer  broker.ConsumerConfig
	member    broker.MemberConfig
	buffer    int // buffer.memory, bytes

	metadataMaxAge, connectionsMaxIdle, retryBackoff, retryBackoffMax time.Duration
}

func defaults() settings {
	return settings{
		producer: broker.ProducerConfig{TransactionTimeout: time.Minute, BatchSize: 16384, MaxRequestSize: 1 << 20, Compression: "none",
			DeliveryTimeout: 2 * time.Minute, RequestTimeout: 30 * time.Second},
		consumer: broker.ConsumerConfig{MaxBytes: 50 << 20, MinBytes: 1, PartitionMax: 1 << 20, MaxWait: 500 * time.Millisecond},
		member: broker.MemberConfig{SessionTimeout: 45 * time.Second, HeartbeatInterval: 3 * time.Second,
			RebalanceTimeout: 5 * time.Minute},
		buffer:         32 << 20,
		metadataMaxAge: 5 * time.Minute, connectionsMaxIdle: 9 * time.Minute,
		retryBackoff: 100 * time.Millisecond, retryBackoffMax: time.Second,
	}
}

// property is one of Kafka's client properties. set parses the value into s.
type property struct {
	name string
	doc  string
	set  func(s *settings, value string) error
}

// properties are those that the port understands, by name. Unknown ones are logged and ignored, as Kafka does.
var properties = []property{
	{"auto.offset.reset", "where a partition starts that has no position: earliest, latest or none", setReset},
	{"batch.size", "bytes a producer's batch may wait for", intInto(0, func(s *settings) *int { return &s.producer.BatchSize })},
	{"bootstrap.servers", "host:port, separated by commas", setBootstrap},
	{"buffer.memory", "bytes that a producer holds before Send blocks", intInto(1, func(s *settings) *int { return &s.buffer })},
	{"client.id", "the name that brokers log and apply quotas to", setClientID},
	{"client.rack", "where this client is: fetches go to a replica there", func(s *settings, v string) error { s.consumer.Rack = v; return nil }},
	{"compression.type", "none, gzip, snappy, lz4 or zstd", setCompression},
	{"connections.max.idle.ms", "when an idle connection is closed", msInto(func(s *settings) *time.Duration { return &s.connectionsMaxIdle })},
	{"delivery.timeout.ms", "how long a record may take to be acknowledged", msInto(func(s *settings) *time.Duration { return &s.producer.DeliveryTimeout })},
	{"fetch.max.bytes", "bytes a fetch may return", intInto(1, func(s *settings) *int { return &s.consumer.MaxBytes })},
	{"fetch.max.wait.ms", "how long a broker may hold a fetch that has nothing to return", msInto(func(s *settings) *time.Duration { return &s.consumer.MaxWait })},
	{"fetch.min.bytes", "bytes a broker waits for before it answers a fetch", intInto(1, func(s *settings) *int { return &s.consumer.MinBytes })},
	{"heartbeat.interval.ms", "how often a member says it is alive", msInto(func(s *settings) *time.Duration { return &s.member.HeartbeatInterval })},
	{"isolation.level", "read_uncommitted or read_committed", setIsolation},
	{"linger.ms", "how long a batch that is not full may wait", msInto(func(s *settings) *time.Duration { return &s.producer.Linger })},
	{"max.partition.fetch.bytes", "bytes a fetch may return for one partition", intInto(1, func(s *settings) *int { return &s.consumer.PartitionMax })},
	{"max.poll.interval.ms", "how long a member may work between two polls", msInto(func(s *settings) *time.Duration { return &s.member.RebalanceTimeout })},
	{"max.request.size", "bytes of the largest record or batch", intInto(1, func(s *settings) *int { return &s.producer.MaxRequestSize })},
	{"metadata.max.age.ms", "how often topics are looked up again", msInto(func(s *settings) *time.Duration { return &s.metadataMaxAge })},
	{"request.timeout.ms", "how long a broker may take to answer a produce request", msInto(func(s *settings) *time.Duration { return &s.producer.RequestTimeout })},
	{"retry.backoff.max.ms", "the longest pause between two attempts", msInto(func(s *settings) *time.Duration { return &s.retryBackoffMax })},
	{"retry.backoff.ms", "the first pause between two attempts", msInto(func(s *settings) *time.Duration { return &s.retryBackoff })},
	{"security.protocol", "PLAINTEXT", setSecurity},
	{"session.timeout.ms", "how long a member may be silent", msInto(func(s *settings) *time.Duration { return &s.member.SessionTimeout })},
	{"transaction.timeout.ms", "how long a transaction may stay open", msInto(func(s *settings) *time.Duration { return &s.producer.TransactionTimeout })},
}

// parse returns the settings, the names that it does not know, and all faults at once.
func parse(values map[string]string) (s settings, unknown []string, err error) {
	s = defaults()
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i, ok := slices.BinarySearchFunc(properties, name, func(p property, n string) int { return strings.Compare(p.name, n) })
		if !ok {
			unknown = append(unknown, name)
			continue
		}
		if e := properties[i].set(&s, strings.TrimSpace(values[name])); e != nil {
			faults = append(faults, fmt.Errorf("%s=%s: %w", name, values[name], e))
		}
	}
	return s, unknown, errors.Join(faults...)
}

func intInto(least int, field func(*settings) *int) func(*settings, string) error {
	return func(s *settings, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > 1<<31-1 {
			return fmt.Errorf("want a whole number of at least %d", least)
		}
		*field(s) = n
		return nil
	}
}

func msInto(field func(*settings) *time.Duration) func(*settings, string) error {
	return func(s *settings, v string) error {
		n, err := strconv.ParseInt(v, 10, 40)
		if err != nil || n < 0 {
			return errors.New("want milliseconds")
		}
		*field(s) = time.Duration(n) * time.Millisecond
		return nil
	}
}

func setBootstrap(s *settings, v string) error {
	for _, addr := range strings.Split(v, ",") {
		if addr = strings.TrimSpace(addr); addr != "" {
			s.bootstrap = append(s.bootstrap, addr)
		}
	}
	if len(s.bootstrap) == 0 {
		return errors.New("want host:port, separated by commas")
	}
	return nil
}

func setClientID(s *settings, v string) error {
	s.producer.ClientID, s.consumer.ClientID = v, v
	return nil
}

func setCompression(s *settings, v string) error {
	if _, err := codec(v); err != nil {
		return err
	}
	s.producer.Compression = v
	return nil
}

func setIsolation(s *settings, v string) error {
	switch v {
	case "read_committed":
		s.consumer.Isolation = broker.ReadCommitted
	case "read_uncommitted":
		s.consumer.Isolation = broker.ReadUncommitted
	default:
		return errors.New("want read_committed or read_uncommitted")
	}
	return nil
}

func setReset(s *settings, v string) error {
	switch v {
	case "none":
		s.consumer.Reset = broker.ResetNone
	case "earliest":
		s.consumer.Reset = broker.ResetEarliest
	case "latest":
		s.consumer.Reset = broker.ResetLatest
	default:
		return errors.New("want earliest, latest or none")
	}
	return nil
}

func setSecurity(_ *settings, v string) error {
	if v != "PLAINTEXT" {
		return errors.New("only PLAINTEXT is supported")
	}
	return nil
}
