package certs

import (
	"crypto/tls"
	"crypto/x509"
)

// PeerName is the name of the client whose certificate was verified; empty where none
// was.
func PeerName(state tls.ConnectionState) string {
	if len(state.VerifiedChains) == 0 {
		return ""
	}
	return name(state.VerifiedChains[0][0])
}

// name is what a certificate calls its owner: the first URI of its alternative names
// (as SPIFFE has it), else the first DNS name, else the common name, else the serial
// number, which is no name but tells two owners apart.
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
