package property

import (
	"crypto/tls"
	"strings"
)

// Version is the TLS version of one of Java's names; 0: none that is supported.
func Version(name string) uint16 {
	switch name {
	case "TLSv1.2":
		return tls.VersionTLS12
	case "TLSv1.3", "TLS":
		return tls.VersionTLS13
	}
	return 0
}

func checkVersions(list string) string {
	parts := Parts(list)
	for _, part := range parts {
		if Version(part) == 0 {
			return "TLSv1.2 and TLSv1.3 are supported, not " + part
		}
	}
	if len(parts) == 0 {
		return "TLSv1.2, TLSv1.3 or both are expected"
	}
	return ""
}

// Suite is the id of a cipher suite.
func Suite(name string) (uint16, bool) {
	for _, s := range tls.CipherSuites() {
		if s.Name == name {
			return s.ID, true
		}
	}
	return 0, false
}

func checkSuites(list string) string {
	var unknown []string
	for _, part := range Parts(list) {
		if _, ok := Suite(part); !ok {
			unknown = append(unknown, part)
		}
	}
	if len(unknown) > 0 {
		return "unknown, or not safe: " + strings.Join(unknown, ", ")
	}
	return ""
}
