package server

import (
	"log/slog"
	"os"

	"github.com/audian/participant-gateway/internal/config"
)

// NewLogger returns the gateway's logger. By default it writes text to a terminal and JSON
// elsewhere, and masks phone numbers except for their last four digits (--log-phone-numbers).
// The admin port can change its level.
func NewLogger(to *os.File, cfg config.Log) *slog.Logger {
	level := &slog.LevelVar{}
	level.Set(cfg.Level)
	options := &slog.HandlerOptions{Level: level}
	format := cfg.Format
	if info, err := to.Stat(); format == "" && err == nil && info.Mode()&os.ModeCharDevice != 0 {
		format = "text"
	}
	var handler slog.Handler = slog.NewJSONHandler(to, options)
	if format == "text" {
		handler = slog.NewTextHandler(to, options)
	}
	if !cfg.PhoneNumbers {
		handler = masking{handler}
	}
	return slog.New(leveled{handler, level})
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
