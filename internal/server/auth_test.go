package server_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access/keys"
	"github.com/audian/participant-gateway/internal/access/oidc/oidctest"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
	"github.com/audian/participant-gateway/internal/wire"
)

// addKey gives a caller a key in a file.
func addKey(t *testing.T, file, name, role string, conferences ...string) string {
	t.Helper()
	entry, err := keys.NewEntry(name, role, conferences)
	if err != nil {
		t.Fatal(err)
	}
	key, err := keys.Add(file, entry)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// keyed is a gateway with two callers: a writer, and a reader of the demo's conference.
func keyed(t *testing.T) (r *running, file, writer, reader string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "keys")
	writer, reader = addKey(t, file, "desk", "writer"), addKey(t, file, "wall", "reader", room)
	return run(t, "--auth=keys", "--auth-keys-file="+file), file, writer, reader
}

// with is a context whose calls carry metadata.
func (r *running) with(pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(r.context(), pairs...)
}

// told is what a caller is told of a call: its code and reason.
type told struct {
	code   codes.Code
	reason apierror.Reason
}

func toldBy(err error) told {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return told{status.Code(err), apierror.Reason(info.GetReason())}
		}
	}
	return told{code: status.Code(err)}
}

// doors are the ways to make a call, each with a credential in one header.
func (r *running) doors(header, credential, conference string) map[string]told {
	r.t.Helper()
	client := r.dial(nil)
	ctx := r.with()
	if credential != "" {
		ctx = r.with(header, credential)
	}
	_, list := client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conference})
	stream, watch := client.WatchParticipants(ctx, &v2.WatchParticipantsRequest{ConferenceId: conference})
	if watch == nil {
		_, watch = stream.Recv()
	}
	return map[string]told{
		"gRPC list": toldBy(list), "gRPC watch": toldBy(watch),
		"REST":   r.request(http.MethodGet, conference, "", "", header, credential),
		"SSE":    r.request(http.MethodGet, conference, ":watch", "text/event-stream", header, credential),
		"NDJSON": r.request(http.MethodGet, conference, ":watch", "", header, credential),
	}
}

// request makes a request over HTTP, and tells what came of it as gRPC does.
func (r *running) request(method, conference, verb, accept, header, credential string, body ...string) told {
	r.t.Helper()
	url := strings.Replace(r.url(verb), "/"+room+"/", "/"+conference+"/", 1)
	request, err := http.NewRequestWithContext(r.context(), method, url, strings.NewReader(strings.Join(body, "")))
	if err != nil {
		r.t.Fatal(err)
	}
	if credential != "" {
		request.Header.Set(header, credential)
	}
	request.Header.Set("Accept", accept)
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusOK {
		return told{code: codes.OK}
	}
	if challenged := response.Header.Get("WWW-Authenticate") == "Bearer"; challenged != (response.StatusCode == http.StatusUnauthorized) {
		r.t.Errorf("%d, and WWW-Authenticate: %q", response.StatusCode, response.Header.Get("WWW-Authenticate"))
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return toldInBody(r.t, response.StatusCode, string(answer))
}

// toldInBody reads an error body by the reasons that there are.
func toldInBody(t *testing.T, number int, body string) told {
	t.Helper()
	for _, one := range []apierror.Reason{
		apierror.CredentialMissing, apierror.CredentialInvalid, apierror.CredentialExpired, apierror.CredentialsDiffer,
		apierror.RoleNotGranted, apierror.ConferenceNotGranted, apierror.IssuerUnavailable, apierror.InvalidRequest,
	} {
		if strings.Contains(body, `"reason":"`+string(one)+`"`) {
			if want := wire.HTTPStatus(wire.Status(&apierror.Error{Reason: one})); number != 0 && want != number {
				t.Errorf("%s is told as %d, want %d", one, number, want)
			}
			return told{wire.Code(one), one}
		}
	}
	t.Errorf("%d: no reason in %s", number, body)
	return told{}
}

func TestTheSameRulesAtEveryDoor(t *testing.T) {
	r, _, writer, reader := keyed(t)
	for _, test := range []struct {
		name, header, credential, conference string
		want                                 told
	}{
		{"nothing", "", "", room, told{codes.Unauthenticated, apierror.CredentialMissing}},
		{"another scheme", "authorization", "Basic " + writer, room, told{codes.Unauthenticated, apierror.CredentialMissing}},
		{"a wrong key", "x-auth-token", "pgk_wrong", room, told{codes.Unauthenticated, apierror.CredentialInvalid}},
		{"a writer", "x-auth-token", writer, room, told{code: codes.OK}},
		{"a reader, as bearer", "authorization", "Bearer " + reader, room, told{code: codes.OK}},
		{"a reader elsewhere", "x-auth-token", reader, "conf_elsewhere", told{codes.PermissionDenied, apierror.ConferenceNotGranted}},
		{"a stranger who asks nonsense", "", "", "a*b", told{codes.Unauthenticated, apierror.CredentialMissing}},
		{"a reader who asks nonsense", "x-auth-token", reader, "a*b", told{codes.PermissionDenied, apierror.ConferenceNotGranted}},
		{"a writer who asks nonsense", "x-auth-token", writer, strings.Repeat("a", 129), told{codes.InvalidArgument, apierror.InvalidRequest}},
	} {
		for door, got := range r.doors(test.header, test.credential, test.conference) {
			if got != test.want {
				t.Errorf("%s, by %s: got %v, want %v", test.name, door, got, test.want)
			}
		}
	}
	for _, secret := range []string{writer, reader, "pgk_wrong"} {
		if strings.Contains(r.log.String(), secret) {
			t.Error("the log holds a key")
		}
	}
	if got := r.metric(`gateway_refused_total{reason="CREDENTIAL_INVALID"}`); !strings.HasSuffix(got, " 5") {
		t.Errorf("counted %q, want 5 wrong keys", got)
	}
}

func TestOnlyWritersWrite(t *testing.T) {
	r, _, writer, reader := keyed(t)
	add := &v2.AddParticipantRequest{ConferenceId: room, PhoneNumber: "+12025550123"}
	const body = `{"phone_number":"+12025550123"}`
	for _, test := range []struct {
		credential, body string
		want             told
	}{
		{"", body, told{codes.Unauthenticated, apierror.CredentialMissing}},
		{"", "{", told{codes.Unauthenticated, apierror.CredentialMissing}},
		{reader, body, told{codes.PermissionDenied, apierror.RoleNotGranted}},
		{reader, `{"bogus":1}`, told{codes.PermissionDenied, apierror.RoleNotGranted}},
		{writer, `{"bogus":1}`, told{codes.InvalidArgument, apierror.InvalidRequest}},
		{writer, body, told{code: codes.OK}},
	} {
		if got := r.request(http.MethodPost, room, "", "", "X-Auth-Token", test.credential, test.body); got != test.want {
			t.Errorf("POST of %s: got %v, want %v", test.body, got, test.want)
		}
		if test.body != body {
			continue
		}
		_, err := r.dial(nil).AddParticipant(r.with("x-auth-token", test.credential), add)
		if got := toldBy(err); got != test.want {
			t.Errorf("gRPC: got %v, want %v", got, test.want)
		}
		_, err = r.dial(nil).RemoveParticipant(r.with("x-auth-token", test.credential), &v2.RemoveParticipantRequest{ConferenceId: room, ParticipantId: "part_none"})
		if got := toldBy(err); got.reason != test.want.reason && got.reason != apierror.ParticipantNotFound {
			t.Errorf("gRPC remove: got %v, want %v", got, test.want)
		}
	}
}

func TestHealthNeedsNoCredential(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	addKey(t, file, "desk", "writer")
	r := run(t, "--auth=keys", "--auth-keys-file="+file)
	conn, err := grpc.NewClient(r.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answer, err := healthv1.NewHealthClient(conn).Check(r.context(), &healthv1.HealthCheckRequest{})
	if err != nil || answer.GetStatus() != healthv1.HealthCheckResponse_SERVING {
		t.Errorf("got %v, %v", answer, err)
	}
}

// endings watches by gRPC and SSE, and tells how both streams end.
func (r *running) endings(credential string) (end func() map[string]told) {
	r.t.Helper()
	stream, err := r.dial(nil).WatchParticipants(r.with("x-auth-token", credential), &v2.WatchParticipantsRequest{ConferenceId: room})
	if err != nil {
		r.t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		r.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(r.context(), http.MethodGet, r.url(":watch"), http.NoBody)
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Accept", "text/event-stream")
	request.Header.Set("X-Auth-Token", credential)
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { response.Body.Close() })
	return func() map[string]told {
		var last error
		for last == nil {
			_, last = stream.Recv()
		}
		text, err := io.ReadAll(response.Body)
		if err != nil {
			r.t.Fatal(err)
		}
		_, failure, found := strings.Cut(string(text), "event: failure")
		if !found {
			r.t.Fatalf("no failure in %s", text)
		}
		return map[string]told{"gRPC": toldBy(last), "SSE": toldInBody(r.t, 0, failure)}
	}
}

// within tells how streams that should end did, and how long that took.
func (r *running) within(limit time.Duration, end func() map[string]told, want told) {
	r.t.Helper()
	start := time.Now()
	for door, got := range end() {
		if got != want {
			r.t.Errorf("%s: the stream ended with %v, want %v", door, got, want)
		}
	}
	if took := time.Since(start); took > limit {
		r.t.Errorf("the streams ended after %v, want %v at most", took, limit)
	}
}

func TestW19_ARevokedCallersStreamsEnd(t *testing.T) {
	r, file, writer, reader := keyed(t)
	end := r.endings(writer)
	stays, err := r.dial(nil).WatchParticipants(r.with("x-auth-token", reader), &v2.WatchParticipantsRequest{ConferenceId: room})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	r.within(5*time.Second, end, told{codes.Unauthenticated, apierror.CredentialInvalid})
	for range 3 { // The demo changes all the while.
		if _, err := stays.Recv(); err != nil {
			t.Errorf("another caller's stream: %v", err)
		}
	}
}

func TestW19_AStreamEndsWhenItsConferenceIsNotGrantedAnyMore(t *testing.T) {
	r, file, _, reader := keyed(t)
	end := r.endings(reader)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), " "+room+" ", " conf_other ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.within(5*time.Second, end, told{codes.PermissionDenied, apierror.ConferenceNotGranted})
}

func TestW19_AStreamEndsWithItsToken(t *testing.T) {
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	r := run(t, "--auth=oidc", "--oidc-issuer="+issuer.URL(), "--oidc-audience="+oidctest.Audience)
	end := r.endings(issuer.Token(oidctest.Claims{"role": "reader", "exp": time.Now().Add(3 * time.Second).Unix()}))
	r.within(5*time.Second, end, told{codes.Unauthenticated, apierror.CredentialExpired})
}

func TestTokensOfAnIssuerAtEveryDoor(t *testing.T) {
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	issuer.SetDown(true)
	r := run(t, "--auth=oidc", "--oidc-issuer="+issuer.URL(), "--oidc-audience="+oidctest.Audience, "--oidc-role-claim=groups")
	expect := func(name, token string, want told) {
		t.Helper()
		for door, got := range r.doors("authorization", "Bearer "+token, room) {
			if got != want {
				t.Errorf("%s, by %s: got %v, want %v", name, door, got, want)
			}
		}
		if strings.Contains(r.log.String(), token) {
			t.Error("the log holds a token")
		}
	}
	writer := oidctest.Claims{"groups": []string{"staff", "writer"}}
	expect("while the issuer is down", issuer.Token(writer), told{codes.Unavailable, apierror.IssuerUnavailable})
	issuer.SetDown(false)
	r.eventually("the issuer is up", func() bool {
		_, err := r.dial(nil).ListParticipants(r.with("authorization", "Bearer "+issuer.Token(writer)), &v2.ListParticipantsRequest{ConferenceId: room})
		return err == nil
	})
	expect("a writer", issuer.Token(writer), told{code: codes.OK})
	expect("a stranger", issuer.Token(nil), told{codes.PermissionDenied, apierror.RoleNotGranted})
	expect("another audience", issuer.Token(oidctest.Claims{"aud": "other"}), told{codes.Unauthenticated, apierror.CredentialInvalid})
	expect("expired", issuer.Token(oidctest.Claims{"exp": time.Now().Add(-time.Minute).Unix()}), told{codes.Unauthenticated, apierror.CredentialExpired})
	expect("no signature", issuer.ForgedToken("none", writer), told{codes.Unauthenticated, apierror.CredentialInvalid})
	expect("elsewhere", issuer.Token(oidctest.Claims{"groups": "writer", "conferences": []string{"conf_other"}}), told{codes.PermissionDenied, apierror.ConferenceNotGranted})
}

func TestABrokenKeysFileStopsTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte("junk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Parse([]string{
		"--demo", "--auth=keys", "--auth-keys-file=" + file,
		"--grpc-addr=127.0.0.1:0", "--http-addr=127.0.0.1:0", "--admin-addr=127.0.0.1:0",
	}, nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.New(cfg, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "open the keys file: "+file+": line 1") {
		t.Errorf("got %v", err)
	}
}
