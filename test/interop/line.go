package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// line is one line that a client printed.
type line struct {
	at   time.Time
	id   string
	text string
	// fields are the whole line; state is the same, decoded as a state of a watch.
	fields message
	state  state
}

// state is a line of a watch.
type state struct {
	State       string            `json:"state"`
	Reason      string            `json:"reason"`
	Roster      map[string]string `json:"roster"`
	Fresh       bool              `json:"fresh"`
	StaleReason string            `json:"stale_reason"`
	Changes     []change          `json:"changes"`
	Total       *int              `json:"total"`
	Active      *int              `json:"active"`
	Error       *callError        `json:"error"`
	Done        bool              `json:"done"`
}

// change is one change of a state.
type change struct {
	Kind           string `json:"kind"`
	Participant    string `json:"participant"`
	Status         string `json:"status"`
	PreviousStatus string `json:"previous_status"`
}

// callError is an error as clients print it.
type callError struct {
	Code         string  `json:"code"`
	Reason       string  `json:"reason"`
	RetryAfterMS float64 `json:"retry_after_ms"`
}

// The states of a watch.
const (
	snapshotState     = "snapshot"
	changesState      = "changes"
	freshnessState    = "freshness"
	disconnectedState = "disconnected"
	endState          = "end"
)

// parseLine decodes a line.
func parseLine(text string, at time.Time) (line, error) {
	l := line{at: at, text: text}
	if err := json.Unmarshal([]byte(text), &l.fields); err != nil {
		return l, fmt.Errorf("not a JSON object: %w", err)
	}
	var ok bool
	if l.id, ok = l.fields["id"].(string); !ok {
		return l, errors.New("has no id")
	}
	if err := json.Unmarshal([]byte(text), &l.state); err != nil {
		return l, fmt.Errorf("has a field of another type: %w", err)
	}
	return l, nil
}

// final reports that nothing follows a line of a watch or a batch.
func (l line) final() bool {
	_, failed := l.fields["error"]
	return l.state.Done || l.fields["unsupported"] == true || failed && l.state.State == "" && l.fields["event"] == nil
}

// kind returns the name of a line of a watch or a batch: the state, the event, done or error.
func (l line) kind() string {
	event, _ := l.fields["event"].(string)
	switch {
	case l.state.State != "":
		return l.state.State
	case event != "":
		return event
	case l.state.Done:
		return "done"
	case l.state.Error != nil:
		return "error"
	default:
		return "answer"
	}
}

// show returns a value as JSON of at most 300 characters.
func show(value any) string {
	text, err := json.Marshal(value, json.Deterministic(true), jsontext.EscapeForHTML(false))
	if err != nil {
		return fmt.Sprint(value)
	}
	return shorten(string(text))
}

func shorten(text string) string {
	if runes := []rune(text); len(runes) > 300 {
		return string(runes[:300]) + "…"
	}
	return strings.TrimSpace(text)
}

// stateOf returns what an expectation says as a state of a watch.
func stateOf(fields message) state {
	var s state
	s.State, _ = fields["state"].(string)
	s.Done, _ = fields["done"].(bool)
	if fields["error"] != nil {
		s.Error = &callError{}
	}
	return s
}
