package interceptor

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/protobuf/proto"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/metrics"
)

// TestA08_ControlsHaveTheDefaultDeadline calls each control without a deadline and with one.
func TestA08_ControlsHaveTheDefaultDeadline(t *testing.T) {
	requests := map[string]proto.Message{
		v2.ParticipantService_MuteParticipant_FullMethodName:       &v2.MuteParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		v2.ParticipantService_UnmuteParticipant_FullMethodName:     &v2.UnmuteParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		v2.ParticipantService_HoldParticipant_FullMethodName:       &v2.HoldParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		v2.ParticipantService_ResumeParticipant_FullMethodName:     &v2.ResumeParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		v2.ParticipantService_DisconnectParticipant_FullMethodName: &v2.DisconnectParticipantRequest{ConferenceId: "c", ParticipantId: "p"},
		v2.ParticipantService_MuteAllParticipants_FullMethodName:   &v2.MuteAllParticipantsRequest{ConferenceId: "c"},
	}
	for method, request := range requests {
		synctest.Test(t, func(t *testing.T) {
			i := New(Options{
				Authenticator: authenticator(func(context.Context) error { return nil }),
				Metrics:       metrics.New(), Logger: slog.New(slog.DiscardHandler),
			})
			short, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			for ctx, want := range map[context.Context]time.Duration{t.Context(): 30 * time.Second, short: time.Second} {
				var left time.Duration
				_, err := i.unary(ctx, method, request, func(ctx context.Context, _ any) (any, error) {
					deadline, _ := ctx.Deadline()
					left = time.Until(deadline)
					return request, nil
				})
				if err != nil || left != want {
					t.Errorf("%s: %v are left, want %v; %v", method, left, want, err)
				}
			}
		})
	}
}
