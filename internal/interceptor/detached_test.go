package interceptor

import (
	"context"
	"log/slog"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/detached"
	"github.com/audian/participant-gateway/internal/metrics"
)

// contextStream is a stream that only has a context.
type contextStream struct {
	grpc.ServerStream

	ctx context.Context
}

func (s contextStream) Context() context.Context { return s.ctx }

func (contextStream) SetHeader(metadata.MD) error { return nil }

func TestW16_ADetachedStreamIsOpenUntilItsEnd(t *testing.T) {
	streams := NewStreams(0)
	intercept := New(Options{
		Authenticator: authenticator(func(context.Context) error { return nil }), Metrics: metrics.New(),
		Logger: slog.New(slog.DiscardHandler), Streams: streams,
	})
	call := &detached.Call{}
	err := intercept.stream(
		v2.ParticipantService_WatchParticipants_FullMethodName, &v2.WatchParticipantsRequest{ConferenceId: "conf_1"},
		contextStream{ctx: detached.NewContext(t.Context(), call)},
		func(s grpc.ServerStream) error {
			call.Detach(&detached.Stream{})
			return s.Context().Err()
		})
	if err != nil {
		t.Fatal(err)
	}
	if open := len(streams.Watches()); open != 1 {
		t.Errorf("%d streams are open", open)
	}
	select {
	case <-intercept.Idle():
		t.Error("no call is running")
	default:
	}
	streams.Drain()
	if err := call.End(call.Cause()); status.Code(err) != codes.Unavailable {
		t.Errorf("ended with %v", err)
	}
	<-intercept.Idle()
	if open := len(streams.Watches()); open != 0 {
		t.Errorf("%d streams are open", open)
	}
}
