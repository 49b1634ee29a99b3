package server

import (
	"errors"
	"log/slog"
	"testing"
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
		if got := maskNumbers(nil, test.attr).Value.String(); got != test.want {
			t.Errorf("%v: got %q, want %q", test.attr, got, test.want)
		}
	}
}
