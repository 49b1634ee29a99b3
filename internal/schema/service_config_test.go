package schema_test

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// unavailableOnce returns UNAVAILABLE for the first call.
type unavailableOnce struct {
	v2.UnimplementedParticipantServiceServer

	calls atomic.Int32
}

func (b *unavailableOnce) result() error {
	if b.calls.Add(1) == 1 {
		return status.Error(codes.Unavailable, "busy")
	}
	return nil
}

func (b *unavailableOnce) AddParticipant(context.Context, *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	return &v2.AddParticipantResponse{}, b.result()
}

func (b *unavailableOnce) RemoveParticipant(context.Context, *v2.RemoveParticipantRequest) (*v2.RemoveParticipantResponse, error) {
	return &v2.RemoveParticipantResponse{}, b.result()
}

func (b *unavailableOnce) ListParticipants(context.Context, *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
	return &v2.ListParticipantsResponse{}, b.result()
}

func TestA01_ServiceConfigNeverRetriesAnAdd(t *testing.T) {
	for _, test := range []struct {
		name  string
		call  func(context.Context, v2.ParticipantServiceClient) error
		calls int32
		want  codes.Code
	}{
		{"list", func(ctx context.Context, c v2.ParticipantServiceClient) error {
			_, err := c.ListParticipants(ctx, &v2.ListParticipantsRequest{})
			return err
		}, 2, codes.OK},
		{"remove", func(ctx context.Context, c v2.ParticipantServiceClient) error {
			_, err := c.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{})
			return err
		}, 2, codes.OK},
		{"add", func(ctx context.Context, c v2.ParticipantServiceClient) error {
			_, err := c.AddParticipant(ctx, &v2.AddParticipantRequest{})
			return err
		}, 1, codes.Unavailable},
	} {
		service := &unavailableOnce{}
		err := test.call(t.Context(), client(t, service))
		if status.Code(err) != test.want || service.calls.Load() != test.calls {
			t.Errorf("%s: %v after %d calls, want %s after %d", test.name, err, service.calls.Load(), test.want, test.calls)
		}
	}
}

// Every other call, such as a control, would be sent again on top of the gateway's own retries.
func TestA01_ServiceConfigRetriesListAndRemoveOnly(t *testing.T) {
	var config struct {
		MethodConfig []struct {
			Name []struct{ Service, Method string }
		}
	}
	if err := json.Unmarshal([]byte(schema.ServiceConfig), &config); err != nil {
		t.Fatal(err)
	}
	var methods []string
	for _, method := range config.MethodConfig {
		for _, name := range method.Name {
			methods = append(methods, name.Service+"/"+name.Method)
		}
	}
	const service = "audian.conference.v2.ParticipantService/"
	if !slices.Equal(methods, []string{service + "ListParticipants", service + "RemoveParticipant"}) {
		t.Errorf("retries %v", methods)
	}
}

// client returns a client with the published service config.
func client(t *testing.T, service v2.ParticipantServiceServer) v2.ParticipantServiceClient {
	t.Helper()
	listener := bufconn.Listen(64 << 10)
	server := grpc.NewServer()
	v2.RegisterParticipantServiceServer(server, service)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	connection, err := grpc.NewClient("passthrough:///gateway",
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(schema.ServiceConfig))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return v2.NewParticipantServiceClient(connection)
}
