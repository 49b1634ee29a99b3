package httpapi

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/apierror"
)

func TestHeadersReachTheService(t *testing.T) {
	var got metadata.MD
	var from string
	record := func(ctx context.Context) {
		got, _ = metadata.FromIncomingContext(ctx)
		known, _ := peer.FromContext(ctx)
		from = known.Addr.String()
	}
	service := newFake(t)
	service.list = func(ctx context.Context, _ *v2.ListParticipantsRequest) (*v2.ListParticipantsResponse, error) {
		record(ctx)
		return &v2.ListParticipantsResponse{}, nil
	}
	service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
		record(s.Context())
		return nil
	}
	for _, target := range []string{participantsPath, watchedPath} {
		call(t, handler(t, service), "GET", target, "",
			"Authorization: Bearer a", "X-Auth-Token: b", "X-Request-Id: c", "Tracestate: d", "Idempotency-Key: g", "Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "Accept-Language: f",
			"Grpc-Metadata-X-Role: writer", "Grpcgateway-Cookie: x", "X-Audian-Internal: x", "Cookie: x")
		for key, want := range map[string]string{
			"authorization": "a", "x-auth-token": "b", "x-request-id": "c", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "accept-language": "f", "idempotency-key": "g",
		} {
			if values := got.Get(key); len(values) != 1 || strings.TrimPrefix(values[0], "Bearer ") != want {
				t.Errorf("%s: %s = %q", target, key, values)
			}
			got.Delete(key)
		}
		for key := range got {
			if key != "x-forwarded-for" && key != "x-forwarded-host" {
				t.Errorf("%s: %s reached the service", target, key)
			}
		}
		if !strings.HasPrefix(from, "127.0.0.1:") {
			t.Errorf("%s: peer = %q", target, from)
		}
	}
}

func TestHeadersOfTheServiceReachTheClient(t *testing.T) {
	replayed := metadata.Pairs("x-request-id", "from-service", "idempotency-replayed", "true", "x-internal", "1")
	refused := &apierror.Error{Reason: apierror.RequestIDReused, Message: "m"}
	for _, err := range []error{nil, refused} {
		service := newFake(t)
		service.add = func(ctx context.Context, _ *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
			return &v2.AddParticipantResponse{Participant: &v2.Participant{}}, joined(grpc.SetHeader(ctx, replayed), err)
		}
		service.watch = func(_ *v2.WatchParticipantsRequest, s grpc.ServerStream) error {
			return joined(s.SendHeader(replayed), err)
		}
		for _, method := range []string{"POST", "GET"} {
			target := map[string]string{"POST": participantsPath, "GET": watchedPath}[method]
			got := call(t, handler(t, service), method, target, "")
			if id := got.Header.Values("X-Request-Id"); fmt.Sprint(id) != "[from-service]" {
				t.Errorf("%s (%v): X-Request-Id = %q", method, err, id)
			}
			if got.Header.Get("Idempotency-Replayed") != "true" || got.Header.Get("X-Internal") != "" || got.Header.Get("Grpc-Metadata-X-Internal") != "" {
				t.Errorf("%s (%v): headers = %v", method, err, got.Header)
			}
		}
	}
}

func joined(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

func TestRequestIDs(t *testing.T) {
	for _, tt := range []struct {
		name, sent string
		kept       bool
	}{
		{"the caller's", "abc-123", true},
		{"the longest", strings.Repeat("x", 128), true},
		{"too long", strings.Repeat("x", 129), false},
		{"a space", "a b", false},
		{"not ASCII", "é", false},
		{"none", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := call(t, handler(t, newFake(t)), "GET", participantsPath, "", "X-Request-Id: "+tt.sent).Header.Get("X-Request-Id")
			if (got == tt.sent) != tt.kept || got == "" {
				t.Errorf("X-Request-Id = %q after %q", got, tt.sent)
			}
		})
	}
}
