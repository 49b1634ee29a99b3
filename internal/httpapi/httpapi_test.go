package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/wire"
)

func TestSuccessResponses(t *testing.T) {
	const dialing = `{"id":"part_1","conference_id":"","phone_number":"","name":"","role":"","status":"dialing","muted":false,"duration":0,"joined_at":null,"created_at":null}`
	held := strings.Replace(dialing, "dialing", "held", 1)
	for _, tt := range []struct {
		name, method, target, body string
		status                     int
		contentType, want          string
	}{
		{"add", "POST", participantsPath, `{"phone_number":"+12025551234"}`, 200, "application/json", dialing},
		{"remove", "DELETE", onePath, "", 204, "", ""},
		{"list", "GET", participantsPath, "", 200, "application/json", `{"participants":[],"total":2,"active":1,"next_page_token":""}`},
		{"head of a list", "HEAD", participantsPath, "", 200, "application/json", ""},
		{"get", "GET", onePath, "", 200, "application/json", held},
		{"head of a get", "HEAD", onePath, "", 200, "application/json", ""},
		{"mute", "POST", onePath + "/mute", "{}", 200, "application/json", held},
		{"mute all", "POST", muteAllPath, "{}", 204, "", ""},
		{"refresh", "POST", refreshPath, "{}", 204, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, handler(t, newFake(t)), tt.method, tt.target, tt.body, isJSONHeader, "TE: trailers")
			if got.Status != tt.status || got.Body != tt.want || got.Header.Get("Content-Type") != tt.contentType {
				t.Errorf("response = %+v", got)
			}
			if _, typed := got.Header["Content-Type"]; typed != (tt.contentType != "") {
				t.Errorf("headers = %v", got.Header)
			}
			if got.Header.Get("Cache-Control") != "no-store" || got.Header.Get("Transfer-Encoding") != "" {
				t.Errorf("headers = %v", got.Header)
			}
		})
	}
}

func TestRequestsReachTheService(t *testing.T) {
	var got []proto.Message
	service := newFake(t)
	add, remove, list := service.add, service.remove, service.list
	service.add = func(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
		got = append(got, r)
		return add(ctx, r)
	}
	service.remove = func(ctx context.Context, r *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
		got = append(got, r)
		return remove(ctx, r)
	}
	service.list = func(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		got = append(got, r)
		return list(ctx, r)
	}
	for _, tt := range []struct {
		method, target, body string
		want                 proto.Message
	}{
		{
			"POST", participantsPath, `{"phone_number":"+12025551234","role":"presenter","muted":false,"conference_id":"conf_1"}`,
			&v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234", Role: v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER},
		},
		{
			"POST", participantsPath, `{"phone_number":"+12025551234","validate_only":true,"wait_for_answer":true}`,
			&v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234", ValidateOnly: true, WaitForAnswer: true},
		},
		{"DELETE", onePath, `ignored`, &v2.RemoveParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}},
		{
			"GET", participantsPath + "?statuses=connected&statuses=PARTICIPANT_STATUS_HELD&page_size=5&page_token=t", "",
			&v2.ListParticipantsRequest{ConferenceId: "conf_1", PageSize: 5, PageToken: "t", Statuses: []v2.ParticipantStatus{
				v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, v2.ParticipantStatus_PARTICIPANT_STATUS_HELD,
			}},
		},
		// Percent-encoding is decoded once, and never changes the path.
		{"DELETE", "/v2/conferences/a%2Fb/participants/..%2f..", "", &v2.RemoveParticipantRequest{ConferenceId: "a/b", ParticipantId: "../.."}},
		{"GET", "/v2/conferences/a%252Fb/participants", "", &v2.ListParticipantsRequest{ConferenceId: "a%2Fb"}},
		{"GET", "/v2/conferences/../participants", "", &v2.ListParticipantsRequest{ConferenceId: ".."}},
		{"GET", "/v2/conferences//participants", "", &v2.ListParticipantsRequest{}},
		{"GET", "/v2/conferences/%0d%0aX:y/participants", "", &v2.ListParticipantsRequest{ConferenceId: "\r\nX:y"}},
		{"GET", "/v2/conferences/a.b@c~d-e_f/participants", "", &v2.ListParticipantsRequest{ConferenceId: "a.b@c~d-e_f"}},
	} {
		t.Run(tt.method+" "+tt.target, func(t *testing.T) {
			got = nil
			if response := call(t, handler(t, service), tt.method, tt.target, tt.body); response.Status >= 300 {
				t.Fatalf("response = %+v", response)
			}
			if len(got) != 1 || !proto.Equal(got[0], tt.want) {
				t.Errorf("requests = %v, want %v", got, tt.want)
			}
		})
	}
}

func TestRefusedRequests(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, body string
		headers                    []string
		status                     int
		// want are texts that the body contains.
		want []string
	}{
		{"unknown field", "POST", participantsPath, `{"phone":"+1"}`, []string{isJSONHeader}, 400, []string{`"INVALID_ARGUMENT"`, `"field":"phone"`, `"dialled":"no"`}},
		{"wrong type", "POST", participantsPath, `{"muted":"yes"}`, []string{isJSONHeader}, 400, []string{`"field":"muted"`}},
		{"trailing data", "POST", participantsPath, `{}{}`, []string{isJSONHeader}, 400, []string{`"field":"body"`}},
		{"another conference in the body", "POST", participantsPath, `{"conference_id":"conf_2"}`, []string{isJSONHeader}, 400, []string{`"field":"conference_id"`}},
		{"too large", "POST", participantsPath, `{"name":"` + strings.Repeat("x", wire.MaxRequest) + `"}`, []string{isJSONHeader}, 400, []string{`"BODY_TOO_LARGE"`, `"INVALID_ARGUMENT"`, `"dialled":"no"`}},
		{"form", "POST", participantsPath, `{}`, []string{"Content-Type: application/x-www-form-urlencoded"}, 400, []string{`"UNSUPPORTED_MEDIA_TYPE"`, `"INVALID_ARGUMENT"`}},
		{"plain text", "POST", participantsPath, `{}`, []string{"Content-Type: text/plain"}, 400, []string{`"UNSUPPORTED_MEDIA_TYPE"`}},
		{"method override", "POST", onePath, ``, []string{"Content-Type: application/x-www-form-urlencoded", "X-HTTP-Method-Override: DELETE"}, 405, []string{`"METHOD_NOT_ALLOWED"`}},
		{"query with a body", "POST", participantsPath + "?muted=true", `{}`, []string{isJSONHeader}, 400, []string{`"field":"muted"`}},
		{"unknown key", "GET", participantsPath + "?status=held", "", nil, 400, []string{`"field":"status"`}},
		{"credential in a query", "DELETE", onePath + "?auth_token=s3cret", "", nil, 400, []string{`"field":"auth_token"`}},
		{"broken query", "GET", participantsPath + "?page_size=%zz", "", nil, 400, []string{`"field":"query"`}},
		{"id with invalid UTF-8", "GET", "/v2/conferences/%ff/participants", "", nil, 400, []string{`"field":"conference_id"`}},
		{"deadline", "POST", participantsPath, "{}", []string{isJSONHeader, "Grpc-Timeout: soon"}, 400, []string{`"field":"grpc-timeout"`, `"dialled":"no"`}},
		{"unknown path", "GET", "/v2/conferences", "", nil, 404, []string{`"ROUTE_NOT_FOUND"`, `"NOT_FOUND"`}},
		{"unknown page", "GET", "/nothing", "", nil, 404, []string{`"ROUTE_NOT_FOUND"`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, handler(t, &fakeService{}), tt.method, tt.target, tt.body, tt.headers...)
			if got.Status != tt.status || got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Request-Id") == "" {
				t.Errorf("response = %+v, want status %d", got, tt.status)
			}
			for _, part := range tt.want {
				if !strings.Contains(got.Body, part) {
					t.Errorf("body = %s, want %s in it", got.Body, part)
				}
			}
			if strings.Contains(got.Body, "s3cret") {
				t.Errorf("body = %s contains the credential", got.Body)
			}
		})
	}
}

func TestBodyContentTypes(t *testing.T) {
	for _, contentType := range []string{"", "Content-Type: application/json", "Content-Type: application/json; charset=utf-8", "Content-Type: Application/JSON"} {
		var headers []string
		if contentType != "" {
			headers = append(headers, contentType)
		}
		if got := call(t, handler(t, newFake(t)), "POST", participantsPath, "{}", headers...); got.Status != 200 {
			t.Errorf("%q: response = %+v", contentType, got)
		}
	}
}

func TestMethodNotAllowed(t *testing.T) {
	h := handler(t, &fakeService{})
	for _, tt := range []struct{ target, allow string }{
		{participantsPath, "GET, HEAD, POST"},
		{"/v2/conferences/a%2Fb/participants", "GET, HEAD, POST"},
		{onePath, "DELETE, GET, HEAD"},
		{"/v2/conferences/a%2Fb/participants/c%2fd", "DELETE, GET, HEAD"},
		{watchedPath, "GET, HEAD"},
		{refreshPath, "POST"},
		{muteAllPath, "POST"},
		{onePath + "/mute", "POST"},
		{onePath + "/unmute", "POST"},
		{onePath + "/hold", "POST"},
		{onePath + "/resume", "POST"},
		{onePath + "/disconnect", "POST"},
		{participantsPath + "/mute/mute", "POST"},
		{participantsPath + "/mute", "DELETE, GET, HEAD"},
		{"/v2/conferences/x:refresh/participants/y:watch", "DELETE, GET, HEAD"},
	} {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			if slices.Contains(strings.Split(tt.allow, ", "), method) {
				continue
			}
			t.Run(method+" "+tt.target, func(t *testing.T) {
				got := call(t, h, method, tt.target, "")
				if got.Status != 405 || got.Header.Get("Allow") != tt.allow {
					t.Errorf("response = %+v, want 405 and Allow: %s", got, tt.allow)
				}
				if method != "HEAD" && !strings.Contains(got.Body, `"code":405,"status":"UNIMPLEMENTED"`) {
					t.Errorf("body = %s", got.Body)
				}
			})
		}
	}
}

func TestA05_ErrorsOfTheService(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		status int
		header [2]string
		body   string
	}{
		{
			"the upstream's status", &apierror.Error{Reason: apierror.PaymentRequired, Message: "pay", UpstreamStatus: 402, UpstreamRequestID: "req_1"}, 402,
			[2]string{},
			`{"error":{"code":402,"status":"FAILED_PRECONDITION","message":"pay","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UPSTREAM_PAYMENT_REQUIRED","domain":"participant-gateway","metadata":{"upstream_request_id":"req_1","upstream_status":"402"}}]}}`,
		},
		{
			"retry", &apierror.Error{Reason: apierror.UpstreamRateLimited, Message: "slow", RetryAfter: 1200 * time.Millisecond}, 429,
			[2]string{"Retry-After", "2"},
			`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"slow","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"UPSTREAM_RATE_LIMITED","domain":"participant-gateway","metadata":{}},{"@type":"type.googleapis.com/google.rpc.RetryInfo","retry_delay":"1.2s"}]}}`,
		},
		{
			"credential", &apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}, 401,
			[2]string{"WWW-Authenticate", "Bearer"},
			`{"error":{"code":401,"status":"UNAUTHENTICATED","message":"no credential","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"CREDENTIAL_MISSING","domain":"participant-gateway","metadata":{}}]}}`,
		},
		{
			"an unexpected error's text is not sent", errors.New("dial 10.0.0.1"), 500,
			[2]string{},
			`{"error":{"code":500,"status":"INTERNAL","message":"internal error","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"INTERNAL","domain":"participant-gateway","metadata":{}}]}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			service := newFake(t)
			service.list = func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
				return nil, tt.err
			}
			got := call(t, handler(t, service), "GET", participantsPath, "", "TE: trailers")
			if got.Status != tt.status || got.Body != tt.body || got.Header.Get(tt.header[0]) != tt.header[1] {
				t.Errorf("response = %+v\nwant %d %s", got, tt.status, tt.body)
			}
		})
	}
}

func TestResponseThatCannotBeEncodedIsAnError(t *testing.T) {
	service := newFake(t)
	service.list = func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		return &v2.ListParticipantsResponse{NextPageToken: "\xff"}, nil
	}
	got := call(t, handler(t, service), "GET", participantsPath, "", "TE: trailers")
	if got.Status != 500 || !strings.HasPrefix(got.Body, `{"error":{"code":500,`) {
		t.Errorf("response = %+v", got)
	}
}

// TestListsAtTheSameTime reads lists of different participants on several connections: none may have
// a part of another.
func TestListsAtTheSameTime(t *testing.T) {
	service := newFake(t)
	service.list = func(_ context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		list := &v2.ListParticipantsResponse{}
		for range 500 {
			list.Participants = append(list.Participants, &v2.Participant{Name: r.GetConferenceId()})
		}
		return list, nil
	}
	server := httptest.NewServer(handler(t, service))
	defer server.Close()
	var running sync.WaitGroup
	for _, conference := range []string{"first", "second", "third", "fourth"} {
		running.Go(func() {
			want := ""
			for range 20 {
				got, err := httpapitest.Call(t.Context(), server.URL, "GET", "/v2/conferences/"+conference+"/participants", "")
				if err != nil || strings.Count(got.Body, `"name":"`+conference+`"`) != 500 || want != "" && got.Body != want {
					t.Errorf("%s: status %d, %v, body %.200s", conference, got.Status, err, got.Body)
				}
				want = got.Body
			}
		})
	}
	running.Wait()
}

func TestA06_GrpcTimeoutIsADeadline(t *testing.T) {
	service := newFake(t)
	service.list = func(ctx context.Context, _ *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		<-ctx.Done()
		return nil, fmt.Errorf("list participants: %w", ctx.Err())
	}
	got := call(t, handler(t, service), "GET", participantsPath, "", "Grpc-Timeout: 5m")
	if got.Status != 504 || !strings.Contains(got.Body, `"DEADLINE_EXCEEDED"`) {
		t.Errorf("response = %+v", got)
	}
}

func TestPagesAreServedBesideTheAPI(t *testing.T) {
	h := handler(t, newFake(t))
	for target, want := range map[string]int{"/": 200, "/docs": 200, "/schema": 200, "/other": 404, participantsPath: 200} {
		if got := call(t, h, "GET", target, ""); got.Status != want {
			t.Errorf("GET %s = %+v, want %d", target, got, want)
		}
	}
}
