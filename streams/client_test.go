package streams

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker"
	client "github.com/kstreamlab/kstreamlab/broker/property"
)

func TestPropertiesReachTheirClients(t *testing.T) {
	c, err := ParseConfig(map[string]string{
		"application.id": "app", "bootstrap.servers": "a:1", "fetch.max.wait.ms": "100", "consumer.fetch.min.bytes": "2", "main.consumer.fetch.min.bytes": "3",
		"restore.consumer.max.partition.fetch.bytes": "4096", "main.consumer.session.timeout.ms": "9000", "consumer.auto.offset.reset": "latest", "consumer.max.poll.records": "7",
		"producer.transaction.timeout.ms": "20000", "producer.linger.ms": "0", "producer.compression.type": "lz4", "client.rack": "r", "security.protocol": "SSL", "producer.acks": "1",
		"consumer.isolation.level": "read_committed", "num.stream.threads": "2", "mine": "1", "admin.retries": "4", "state.dir": "/tmp/x", "global.consumer.fetch.min.bytes": "5"})
	if err != nil {
		t.Fatal(err)
	}
	if c.SessionTimeout != 9*time.Second || c.Reset != broker.ResetLatest || c.MaxPollRecords != 7 || c.TransactionTimeout != 20*time.Second {
		t.Errorf("%+v", c)
	}
	if d := cmp.Diff([]string{"mine"}, c.Unknown); d != "" {
		t.Error(d)
	}
	main, restore, producer := c.mainConsumer("m"), c.restoreConsumer("r"), c.producerConfig("p")
	if main.MinBytes != 3 || main.MaxWait != 100*time.Millisecond || main.Rack != "r" || main.Isolation != broker.ReadCommitted || main.PartitionMax != 0 || main.ClientID != "m" {
		t.Errorf("main consumer: %+v", main)
	}
	if restore.MinBytes != 2 || restore.PartitionMax != 4096 {
		t.Errorf("restore consumer: %+v", restore)
	}
	if producer.Linger != 0 || producer.Compression != "lz4" || producer.Acks != broker.AcksLeader {
		t.Errorf("producer: %+v", producer)
	}
	want := map[string]string{"bootstrap.servers": "a:1", "fetch.max.wait.ms": "100", "client.rack": "r", "security.protocol": "SSL", "transaction.timeout.ms": "20000", "linger.ms": "0",
		"compression.type": "lz4", "acks": "1"}
	if d := cmp.Diff(want, producer.Properties); d != "" {
		t.Error(d)
	}
	if c.producerConfig("p").Properties["retries"] != "" || c.clientProperties(client.Admin)["retries"] != "4" {
		t.Error("admin.retries is for the administration alone")
	}
}

func TestExactlyOnceIsIdempotentWhateverIsSaid(t *testing.T) {
	props := map[string]string{"application.id": "app", "processing.guarantee": "exactly_once_v2", "producer.enable.idempotence": "false"}
	c, err := ParseConfig(props)
	if err != nil {
		t.Fatal(err)
	}
	if v, ok := c.producerConfig("p").Properties["enable.idempotence"]; ok {
		t.Errorf("the producer gets enable.idempotence=%s", v)
	}
	props["processing.guarantee"] = "at_least_once"
	if c, err = ParseConfig(props); err != nil || c.producerConfig("p").Properties["enable.idempotence"] != "false" {
		t.Errorf("at least once: %v, %v", c.producerConfig("p").Properties, err)
	}
}

func TestLingerOfAnApplication(t *testing.T) {
	for props, want := range map[string]time.Duration{"": 5 * time.Millisecond, "linger.ms": 3 * time.Millisecond, "producer.linger.ms": 3 * time.Millisecond} {
		c, err := ParseConfig(map[string]string{"application.id": "app", props: "3"})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.producerConfig("p").Linger; got != want {
			t.Errorf("%q=3: linger %s instead of %s", props, got, want)
		}
	}
}

func TestClientPropertiesThatCannotBe(t *testing.T) {
	for _, tt := range []struct {
		props map[string]string
		want  []string
	}{
		{map[string]string{"producer.acks": "2", "consumer.fetch.min.bytes": "x", "max.poll.records": "0", "heartbeat.interval.ms": "y"},
			[]string{"heartbeat.interval.ms", "max.poll.records", "consumer.fetch.min.bytes", "producer.acks"}},
		{map[string]string{"main.consumer.session.timeout.ms": "2000"}, []string{"heartbeat.interval.ms"}},
		{map[string]string{"processing.guarantee": "exactly_once_v2", "producer.acks": "1", "producer.enable.idempotence": "false"}, []string{"producer.acks"}},
		{map[string]string{"processing.guarantee": "exactly_once_v2", "producer.acks": "-1", "enable.idempotence": "true"}, nil},
		{map[string]string{"acks": "0", "security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, []string{"sasl.jaas.config"}},
	} {
		tt.props["application.id"] = "app"
		_, err := ParseConfig(tt.props)
		var names []string
		var all *ConfigError
		if errors.As(err, &all) {
			for _, err := range all.Errs {
				var e *PropertyError
				if !errors.As(err, &e) {
					t.Fatalf("%v", err)
				}
				names = append(names, e.Name)
			}
		}
		if d := cmp.Diff(tt.want, names); d != "" {
			t.Errorf("%v: %v\n%s", tt.props, err, d)
		}
	}
}
