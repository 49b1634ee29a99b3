package server

import (
	"log/slog"
	"os"
	"regexp"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/redact"
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
// issuer may know by it, the path of a request that was refused, and what the upstream
// or the standard library said.
var numbered = map[string]bool{"error": true, "panic": true, "caller": true, "path": true, slog.MessageKey: true}

// isID are attributes that hold an id. Callers make ids up, so that one may be a number;
// one of plain letters and digits is shown whole, for it to be found.
var isID = map[string]bool{"conference_id": true, "participant_id": true}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_.@~-]*$`)

// maskNumbers leaves the last four digits of phone numbers.
func maskNumbers(_ []string, attr slog.Attr) slog.Attr {
	text, shows := textOf(attr.Value)
	switch {
	case !shows:
		return attr
	case attr.Key == "phone_number":
		return slog.String(attr.Key, redact.MaskNumber(text))
	case numbered[attr.Key], isID[attr.Key] && !plainID.MatchString(text):
		return slog.String(attr.Key, redact.MaskNumbers(text))
	default:
		return attr
	}
}

// textOf is the text that a value shows, where it shows one.
func textOf(value slog.Value) (text string, shows bool) {
	if err, isError := value.Any().(error); isError {
		return err.Error(), true
	}
	return value.String(), value.Kind() == slog.KindString
}
