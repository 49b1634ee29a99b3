package server

import (
	"log/slog"
	"os"
	"regexp"
	"strings"

	"github.com/audian/participant-gateway/internal/config"
)

// NewLogger returns the gateway's logger: text on a terminal, else json, unless told.
// Of phone numbers it writes the last four digits, unless told (--log-phone-numbers).
func NewLogger(to *os.File, cfg config.Log) *slog.Logger {
	options := &slog.HandlerOptions{Level: cfg.Level}
	if !cfg.PhoneNumbers {
		options.ReplaceAttr = maskNumbers
	}
	format := cfg.Format
	if info, err := to.Stat(); format == "" && err == nil && info.Mode()&os.ModeCharDevice != 0 {
		format = "text"
	}
	if format == "text" {
		return slog.New(slog.NewTextHandler(to, options))
	}
	return slog.New(slog.NewJSONHandler(to, options))
}

// numbered are attributes whose text may repeat a phone number: a caller, whom an
// issuer may know by it, and what the upstream said.
var numbered = map[string]bool{"error": true, "panic": true, "caller": true}

// phoneNumber is what looks like one in a text, as people write them. Ids have letters.
var phoneNumber = regexp.MustCompile(`\+?\(?\b[0-9](?:[ ().\-/]*[0-9]){6,}\b`)

// maskNumbers leaves the last four digits of phone numbers, by which calls can still be
// told apart.
func maskNumbers(_ []string, attr slog.Attr) slog.Attr {
	switch {
	case attr.Value.Kind() != slog.KindString:
		return attr
	case attr.Key == "phone_number":
		return slog.String(attr.Key, lastDigits(attr.Value.String()))
	case numbered[attr.Key]:
		return slog.String(attr.Key, phoneNumber.ReplaceAllStringFunc(attr.Value.String(), lastDigits))
	default:
		return attr
	}
}

// shownDigits are left of a phone number; one that has no more shows none.
const shownDigits = 4

func lastDigits(number string) string {
	digits := strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, number)
	if len(digits) <= shownDigits {
		return "…"
	}
	return "…" + digits[len(digits)-shownDigits:]
}
