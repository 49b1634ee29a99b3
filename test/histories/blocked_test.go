package histories_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
	"github.com/audian/participant-gateway/test/watchmodel"
)

// TestW12_BlockedClientsDoNotDelayOthers has nine clients that do not read, and one that
// does: it receives a change as soon as the gateway knows it. The order in which clients are
// woken is random, so the test runs several times.
func TestW12_BlockedClientsDoNotDelayOthers(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			w, err := newHarness(history{HistoryLimit: 4096, Linger: time.Minute}, &counts{})
			if err != nil {
				t.Fatal(err)
			}
			listener := w.crowd(9)
			w.upstream.AddParticipant(conference, simulator.Participant{ID: "p1", Status: "connected"})
			w.advance(6 * time.Second) // From now on the clients that do not read are blocked.
			w.upstream.AddParticipant(conference, simulator.Participant{ID: "p2", Status: "connected"})
			w.advance(6 * time.Second)
			if _, received := listener.held["p2"]; !received && w.inRoster("p2") {
				t.Error("the gateway's roster has p2, but the client has not received it")
			}
			if err := w.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// crowd opens the streams of clients that then stop reading, and returns one more client that
// reads.
func (w *harness) crowd(nonReading int) *client {
	for range nonReading + 1 {
		c := &client{harness: w, held: watchmodel.Roster{}}
		c.ask(filters[0])
		c.open("")
		w.clients = append(w.clients, c)
	}
	w.advance(2 * time.Second)
	for _, c := range w.clients[len(w.clients)-nonReading-1 : len(w.clients)-1] {
		c.stopReading(time.Minute)
	}
	return w.clients[len(w.clients)-1]
}

func (w *harness) inRoster(id string) bool {
	_, listed := w.gateway.state().People.Find(id)
	return listed
}
