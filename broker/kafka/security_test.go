package kafka_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"maps"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/kstreamlab/kstreamlab/broker/kafka"
	"github.com/kstreamlab/kstreamlab/internal/host"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	a.cert, a.key = a.sign(template)
	return a
}

// issue makes a certificate for a name or an address, for a server or a client.
func (a *authority) issue(name string) (*x509.Certificate, crypto.Signer) {
	template := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	return a.sign(template)
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, crypto.Signer) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(a.t, err)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	must(a.t, err)
	cert, err := x509.ParseCertificate(der)
	must(a.t, err)
	return cert, key
}

func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.cert)
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pemText(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// stores are the same trust and identity in all forms.
func stores(t *testing.T, ca *authority) map[string]map[string]string {
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o600))
		return path
	}
	cert, key := ca.issue("client")
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	encrypted, err := pkcs8.MarshalPrivateKey(key, []byte("inner"), nil)
	must(t, err)
	chain := pemText("CERTIFICATE", cert.Raw) + pemText("CERTIFICATE", ca.cert.Raw)
	p12, err := pkcs12.Modern.Encode(key, cert, []*x509.Certificate{ca.cert}, "secret")
	must(t, err)
	trust12, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{ca.cert}, "secret")
	must(t, err)
	jks, trustJKS := keystore.New(), keystore.New()
	links := []keystore.Certificate{{Type: "X509", Content: cert.Raw}, {Type: "X509", Content: ca.cert.Raw}}
	must(t, jks.SetPrivateKeyEntry("me", keystore.PrivateKeyEntry{CreationTime: time.Now(), PrivateKey: der, CertificateChain: links}, []byte("inner")))
	must(t, trustJKS.SetTrustedCertificateEntry("ca", keystore.TrustedCertificateEntry{CreationTime: time.Now(), Certificate: links[1]}))
	var jksFile, trustFile bytes.Buffer
	must(t, jks.Store(&jksFile, []byte("secret")))
	must(t, trustJKS.Store(&trustFile, []byte("secret")))
	files := func(kind, keys, trust string) map[string]string {
		return map[string]string{"ssl.keystore.type": kind, "ssl.keystore.location": keys, "ssl.keystore.password": "secret",
			"ssl.truststore.type": kind, "ssl.truststore.location": trust, "ssl.truststore.password": "secret"}
	}
	out := map[string]map[string]string{
		"PKCS12":              files("PKCS12", file("k.p12", p12), file("t.p12", trust12)),
		"PKCS12 called JKS":   files("JKS", file("k2.p12", p12), file("t2.p12", trust12)),
		"JKS":                 files("JKS", file("k.jks", jksFile.Bytes()), file("t.jks", trustFile.Bytes())),
		"PEM files":           files("PEM", file("k.pem", []byte(pemText("PRIVATE KEY", der)+chain)), file("t.pem", []byte(pemText("CERTIFICATE", ca.cert.Raw)))),
		"PEM file, encrypted": files("PEM", file("k2.pem", []byte(pemText("ENCRYPTED PRIVATE KEY", encrypted)+chain)), file("t2.pem", []byte(pemText("CERTIFICATE", ca.cert.Raw)))),
		"PEM text": {"ssl.keystore.type": "PEM", "ssl.keystore.key": pemText("PRIVATE KEY", der), "ssl.keystore.certificate.chain": chain,
			"ssl.truststore.type": "PEM", "ssl.truststore.certificates": pemText("CERTIFICATE", ca.cert.Raw)},
	}
	out["JKS"]["ssl.key.password"] = "inner"
	out["PEM file, encrypted"]["ssl.key.password"] = "inner"
	return out
}

// secure starts a cluster of one broker.
func secure(t *testing.T, opts ...kfake.Opt) string {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(1, "t")}, opts...)...)
	must(t, err)
	t.Cleanup(c.Close)
	return c.ListenAddrs()[0]
}

func serverTLS(ca *authority, name string, clients tls.ClientAuthType) *tls.Config {
	cert, key := ca.issue(name)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{cert.Raw}, PrivateKey: key}}, ClientAuth: clients, ClientCAs: ca.pool()}
}

// reach asks the cluster for its topics.
func reach(t *testing.T, addr string, props ...map[string]string) error {
	t.Helper()
	all := map[string]string{"bootstrap.servers": addr, "retries": "1", "default.api.timeout.ms": "5000", "reconnect.backoff.ms": "1"}
	for _, p := range props {
		maps.Copy(all, p)
	}
	c, err := kafka.New(kafka.Config{Properties: all, Host: host.NewLive(t.Context(), host.LiveConfig{Log: slog.New(slog.NewTextHandler(io.Discard, nil))})})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	topics, err := c.Admin().DescribeTopics(ctx, "t")
	if err == nil && len(topics["t"].Partitions) != 1 {
		t.Errorf("topics: %v", topics)
	}
	return err
}

var overTLS = map[string]string{"security.protocol": "SSL"}

func TestTLSWithEveryKindOfStore(t *testing.T) {
	ca := newAuthority(t)
	addr := secure(t, kfake.TLS(serverTLS(ca, "127.0.0.1", tls.RequireAndVerifyClientCert)))
	for name, props := range stores(t, ca) {
		t.Run(name, func(t *testing.T) {
			if err := reach(t, addr, overTLS, props); err != nil {
				t.Error(err)
			}
			wrong := maps.Clone(props)
			for _, p := range []string{"ssl.keystore.password", "ssl.key.password"} {
				if _, ok := wrong[p]; ok {
					wrong[p] = "wrong"
				}
			}
			if err := reach(t, addr, overTLS, wrong); (err == nil || !strings.Contains(err.Error(), "ssl.keystore")) && name != "PEM files" && name != "PEM text" {
				t.Errorf("with a wrong password: %v", err)
			}
		})
	}
}

func TestTLSRefusesWhomItMust(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	trust := func(a *authority) map[string]string {
		return map[string]string{"ssl.truststore.type": "PEM", "ssl.truststore.certificates": pemText("CERTIFICATE", a.cert.Raw)}
	}
	anyName := map[string]string{"ssl.endpoint.identification.algorithm": ""}
	right := secure(t, kfake.TLS(serverTLS(ca, "127.0.0.1", tls.NoClientCert)))
	elsewhere := secure(t, kfake.TLS(serverTLS(ca, "elsewhere.test", tls.NoClientCert)))
	old := serverTLS(ca, "127.0.0.1", tls.NoClientCert)
	old.MaxVersion = tls.VersionTLS12
	oldAddr := secure(t, kfake.TLS(old))
	for _, tt := range []struct {
		name, addr string
		props      []map[string]string
		fails      string
	}{
		{"trusted", right, []map[string]string{trust(ca)}, ""},
		{"of another authority", right, []map[string]string{trust(other)}, "unknown authority"},
		{"another authority and any name", right, []map[string]string{trust(other), anyName}, "unknown authority"},
		{"for another name", elsewhere, []map[string]string{trust(ca)}, "127.0.0.1"},
		{"for another name, any name will do", elsewhere, []map[string]string{trust(ca), anyName}, ""},
		{"of an unknown system authority", right, nil, "certificate"},
		{"TLS 1.2", oldAddr, []map[string]string{trust(ca)}, ""},
		{"TLS 1.2 with one suite", oldAddr, []map[string]string{trust(ca), {"ssl.cipher.suites": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"}}, ""},
		{"TLS 1.2 where 1.3 is wanted", oldAddr, []map[string]string{trust(ca), {"ssl.enabled.protocols": "TLSv1.3"}}, "version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := reach(t, tt.addr, append([]map[string]string{overTLS}, tt.props...)...)
			if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
				t.Errorf("got %v, want %q", err, tt.fails)
			}
		})
	}
}

func TestStoresThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	for _, props := range []map[string]string{
		{"ssl.truststore.location": filepath.Join(dir, "none")}, {"ssl.truststore.location": empty}, {"ssl.keystore.location": empty, "ssl.keystore.type": "PEM"},
		{"ssl.truststore.location": empty, "ssl.truststore.type": "PEM"}, {"ssl.keystore.location": empty, "ssl.keystore.type": "PKCS12"},
	} {
		err := reach(t, "127.0.0.1:1", overTLS, props)
		if err == nil || !strings.Contains(err.Error(), "store.location "+dir) {
			t.Errorf("%v: %v", props, err)
		}
	}
}

func TestSASL(t *testing.T) {
	plain, scram := "org.apache.kafka.common.security.plain.PlainLoginModule", "org.apache.kafka.common.security.scram.ScramLoginModule"
	addr := secure(t, kfake.EnableSASL(), kfake.Superuser("PLAIN", "joe", `p"w`), kfake.Superuser("SCRAM-SHA-256", "joe", "pw"), kfake.Superuser("SCRAM-SHA-512", "joe", "pw"))
	for _, tt := range []struct {
		mechanism, module, password string
		fails                       bool
	}{
		{"PLAIN", plain, `p\"w`, false}, {"PLAIN", plain, "wrong", true}, {"SCRAM-SHA-256", scram, "pw", false}, {"SCRAM-SHA-256", scram, "wrong", true}, {"SCRAM-SHA-512", scram, "pw", false},
	} {
		err := reach(t, addr, map[string]string{"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": tt.mechanism,
			"sasl.jaas.config": tt.module + ` required username="joe" password="` + tt.password + `";`})
		if (err != nil) != tt.fails {
			t.Errorf("%s with %s: %v", tt.mechanism, tt.password, err)
		}
	}
	if err := reach(t, addr); err == nil {
		t.Error("without a login the cluster can be reached")
	}
}

func TestSASLOverTLS(t *testing.T) {
	ca := newAuthority(t)
	addr := secure(t, kfake.TLS(serverTLS(ca, "127.0.0.1", tls.NoClientCert)), kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-512", "joe", "pw"))
	err := reach(t, addr, map[string]string{"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "ssl.truststore.type": "PEM", "ssl.truststore.certificates": pemText("CERTIFICATE", ca.cert.Raw),
		"sasl.jaas.config": `org.apache.kafka.common.security.scram.ScramLoginModule required username="joe" password="pw";`})
	if err != nil {
		t.Error(err)
	}
}
