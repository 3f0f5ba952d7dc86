//go:build integration

package clients_test

import (
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kstreamlab/kstreamlab/broker"
	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// keytool makes an authority, certificates of a server and a client, and stores of both formats, with Java's own tool.
func keytool(t *testing.T, dir string) {
	t.Helper()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("keytool", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("keytool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	store := func(file, kind string) []string {
		return []string{"-keystore", file, "-storetype", kind, "-storepass", "changeit", "-noprompt"}
	}
	with := func(head []string, tail ...string) []string { return append(append([]string(nil), head...), tail...) }
	ca := store("ca.p12", "PKCS12")
	run(with(ca, "-genkeypair", "-alias", "ca", "-keyalg", "RSA", "-dname", "CN=authority", "-ext", "bc:c")...)
	run(with(ca, "-exportcert", "-alias", "ca", "-rfc", "-file", "ca.pem")...)
	for _, kind := range []string{"PKCS12", "JKS"} {
		suffix := map[string]string{"PKCS12": ".p12", "JKS": ".jks"}[kind]
		run(with(store("trust"+suffix, kind), "-importcert", "-alias", "ca", "-file", "ca.pem")...)
		for name, san := range map[string]string{"server": "san=ip:127.0.0.1", "client": "san=dns:client"} {
			s := store(name+suffix, kind)
			run(with(s, "-genkeypair", "-alias", "me", "-keyalg", "EC", "-dname", "CN="+name, "-ext", san)...)
			run(with(s, "-certreq", "-alias", "me", "-file", "request")...)
			run(with(ca, "-gencert", "-alias", "ca", "-infile", "request", "-outfile", "signed", "-rfc", "-ext", san)...)
			run(with(s, "-importcert", "-alias", "ca", "-file", "ca.pem")...)
			run(with(s, "-importcert", "-alias", "me", "-file", "signed")...)
		}
	}
}

// secureKafka starts a real Kafka with a listener SASL_SSL, which it returns.
func secureKafka(t *testing.T, stores string) string {
	t.Helper()
	const script = "../../../.ci/kafka/kafka"
	dir := filepath.Join(t.TempDir(), "cluster")
	t.Cleanup(func() {
		if out, err := exec.Command(script, "stop", dir, "--delete").CombinedOutput(); err != nil {
			t.Errorf("stop: %v\n%s", err, out)
		}
	})
	out, err := exec.Command(script, "start", dir, "--secure", stores).Output()
	must(t, err)
	for line := range strings.Lines(string(out)) {
		if addr, ok := strings.CutPrefix(strings.TrimSpace(line), "secure="); ok {
			return addr
		}
	}
	t.Fatalf("the script names no secure listener: %s", out)
	return ""
}

// Every mechanism over TLS, with a client certificate out of stores that Java made, against a real Kafka: a topic is made, written and read.
func TestSecureKafka(t *testing.T) {
	need(t, "java", "mvn", "keytool")
	stores := t.TempDir()
	keytool(t, stores)
	addr := secureKafka(t, stores)
	token := filepath.Join(stores, "token")
	const modules = "org.apache.kafka.common.security."
	login := func(module, options string) string { return modules + module + " required " + options + ";" }
	plain, scram, oauth := "plain.PlainLoginModule", "scram.ScramLoginModule", "oauthbearer.OAuthBearerLoginModule"
	user, wrong := `username="joe" password="pw"`, `username="joe" password="wrong"`
	must(t, os.WriteFile(token, []byte("not a token"), 0o600))
	file := map[string]string{"sasl.oauthbearer.token.endpoint.url": "file://" + token}
	for i, tt := range []struct {
		mechanism, jaas, suffix string
		more                    map[string]string
		fails                   bool
	}{
		{"PLAIN", login(plain, user), ".p12", nil, false},
		{"PLAIN", login(plain, wrong), ".p12", nil, true},
		{"SCRAM-SHA-256", login(scram, user), ".jks", nil, false},
		{"SCRAM-SHA-512", login(scram, user), ".p12", nil, false},
		{"SCRAM-SHA-512", login(scram, wrong), ".jks", nil, true},
		{"OAUTHBEARER", login(oauth, `unsecuredLoginStringClaim_sub="joe"`), ".jks", nil, false},
		{"OAUTHBEARER", login(oauth, ""), ".p12", file, true},
	} {
		t.Run(fmt.Sprintf("%d %s%s", i, tt.mechanism, tt.suffix), func(t *testing.T) {
			kind := map[string]string{".p12": "PKCS12", ".jks": "JKS"}[tt.suffix]
			props := map[string]string{"bootstrap.servers": addr, "security.protocol": "SASL_SSL", "sasl.mechanism": tt.mechanism, "sasl.jaas.config": tt.jaas,
				"ssl.truststore.type": kind, "ssl.truststore.location": filepath.Join(stores, "trust"+tt.suffix), "ssl.truststore.password": "changeit",
				"ssl.keystore.type": kind, "ssl.keystore.location": filepath.Join(stores, "client"+tt.suffix), "ssl.keystore.password": "changeit",
				"retries": "1", "default.api.timeout.ms": "15000"}
			maps.Copy(props, tt.more)
			h := host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
			c, err := kafka.New(kafka.Config{Properties: props, Host: h})
			must(t, err)
			defer c.Close()
			topic := fmt.Sprintf("secret-%d", i)
			err = c.Admin().CreateTopics(t.Context(), broker.NewTopic{Name: topic, Partitions: 1})
			if tt.fails {
				if err == nil {
					t.Error("it may do what it wants")
				}
				return
			}
			must(t, err)
			write(t, c, topic, 1, "first", "second")
			n := 0
			read(t, c, topic, 1, func(broker.Record) bool { n++; return n == 2 })
		})
	}
}
