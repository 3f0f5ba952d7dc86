package property

import (
	"fmt"
	"slices"
	"strings"
)

// together looks at how the values of one kind of client go together. Each by itself is allowed.
func (k Kind) together(values map[string]string) []error {
	t := &togetherness{kind: k, all: values, got: k.For(values)}
	t.security()
	switch k[len(k)-1] {
	case "producer.":
		t.producer()
	case "main.consumer.":
		t.member()
	}
	if t.has("reconnect.backoff.max.ms") {
		t.least("reconnect.backoff.max.ms", "reconnect.backoff.ms")
	}
	return t.faults
}

type togetherness struct {
	kind     Kind
	all, got map[string]string
	faults   []error
}

func (t *togetherness) has(name string) bool       { _, ok := t.got[name]; return ok }
func (t *togetherness) value(name string) string   { return Value(t.got, name) }
func (t *togetherness) number(name string) int64   { return Number(t.got, name) }
func (t *togetherness) written(name string) string { return t.kind.Name(t.all, name) }

func (t *togetherness) fault(name, want string) {
	value := t.value(name)
	if p, _ := Lookup(name); p.Type == Password && value != "" {
		value = hidden
	}
	t.faults = append(t.faults, &Error{Name: t.written(name), Value: value, Want: want})
}

// least wants a number to be at least another one.
func (t *togetherness) least(name, other string) {
	if t.number(name) < t.number(other) {
		t.fault(name, fmt.Sprintf("it must be at least %s, which is %s", t.written(other), t.value(other)))
	}
}

func (t *togetherness) producer() {
	if t.has("delivery.timeout.ms") {
		if sum := t.number("linger.ms") + t.number("request.timeout.ms"); t.number("delivery.timeout.ms") < sum {
			t.fault("delivery.timeout.ms", fmt.Sprintf("it must be at least linger.ms + request.timeout.ms, which is %d", sum))
		}
	}
	if !strings.EqualFold(t.value("enable.idempotence"), "true") || !t.has("enable.idempotence") {
		return // without a word about it, idempotence is given up where it cannot be
	}
	if a := t.value("acks"); a != "all" && a != "-1" {
		t.fault("acks", "it must be all for enable.idempotence=true")
	}
	if t.number("max.in.flight.requests.per.connection") > 5 {
		t.fault("max.in.flight.requests.per.connection", "it must be at most 5 for enable.idempotence=true")
	}
	if t.number("retries") == 0 {
		t.fault("retries", "it must not be 0 for enable.idempotence=true")
	}
}

func (t *togetherness) member() {
	if h, s := t.number("heartbeat.interval.ms"), t.number("session.timeout.ms"); h >= s {
		t.fault("heartbeat.interval.ms", fmt.Sprintf("it must be smaller than %s, which is %d", t.written("session.timeout.ms"), s))
	}
}

// security wants what a protocol needs.
func (t *togetherness) security() {
	protocol := t.value("security.protocol")
	if strings.Contains(protocol, "SSL") {
		t.stores()
	}
	if strings.HasPrefix(protocol, "SASL_") {
		t.sasl()
	}
}

func (t *togetherness) stores() {
	if t.value("ssl.keystore.type") != "PEM" {
		for _, name := range []string{"ssl.keystore.key", "ssl.keystore.certificate.chain"} {
			if t.has(name) {
				t.fault(name, "it needs ssl.keystore.type=PEM")
			}
		}
	}
	if t.has("ssl.keystore.key") != t.has("ssl.keystore.certificate.chain") {
		missing := "ssl.keystore.key"
		if t.has(missing) {
			missing = "ssl.keystore.certificate.chain"
		}
		t.fault(missing, "ssl.keystore.key and ssl.keystore.certificate.chain go together")
	}
	if t.has("ssl.keystore.key") && t.has("ssl.keystore.location") {
		t.fault("ssl.keystore.key", "it cannot be together with ssl.keystore.location")
	}
	if t.has("ssl.truststore.certificates") {
		if t.value("ssl.truststore.type") != "PEM" {
			t.fault("ssl.truststore.certificates", "it needs ssl.truststore.type=PEM")
		}
		if t.has("ssl.truststore.location") {
			t.fault("ssl.truststore.certificates", "it cannot be together with ssl.truststore.location")
		}
	}
}

// supported are the mechanisms that there are here.
var supported = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"}

func (t *togetherness) sasl() {
	mechanism := t.value("sasl.mechanism")
	if !slices.Contains(supported, mechanism) {
		t.fault("sasl.mechanism", "it must be one of "+strings.Join(supported, ", "))
		return
	}
	text := t.value("sasl.jaas.config")
	if text == "" {
		t.fault("sasl.jaas.config", "it is needed for security.protocol="+t.value("security.protocol"))
		return
	}
	login, err := ParseJAAS(text)
	if err != nil {
		t.fault("sasl.jaas.config", err.Error()) // found by the check of the value itself before
		return
	}
	if want := login.serves(mechanism); want != "" {
		t.fault("sasl.jaas.config", want)
	}
}
