package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/schema"
)

func TestServiceConfigIsThePublishedOne(t *testing.T) {
	var ours, published map[string]any
	for text, into := range map[string]*map[string]any{serviceConfig: &ours, schema.ServiceConfig: &published} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	delete(ours, "loadBalancingConfig")
	if !reflect.DeepEqual(ours, published) {
		t.Errorf("the client has %v, published is %v", ours, published)
	}
}

func TestNewRefusesACredentialOverPlaintext(t *testing.T) {
	for _, test := range []struct {
		target  string
		options []Option
		refused bool
	}{
		{"gateway.example:9090", []Option{WithKey("k")}, true},
		{"gateway.example:9090", []Option{nextCredential("k")}, true},
		{"gateway.example:9090", []Option{WithKey("k"), WithTLS(nil)}, false},
		{"gateway.example:9090", []Option{WithKey("k"), WithInsecureCredential()}, false},
		{"gateway.example:9090", []Option{WithKey("")}, false},
		{"gateway.example:9090", nil, false},
		{"127.0.0.1:9090", []Option{WithKey("k")}, false},
		{"dns:///localhost:9090", []Option{WithKey("k")}, false},
		{"[::1]:9090", []Option{WithKey("k")}, false},
		{"[::ffff:127.0.0.1]:9090", []Option{WithKey("k")}, false},
		{"unix:///run/gateway.sock", []Option{WithKey("k")}, false},
		{"dns://192.0.2.1/localhost:9090", []Option{WithKey("k")}, true},
		{"localhost.example:9090", []Option{WithKey("k")}, true},
		{"192.0.2.1:9090", []Option{WithKey("k")}, true},
	} {
		c, err := New(test.target, test.options...)
		if own, ok := AsError(err); test.refused != (ok && own.Code == codes.InvalidArgument) {
			t.Errorf("%s: %v, refused should be %t", test.target, err, test.refused)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func TestNewRefusesInvalidOptions(t *testing.T) {
	_, err := New("127.0.0.1:9090", WithDialOptions(grpc.WithDefaultServiceConfig("{")))
	if own, ok := AsError(err); !ok || own.Code != codes.InvalidArgument {
		t.Errorf("got %v", err)
	}
}

// listOnce returns the error of one list.
func listOnce(t *testing.T, c *Client) error {
	t.Helper()
	_, err := c.Service().ListParticipants(t.Context(), &v2.ListParticipantsRequest{})
	return err
}

func emptyList(*v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return &v2.ListParticipantsResponse{}, nil
}

func TestCallsHaveTheCredential(t *testing.T) {
	for _, test := range []struct {
		name   string
		option Option
		want   []string
		code   codes.Code
		reason string
	}{
		{"a key", WithKey("k"), []string{"Bearer k"}, codes.OK, ""},
		{"no key", WithKey(""), []string{""}, codes.OK, ""},
		{"a function", nextCredential("a"), []string{"Bearer a"}, codes.OK, ""},
		{"a newline", WithKey("secret\n"), nil, codes.Unauthenticated, ""},
		{"no credential", failingCredential(errors.New("no token")), nil, codes.Unavailable, ReasonCredentialUnavailable},
		{"a status", failingCredential(status.Error(codes.PermissionDenied, "no")), nil, codes.PermissionDenied, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := &gateway{list: emptyList}
				err := listOnce(t, g.serve(t, test.option))
				own, _ := AsError(err)
				if status.Code(err) != test.code || own != nil && own.Reason != test.reason {
					t.Errorf("got %v", err)
				}
				if strings.Contains(fmt.Sprint(err), "secret") {
					t.Errorf("the error contains the credential: %v", err)
				}
				equal(t, "credentials", g.authorizations, test.want)
			})
		})
	}
}

func failingCredential(err error) Option {
	return WithCredential(func(context.Context) (string, error) { return "", err })
}

func TestErrorsOfTheServiceAreTyped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &gateway{list: func(*v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
			return nil, refusal(codes.InvalidArgument, "INVALID_REQUEST", "no", retryInfo(1500*time.Millisecond),
				&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "page_size", Description: "must not be negative"}}})
		}}
		err := listOnce(t, g.serve(t))
		var own *Error
		if !errors.As(err, &own) {
			t.Fatalf("got %v", err)
		}
		got := *own
		got.status = nil
		want := Error{
			Code: codes.InvalidArgument, Message: "scripted", Reason: "INVALID_REQUEST", Metadata: map[string]string{"dialled": "no"},
			Dialled: DialledNo, FieldViolations: []FieldViolation{{"page_size", "must not be negative"}}, RetryDelay: 1500 * time.Millisecond,
		}
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Errorf("got %#v", got)
		}
		if st, ok := status.FromError(err); !ok || len(st.Details()) != 3 {
			t.Errorf("the status is %v", st)
		}
		if text := err.Error(); text != "InvalidArgument: INVALID_REQUEST: scripted" {
			t.Errorf("the text is %q", text)
		}
	})
}

func TestAsError(t *testing.T) {
	foreign := detailed(codes.Aborted, &errdetails.ErrorInfo{Reason: "X", Domain: "other.example"})
	for _, test := range []struct {
		name string
		err  error
		code codes.Code
		ok   bool
	}{
		{"nil", nil, codes.OK, false},
		{"no status", errors.New("x"), codes.OK, false},
		{"a status", status.Error(codes.Aborted, "x"), codes.Aborted, true},
		{"a wrapped status", fmt.Errorf("list: %w", status.Error(codes.Aborted, "x")), codes.Aborted, true},
		{"a wrapped Error", fmt.Errorf("list: %w", &Error{Code: codes.Aborted}), codes.Aborted, true},
		{"a reason of somebody else", foreign, codes.Aborted, true},
	} {
		own, ok := AsError(test.err)
		if ok != test.ok || ok && (own.Code != test.code || own.Reason != "") {
			t.Errorf("%s: %+v, %t", test.name, own, ok)
		}
	}
	if code := status.Code(&Error{Code: codes.DataLoss}); code != codes.DataLoss {
		t.Errorf("the status of an own error is %v", code)
	}
}

func TestListPages(t *testing.T) {
	for _, test := range []struct {
		name   string
		fail   string
		want   []string
		failed bool
	}{
		{"all", "none", []string{"", "2", "3"}, false},
		{"an error ends it", "2", []string{"", "2"}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var tokens []string
				next := map[string]string{"": "2", "2": "3"}
				g := &gateway{list: func(r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
					tokens = append(tokens, r.GetPageToken())
					if r.GetPageToken() == test.fail {
						return nil, status.Error(codes.NotFound, "")
					}
					return &v2.ListParticipantsResponse{NextPageToken: next[r.GetPageToken()]}, nil
				}}
				request := &v2.ListParticipantsRequest{PageSize: 1}
				var last error
				for _, err := range g.serve(t).ListPages(t.Context(), request) {
					last = err
				}
				equal(t, "page tokens", tokens, test.want)
				if test.failed != (last != nil) || request.GetPageToken() != "" {
					t.Errorf("ended with %v, the request is %v", last, request)
				}
			})
		})
	}
}
