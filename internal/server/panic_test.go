package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/service"
)

func TestAPanicTellsNobodysNumber(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		file, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		validator, err := service.NewValidator(service.PhoneRule{})
		if err != nil {
			t.Fatal(err)
		}
		g := &gate{
			policy: access.NewNoAuth(), limiter: access.NewLimiter(access.Limits{}), validator: validator,
			metrics: newMetrics(), calls: &callCount{}, logger: NewLogger(file, config.Log{Format: format}),
		}
		_, err = g.unary(t.Context(), &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234"},
			&grpc.UnaryServerInfo{FullMethod: v2.ParticipantService_AddParticipant_FullMethodName},
			func(_ context.Context, request any) (any, error) { panic(request) })
		if st := status.Convert(err); st.Code() != codes.Internal || st.Message() != "internal error" {
			t.Errorf("%s: told %v", format, err)
		}
		written, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		if log := string(written); strings.Contains(log, "2025551234") || strings.Count(log, "…1234") != 3 || !strings.Contains(log, "panic_test.go") {
			t.Errorf("%s: logged\n%s", format, log)
		}
		file.Close()
	}
}
