package kafka

import (
	"crypto/tls"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"

	"github.com/klauspost/compress/zstd"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
)

// settings are the properties of one client after parsing. The configuration of a producer, consumer or member wins over them.
type settings struct {
	bootstrap []string
	clientID  string
	producer  broker.ProducerConfig
	consumer  broker.ConsumerConfig
	member    broker.MemberConfig

	buffer                        int           // buffer.memory, bytes
	maxBlock                      time.Duration // max.block.ms
	idempotent                    bool
	inFlight                      int // without idempotence
	recordRetries, requestRetries int // -1: kgo's own
	levels                        map[string]int
	autoCreate                    bool
	apiTimeout                    time.Duration // default.api.timeout.ms; 0: kgo's own
	request                       time.Duration
	metadataMaxAge, idle          time.Duration
	retryBackoff, retryBackoffMax time.Duration
	reconnect, reconnectMax       time.Duration
	setup, setupMax               time.Duration
	sendBuffer, receiveBuffer     int
	tls                           *tls.Config
	mechanism                     sasl.Mechanism
	checkCRC                      bool
}

// values reads the properties of one client, which property.Check has passed, and notes which it has read.
type values struct {
	all  map[string]string
	read map[string]bool
}

func (v *values) text(name string) string {
	if v.read != nil {
		v.read[name] = true
	}
	return property.Value(v.all, name)
}

func (v *values) int(name string) int {
	v.text(name)
	return int(property.Number(v.all, name))
}

func (v *values) ms(name string) time.Duration {
	v.text(name)
	const most = int64(1<<63-1) / int64(time.Millisecond)
	return time.Duration(min(property.Number(v.all, name), most)) * time.Millisecond
}

func (v *values) bool(name string) bool { return strings.EqualFold(v.text(name), "true") }

func (v *values) given(name string) bool { _, ok := v.all[name]; return ok }

// settings reads everything. The error is of a file that cannot be read, or does not hold what it should.
func (v *values) settings() (s settings, err error) {
	s = settings{
		bootstrap: property.Parts(v.text("bootstrap.servers")), clientID: v.text("client.id"),
		request: max(100*time.Millisecond, min(15*time.Minute, v.ms("request.timeout.ms"))),
		idle:    v.ms("connections.max.idle.ms"), metadataMaxAge: max(v.ms("metadata.max.age.ms"), time.Second),
		retryBackoff: v.ms("retry.backoff.ms"), retryBackoffMax: v.ms("retry.backoff.max.ms"),
		reconnect: v.ms("reconnect.backoff.ms"), reconnectMax: v.ms("reconnect.backoff.max.ms"),
		setup: v.ms("socket.connection.setup.timeout.ms"), setupMax: v.ms("socket.connection.setup.timeout.max.ms"),
		sendBuffer: v.int("send.buffer.bytes"), receiveBuffer: v.int("receive.buffer.bytes"),
		recordRetries: -1, requestRetries: -1,
	}
	v.text("client.dns.lookup") // has one value: net.Dialer tries all addresses
	if n := v.int("retries"); v.given("retries") {
		s.recordRetries, s.requestRetries = n, n
	}
	if d := v.ms("default.api.timeout.ms"); v.given("default.api.timeout.ms") {
		s.apiTimeout = d
	}
	v.consuming(&s)
	v.producing(&s)
	return s, v.security(&s)
}

func (v *values) consuming(s *settings) {
	s.consumer = broker.ConsumerConfig{ClientID: s.clientID, Rack: v.text("client.rack"), MaxBytes: v.int("fetch.max.bytes"), MinBytes: v.int("fetch.min.bytes"),
		PartitionMax: v.int("max.partition.fetch.bytes"), MaxWait: v.ms("fetch.max.wait.ms")}
	if v.text("isolation.level") == "read_committed" {
		s.consumer.Isolation = broker.ReadCommitted
	}
	switch v.text("auto.offset.reset") {
	case "earliest":
		s.consumer.Reset = broker.ResetEarliest
	case "latest":
		s.consumer.Reset = broker.ResetLatest
	}
	s.autoCreate = v.bool("allow.auto.create.topics")
	s.checkCRC = v.bool("check.crcs")
	s.member = broker.MemberConfig{InstanceID: v.text("group.instance.id"), SessionTimeout: v.ms("session.timeout.ms"),
		HeartbeatInterval: v.ms("heartbeat.interval.ms"), RebalanceTimeout: v.ms("max.poll.interval.ms")}
	v.text("group.protocol")   // has one value
	v.text("max.poll.records") // the caller of Poll says how many
}

func (v *values) producing(s *settings) {
	s.producer = broker.ProducerConfig{ClientID: s.clientID, TransactionTimeout: v.ms("transaction.timeout.ms"), Linger: v.ms("linger.ms"), BatchSize: v.int("batch.size"),
		MaxRequestSize: v.int("max.request.size"), Compression: v.text("compression.type"), DeliveryTimeout: v.ms("delivery.timeout.ms"), RequestTimeout: s.request}
	if !v.given("delivery.timeout.ms") {
		s.producer.DeliveryTimeout = max(s.producer.DeliveryTimeout, s.producer.Linger+s.request)
	}
	switch v.text("acks") {
	case "1":
		s.producer.Acks = broker.AcksLeader
	case "0":
		s.producer.Acks = broker.AcksNone
	}
	s.idempotent = v.bool("enable.idempotence")
	s.inFlight = v.int("max.in.flight.requests.per.connection")
	s.buffer, s.maxBlock = v.int("buffer.memory"), v.ms("max.block.ms")
	s.levels = map[string]int{}
	for _, codec := range []string{"gzip", "lz4", "zstd"} {
		name := "compression." + codec + ".level"
		if n := v.int(name); v.given(name) {
			s.levels[codec] = n
		}
	}
}

// backoff is the pause before the n-th further attempt, n from 1: it doubles.
func (s *settings) backoff(n int) time.Duration { return doubled(s.retryBackoff, s.retryBackoffMax, n) }

// doubled is d doubled n-1 times, at most most, at least a millisecond.
func doubled(d, most time.Duration, n int) time.Duration {
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return max(min(d, most), time.Millisecond)
}

// codec is kgo's codec of a Kafka compression.type, with the level that is given for it.
func (s *settings) codec(name string) (kgo.CompressionCodec, error) {
	level, leveled := s.levels[name]
	var c kgo.CompressionCodec
	switch name {
	case "none":
		return kgo.NoCompression(), nil
	case "gzip":
		c = kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		c = kgo.Lz4Compression()
		if level = min(level, 9); level > 0 { // lz4 has 9 levels here, and 17 in Kafka
			level = int(lz4.Level1) << (level - 1)
		}
	case "zstd":
		c = kgo.ZstdCompression()
		level = int(zstd.EncoderLevelFromZstd(level))
	default:
		return c, fmt.Errorf("unknown compression %q: want none, gzip, snappy, lz4 or zstd", name)
	}
	if leveled {
		c = c.WithLevel(level)
	}
	return c, nil
}

// settings are those of one kind of client: the cluster's properties, and over them a configuration's own.
func (c *Cluster) settings(k property.Kind, own map[string]string) (settings, error) {
	all := k.For(c.properties)
	maps.Copy(all, own)
	if len(own) > 0 {
		unknown, faults := property.Check(all)
		c.warn(unknown)
		if err := joined(faults); err != nil {
			return settings{}, err
		}
	}
	s, err := (&values{all: all}).settings()
	if err != nil {
		return s, fmt.Errorf("kafka: %w", err)
	}
	return s, nil
}
