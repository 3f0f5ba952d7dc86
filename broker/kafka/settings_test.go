package kafka

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

func TestEveryPropertyHasAnEffectOrSaysWhyNot(t *testing.T) {
	v := &values{read: map[string]bool{}}
	if _, err := v.settings(); err != nil {
		t.Fatal(err)
	}
	for _, p := range property.All() {
		if v.read[p.Name] == (p.Inert != "") {
			t.Errorf("%s is read: %v; inert: %q", p.Name, v.read[p.Name], p.Inert)
		}
	}
}

func TestSettingsHaveKafkasDefaults(t *testing.T) {
	s, err := (&values{}).settings()
	if err != nil {
		t.Fatal(err)
	}
	want := broker.ProducerConfig{TransactionTimeout: time.Minute, BatchSize: 16384, MaxRequestSize: 1 << 20, Compression: "none", DeliveryTimeout: 2 * time.Minute, RequestTimeout: 30 * time.Second}
	if fmt.Sprint(s.producer) != fmt.Sprint(want) {
		t.Errorf("producer: %+v", s.producer)
	}
	if c := s.consumer; c.MaxBytes != 50<<20 || c.MinBytes != 1 || c.PartitionMax != 1<<20 || c.MaxWait != 500*time.Millisecond || c.Isolation != broker.ReadUncommitted || c.Reset != broker.ResetNone {
		t.Errorf("consumer: %+v", c)
	}
	if m := s.member; m.SessionTimeout != 45*time.Second || m.HeartbeatInterval != 3*time.Second || m.RebalanceTimeout != 5*time.Minute {
		t.Errorf("member: %+v", m)
	}
	if s.buffer != 32<<20 || s.maxBlock != time.Minute || !s.idempotent || s.metadataMaxAge != 5*time.Minute || s.idle != 9*time.Minute || s.tls != nil || s.mechanism != nil || !s.checkCRC || s.autoCreate {
		t.Errorf("%+v", s)
	}
}

func TestSettingsTakeWhatIsGiven(t *testing.T) {
	c, err := New(Config{Properties: map[string]string{
		"bootstrap.servers": "a:1, b:2", "client.id": "me", "linger.ms": "5", "producer.linger.ms": "7", "fetch.max.wait.ms": "0", "consumer.fetch.min.bytes": "10",
		"main.consumer.fetch.min.bytes": "20", "producer.acks": "1", "compression.type": "zstd", "isolation.level": "read_committed", "auto.offset.reset": "latest", "session.timeout.ms": "6000",
		"admin.request.timeout.ms": "5000", "producer.request.timeout.ms": "300000", "retries": "3", "admin.default.api.timeout.ms": "1234"}})
	if err != nil {
		t.Fatal(err)
	}
	get := func(k property.Kind, own map[string]string) settings {
		s, err := c.settings(k, own)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	p := get(property.Producer, map[string]string{"client.rack": "r1"})
	if p.producer.Linger != 7*time.Millisecond || p.producer.Acks != broker.AcksLeader || p.producer.Compression != "zstd" || p.recordRetries != 3 ||
		p.producer.DeliveryTimeout != 300007*time.Millisecond || p.consumer.Rack != "r1" || p.producer.ClientID != "me" {
		t.Errorf("producer: %+v", p.producer)
	}
	if s := get(property.Consumer, nil); s.consumer.MinBytes != 10 || s.consumer.MaxWait != 0 || s.producer.Linger != 5*time.Millisecond {
		t.Errorf("consumer: %+v", s.consumer)
	}
	if s := get(property.MainConsumer, nil); s.consumer.MinBytes != 20 || s.consumer.Isolation != broker.ReadCommitted || s.consumer.Reset != broker.ResetLatest || s.member.SessionTimeout != 6*time.Second {
		t.Errorf("member: %+v", s)
	}
	if c.set.request != 5*time.Second || c.set.apiTimeout != 1234*time.Millisecond || fmt.Sprint(c.set.bootstrap) != "[a:1 b:2]" {
		t.Errorf("admin: %+v", c.set)
	}
	if _, err := c.NewConsumer(t.Context(), broker.ConsumerConfig{Properties: map[string]string{"ssl.protocol": "SSLv3"}}); err == nil || !strings.Contains(err.Error(), "ssl.protocol") {
		t.Errorf("a client's own bad property: %v", err)
	}
}

func TestNewTellsAllFaults(t *testing.T) {
	bad := map[string]string{"linger.ms": "soon", "producer.batch.size": "-1", "compression.type": "rar", "consumer.isolation.level": "x", "auto.offset.reset": "y",
		"bootstrap.servers": " , ", "security.protocol": "TLS", "main.consumer.session.timeout.ms": "0", "fetch.min.bytes": "99999999999"}
	_, err := New(Config{Properties: bad})
	for name, value := range bad {
		if err == nil || !strings.Contains(err.Error(), "Invalid value "+value+" for configuration "+name+": ") {
			t.Errorf("the error does not name %s=%s: %v", name, value, err)
		}
	}
	var fault *property.Error
	if !errors.As(err, &fault) || fault.Want == "" {
		t.Errorf("not a *property.Error: %v", err)
	}
}

func TestUnknownPropertiesAreLoggedOnce(t *testing.T) {
	var log strings.Builder
	h := host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(&log, nil))})
	c, err := New(Config{Host: h, Bootstrap: []string{"127.0.0.1:1"}, Properties: map[string]string{"nosuch": "1", "consumer.neither": "1"}})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		co, err := c.NewConsumer(t.Context(), broker.ConsumerConfig{Properties: map[string]string{"own": "1"}})
		if err != nil {
			t.Fatal(err)
		}
		co.Close()
	}
	for _, name := range []string{"nosuch", "consumer.neither", "own"} {
		if n := strings.Count(log.String(), "name="+name+"\n"); n != 1 {
			t.Errorf("%s is logged %d times:\n%s", name, n, &log)
		}
	}
}

func TestBackoffDoubles(t *testing.T) {
	s := settings{retryBackoff: 100 * time.Millisecond, retryBackoffMax: time.Second}
	var got []time.Duration
	for n := range 6 {
		got = append(got, s.backoff(n)/time.Millisecond)
	}
	if fmt.Sprint(got) != "[100ns 100ns 200ns 400ns 800ns 1µs]" {
		t.Errorf("pauses %v", got)
	}
}

func TestCodecsTakeEveryLevel(t *testing.T) {
	for codec, levels := range map[string][]int{"gzip": {-1, 1, 9}, "lz4": {1, 9, 17}, "zstd": {-7, 3, 22}} {
		for _, level := range levels {
			c, err := (&settings{levels: map[string]int{codec: level}}).codec(codec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := kgo.DefaultCompressor(c); err != nil {
				t.Errorf("%s level %d: %v", codec, level, err)
			}
		}
	}
	for _, name := range []string{"none", "snappy"} {
		if _, err := (&settings{}).codec(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := (&settings{}).codec("rar"); err == nil {
		t.Error("rar is a codec")
	}
}

func TestTransactionalProducerNeedsAcksOfAll(t *testing.T) {
	c, err := New(Config{Host: host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))}), Bootstrap: []string{"127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, cfg := range []broker.ProducerConfig{{TransactionalID: "x", Acks: broker.AcksLeader}, {TransactionalID: "x", Properties: map[string]string{"enable.idempotence": "false"}}} {
		if _, err := c.NewProducer(t.Context(), cfg); !errors.Is(err, broker.ErrFatal) {
			t.Errorf("%+v: %v", cfg, err)
		}
	}
}
