package audian

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/participant"
)

// trusting is the product's transport, which trusts a test server's certificate.
func trusting(t *testing.T, server *httptest.Server) *http.Transport {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	transport := NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

// TestA01_RequestsUseHTTP1 has upstreams offer HTTP/2, by ALPN or in plain text.
func TestA01_RequestsUseHTTP1(t *testing.T) {
	for _, setting := range []string{"", "http2client=1", "http2client=0"} {
		for name, offer := range map[string]func(*httptest.Server){
			"by ALPN": func(s *httptest.Server) {
				s.EnableHTTP2 = true
				s.StartTLS()
			},
			"in plain text": func(s *httptest.Server) {
				s.Config.Protocols = &http.Protocols{}
				s.Config.Protocols.SetHTTP1(true)
				s.Config.Protocols.SetUnencryptedHTTP2(true)
				s.Start()
			},
		} {
			t.Run(name+setting, func(t *testing.T) {
				t.Setenv("GODEBUG", setting)
				var proto atomic.Value
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					proto.Store(r.Proto)
					_, _ = io.WriteString(w, person)
				}))
				offer(server)
				defer server.Close()
				transport := NewTransport()
				if server.TLS != nil {
					transport = trusting(t, server)
				}
				defer transport.CloseIdleConnections()
				_, err := client(t, transport, at(t, server.URL)).Add(t.Context(), "c", participant.Add{}, Pacing{})
				if err != nil || proto.Load() != "HTTP/1.1" {
					t.Errorf("spoke %v, %v", proto.Load(), err)
				}
			})
		}
	}
}

// vanishing is an upstream that answers the first requests of each connection, and takes
// one more that it does not answer: it ends the connection, and takes no others.
type vanishing struct {
	net.Listener

	answers int
	reset   bool
	// stays is true if it accepts other connections afterwards.
	stays bool
	// read counts the requests that were read, lost those of them that were not answered.
	read, lost atomic.Int32
	last       *http.Request
}

func (v *vanishing) serve() {
	for {
		c, err := v.Accept()
		if err != nil {
			return
		}
		v.converse(c)
	}
}

func (v *vanishing) converse(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for n := 0; ; n++ {
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		v.read.Add(1)
		v.last = r
		if n == v.answers {
			v.lost.Add(1)
			if !v.stays {
				_ = v.Close()
			}
			if tcp, ok := c.(*net.TCPConn); ok && v.reset {
				_ = tcp.SetLinger(0)
			}
			return
		}
		_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(person), person)
	}
}

// TestA01_NothingSendsAnAddAgain has an add be read by an upstream that does not answer it,
// on a new connection and on one that was used before, and then takes no more connections:
// the add was sent once, and is not reported as unreached.
func TestA01_NothingSendsAnAddAgain(t *testing.T) {
	for answers := range 3 {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprintf("after %d, reset %v", answers, reset), func(t *testing.T) {
				listener, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				v := &vanishing{Listener: listener, answers: answers, reset: reset}
				served := make(chan struct{})
				go func() { defer close(served); v.serve() }()
				transport := NewTransport()
				c := client(t, transport, at(t, "http://"+listener.Addr().String()))
				for range answers {
					if _, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{}); err != nil {
						t.Fatal(err)
					}
				}
				_, err = c.Add(t.Context(), "c", participant.Add{}, Pacing{})
				if e := apiError(t, err); e.NotSent || apierror.Classify(err) != apierror.Ambiguous || v.lost.Load() != 1 {
					t.Errorf("sent %d times, %v", v.lost.Load(), err)
				}
				_ = listener.Close()
				<-served
				transport.CloseIdleConnections()
			})
		}
	}
}

// TestW15_NothingSendsAListAgain has a list be sent on a connection that was used before,
// and be lost with it: it was sent once, as any GET without a body.
func TestW15_NothingSendsAListAgain(t *testing.T) {
	for _, reset := range []bool{false, true} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		v := &vanishing{Listener: listener, answers: 1, reset: reset, stays: true}
		served := make(chan struct{})
		go func() { defer close(served); v.serve() }()
		transport := NewTransport()
		c := client(t, transport, at(t, "http://"+listener.Addr().String()))
		if _, err := c.Add(t.Context(), "c", participant.Add{}, Pacing{}); err != nil {
			t.Fatal(err)
		}
		_, err = c.List(t.Context(), "c", Pacing{})
		if e := apiError(t, err); e.NotSent || e.Reason != apierror.UpstreamUnavailable || v.read.Load() != 2 {
			t.Errorf("%d requests: %v", v.read.Load(), err)
		}
		_ = listener.Close()
		<-served
		if header := v.last.Header; v.last.ContentLength != 0 || len(v.last.TransferEncoding) != 0 || header.Get("Content-Length") != "" {
			t.Errorf("the list has a body: %+v", v.last)
		}
		transport.CloseIdleConnections()
	}
}

// TestA01_AnHTTP2OnlyUpstreamGetsOneAdd has a server that speaks only HTTP/2, and closes
// other connections.
func TestA01_AnHTTP2OnlyUpstreamGetsOneAdd(t *testing.T) {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.StartTLS() // Only its certificate is of use.
	defer server.Close()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: server.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12,
	})
	if err != nil {
		t.Fatal(err)
	}
	v := &vanishing{Listener: listener}
	go v.serve()
	_, err = client(t, trusting(t, server), at(t, "https://"+listener.Addr().String())).
		Add(t.Context(), "c", participant.Add{}, Pacing{})
	if apiError(t, err).NotSent || v.lost.Load() != 1 {
		t.Errorf("sent %d times: %v", v.lost.Load(), err)
	}
}
