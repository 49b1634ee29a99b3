package certs

import (
	"crypto/tls"
	"crypto/x509"
)

// PeerName returns the name in the verified client certificate, empty without one.
func PeerName(state tls.ConnectionState) string {
	if len(state.VerifiedChains) == 0 {
		return ""
	}
	return name(state.VerifiedChains[0][0])
}

// name returns the first URI of the certificate (as with SPIFFE), else its first DNS name,
// else its common name, else its serial number.
func name(cert *x509.Certificate) string {
	switch {
	case len(cert.URIs) > 0:
		return cert.URIs[0].String()
	case len(cert.DNSNames) > 0:
		return cert.DNSNames[0]
	case cert.Subject.CommonName != "":
		return cert.Subject.CommonName
	default:
		return "serial-" + cert.SerialNumber.Text(16)
	}
}
