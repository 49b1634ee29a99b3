package server_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/certs/certstest"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
	"github.com/audian/participant-gateway/internal/simulator"
)

const (
	demoConference = simulator.DemoConference
	// waitLimit is the longest wait of a test for an event that should come much earlier.
	waitLimit = 20 * time.Second
)

// running is a running gateway.
type running struct {
	*server.Server

	t    *testing.T
	log  *safeBuffer
	stop func()
	// tls configures the clients; nil means plain text.
	tls *tls.Config
}

// run runs a gateway with the simulator until the test ends or calls stop.
func run(t *testing.T, flags ...string) *running {
	t.Helper()
	return runArgs(t, append([]string{"--demo"}, flags...)...)
}

// runArgs is run with the upstream that the flags name.
func runArgs(t *testing.T, flags ...string) *running {
	t.Helper()
	args := append([]string{"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0"}, flags...)
	cfg, err := config.Parse(args, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	r := &running{t: t, log: &safeBuffer{}}
	if r.Server, err = server.New(cfg, slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	t.Cleanup(r.stop)
	return r
}

// runWithTLS runs a gateway with TLS, and returns the authority of its certificate.
func runWithTLS(t *testing.T) (r *running, authority *certstest.Authority, dir certstest.Dir) {
	t.Helper()
	authority, dir = certstest.NewAuthority(t), certstest.NewDir(t)
	dir.Put(authority.Server("first"))
	dir.Write(dir.ClientCA, authority.PEM())
	r = run(t, "--tls-cert-file="+dir.Cert, "--tls-key-file="+dir.Key)
	r.tls = &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
	return r, authority, dir
}

// runWithClientCA runs a gateway that verifies client certificates.
func runWithClientCA(t *testing.T, flags ...string) (r *running, authority *certstest.Authority) {
	t.Helper()
	authority, dir := certstest.NewAuthority(t), certstest.NewDir(t)
	dir.Put(authority.Server("first"))
	dir.Write(dir.ClientCA, authority.PEM())
	r = run(t, append(flags, "--tls-cert-file="+dir.Cert, "--tls-key-file="+dir.Key, "--tls-client-ca-file="+dir.ClientCA)...)
	r.tls = &tls.Config{RootCAs: authority.Pool(), ServerName: "localhost"}
	return r, authority
}

// as returns the TLS configuration of a client with certificates.
func (r *running) as(own ...certstest.Pair) *tls.Config {
	shown := r.tls.Clone()
	for _, pair := range own {
		shown.Certificates = append(shown.Certificates, pair.TLS())
	}
	return shown
}

// dial opens a gRPC connection; secure is nil for plain text.
func (r *running) dial(secure *tls.Config) v2.ParticipantServiceClient {
	r.t.Helper()
	transport := insecure.NewCredentials()
	if secure != nil {
		transport = credentials.NewTLS(secure)
	}
	conn, err := grpc.NewClient(r.GRPCAddr(), grpc.WithTransportCredentials(transport))
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { conn.Close() })
	return v2.NewParticipantServiceClient(conn)
}

// browser returns an HTTP client with its own connections; secure is nil for plain text.
func (r *running) browser(secure *tls.Config) *http.Client {
	transport := &http.Transport{TLSClientConfig: secure, ForceAttemptHTTP2: true}
	r.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: waitLimit}
}

// url returns the URL of the demo's participants, followed by rest.
func (r *running) url(rest string) string {
	scheme := "http"
	if r.tls != nil {
		scheme = "https"
	}
	return scheme + "://" + r.HTTPAddr() + "/v2/conferences/" + demoConference + "/participants" + rest
}

// get sends a GET. The caller reads the body.
func (r *running) get(client *http.Client, url string) *http.Response {
	r.t.Helper()
	response, err := client.Get(url)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { response.Body.Close() })
	return response
}

// context returns a context that ends after waitLimit.
func (r *running) context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), waitLimit)
	r.t.Cleanup(cancel)
	return ctx
}

// eventually waits until is returns true.
func (r *running) eventually(what string, is func() bool) {
	r.t.Helper()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	late := time.After(waitLimit)
	for !is() {
		select {
		case <-look.C:
		case <-late:
			r.t.Fatalf("never: %s", what)
		}
	}
}

// metric returns the line of the metrics that begins with name, or the empty string.
func (r *running) metric(name string) string {
	r.t.Helper()
	body, err := io.ReadAll(r.get(r.browser(nil), "http://"+r.AdminAddr()+"/metrics").Body)
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(body)) {
		if strings.HasPrefix(line, name) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// safeBuffer is a log that can be read while it is written.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
