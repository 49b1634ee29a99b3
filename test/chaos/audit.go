package main

import (
	"fmt"
	"slices"

	"github.com/audian/participant-gateway/internal/simulator"
)

// audit looks back over the whole run.
func (w *world) audit() {
	dials := w.vendor.Dials()
	w.writers.audit(dials)
	dialled := map[string]simulator.Dial{}
	for _, dial := range dials {
		dialled[dial.Participant] = dial
	}
	for who := range w.sightings.seen {
		if !w.visitors.everReal(dialled, who) {
			w.tally.brokenf(changesInvented, "%s was never %s under that name and number", who.id, who.status)
		}
	}
	w.tally.check("people and statuses seen", len(w.sightings.seen))
	w.tally.check("positions where watchers agree", w.ledger.agreed)
	if w.ledger.agreed == 0 {
		w.tally.brokenf(drillsThatFailed, "no two watchers were ever at the same position")
	}
}

// audit holds what writers were answered against whom the vendor dialled (A1, A2), and
// against who is still there.
func (w *writers) audit(dials []simulator.Dial) {
	w.mu.Lock()
	defer w.mu.Unlock()
	by := map[string][]simulator.Dial{}
	for _, dial := range dials {
		by[dial.PhoneNumber] = append(by[dial.PhoneNumber], dial)
	}
	w.world.tally.check("adds asked for", len(w.adds))
	w.world.tally.check("phones that rang", len(dials))
	for _, a := range w.adds {
		for _, broken := range a.audit(by[a.phone]) {
			w.world.tally.brokenf(broken.rule, "%s: %s: answers %v", callerName(a.phone), broken.what, a.answers)
		}
	}
	for id, conference := range w.removed {
		for _, p := range w.world.vendor.Truth(conference) {
			if p.ID == id && p.Status != "disconnected" { // Who was hung up on may stay listed.
				w.world.tally.brokenf(changesLost, "%s was removed and is %s", id, p.Status)
			}
		}
	}
}

// dialledNo is an error's word for a phone that surely did not ring.
const dialledNo = "no"

// breach is one rule that was broken, and how.
type breach struct{ rule, what string }

func (a *add) audit(dials []simulator.Dial) (found []breach) {
	if len(dials) > 1 {
		found = append(found, breach{dialledTwice, fmt.Sprintf("%d dials", len(dials))})
	}
	surelyNot := len(a.answers) > 0
	for _, got := range a.answers {
		surelyNot = surelyNot && got.dialled == dialledNo
		rang := slices.ContainsFunc(dials, func(dial simulator.Dial) bool { return dial.Participant == got.id })
		if got.id != "" && !rang {
			found = append(found, breach{changesInvented, "a success for a phone that did not ring"})
		}
	}
	if surelyNot && len(dials) > 0 {
		found = append(found, breach{dialledUnasked, "said not to be dialled, and was"})
	}
	return found
}
