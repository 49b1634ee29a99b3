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

// shown returns the name in the certificate of a port.
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
	r, authority, dir := runWithTLS(t)
	caller := r.dial(r.as())
	stream, err := caller.WatchParticipants(r.context(), &v2.WatchParticipantsRequest{ConferenceId: demoConference})
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
	for _, transport := range []struct {
		address string
		config  *tls.Config
	}{{r.GRPCAddr(), grpcConfig}, {r.HTTPAddr(), r.as()}} {
		r.eventually("the new certificate", func() bool { return shown(t, transport.address, transport.config) == "second" })
	}

	added, err := r.dial(r.as()).AddParticipant(r.context(), &v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "+12025550123"})
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

func TestTLS_BothPortsRefusePlainText(t *testing.T) {
	r, _, _ := runWithTLS(t)
	if _, err := r.dial(nil).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: demoConference}); status.Code(err) != codes.Unavailable {
		t.Errorf("plain text over gRPC: %v", err)
	}
	response := r.get(r.browser(nil), strings.Replace(r.url(""), "https:", "http:", 1))
	body, _ := io.ReadAll(response.Body)
	if want := "Client sent an HTTP request to an HTTPS server.\n"; response.StatusCode != http.StatusBadRequest || string(body) != want {
		t.Errorf("plain text over HTTP: %s %q", response.Status, body)
	}
	old := r.as()
	old.MinVersion, old.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	for _, address := range []string{r.GRPCAddr(), r.HTTPAddr()} {
		if conn, err := tls.Dial("tcp", address, old); err == nil {
			conn.Close()
			t.Errorf("%s accepts TLS 1.1", address)
		}
	}
	var banner strings.Builder
	if err := r.Banner(&banner); err != nil || !strings.Contains(banner.String(), "HTTP   https://"+r.HTTPAddr()) {
		t.Errorf("%v, banner: %s", err, &banner)
	}
}

// A browser opens at most six HTTP/1 connections.
func TestTLS_StreamsShareAConnection(t *testing.T) {
	r, _, _ := runWithTLS(t)
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
	r, authority := runWithClientCA(t)
	ada := authority.Client("ada")
	if _, err := r.dial(r.as(ada)).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: demoConference}); err != nil {
		t.Fatal(err)
	}
	if response := r.get(r.browser(r.as(authority.Client("bob"))), r.url("")); response.StatusCode != http.StatusOK {
		t.Fatal(response.Status)
	}
	for _, name := range []string{"ada", "bob"} {
		r.eventually(name+" in the log", func() bool { return strings.Contains(r.log.String(), "caller="+name) })
	}
}

func TestTLS_WrongClientCertificatesAreRefused(t *testing.T) {
	r, authority := runWithClientCA(t)
	yesterday := time.Now().Add(-24 * time.Hour)
	for name, own := range map[string][]certstest.Pair{
		"none":    nil,
		"unknown": {certstest.NewAuthority(t).Client("ada")},
		"expired": {authority.Issue(&x509.Certificate{
			NotBefore: yesterday, NotAfter: yesterday.Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})},
	} {
		_, err := r.dial(r.as(own...)).ListParticipants(r.context(), &v2.ListParticipantsRequest{ConferenceId: demoConference})
		if status.Code(err) != codes.Unavailable {
			t.Errorf("%s over gRPC: %v", name, err)
		}
		if response, err := r.browser(r.as(own...)).Get(r.url("")); err == nil {
			response.Body.Close()
			t.Errorf("%s over HTTP: %s", name, response.Status)
		}
	}
}

// A client certificate names the caller; a header cannot change it.
func TestTLS_HeadersDoNotNameTheCaller(t *testing.T) {
	r, authority := runWithClientCA(t)
	request, err := http.NewRequestWithContext(r.context(), http.MethodGet, r.url(""), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer bob")
	request.Header.Set("Grpc-Metadata-Peer", "bob")
	response, err := r.browser(r.as(authority.Client("ada"))).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	r.eventually("a line in the log", func() bool { return strings.Contains(r.log.String(), "caller=") })
	if log := r.log.String(); !strings.Contains(log, "caller=ada") || strings.Contains(log, "bob") {
		t.Error(fmt.Sprint("logged ", log))
	}
}
