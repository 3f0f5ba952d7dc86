package kafka

import (
	"crypto/tls"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker/property"
	"github.com/kstreamlab/kstreamlab/internal/keystore"
)

// security reads what security.protocol asks for.
func (v *values) security(s *settings) (err error) {
	protocol := v.text("security.protocol")
	config, err := v.tls()
	if err != nil {
		return err
	}
	if strings.Contains(protocol, "SSL") {
		s.tls = config
	}
	s.mechanism, err = v.sasl(strings.HasPrefix(protocol, "SASL_"))
	return err
}

// tls is the configuration that the ssl properties make; the name of the server is left to the dialer. It reads the files only
// when the protocol wants them.
func (v *values) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS13, MaxVersion: tls.VersionTLS12}
	for _, name := range property.Parts(v.text("ssl.enabled.protocols")) {
		version := property.Version(name)
		config.MinVersion, config.MaxVersion = min(config.MinVersion, version), max(config.MaxVersion, version)
	}
	config.MaxVersion = max(config.MinVersion, min(config.MaxVersion, property.Version(v.text("ssl.protocol"))))
	for _, name := range property.Parts(v.text("ssl.cipher.suites")) {
		id, _ := property.Suite(name) // checked
		config.CipherSuites = append(config.CipherSuites, id)
	}
	keys := keystore.Store{Kind: v.text("ssl.keystore.type"), File: v.text("ssl.keystore.location"), Password: v.text("ssl.keystore.password"),
		Key: v.text("ssl.keystore.key"), Certificates: v.text("ssl.keystore.certificate.chain"), KeyPassword: v.text("ssl.key.password")}
	trust := keystore.Store{Kind: v.text("ssl.truststore.type"), File: v.text("ssl.truststore.location"), Password: v.text("ssl.truststore.password"),
		Certificates: v.text("ssl.truststore.certificates")}
	anyName := v.text("ssl.endpoint.identification.algorithm") == ""
	if !strings.Contains(v.text("security.protocol"), "SSL") {
		return config, nil
	}
	var err error
	if config.RootCAs, err = trust.Trusted(); err != nil {
		return nil, &fileError{"ssl.truststore", trust.File, err}
	}
	cert, err := keys.Identity()
	if err != nil {
		return nil, &fileError{"ssl.keystore", keys.File, err}
	}
	if cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if anyName {
		keystore.AnyName(config)
	}
	return config, nil
}

// fileError is a key or trust store that cannot be used.
type fileError struct {
	property string
	file     string // empty: the PEM text is in the properties themselves
	err      error
}

func (e *fileError) Error() string {
	if e.file == "" {
		return e.property + ": " + e.err.Error()
	}
	return e.property + ".location " + e.file + ": " + e.err.Error()
}

func (e *fileError) Unwrap() error { return e.err }
