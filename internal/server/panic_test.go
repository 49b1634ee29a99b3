package server

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/interceptor"
	"github.com/audian/participant-gateway/internal/metrics"
)

// panicking is a service that panics with the request of an Add.
type panicking struct {
	v2.UnimplementedParticipantServiceServer
}

func (panicking) AddParticipant(_ context.Context, request *v2.AddParticipantRequest) (*v2.AddParticipantResponse, error) {
	panic(request)
}

func TestAPanicLogsNoPhoneNumber(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		file, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		intercept := interceptor.New(interceptor.Options{
			Authenticator: access.NewNoAuth(),
			Metrics:       metrics.New(), Logger: NewLogger(file, config.Log{Format: format}),
		})
		_, err = intercept.Wrap(panicking{}).AddParticipant(t.Context(), &v2.AddParticipantRequest{ConferenceId: "conf_1", PhoneNumber: "+12025551234"})
		if st := status.Convert(err); st.Code() != codes.Internal || st.Message() != "internal error" {
			t.Errorf("%s: got %v", format, err)
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
