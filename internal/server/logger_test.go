package server

import (
	"log/slog"
	"testing"
)

func TestLogger_MasksPhoneNumbers(t *testing.T) {
	tests := []struct{ key, value, want string }{
		{"phone_number", "+12025551234", "…1234"},
		{"phone_number", "2025551234", "…1234"},
		{"phone_number", "1234", "…"},
		{"phone_number", "202-555-1234", "…1234"},
		{"phone_number", "(202) 555-1234 x99", "…3499"},
		{"phone_number", "", "…"},
		{"error", "the number (202) 555-1234 is busy", "the number …1234 is busy"},
		{"error", "req_0000000001 took 12345 ms", "req_0000000001 took 12345 ms"},
		{"error", "UPSTREAM_BAD_REQUEST: +12025551234 is not in service (upstream status 400)", "UPSTREAM_BAD_REQUEST: …1234 is not in service (upstream status 400)"},
		{"panic", "at 12025551234", "at …1234"},
		{"request_id", "12025551234", "12025551234"},
	}
	for _, test := range tests {
		if got := maskNumbers(nil, slog.String(test.key, test.value)).Value.String(); got != test.want {
			t.Errorf("%s %q: got %q, want %q", test.key, test.value, got, test.want)
		}
	}
}
