package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// addOutcome is the result of an Add over any transport.
type addOutcome struct {
	code            codes.Code
	reason, dialled string
	replayed        bool
}

// addCall is an Add that each transport can send.
type addCall struct {
	conference, number, requestID string
	// headers are alternating names and values.
	headers []string
	within  time.Duration
}

func (c addCall) request() *v2.AddParticipantRequest {
	return &v2.AddParticipantRequest{ConferenceId: c.conference, PhoneNumber: c.number, RequestId: c.requestID}
}

// addBy returns a function for each transport that sends an Add.
func addBy() map[string]func(r *running, call addCall) addOutcome {
	ways := map[string]func(r *running, call addCall) addOutcome{"gRPC": addByGRPC, "REST": addByREST}
	for name, option := range webProtocols {
		ways[name] = func(r *running, call addCall) addOutcome { return addByConnect(r, option, call) }
	}
	return ways
}

func addByGRPC(r *running, call addCall) addOutcome {
	var header metadata.MD
	ctx, cancel := context.WithTimeout(r.with(call.headers...), max(call.within, time.Millisecond))
	if call.within == 0 {
		ctx = r.with(call.headers...)
	}
	defer cancel()
	_, err := r.dial(nil).AddParticipant(ctx, call.request(), grpc.Header(&header))
	outcome := addOutcome{code: status.Code(err), replayed: len(header.Get("idempotency-replayed")) == 1}
	for _, detail := range status.Convert(err).Details() {
		outcome.note(detail)
	}
	return outcome
}

func (o *addOutcome) note(detail any) {
	if info, ok := detail.(*errdetails.ErrorInfo); ok {
		o.reason, o.dialled = info.GetReason(), info.GetMetadata()["dialled"]
	}
}

func addByConnect(r *running, option connect.ClientOption, call addCall) addOutcome {
	request := connect.NewRequest(call.request())
	for i := 0; i < len(call.headers); i += 2 {
		request.Header().Add(call.headers[i], call.headers[i+1])
	}
	ctx := r.context()
	if call.within > 0 {
		// The client must wait for the response, so that it gets no deadline.
		ctx = context.WithoutCancel(ctx)
		request.Header().Set("Connect-Timeout-Ms", "300")
		request.Header().Set("Grpc-Timeout", "300m")
	}
	answer, err := web[v2.AddParticipantRequest, v2.AddParticipantResponse](
		r, v2.ParticipantService_AddParticipant_FullMethodName, option).CallUnary(ctx, request)
	if err == nil {
		return addOutcome{replayed: answer.Header().Get("Idempotency-Replayed") == "true"}
	}
	failed, _ := errors.AsType[*connect.Error](err)
	outcome := addOutcome{code: codes.Code(failed.Code()), replayed: failed.Meta().Get("Idempotency-Replayed") == "true"}
	for _, detail := range failed.Details() {
		if value, err := detail.Value(); err == nil {
			outcome.note(value)
		}
	}
	return outcome
}

func addByREST(r *running, call addCall) addOutcome {
	body, err := json.Marshal(map[string]string{"phone_number": call.number, "request_id": call.requestID})
	if err != nil {
		r.t.Fatal(err)
	}
	url := "http://" + r.HTTPAddr() + "/v2/conferences/" + call.conference + "/participants"
	request, err := http.NewRequestWithContext(r.context(), http.MethodPost, url, strings.NewReader(string(body)))
	if err != nil {
		r.t.Fatal(err)
	}
	for i := 0; i < len(call.headers); i += 2 {
		request.Header.Add(call.headers[i], call.headers[i+1])
	}
	if call.within > 0 {
		request.Header.Set("Grpc-Timeout", "300m")
	}
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	return restOutcome(r.t, response)
}

func restOutcome(t *testing.T, response *http.Response) addOutcome {
	t.Helper()
	outcome := addOutcome{replayed: response.Header.Get("Idempotency-Replayed") == "true"}
	if response.StatusCode == http.StatusOK {
		return outcome
	}
	var failed struct {
		Error struct {
			Status  string
			Details []struct {
				Reason   string
				Metadata map[string]string
			}
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&failed); err != nil || len(failed.Error.Details) == 0 {
		t.Fatalf("%d: %v", response.StatusCode, err)
	}
	if err := outcome.code.UnmarshalJSON([]byte(`"` + failed.Error.Status + `"`)); err != nil {
		t.Fatal(err)
	}
	outcome.reason, outcome.dialled = failed.Error.Details[0].Reason, failed.Error.Details[0].Metadata["dialled"]
	return outcome
}

// upstreamOf starts an upstream and returns the flag that names it.
func upstreamOf(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return "--upstream-url=" + server.URL
}

// accepting responds to every request with success.
func accepting(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		_, _ = io.WriteString(w, `{"participants":[],"total":0,"active":0}`)
	case http.MethodPut:
		_, _ = io.WriteString(w, `{"auth_token":"token","status":"success"}`)
	default:
		_, _ = io.WriteString(w, `{"id":"part_1","status":"dialing"}`)
	}
}

// refusing responds to every request with a documented error body.
func refusing(code string, number int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(number)
		_, _ = io.WriteString(w, `{"status":"error","error":"`+code+`","message":"refused"}`)
	}
}

// hanging does not respond.
func hanging(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // The end of the client is seen only then.
	<-r.Context().Done()
}

// closedPort is an upstream that refuses connections.
const closedPort = "--upstream-url=http://127.0.0.1:1"

const token = "--upstream-token=token"

// TestA01_AnAddThatFailsBeforeItIsSentIsNotDialled makes an Add fail in every way that is
// possible before it is sent, over every transport.
func TestA01_AnAddThatFailsBeforeItIsSentIsNotDialled(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "keys")
	reader, elsewhere := addKey(t, file, "wall", "reader"), addKey(t, file, "desk", "writer", "conf_other")
	writer := addKey(t, file, "bridge", "writer")
	runWithKeys := []string{"--auth=keys", "--auth-keys-file=" + file, token, upstreamOf(t, accepting)}
	accepted := []string{token, upstreamOf(t, accepting)}
	good := addCall{conference: "conf_1", number: "+12025551234"}
	with := func(change func(*addCall)) addCall {
		changed := good
		change(&changed)
		return changed
	}
	presenting := func(key string) addCall { return with(func(c *addCall) { c.headers = []string{"x-auth-token", key} }) }
	hasty := with(func(c *addCall) { c.within = 300 * time.Millisecond })
	tests := map[string]struct {
		flags []string
		call  addCall
		// before is the number of earlier calls, without the deadline.
		before int
		code   codes.Code
		reason string
	}{
		"wrong arguments":        {accepted, with(func(c *addCall) { c.number = "1" }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"an id that is none":     {accepted, with(func(c *addCall) { c.conference = "%5C" }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"an empty key":           {accepted, with(func(c *addCall) { c.headers = []string{"idempotency-key", ""} }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"a long key":             {accepted, with(func(c *addCall) { c.headers = []string{"idempotency-key", strings.Repeat("k", 129)} }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"another key":            {accepted, with(func(c *addCall) { c.requestID, c.headers = "a", []string{"idempotency-key", "b"} }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"two keys":               {accepted, with(func(c *addCall) { c.headers = []string{"idempotency-key", "a", "idempotency-key", "b"} }), 0, codes.InvalidArgument, "INVALID_REQUEST"},
		"no credential":          {runWithKeys, good, 0, codes.Unauthenticated, "CREDENTIAL_MISSING"},
		"an unknown credential":  {runWithKeys, presenting("pgk_unknown"), 0, codes.Unauthenticated, "CREDENTIAL_INVALID"},
		"a reader":               {runWithKeys, presenting(reader), 0, codes.PermissionDenied, "ROLE_NOT_GRANTED"},
		"another conference":     {runWithKeys, presenting(elsewhere), 0, codes.PermissionDenied, "CONFERENCE_NOT_GRANTED"},
		"too many calls":         {append(runWithKeys, "--max-calls-per-second=1"), presenting(writer), 3, codes.ResourceExhausted, "CALLER_RATE_LIMITED"},
		"a turn too late":        {accepted, hasty, 25, codes.ResourceExhausted, "ADD_RATE_LIMITED"},
		"no connection":          {[]string{token, closedPort}, hasty, 0, codes.Unavailable, "UPSTREAM_UNREACHABLE"},
		"no TLS":                 {[]string{token, strings.Replace(upstreamOf(t, accepting), "http:", "https:", 1)}, hasty, 0, codes.Unavailable, "UPSTREAM_UNREACHABLE"},
		"refused":                {[]string{token, upstreamOf(t, refusing("403", 403))}, good, 0, codes.PermissionDenied, "UPSTREAM_FORBIDDEN"},
		"refused in a 200":       {[]string{token, upstreamOf(t, refusing("409", 200))}, good, 0, codes.FailedPrecondition, "UPSTREAM_CONFLICT"},
		"limited":                {[]string{token, upstreamOf(t, refusing("429", 429, "Retry-After", "30"))}, good, 0, codes.ResourceExhausted, "UPSTREAM_RATE_LIMITED"},
		"token refused":          {[]string{token, upstreamOf(t, refusing("401", 401))}, good, 0, codes.Internal, "UPSTREAM_CREDENTIAL_REFUSED"},
		"key refused":            {[]string{"--upstream-api-key=key", upstreamOf(t, refusing("403", 403))}, good, 0, codes.Internal, "UPSTREAM_CREDENTIAL_REFUSED"},
		"key exchanged too long": {[]string{"--upstream-api-key=key", upstreamOf(t, hanging)}, hasty, 0, codes.DeadlineExceeded, "DEADLINE_EXCEEDED"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for way, add := range addBy() {
				r := runArgs(t, test.flags...)
				call := test.call
				if way != "REST" && call.conference == "%5C" {
					call.conference = `\`
				}
				if way == "gRPC" && test.code == codes.DeadlineExceeded {
					continue // Its client ends the call by itself, and gets no answer.
				}
				earlier := call
				earlier.within = 0
				answered := make(chan addOutcome, test.before)
				for range test.before {
					go func() { answered <- add(r, earlier) }()
				}
				// The earlier calls still wait for their slots.
				for range min(test.before, 10) {
					<-answered
				}
				got := add(r, call)
				if want := (addOutcome{code: test.code, reason: test.reason, dialled: "no"}); got != want {
					t.Errorf("over %s: got %+v, want %+v", way, got, want)
				}
				for range max(0, test.before-10) {
					<-answered
				}
				r.stop()
			}
		})
	}
}

// TestA02_AReplayIsMarkedOverEveryTransport repeats two Adds with their keys: one that succeeded
// and one with an unknown outcome.
func TestA02_AReplayIsMarkedOverEveryTransport(t *testing.T) {
	t.Parallel()
	var lists atomic.Int32
	r := runArgs(t, token, upstreamOf(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method == http.MethodGet {
			lists.Add(1)
		}
		if r.Method == http.MethodPost && strings.Contains(string(body), "+12025550000") {
			http.Error(w, "gone", http.StatusBadGateway)
			return
		}
		accepting(w, r)
	}))
	unknown := addOutcome{codes.Unknown, "ADD_OUTCOME_UNKNOWN", "unknown", false}
	for number, want := range map[string]addOutcome{"+12025551234": {}, "+12025550000": unknown} {
		call := addCall{conference: "conf_1", number: number, headers: []string{"idempotency-key", number}}
		if got := addByGRPC(r, call); got != want {
			t.Errorf("%s: got %+v, want %+v", number, got, want)
		}
		want.replayed = true
		for way, add := range addBy() {
			byField := addCall{conference: call.conference, number: number, requestID: number}
			if got, again := add(r, call), add(r, byField); got != want || again != want {
				t.Errorf("%s over %s: got %+v, then %+v, want %+v", number, way, got, again, want)
			}
			other := call
			other.number = "+12025559999"
			reused := addOutcome{codes.AlreadyExists, "REQUEST_ID_REUSED", "no", false}
			if got := add(r, other); got != reused {
				t.Errorf("%s over %s, other arguments: got %+v", number, way, got)
			}
		}
	}
	if lists.Load() == 0 {
		t.Error("the gateway did not search for the lost add")
	}
}
