package server_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

func auditedBatch() *v2.BatchAddParticipantsRequest {
	return &v2.BatchAddParticipantsRequest{
		ConferenceId: "conf_1", RequestId: "key",
		Entries: []*v2.BatchEntry{{PhoneNumber: "+12025551234"}, {PhoneNumber: "+12025554321"}},
	}
}

// sendBatch calls over gRPC and reads the whole stream.
func (r *running) sendBatch(request *v2.BatchAddParticipantsRequest, key string) {
	r.t.Helper()
	ctx := metadata.AppendToOutgoingContext(r.context(), "x-request-id", "req", "x-auth-token", key)
	stream, err := r.dial(nil).BatchAddParticipants(ctx, request)
	for err == nil {
		_, err = stream.Recv()
	}
}

// TestA15_EachEntryOfABatchHasALine also checks the line of the batch itself, which comes last.
func TestA15_EachEntryOfABatchHasALine(t *testing.T) {
	t.Parallel()
	keys := filepath.Join(t.TempDir(), "keys")
	writer, reader := addKey(t, keys, "desk", "writer"), addKey(t, keys, "wall", "reader")
	twice := auditedBatch()
	twice.Entries[1].PhoneNumber = twice.GetEntries()[0].GetPhoneNumber()
	validated := auditedBatch()
	validated.ValidateOnly = true
	line := func(number, participant, outcome, reason, dialled string) auditLine {
		return auditLine{
			Caller: "desk", Call: "BatchAddParticipants", ConferenceID: "conf_1", PhoneNumber: number, ParticipantID: participant,
			Outcome: outcome, Reason: reason, Dialled: dialled, IdempotencyKey: "key",
		}
	}
	refusedReader := line("", "", "PERMISSION_DENIED", "ROLE_NOT_GRANTED", "no")
	refusedReader.Caller = "wall"
	for name, tt := range map[string]struct {
		answer  http.HandlerFunc
		request *v2.BatchAddParticipantsRequest
		key     string
		want    []auditLine
	}{
		"added": {accepting, auditedBatch(), writer, []auditLine{
			line("+*******1234", "part_1", "OK", "", "yes"), line("+*******4321", "part_1", "OK", "", "yes"), line("", "", "OK", "", "yes"),
		}},
		"refused by the upstream": {refusing("403", 403), auditedBatch(), writer, []auditLine{
			line("+*******1234", "", "PERMISSION_DENIED", "UPSTREAM_FORBIDDEN", "no"), line("+*******4321", "", "PERMISSION_DENIED", "UPSTREAM_FORBIDDEN", "no"),
			line("", "", "OK", "", "no"),
		}},
		"a reader":        {accepting, auditedBatch(), reader, []auditLine{refusedReader}},
		"invalid":         {accepting, twice, writer, []auditLine{line("", "", "INVALID_ARGUMENT", "INVALID_REQUEST", "no")}},
		"only validated":  {accepting, validated, writer, nil},
		"resumed, unheld": {accepting, resumed(), writer, []auditLine{line("", "", "FAILED_PRECONDITION", "BATCH_UNKNOWN", "unknown")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "audit")
			r := runArgs(t, "--auth=keys", "--auth-keys-file="+keys, token, upstreamOf(t, tt.answer), "--audit-log="+file)
			r.sendBatch(tt.request, tt.key)
			got := readAudit(t, file)
			for i := range got {
				if got[i].RequestID != "req" {
					t.Errorf("request id %q", got[i].RequestID)
				}
				got[i].RequestID, got[i].Time, got[i].UpstreamRequestID = "", time.Time{}, ""
			}
			if n := len(got) - 1; n > 0 {
				// Entries end in any order.
				slices.SortFunc(got[:n], func(a, b auditLine) int {
					if a.PhoneNumber < b.PhoneNumber {
						return -1
					}
					return 1
				})
			}
			for _, dialled := range []string{"yes", "no"} {
				n := len(slices.DeleteFunc(slices.Clone(got), func(line auditLine) bool { return line.PhoneNumber == "" || line.Dialled != dialled }))
				name := fmt.Sprintf(`gateway_batch_entries_total{dialled=%q}`, dialled)
				if counted := r.metric(name); n > 0 && counted != fmt.Sprintf("%s %d", name, n) {
					t.Errorf("%d entries with dialled=%s, counted %q", n, dialled, counted)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

func resumed() *v2.BatchAddParticipantsRequest {
	request := auditedBatch()
	request.Resume = true
	return request
}

// A refusal before the service has a line too, over each transport.
func TestA15_BatchesThatCannotBeReadHaveALine(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "audit")
	r := run(t, "--audit-log="+file)
	message, err := proto.Marshal(auditedBatch())
	if err != nil {
		t.Fatal(err)
	}
	for name, send := range map[string]func(){
		"REST": func() {
			r.send(http.MethodPost, auditedPath+":batchAdd", "application/json", []byte("{"), "x-request-id", "req")
		},
		"slash": func() {
			r.send(http.MethodPost, auditedPath+"%3AbatchAdd/", "application/json", nil, "x-request-id", "req")
		},
		"Connect": func() {
			r.send(http.MethodPost, v2.ParticipantService_BatchAddParticipants_FullMethodName, "application/connect+proto", message, "x-request-id", "req")
		},
	} {
		got := r.lineOf(file, send)
		if got.Call != "BatchAddParticipants" || got.Dialled != "no" || got.Outcome == "OK" {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
