package main

import (
	"fmt"
	"slices"

	"github.com/audian/participant-gateway/internal/simulator"
)

// audit checks the whole run at its end.
func (w *harness) audit() {
	dials := w.upstream.Dials()
	w.writers.audit(dials)
	dialled := map[string]simulator.Dial{}
	for _, dial := range dials {
		dialled[dial.Participant] = dial
	}
	for state := range w.observations.seen {
		if !w.visitors.existed(dialled, state) {
			w.results.violatef(changesInvented, "%s was never %s with that name and number", state.id, state.status)
		}
	}
	if w.cluster != nil {
		w.auditReplicas()
	}
	w.results.check("participants and statuses received", len(w.observations.seen))
	w.results.check("positions at which watchers agree", w.orderCheck.Agreed())
	if w.orderCheck.Agreed() == 0 {
		w.results.violatef(failedExperiments, "no two watchers were ever at the same position")
	}
}

// audit compares the answers to writers with the phones that the upstream dialled (A1,
// A2), and with the participants that are still there.
func (w *writers) audit(dials []simulator.Dial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	by := map[string][]simulator.Dial{}
	for _, dial := range dials {
		by[dial.PhoneNumber] = append(by[dial.PhoneNumber], dial)
	}
	w.harness.results.check("adds", len(w.adds))
	w.harness.results.check("phones dialled", len(dials))
	for _, a := range w.adds {
		for _, broken := range a.audit(by[a.phone]) {
			w.harness.results.violatef(broken.rule, "%s: %s: answers %v", callerName(a.phone), broken.what, a.answers)
		}
	}
	for id, conference := range w.removed {
		for _, p := range w.harness.upstream.Participants(conference) {
			if p.ID == id && p.Status != "disconnected" { // A removed participant may stay listed.
				w.harness.results.violatef(changesLost, "%s was removed and is %s", id, p.Status)
			}
		}
	}
}

// dialledNo is the value of metadata.dialled when no phone was dialled.
const dialledNo = "no"

// violation is one broken rule, with details.
type violation struct{ rule, what string }

func (a *add) audit(dials []simulator.Dial) (found []violation) {
	if len(dials) > 1 && !a.excused {
		found = append(found, violation{dialledTwice, fmt.Sprintf("%d dials", len(dials))})
	}
	saidNo := len(a.answers) > 0
	for _, got := range a.answers {
		saidNo = saidNo && got.dialled == dialledNo
		isDialled := slices.ContainsFunc(dials, func(dial simulator.Dial) bool { return dial.Participant == got.id })
		if got.id != "" && !isDialled {
			found = append(found, violation{changesInvented, "a success for a phone that was not dialled"})
		}
	}
	if saidNo && len(dials) > 0 {
		found = append(found, violation{falseDialledNo, "answered dialled=no, but dialled"})
	}
	return found
}
