package terminal

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// Escape sequences of terminals (ECMA-48, and xterm's alternate screen).
const (
	alternateScreen = "\x1b[?1049h"
	normalScreen    = "\x1b[?1049l"
	hideCursor      = "\x1b[?25l"
	showCursor      = "\x1b[?25h"
	topLeft         = "\x1b[H"
	clearLine       = "\x1b[K"
	clearBelow      = "\x1b[J"

	bold   = "\x1b[1m"
	dim    = "\x1b[2m"
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	blue   = "\x1b[34m"
	plain  = "\x1b[0m"
)

// statusColors are the colours of the statuses; others have none.
var statusColors = map[v2.ParticipantStatus]string{
	v2.ParticipantStatus_PARTICIPANT_STATUS_PENDING:      yellow,
	v2.ParticipantStatus_PARTICIPANT_STATUS_DIALING:      yellow,
	v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED:    green,
	v2.ParticipantStatus_PARTICIPANT_STATUS_HELD:         blue,
	v2.ParticipantStatus_PARTICIPANT_STATUS_DISCONNECTED: dim,
	v2.ParticipantStatus_PARTICIPANT_STATUS_REJECTED:     red,
}

// screen shows a conference as a table that is always drawn at the same place.
type screen struct {
	out        *os.File
	conference string
	colored    bool
}

// show draws a state.
func (s *screen) show(state client.State) error {
	f := frame{people: people(state.Roster)}
	for _, change := range state.Changes {
		f.changed = append(f.changed, change.GetParticipant().GetId())
	}
	switch {
	case state.Kind == client.KindEnd:
		f.trouble = "the conference has ended"
	case state.Kind == client.KindDisconnected:
		f.trouble = "NO CONNECTION since " + time.Now().Format(time.TimeOnly) + ": " + describe(state.Err).Error()
	case !state.Fresh:
		f.trouble = "STALE since " + time.Now().Format(time.TimeOnly) + ": " + state.StaleReason
	}
	return s.draw(f)
}

// frame is what a screen shows.
type frame struct {
	people []*v2.Participant
	// changed are the ids of the participants of the last change.
	changed []string
	// trouble is why the table may be out of date; empty if it is live.
	trouble string
}

// isTerminal reports whether a file of the process is a terminal that understands escape sequences.
func (p Process) isTerminal(file *os.File) bool {
	return term.IsTerminal(int(file.Fd())) && p.Getenv("TERM") != "dumb"
}

// newScreen opens the alternate screen. It has colours unless NO_COLOR is set (no-color.org).
func newScreen(process Process, conference string) (*screen, error) {
	if _, err := process.Out.WriteString(alternateScreen + hideCursor); err != nil {
		return nil, fmt.Errorf("open the screen: %w", err)
	}
	return &screen{out: process.Out, conference: conference, colored: process.Getenv("NO_COLOR") == ""}, nil
}

// close returns to the normal screen.
func (s *screen) close() { _, _ = s.out.WriteString(showCursor + normalScreen) }

// draw shows a frame, with one write, so that the terminal does not flicker.
func (s *screen) draw(f frame) error {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width == 0 || height == 0 {
		width, height = 80, 24
	}
	var text strings.Builder
	text.WriteString(topLeft)
	for _, line := range s.lines(f, width, height) {
		text.WriteString(line + clearLine + "\r\n")
	}
	text.WriteString(clearBelow)
	if _, err := s.out.WriteString(text.String()); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}

// lines returns the lines of a frame that fit: one less than the height, since a line break
// follows the last.
func (s *screen) lines(f frame, width, height int) []string {
	title, rows := table(f.people)
	lines := []string{s.header(f, width), s.paint(bold, cut(title, width))}
	for i, row := range rows {
		if len(lines) == height-2 && i < len(rows)-1 {
			return append(lines, s.paint(dim, fmt.Sprintf("… and %d more", len(rows)-i)))
		}
		color := statusColors[f.people[i].GetStatus()]
		if slices.Contains(f.changed, f.people[i].GetId()) {
			color += bold
		}
		lines = append(lines, s.paint(color, cut(row, width)))
	}
	return lines
}

func (s *screen) header(f frame, width int) string {
	state, color := "live", green
	if f.trouble != "" {
		state, color = clean(f.trouble), red
	}
	counts := fmt.Sprintf("%d shown, %d active", len(f.people), active(f.people))
	line := fmt.Sprintf("%s  %s  %s  %s", clean(s.conference), time.Now().Format(time.TimeOnly), counts, state)
	return s.paint(color+bold, cut(line, width))
}

// active returns the number of connected and held participants.
func active(people []*v2.Participant) (n int) {
	for _, p := range people {
		switch p.GetStatus() { //nolint:exhaustive // All others are not active.
		case v2.ParticipantStatus_PARTICIPANT_STATUS_CONNECTED, v2.ParticipantStatus_PARTICIPANT_STATUS_HELD:
			n++
		}
	}
	return n
}

// paint colours a text.
func (s *screen) paint(color, text string) string {
	if !s.colored || color == "" {
		return text
	}
	return color + text + plain
}

// cut shortens a text that is wider than the terminal.
func cut(text string, width int) string {
	if columns(text) <= width {
		return text
	}
	return fit(text, width)
}
