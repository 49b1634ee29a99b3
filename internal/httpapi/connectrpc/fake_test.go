package connectrpc_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/goleak"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/httpapi"
	"github.com/audian/participant-gateway/internal/httpapi/connectrpc"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/watch"
	"github.com/audian/participant-gateway/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a service whose calls are what the test says. It refuses what could not be
// read, as the service's interceptors do.
type fake struct {
	v2.UnimplementedParticipantServiceServer

	add   func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error)
	list  func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error)
	watch func(*v2.WatchParticipantsRequest, grpc.ServerStream) error
}

func (f *fake) AddParticipant(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	if fields := requestctx.Violations(ctx); len(fields) > 0 {
		return nil, &apierror.Error{
			Reason: apierror.InvalidRequest, Message: "unreadable", Violations: fields, Dialled: apierror.DialledNo,
		}
	}
	return f.add(ctx, r)
}

func (f *fake) ListParticipants(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return f.list(ctx, r)
}

func (f *fake) WatchParticipants(r *v2.WatchParticipantsRequest, s grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	return f.watch(r, s)
}

// polite is a service that answers.
func polite() *fake {
	return &fake{
		add: func(_ context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
			return &v2.AddParticipantResponse{Participant: &v2.Participant{Id: "part_1", Name: r.GetName(), Role: r.GetRole()}}, nil
		},
		list: func(_ context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
			return &v2.ListParticipantsResponse{Participants: []*v2.Participant{{Id: "part_1", ConferenceId: r.GetConferenceId()}}, Total: 2}, nil
		},
		watch: func(*v2.WatchParticipantsRequest, grpc.ServerStream) error { return nil },
	}
}

// sending is a service that streams messages and then returns err.
func sending(err error, messages ...*watch.Message) *fake {
	service := polite()
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

func heartbeat(token string) *watch.Message {
	return &watch.Message{Token: token, Checkpoint: &watch.Checkpoint{PollInterval: time.Second}}
}

// port is the HTTP port with the service behind its guards.
func port(t *testing.T, service *fake, change ...func(*httpapi.Options)) http.Handler {
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

// serve listens with the port until the test ends.
func serve(t *testing.T, service *fake, change ...func(*httpapi.Options)) (url string) {
	t.Helper()
	server := httptest.NewServer(port(t, service, change...))
	t.Cleanup(server.Close)
	return server.URL
}

// answer is what came back, its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request as it would stand on the wire, headers given as "Name: value".
func call(t *testing.T, url, method, target, body string, headers ...string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url+target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Add(name, value)
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	read, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: response.StatusCode, header: response.Header, body: string(read)}
}

const (
	addPath    = connectrpc.Pattern + "AddParticipant"
	removePath = connectrpc.Pattern + "RemoveParticipant"
	listPath   = connectrpc.Pattern + "ListParticipants"
	watchPath  = connectrpc.Pattern + "WatchParticipants"
	isJSON     = "Content-Type: application/json"
)

// protocols are the ways in which a generated client may call.
var protocols = map[string][]connect.ClientOption{
	"Connect":       {connect.WithSendGzip()},
	"Connect JSON":  {connect.WithProtoJSON()},
	"gRPC-Web":      {connect.WithGRPCWeb()},
	"gRPC-Web JSON": {connect.WithGRPCWeb(), connect.WithProtoJSON()},
}

// client is a generated client's one method.
func client[Request, Answer any](t *testing.T, url, path string, options ...connect.ClientOption) *connect.Client[Request, Answer] {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return connect.NewClient[Request, Answer](&http.Client{Transport: transport}, url+path, options...)
}

// details are what an error tells beside its code.
type details struct {
	code  connect.Code
	info  *errdetails.ErrorInfo
	bad   *errdetails.BadRequest
	retry *errdetails.RetryInfo
}

func detailsOf(t *testing.T, err error) (told details) {
	t.Helper()
	told.code = connect.CodeOf(err)
	failed, isError := errors.AsType[*connect.Error](err)
	if !isError {
		t.Fatalf("no error of the protocol: %v", err)
	}
	for _, one := range failed.Details() {
		value, err := one.Value()
		if err != nil {
			t.Fatal(err)
		}
		switch value := value.(type) {
		case *errdetails.ErrorInfo:
			told.info = value
		case *errdetails.BadRequest:
			told.bad = value
		case *errdetails.RetryInfo:
			told.retry = value
		}
	}
	return told
}

// strangers are refused by who they are.
func strangers(o *httpapi.Options) {
	o.Precheck = func(_ context.Context, presented access.Credentials, _ proto.Message) error {
		if len(presented.AuthToken) > 0 {
			return nil
		}
		return &apierror.Error{Reason: apierror.CredentialMissing, Message: "who are you?"}
	}
}
