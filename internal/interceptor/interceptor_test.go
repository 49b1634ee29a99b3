package interceptor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/metrics"
	"github.com/audian/participant-gateway/internal/wire"
)

// authenticator accepts every caller if the function returns nil.
type authenticator func(ctx context.Context) error

func (p authenticator) Authenticate(ctx context.Context, _ access.Credentials) (access.Caller, error) {
	caller, _ := access.NewNoAuth().Authenticate(ctx, access.Credentials{})
	return caller, p(ctx)
}

// TestA01_AnErrorBeforeTheServiceHasDialledNo makes an Add fail with unexpected errors before
// and in the service.
func TestA01_AnErrorBeforeTheServiceHasDialledNo(t *testing.T) {
	unexpected := errors.New("unexpected")
	slow := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("ask the issuer: %w", ctx.Err())
	}
	shared := &apierror.Error{Reason: apierror.IssuerUnavailable, Message: "no answer"}
	tests := map[string]struct {
		authenticate authenticator
		answer       func() error
		cancel       time.Duration
		code         codes.Code
		reason       string
		dialled      string
	}{
		"the deadline ends at the issuer": {slow, nil, 0, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "no"},
		"cancelled at the issuer":         {slow, nil, time.Second, codes.Canceled, "CANCELLED", "no"},
		"the issuer fails":                {func(context.Context) error { return shared }, nil, 0, codes.Unavailable, "ISSUER_UNAVAILABLE", "no"},
		"unexpected":                      {func(context.Context) error { return unexpected }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"a status":                        {func(context.Context) error { return status.Error(codes.Aborted, "unexpected") }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"a panic":                         {func(context.Context) error { panic(unexpected) }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"the service refuses":             {nil, func() error { return shared }, 0, codes.Unavailable, "ISSUER_UNAVAILABLE", "no"},
		"the service fails unexpectedly":  {nil, func() error { return unexpected }, 0, codes.Internal, "INTERNAL", "unknown"},
		"the service panics":              {nil, func() error { panic(unexpected) }, 0, codes.Internal, "INTERNAL", "unknown"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if test.authenticate == nil {
					test.authenticate = func(context.Context) error { return nil }
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancel > 0 {
					time.AfterFunc(test.cancel, cancel)
				}
				err := addThrough(ctx, t, test.authenticate, test.answer)
				st := status.Convert(err)
				info, _ := st.Details()[0].(*errdetails.ErrorInfo)
				if st.Code() != test.code || info.GetReason() != test.reason || info.GetMetadata()["dialled"] != test.dialled {
					t.Errorf("got %v, %v", st.Code(), info)
				}
			})
		})
	}
	if shared.Dialled != "" {
		t.Error("an error that others share was changed")
	}
}

// addThrough makes an Add through an interceptor; the service answers it.
func addThrough(ctx context.Context, t *testing.T, authenticate authenticator, answer func() error) error {
	t.Helper()
	intercept := New(Options{
		Authenticator: authenticate, Metrics: metrics.New(), Logger: slog.New(slog.DiscardHandler),
	})
	_, err := intercept.unary(ctx, v2.ParticipantService_AddParticipant_FullMethodName,
		&v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234"},
		func(context.Context, any) (any, error) { return nil, answer() })
	return err
}

// silentStream is a stream that nothing is sent on.
type silentStream struct {
	grpc.ServerStream

	ctx context.Context
}

func (s silentStream) Context() context.Context  { return s.ctx }
func (silentStream) SetHeader(metadata.MD) error { return nil }
func (silentStream) SendMsg(any) error           { return nil }

func TestAPanicBeforeAStreamIsAnError(t *testing.T) {
	intercept := New(Options{
		Authenticator: authenticator(func(context.Context) error { panic("unexpected") }),
		Metrics:       metrics.New(), Logger: slog.New(slog.DiscardHandler),
	})
	err := intercept.stream(v2.ParticipantService_WatchParticipants_FullMethodName, &v2.WatchParticipantsRequest{ConferenceId: "conf_1"},
		silentStream{ctx: t.Context()}, func(grpc.ServerStream) error { return nil })
	if status.Code(err) != codes.Internal {
		t.Errorf("got %v", err)
	}
}

// TestMessagesOfAWatchAreNotObserved sends around what observes the messages of other streams.
func TestMessagesOfAWatchAreNotObserved(t *testing.T) {
	for method, want := range map[string]bool{
		v2.ParticipantService_WatchParticipants_FullMethodName:    true,
		v2.ParticipantService_WatchConferences_FullMethodName:     false,
		v2.ParticipantService_BatchAddParticipants_FullMethodName: false,
	} {
		sending := silentStream{ctx: t.Context()}
		observed := &observedStream{ServerStream: sending, call: &call{method: method}}
		if got := wire.Target(observed) == grpc.ServerStream(sending); got != want {
			t.Errorf("%s: sent around: %t", method, got)
		}
	}
}
