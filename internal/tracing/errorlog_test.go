package tracing

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/redact"
)

func TestErrorLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		l := newErrorLog(slog.New(slog.NewTextHandler(&text, nil)), map[string]redact.Secret{"authorization": "Bearer s3cret-token"})
		for range 3 {
			l.report(errors.New("refused: s3cret-token"))
			time.Sleep(logInterval / 2)
		}
		lines := strings.Split(strings.TrimSpace(text.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], "omitted=0") || !strings.Contains(lines[1], "omitted=1") {
			t.Errorf("got %d lines:\n%s", len(lines), &text)
		}
		if strings.Contains(text.String(), "s3cret") {
			t.Errorf("the log contains the credential:\n%s", &text)
		}
	})
}
