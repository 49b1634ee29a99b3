package server_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/certs/certstest"
)

// shown is the name in the certificate that a port shows to who connects now.
func shown(t *testing.T, address string, config *tls.Config) string {
	t.Helper()
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLS_RotationUnderOpenStreams(t *testing.T) {
	r, authority, dir := secured(t)
	caller := r.dial(r.as())
	stream, err := caller.WatchParticipants(r.context(), &v2.WatchParticipantsRequest{ConferenceId: room})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	events := bufio.NewScanner(r.get(r.browser(r.as()), r.url(":watch")).Body)
	events.Buffer(nil, 1<<20)
	if !events.Scan() {
		t.Fatal(events.Err())
	}

	dir.Put(authority.Server("second"))
	grpcConfig := r.as()
	grpcConfig.NextProtos = []string{"h2"}
	for _, door := range []struct {
		address string
		config  *tls.Config
	}{{r.GRPCAddr(), grpcConfig}, {r.HTTPAddr(), r.as()}} {
		r.eventually("the new certificate", func() bool { return shown(t, door.address, door.config) == "second" })
	}

	added, err := r.dial(r.as()).AddParticipant(r.context(), &v2.AddParticipantRequest{ConferenceId: room, PhoneNumber: "+12025550123"})
	if err != nil {
		t.Fatal(err)
	}
	id := added.GetParticipant().GetId()
	for heard := false; !heard; {
		message, err := stream.Recv()
		if err != nil {
			t.Fatalf("the gRPC stream ended: %v", err)
		}
		heard = strings.Contains(message.String(), id)
	}
	for heard := false; !heard; heard = strings.Contains(events.Text(), id) {
		if !events.Scan() {
			t.Fatalf("the HTTP stream ended: %v", events.Err())
		}
	}
}

func TestTLS_BothPortsTakeTLSAlone(t *testing.T) {
	r, _, _ := secured(t)
	if _, err := r.dial(nil).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: room}); status.Code(err) != codes.Unavailable {
		t.Errorf("plain text over gRPC: %v", err)
	}
	answer := r.get(r.browser(nil), strings.Replace(r.url(""), "https:", "http:", 1))
	body, _ := io.ReadAll(answer.Body)
	if want := "Client sent an HTTP request to an HTTPS server.\n"; answer.StatusCode != http.StatusBadRequest || string(body) != want {
		t.Errorf("plain text over HTTP: %s %q", answer.Status, body)
	}
	old := r.as()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for _, address := range []string{r.GRPCAddr(), r.HTTPAddr()} {
		if conn, err := tls.Dial("tcp", address, old); err == nil {
			conn.Close()
			t.Errorf("%s takes TLS 1.1", address)
		}
	}
	var banner strings.Builder
	if err := r.Banner(&banner); err != nil || !strings.Contains(banner.String(), "HTTP   https://"+r.HTTPAddr()) {
		t.Errorf("%v, the banner says %s", err, &banner)
	}
}

// Over HTTP/1 a browser opens six connections at most.
func TestTLS_StreamsShareAConnection(t *testing.T) {
	r, _, _ := secured(t)
	browser := r.browser(r.as())
	browser.Transport.(*http.Transport).MaxConnsPerHost = 1
	for n := range 20 {
		stream := r.get(browser, r.url(":watch"))
		if line, err := bufio.NewReader(stream.Body).ReadString('\n'); err != nil || stream.ProtoMajor != 2 {
			t.Fatalf("stream %d over %s: %q, %v", n, stream.Proto, line, err)
		}
	}
}

func TestTLS_ClientCertificatesNameTheCaller(t *testing.T) {
	r, authority := named(t)
	ada := authority.Client("ada")
	if _, err := r.dial(r.as(ada)).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: room}); err != nil {
		t.Fatal(err)
	}
	if answer := r.get(r.browser(r.as(authority.Client("bob"))), r.url("")); answer.StatusCode != http.StatusOK {
		t.Fatal(answer.Status)
	}
	for _, name := range []string{"ada", "bob"} {
		r.eventually(name+" in the log", func() bool { return strings.Contains(r.log.String(), "caller="+name) })
	}
}

func TestTLS_WrongClientCertificatesAreRefused(t *testing.T) {
	r, authority := named(t)
	yesterday := time.Now().Add(-24 * time.Hour)
	for name, own := range map[string][]certstest.Pair{
		"none":    nil,
		"unknown": {certstest.NewAuthority(t).Client("ada")},
		"expired": {authority.Issue(&x509.Certificate{
			NotBefore: yesterday, NotAfter: yesterday.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})},
	} {
		_, err := r.dial(r.as(own...)).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: room})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("%s over gRPC: %v", name, err)
		}
		if answer, err := r.browser(r.as(own...)).Get(r.url("")); err == nil {
			answer.Body.Close()
			t.Errorf("%s over HTTP: %s", name, answer.Status)
		}
	}
}

// A client of one authority cannot come as another by a header.
func TestTLS_HeadersDoNotNameTheCaller(t *testing.T) {
	r, authority := named(t)
	request, err := http.NewRequestWithContext(r.context(), http.MethodGet, r.url(""), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer bob")
	request.Header.Set("Grpc-Metadata-Peer", "bob")
	answer, err := r.browser(r.as(authority.Client("ada"))).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	r.eventually("a line in the log", func() bool { return strings.Contains(r.log.String(), "caller=") })
	if log := r.log.String(); !strings.Contains(log, "caller=ada") || strings.Contains(log, "bob") {
		t.Error(fmt.Sprint("logged ", log))
	}
}
