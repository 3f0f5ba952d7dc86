package kafka

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"

	"github.com/kstreamlab/kstreamlab/broker/property"
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
	keys := store{kind: v.text("ssl.keystore.type"), file: v.text("ssl.keystore.location"), password: v.text("ssl.keystore.password"),
		key: v.text("ssl.keystore.key"), certificates: v.text("ssl.keystore.certificate.chain"), keyPassword: v.text("ssl.key.password")}
	trust := store{kind: v.text("ssl.truststore.type"), file: v.text("ssl.truststore.location"), password: v.text("ssl.truststore.password"),
		certificates: v.text("ssl.truststore.certificates")}
	anyName := v.text("ssl.endpoint.identification.algorithm") == ""
	if !strings.Contains(v.text("security.protocol"), "SSL") {
		return config, nil
	}
	var err error
	if config.RootCAs, err = trust.trusted(); err != nil {
		return nil, &fileError{"ssl.truststore", trust.file, err}
	}
	cert, err := keys.identity()
	if err != nil {
		return nil, &fileError{"ssl.keystore", keys.file, err}
	}
	if cert != nil {
		config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	if anyName {
		verifyWithoutName(config)
	}
	return config, nil
}

// verifyWithoutName makes config trust the chain of certificates whatever name they are for.
func verifyWithoutName(config *tls.Config) {
	config.InsecureSkipVerify = true // Go has no other way to leave out the name alone: the chain is verified here
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the broker has no certificate")
		}
		options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
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
