package histories_test

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// deeds do what a step says.
var deeds = map[kind]func(*world, step){
	join:    (*world).join,
	turn:    (*world).turn,
	vanish:  (*world).vanish,
	add:     (*world).add,
	again:   (*world).again,
	remove:  (*world).remove,
	open:    (*world).open,
	hangUp:  (*world).hangUp,
	stall:   (*world).stall,
	strike:  (*world).strike,
	blank:   (*world).blank,
	destroy: (*world).destroy,
}

func (w *world) join(s step) {
	w.letIn(s.A%6, words[s.B%len(words)], []string{"listener", "presenter", "juror"}[s.C%3])
}

// letIn lets somebody in, and first out: who is there already comes anew.
func (w *world) letIn(n int, status, role string) {
	id := fmt.Sprintf("p%d", n)
	w.upstream.RemoveParticipant(conference, id)
	w.truth.look()
	w.upstream.AddParticipant(conference, simulator.Participant{ID: id, Status: status, Role: role, Name: nameOf(n)})
	w.truth.look()
}

// nameOf is always the same, since a name that is missing says nothing (W8).
func nameOf(n int) string { return fmt.Sprintf("Person %d", n) }

// someone is one of those who are there, empty where nobody is.
func (w *world) someone(which int) string {
	people := w.upstream.Participants(conference)
	if len(people) == 0 {
		return ""
	}
	return people[which%len(people)].ID
}

// turn leaves those alone whose call is over: nobody comes back to a call.
func (w *world) turn(s step) {
	if id := w.someone(s.A); !over(w.truth.status(id)) {
		w.upstream.SetStatus(conference, id, words[s.B%len(words)])
	}
}

func (w *world) vanish(s step) { w.upstream.RemoveParticipant(conference, w.someone(s.A)) }

// open has a client come back, mostly with its last token and its filter.
func (w *world) open(s step) {
	c := w.clients[s.A%clients]
	c.close()
	w.pass(0)
	if s.B > 6 {
		c.ask(filters[s.B%len(filters)])
	}
	token := c.token
	switch s.C {
	case 0:
		token = ""
	case 1:
		token = "pgw9.of-a-later-version"
	}
	if token == "" {
		clear(c.held)
		c.token = ""
	}
	c.open(token)
}

func (w *world) hangUp(s step) { w.clients[s.A%clients].close() }

// stall has a client read nothing: for a while, or until it is cut (W12).
func (w *world) stall(s step) {
	c := w.clients[s.A%clients]
	if s.B == 0 {
		c.deafen(forEver)
		w.pass(untilCut)
		c.deafen(0)
		return
	}
	c.deafen(time.Duration(1+s.B) * 2 * time.Second)
}

// forEver is longer than any send may be blocked, and untilCut as long, with the time
// until there is something to send.
const (
	forEver  = time.Hour
	untilCut = 80 * time.Second
)

// strike has the upstream fail. What its pages leave out may be made up for in its total
// by who comes meanwhile, so that no reader of lists could tell.
func (w *world) strike(s step) {
	paged := w.history.Upstream.PageSize > 0
	if s.B == 11 && !w.hides && paged {
		w.hides = true
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultShift, Times: 1})
		return
	}
	operation := struck[s.C%len(struck)]
	fault := faults[operation][(s.A*12+s.B)%len(faults[operation])]
	fault.Operation, fault.Times = operation, 1+s.A%4
	w.hides = w.hides || fault.Kind == simulator.FaultPartial && paged
	w.upstream.Inject(fault)
}

// blank has the next lists hold no array, whoever is there.
func (w *world) blank(s step) { w.placeholders = 1 + s.A%4 }

// destroy deletes the conference, but more seldom than the other kinds of step.
func (w *world) destroy(s step) {
	if s.A < 3 {
		w.upstream.DeleteConference(conference)
	}
}
