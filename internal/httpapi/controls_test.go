package httpapi

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

const formHeader = "Content-Type: application/x-www-form-urlencoded"

func TestA08_AControlsBodyIsEmptyOrAnEmptyObject(t *testing.T) {
	h := handler(t, newFake(t))
	for _, tt := range []struct {
		name, body string
		headers    []string
	}{
		{"nothing", "", nil},
		{"nothing, as JSON", "", []string{isJSONHeader}},
		{"nothing, as a form", "", []string{formHeader}},
		{"nothing, as text", "", []string{"Content-Type: text/plain"}},
		{"nothing, of an invalid type", "", []string{"Content-Type: ;"}},
		{"nothing, as gzip", "", []string{"Content-Encoding: gzip"}},
		{"nothing in gzip", gzipped(""), []string{"Content-Encoding: gzip"}},
		{"an object", "{}", []string{isJSONHeader}},
		{"an object of no type", " { }\n", nil},
		{"an object in gzip", gzipped("{}"), []string{isJSONHeader, "Content-Encoding: gzip"}},
		{"a byte order mark", "\ufeff{}", []string{isJSONHeader}},
		{"a key of an add", "{}", []string{isJSONHeader, "Idempotency-Key: k"}},
		{"the id of the path", `{"conference_id":"conf_1"}`, []string{isJSONHeader}},
	} {
		for path, withParticipant := range controlPaths {
			t.Run(tt.name+" "+path, func(t *testing.T) {
				got := call(t, h, "POST", path, tt.body, tt.headers...)
				if want := map[bool]int{true: 200, false: 204}[withParticipant]; got.Status != want {
					t.Errorf("response = %+v, want %d", got, want)
				}
			})
		}
	}
}

func TestA08_OtherBodiesOfAControlAreRefused(t *testing.T) {
	service := newFake(t)
	service.other = func(context.Context, proto.Message) (*v2.Participant, error) {
		t.Error("the service was called")
		return nil, context.Canceled
	}
	h := handler(t, service, func(o *Options) { o.CheckHosts = true })
	for _, tt := range []struct {
		name, body, query string
		headers           []string
		status            int
		want              string
	}{
		{"unknown field", `{"muted":true}`, "", nil, 400, `"field":"muted"`},
		{"a field of an add", `{"request_id":"r1"}`, "", nil, 400, `"field":"request_id"`},
		{"another conference", `{"conference_id":"conf_2"}`, "", nil, 400, `"field":"conference_id"`},
		{"an id of another type", `{"conference_id":1}`, "", nil, 400, `"field":"conference_id"`},
		{"trailing data", `{}{}`, "", nil, 400, `"field":"body"`},
		{"cut off", `{`, "", nil, 400, `"field":"body"`},
		{"blanks", "  ", "", nil, 400, `"field":"body"`},
		{"a list", `[]`, "", nil, 400, `"field":"body"`},
		{"null", `null`, "", nil, 400, `"field":"body"`},
		{"a text", `"mute"`, "", nil, 400, `"field":"body"`},
		{"query", ``, "?muted=true", nil, 400, `"field":"muted"`},
		{"an id in the query", ``, "?conference_id=conf_1", nil, 400, `"field":"conference_id"`},
		{"a credential in the query", ``, "?auth_token=x", nil, 400, `"field":"auth_token"`},
		{"a form", `{}`, "", []string{formHeader}, 400, `"UNSUPPORTED_MEDIA_TYPE"`},
		{"no gzip", `{}`, "", []string{"Content-Encoding: gzip"}, 400, `"field":"body"`},
		{"deflate", `{}`, "", []string{"Content-Encoding: deflate"}, 415, `"UNSUPPORTED_ENCODING"`},
		{"too large", strings.Repeat(" ", 65<<10), "", nil, 400, `"BODY_TOO_LARGE"`},
		{"a foreign page", ``, "", []string{"Origin: https://evil.example"}, 403, `"ORIGIN_REFUSED"`},
		{"a foreign site", ``, "", []string{"Sec-Fetch-Site: cross-site"}, 403, `"ORIGIN_REFUSED"`},
		{"a foreign host", ``, "", []string{"Host: evil.example"}, 403, `"HOST_REFUSED"`},
		{"an invalid deadline", ``, "", []string{"Grpc-Timeout: soon"}, 400, `"field":"grpc-timeout"`},
		{"a deadline that has passed", ``, "", []string{"Grpc-Timeout: 0S"}, 504, `"DEADLINE_EXCEEDED"`},
		{"large headers", ``, "", []string{"X-Large: " + strings.Repeat("a", 33<<10)}, 431, `"HEADERS_TOO_LARGE"`},
	} {
		for path := range controlPaths {
			t.Run(tt.name+" "+path, func(t *testing.T) {
				got := call(t, h, "POST", path+tt.query, tt.body, tt.headers...)
				if got.Status != tt.status || !strings.Contains(got.Body, tt.want) {
					t.Errorf("response = %+v, want %d and %s", got, tt.status, tt.want)
				}
				if strings.Contains(got.Body, "dialled") {
					t.Errorf("the error of a call that dials nobody contains dialled: %s", got.Body)
				}
			})
		}
	}
}

func TestA08_APanicOfAControlIsAnswered(t *testing.T) {
	service := newFake(t)
	service.other = func(context.Context, proto.Message) (*v2.Participant, error) { panic("no reason") }
	for path := range controlPaths {
		got := call(t, handler(t, service), "POST", path, "")
		if got.Status != 500 || !strings.Contains(got.Body, `"INTERNAL"`) || strings.Contains(got.Body, "dialled") {
			t.Errorf("%s: response = %+v", path, got)
		}
	}
}

func TestA08_AControlWithoutAParticipantAnswers204(t *testing.T) {
	service := newFake(t)
	var none *v2.Participant
	service.other = func(context.Context, proto.Message) (*v2.Participant, error) { return none, nil }
	h := handler(t, service)
	for path := range controlPaths {
		for _, headers := range [][]string{nil, {"TE: trailers"}} {
			got := call(t, h, "POST", path, "", headers...)
			if got.Status != 204 || got.Body != "" || got.Header.Values("Content-Type") != nil {
				t.Errorf("%s: response = %+v", path, got)
			}
		}
	}
}

func TestA08_MethodOverrideDoesNotChangeAControl(t *testing.T) {
	var got proto.Message
	service := newFake(t)
	service.other = func(_ context.Context, r proto.Message) (*v2.Participant, error) {
		got = r
		return &v2.Participant{}, nil
	}
	call(t, handler(t, service), "POST", onePath+"/mute", "", formHeader, "X-HTTP-Method-Override: DELETE")
	if _, isMute := got.(*v2.MuteParticipantRequest); !isMute {
		t.Errorf("the service received %T", got)
	}
}

func TestA08_ErrorsOfAControl(t *testing.T) {
	service := newFake(t)
	service.other = func(context.Context, proto.Message) (*v2.Participant, error) {
		return nil, &apierror.Error{Reason: apierror.UpstreamConflict, Message: "not possible while disconnected", UpstreamStatus: 409}
	}
	for path := range controlPaths {
		got := call(t, handler(t, service), "POST", path, "")
		if got.Status != 409 || !strings.Contains(got.Body, `"UPSTREAM_CONFLICT"`) || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: response = %+v", path, got)
		}
	}
}

func TestA07_TheSourceOfAParticipantIsAHeader(t *testing.T) {
	trusted := func(o *Options) { o.AllowedOrigins = []string{"https://app.example.com"} }
	for _, source := range []string{"feed", "list"} {
		service := newFake(t)
		service.other = func(ctx context.Context, _ proto.Message) (*v2.Participant, error) {
			return &v2.Participant{}, grpc.SetHeader(ctx, metadata.Pairs("participant-source", source))
		}
		for _, method := range []string{"GET", "HEAD"} {
			got := call(t, handler(t, service, trusted), method, onePath, "", "Origin: https://app.example.com")
			if values := got.Header.Values("Participant-Source"); fmt.Sprint(values) != "["+source+"]" {
				t.Errorf("%s: Participant-Source = %q", method, values)
			}
			if exposed := got.Header.Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "Participant-Source") {
				t.Errorf("exposed headers = %q", exposed)
			}
		}
	}
}

func TestA07_AGetTakesNoQuery(t *testing.T) {
	for _, query := range []string{"?statuses=held", "?auth_token=x", "?conference_id=conf_2", "?x"} {
		got := call(t, handler(t, newFake(t)), "GET", onePath+query, "")
		if got.Status != 400 || !strings.Contains(got.Body, `"INVALID_REQUEST"`) {
			t.Errorf("%s: response = %+v", query, got)
		}
	}
}
