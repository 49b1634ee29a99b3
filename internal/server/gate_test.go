package server

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
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/service"
)

// policy admits, or not, as a test wants.
type policy func(ctx context.Context) error

func (p policy) Authenticate(ctx context.Context, _ access.Credentials) (access.Caller, error) {
	caller, _ := access.NewNoAuth().Authenticate(ctx, access.Credentials{})
	return caller, p(ctx)
}

// TestA01_AnErrorBeforeTheServiceSaysThatNothingWasSent has an add fail with errors that
// nobody foresaw, before and after the service has it.
func TestA01_AnErrorBeforeTheServiceSaysThatNothingWasSent(t *testing.T) {
	odd := errors.New("odd")
	slow := func(ctx context.Context) error {
		<-ctx.Done()
		return fmt.Errorf("ask the issuer: %w", ctx.Err())
	}
	shared := &apierror.Error{Reason: apierror.IssuerUnavailable, Message: "no answer"}
	tests := map[string]struct {
		admit   policy
		answer  func() error
		cancel  time.Duration
		code    codes.Code
		reason  string
		dialled string
	}{
		"the deadline ends at the issuer": {slow, nil, 0, codes.DeadlineExceeded, "DEADLINE_EXCEEDED", "no"},
		"cancelled at the issuer":         {slow, nil, time.Second, codes.Canceled, "CANCELLED", "no"},
		"the issuer fails":                {func(context.Context) error { return shared }, nil, 0, codes.Unavailable, "ISSUER_UNAVAILABLE", "no"},
		"unexpected":                      {func(context.Context) error { return odd }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"a status":                        {func(context.Context) error { return status.Error(codes.Aborted, "odd") }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"a panic":                         {func(context.Context) error { panic(odd) }, nil, 0, codes.Internal, "INTERNAL", "no"},
		"the service refuses":             {nil, func() error { return shared }, 0, codes.Unavailable, "ISSUER_UNAVAILABLE", "no"},
		"the service fails unexpectedly":  {nil, func() error { return odd }, 0, codes.Internal, "INTERNAL", "unknown"},
		"the service panics":              {nil, func() error { panic(odd) }, 0, codes.Internal, "INTERNAL", "unknown"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if test.admit == nil {
					test.admit = func(context.Context) error { return nil }
				}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.cancel > 0 {
					time.AfterFunc(test.cancel, cancel)
				}
				err := addThrough(ctx, t, test.admit, test.answer)
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

// addThrough makes an add that passes the gate and is answered so.
func addThrough(ctx context.Context, t *testing.T, admit policy, answer func() error) error {
	t.Helper()
	validator, err := service.NewValidator(service.PhoneRule{})
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{
		policy: admit, limiter: access.NewLimiter(access.Limits{}), validator: validator,
		metrics: newMetrics(), calls: &callCount{}, logger: slog.New(slog.DiscardHandler),
	}
	_, err = g.unary(ctx, &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234"},
		&grpc.UnaryServerInfo{FullMethod: v2.ParticipantService_AddParticipant_FullMethodName},
		func(context.Context, any) (any, error) { return nil, answer() })
	return err
}
