package connectrpc_test

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
)

func TestUnaryCallsOverEachProtocol(t *testing.T) {
	at := serve(t, newFake())
	for name, options := range protocols {
		t.Run(name, func(t *testing.T) {
			add := client[v2.AddParticipantRequest, v2.AddParticipantResponse](t, at, addPath, options...)
			got, err := add.CallUnary(t.Context(), connect.NewRequest(&v2.AddParticipantRequest{
				ConferenceId: "conf_1", Name: strings.Repeat("Ada ", 1000), Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER,
			}))
			if err != nil {
				t.Fatal(err)
			}
			want := &v2.Participant{Id: "part_1", Name: strings.Repeat("Ada ", 1000), Role: v2.ParticipantRole_PARTICIPANT_ROLE_LISTENER}
			if !proto.Equal(got.Msg.GetParticipant(), want) {
				t.Errorf("got %v", got.Msg)
			}
			list := client[v2.ListParticipantsRequest, v2.ListParticipantsResponse](t, at, listPath,
				append(options, connect.WithHTTPGet(), connect.WithIdempotency(connect.IdempotencyNoSideEffects))...)
			if got, err := list.CallUnary(t.Context(), connect.NewRequest(&v2.ListParticipantsRequest{})); err != nil || got.Msg.GetTotal() != 2 {
				t.Errorf("list: %v, %v", got, err)
			}
		})
	}
}

// An HTTP client needs only JSON.
func TestConnectJSON(t *testing.T) {
	at := serve(t, newFake())
	for _, test := range []struct {
		name, method, target, body string
		headers                    []string
		status                     int
		want                       []string
	}{
		{"add", "POST", addPath, `{"conferenceId":"c","name":"Ada","role":"PARTICIPANT_ROLE_LISTENER"}`, []string{isJSON}, 200, []string{`"name":"Ada"`, `"PARTICIPANT_ROLE_LISTENER"`}},
		{"the proto's own names", "POST", listPath, `{"conference_id":"c"}`, []string{"Content-Type: application/json; charset=utf-8"}, 200, []string{`"conferenceId":"c"`}},
		{"a read by GET", "GET", listPath + "?encoding=json&message=" + url.QueryEscape(`{"conferenceId":"c"}`), "", nil, 200, []string{`"conferenceId":"c"`}},
		{"no write by GET", "GET", addPath + "?encoding=json&message=" + url.QueryEscape(`{"conferenceId":"c"}`), "", nil, 405, nil},
		{"a method that there is not", "POST", connectrpc.Pattern + "Mute", "{}", []string{isJSON}, 501, []string{`"unimplemented"`, `"METHOD_NOT_ALLOWED"`}},
		{"a form, which foreign pages can send", "POST", addPath, "{}", []string{"Content-Type: text/plain"}, 415, nil},
		{"not JSON", "POST", addPath, "{", []string{isJSON}, 400, []string{`"invalid_argument"`, `"field":"body"`, `"dialled":"no"`}},
		{"nothing", "POST", addPath, "", []string{isJSON}, 400, []string{`"field":"body"`}},
		{"fields", "POST", addPath, `{"requestID":"a","muted":"yes"}`, []string{isJSON}, 400, []string{`"field":"requestID"`, `"field":"muted"`, `"dialled":"no"`}},
		{"no protobuf", "POST", addPath, "\xff", []string{"Content-Type: application/proto"}, 400, []string{`"field":"body"`, `"dialled":"no"`}},
		{"too large", "POST", addPath, `{"name":"` + strings.Repeat("x", 64<<10) + `"}`, []string{isJSON}, 400, []string{`"BODY_TOO_LARGE"`, `"dialled":"no"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := call(t, at, test.method, test.target, test.body, test.headers...)
			if got.Status != test.status {
				t.Errorf("response = %+v, want %d", got, test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(strings.ReplaceAll(got.Body, `": "`, `":"`), want) {
					t.Errorf("body = %s, want %s", got.Body, want)
				}
			}
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("X-Request-Id") == "" {
				t.Errorf("headers = %v", got.Header)
			}
		})
	}
}

// A caller without a credential learns nothing about requests. Refusals are counted.
func TestUnauthenticatedCallersAreRefusedFirst(t *testing.T) {
	var counted []apierror.Reason
	at := serve(t, newFake(), requireToken, func(o *httpapi.Options) {
		o.OnRefused = func(reason apierror.Reason) { counted = append(counted, reason) }
	})
	large := `{"name":"` + strings.Repeat("x", 64<<10) + `"}`
	for _, body := range []string{"{", large} {
		if got := call(t, at, "POST", addPath, body, isJSON); got.Status != 401 || !strings.Contains(got.Body, `"CREDENTIAL_MISSING"`) || !strings.Contains(got.Body, `"dialled":"no"`) {
			t.Errorf("without a credential: %+v", got)
		}
		if got := call(t, at, "POST", addPath, body, isJSON, "X-Auth-Token: a"); got.Status != 400 {
			t.Errorf("a caller: %+v", got)
		}
	}
	want := []apierror.Reason{apierror.CredentialMissing, apierror.InvalidRequest, apierror.CredentialMissing, apierror.BodyTooLarge}
	if !slices.Equal(counted, want) {
		t.Errorf("counted %v", counted)
	}
}

func TestErrorsHaveTheirDetails(t *testing.T) {
	refused := &apierror.Error{
		Reason: apierror.AddRateLimited, Message: "wait", Dialled: apierror.DialledNo, RetryAfter: 2 * time.Second,
		Violations: []apierror.Violation{{Field: "name", Rule: "r", Message: "m"}},
	}
	service := newFake()
	service.add = func(ctx context.Context, _ *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
		_ = grpc.SetHeader(ctx, metadata.Pairs("idempotency-replayed", "true", "x-internal", "1"))
		return nil, refused
	}
	service.watch = func(*v2.WatchParticipantsRequest, grpc.ServerStream) error { return refused }
	at := serve(t, service)
	for name, options := range protocols {
		add := client[v2.AddParticipantRequest, v2.AddParticipantResponse](t, at, addPath, options...)
		_, unary := add.CallUnary(t.Context(), connect.NewRequest(&v2.AddParticipantRequest{}))
		watching := client[v2.WatchParticipantsRequest, v2.WatchParticipantsResponse](t, at, watchPath, options...)
		stream, err := watching.CallServerStream(t.Context(), connect.NewRequest(&v2.WatchParticipantsRequest{}))
		if err != nil {
			t.Fatal(err)
		}
		stream.Receive()
		for _, err := range []error{unary, stream.Err()} {
			got := detailsOf(t, err)
			if got.code != connect.CodeResourceExhausted || got.info.GetReason() != "ADD_RATE_LIMITED" || got.info.GetMetadata()["dialled"] != "no" ||
				got.bad.GetFieldViolations()[0].GetField() != "name" || got.retry.GetRetryDelay().AsDuration() != 2*time.Second {
				t.Errorf("%s: %v: %+v", name, err, got)
			}
		}
	}
	got := call(t, at, "POST", addPath, "{}", isJSON)
	if got.Status != 429 || got.Header.Get("Idempotency-Replayed") != "true" || got.Header.Get("Retry-After") != "2" || got.Header.Get("X-Internal") != "" {
		t.Errorf("response = %+v", got)
	}
}

func TestHeadersReachTheService(t *testing.T) {
	const trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	var got metadata.MD
	var from string
	var bounded bool
	service := newFake()
	see := func(ctx context.Context) {
		got, _ = metadata.FromIncomingContext(ctx)
		known, _ := peer.FromContext(ctx)
		from = known.Addr.String()
		_, bounded = ctx.Deadline()
	}
	service.list = func(ctx context.Context, _ *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		see(ctx)
		return &v2.ListParticipantsResponse{}, nil
	}
	service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		see(s.Context())
		return nil
	}
	at := serve(t, service)
	for target, sent := range map[string][]string{
		listPath:  {isJSON, "Connect-Timeout-Ms: 5000"},
		watchPath: {"Content-Type: application/grpc-web", "Grpc-Timeout: 5S"},
	} {
		body := map[string]string{listPath: "{}", watchPath: "\x00\x00\x00\x00\x00"}[target]
		response := call(t, at, "POST", target, body, append(sent, "Authorization: Bearer a", "X-Auth-Token: b", "X-Auth-Token: c",
			"X-Request-Id: d", "Traceparent: "+trace, "X-Forwarded-For: 10.0.0.1", "Grpc-Metadata-X-Role: writer", "X-Role: writer", "Cookie: x")...)
		want := metadata.MD{"authorization": {"Bearer a"}, "x-auth-token": {"b", "c"}, "x-request-id": {"d"}, "traceparent": {trace}}
		if len(got) != len(want) {
			t.Errorf("%s: metadata = %v", target, got)
		}
		for key, values := range want {
			if !slices.Equal(got[key], values) {
				t.Errorf("%s: %s = %v", target, key, got[key])
			}
		}
		if !strings.HasPrefix(from, "127.0.0.1:") || !bounded {
			t.Errorf("%s: peer %s, deadline %t", target, from, bounded)
		}
		if response.Header.Get("X-Request-Id") != "d" || response.Header.Get("Traceparent") != trace {
			t.Errorf("%s: headers = %v", target, response.Header)
		}
	}
}

func TestPortGuardsApply(t *testing.T) {
	at := serve(t, newFake())
	for _, test := range []struct {
		name, method string
		headers      []string
		status       int
		allow        string
	}{
		{"no browser", "POST", []string{isJSON}, 200, ""},
		{"a foreign host", "POST", []string{isJSON, "Host: evil.example"}, 403, ""},
		{"a foreign page", "POST", []string{isJSON, "Origin: https://evil.example"}, 403, ""},
		{"an allowed page", "POST", []string{isJSON, "Origin: https://app.example.com"}, 200, "https://app.example.com"},
		{"its preflight", "OPTIONS", []string{
			"Origin: https://app.example.com", "Access-Control-Request-Method: POST",
			"Access-Control-Request-Headers: connect-protocol-version,content-type,x-grpc-web",
		}, 204, "https://app.example.com"},
	} {
		got := call(t, at, test.method, listPath, "{}", test.headers...)
		if got.Status != test.status || got.Header.Get("Access-Control-Allow-Origin") != test.allow {
			t.Errorf("%s: response = %+v", test.name, got)
		}
		if test.status == 204 && !strings.Contains(got.Header.Get("Access-Control-Allow-Headers"), "connect-protocol-version") {
			t.Errorf("%s: headers = %v", test.name, got.Header)
		}
		if exposed := got.Header.Get("Access-Control-Expose-Headers"); test.status == 200 && test.allow != "" && !strings.Contains(exposed, "Grpc-Status-Details-Bin") {
			t.Errorf("%s: exposed %q", test.name, exposed)
		}
	}
}
