package connectlab_test

import (
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/connect/builtin"
	"github.com/kstreamlab/kstreamlab/connect/connectors/file"
	"github.com/kstreamlab/kstreamlab/connect/data"
	"github.com/kstreamlab/kstreamlab/connect/worker"
	"github.com/kstreamlab/kstreamlab/sim"
)

// TestOverrides has connectors that override properties of clients under each policy.
func TestOverrides(t *testing.T) {
	const no = "The '%' policy does not allow '#' to be overridden in the connector configuration."
	for _, c := range []struct{ policy, class, props, want string }{
		{"", "FileStreamSink", "consumer.override.max.poll.records=1", ""},
		{"All", "FileStreamSink", "consumer.override.max.poll.records=1", ""},
		{"None", "FileStreamSink", "consumer.override.sasl.mechanism=PLAIN", "sasl.mechanism"},
		{"None", "FileStreamSink", "producer.override.acks=1", ""}, // it has no producer
		{"None", "FileStreamSink", "producer.override.acks=1 errors.deadletterqueue.topic.name=dead", "acks"},
		{"None", "FileStreamSource", "consumer.override.max.poll.records=1", ""},
		{"None", "FileStreamSource", "admin.override.retries=1", ""},
		{"Principal", "FileStreamSink", "consumer.override.sasl.mechanism=PLAIN consumer.override.sasl.jaas.config=secret consumer.override.security.protocol=SSL", ""},
		{"Principal", "FileStreamSource", "producer.override.sasl.mechanism=PLAIN producer.override.ssl.key.password=secret", "ssl.key.password"},
		{"Allowlist", "FileStreamSource", "producer.override.acks=1 producer.override.linger.ms=1", "acks"},
		{"org.apache.kafka.connect.connector.policy.NoneConnectorClientConfigOverridePolicy", "FileStreamSource", "producer.override.acks=1", "acks"},
	} {
		plugins := builtin.Plugins(file.Standard{})
		props := map[string]string{"key.converter": "String", "value.converter": "String", "offset.storage.file.filename": "offsets",
			"connector.client.config.override.allowlist": "linger.ms,batch.size"}
		if c.policy != "" {
			props["connector.client.config.override.policy"] = c.policy
		}
		cfg, err := worker.ParseConfig(plugins, props)
		if err != nil {
			t.Fatal(err)
		}
		props = map[string]string{"name": "c", "connector.class": c.class, "file": "f", "topic": "t"}
		if c.class == "FileStreamSink" {
			delete(props, "topic")
			props["topics"] = "t"
		}
		for _, p := range strings.Fields(c.props) {
			k, v, _ := strings.Cut(p, "=")
			props[k] = v
		}
		policy := c.policy
		if strings.Contains(policy, ".") {
			policy = "None"
		}
		want := ""
		if c.want != "" {
			want = strings.NewReplacer("%", policy, "#", c.want).Replace(no)
		}
		v, err := worker.Validate(plugins, cfg, props)
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for _, p := range v.Properties {
			found = append(found, p.Value.Errors...)
		}
		if got := strings.Join(found, " "); got != want || v.Errors != len(found) {
			t.Errorf("%s: %s: validated as %q, want %q", c.policy, c.props, got, want)
		}
		if want == "" {
			continue
		}
		k := sim.New(sim.Config{})
		err = worker.New(k.NewProcess("p", sim.NewDisk(sim.DiskConfig{})), nil, plugins, cfg, nil).StartConnector(t.Context(), props)
		k.Close()
		if got := message(err); got != "Client Config Overrides not allowed ["+want+"]" {
			t.Errorf("%s: %s: started with %q", c.policy, c.props, got)
		}
	}
	if _, err := worker.ParseConfig(builtin.Plugins(file.Standard{}), map[string]string{"key.converter": "String", "value.converter": "String",
		"offset.storage.file.filename": "offsets", "connector.client.config.override.policy": "Some"}); err == nil {
		t.Error("an unknown policy is accepted")
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	text, _ := data.MessageOfError(err)
	return text
}
