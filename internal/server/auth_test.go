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
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/server"
)

// addKey adds a key for a caller to a file.
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

// runWithKeys runs a gateway with two callers: a writer, and a reader of the demo's conference.
func runWithKeys(t *testing.T) (r *running, file, writer, reader string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "keys")
	writer, reader = addKey(t, file, "desk", "writer"), addKey(t, file, "wall", "reader", demoConference)
	return run(t, "--auth=keys", "--auth-keys-file="+file), file, writer, reader
}

// with returns a context with metadata.
func (r *running) with(pairs ...string) context.Context {
	return metadata.AppendToOutgoingContext(r.context(), pairs...)
}

// outcome is how a call ended: its code and reason.
type outcome struct {
	code   codes.Code
	reason apierror.Reason
}

func outcomeOf(err error) outcome {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return outcome{status.Code(err), apierror.Reason(info.GetReason())}
		}
	}
	return outcome{code: status.Code(err)}
}

// everyTransport makes a call over each transport, with a credential in one header.
func (r *running) everyTransport(header, credential, conference string) map[string]outcome {
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
	return map[string]outcome{
		"gRPC list": outcomeOf(list), "gRPC watch": outcomeOf(watch),
		"REST":   r.request(http.MethodGet, conference, "", "", header, credential),
		"SSE":    r.request(http.MethodGet, conference, ":watch", "text/event-stream", header, credential),
		"NDJSON": r.request(http.MethodGet, conference, ":watch", "", header, credential),
	}
}

// request makes a request over HTTP and returns its outcome.
func (r *running) request(method, conference, verb, accept, header, credential string, body ...string) outcome {
	r.t.Helper()
	url := strings.Replace(r.url(verb), "/"+demoConference+"/", "/"+conference+"/", 1)
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
		return outcome{code: codes.OK}
	}
	if challenged := response.Header.Get("WWW-Authenticate") == "Bearer"; challenged != (response.StatusCode == http.StatusUnauthorized) {
		r.t.Errorf("%d, and WWW-Authenticate: %q", response.StatusCode, response.Header.Get("WWW-Authenticate"))
	}
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return outcomeInBody(r.t, response.StatusCode, string(answer))
}

// outcomeInBody returns the outcome that an error body contains.
func outcomeInBody(t *testing.T, number int, body string) outcome {
	t.Helper()
	for _, one := range []apierror.Reason{
		apierror.CredentialMissing, apierror.CredentialInvalid, apierror.CredentialExpired, apierror.CredentialsDiffer,
		apierror.RoleNotGranted, apierror.ConferenceNotGranted, apierror.IssuerUnavailable, apierror.InvalidRequest,
	} {
		if strings.Contains(body, `"reason":"`+string(one)+`"`) {
			if want := grpcstatus.HTTPStatus(grpcstatus.From(&apierror.Error{Reason: one})); number != 0 && want != number {
				t.Errorf("%s: HTTP status %d, want %d", one, number, want)
			}
			return outcome{grpcstatus.Code(one), one}
		}
	}
	t.Errorf("%d: no reason in %s", number, body)
	return outcome{}
}

func TestTheSameRulesForEveryTransport(t *testing.T) {
	r, _, writer, reader := runWithKeys(t)
	for _, test := range []struct {
		name, header, credential, conference string
		want                                 outcome
	}{
		{"nothing", "", "", demoConference, outcome{codes.Unauthenticated, apierror.CredentialMissing}},
		{"another scheme", "authorization", "Basic " + writer, demoConference, outcome{codes.Unauthenticated, apierror.CredentialMissing}},
		{"a wrong key", "x-auth-token", "pgk_wrong", demoConference, outcome{codes.Unauthenticated, apierror.CredentialInvalid}},
		{"a writer", "x-auth-token", writer, demoConference, outcome{code: codes.OK}},
		{"a reader, as bearer", "authorization", "Bearer " + reader, demoConference, outcome{code: codes.OK}},
		{"a reader elsewhere", "x-auth-token", reader, "conf_elsewhere", outcome{codes.PermissionDenied, apierror.ConferenceNotGranted}},
		{"no credentials with an invalid request", "", "", "a*b", outcome{codes.Unauthenticated, apierror.CredentialMissing}},
		{"a reader with an invalid request", "x-auth-token", reader, "a*b", outcome{codes.PermissionDenied, apierror.ConferenceNotGranted}},
		{"a writer with an invalid request", "x-auth-token", writer, strings.Repeat("a", 129), outcome{codes.InvalidArgument, apierror.InvalidRequest}},
	} {
		for transport, got := range r.everyTransport(test.header, test.credential, test.conference) {
			if got != test.want {
				t.Errorf("%s, by %s: got %v, want %v", test.name, transport, got, test.want)
			}
		}
	}
	for _, secret := range []string{writer, reader, "pgk_wrong"} {
		if strings.Contains(r.log.String(), secret) {
			t.Error("the log contains a key")
		}
	}
	if got := r.metric(`gateway_refused_total{reason="CREDENTIAL_INVALID"}`); !strings.HasSuffix(got, " 5") {
		t.Errorf("counted %q, want 5 wrong keys", got)
	}
}

func TestOnlyWritersWrite(t *testing.T) {
	r, _, writer, reader := runWithKeys(t)
	add := &v2.AddParticipantRequest{ConferenceId: demoConference, PhoneNumber: "+12025550123"}
	const body = `{"phone_number":"+12025550123"}`
	for _, test := range []struct {
		credential, body string
		want             outcome
	}{
		{"", body, outcome{codes.Unauthenticated, apierror.CredentialMissing}},
		{"", "{", outcome{codes.Unauthenticated, apierror.CredentialMissing}},
		{reader, body, outcome{codes.PermissionDenied, apierror.RoleNotGranted}},
		{reader, `{"bogus":1}`, outcome{codes.PermissionDenied, apierror.RoleNotGranted}},
		{writer, `{"bogus":1}`, outcome{codes.InvalidArgument, apierror.InvalidRequest}},
		{writer, body, outcome{code: codes.OK}},
	} {
		if got := r.request(http.MethodPost, demoConference, "", "", "X-Auth-Token", test.credential, test.body); got != test.want {
			t.Errorf("POST of %s: got %v, want %v", test.body, got, test.want)
		}
		if test.body != body {
			continue
		}
		_, err := r.dial(nil).AddParticipant(r.with("x-auth-token", test.credential), add)
		if got := outcomeOf(err); got != test.want {
			t.Errorf("gRPC: got %v, want %v", got, test.want)
		}
		_, err = r.dial(nil).RemoveParticipant(r.with("x-auth-token", test.credential), &v2.RemoveParticipantRequest{ConferenceId: demoConference, ParticipantId: "part_none"})
		if got := outcomeOf(err); got.reason != test.want.reason && got.reason != apierror.ParticipantNotFound {
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

// streamEnds opens a gRPC and an SSE stream. The function that it returns waits for their ends.
func (r *running) streamEnds(credential string) (end func() map[string]outcome) {
	r.t.Helper()
	stream, err := r.dial(nil).WatchParticipants(r.with("x-auth-token", credential), &v2.WatchParticipantsRequest{ConferenceId: demoConference})
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
	return func() map[string]outcome {
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
		return map[string]outcome{"gRPC": outcomeOf(last), "SSE": outcomeInBody(r.t, 0, failure)}
	}
}

// endsInTime checks that streams end within the 5 s of W19, and how.
func (r *running) endsInTime(end func() map[string]outcome, want outcome) {
	r.t.Helper()
	start := time.Now()
	for transport, got := range end() {
		if got != want {
			r.t.Errorf("%s: the stream ended with %v, want %v", transport, got, want)
		}
	}
	if took := time.Since(start); took > 5*time.Second {
		r.t.Errorf("the streams ended after %v, want 5s at most", took)
	}
}

func TestW19_ARevokedCallersStreamsEnd(t *testing.T) {
	r, file, writer, reader := runWithKeys(t)
	end := r.streamEnds(writer)
	stays, err := r.dial(nil).WatchParticipants(r.with("x-auth-token", reader), &v2.WatchParticipantsRequest{ConferenceId: demoConference})
	if err != nil {
		t.Fatal(err)
	}
	if err := keys.Revoke(file, "desk"); err != nil {
		t.Fatal(err)
	}
	r.endsInTime(end, outcome{codes.Unauthenticated, apierror.CredentialInvalid})
	for range 3 { // The demo changes all the while.
		if _, err := stays.Recv(); err != nil {
			t.Errorf("another caller's stream: %v", err)
		}
	}
}

func TestW19_AStreamEndsWhenItsConferenceIsRevoked(t *testing.T) {
	r, file, _, reader := runWithKeys(t)
	end := r.streamEnds(reader)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(content), " "+demoConference+" ", " conf_other ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	r.endsInTime(end, outcome{codes.PermissionDenied, apierror.ConferenceNotGranted})
}

func TestW19_AStreamEndsWithItsToken(t *testing.T) {
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	r := run(t, "--auth=oidc", "--oidc-issuer="+issuer.URL(), "--oidc-audience="+oidctest.Audience)
	end := r.streamEnds(issuer.Token(oidctest.Claims{"role": "reader", "exp": time.Now().Add(3 * time.Second).Unix()}))
	r.endsInTime(end, outcome{codes.Unauthenticated, apierror.CredentialExpired})
}

func TestTokensOfAnIssuerForEveryTransport(t *testing.T) {
	issuer := oidctest.New()
	t.Cleanup(issuer.Close)
	issuer.SetDown(true)
	r := run(t, "--auth=oidc", "--oidc-issuer="+issuer.URL(), "--oidc-audience="+oidctest.Audience, "--oidc-role-claim=groups")
	expect := func(name, token string, want outcome) {
		t.Helper()
		for transport, got := range r.everyTransport("authorization", "Bearer "+token, demoConference) {
			if got != want {
				t.Errorf("%s, by %s: got %v, want %v", name, transport, got, want)
			}
		}
		if strings.Contains(r.log.String(), token) {
			t.Error("the log contains a token")
		}
	}
	writer := oidctest.Claims{"groups": []string{"staff", "writer"}}
	expect("while the issuer is down", issuer.Token(writer), outcome{codes.Unavailable, apierror.IssuerUnavailable})
	issuer.SetDown(false)
	r.eventually("the issuer is up", func() bool {
		_, err := r.dial(nil).ListParticipants(r.with("authorization", "Bearer "+issuer.Token(writer)), &v2.ListParticipantsRequest{ConferenceId: demoConference})
		return err == nil
	})
	expect("a writer", issuer.Token(writer), outcome{code: codes.OK})
	expect("a user without a role", issuer.Token(nil), outcome{codes.PermissionDenied, apierror.RoleNotGranted})
	expect("another audience", issuer.Token(oidctest.Claims{"aud": "other"}), outcome{codes.Unauthenticated, apierror.CredentialInvalid})
	expect("expired", issuer.Token(oidctest.Claims{"exp": time.Now().Add(-time.Minute).Unix()}), outcome{codes.Unauthenticated, apierror.CredentialExpired})
	expect("no signature", issuer.ForgedToken("none", writer), outcome{codes.Unauthenticated, apierror.CredentialInvalid})
	expect("elsewhere", issuer.Token(oidctest.Claims{"groups": "writer", "conferences": []string{"conf_other"}}), outcome{codes.PermissionDenied, apierror.ConferenceNotGranted})
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
