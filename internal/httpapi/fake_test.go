package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeService is a service whose methods the test defines.
type fakeService struct {
	v2.UnimplementedParticipantServiceServer

	add    func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error)
	remove func(context.Context, *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error)
	list   func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error)
	watch  func(*v2.WatchParticipantsRequest, grpc.ServerStream) error
	// other is called for every other method. It returns the response's participant.
	other func(context.Context, proto.Message) (*v2.Participant, error)
}

func (f *fakeService) GetParticipant(ctx context.Context, r *v2.GetParticipantRequest) (*v2.GetParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.GetParticipantResponse{Participant: p}, err
}

func (f *fakeService) MuteParticipant(ctx context.Context, r *v2.MuteParticipantRequest) (*v2.MuteParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.MuteParticipantResponse{Participant: p}, err
}

func (f *fakeService) UnmuteParticipant(ctx context.Context, r *v2.UnmuteParticipantRequest) (*v2.UnmuteParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.UnmuteParticipantResponse{Participant: p}, err
}

func (f *fakeService) HoldParticipant(ctx context.Context, r *v2.HoldParticipantRequest) (*v2.HoldParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.HoldParticipantResponse{Participant: p}, err
}

func (f *fakeService) ResumeParticipant(ctx context.Context, r *v2.ResumeParticipantRequest) (*v2.ResumeParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.ResumeParticipantResponse{Participant: p}, err
}

func (f *fakeService) DisconnectParticipant(ctx context.Context, r *v2.DisconnectParticipantRequest) (*v2.DisconnectParticipantResponse, error) {
	p, err := f.callOther(ctx, r)
	return &v2.DisconnectParticipantResponse{Participant: p}, err
}

func (f *fakeService) MuteAllParticipants(ctx context.Context, r *v2.MuteAllParticipantsRequest) (*v2.MuteAllParticipantsResponse, error) {
	_, err := f.callOther(ctx, r)
	return &v2.MuteAllParticipantsResponse{}, err
}

func (f *fakeService) RefreshParticipants(ctx context.Context, r *v2.RefreshParticipantsRequest) (*v2.RefreshParticipantsResponse, error) {
	_, err := f.callOther(ctx, r)
	return &v2.RefreshParticipantsResponse{}, err
}

func (f *fakeService) callOther(ctx context.Context, r proto.Message) (*v2.Participant, error) {
	if err := refuseViolations(ctx, ""); err != nil {
		return nil, err
	}
	return f.other(ctx, r)
}

func (f *fakeService) AddParticipant(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	if err := refuseViolations(ctx, apierror.DialledNo); err != nil {
		return nil, err
	}
	return f.add(ctx, r)
}

func (f *fakeService) RemoveParticipant(ctx context.Context, r *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
	if err := refuseViolations(ctx, ""); err != nil {
		return nil, err
	}
	return f.remove(ctx, r)
}

func (f *fakeService) ListParticipants(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	if err := refuseViolations(ctx, ""); err != nil {
		return nil, err
	}
	return f.list(ctx, r)
}

func (f *fakeService) WatchParticipants(r *v2.WatchParticipantsRequest, s grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	if err := refuseViolations(s.Context(), ""); err != nil {
		return err
	}
	return f.watch(r, s)
}

// refuseViolations refuses fields that could not be decoded, as the service's interceptors do.
func refuseViolations(ctx context.Context, dialled apierror.Dialled) error {
	violations := requestctx.Violations(ctx)
	if len(violations) == 0 {
		return nil
	}
	return grpcstatus.From(&apierror.Error{
		Reason: apierror.InvalidRequest, Message: "invalid fields", Violations: violations, Dialled: dialled,
	}).Err()
}

// newFake returns a service that answers every unary call.
func newFake(tb testing.TB) *fakeService {
	tb.Helper()
	return &fakeService{
		add: func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
			return &v2.AddParticipantResponse{Participant: &v2.Participant{Id: "part_1", Status: v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING}}, nil
		},
		remove: func(context.Context, *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
			return &v2.RemoveParticipantResponse{}, nil
		},
		list: func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
			return &v2.ListParticipantsResponse{Total: 2, Active: 1}, nil
		},
		watch: func(*v2.WatchParticipantsRequest, grpc.ServerStream) error { return nil },
		other: func(context.Context, proto.Message) (*v2.Participant, error) {
			return &v2.Participant{Id: "part_1", Status: v2.ParticipantStatus_PARTICIPANT_STATUS_HELD}, nil
		},
	}
}

func handler(t *testing.T, service *fakeService, change ...func(*Options)) http.Handler {
	t.Helper()
	options := Options{
		Service: service,
		Logger:  slog.New(slog.DiscardHandler),
	}
	for _, apply := range change {
		apply(&options)
	}
	h, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// call sends a request to a server with the handler.
func call(t *testing.T, h http.Handler, method, target, body string, headers ...string) httpapitest.Response {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	response, err := httpapitest.Call(t.Context(), server.URL, method, target, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

const (
	participantsPath = "/v2/conferences/conf_1/participants"
	onePath          = participantsPath + "/part_1"
	watchedPath      = participantsPath + ":watch"
	refreshPath      = participantsPath + ":refresh"
	muteAllPath      = "/v2/conferences/conf_1/mute-all"
	isJSONHeader     = "Content-Type: application/json"
)

// controlPaths are the paths of the calls that take an empty body, and whether their responses
// may contain a participant.
var controlPaths = map[string]bool{
	onePath + "/mute": true, onePath + "/unmute": true, onePath + "/hold": true, onePath + "/resume": true,
	onePath + "/disconnect": true, muteAllPath: false, refreshPath: false,
}
