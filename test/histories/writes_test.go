package histories_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	v2 "github.com/audian/participant-gateway/gen/audian/conference/v2"
	"github.com/audian/participant-gateway/internal/access"
	"github.com/audian/participant-gateway/internal/apierror"
	"github.com/audian/participant-gateway/internal/feed"
	"github.com/audian/participant-gateway/internal/participant"
	"github.com/audian/participant-gateway/internal/requestctx"
	"github.com/audian/participant-gateway/internal/roster"
	"github.com/audian/participant-gateway/internal/simulator"
)

// writes are the adds and removes of clients.
type writes struct {
	running sync.WaitGroup

	mu   sync.Mutex
	adds []*addCall
	// single is the last add that is no entry of a batch.
	single  *addCall
	batches []*batchCall
	removed map[string]time.Time
}

// addCall is one add, or an entry of a batch, with its own phone number, and the results of its
// calls.
type addCall struct {
	request *v2.AddParticipantRequest
	answers []addResult
}

type addResult struct {
	id  string
	err error
}

func (w *harness) add(s step) {
	w.writes.mu.Lock()
	n := len(w.writes.adds)
	a := &addCall{request: &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Callee %d", n),
		Role: v2.ParticipantRole(s.A % 4), Muted: s.B%2 == 0, RequestId: fmt.Sprintf("request-%d", n),
	}}
	w.writes.adds, w.writes.single = append(w.writes.adds, a), a
	w.writes.mu.Unlock()
	w.call(a, s.C == 0)
}

func (w *harness) retryAdd(s step) {
	w.writes.mu.Lock()
	last := w.writes.single
	w.writes.mu.Unlock()
	if last != nil {
		w.call(last, s.C == 0)
	}
}

// call calls AddParticipant. An impatient caller soon gives up.
func (w *harness) call(a *addCall, impatient bool) {
	w.writes.running.Go(func() {
		ctx, cancel := context.WithTimeout(caller(a.request.GetPhoneNumber()), 75*time.Second)
		defer cancel()
		if impatient {
			short, stop := context.WithTimeout(ctx, 2*time.Second)
			defer stop()
			ctx = short
		}
		hadFeed := known(w.gateway.state())
		response, err := w.gateway.AddParticipant(ctx, a.request)
		id := response.GetParticipant().GetId()
		w.writes.mu.Lock()
		a.answers = append(a.answers, addResult{id, err})
		first := len(a.answers) == 1
		w.writes.mu.Unlock()
		if err == nil && hadFeed && first {
			w.fail("add", w.published(id))
		}
	})
}

func known(state *feed.State) bool { return state != nil && state.Known }

// caller returns the context of one call. Its name appears in the upstream's history.
func caller(name string) context.Context {
	ctx := requestctx.WithRequestID(context.Background(), name)
	return access.NewContext(ctx, access.Caller{Name: "model", SeesNumbers: true, Grant: access.NewGrant(access.AllRights())})
}

// published fails if watchers did not receive an add before its answer: the participant is in
// the roster, or was (W5).
func (w *harness) published(id string) error {
	w.note()
	state := w.gateway.state()
	if !known(state) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	logged, byWrite := false, false
	for at, entry := range w.ledger.Entries {
		for _, change := range entry.Changes {
			if at.Epoch == state.Position.Epoch && concerns(change, id) {
				logged, byWrite = true, byWrite || change.ByWrite
			}
		}
	}
	_, listed := state.People.Find(id)
	if listed && !byWrite {
		w.seen.add(suppressed)
	}
	if listed || logged || w.writes.wasRemoved(id) {
		return nil
	}
	return fmt.Errorf("W5: %s was added, but the log has no entry", id)
}

func concerns(change roster.Change, id string) bool {
	return change.Before != nil && change.Before.ID == id || change.After != nil && change.After.ID == id
}

func (w *harness) remove(s step) {
	id := w.someone(s.A)
	if s.B > 9 || id == "" {
		id = "p3"
	}
	w.lists.call(id, +1)
	w.writes.running.Go(func() {
		defer w.lists.call(id, -1)
		ctx, cancel := context.WithTimeout(caller("remove-"+id), 30*time.Second)
		defer cancel()
		_, err := w.gateway.RemoveParticipant(ctx, &v2.RemoveParticipantRequest{ConferenceId: conference, ParticipantId: id})
		if err == nil {
			w.writes.remove(id)
		}
	})
}

func (w *writes) remove(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.removed == nil {
		w.removed = map[string]time.Time{}
	}
	w.removed[id] = time.Now()
}

func (w *writes) wasRemoved(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, removed := w.removed[id]
	return removed
}

// note counts removed participants that the upstream still lists but the roster does not.
func (w *writes) note(harness *harness, state *feed.State) {
	if !known(state) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.removed {
		if _, listed := state.People.Find(id); listed || !state.LastSuccess.After(at) {
			continue
		}
		if time.Since(at) < harness.history.Upstream.ListLag {
			harness.seen.add(heldPresence)
		}
		if status := harness.truth.status(id); participant.Status(status).Ended() {
			harness.seen.add(lingered)
		}
	}
}

// status returns the last observed status of a participant.
func (t *truth) status(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	life := t.lives[id]
	if len(life) == 0 {
		return gone
	}
	return life[len(life)-1].status
}

// check compares the answers to callers with the phones that the upstream dialled (A1, A2).
func (w *writes) check(harness *harness) error {
	dials := map[string][]string{}
	for _, dial := range harness.upstream.Dials() {
		dials[dial.PhoneNumber] = append(dials[dial.PhoneNumber], dial.Participant)
	}
	lost := lostAdds(harness.upstream)
	for _, a := range w.adds {
		number := a.request.GetPhoneNumber()
		if len(dials[number]) > 1 {
			return fmt.Errorf("A1: %s was dialled %d times", number, len(dials[number]))
		}
		if err := a.check(dials[number]); err != nil {
			return fmt.Errorf("%s: %w", number, err)
		}
		a.count(harness.seen, lost[number])
	}
	return nil
}

// lostAdds returns the numbers whose add got no successful answer.
func lostAdds(upstream *simulator.Simulator) map[string]bool {
	lost := map[string]bool{}
	for _, request := range upstream.History() {
		if request.Operation == simulator.Add {
			lost[request.CallerID] = request.Status != 200 || request.Fault == simulator.FaultGarbage
		}
	}
	return lost
}

func (a *addCall) check(dialled []string) error {
	refusals := 0
	for _, answer := range a.answers {
		var apiErr *apierror.Error
		switch {
		case answer.err == nil && (len(dialled) == 0 || answer.id != dialled[0]):
			return fmt.Errorf("A1: the answer has %s, dialled were %v", answer.id, dialled)
		case answer.err == nil:
		case !errors.As(answer.err, &apiErr) || apiErr.Dialled == "":
			return fmt.Errorf("A1: no dialled in the error: %w", answer.err)
		case apiErr.Dialled == apierror.DialledNo:
			refusals++
		}
	}
	if len(a.answers) > 0 && refusals == len(a.answers) && len(dialled) > 0 {
		return errors.New("A1: every answer says that nothing was dialled")
	}
	return nil
}

func (a *addCall) count(seen *counts, lost bool) {
	successes := 0
	for _, answer := range a.answers {
		if answer.err == nil {
			successes++
		} else if apierror.ReasonOf(answer.err) == apierror.AddOutcomeUnknown {
			seen.add(addUnknown)
		}
	}
	if successes > 0 && lost {
		seen.add(addFound)
	}
	if successes > 1 {
		seen.add(addReplayed)
	}
}
