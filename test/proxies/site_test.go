package proxies

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/client"
	"github.com/audian/participant-gateway/internal/replica/redistest"
	"github.com/audian/participant-gateway/internal/simulator"
)

// The names of the sites in the configurations.
const (
	httpName = "gateway.example.com"
	grpcName = "grpc.gateway.example.com"
)

// proxy is a program that runs a configuration of deploy/proxies.
type proxy struct {
	name, packageName, file string
	// run returns the arguments for a directory that contains the configuration.
	run func(t *testing.T, directory string) []string
}

var proxies = []proxy{
	{"nginx", "nginx-light", "nginx.conf", runNginx},
	{"haproxy", "haproxy", "haproxy.cfg", func(_ *testing.T, directory string) []string {
		return []string{"-db", "-f", filepath.Join(directory, "haproxy.cfg")}
	}},
}

// runNginx writes the configuration around ours. nginx is one process, which ends when the test kills it.
func runNginx(t *testing.T, directory string) []string {
	t.Helper()
	write(t, filepath.Join(directory, "main.conf"), `pid `+directory+`/pid;
error_log stderr;
daemon off;
master_process off;
events {}
http {
	access_log off;
	client_body_temp_path `+directory+`/client;
	proxy_temp_path `+directory+`/proxy;
	fastcgi_temp_path `+directory+`/fastcgi;
	uwsgi_temp_path `+directory+`/uwsgi;
	scgi_temp_path `+directory+`/scgi;
	include `+directory+`/nginx.conf;
}
`)
	return []string{"-p", directory, "-e", "stderr", "-c", filepath.Join(directory, "main.conf")}
}

// site is two replicas behind a proxy.
type site struct {
	t        *testing.T
	address  string
	replicas [2]replica
	roots    *x509.CertPool
}

// newSite starts the parts, and returns when the proxy serves.
func newSite(t *testing.T, p proxy) *site {
	t.Helper()
	program, err := exec.LookPath(p.name)
	if err != nil {
		t.Skipf("%s is not installed: apt-get install %s", p.name, p.packageName)
	}
	upstream := httptest.NewServer(simulator.New(simulator.Options{}).Handler())
	t.Cleanup(upstream.Close)
	redis := redistest.Start(t, redistest.Options{}).URL()
	s := &site{t: t, address: freeAddress(t), roots: x509.NewCertPool()}
	for i := range s.replicas {
		s.replicas[i] = startReplica(t, upstream.URL+"/v2", redis)
	}
	directory := t.TempDir()
	s.writeCertificate(directory)
	text, err := os.ReadFile(filepath.Join("..", "..", "deploy", "proxies", p.file))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(directory, p.file), s.withAddresses(string(text), directory))
	launch(t, program, p.run(t, directory)...).wait()
	eventually(t, "the proxy serves", func() bool { return s.serves() })
	return s
}

// withAddresses replaces what the configuration says of addresses and files.
func (s *site) withAddresses(text, directory string) string {
	one, two := s.replicas[0], s.replicas[1]
	admin := func(r replica) string { return " port " + r.admin[strings.LastIndex(r.admin, ":")+1:] }
	return strings.NewReplacer(
		"10.0.0.1:8080 port 9091", one.http+admin(one), "10.0.0.2:8080 port 9091", two.http+admin(two),
		"10.0.0.1:8080", one.http, "10.0.0.2:8080", two.http, "10.0.0.1:9090", one.grpc, "10.0.0.2:9090", two.grpc,
		"listen 443", "listen "+s.address, "bind :443", "bind "+s.address,
		"/etc/nginx/", directory+"/", "/etc/haproxy/", directory+"/",
	).Replace(text)
}

// serves reports whether both replicas are ready and the proxy passes a call on.
func (s *site) serves() bool {
	for _, r := range s.replicas {
		response, err := new(http.Client).Get("http://" + r.admin + "/readyz")
		if err != nil {
			return false
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return false
		}
	}
	rest := s.http()
	defer rest.CloseIdleConnections()
	status, _, err := list(s.t.Context(), rest)
	return err == nil && status == http.StatusOK
}

// http returns a client that reaches the site through the proxy.
func (s *site) http() *http.Client {
	transport := &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{RootCAs: s.roots, ServerName: httpName},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, s.address)
		},
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: overTLS{transport}, Timeout: 0}
}

// overTLS sends requests for http:// as https://: watchclient knows only plain text.
type overTLS struct{ *http.Transport }

func (o overTLS) RoundTrip(request *http.Request) (*http.Response, error) {
	secure := request.Clone(request.Context())
	secure.URL.Scheme = "https"
	return o.Transport.RoundTrip(secure)
}

// grpc returns a client that reaches the site through the proxy.
func (s *site) grpc() *client.Client {
	s.t.Helper()
	gateway, err := client.New("passthrough:///"+s.address, client.WithTLS(&tls.Config{RootCAs: s.roots, ServerName: grpcName}))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = gateway.Close() })
	return gateway
}

const participants = "https://" + httpName + "/v2/conferences/conf/participants"

// list lists the conference over REST.
func list(ctx context.Context, rest *http.Client) (status int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, participants, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	response, err := rest.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// add adds a participant with a name over REST.
func (s *site) add(name string) {
	s.t.Helper()
	response, err := s.http().Post(participants, "application/json", strings.NewReader(`{"phone_number":"+12025550123","name":"`+name+`"}`))
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || response.StatusCode != http.StatusOK {
		s.t.Fatalf("add: %s: %s, %v", response.Status, body, err)
	}
}

// writeCertificate writes a certificate for both names in the forms that the proxies read.
func (s *site) writeCertificate(directory string) {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{httpName, grpcName}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	certificate := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	privateKey := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
	s.roots.AppendCertsFromPEM([]byte(certificate))
	write(s.t, filepath.Join(directory, "gateway.crt"), certificate)
	write(s.t, filepath.Join(directory, "gateway.key"), privateKey)
	write(s.t, filepath.Join(directory, "gateway.pem"), certificate+privateKey)
}

func write(t *testing.T, file, content string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// freeAddress returns a loopback address that was free a moment ago.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}
