package grpcstatus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/audian/participant-gateway/internal/apierror"
)

func TestFrom(t *testing.T) {
	for _, tt := range []struct {
		name   string
		err    error
		code   codes.Code
		reason apierror.Reason
		text   string
	}{
		{"ours", &apierror.Error{Reason: apierror.ConferenceNotFound, Message: "no such conference", Cause: errors.New("secret")}, codes.NotFound, apierror.ConferenceNotFound, "no such conference"},
		{"ours, wrapped", fmt.Errorf("list participants: %w", &apierror.Error{Reason: apierror.BreakerOpen, Message: "m"}), codes.Unavailable, apierror.BreakerOpen, "m"},
		{"ours counts before its cause", &apierror.Error{Reason: apierror.AddOutcomeUnknown, Message: "m", Cause: context.DeadlineExceeded}, codes.Unknown, apierror.AddOutcomeUnknown, "m"},
		{"deadline", fmt.Errorf("wait: %w", context.DeadlineExceeded), codes.DeadlineExceeded, apierror.DeadlineExceeded, "the call's deadline has passed"},
		{"cancelled", context.Canceled, codes.Canceled, apierror.Cancelled, "the caller cancelled the call"},
		{"a status without a reason", status.Error(codes.InvalidArgument, "invalid grpc-timeout"), codes.InvalidArgument, apierror.InvalidRequest, "invalid grpc-timeout"},
		{"a status of ours, wrapped", fmt.Errorf("chain: %w", From(&apierror.Error{Reason: apierror.Draining, Message: "m"}).Err()), codes.Unavailable, apierror.Draining, "m"},
		{"unknown", errors.New("dial tcp 10.0.0.1: secret"), codes.Internal, apierror.Internal, "internal error"},
		{"no UTF-8", &apierror.Error{Reason: apierror.UpstreamRefused, Message: "\xff"}, codes.FailedPrecondition, apierror.UpstreamRefused, "\uFFFD"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			st := From(tt.err)
			if st.Code() != tt.code || st.Message() != tt.text || info(st).GetReason() != string(tt.reason) || info(st).GetDomain() != Domain {
				t.Errorf("From() = %v, want %s %s %q", st.Proto(), tt.code, tt.reason, tt.text)
			}
			if _, err := proto.Marshal(st.Proto()); err != nil {
				t.Errorf("the status cannot be sent: %v", err)
			}
		})
	}
	if st := From(nil); st.Code() != codes.OK {
		t.Errorf("From(nil) = %v", st)
	}
}

func TestA05_EveryReasonHasACode(t *testing.T) {
	reasons := declaredReasons(t)
	for reason := range reasons {
		if _, hasCode := reasonCodes[reason]; !hasCode {
			t.Errorf("%s has no code", reason)
		}
	}
	if len(reasons) != len(reasonCodes) {
		t.Errorf("%d reasons, %d codes", len(reasons), len(reasonCodes))
	}
}

func TestA05_HTTPStatus(t *testing.T) {
	for _, tt := range []struct {
		reason   apierror.Reason
		upstream int
		want     int
	}{
		{apierror.InvalidRequest, 0, http.StatusBadRequest},
		{apierror.MethodNotAllowed, 0, http.StatusMethodNotAllowed},
		{apierror.RouteNotFound, 0, http.StatusNotFound},
		{apierror.BodyTooLarge, 0, http.StatusBadRequest},
		{apierror.MediaType, 0, http.StatusBadRequest},
		{apierror.RequestIDReused, 0, http.StatusConflict},
		{apierror.CredentialMissing, 0, http.StatusUnauthorized},
		{apierror.UpstreamBadRequest, 400, 400},
		{apierror.UpstreamBadRequest, 422, 422},
		{apierror.PaymentRequired, 402, 402},
		{apierror.UpstreamForbidden, 403, 403},
		{apierror.ConferenceNotFound, 404, 404},
		{apierror.ConferenceFull, 409, 409},
		{apierror.UpstreamRateLimited, 429, 429},
		{apierror.UpstreamRefused, 410, 410},
		{apierror.CredentialRefused, 401, http.StatusInternalServerError},
		{apierror.UpstreamUnauthenticated, 401, http.StatusUnauthorized},
		{apierror.UpstreamUnavailable, 502, http.StatusServiceUnavailable},
		{apierror.UpstreamTimeout, 0, http.StatusGatewayTimeout},
		{apierror.UpstreamTimeout, 408, http.StatusGatewayTimeout},
		{apierror.UpstreamUnavailable, 401, http.StatusServiceUnavailable},
		{apierror.UpstreamUnavailable, 404, http.StatusServiceUnavailable},
		{apierror.UpstreamUnavailable, 407, http.StatusServiceUnavailable},
		{apierror.UpstreamUnavailable, 421, http.StatusServiceUnavailable},
		{apierror.AddOutcomeUnknown, 403, http.StatusInternalServerError},
		{apierror.AddOutcomeUnknown, 408, http.StatusInternalServerError},
		{apierror.DeadlineExceeded, 404, http.StatusGatewayTimeout},
		{apierror.UpstreamUndecodable, 404, http.StatusInternalServerError},
		{apierror.Cancelled, 0, 499},
	} {
		t.Run(fmt.Sprintf("%s %d", tt.reason, tt.upstream), func(t *testing.T) {
			if got := HTTPStatus(From(&apierror.Error{Reason: tt.reason, UpstreamStatus: tt.upstream})); got != tt.want {
				t.Errorf("HTTPStatus() = %d, want %d", got, tt.want)
			}
		})
	}
}

// TestA05_StatusesThatAreNeverForwarded covers the upstream statuses to which HTTP clients
// react by themselves.
func TestA05_StatusesThatAreNeverForwarded(t *testing.T) {
	for reason := range reasonCodes {
		for _, number := range []int{401, 407, 408, 411, 417, 421, 425, 426} {
			got := HTTPStatus(From(&apierror.Error{Reason: reason, UpstreamStatus: number}))
			if want := HTTPStatus(From(&apierror.Error{Reason: reason})); got != want {
				t.Errorf("%s with %d: HTTP %d, want %d", reason, number, got, want)
			}
		}
	}
}

func TestHTTPBody(t *testing.T) {
	const typed = `"@type":"type.googleapis.com/google.rpc.`
	for _, tt := range []struct {
		name string
		err  *apierror.Error
		want string
	}{
		{
			"fields at fault",
			&apierror.Error{Reason: apierror.InvalidRequest, Message: "m", Dialled: apierror.DialledNo, Violations: []apierror.Violation{{Field: "name", Rule: "name.length", Message: "too \"long\""}}},
			`{"error":{"code":400,"status":"INVALID_ARGUMENT","message":"m","details":[` +
				`{` + typed + `ErrorInfo","reason":"INVALID_REQUEST","domain":"participant-gateway","metadata":{"dialled":"no"}},` +
				`{` + typed + `BadRequest","field_violations":[{"field":"name","description":"too \"long\"","reason":"NAME_LENGTH"}]}]}}`,
		},
		{
			"paced (A3)",
			&apierror.Error{Reason: apierror.AddRateLimited, Message: "m", Dialled: apierror.DialledNo, RetryAfter: 1500 * time.Millisecond},
			`{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"m","details":[` +
				`{` + typed + `ErrorInfo","reason":"ADD_RATE_LIMITED","domain":"participant-gateway","metadata":{"dialled":"no"}},` +
				`{` + typed + `RetryInfo","retry_delay":"1.5s"},` +
				`{` + typed + `QuotaFailure","violations":[{"subject":"upstream account","description":"the upstream takes 10 adds a second for an account"}]}]}}`,
		},
		{
			"the upstream's",
			&apierror.Error{Reason: apierror.ConferenceFull, Message: "full", UpstreamStatus: 409, UpstreamRequestID: "req_1", Dialled: apierror.DialledNo},
			`{"error":{"code":409,"status":"FAILED_PRECONDITION","message":"full","details":[` +
				`{` + typed + `ErrorInfo","reason":"CONFERENCE_FULL","domain":"participant-gateway","metadata":{"dialled":"no","upstream_request_id":"req_1","upstream_status":"409"}}]}}`,
		},
		{
			"cancelled is spelt as gRPC spells it", &apierror.Error{Reason: apierror.Cancelled, Message: "m"},
			`{"error":{"code":499,"status":"CANCELLED","message":"m","details":[{` + typed + `ErrorInfo","reason":"CANCELLED","domain":"participant-gateway","metadata":{}}]}}`,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := HTTPBody(From(tt.err)); string(got) != tt.want {
				t.Errorf("HTTPBody() = %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestHTTPBodyReplacesInvalidUTF8(t *testing.T) {
	if got := string(HTTPBody(status.New(codes.Internal, "\xff"))); !strings.Contains(got, `"message":"`+"\uFFFD"+`"`) {
		t.Errorf("HTTPBody() = %s", got)
	}
}

func TestFromBoundsViolations(t *testing.T) {
	err := &apierror.Error{Reason: apierror.InvalidRequest, Violations: make([]apierror.Violation, 30)}
	if body := string(HTTPBody(From(err))); strings.Count(body, `"field":`) != 20 {
		t.Errorf("HTTPBody() = %s", body)
	}
}

func TestRetryDelay(t *testing.T) {
	for _, delay := range []time.Duration{0, 2500 * time.Millisecond} {
		if got := RetryDelay(From(&apierror.Error{Reason: apierror.Draining, RetryAfter: delay})); got != delay {
			t.Errorf("RetryDelay() = %v, want %v", got, delay)
		}
	}
}
