package e2e_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// wantStatus checks the code and the reason of an error, and returns its metadata.
func wantStatus(t *testing.T, err error, code, reason string) map[string]string {
	t.Helper()
	st := status.Convert(err)
	info := detail[*errdetails.ErrorInfo](st)
	if st.Code().String() != code || info.GetReason() != reason || info.GetDomain() != "participant-gateway" {
		t.Errorf("got %s %v, want %s %s", st.Code(), info, code, reason)
	}
	return info.GetMetadata()
}

func detail[D any](st *status.Status) (found D) {
	for _, one := range st.Details() {
		if one, ok := one.(D); ok {
			return one
		}
	}
	return found
}

func TestA04_AllViolationsAreReportedAndNothingIsDialled(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	_, err := g.client.AddParticipant(g.context(), &v2.AddParticipantRequest{
		ConferenceId: "a/b", PhoneNumber: "12", Name: strings.Repeat("n", 101), Role: 7, RequestId: "\x01",
	})
	wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST")
	var fields []string
	for _, violation := range detail[*errdetails.BadRequest](status.Convert(err)).GetFieldViolations() {
		fields = append(fields, violation.GetField())
	}
	slices.Sort(fields)
	if want := []string{"conference_id", "name", "phone_number", "request_id", "role"}; !slices.Equal(fields, want) {
		t.Errorf("violations: got %v, want %v", fields, want)
	}

	got := g.call("POST", path(""), `{"phone_number":"12","name":"`+strings.Repeat("n", 101)+`"}`)
	reason, fields := failure(t, got)
	slices.Sort(fields)
	if got.status != http.StatusBadRequest || reason != "INVALID_REQUEST" || !slices.Equal(fields, []string{"name", "phone_number"}) {
		t.Errorf("over HTTP: got %d %s", got.status, got.body)
	}
	if requests := g.upstream.History(); len(requests) != 0 {
		t.Errorf("upstream requests: %+v", requests)
	}
}

func TestREST_InvalidRequests(t *testing.T) {
	g := start(t, simulator.Options{})
	const number = `"phone_number":"+12025551234"`
	for name, test := range map[string]struct{ method, target, body, field string }{
		"unknown field":       {"POST", path(""), `{` + number + `,"nickname":"x"}`, "nickname"},
		"trailing data":       {"POST", path(""), `{` + number + `} {}`, "body"},
		"wrong type":          {"POST", path(""), `{` + number + `,"muted":"yes"}`, "muted"},
		"unknown role":        {"POST", path(""), `{` + number + `,"role":"boss"}`, "role"},
		"another conference":  {"POST", path(""), `{` + number + `,"conference_id":"x"}`, "conference_id"},
		"unknown query key":   {"GET", path("?status=held"), "", "status"},
		"unspecified status":  {"GET", path("?statuses=unspecified"), "", "statuses"},
		"credential in query": {"GET", path("?token=x"), "", "token"},
		"negative page size":  {"GET", path("?page_size=-1"), "", "page_size"},
		"heartbeat too short": {"GET", path(":watch?heartbeat_interval=1s"), "", "heartbeat_interval"},
		"no resume token":     {"GET", path(":watch?resume_token=x"), "", "resume_token"},
	} {
		t.Run(name, func(t *testing.T) {
			got := g.call(test.method, test.target, test.body)
			_, fields := failure(t, got)
			named := slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(field, test.field) })
			if got.status != http.StatusBadRequest || !named {
				t.Errorf("got %d %s", got.status, got.body)
			}
			if test.method == "POST" && dialled(t, got) != "no" {
				t.Error("dialled is not \"no\"")
			}
		})
	}
	if requests := g.upstream.History(); len(requests) != 0 {
		t.Errorf("upstream requests: %+v", requests)
	}
}

func TestA04_IDsCannotChangeTheUpstreamPath(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	for _, id := range []string{"..", ".", "%2e%2e", "a%2Fb", "a%5Cb", "..%2F..%2Fadmin", "%00", "%C2%85", strings.Repeat("a", 129)} {
		for _, target := range []string{"/v2/conferences/" + id + "/participants", path("/" + id)} {
			method := map[bool]string{true: "DELETE", false: "GET"}[strings.HasPrefix(target, path("/"))]
			got := g.call(method, target, "")
			if got.status != http.StatusBadRequest && got.status != http.StatusNotFound {
				t.Errorf("%s %s: got %d %s", method, target, got.status, got.body)
			}
		}
	}
	for _, id := range []string{"", "..", "a/b", `a\b`, "a\nb", strings.Repeat("ü", 129)} {
		_, err := g.client.RemoveParticipant(g.context(), &v2.RemoveParticipantRequest{ConferenceId: conferenceID, ParticipantId: id})
		wantStatus(t, err, "InvalidArgument", "INVALID_REQUEST")
	}
	if requests := g.upstream.History(); len(requests) != 0 {
		t.Errorf("upstream requests: %+v", requests)
	}
}

// Every valid id reaches the upstream unchanged, percent-encoded.
func TestA04_OpaqueIDsReachTheUpstream(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"call:1", "a b", "a%2Fb", "100%", "%41", "ü", "a?b#c", "a+b&c=d;e", "x:watch", "...", "+12025551234"} {
		escaped := url.PathEscape(id)
		colonEscaped := strings.ReplaceAll(escaped, ":", "%3A")
		for _, target := range []string{escaped, colonEscaped} {
			g := start(t, simulator.Options{})
			got := g.call("DELETE", path("/"+target), "")
			requests := g.upstream.History()
			if got.status != http.StatusNotFound || len(requests) != 1 || requests[0].Path != path("/"+id) {
				t.Errorf("%s: got %d %s, upstream received %+v", target, got.status, got.body, requests)
			}
		}
		g := start(t, simulator.Options{})
		_, err := g.client.RemoveParticipant(g.context(), &v2.RemoveParticipantRequest{ConferenceId: conferenceID, ParticipantId: id})
		if requests := g.upstream.History(); len(requests) != 1 || requests[0].Path != path("/"+id) {
			t.Errorf("%q over gRPC: %v, upstream received %+v", id, err, requests)
		}
	}
}

func TestA05_UpstreamErrorsOverGRPCAndREST(t *testing.T) {
	g := start(t, simulator.Options{})
	for _, test := range []struct {
		upstream     int
		code, reason string
		http         int
		body         simulator.BodyFormat
	}{
		{400, "InvalidArgument", "UPSTREAM_BAD_REQUEST", 400, simulator.VendorBody},
		{401, "Internal", "UPSTREAM_CREDENTIAL_REFUSED", 500, simulator.VendorBody},
		{402, "FailedPrecondition", "UPSTREAM_PAYMENT_REQUIRED", 402, simulator.ObjectBody},
		{403, "PermissionDenied", "UPSTREAM_FORBIDDEN", 403, simulator.FailureBody},
		{404, "NotFound", "CONFERENCE_NOT_FOUND", 404, simulator.VendorBody},
		{409, "FailedPrecondition", "UPSTREAM_CONFLICT", 409, simulator.VendorBody},
		{429, "ResourceExhausted", "UPSTREAM_RATE_LIMITED", 429, simulator.VendorBody},
		{429, "ResourceExhausted", "UPSTREAM_RATE_LIMITED", 429, simulator.HTMLBody},
		{407, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.VendorBody},
		{408, "DeadlineExceeded", "UPSTREAM_TIMEOUT", 504, simulator.VendorBody},
		{421, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.ObjectBody},
		{400, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.HTMLBody},
		{401, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.HTMLBody},
		{403, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.TextBody},
		{404, "Unavailable", "UPSTREAM_UNAVAILABLE", 503, simulator.EmptyBody},
		{408, "DeadlineExceeded", "UPSTREAM_TIMEOUT", 504, simulator.EmptyBody},
	} {
		t.Run(strconv.Itoa(test.upstream)+string(test.body), func(t *testing.T) {
			id := g.upstream.Inject(simulator.Fault{Kind: simulator.FaultStatus, Status: test.upstream, Body: test.body, RetryAfter: "7"})
			defer g.upstream.ClearFault(id)
			details := wantStatus(t, g.list(), test.code, test.reason)
			if details["upstream_status"] != strconv.Itoa(test.upstream) || details["upstream_request_id"] == "" {
				t.Errorf("metadata: %v", details)
			}
			got := g.call("GET", path(""), "")
			if reason, _ := failure(t, got); got.status != test.http || reason != test.reason {
				t.Errorf("over HTTP: got %d %s", got.status, got.body)
			}
			if test.upstream == http.StatusTooManyRequests && got.header.Get("Retry-After") != "7" {
				t.Errorf("Retry-After: got %q", got.header.Get("Retry-After"))
			}
		})
	}
}

func TestRequestID_IsEchoedAndSentUpstream(t *testing.T) {
	t.Parallel()
	g := start(t, simulator.Options{})
	if got := g.call("GET", path(""), "", "X-Request-Id: mine-1"); got.header.Get("X-Request-Id") != "mine-1" {
		t.Errorf("over HTTP: got %q", got.header.Get("X-Request-Id"))
	}
	ctx := metadata.AppendToOutgoingContext(g.context(), "x-request-id", "mine-2")
	if _, err := g.client.ListParticipants(ctx, &v2.ListParticipantsRequest{ConferenceId: conferenceID}); err != nil {
		t.Fatal(err)
	}
	made := g.call("GET", path(""), "").header.Get("X-Request-Id")
	var sent []string
	for _, request := range g.upstream.History() {
		sent = append(sent, request.CallerID)
	}
	if want := []string{"mine-1", "mine-2", made}; made == "" || !slices.Equal(sent, want) {
		t.Errorf("upstream received %v, want %v", sent, want)
	}
}

func TestW01_ErrorOfTheFirstListIsTheCallsStatus(t *testing.T) {
	t.Parallel()
	for number, code := range map[int][2]string{404: {"NotFound", "CONFERENCE_NOT_FOUND"}, 403: {"PermissionDenied", "UPSTREAM_FORBIDDEN"}} {
		g := start(t, simulator.Options{Faults: []simulator.Fault{{Kind: simulator.FaultStatus, Status: number}}})
		stream, err := g.client.WatchParticipants(g.context(), &v2.WatchParticipantsRequest{ConferenceId: conferenceID})
		if err == nil {
			_, err = stream.Recv()
		}
		wantStatus(t, err, code[0], code[1])
		for _, accept := range []string{"text/event-stream", "application/x-ndjson"} {
			got := g.call("GET", path(":watch"), "", "Accept: "+accept)
			if reason, _ := failure(t, got); got.status != number || reason != code[1] || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: got %d %s", accept, got.status, got.body)
			}
		}
	}
}
