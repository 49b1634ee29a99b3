package admin

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/audian/participant-gateway/internal/httpapi/httpio"
	"github.com/audian/participant-gateway/internal/panics"
)

// Level is the level of the log. The operator can change it for a while.
type Level struct {
	logger     *slog.Logger
	level      *slog.LevelVar
	configured slog.Level

	mu sync.Mutex
	// until is when the configured level returns; zero while it is in force.
	until time.Time
	timer *time.Timer
	// sets counts the changes, so that a timer that has already fired recognises that it is too late.
	sets int
}

// NewLevel returns the level of a logger, which is the configured one now.
func NewLevel(logger *slog.Logger, level *slog.LevelVar) *Level {
	return &Level{logger: logger, level: level, configured: level.Level()}
}

// LevelState is the level in force.
type LevelState struct {
	Level      string `json:"level"`
	Configured string `json:"configured"`
	// Until is when the configured level returns; unset while it is in force.
	Until time.Time `json:"until,omitzero"`
}

// State returns the level in force.
func (l *Level) State() LevelState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return LevelState{Level: name(l.level.Level()), Configured: name(l.configured), Until: l.until}
}

// Set sets the level for a time, after which the configured one returns.
func (l *Level) Set(level slog.Level, lasting time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sets++
	if l.timer != nil {
		l.timer.Stop()
	}
	l.timer, l.until = nil, time.Time{}
	if level != l.configured {
		set := l.sets
		l.until = time.Now().Add(lasting)
		l.timer = time.AfterFunc(lasting, func() {
			_ = panics.Recover(l.logger, "log level", func() { l.revert(set) })
		})
	}
	l.apply(level)
}

// revert returns to the configured level, unless the level was set again.
func (l *Level) revert(set int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sets != set {
		return
	}
	l.timer, l.until = nil, time.Time{}
	l.apply(l.configured)
}

// apply logs the change at a level that shows it. mu is held.
func (l *Level) apply(level slog.Level) {
	before := l.level.Level()
	l.level.Set(level)
	if level == before {
		return
	}
	l.logger.Log(context.Background(), max(level, slog.LevelInfo), "log level changed",
		slog.String("level_before", name(before)), slog.String("level_now", name(level)))
}

func name(level slog.Level) string { return strings.ToLower(level.String()) }

var levelNames = []string{"debug", "info", "warn", "error"}

var levels = map[string]slog.Level{
	"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
}

// How long a level lasts.
const (
	defaultLasting = 15 * time.Minute
	maxLasting     = 24 * time.Hour
)

func (h handler) logLevel(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.Level.State())
}

// setLogLevel takes the parameters level and for, of the query or of a form.
func (h handler) setLogLevel(w http.ResponseWriter, r *http.Request) {
	level, known := levels[r.FormValue("level")]
	if !known {
		httpio.WriteError(w, invalid("level", "must be debug, info, warn or error"))
		return
	}
	lasting := defaultLasting
	if text := r.FormValue("for"); text != "" {
		var err error
		if lasting, err = time.ParseDuration(text); err != nil || lasting < time.Second || lasting > maxLasting {
			httpio.WriteError(w, invalid("for", "must be a duration from 1s to 24h, such as 15m"))
			return
		}
	}
	h.Level.Set(level, lasting) //nolint:contextcheck // The level outlasts the request.
	if wantsPage(r) {
		changed(w, r)
		return
	}
	writeJSON(w, http.StatusOK, h.Level.State())
}
