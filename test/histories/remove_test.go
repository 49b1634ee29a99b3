package histories_test

import (
	"testing"
	"testing/synctest"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// TestA02_NotBeforeOfARemoveIsItsFirstRequest has a remove whose first answer is lost, so
// that the 404 of the second request is its success. The participant left before the second
// was sent, so not_before must not be later than the first.
func TestA02_NotBeforeOfARemoveIsItsFirstRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, err := newHarness(history{HistoryLimit: 4096, Linger: time.Minute, Watching: 1}, &counts{})
		if err != nil {
			t.Fatal(err)
		}
		w.upstream.AddParticipant(conference, simulator.Participant{ID: "p1", Status: "connected"})
		w.advance(2 * time.Second)
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultLost, Operation: simulator.Remove, Times: 1})
		sent := time.Now()
		if _, err := w.gateway.RemoveParticipant(caller("remover"), &v2.RemoveParticipantRequest{
			ConferenceId: conference, ParticipantId: "p1",
		}); err != nil {
			t.Errorf("remove: %v", err)
		}
		w.advance(0)
		for _, entry := range w.ledger.Entries {
			for _, change := range entry.Changes {
				if change.After == nil && entry.NotBefore.After(sent) {
					t.Errorf("%s left within %s according to the log, but was removed at %s", change.Before.ID, bounds(entry), sent.Format(clock))
				}
			}
		}
		if err := w.end(); err != nil {
			t.Error(err)
		}
	})
}
