package server_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// policyBatch returns a batch of n numbers at home, from the number first on.
func policyBatch(first, n int) *v2.BatchAddParticipantsRequest {
	request := &v2.BatchAddParticipantsRequest{ConferenceId: "conf_1", Order: v2.BatchOrder_BATCH_ORDER_AS_GIVEN}
	for i := range n {
		request.Entries = append(request.Entries, &v2.BatchEntry{PhoneNumber: fmt.Sprintf("+1202555%04d", first+i)})
	}
	return request
}

// addBatch sends a batch, and returns its summary.
func (r *running) addBatch(request *v2.BatchAddParticipantsRequest, key string) (summary *v2.BatchSummary, err error) {
	r.t.Helper()
	stream, err := r.dial(nil).BatchAddParticipants(r.with("x-auth-token", key), request)
	for err == nil {
		var m *v2.BatchAddParticipantsResponse
		if m, err = stream.Recv(); m.GetSummary() != nil {
			summary = m.GetSummary()
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return summary, err
}

// A batch with a number that is not allowed, or with more adds than are left of the day, is refused
// whole, and names the entries.
func TestA14_ABatchIsRefusedWhole(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	file, upstream := filepath.Join(t.TempDir(), "keys"), &phones{}
	key := addKeyWith(t, file, "desk", 10, "+1")
	r := runArgs(t, "--auth=keys", "--auth-keys-file="+file, token, upstreamOf(t, upstream.serve))
	abroad := policyBatch(0, 5)
	abroad.Entries[1].PhoneNumber, abroad.Entries[3].PhoneNumber = foreignNumber, "+442079460001"
	presenter := policyBatch(0, 12)
	presenter.Order = v2.BatchOrder_BATCH_ORDER_PRESENTERS_FIRST
	presenter.Entries[11].Role = v2.ParticipantRole_PARTICIPANT_ROLE_PRESENTER
	for name, test := range map[string]struct {
		request *v2.BatchAddParticipantsRequest
		code    codes.Code
		reason  string
		fields  []string
	}{
		"numbers abroad":       {abroad, codes.PermissionDenied, "NUMBER_NOT_ALLOWED", []string{"entries[1].phone_number", "entries[3].phone_number"}},
		"beyond the limit":     {policyBatch(0, 12), codes.ResourceExhausted, "DAILY_LIMIT", []string{"entries[10].phone_number", "entries[11].phone_number"}},
		"in the order of sent": {presenter, codes.ResourceExhausted, "DAILY_LIMIT", []string{"entries[9].phone_number", "entries[10].phone_number"}},
	} {
		for _, validateOnly := range []bool{true, false} {
			test.request.ValidateOnly = validateOnly
			_, err := r.addBatch(test.request, key)
			if got := policyRefusal(err); got.code != test.code || got.reason != test.reason || got.dialled != "no" || !slices.Equal(got.fields, test.fields) {
				t.Errorf("%s: %+v", name, got)
			} else if got.retries != (test.reason == "DAILY_LIMIT") {
				t.Errorf("%s: RetryInfo %v", name, got.retries)
			}
		}
	}
	if rang, _ := upstream.count(); rang > 0 {
		t.Errorf("%d phones rang", rang)
	}
	sent := policyBatch(0, 8)
	sent.RequestId = "batch"
	if summary, err := r.addBatch(sent, key); err != nil || summary.GetAdded() != 8 {
		t.Errorf("within the limit: %v, %v", summary, err)
	}
	if _, err := r.addBatch(policyBatch(100, 3), key); policyRefusal(err).reason != "DAILY_LIMIT" {
		t.Errorf("more than are left: %v", err)
	}
	sent.Resume = true
	if summary, err := r.addBatch(sent, key); err != nil || summary.GetAdded() != 8 {
		t.Errorf("a resume sends nothing: %v, %v", summary, err)
	}
	if summary, err := r.addBatch(policyBatch(200, 2), key); err != nil || summary.GetAdded() != 2 {
		t.Errorf("what is left: %v, %v", summary, err)
	}
	if rang, abroad := upstream.count(); rang != 10 || abroad != 0 {
		t.Errorf("%d phones rang, %d abroad", rang, abroad)
	}
}

// Batches of a thief count like single adds.
func TestA14_AStolenKeysBatches(t *testing.T) {
	t.Parallel()
	withinOneDay(t)
	file, upstream := filepath.Join(t.TempDir(), "keys"), &phones{}
	stolen := addKeyWith(t, file, "desk", 7, "+1")
	r := runArgs(t, "--auth=keys", "--auth-keys-file="+file, token, upstreamOf(t, upstream.serve))
	ended := make(chan int32, 4)
	for n := range cap(ended) {
		go func() {
			// Each is within the limit; together they are not.
			summary, _ := r.addBatch(policyBatch(10*n, 6), stolen)
			ended <- summary.GetAdded()
		}()
	}
	var added int32
	for range cap(ended) {
		added += <-ended
	}
	if rang, _ := upstream.count(); rang > 7 || int(added) != rang {
		t.Errorf("%d phones rang, %d were added", rang, added)
	}
	_ = steal(r, stolen)
	if rang, abroad := upstream.count(); rang != 7 || abroad > 0 {
		t.Errorf("%d phones rang, %d abroad", rang, abroad)
	}
}

type policyError struct {
	code            codes.Code
	reason, dialled string
	fields          []string
	retries         bool
}

func policyRefusal(err error) (got policyError) {
	got.code = status.Code(err)
	for _, detail := range status.Convert(err).Details() {
		switch d := detail.(type) {
		case *errdetails.ErrorInfo:
			got.reason, got.dialled = d.GetReason(), d.GetMetadata()["dialled"]
		case *errdetails.BadRequest:
			for _, violation := range d.GetFieldViolations() {
				got.fields = append(got.fields, violation.GetField())
			}
		case *errdetails.RetryInfo:
			got.retries = d.GetRetryDelay().AsDuration() > time.Second
		}
	}
	return got
}
