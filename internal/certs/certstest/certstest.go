// Package certstest is a certificate authority for tests.
package certstest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// TB is the part of testing.TB that the package uses without importing testing.
type TB interface {
	Helper()
	Fatal(args ...any)
	TempDir() string
}

// Authority is a certificate authority. All have different keys.
type Authority struct {
	t    TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// NewAuthority returns an authority with a new key.
func NewAuthority(tb TB) *Authority {
	tb.Helper()
	a := &Authority{t: tb, key: newKey(tb)}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(template, template, &a.key.PublicKey)
	return a
}

// Pair is a certificate and its key.
type Pair struct {
	t    TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// Server issues a certificate for localhost.
func (a *Authority) Server(name string) Pair {
	a.t.Helper()
	return a.Issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
}

// Client issues a certificate for a caller.
func (a *Authority) Client(name string) Pair {
	a.t.Helper()
	return a.Issue(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// Issue issues a certificate from a template. Without a time in the template it is valid
// for a day.
func (a *Authority) Issue(template *x509.Certificate) Pair {
	a.t.Helper()
	key := newKey(a.t)
	return Pair{t: a.t, cert: a.sign(template, a.cert, &key.PublicKey), key: key}
}

func (a *Authority) sign(template, parent *x509.Certificate, owner *ecdsa.PublicKey) *x509.Certificate {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 64))
	if err != nil {
		a.t.Fatal(err)
	}
	template.SerialNumber = serial
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, owner, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

func newKey(tb TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// PEM returns the certificate of the authority.
func (a *Authority) PEM() []byte { return certPEM(a.cert) }

// Pool returns a pool with only this authority.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// TLS returns the pair for a TLS configuration.
func (p Pair) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{p.cert.Raw}, PrivateKey: p.key, Leaf: p.cert}
}

// CertPEM returns the certificate.
func (p Pair) CertPEM() []byte { return certPEM(p.cert) }

// KeyPEM returns the key.
func (p Pair) KeyPEM() []byte {
	p.t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func certPEM(cert *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
}

// Dir is a directory with the three files of a TLS identity.
type Dir struct {
	t TB
	// Cert, Key and ClientCA are the paths of the files.
	Cert, Key, ClientCA string
}

// NewDir returns a directory that the test removes at its end.
func NewDir(tb TB) Dir {
	tb.Helper()
	dir := tb.TempDir()
	return Dir{tb, filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key"), filepath.Join(dir, "ca.crt")}
}

// Put replaces the certificate and key.
func (d Dir) Put(p Pair) {
	d.t.Helper()
	d.Write(d.Cert, p.CertPEM())
	d.Write(d.Key, p.KeyPEM())
}

// Write replaces one file atomically.
func (d Dir) Write(name string, content []byte) {
	d.t.Helper()
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		d.t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		d.t.Fatal(err)
	}
}
