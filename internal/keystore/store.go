// Package keystore is for whoever makes a TLS client of Kafka's ssl properties: it reads Java's key stores and trust stores, and PEM.
package keystore

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"
)

// Store is a key store or trust store: a file, or PEM text. The zero value is none.
type Store struct {
	Kind              string // JKS, PKCS12, PEM
	File, Password    string
	Key, Certificates string // PEM instead of a file
	KeyPassword       string // empty: the store's
}

// jksMagic begins a JKS file. Java reads a PKCS12 file as a JKS store too, so that the type says little.
var jksMagic = []byte{0xFE, 0xED, 0xFE, 0xED}

func (s Store) read() (data []byte, jks bool, err error) {
	data, err = os.ReadFile(s.File)
	if err != nil {
		return nil, false, errors.Unwrap(err) // without the name: the caller tells it
	}
	return data, bytes.HasPrefix(data, jksMagic), nil
}

// Trusted are the certificates of a trust store; nil, the system's, when none is given.
func (s Store) Trusted() (*x509.CertPool, error) {
	var certs []*x509.Certificate
	var err error
	switch {
	case s.Certificates != "":
		certs, err = pemCertificates([]byte(s.Certificates))
	case s.File == "":
		return nil, nil
	default:
		certs, err = s.trustedFile()
	}
	if err != nil {
		return nil, err
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no trusted certificate in it")
	}
	pool := x509.NewCertPool()
	for _, c := range certs {
		pool.AddCert(c)
	}
	return pool, nil
}

func (s Store) trustedFile() ([]*x509.Certificate, error) {
	data, jks, err := s.read()
	switch {
	case err != nil:
		return nil, err
	case s.Kind == "PEM":
		return pemCertificates(data)
	case jks:
		return s.trustedJKS(data)
	}
	return pkcs12.DecodeTrustStore(data, s.Password)
}

func (s Store) trustedJKS(data []byte) (certs []*x509.Certificate, err error) {
	ks := keystore.New()
	if err := ks.Load(bytes.NewReader(data), []byte(s.Password)); err != nil {
		return nil, err
	}
	for _, alias := range ks.Aliases() {
		if !ks.IsTrustedCertificateEntry(alias) {
			continue
		}
		entry, err := ks.GetTrustedCertificateEntry(alias)
		if err != nil {
			return nil, err
		}
		cert, err := x509.ParseCertificate(entry.Certificate.Content)
		if err != nil {
			return nil, fmt.Errorf("entry %s: %w", alias, err)
		}
		certs = append(certs, cert)
	}
	return certs, nil
}

// Identity is the private key of a key store with its certificates; nil when none is given.
func (s Store) Identity() (*tls.Certificate, error) {
	if s.Key != "" {
		return pemIdentity([]byte(s.Key), []byte(s.Certificates), s.KeyPassword)
	}
	if s.File == "" {
		return nil, nil
	}
	data, jks, err := s.read()
	switch {
	case err != nil:
		return nil, err
	case s.Kind == "PEM":
		return pemIdentity(data, data, s.KeyPassword)
	case jks:
		return s.identityJKS(data)
	}
	key, leaf, chain, err := pkcs12.DecodeChain(data, s.Password)
	if err != nil {
		return nil, err
	}
	out := &tls.Certificate{PrivateKey: key, Leaf: leaf, Certificate: [][]byte{leaf.Raw}}
	for _, c := range chain {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, nil
}

func (s Store) identityJKS(data []byte) (*tls.Certificate, error) {
	ks := keystore.New(keystore.WithOrderedAliases())
	if err := ks.Load(bytes.NewReader(data), []byte(s.Password)); err != nil {
		return nil, err
	}
	password := s.KeyPassword
	if password == "" {
		password = s.Password
	}
	for _, alias := range ks.Aliases() {
		if !ks.IsPrivateKeyEntry(alias) {
			continue
		}
		entry, err := ks.GetPrivateKeyEntry(alias, []byte(password))
		if err != nil {
			return nil, fmt.Errorf("entry %s: %w", alias, err)
		}
		key, err := x509.ParsePKCS8PrivateKey(entry.PrivateKey)
		if err != nil {
			return nil, fmt.Errorf("entry %s: %w", alias, err)
		}
		out := &tls.Certificate{PrivateKey: key}
		for _, c := range entry.CertificateChain {
			out.Certificate = append(out.Certificate, c.Content)
		}
		return out, nil
	}
	return nil, errors.New("there is no private key in it")
}

func pemCertificates(data []byte) (certs []*x509.Certificate, err error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, errors.New("there is no certificate in the PEM text")
	}
	return certs, nil
}

// pemIdentity takes the first private key, in PKCS#8 as Kafka wants it, encrypted or not, and all certificates.
func pemIdentity(keys, certificates []byte, password string) (*tls.Certificate, error) {
	out := new(tls.Certificate)
	for block, rest := pem.Decode(keys); block != nil && out.PrivateKey == nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue
		}
		var err error
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			out.PrivateKey, err = pkcs8.ParsePKCS8PrivateKey(block.Bytes, []byte(password))
		case "PRIVATE KEY":
			out.PrivateKey, err = x509.ParsePKCS8PrivateKey(block.Bytes)
		default:
			err = fmt.Errorf("a private key in PKCS#8 is expected, not %s", block.Type)
		}
		if err != nil {
			return nil, err
		}
	}
	if out.PrivateKey == nil {
		return nil, errors.New("there is no private key in the PEM text")
	}
	certs, err := pemCertificates(certificates)
	for _, c := range certs {
		out.Certificate = append(out.Certificate, c.Raw)
	}
	return out, err
}

// AnyName makes config trust the chain of certificates whatever name they are for: ssl.endpoint.identification.algorithm is empty.
func AnyName(config *tls.Config) {
	config.InsecureSkipVerify = true // Go has no other way to leave out the name alone: the chain is verified here
	config.VerifyConnection = func(state tls.ConnectionState) error {
		if len(state.PeerCertificates) == 0 {
			return errors.New("the server has no certificate")
		}
		options := x509.VerifyOptions{Roots: config.RootCAs, Intermediates: x509.NewCertPool()}
		for _, cert := range state.PeerCertificates[1:] {
			options.Intermediates.AddCert(cert)
		}
		_, err := state.PeerCertificates[0].Verify(options)
		return err
	}
}
