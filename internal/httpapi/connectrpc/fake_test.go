package connectrpc_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
	"github.com/audian/participant-gateway/internal/httpapi/httpapitest"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeService is a service whose methods the test defines. It refuses fields that could not
// be decoded, as the service's interceptors do.
type fakeService struct {
	v2.UnimplementedParticipantServiceServer

	add   func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error)
	list  func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error)
	watch func(*v2.WatchParticipantsRequest, grpc.ServerStream) error
	// called is the latest request of a method that has no function of its own.
	called proto.Message
}

func (f *fakeService) GetParticipant(ctx context.Context, r *v2.GetParticipantRequest) (*v2.GetParticipantResponse, error) {
	f.called = r
	err := grpc.SetHeader(ctx, metadata.Pairs("participant-source", "list"))
	return &v2.GetParticipantResponse{Participant: &v2.Participant{Id: r.GetParticipantId()}}, err
}

func (f *fakeService) MuteParticipant(_ context.Context, r *v2.MuteParticipantRequest) (*v2.MuteParticipantResponse, error) {
	f.called = r
	return &v2.MuteParticipantResponse{}, nil
}

func (f *fakeService) UnmuteParticipant(_ context.Context, r *v2.UnmuteParticipantRequest) (*v2.UnmuteParticipantResponse, error) {
	f.called = r
	return &v2.UnmuteParticipantResponse{}, nil
}

func (f *fakeService) HoldParticipant(_ context.Context, r *v2.HoldParticipantRequest) (*v2.HoldParticipantResponse, error) {
	f.called = r
	return &v2.HoldParticipantResponse{}, nil
}

func (f *fakeService) ResumeParticipant(_ context.Context, r *v2.ResumeParticipantRequest) (*v2.ResumeParticipantResponse, error) {
	f.called = r
	return &v2.ResumeParticipantResponse{}, nil
}

func (f *fakeService) DisconnectParticipant(_ context.Context, r *v2.DisconnectParticipantRequest) (*v2.DisconnectParticipantResponse, error) {
	f.called = r
	return &v2.DisconnectParticipantResponse{}, nil
}

func (f *fakeService) MuteAllParticipants(_ context.Context, r *v2.MuteAllParticipantsRequest) (*v2.MuteAllParticipantsResponse, error) {
	f.called = r
	return &v2.MuteAllParticipantsResponse{}, nil
}

func (f *fakeService) RefreshParticipants(_ context.Context, r *v2.RefreshParticipantsRequest) (*v2.RefreshParticipantsResponse, error) {
	f.called = r
	return &v2.RefreshParticipantsResponse{}, nil
}

func (f *fakeService) AddParticipant(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	if fields := requestctx.Violations(ctx); len(fields) > 0 {
		return nil, &apierror.Error{
			Reason: apierror.InvalidRequest, Message: "invalid fields", Violations: fields, Dialled: apierror.DialledNo,
		}
	}
	return f.add(ctx, r)
}

func (f *fakeService) ListParticipants(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return f.list(ctx, r)
}

func (f *fakeService) WatchParticipants(r *v2.WatchParticipantsRequest, s grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	return f.watch(r, s)
}

// newFake returns a service that answers every call.
func newFake() *fakeService {
	return &fakeService{
		add: func(_ context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
			return &v2.AddParticipantResponse{Participant: &v2.Participant{Id: "part_1", Name: r.GetName(), Role: r.GetRole()}}, nil
		},
		list: func(_ context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
			return &v2.ListParticipantsResponse{Participants: []*v2.Participant{{Id: "part_1", ConferenceId: r.GetConferenceId()}}, Total: 2}, nil
		},
		watch: func(*v2.WatchParticipantsRequest, grpc.ServerStream) error { return nil },
	}
}

// streaming returns a service that streams messages and then returns err.
func streaming(err error, messages ...*watch.Message) *fakeService {
	service := newFake()
	service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		for _, m := range messages {
			if err := s.SendMsg(wire.NewMessage(m)); err != nil {
				return err
			}
		}
		return err
	}
	return service
}

func checkpoint(token string) *watch.Message {
	return &watch.Message{Token: token, Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
}

// newPort returns the handler of the HTTP port.
func newPort(t *testing.T, service *fakeService, change ...func(*httpapi.Options)) http.Handler {
	t.Helper()
	options := httpapi.Options{
		Service: service, Logger: slog.New(slog.DiscardHandler),
		CheckHosts: true, AllowedOrigins: []string{"https://app.example.com"},
	}
	for _, apply := range change {
		apply(&options)
	}
	handler, err := httpapi.New(options)
	if err != nil {
		t.Fatal(err)
	}
	return handler
}

// serve listens until the test ends.
func serve(t *testing.T, service *fakeService, change ...func(*httpapi.Options)) (url string) {
	t.Helper()
	server := httptest.NewServer(newPort(t, service, change...))
	t.Cleanup(server.Close)
	return server.URL
}

// call sends a request to a server.
func call(t *testing.T, url, method, target, body string, headers ...string) httpapitest.Response {
	t.Helper()
	response, err := httpapitest.Call(t.Context(), url, method, target, body, headers...)
	if err != nil {
		t.Fatal(err)
	}
	return response
}

const (
	addPath    = connectrpc.Pattern + "AddParticipant"
	removePath = connectrpc.Pattern + "RemoveParticipant"
	listPath   = connectrpc.Pattern + "ListParticipants"
	watchPath  = connectrpc.Pattern + "WatchParticipants"
	isJSON     = "Content-Type: application/json"
)

// protocols are the protocols of a generated client.
var protocols = map[string][]connect.ClientOption{
	"Connect":       {connect.WithSendGzip()},
	"Connect JSON":  {connect.WithProtoJSON()},
	"gRPC-Web":      {connect.WithGRPCWeb()},
	"gRPC-Web JSON": {connect.WithGRPCWeb(), connect.WithProtoJSON()},
}

// client returns a generated client for one method.
func client[Request, Answer any](t *testing.T, url, path string, options ...connect.ClientOption) *connect.Client[Request, Answer] {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return connect.NewClient[Request, Answer](&http.Client{Transport: transport}, url+path, options...)
}

// details are an error's code and details.
type details struct {
	code  connect.Code
	info  *errdetails.ErrorInfo
	bad   *errdetails.BadRequest
	retry *errdetails.RetryInfo
}

func detailsOf(t *testing.T, err error) (found details) {
	t.Helper()
	found.code = connect.CodeOf(err)
	failed, isError := errors.AsType[*connect.Error](err)
	if !isError {
		t.Fatalf("not a Connect error: %v", err)
	}
	for _, one := range failed.Details() {
		value, err := one.Value()
		if err != nil {
			t.Fatal(err)
		}
		switch value := value.(type) {
		case *errdetails.ErrorInfo:
			found.info = value
		case *errdetails.BadRequest:
			found.bad = value
		case *errdetails.RetryInfo:
			found.retry = value
		}
	}
	return found
}

// requireToken refuses callers without a token.
func requireToken(o *httpapi.Options) {
	o.Precheck = func(_ context.Context, credentials access.Credentials, _ proto.Message) error {
		if len(credentials.AuthToken) > 0 {
			return nil
		}
		return &apierror.Error{Reason: apierror.CredentialMissing, Message: "no credential"}
	}
}
