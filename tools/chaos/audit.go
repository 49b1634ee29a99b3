package main

import (
	"fmt"
	"slices"

	"github.com/audian/participant-gateway/internal/simulator"
)

// audit looks back over the whole run.
func (w *harness) audit() {
	dials := w.upstream.Dials()
	w.writers.audit(dials)
	dialled := map[string]simulator.Dial{}
	for _, dial := range dials {
		dialled[dial.Participant] = dial
	}
	for who := range w.observations.seen {
		if !w.visitors.existed(dialled, who) {
			w.results.violatef(changesInvented, "%s was never %s under that name and number", who.id, who.status)
		}
	}
	w.results.check("people and statuses seen", len(w.observations.seen))
	w.results.check("positions where watchers agree", w.orderCheck.agreed)
	if w.orderCheck.agreed == 0 {
		w.results.violatef(failedExperiments, "no two watchers were ever at the same position")
	}
}

// audit holds what writers were answered against whom the upstream dialled (A1, A2), and
// against who is still there.
func (w *writers) audit(dials []simulator.Dial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	by := map[string][]simulator.Dial{}
	for _, dial := range dials {
		by[dial.PhoneNumber] = append(by[dial.PhoneNumber], dial)
	}
	w.harness.results.check("adds asked for", len(w.adds))
	w.harness.results.check("phones that rang", len(dials))
	for _, a := range w.adds {
		for _, broken := range a.audit(by[a.phone]) {
			w.harness.results.violatef(broken.rule, "%s: %s: answers %v", callerName(a.phone), broken.what, a.answers)
		}
	}
	for id, conference := range w.removed {
		for _, p := range w.harness.upstream.Truth(conference) {
			if p.ID == id && p.Status != "disconnected" { // Who was hung up on may stay listed.
				w.harness.results.violatef(changesLost, "%s was removed and is %s", id, p.Status)
			}
		}
	}
}

// dialledNo is an error's word for a phone that surely did not ring.
const dialledNo = "no"

// violation is one rule that was broken, and how.
type violation struct{ rule, what string }

func (a *add) audit(dials []simulator.Dial) (found []violation) {
	if len(dials) > 1 {
		found = append(found, violation{dialledTwice, fmt.Sprintf("%d dials", len(dials))})
	}
	surelyNot := len(a.answers) > 0
	for _, got := range a.answers {
		surelyNot = surelyNot && got.dialled == dialledNo
		rang := slices.ContainsFunc(dials, func(dial simulator.Dial) bool { return dial.Participant == got.id })
		if got.id != "" && !rang {
			found = append(found, violation{changesInvented, "a success for a phone that did not ring"})
		}
	}
	if surelyNot && len(dials) > 0 {
		found = append(found, violation{falseDialledNo, "said not to be dialled, and was"})
	}
	return found
}
