package server

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/audian/participant-gateway/internal/config"
)

func TestLogger_MasksPhoneNumbers(t *testing.T) {
	for _, test := range []struct {
		attr slog.Attr
		want string
	}{
		{slog.String("phone_number", "+12025551234"), "…1234"},
		{slog.String("phone_number", "1234"), "…"},
		{slog.String("error", "UPSTREAM_BAD_REQUEST: +12025551234 is not in service (upstream status 400)"), "UPSTREAM_BAD_REQUEST: …1234 is not in service (upstream status 400)"},
		{slog.Any("error", errors.New("the number (202) 555-1234 is busy")), "the number …1234 is busy"},
		{slog.String("panic", "at 12025551234"), "at …1234"},
		{slog.String("caller", "+12025551234"), "…1234"},
		{slog.String("path", "/v2/conferences/c/participants/%2B12025551234"), "/v2/conferences/c/participants/…1234"},
		{slog.String(slog.MessageKey, "http: panic serving 127.0.0.1:4711: +12025551234"), "http: panic serving 127.0.0.1:4711: …1234"},
		{slog.String("conference_id", "+12025551234"), "…1234"},
		{slog.String("participant_id", "call (202) 555-1234"), "call …1234"},
		{slog.String("participant_id", "12345678"), "12345678"},
		{slog.String("request_id", "12025551234"), "12025551234"},
		{slog.Int("history", 12025551234), "12025551234"},
	} {
		masked, changed := maskNumbers(test.attr)
		if got := masked.Value.String(); got != test.want || !changed && got != test.attr.Value.String() {
			t.Errorf("%v: got %q, want %q; changed: %t", test.attr, got, test.want, changed)
		}
	}
}

// TestLogger_MasksWholeLines logs by each method that attributes come from.
func TestLogger_MasksWholeLines(t *testing.T) {
	const number = "+12025551234"
	record := slog.NewRecord(time.Time{}, slog.LevelInfo, "call of "+number, 0)
	record.AddAttrs(slog.String("code", "OK"), slog.Any("error", errors.New("no answer from "+number)),
		slog.Group("inner", slog.String("caller", number)), slog.Int("history", 7))
	for _, format := range []string{"json", "text"} {
		for phoneNumbers, numbers := range map[bool]int{false: 0, true: 5} {
			file, err := os.Create(filepath.Join(t.TempDir(), "log"))
			if err != nil {
				t.Fatal(err)
			}
			logger := NewLogger(file, config.Log{Format: format, PhoneNumbers: phoneNumbers})
			with := logger.With(slog.String("path", "/"+number)).WithGroup("outer").With(slog.String("phone_number", number))
			if err := with.Handler().Handle(t.Context(), record); err != nil {
				t.Fatal(err)
			}
			logger.Info("call", slog.String("error", "none"), slog.String("caller", "anonymous"))
			content, err := os.ReadFile(file.Name())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Count(string(content), "2025551234"); got != numbers {
				t.Errorf("%s, in full: %t: %d numbers, want %d:\n%s", format, phoneNumbers, got, numbers, content)
			}
			if got := strings.Count(string(content), "1234"); got != 5 || !strings.Contains(string(content), "anonymous") {
				t.Errorf("%s, in full: %t: a part is missing:\n%s", format, phoneNumbers, content)
			}
			if err := file.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
