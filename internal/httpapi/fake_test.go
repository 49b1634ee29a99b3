package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"

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
func newFake(t *testing.T) *fakeService {
	t.Helper()
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
	isJSONHeader     = "Content-Type: application/json"
)
