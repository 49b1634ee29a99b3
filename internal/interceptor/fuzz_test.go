package interceptor

import (
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/participant"
)

// FuzzCheck checks that any request is either refused, with the names of its fields, or safe to
// send upstream.
func FuzzCheck(f *testing.F) {
	for kind, seed := range []proto.Message{
		&v2.AddParticipantRequest{ConferenceId: "c", PhoneNumber: number, Name: "John", Role: 2, RequestId: "r"},
		&v2.RemoveParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		&v2.ListParticipantsRequest{ConferenceId: "c", Statuses: []v2.ParticipantStatus{3}, PageSize: -1},
		&v2.WatchParticipantsRequest{ConferenceId: "c", ParticipantIds: []string{"p", ".."}},
	} {
		encoded, err := proto.Marshal(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(kind), encoded)
	}
	validator, rules := newValidator(PhoneRule{}), compiled(f)
	f.Fuzz(func(t *testing.T, kind byte, encoded []byte) {
		request := []proto.Message{
			&v2.AddParticipantRequest{}, &v2.RemoveParticipantRequest{}, &v2.ListParticipantsRequest{}, &v2.WatchParticipantsRequest{},
		}[kind%4]
		if proto.Unmarshal(encoded, request) != nil {
			return // grpc-go refuses it.
		}
		if err := rules.Validate(request); err != nil && hasOnlyValidIDs(request) {
			t.Errorf("%v breaks a rule, which is not evaluated: %v", request, err)
		}
		if err := validator.check(t.Context(), request); err != nil {
			checkRefusal(t, err)
			return
		}
		checkFit(t, request)
	})
}

// checkRefusal checks that an error names fields and can be sent.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	refusalOf(t, err)
	if _, err := proto.Marshal(grpcstatus.From(err).Proto()); err != nil {
		t.Fatalf("the refusal cannot be sent: %v", err)
	}
}

// refusalOf returns an error that names fields.
func refusalOf(t *testing.T, err error) *apierror.Error {
	t.Helper()
	refusal, isOurs := errors.AsType[*apierror.Error](err)
	if !isOurs || refusal.Reason != apierror.InvalidRequest || len(refusal.Violations) == 0 {
		t.Fatalf("refused with %v", err)
	}
	return refusal
}

// checkFit checks the ids and the number of an accepted request (A4).
func checkFit(t *testing.T, request proto.Message) {
	t.Helper()
	ids := []string{request.(interface{ GetConferenceId() string }).GetConferenceId()}
	switch r := request.(type) {
	case *v2.AddParticipantRequest:
		if !e164.MatchString(r.GetPhoneNumber()) {
			t.Errorf("accepted phone number: %q", r.GetPhoneNumber())
		}
	case *v2.RemoveParticipantRequest:
		ids = append(ids, r.GetParticipantId())
	case *v2.WatchParticipantsRequest:
		ids = append(ids, r.GetParticipantIds()...)
	}
	for _, id := range ids {
		if !participant.ValidID(id) {
			t.Errorf("accepted id: %q", id)
		}
	}
}
