package server_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// auditLine is a line of the audit log.
type auditLine struct {
	Time              time.Time `json:"time"`
	Caller            string    `json:"caller"`
	Call              string    `json:"call"`
	ConferenceID      string    `json:"conference_id"`
	ParticipantID     string    `json:"participant_id"`
	PhoneNumber       string    `json:"phone_number"`
	Outcome           string    `json:"outcome"`
	Reason            string    `json:"reason"`
	Dialled           string    `json:"dialled"`
	RequestID         string    `json:"request_id"`
	IdempotencyKey    string    `json:"idempotency_key"`
	UpstreamRequestID string    `json:"upstream_request_id"`
}

// fieldsOfLines is how many fields each line has.
const fieldsOfLines = 12

// readAudit reads all lines of an audit log.
func readAudit(t *testing.T, file string) (lines []auditLine) {
	t.Helper()
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for text := range strings.Lines(string(written)) {
		var line auditLine
		var fields map[string]any
		decoder := json.NewDecoder(strings.NewReader(text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&line); err != nil || json.Unmarshal([]byte(text), &fields) != nil || len(fields) != fieldsOfLines {
			t.Errorf("%v in the line %q", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// auditedCall is a call that must have a line, in the form of each transport.
type auditedCall struct {
	// method is the full name.
	method     string
	request    proto.Message
	verb, path string
}

const auditedPath = "/v2/conferences/conf_1/participants"

var auditedCalls = []auditedCall{
	{
		v2.ParticipantService_AddParticipant_FullMethodName,
		&v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234"}, http.MethodPost, auditedPath,
	},
	{
		v2.ParticipantService_RemoveParticipant_FullMethodName,
		&v2.RemoveParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodDelete, auditedPath + "/part_1",
	},
	{
		v2.ParticipantService_MuteParticipant_FullMethodName,
		&v2.MuteParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodPost, auditedPath + "/part_1/mute",
	},
	{
		v2.ParticipantService_UnmuteParticipant_FullMethodName,
		&v2.UnmuteParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodPost, auditedPath + "/part_1/unmute",
	},
	{
		v2.ParticipantService_HoldParticipant_FullMethodName,
		&v2.HoldParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodPost, auditedPath + "/part_1/hold",
	},
	{
		v2.ParticipantService_ResumeParticipant_FullMethodName,
		&v2.ResumeParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodPost, auditedPath + "/part_1/resume",
	},
	{
		v2.ParticipantService_DisconnectParticipant_FullMethodName,
		&v2.DisconnectParticipantRequest{ConferenceId: "conf_1", ParticipantId: "part_1"}, http.MethodPost, auditedPath + "/part_1/disconnect",
	},
	{
		v2.ParticipantService_MuteAllParticipants_FullMethodName,
		&v2.MuteAllParticipantsRequest{ConferenceId: "conf_1"}, http.MethodPost, "/v2/conferences/conf_1/mute-all",
	},
}

func (c auditedCall) isAdd() bool {
	return c.method == v2.ParticipantService_AddParticipant_FullMethodName
}

// auditSenders send a call over each transport. The headers are alternating names and values.
var auditSenders = map[string]func(r *running, call auditedCall, headers ...string){
	"gRPC": func(r *running, call auditedCall, headers ...string) {
		conn, err := grpc.NewClient(r.GRPCAddr(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			r.t.Fatal(err)
		}
		defer conn.Close()
		ctx := metadata.NewOutgoingContext(r.context(), metadata.Pairs(headers...))
		_ = conn.Invoke(ctx, call.method, call.request, &emptypb.Empty{}) // The audit log has the outcome.
	},
	"REST": func(r *running, call auditedCall, headers ...string) {
		var body []byte
		if call.isAdd() {
			fields, _ := proto.Clone(call.request).(*v2.AddParticipantRequest)
			fields.ConferenceId = ""
			body, _ = protojson.MarshalOptions{UseProtoNames: true}.Marshal(fields)
		}
		r.send(call.verb, call.path, "application/json", body, headers...)
	},
	"Connect": func(r *running, call auditedCall, headers ...string) {
		body, _ := protojson.Marshal(call.request)
		r.send(http.MethodPost, call.method, "application/json", body, headers...)
	},
	"gRPC-Web": func(r *running, call auditedCall, headers ...string) {
		message, _ := proto.Marshal(call.request)
		body := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message))), message...)
		r.send(http.MethodPost, call.method, "application/grpc-web+proto", body, headers...)
	},
}

// send sends an HTTP request and reads the whole response.
func (r *running) send(verb, target, contentType string, body []byte, headers ...string) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.context(), verb, "http://"+r.HTTPAddr()+target, bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := r.browser(nil).Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, response.Body)
}

// lineOf sends a call and returns its line. There must be exactly one.
func (r *running) lineOf(file string, send func()) auditLine {
	r.t.Helper()
	before := len(readAudit(r.t, file))
	send()
	lines := readAudit(r.t, file)[before:]
	if len(lines) != 1 {
		r.t.Fatalf("got the lines %+v, want one", lines)
	}
	if line := lines[0]; line.RequestID != "req" || time.Since(line.Time).Abs() > waitLimit || line.Time.Location() != time.UTC {
		r.t.Errorf("the id or the time is wrong: %+v", line)
	}
	lines[0].RequestID, lines[0].Time = "", time.Time{}
	return lines[0]
}

// TestA15_EachCallHasOneLine makes each call over each transport, with each kind of outcome.
func TestA15_EachCallHasOneLine(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	writer, reader, viewer := addKey(t, keys, "desk", "writer"), addKey(t, keys, "wall", "reader"), addKey(t, keys, "hall", "viewer")
	elsewhere := addKey(t, keys, "elsewhere", "writer", "conf_2")
	answered := func(answer http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Request-Id", "up_1")
			answer(w, r)
		}
	}
	for name, test := range map[string]struct {
		answer     http.HandlerFunc
		credential string
		want       auditLine
	}{
		"success":             {accepting, writer, auditLine{Caller: "desk", Outcome: "OK", Dialled: "yes", UpstreamRequestID: "up_1"}},
		"a reader":            {accepting, reader, auditLine{Caller: "wall", Outcome: "PERMISSION_DENIED", Reason: "ROLE_NOT_GRANTED", Dialled: "no"}},
		"a viewer":            {accepting, viewer, auditLine{Caller: "hall", Outcome: "PERMISSION_DENIED", Reason: "ROLE_NOT_GRANTED", Dialled: "no"}},
		"another conference":  {accepting, elsewhere, auditLine{Caller: "elsewhere", Outcome: "PERMISSION_DENIED", Reason: "CONFERENCE_NOT_GRANTED", Dialled: "no"}},
		"no credential":       {accepting, "", auditLine{Outcome: "UNAUTHENTICATED", Reason: "CREDENTIAL_MISSING", Dialled: "no"}},
		"a wrong credential":  {accepting, "pgk_wrong", auditLine{Outcome: "UNAUTHENTICATED", Reason: "CREDENTIAL_INVALID", Dialled: "no"}},
		"an upstream refusal": {refusing("403", 403), writer, auditLine{Caller: "desk", Outcome: "PERMISSION_DENIED", Reason: "UPSTREAM_FORBIDDEN", Dialled: "no", UpstreamRequestID: "up_1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "audit")
			r := runArgs(t, "--auth=keys", "--auth-keys-file="+keys, token, upstreamOf(t, answered(test.answer)), "--audit-log="+file)
			for _, call := range auditedCalls {
				for transport, send := range auditSenders {
					headers := []string{"x-request-id", "req"}
					if test.credential != "" {
						headers = append(headers, "x-auth-token", test.credential)
					}
					want := test.want
					want.Call, want.ConferenceID = path.Base(call.method), "conf_1"
					if call.isAdd() {
						want.PhoneNumber, want.IdempotencyKey = "+*******1234", transport
						headers = append(headers, "idempotency-key", transport)
					} else {
						want.Dialled = "no"
					}
					if strings.HasSuffix(call.method, "Participant") && (!call.isAdd() || want.Outcome == "OK") {
						want.ParticipantID = "part_1"
					}
					if got := r.lineOf(file, func() { send(r, call, headers...) }); got != want {
						t.Errorf("%s over %s:\ngot  %+v\nwant %+v", want.Call, transport, got, want)
					}
				}
			}
		})
	}
}
