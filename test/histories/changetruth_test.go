package histories_test

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/roster"
)

// checkTruth fails if a change did not happen, or not between the times of its entry (W6, W8,
// and the bounds of a batch). A list may show the state of up to lag ago.
func checkTruth(t *truth, entry feed.Entry, change roster.Change, lag time.Duration) error {
	from, until := entry.NotBefore.Add(-lag), entry.NotAfter
	var id string
	var happened bool
	switch {
	case change.After == nil:
		id = change.Before.ID
		happened = t.became(id, from, until, func(status string) bool { return status == gone }) ||
			change.ByWrite && t.became(id, from, until, over) ||
			change.ByWrite && change.Before.Status.Ended() // The call had ended, and the Remove removes the participant.
	case change.Before == nil:
		id = change.After.ID
		happened = t.became(id, from, until, func(status string) bool { return status != gone }) ||
			t.became(id, from, until, func(status string) bool { return !over(status) })
	case change.Before.Status != change.After.Status:
		id = change.After.ID
		happened = t.became(id, from, until, func(status string) bool { return status == string(change.After.Status) })
	default:
		return nil
	}
	if happened {
		return nil
	}
	return fmt.Errorf("did not happen: %s, reported within %s; statuses of %s: %+v", describe(change), bounds(entry), id, t.lives[id])
}

func over(status string) bool {
	return status == gone || participant.Status(status).Ended()
}

func describe(change roster.Change) string {
	text := func(p *participant.Participant) string {
		if p == nil {
			return "nobody"
		}
		return p.ID + " " + string(p.Status)
	}
	return text(change.Before) + " > " + text(change.After)
}

func bounds(entry feed.Entry) string {
	return entry.NotBefore.Format(clock) + ".." + entry.NotAfter.Format(clock)
}

const clock = "04:05.000"
