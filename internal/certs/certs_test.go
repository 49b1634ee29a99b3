package certs_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/audian/participant-gateway/internal/certs"
	"github.com/audian/participant-gateway/internal/certs/certstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scene is an identity that is followed, in virtual time. What is issued in a bubble
// is valid in its year.
type scene struct {
	certstest.Dir

	t         *testing.T
	authority *certstest.Authority
	identity  *certs.Identity
	log       *bytes.Buffer
}

func play(t *testing.T, clientCA bool, test func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &scene{Dir: certstest.NewDir(t), t: t, authority: certstest.NewAuthority(t), log: &bytes.Buffer{}}
		s.Put(s.authority.Server("first"))
		files := certs.Files{Cert: s.Cert, Key: s.Key}
		if clientCA {
			s.Write(s.ClientCA, s.authority.PEM())
			files.ClientCA = s.ClientCA
		}
		identity, err := certs.Open(files, slog.New(slog.NewTextHandler(s.log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		s.identity = identity
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go identity.ReloadOnChange(ctx)
		test(s)
	})
}

// looked waits until the files have been looked at again.
func (s *scene) looked() {
	time.Sleep(1100 * time.Millisecond)
	synctest.Wait()
}

// connect shakes hands with the identity; who is the name in its certificate.
func (s *scene) connect(own ...certstest.Pair) (who string, err error) {
	s.t.Helper()
	config := &tls.Config{RootCAs: s.authority.Pool(), ServerName: "localhost", NextProtos: []string{"h2"}}
	for _, pair := range own {
		config.Certificates = append(config.Certificates, pair.TLS())
	}
	return s.handshake(config)
}

func (s *scene) handshake(config *tls.Config) (who string, err error) {
	s.t.Helper()
	clientEnd, serverEnd := net.Pipe()
	client, server := tls.Client(clientEnd, config), tls.Server(serverEnd, s.identity.Config("h2", "http/1.1"))
	served := make(chan error, 1)
	go func() {
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte(certs.PeerName(server.ConnectionState()) + "\n"))
		}
		serverEnd.Close()
		served <- err
	}()
	defer clientEnd.Close()
	if err := client.Handshake(); err != nil {
		clientEnd.Close()
		<-served
		return "", err
	}
	// TLS 1.3 tells the client only then that its certificate was refused.
	peer, _ := io.ReadAll(client)
	if err := <-served; err != nil {
		return "", err
	}
	return client.ConnectionState().PeerCertificates[0].Subject.CommonName + " to " + strings.TrimSpace(string(peer)), nil
}

func (s *scene) expect(want string, own ...certstest.Pair) {
	s.t.Helper()
	if got, err := s.connect(own...); got != want || err != nil {
		s.t.Errorf("connected %q, %v, want %q", got, err, want)
	}
}

func (s *scene) logged(times int, text string) {
	s.t.Helper()
	if got := strings.Count(s.log.String(), text); got != times {
		s.t.Errorf("logged %d times, want %d: %s\n%s", got, times, text, s.log)
	}
}

func TestIdentityIsReloaded(t *testing.T) {
	play(t, false, func(s *scene) {
		s.expect("first to ")
		s.Put(s.authority.Server("second"))
		s.looked()
		s.expect("second to ")
		s.looked()
		s.logged(1, "files reloaded")
	})
}

func TestABrokenIdentityKeepsTheLastGoodOne(t *testing.T) {
	for name, damage := range map[string]func(s *scene){
		"no PEM":            func(s *scene) { s.Write(s.Cert, []byte("hello")) },
		"half of it":        func(s *scene) { s.Write(s.Key, s.authority.Server("other").KeyPEM()[:40]) },
		"another's key":     func(s *scene) { s.Write(s.Key, s.authority.Server("other").KeyPEM()) },
		"no file":           func(s *scene) { os.Remove(s.Cert) },
		"no authority":      func(s *scene) { s.Write(s.ClientCA, []byte("hello")) },
		"no authority file": func(s *scene) { os.Remove(s.ClientCA) },
		"an empty file":     func(s *scene) { s.Write(s.ClientCA, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			play(t, true, func(s *scene) {
				damage(s)
				s.looked()
				s.looked()
				s.expect("first to ada", s.authority.Client("ada"))
				s.logged(1, "the last good content stays in force")
				s.logged(0, "PRIVATE")

				s.Write(s.ClientCA, s.authority.PEM())
				s.Put(s.authority.Server("third"))
				s.looked()
				s.expect("third to ada", s.authority.Client("ada"))
			})
		})
	}
}

func TestAClientNeedsACertificate(t *testing.T) {
	play(t, true, func(s *scene) {
		long := time.Now().Add(-48 * time.Hour)
		for name, own := range map[string][]certstest.Pair{
			"none":       nil,
			"unknown":    {certstest.NewAuthority(t).Client("ada")},
			"expired":    {s.authority.Issue(&x509.Certificate{NotBefore: long, NotAfter: long.Add(time.Hour)})},
			"not yet":    {s.authority.Issue(&x509.Certificate{NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)})},
			"a server's": {s.authority.Server("ada")},
		} {
			if got, err := s.connect(own...); err == nil {
				t.Errorf("%s: connected %q", name, got)
			}
		}
		s.expect("first to ada", s.authority.Client("ada"))
	})
}

func TestAuthoritiesAreReloaded(t *testing.T) {
	play(t, true, func(s *scene) {
		ada, other := s.authority.Client("ada"), certstest.NewAuthority(t)
		config := &tls.Config{
			RootCAs: s.authority.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{ada.TLS()},
			ClientSessionCache: tls.NewLRUClientSessionCache(8),
		}
		if _, err := s.handshake(config); err != nil {
			t.Fatal(err)
		}
		s.Write(s.ClientCA, other.PEM())
		s.looked()
		if got, err := s.handshake(config); err == nil {
			t.Errorf("a caller of an authority that is no more connected %q", got)
		}
		s.expect("first to bob", other.Client("bob"))
	})
}

func TestConfig(t *testing.T) {
	play(t, false, func(s *scene) {
		roots := s.authority.Pool()
		for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
			if _, err := s.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: old}); err == nil {
				t.Errorf("%s was accepted", tls.VersionName(old))
			}
		}
		if _, err := s.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS12}); err != nil {
			t.Errorf("TLS 1.2: %v", err)
		}
		if _, err := s.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"smtp"}}); err == nil {
			t.Error("a protocol that is not spoken was accepted")
		}
	})
}

func TestOpenRefusesWhatCannotBeUsed(t *testing.T) {
	authority, dir := certstest.NewAuthority(t), certstest.NewDir(t)
	dir.Put(authority.Server("first"))
	dir.Write(dir.ClientCA, []byte("hello"))
	for _, test := range []struct {
		files certs.Files
		want  string
	}{
		{certs.Files{Cert: dir.Cert + ".not", Key: dir.Key}, "open "},
		{certs.Files{Cert: dir.Key, Key: dir.Cert}, "read the certificate and its key: tls: "},
		{certs.Files{Cert: dir.Cert, Key: dir.Key, ClientCA: dir.ClientCA}, "read the client authorities: no certificate"},
	} {
		if _, err := certs.Open(test.files, slog.New(slog.DiscardHandler)); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%+v: %v, want %s…", test.files, err, test.want)
		}
	}
}

func TestPeerName(t *testing.T) {
	authority := certstest.NewAuthority(t)
	uri := certURI(t, "spiffe://example.com/dialler")
	common := pkix.Name{CommonName: "ada"}
	for _, test := range []struct {
		template x509.Certificate
		want     string
	}{
		{x509.Certificate{Subject: common, DNSNames: []string{"a.example", "b.example"}, URIs: uri}, "spiffe://example.com/dialler"},
		{x509.Certificate{Subject: common, DNSNames: []string{"a.example", "b.example"}}, "a.example"},
		{x509.Certificate{Subject: common}, "ada"},
	} {
		pair := authority.Issue(&test.template)
		state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{pair.TLS().Leaf}}}
		if got := certs.PeerName(state); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
	nameless := authority.Issue(&x509.Certificate{}).TLS().Leaf
	state := tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{nameless}}}
	if got := certs.PeerName(state); got != "serial-"+nameless.SerialNumber.Text(16) {
		t.Errorf("without a name: %q", got)
	}
	unverified := tls.ConnectionState{PeerCertificates: []*x509.Certificate{nameless}}
	if got := certs.PeerName(unverified); got != "" {
		t.Errorf("not verified: %q", got)
	}
}

func certURI(t *testing.T, text string) []*url.URL {
	t.Helper()
	parsed, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return []*url.URL{parsed}
}
