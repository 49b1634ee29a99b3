package server

import (
	"log/slog"
	"os"
	"regexp"

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

// numbered are attributes that may hold a phone number: the one that is one, a caller
// whom an issuer may know by it, and texts that repeat what the upstream said.
var numbered = map[string]bool{"phone_number": true, "error": true, "panic": true, "caller": true}

// phoneNumber is what looks like one. Ids have letters.
var phoneNumber = regexp.MustCompile(`\+?\b[0-9]{3,}([0-9]{4})\b`)

// maskNumbers leaves the last four digits of phone numbers, by which calls can still
// be told apart.
func maskNumbers(_ []string, attr slog.Attr) slog.Attr {
	if !numbered[attr.Key] || attr.Value.Kind() != slog.KindString {
		return attr
	}
	return slog.String(attr.Key, phoneNumber.ReplaceAllString(attr.Value.String(), "…$1"))
}
