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

// harness is an identity that reloads its files in virtual time. Certificates issued in a
// synctest bubble are valid at its time.
type harness struct {
	certstest.Dir

	t         *testing.T
	authority *certstest.Authority
	identity  *certs.Identity
	log       *bytes.Buffer
}

func reloading(t *testing.T, clientCA bool, test func(h *harness)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		h := &harness{Dir: certstest.NewDir(t), t: t, authority: certstest.NewAuthority(t), log: &bytes.Buffer{}}
		h.Put(h.authority.Server("first"))
		files := certs.Files{Cert: h.Cert, Key: h.Key}
		if clientCA {
			h.Write(h.ClientCA, h.authority.PEM())
			files.ClientCA = h.ClientCA
		}
		identity, err := certs.Open(files, slog.New(slog.NewTextHandler(h.log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		h.identity = identity
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go identity.ReloadOnChange(ctx)
		test(h)
	})
}

// waitForPoll waits until the files are read again.
func (h *harness) waitForPoll() {
	time.Sleep(1100 * time.Millisecond)
	synctest.Wait()
}

// connect makes a handshake and returns the names of the server and of the client.
func (h *harness) connect(own ...certstest.Pair) (names string, err error) {
	h.t.Helper()
	config := &tls.Config{RootCAs: h.authority.Pool(), ServerName: "localhost", NextProtos: []string{"h2"}}
	for _, pair := range own {
		config.Certificates = append(config.Certificates, pair.TLS())
	}
	return h.handshake(config)
}

func (h *harness) handshake(config *tls.Config) (names string, err error) {
	h.t.Helper()
	clientEnd, serverEnd := net.Pipe()
	client, server := tls.Client(clientEnd, config), tls.Server(serverEnd, h.identity.Config("h2", "http/1.1"))
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
	// In TLS 1.3 a client learns here that its certificate was refused.
	peer, _ := io.ReadAll(client)
	if err := <-served; err != nil {
		return "", err
	}
	return client.ConnectionState().PeerCertificates[0].Subject.CommonName + " to " + strings.TrimSpace(string(peer)), nil
}

func (h *harness) expect(want string, own ...certstest.Pair) {
	h.t.Helper()
	if got, err := h.connect(own...); got != want || err != nil {
		h.t.Errorf("connected %q, %v, want %q", got, err, want)
	}
}

func (h *harness) expectLog(times int, text string) {
	h.t.Helper()
	if got := strings.Count(h.log.String(), text); got != times {
		h.t.Errorf("logged %d times, want %d: %s\n%s", got, times, text, h.log)
	}
}

func TestIdentityIsReloaded(t *testing.T) {
	reloading(t, false, func(h *harness) {
		h.expect("first to ")
		h.Put(h.authority.Server("second"))
		h.waitForPoll()
		h.expect("second to ")
		h.waitForPoll()
		h.expectLog(1, "files reloaded")
	})
}

func TestABrokenIdentityKeepsTheLastGoodOne(t *testing.T) {
	for name, damage := range map[string]func(h *harness){
		"no PEM":            func(h *harness) { h.Write(h.Cert, []byte("hello")) },
		"half of it":        func(h *harness) { h.Write(h.Key, h.authority.Server("other").KeyPEM()[:40]) },
		"another's key":     func(h *harness) { h.Write(h.Key, h.authority.Server("other").KeyPEM()) },
		"no file":           func(h *harness) { os.Remove(h.Cert) },
		"no authority":      func(h *harness) { h.Write(h.ClientCA, []byte("hello")) },
		"no authority file": func(h *harness) { os.Remove(h.ClientCA) },
		"an empty file":     func(h *harness) { h.Write(h.ClientCA, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			reloading(t, true, func(h *harness) {
				damage(h)
				h.waitForPoll()
				h.waitForPoll()
				h.expect("first to ada", h.authority.Client("ada"))
				h.expectLog(1, "the last good content stays in force")
				h.expectLog(0, "PRIVATE")

				h.Write(h.ClientCA, h.authority.PEM())
				h.Put(h.authority.Server("third"))
				h.waitForPoll()
				h.expect("third to ada", h.authority.Client("ada"))
			})
		})
	}
}

func TestAClientNeedsACertificate(t *testing.T) {
	reloading(t, true, func(h *harness) {
		long := time.Now().Add(-48 * time.Hour)
		for name, own := range map[string][]certstest.Pair{
			"none":       nil,
			"unknown":    {certstest.NewAuthority(t).Client("ada")},
			"expired":    {h.authority.Issue(&x509.Certificate{NotBefore: long, NotAfter: long.Add(time.Hour)})},
			"not yet":    {h.authority.Issue(&x509.Certificate{NotBefore: time.Now().Add(time.Hour), NotAfter: time.Now().Add(2 * time.Hour)})},
			"a server's": {h.authority.Server("ada")},
		} {
			if got, err := h.connect(own...); err == nil {
				t.Errorf("%s: connected %q", name, got)
			}
		}
		h.expect("first to ada", h.authority.Client("ada"))
	})
}

func TestAuthoritiesAreReloaded(t *testing.T) {
	reloading(t, true, func(h *harness) {
		ada, other := h.authority.Client("ada"), certstest.NewAuthority(t)
		config := &tls.Config{
			RootCAs: h.authority.Pool(), ServerName: "localhost", Certificates: []tls.Certificate{ada.TLS()},
			ClientSessionCache: tls.NewLRUClientSessionCache(8),
		}
		if _, err := h.handshake(config); err != nil {
			t.Fatal(err)
		}
		h.Write(h.ClientCA, other.PEM())
		h.waitForPoll()
		if got, err := h.handshake(config); err == nil {
			t.Errorf("a client of a removed authority connected %q", got)
		}
		h.expect("first to bob", other.Client("bob"))
	})
}

func TestConfig(t *testing.T) {
	reloading(t, false, func(h *harness) {
		roots := h.authority.Pool()
		for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
			if _, err := h.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: old}); err == nil {
				t.Errorf("%s was accepted", tls.VersionName(old))
			}
		}
		if _, err := h.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS12}); err != nil {
			t.Errorf("TLS 1.2: %v", err)
		}
		if _, err := h.handshake(&tls.Config{RootCAs: roots, ServerName: "localhost", NextProtos: []string{"smtp"}}); err == nil {
			t.Error("an unknown protocol was accepted")
		}
	})
}

func TestOpenRefusesInvalidFiles(t *testing.T) {
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
