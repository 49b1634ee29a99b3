package server

import (
	"log/slog"
	"os"
	"regexp"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/redact"
)

// NewLogger returns the gateway's logger. By default it writes text to a terminal and JSON
// elsewhere, and masks phone numbers except for their last four digits (--log-phone-numbers).
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

// freeText are the attributes whose text may contain a phone number: names of callers, paths,
// and texts of the upstream or of the standard library.
var freeText = map[string]bool{"error": true, "panic": true, "caller": true, "path": true, slog.MessageKey: true}

// isID are the attributes with ids. Callers choose ids, so that an id may be a phone number;
// ids of plain letters and digits are never masked, so that they can be found.
var isID = map[string]bool{"conference_id": true, "participant_id": true}

var plainID = regexp.MustCompile(`^[A-Za-z0-9_.@~-]*$`)

// maskNumbers masks phone numbers except for their last four digits.
func maskNumbers(_ []string, attr slog.Attr) slog.Attr {
	text, isText := textOf(attr.Value)
	switch {
	case !isText:
		return attr
	case attr.Key == "phone_number":
		return slog.String(attr.Key, redact.MaskNumber(text))
	case freeText[attr.Key], isID[attr.Key] && !plainID.MatchString(text):
		return slog.String(attr.Key, redact.MaskNumbers(text))
	default:
		return attr
	}
}

// textOf returns the text of an error or string value.
func textOf(value slog.Value) (text string, isText bool) {
	if err, isError := value.Any().(error); isError {
		return err.Error(), true
	}
	return value.String(), value.Kind() == slog.KindString
}
