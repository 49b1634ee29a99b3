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

	mu      sync.Mutex
	adds    []*asked
	removed map[string]time.Time
}

// asked is one add, by the number that it dials, and what its calls were answered.
type asked struct {
	request *v2.AddParticipantRequest
	answers []answered
}

type answered struct {
	id  string
	err error
}

func (w *world) add(s step) {
	w.writes.mu.Lock()
	n := len(w.writes.adds)
	a := &asked{request: &v2.AddParticipantRequest{
		ConferenceId: conference, PhoneNumber: fmt.Sprintf("+1202555%04d", n), Name: fmt.Sprintf("Callee %d", n),
		Role: v2.ParticipantRole(s.A % 4), Muted: s.B%2 == 0, RequestId: fmt.Sprintf("request-%d", n),
	}}
	w.writes.adds = append(w.writes.adds, a)
	w.writes.mu.Unlock()
	w.call(a, s.C == 0)
}

func (w *world) again(s step) {
	w.writes.mu.Lock()
	n := len(w.writes.adds)
	w.writes.mu.Unlock()
	if n > 0 {
		w.call(w.writes.adds[n-1], s.C == 0)
	}
}

// call makes an add's call, which one in a hurry soon gives up.
func (w *world) call(a *asked, hurried bool) {
	w.writes.running.Go(func() {
		ctx, cancel := context.WithTimeout(caller(a.request.GetPhoneNumber()), 75*time.Second)
		defer cancel()
		if hurried {
			hurry, stop := context.WithTimeout(ctx, 2*time.Second)
			defer stop()
			ctx = hurry
		}
		hadFeed := known(w.gateway.state())
		response, err := w.gateway.AddParticipant(ctx, a.request)
		id := response.GetParticipant().GetId()
		w.writes.mu.Lock()
		a.answers = append(a.answers, answered{id, err})
		first := len(a.answers) == 1
		w.writes.mu.Unlock()
		if err == nil && hadFeed && first {
			w.fail("add", w.published(id))
		}
	})
}

func known(state *feed.State) bool { return state != nil && state.Known }

// caller is the context of one call, named so that the upstream's history knows it.
func caller(name string) context.Context {
	ctx := requestctx.WithRequestID(context.Background(), name)
	return access.NewContext(ctx, access.Caller{Name: "model"})
}

// published says whether the watchers were told of an add by the time it is answered:
// it is in the roster, or was (W5).
func (w *world) published(id string) error {
	w.note()
	state := w.gateway.state()
	if !known(state) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	told, byWrite := false, false
	for at, entry := range w.ledger.entries {
		for _, change := range entry.Changes {
			if at.Epoch == state.Position.Epoch && concerns(change, id) {
				told, byWrite = true, byWrite || change.ByWrite
			}
		}
	}
	_, listed := state.Find(id)
	if listed && !byWrite {
		w.seen.add(suppressed)
	}
	if listed || told || w.writes.wasRemoved(id) {
		return nil
	}
	return fmt.Errorf("W5: %s was added, and no watcher was told", id)
}

func concerns(change roster.Change, id string) bool {
	return change.Before != nil && change.Before.ID == id || change.After != nil && change.After.ID == id
}

func (w *world) remove(s step) {
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

// note counts who is kept out of the roster although the upstream lists them.
func (w *writes) note(world *world, state *feed.State) {
	if !known(state) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for id, at := range w.removed {
		if _, listed := state.Find(id); listed || !state.LastSuccess.After(at) {
			continue
		}
		if time.Since(at) < world.history.Upstream.ListLag {
			world.seen.add(heldPresence)
		}
		if status := world.truth.status(id); participant.Status(status).Ended() {
			world.seen.add(lingered)
		}
	}
}

// status is where somebody's call stood when last looked at.
func (t *truth) status(id string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	life := t.lives[id]
	if len(life) == 0 {
		return gone
	}
	return life[len(life)-1].status
}

// check holds what callers were answered against the phones that rang (A1, A2).
func (w *writes) check(world *world) error {
	dials := map[string][]string{}
	for _, dial := range world.upstream.Dials() {
		dials[dial.PhoneNumber] = append(dials[dial.PhoneNumber], dial.Participant)
	}
	lost := lostAdds(world.upstream)
	for _, a := range w.adds {
		number := a.request.GetPhoneNumber()
		if len(dials[number]) > 1 {
			return fmt.Errorf("A1: %s was dialled %d times", number, len(dials[number]))
		}
		if err := a.check(dials[number]); err != nil {
			return fmt.Errorf("%s: %w", number, err)
		}
		a.count(world.seen, lost[number])
	}
	return nil
}

// lostAdds are the numbers whose add was answered by no success.
func lostAdds(upstream *simulator.Simulator) map[string]bool {
	lost := map[string]bool{}
	for _, request := range upstream.History() {
		if request.Operation == simulator.Add {
			lost[request.CallerID] = request.Status != 200 || request.Fault == simulator.FaultGarbage
		}
	}
	return lost
}

func (a *asked) check(dialled []string) error {
	refusals := 0
	for _, answer := range a.answers {
		var told *apierror.Error
		switch {
		case answer.err == nil && (len(dialled) == 0 || answer.id != dialled[0]):
			return fmt.Errorf("A1: was given %s, dialled is %v", answer.id, dialled)
		case answer.err == nil:
		case !errors.As(answer.err, &told) || told.Dialled == "":
			return fmt.Errorf("A1: does not say whether it dialled: %w", answer.err)
		case told.Dialled == apierror.DialledNo:
			refusals++
		}
	}
	if refusals == len(a.answers) && len(dialled) > 0 {
		return errors.New("A1: every answer says that nothing was dialled")
	}
	return nil
}

func (a *asked) count(seen *counts, lost bool) {
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
