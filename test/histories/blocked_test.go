package histories_test

import (
	"testing"
	"testing/synctest"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/simulator"
)

// TestW12_BlockedClientsHoldNobodyUp has nine clients that do not read, and one that
// does: it is told of a change as soon as the gateway knows, whatever the others do. Who
// is woken first is chance, so that it is tried several times.
func TestW12_BlockedClientsHoldNobodyUp(t *testing.T) {
	for range 5 {
		synctest.Test(t, func(t *testing.T) {
			w, err := newWorld(history{Kept: 4096, Linger: time.Minute}, &counts{})
			if err != nil {
				t.Fatal(err)
			}
			listener := w.crowd(9)
			w.upstream.AddParticipant(conference, simulator.Participant{ID: "p1", Status: "connected"})
			w.pass(6 * time.Second) // Those who are deaf are blocked from here.
			w.upstream.AddParticipant(conference, simulator.Participant{ID: "p2", Status: "connected"})
			w.pass(6 * time.Second)
			if _, told := listener.held["p2"]; !told && w.inRoster("p2") {
				t.Error("the gateway's roster has p2, and nobody was told")
			}
			if err := w.end(); err != nil {
				t.Error(err)
			}
		})
	}
}

// crowd opens streams of clients who from then on are deaf, and one of a client who
// listens.
func (w *world) crowd(deaf int) *client {
	for range deaf + 1 {
		c := &client{world: w, held: map[string]*v2.Participant{}}
		c.ask(filters[0])
		c.open("")
		w.clients = append(w.clients, c)
	}
	w.pass(2 * time.Second)
	for _, c := range w.clients[len(w.clients)-deaf-1 : len(w.clients)-1] {
		c.deafen(time.Minute)
	}
	return w.clients[len(w.clients)-1]
}

func (w *world) inRoster(id string) bool {
	_, listed := w.gateway.state().Find(id)
	return listed
}
