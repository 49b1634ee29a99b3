package server_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// TestA15_OutcomesOfAnAdd sends Adds that end in the ways that only Adds have. With a request id
// the first is sent upstream, and the same over the other transports are replays.
func TestA15_OutcomesOfAnAdd(t *testing.T) {
	t.Parallel()
	lost := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			http.Error(w, "gone", http.StatusBadGateway)
			return
		}
		accepting(w, r)
	}
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		add    *v2.AddParticipantRequest
		want   auditLine
	}{
		"success, then replays": {
			accepting, &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234", RequestId: "k"},
			auditLine{ConferenceID: "conf_1", PhoneNumber: "+*******1234", Outcome: "OK", Dialled: "yes", ParticipantID: "part_1", IdempotencyKey: "k"},
		},
		"an unknown outcome, then replays": {
			lost, &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234", RequestId: "+12025551234"},
			auditLine{ConferenceID: "conf_1", PhoneNumber: "+*******1234", Outcome: "UNKNOWN", Reason: "ADD_OUTCOME_UNKNOWN", Dialled: "unknown", IdempotencyKey: "…1234"},
		},
		"an invalid number": {
			accepting, &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "911"},
			auditLine{ConferenceID: "conf_1", PhoneNumber: "911", Outcome: "INVALID_ARGUMENT", Reason: "INVALID_REQUEST", Dialled: "no"},
		},
		"a number in the place of an id": {
			accepting, &v2.AddParticipantRequest{ConferenceId: "+1 (202) 555-1234", RequestId: strings.Repeat("k", 129)},
			auditLine{ConferenceID: "…1234", Outcome: "INVALID_ARGUMENT", Reason: "INVALID_REQUEST", Dialled: "no", IdempotencyKey: "invalid"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "audit")
			r := runArgs(t, token, upstreamOf(t, test.answer), "--audit-log="+file)
			call, id := auditedCalls[0], strings.ReplaceAll(test.add.GetConferenceId(), " ", "%20")
			call.request, call.path = test.add, strings.Replace(call.path, "conf_1", id, 1)
			want := test.want
			want.Call, want.Caller = "AddParticipant", "anonymous"
			for transport, send := range auditSenders {
				if got := r.lineOf(file, func() { send(r, call, "x-request-id", "req") }); got != want {
					t.Errorf("over %s:\ngot  %+v\nwant %+v", transport, got, want)
				}
			}
		})
	}
}

// TestA15_CallsWithoutALine makes calls that change no conference, and validates Adds.
func TestA15_CallsWithoutALine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit")
	r := runArgs(t, token, upstreamOf(t, accepting), "--audit-log="+file)
	validate := auditedCalls[0]
	invalid := validate
	validate.request = &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234", ValidateOnly: true}
	invalid.request = &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "1", ValidateOnly: true}
	calls := []auditedCall{
		validate, invalid,
		{v2.ParticipantService_ListParticipants_FullMethodName, &v2.ListParticipantsRequest{ConferenceId: "conf_1"}, http.MethodGet, auditedPath},
		{v2.ParticipantService_ListParticipants_FullMethodName, &v2.ListParticipantsRequest{}, http.MethodGet, auditedPath + "?bogus=1"},
		{v2.ParticipantService_GetParticipant_FullMethodName, &v2.GetParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodGet, auditedPath + "/part_1"},
		{v2.ParticipantService_RefreshParticipants_FullMethodName, &v2.RefreshParticipantsRequest{ConferenceId: "conf_1"}, http.MethodPost, auditedPath + ":refresh"},
		{"/audian.conference.v2.ParticipantService/DialParticipant", &v2.RefreshParticipantsRequest{}, http.MethodPut, auditedPath},
	}
	for _, call := range calls {
		for transport, send := range auditSenders {
			send(r, call)
			if lines := readAudit(t, file); len(lines) > 0 {
				t.Fatalf("%s over %s: got %+v", call.method, transport, lines)
			}
		}
	}
}

// TestA15_RequestsThatCannotBeRead sends requests that are refused before they are decoded.
func TestA15_RequestsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	keys, file := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "audit")
	writer, reader := addKey(t, keys, "desk", "writer"), addKey(t, keys, "wall", "reader")
	r := runArgs(t, "--auth=keys", "--auth-keys-file="+keys, token, upstreamOf(t, accepting), "--audit-log="+file)
	const add, mute = "/audian.conference.v2.ParticipantService/AddParticipant", "/audian.conference.v2.ParticipantService/MuteParticipant"
	large := `{"name":"` + strings.Repeat("x", 70<<10) + `"}`
	refusedAdd := func(outcome, reason string) auditLine {
		return auditLine{Call: "AddParticipant", Outcome: outcome, Reason: reason, Dialled: "no", IdempotencyKey: "k"}
	}
	overREST := func(line auditLine) auditLine {
		line.ConferenceID = "conf_1"
		return line
	}
	invalid := refusedAdd("INVALID_ARGUMENT", "INVALID_REQUEST")
	for name, test := range map[string]struct {
		verb, path, contentType, body string
		header                        []string
		want                          auditLine
	}{
		"malformed JSON":       {"POST", auditedPath, "application/json", `{"phone_number":`, nil, overREST(invalid)},
		"an encoded path":      {"POST", "/v2/conferences/conf%5F1/participants", "application/json", `[`, nil, overREST(invalid)},
		"a trailing slash":     {"POST", auditedPath + "/", "application/json", `{}`, nil, overREST(refusedAdd("NOT_FOUND", "ROUTE_NOT_FOUND"))},
		"another media type":   {"POST", auditedPath, "text/plain", `{}`, nil, overREST(refusedAdd("INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE"))},
		"a large body":         {"POST", auditedPath, "application/json", large, nil, overREST(refusedAdd("INVALID_ARGUMENT", "BODY_TOO_LARGE"))},
		"an encoding":          {"POST", auditedPath, "application/json", `{}`, []string{"Content-Encoding", "br"}, overREST(refusedAdd("UNIMPLEMENTED", "UNSUPPORTED_ENCODING"))},
		"a deadline of zero":   {"POST", auditedPath, "application/json", `{}`, []string{"Grpc-Timeout", "0S"}, overREST(refusedAdd("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED"))},
		"a foreign origin":     {"POST", auditedPath, "application/json", `{}`, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://a.example"}, overREST(refusedAdd("PERMISSION_DENIED", "ORIGIN_REFUSED"))},
		"large headers":        {"POST", auditedPath, "application/json", `{}`, []string{"X-Large", strings.Repeat("x", 40<<10)}, overREST(refusedAdd("INVALID_ARGUMENT", "HEADERS_TOO_LARGE"))},
		"a body of a mute":     {"POST", auditedPath + "/part_1/mute", "application/json", `{`, nil, auditLine{Call: "MuteParticipant", ConferenceID: "conf_1", ParticipantID: "part_1", Outcome: "INVALID_ARGUMENT", Reason: "INVALID_REQUEST", Dialled: "no"}},
		"Connect, malformed":   {"POST", add, "application/json", `{`, nil, invalid},
		"Connect, large":       {"POST", add, "application/json", large, nil, refusedAdd("INVALID_ARGUMENT", "BODY_TOO_LARGE")},
		"Connect, a type":      {"POST", add, "text/plain", `{}`, nil, refusedAdd("INVALID_ARGUMENT", "UNSUPPORTED_MEDIA_TYPE")},
		"Connect, by GET":      {"GET", add, "", "", nil, refusedAdd("UNIMPLEMENTED", "METHOD_NOT_ALLOWED")},
		"gRPC-Web, malformed":  {"POST", add, "application/grpc-web+proto", "\x00\x00\x00\x00\x05x", nil, invalid},
		"Connect, a mute":      {"POST", mute, "application/json", `{`, nil, auditLine{Call: "MuteParticipant", Outcome: "INVALID_ARGUMENT", Reason: "INVALID_REQUEST", Dialled: "no"}},
		"Connect, no deadline": {"POST", add, "application/json", `{}`, []string{"Connect-Timeout-Ms", "0"}, refusedAdd("DEADLINE_EXCEEDED", "DEADLINE_EXCEEDED")},
	} {
		for caller, credential := range map[string]string{"desk": writer, "wall": reader, "": ""} {
			headers := append([]string{"X-Request-Id", "req", "Idempotency-Key", "k"}, test.header...)
			if credential != "" {
				headers = append(headers, "X-Auth-Token", credential)
			}
			want := test.want
			want.Caller = caller
			got := r.lineOf(file, func() { r.send(test.verb, test.path, test.contentType, []byte(test.body), headers...) })
			// The caller is checked before the body.
			if caller != "desk" && got.Outcome != want.Outcome {
				want.Outcome, want.Reason = "PERMISSION_DENIED", "ROLE_NOT_GRANTED"
				if caller == "" {
					want.Outcome, want.Reason = "UNAUTHENTICATED", "CREDENTIAL_MISSING"
				}
			}
			if got != want {
				t.Errorf("%s as %q:\ngot  %+v\nwant %+v", name, caller, got, want)
			}
		}
	}
}

// TestA15_AGRPCRequestThatCannotBeRead sends one that is too large.
func TestA15_AGRPCRequestThatCannotBeRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	r := runArgs(t, token, upstreamOf(t, accepting), "--audit-log="+file)
	large := proto.Message(&v2.AddParticipantRequest{ConferenceId: "conf_1", Name: strings.Repeat("x", 70<<10)})
	call := auditedCall{method: v2.ParticipantService_AddParticipant_FullMethodName, request: large}
	want := auditLine{Caller: "anonymous", Call: "AddParticipant", Outcome: "INVALID_ARGUMENT", Reason: "BODY_TOO_LARGE", Dialled: "no", IdempotencyKey: "k"}
	got := r.lineOf(file, func() { auditSenders["gRPC"](r, call, "x-request-id", "req", "idempotency-key", "k") })
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestA15_AGRPCCallWithoutTime sends one whose deadline has passed: gRPC's own client does not.
func TestA15_AGRPCCallWithoutTime(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	r := runArgs(t, token, upstreamOf(t, accepting), "--audit-log="+file)
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	want := auditLine{Caller: "anonymous", Call: "AddParticipant", Outcome: "DEADLINE_EXCEEDED", Reason: "DEADLINE_EXCEEDED", Dialled: "no"}
	got := r.lineOf(file, func() {
		url := "http://" + r.GRPCAddr() + v2.ParticipantService_AddParticipant_FullMethodName
		request, err := http.NewRequestWithContext(r.context(), http.MethodPost, url, strings.NewReader("\x00\x00\x00\x00\x00"))
		if err != nil {
			t.Fatal(err)
		}
		request.Header = http.Header{"Content-Type": {"application/grpc"}, "Grpc-Timeout": {"0n"}, "X-Request-Id": {"req"}, "Te": {"trailers"}}
		response, err := transport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
	})
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestA15_AWriteErrorIsALogLineAndAMetric writes to a device that is always full.
func TestA15_AWriteErrorIsALogLineAndAMetric(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("the system has no " + full)
	}
	r := runArgs(t, token, upstreamOf(t, accepting), "--audit-log="+full)
	if got := r.metric("gateway_audit_errors_total"); got != "gateway_audit_errors_total 0" {
		t.Errorf("at the start: %q", got)
	}
	got := addByGRPC(r, addCall{conference: "conf_1", number: "+12025551234"})
	if got != (addOutcome{}) {
		t.Errorf("the add failed: %+v", got)
	}
	if got := r.metric("gateway_audit_errors_total"); got != "gateway_audit_errors_total 1" {
		t.Errorf("after a failure: %q", got)
	}
	if log := r.log.String(); !strings.Contains(log, "write the audit log") {
		t.Errorf("the log lacks the error:\n%s", log)
	}
}

// TestA15_ADrainWritesWhatWasDecided drains while an Add and a Remove wait for the upstream.
func TestA15_ADrainWritesWhatWasDecided(t *testing.T) {
	t.Parallel()
	file, asked := filepath.Join(t.TempDir(), "audit"), make(chan struct{}, 2)
	upstream := upstreamOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			asked <- struct{}{}
			hanging(w, r)
			return
		}
		accepting(w, r)
	})
	r := runArgs(t, token, upstream, "--audit-log="+file, "--drain-timeout=2s")
	for _, call := range auditedCalls[:2] {
		go auditSenders["gRPC"](r, call)
	}
	<-asked
	<-asked
	r.stop()
	dialled := map[string]string{}
	for _, line := range readAudit(t, file) {
		dialled[line.Call] = line.Outcome + " " + line.Dialled
	}
	if len(dialled) != 2 || dialled["AddParticipant"] != "UNKNOWN unknown" || !strings.HasSuffix(dialled["RemoveParticipant"], " no") {
		t.Errorf("got %v", dialled)
	}
}
