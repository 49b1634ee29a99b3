package terminal

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/audian/participant-gateway/client"
	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
)

// lineDisplay prints one line for each participant of a snapshot, each change, and each change of
// the freshness. The fields of a line are separated by tabs.
type lineDisplay struct{ out io.Writer }

func (d lineDisplay) close() {}

func (d lineDisplay) show(state client.State) error {
	for _, line := range linesOf(state) {
		if _, err := fmt.Fprintf(d.out, "%s\t%s\n", time.Now().Format(time.TimeOnly), line); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

func linesOf(state client.State) (lines []string) {
	switch state.Kind {
	case client.KindSnapshot:
		lines = append(lines, fields("snapshot", word(state.SnapshotReason.String(), "SNAPSHOT_REASON_"), strconv.Itoa(len(state.Roster))))
		for _, p := range people(state.Roster) {
			lines = append(lines, fields("present", p.GetId(), statusWord(p), p.GetName(), p.GetPhoneNumber(), mutedWord(p)))
		}
		return lines
	case client.KindChanges:
		for _, change := range state.Changes {
			lines = append(lines, changeLine(change))
		}
		return lines
	case client.KindDisconnected:
		return []string{fields("disconnected", describe(state.Err).Error())}
	case client.KindEnd:
		return []string{fields("end", word(state.EndReason.String(), "WATCH_END_REASON_"))}
	case client.KindFreshness:
		return []string{freshnessLine(state)}
	default:
		return nil
	}
}

func changeLine(change *v2.ParticipantChange) string {
	p := change.GetParticipant()
	status := statusWord(p)
	if before := previousWord(change); before != "" && before != status {
		status = before + " > " + status
	}
	return fields(kindWord(change.GetKind()), p.GetId(), status, p.GetName(), p.GetPhoneNumber(), mutedWord(p))
}

func freshnessLine(state client.State) string {
	if state.Fresh {
		return fields("fresh")
	}
	return fields("stale", state.StaleReason)
}

func mutedWord(p *v2.Participant) string { return map[bool]string{true: "muted"}[p.GetMuted()] }

// fields joins the fields of a line, without empty ones at its end.
func fields(texts ...string) string {
	for i, text := range texts {
		texts[i] = clean(text)
	}
	return strings.TrimRight(strings.Join(texts, "\t"), "\t")
}
