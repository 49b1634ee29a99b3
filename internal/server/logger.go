package server

import (
	"log/slog"
	"os"
	"strings"

	"github.com/audian/participant-gateway/internal/config"
	"github.com/audian/participant-gateway/internal/redact"
)

// NewLogger returns the gateway's logger. By default it writes text to a terminal and JSON
// elsewhere, and masks phone numbers except for their last four digits (--log-phone-numbers).
// The admin port can change its level.
func NewLogger(to *os.File, cfg config.Log) *slog.Logger {
	level := &slog.LevelVar{}
	level.Set(cfg.Level)
	options := &slog.HandlerOptions{Level: level}
	if !cfg.PhoneNumbers {
		options.ReplaceAttr = maskNumbers
	}
	format := cfg.Format
	if info, err := to.Stat(); format == "" && err == nil && info.Mode()&os.ModeCharDevice != 0 {
		format = "text"
	}
	if format == "text" {
		return slog.New(leveled{slog.NewTextHandler(to, options), level})
	}
	return slog.New(leveled{slog.NewJSONHandler(to, options), level})
}

// leveled is a handler whose level can change.
type leveled struct {
	slog.Handler

	level *slog.LevelVar
}

// levelOf returns the level of a logger that NewLogger has returned. Another logger keeps its own: its
// level only seems to change.
func levelOf(logger *slog.Logger, configured slog.Level) *slog.LevelVar {
	if handler, ok := logger.Handler().(leveled); ok {
		return handler.level
	}
	level := &slog.LevelVar{}
	level.Set(configured)
	return level
}

// freeText are the attributes whose text may contain a phone number: names of callers, paths,
// and texts of the upstream or of the standard library.
var freeText = map[string]bool{"error": true, "panic": true, "caller": true, "path": true, slog.MessageKey: true}

// isID are the attributes with ids. Callers choose ids, so that an id may be a phone number;
// ids of plain letters and digits are never masked, so that they can be found.
var isID = map[string]bool{"conference_id": true, "participant_id": true}

// isPlainID reports whether an id has only characters that need no mask.
func isPlainID(id string) bool {
	return !strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_.@~-", r)
	})
}

// maskNumbers masks phone numbers except for their last four digits.
func maskNumbers(_ []string, attr slog.Attr) slog.Attr {
	text, isText := textOf(attr.Value)
	switch {
	case !isText:
		return attr
	case attr.Key == "phone_number":
		return slog.String(attr.Key, redact.MaskNumber(text))
	case freeText[attr.Key], isID[attr.Key] && !isPlainID(text):
		return slog.String(attr.Key, redact.MaskNumbers(text))
	default:
		return attr
	}
}

// textOf returns the text of an error or string value.
func textOf(value slog.Value) (text string, isText bool) {
	switch value.Kind() {
	case slog.KindString:
		return value.String(), true
	case slog.KindAny:
		if err, isError := value.Any().(error); isError {
			return err.Error(), true
		}
	default:
	}
	return "", false
}
