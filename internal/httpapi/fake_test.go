package httpapi

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"google.golang.org/grpc"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/apierror/grpcstatus"
	"github.com/audian/participant-gateway/internal/requestctx"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a service whose calls are what the test says.
type fake struct {
	v2.UnimplementedParticipantServiceServer

	add    func(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error)
	remove func(context.Context, *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error)
	list   func(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error)
	watch  func(*v2.WatchParticipantsRequest, grpc.ServerStream) error
}

func (f *fake) AddParticipant(ctx context.Context, r *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	if err := unread(ctx, apierror.DialledNo); err != nil {
		return nil, err
	}
	return f.add(ctx, r)
}

func (f *fake) RemoveParticipant(ctx context.Context, r *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
	if err := unread(ctx, ""); err != nil {
		return nil, err
	}
	return f.remove(ctx, r)
}

func (f *fake) ListParticipants(ctx context.Context, r *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	if err := unread(ctx, ""); err != nil {
		return nil, err
	}
	return f.list(ctx, r)
}

func (f *fake) WatchParticipants(r *v2.WatchParticipantsRequest, s grpc.ServerStreamingServer[v2.WatchParticipantsResponse]) error {
	if err := unread(s.Context(), ""); err != nil {
		return err
	}
	return f.watch(r, s)
}

// unread refuses what could not be read, as the service's interceptors do.
func unread(ctx context.Context, dialled apierror.Dialled) error {
	violations := requestctx.Violations(ctx)
	if len(violations) == 0 {
		return nil
	}
	return grpcstatus.From(&apierror.Error{
		Reason: apierror.InvalidRequest, Message: "unreadable", Violations: violations, Dialled: dialled,
	}).Err()
}

// polite answers every unary call, and fails the test where one was not expected.
func polite(t *testing.T) *fake {
	t.Helper()
	return &fake{
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

func handler(t *testing.T, service *fake, change ...func(*Options)) http.Handler {
	t.Helper()
	options := Options{
		Service: service,
		Logger:  slog.New(slog.DiscardHandler),
		Jitter:  func(delay time.Duration) time.Duration { return delay + time.Millisecond },
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

// answer is what came back, its body read.
type answer struct {
	status int
	header http.Header
	body   string
}

// call sends a request as it would stand on the wire, headers given as "Name: value".
func call(t *testing.T, h http.Handler, method, target, body string, headers ...string) answer {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), method, server.URL+target, strings.NewReader(body))
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
	participantsPath = "/v2/conferences/conf_1/participants"
	onePath          = participantsPath + "/part_1"
	watchedPath      = participantsPath + ":watch"
	isJSONHeader     = "Content-Type: application/json"
)
