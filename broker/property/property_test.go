package property_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/kstreamlab/kstreamlab/broker/property"
)

func TestTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range property.All() {
		if seen[p.Name] {
			t.Errorf("%s is there twice", p.Name)
		}
		seen[p.Name] = true
		if p.Doc == "" || len(p.Clients) == 0 {
			t.Errorf("%s has no explanation or no clients", p.Name)
		}
		if found, ok := property.Lookup(p.Name); !ok || found.Name != p.Name {
			t.Errorf("%s is not found: the table is not sorted", p.Name)
		}
		if p.Default != "" {
			if err := p.Validate(p.Name, p.Default); err != nil && p.Name != "sasl.mechanism" {
				t.Errorf("the default is refused: %v", err)
			}
		}
	}
	if _, ok := property.Lookup("nosuch"); ok {
		t.Error("nosuch is found")
	}
}

func TestValuesThatCannotBe(t *testing.T) {
	for name, values := range map[string][]string{
		"bootstrap.servers":                          {"", "a", "a:0", "a:70000", ":1", "a:1,b"},
		"fetch.min.bytes":                            {"", "x", "-1", "3000000000"},
		"compression.gzip.level":                     {"0", "10", "-2"},
		"enable.idempotence":                         {"yes", ""},
		"acks":                                       {"2", ""},
		"ssl.enabled.protocols":                      {"", "TLSv1.1", "TLSv1.2,SSLv3"},
		"ssl.cipher.suites":                          {"TLS_NONE"},
		"ssl.endpoint.identification.algorithm":      {"http"},
		"sasl.oauthbearer.token.endpoint.url":        {"ftp://x"},
		"linger.ms":                                  {"99999999999999999999"},
		"sasl.login.callback.handler.class":          {"com.example.Handler"},
		"group.protocol":                             {"consumer"},
		"sasl.login.refresh.buffer.seconds":          {"3601"},
		"max.in.flight.requests.per.connection":      {"0"},
		"producer.max.request.size":                  {"511"},
		"main.consumer.auto.offset.reset":            {"by_duration:P1D"},
		"restore.consumer.max.partition.fetch.bytes": {"0"},
	} {
		for _, value := range values {
			_, faults := property.Check(map[string]string{name: value})
			var e *property.Error
			if len(faults) != 1 || !errors.As(faults[0], &e) || e.Name != name || e.Value != value || e.Want == "" {
				t.Errorf("%s=%s: %v", name, value, faults)
			}
		}
	}
}

const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required username="a" password="b";`

func TestValuesThatDoNotGoTogether(t *testing.T) {
	for _, tt := range []struct {
		props map[string]string
		want  []string // the names at fault
	}{
		{map[string]string{"heartbeat.interval.ms": "45000"}, []string{"heartbeat.interval.ms"}},
		{map[string]string{"main.consumer.session.timeout.ms": "1000"}, []string{"heartbeat.interval.ms"}},
		{map[string]string{"producer.delivery.timeout.ms": "30000", "linger.ms": "1"}, []string{"producer.delivery.timeout.ms"}},
		{map[string]string{"request.timeout.ms": "300000"}, nil},
		{map[string]string{"enable.idempotence": "true", "acks": "1", "retries": "0", "max.in.flight.requests.per.connection": "6"}, []string{"acks", "max.in.flight.requests.per.connection", "retries"}},
		{map[string]string{"acks": "1", "retries": "0"}, nil},
		{map[string]string{"reconnect.backoff.max.ms": "10"}, []string{"reconnect.backoff.max.ms"}},
		{map[string]string{"security.protocol": "SASL_SSL"}, []string{"sasl.mechanism"}},
		{map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN"}, []string{"sasl.jaas.config"}},
		{map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-256", "sasl.jaas.config": plain}, []string{"sasl.jaas.config"}},
		{map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": strings.Replace(plain, "password", "pass", 1)}, []string{"sasl.jaas.config"}},
		{map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "PLAIN", "sasl.jaas.config": plain}, nil},
		{map[string]string{"producer.security.protocol": "SASL_SSL", "producer.sasl.mechanism": "GSSAPI"}, []string{"producer.sasl.mechanism"}},
		{map[string]string{"security.protocol": "SSL", "ssl.keystore.key": "x"}, []string{"ssl.keystore.key", "ssl.keystore.certificate.chain"}},
		{map[string]string{"security.protocol": "SSL", "ssl.truststore.certificates": "x", "ssl.truststore.location": "y"}, []string{"ssl.truststore.certificates", "ssl.truststore.certificates"}},
		{map[string]string{"ssl.keystore.key": "x"}, nil}, // of no use without SSL
	} {
		_, faults := property.Check(tt.props)
		var names []string
		for _, err := range faults {
			var e *property.Error
			if !errors.As(err, &e) {
				t.Fatalf("%v is not an *Error", err)
			}
			names = append(names, e.Name)
		}
		if d := cmp.Diff(tt.want, names); d != "" {
			t.Errorf("%v: %v\n%s", tt.props, faults, d)
		}
	}
}

func TestPasswordsAreNotShown(t *testing.T) {
	_, faults := property.Check(map[string]string{"sasl.jaas.config": `Module required password="pa55` /* not closed */})
	if len(faults) != 1 || strings.Contains(faults[0].Error(), "pa55") || !strings.Contains(faults[0].Error(), "[hidden]") {
		t.Errorf("%v", faults)
	}
}

func TestPrefixesLeadToClients(t *testing.T) {
	props := map[string]string{"fetch.min.bytes": "1", "consumer.fetch.min.bytes": "2", "main.consumer.fetch.min.bytes": "3", "global.consumer.fetch.min.bytes": "4",
		"producer.acks": "1", "admin.retries": "5", "restore.consumer.client.rack": "r"}
	for _, tt := range []struct {
		name string
		kind property.Kind
		want map[string]string
	}{
		{"consumer", property.Consumer, map[string]string{"fetch.min.bytes": "2"}},
		{"main", property.MainConsumer, map[string]string{"fetch.min.bytes": "3"}},
		{"restore", property.RestoreConsumer, map[string]string{"fetch.min.bytes": "2", "client.rack": "r"}},
		{"global", property.GlobalConsumer, map[string]string{"fetch.min.bytes": "4"}},
		{"producer", property.Producer, map[string]string{"fetch.min.bytes": "1", "acks": "1"}},
		{"admin", property.Admin, map[string]string{"fetch.min.bytes": "1", "retries": "5"}},
	} {
		if d := cmp.Diff(tt.want, tt.kind.For(props)); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if got := property.RestoreConsumer.Name(props, "fetch.min.bytes"); got != "consumer.fetch.min.bytes" {
		t.Errorf("it was written %s", got)
	}
	unknown, faults := property.Check(map[string]string{"nosuch": "", "consumer.nosuch": "", "application.id": "", "main.consumer.fetch.min.bytes": "1"})
	if d := cmp.Diff([]string{"application.id", "consumer.nosuch", "nosuch"}, unknown); d != "" || len(faults) != 0 {
		t.Errorf("%s, %v", d, faults)
	}
}

func TestParseJAAS(t *testing.T) {
	got, err := property.ParseJAAS("  org.Module  REQUIRED\n user=\"a \\\"b\\\\\" x='y' flag=true;  ")
	want := property.Login{Module: "org.Module", Control: "required", Options: map[string]string{"user": `a "b\`, "x": "y", "flag": "true"}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("%s, %v", d, err)
	}
	if got, err := property.ParseJAAS("M optional;"); err != nil || len(got.Options) != 0 {
		t.Errorf("without options: %v, %v", got, err)
	}
	for _, text := range []string{"", "M", "M required", "M required a=b", "M never a=b;", "M required a;", "M required a=;", `M required a="b;`, "M required a=b; N required c=d;", "M required =b;x"} {
		if l, err := property.ParseJAAS(text); err == nil {
			t.Errorf("%q is parsed as %v", text, l)
		}
	}
}

func FuzzParseJAAS(f *testing.F) {
	for _, text := range []string{plain, `M required a="\`, "'", ";;", "M required a=b;"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := property.ParseJAAS(text)
		if err == nil && (l.Module == "" && !strings.Contains(text, `""`) && !strings.Contains(text, "''") || !slices.Contains([]string{"required", "requisite", "sufficient", "optional"}, l.Control)) {
			t.Errorf("%q is parsed as %+v", text, l)
		}
	})
}
