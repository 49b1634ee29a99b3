package interceptor

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/audit"
	"github.com/audian/participant-gateway/internal/metrics"
)

// TestA15_EveryCallThatNeedsAWriterIsAudited fails if a method that changes a conference has no
// line in the audit log.
func TestA15_EveryCallThatNeedsAWriterIsAudited(t *testing.T) {
	service := v2.File_audian_conference_v2_participant_service_proto.Services().ByName("ParticipantService")
	for i := range service.Methods().Len() {
		method := service.Methods().Get(i)
		request := requestOf(t, method)
		empty, isAudited := audited["/"+string(service.FullName())+"/"+string(method.Name())]
		if needsWriter := permissionFor(request).Role == access.Writer; isAudited != needsWriter {
			t.Errorf("%s: audited: %t, needs a writer: %t", method.Name(), isAudited, needsWriter)
		}
		if isAudited && empty.ProtoReflect().Descriptor() != request.ProtoReflect().Descriptor() {
			t.Errorf("%s: the request is %T", method.Name(), empty)
		}
	}
}

// TestA15_BothLogsOfAnUnreadableCallHaveItsID sends a call without an id: the gateway makes one.
func TestA15_BothLogsOfAnUnreadableCallHaveItsID(t *testing.T) {
	file := filepath.Join(t.TempDir(), "audit")
	auditLog, err := audit.Open(file, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	i := New(Options{
		Authenticator: authenticator(func(context.Context) error { return nil }), Streams: NewStreams(0),
		Metrics: metrics.New(), Logger: slog.New(slog.NewJSONHandler(&log, nil)), Audit: auditLog,
	})
	i.LogUnreadable(t.Context(), v2.ParticipantService_AddParticipant_FullMethodName, errors.New("cut off"))
	audited, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if logged, written := loggedRequestID(t, log.Bytes()), loggedRequestID(t, audited); logged != written || logged == "" {
		t.Errorf("the log has the id %q, the audit log %q", logged, written)
	}
}

func loggedRequestID(t *testing.T, line []byte) string {
	t.Helper()
	var ids struct {
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(line, &ids); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return ids.RequestID
}
