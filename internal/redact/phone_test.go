package redact_test

import (
	"testing"

	"github.com/audian/participant-gateway/internal/redact"
)

func TestMaskNumbers(t *testing.T) {
	for text, want := range map[string]string{
		"":                                    "",
		"+12025551234":                        "…1234",
		"at 12025551234":                      "at …1234",
		"the number (202) 555-1234 is busy":   "the number …1234 is busy",
		"+1 (202) 555-1234, 202.555.1235":     "…1234, …1235",
		"+44\u00a020\u20117183\u20138750":     "…8750",
		"/participants/%2B12025551234/x":      "/participants/…1234/x",
		"+12025551234x99":                     "…1234x99",
		"+12025551234 +12025551235":           "…1234 …1235",
		`{"phone_number":"+12025551234"}`:     `{"phone_number":"…1234"}`,
		"req_0000000001 took 12345 ms":        "req_0000000001 took 12345 ms",
		"dial tcp 192.168.100.200:8443: busy": "dial tcp 192.168.100.200:8443: busy",
		"since 2026-11-25T10:00:00Z":          "since 2026-11-25T10:00:00Z",
		"conf_abc123def456 is gone":           "conf_abc123def456 is gone",
	} {
		if got := redact.MaskNumbers(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestMaskNumber(t *testing.T) {
	for number, want := range map[string]string{
		"+12025551234": "…1234", "2025551234": "…1234", "202-555-1234": "…1234", "(202) 555-1234 x99": "…3499", "1234": "…", "": "…",
	} {
		if got := redact.MaskNumber(number); got != want {
			t.Errorf("%q: got %q, want %q", number, got, want)
		}
	}
}
