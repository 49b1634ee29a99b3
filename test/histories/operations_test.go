package histories_test

import (
	"fmt"
	"time"

	"github.com/audian/participant-gateway/internal/simulator"
)

// operations contains the operation of each kind of step.
var operations = map[kind]func(*harness, step){
	join:             (*harness).join,
	setStatus:        (*harness).setStatus,
	leave:            (*harness).leave,
	add:              (*harness).add,
	retryAdd:         (*harness).retryAdd,
	batchAdd:         (*harness).batchAdd,
	resumeBatch:      (*harness).resumeBatch,
	remove:           (*harness).remove,
	control:          (*harness).control,
	toggle:           (*harness).toggle,
	muteAll:          (*harness).muteAll,
	open:             (*harness).open,
	closeStream:      (*harness).closeStream,
	stall:            (*harness).stall,
	injectFault:      (*harness).injectFault,
	sendPlaceholder:  (*harness).sendPlaceholder,
	deleteConference: (*harness).deleteConference,
}

func (w *harness) join(s step) {
	w.replaceParticipant(s.A%6, statuses[s.B%len(statuses)], []string{"listener", "presenter", "juror"}[s.C%3])
}

// replaceParticipant adds a participant. If the id is already in the conference, it removes it
// first.
func (w *harness) replaceParticipant(n int, status, role string) {
	id := fmt.Sprintf("p%d", n)
	w.truth.observe()
	w.upstream.RemoveParticipant(conference, id)
	w.truth.observe()
	w.upstream.AddParticipant(conference, simulator.Participant{ID: id, Status: status, Role: role, Name: nameOf(n)})
	w.truth.observe()
}

// nameOf returns the name of an id. It never changes: a missing name is no change (W8).
func nameOf(n int) string { return fmt.Sprintf("Person %d", n) }

// someone returns the id of one participant, empty if there is none.
func (w *harness) someone(which int) string {
	people := w.upstream.Participants(conference)
	if len(people) == 0 {
		return ""
	}
	return people[which%len(people)].ID
}

// setStatus sets a status, unless the call has ended: an ended call does not start again.
func (w *harness) setStatus(s step) {
	w.truth.observe()
	if id := w.someone(s.A); !over(w.truth.status(id)) {
		w.upstream.SetStatus(conference, id, statuses[s.B%len(statuses)])
	}
}

func (w *harness) leave(s step) {
	w.truth.observe()
	w.upstream.RemoveParticipant(conference, w.someone(s.A))
}

// open makes a client open a stream, mostly with its last token and the same filter.
func (w *harness) open(s step) {
	c := w.clients[s.A%clients]
	c.close()
	w.advance(0)
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

func (w *harness) closeStream(s step) { w.clients[s.A%clients].close() }

// stall makes a client read nothing, for some time or until its stream is cut off (W12).
func (w *harness) stall(s step) {
	c := w.clients[s.A%clients]
	if s.B == 0 {
		c.stopReading(longBlock)
		w.advance(untilCutOff)
		c.stopReading(0)
		return
	}
	c.stopReading(time.Duration(1+s.B) * 2 * time.Second)
}

// longBlock is longer than the limit for a blocked send. untilCutOff is that limit and the
// time until there is something to send.
const (
	longBlock   = time.Hour
	untilCutOff = 80 * time.Second
)

// injectFault makes the upstream fail. A participant who joins at the same time may hide in the
// total that a page is missing: no reader of lists could notice that.
func (w *harness) injectFault(s step) {
	paged := w.history.Upstream.PageSize > 0
	if s.B == 11 && !w.hides && paged {
		w.hides = true
		w.upstream.Inject(simulator.Fault{Kind: simulator.FaultShift, Times: 1})
		return
	}
	operation := faultyOperations[s.C%len(faultyOperations)]
	fault := faults[operation][(s.A*12+s.B)%len(faults[operation])]
	fault.Operation, fault.Times = operation, 1+s.A%4
	w.hides = w.hides || fault.Kind == simulator.FaultPartial && paged
	w.upstream.Inject(fault)
}

// sendPlaceholder makes the next lists contain no array.
func (w *harness) sendPlaceholder(s step) { w.placeholders = 1 + s.A%4 }

// deleteConference deletes the conference. It is rarer than the other kinds of step.
func (w *harness) deleteConference(s step) {
	if s.A < 3 {
		w.upstream.DeleteConference(conference)
	}
}
